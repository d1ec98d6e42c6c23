//! A property that did not hold: [`Found`].

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::case::Case;
use super::play::{Play, Tally};
use super::shrink;
use crate::schedule::panic_text;

/// A case with which a property does not hold. It prints what failed, what went wrong before, the operations, and the line that
/// tries it again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    case: Case,
    cases: u64,
    message: String,
    faults: Vec<String>,
    is_unmodelled: bool,
}

impl Found {
    /// The case.
    #[must_use]
    pub const fn case(&self) -> &Case {
        &self.case
    }

    /// How many cases it took to find it; those that made it smaller do not count.
    #[must_use]
    pub const fn cases(&self) -> u64 {
        self.cases
    }

    /// The same, as the last of so many cases.
    pub(super) const fn of_cases(mut self, cases: u64) -> Self {
        self.cases = cases;
        self
    }

    /// What failed: the panic's text, or what is not modelled.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Whether nothing failed but that the machine was asked for something it does not model.
    #[must_use]
    pub const fn is_unmodelled(&self) -> bool {
        self.is_unmodelled
    }

    /// The same failure, or another one, with as small a case as could be found in a bounded number of runs; `fails` runs one.
    ///
    /// ```
    /// use standin_sim::property::{Case, Play};
    ///
    /// let property = |play: &mut Play| {
    ///     play.alone();
    ///     assert_eq!(play.tally().succeeded, 0);
    /// };
    /// let found = Case::random(1, 50).check(property).unwrap_err();
    /// let small = found.shrunk(|smaller| smaller.check(property).err());
    /// assert_eq!(small.case().operations().count(), 1);
    /// ```
    #[must_use]
    pub fn shrunk(self, fails: impl FnMut(&Case) -> Option<Self>) -> Self {
        let cases = self.cases;
        shrink::shrink(self, fails).of_cases(cases)
    }

    /// What went wrong because the case has faults, in order, a sentence each.
    #[must_use]
    pub fn faults(&self) -> &[String] {
        &self.faults
    }

    /// The machine and the operations as a script: [`Case::script`].
    #[must_use]
    pub fn script(&self) -> String {
        self.case.script()
    }

    /// The line that is the case: for [`parse`](str::parse).
    #[must_use]
    pub fn line(&self) -> String {
        self.case.to_string()
    }
}

impl fmt::Display for Found {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "{}", self.message)?;
        for fault in &self.faults {
            writeln!(out, "fault: {fault}")?;
        }
        write!(out, "{}", self.case.script())?;
        writeln!(out, "order: {}", self.case.decisions())?;
        write!(out, "case: {}", self.case)
    }
}

impl std::error::Error for Found {}

/// Tries a property with a case.
pub(super) fn attempt(case: &Case, property: impl FnOnce(&mut Play)) -> Result<Tally, Found> {
    let machine = case.machine();
    let mut play = Play::new(&machine, case);
    let ended = catch_unwind(AssertUnwindSafe(|| property(&mut play)));
    let tally = play.into_tally();
    let faults = machine.shared().lock().faults.take_told();
    let finished = machine.finish();
    let (message, is_unmodelled) = match (ended, finished) {
        (Ok(()), Ok(())) => return Ok(tally),
        (Ok(()), Err(unmodelled)) => (unmodelled.to_string(), true),
        (Err(panic), _) => (panic_text(&*panic), false),
    };
    Err(Found { case: case.clone(), cases: 1, message, faults, is_unmodelled })
}
