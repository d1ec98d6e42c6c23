//! A case: [`Case`], and the operations that it makes, [`Step`].

use std::fmt;

use standin::transcript::Op;

use super::belief::Belief;
use super::found::Found;
use super::generate::{actor, operation};
use super::play::{Play, Tally};
use super::{fault_plan, found, line, profile};
use crate::builder::Builder;
use crate::machine::Machine;
use crate::schedule::{Decisions, Fault, Faults, Generator, Order};

/// Bytes that say which machine.
pub(super) const PROFILE_BYTES: usize = 4;
/// Faults that a case has at most.
pub(super) const FAULTS: usize = 3;
/// Bytes of a fault.
pub(super) const FAULT_BYTES: usize = 4;
/// Bytes before the first operation.
pub(super) const HEAD_BYTES: usize = PROFILE_BYTES + FAULTS * FAULT_BYTES;
/// Bytes of an operation; the last two are decisions of the order.
pub(super) const STEP_BYTES: usize = 8;
/// Where they stand in it.
const DECISIONS_AT: usize = STEP_BYTES - 2;
/// Operations that a case has at most: what is behind them means nothing.
pub(super) const MOST_STEPS: usize = 1_000;

/// What a property is tried with: a machine, operations of others on it, the order of programs, and faults.
///
/// It is one byte string, and any bytes are one. Bytes beyond the last are 0; 0 is the plainest of everything: a machine as
/// [`Machine::builder`] describes it, no fault, no operation, the order as by default. First stand 4 bytes of the machine and
/// 3 times 4 of a fault each; then 8 bytes an operation: which, by whom, 4 choices, and 2 decisions.
///
/// ```
/// use standin_sim::property::Case;
///
/// let case = Case::random(7, 50);
/// let again: Case = case.to_string().parse().unwrap();
/// assert_eq!(again, case);
/// let tally = case.check(|play| play.alone()).unwrap();
/// assert_eq!(tally.operations, 50);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Case {
    bytes: Vec<u8>,
}

impl Case {
    /// The case of these bytes, without the zeros at the end.
    #[must_use]
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        let mut bytes = bytes.into();
        bytes.truncate(HEAD_BYTES + MOST_STEPS * STEP_BYTES);
        let length = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        bytes.truncate(length);
        Self { bytes }
    }

    /// One by chance, with so many operations; the same for the same seed, in every build.
    #[must_use]
    pub fn random(seed: u64, operations: usize) -> Self {
        let mut generator = Generator::new(seed);
        let operations = operations.min(MOST_STEPS);
        let mut bytes = Vec::with_capacity(HEAD_BYTES + operations * STEP_BYTES);
        bytes.extend_from_slice(&profile::random(generator.number()));
        for _ in 0..FAULTS {
            bytes.extend_from_slice(&fault_plan::random(generator.number()));
        }
        for _ in 0..operations {
            bytes.extend_from_slice(&step(generator.number()));
        }
        Self::new(bytes)
    }

    /// The bytes, up to the last that is not 0.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The machine that it is about, with its faults; without its order.
    #[must_use]
    pub fn builder(&self) -> Builder {
        let plain = profile::builder(self.profile());
        self.faults().into_iter().fold(plain, Builder::fault)
    }

    /// What goes wrong in calls of the machine's programs.
    #[must_use]
    pub fn faults(&self) -> Vec<Fault> {
        let plans = self.bytes.get(PROFILE_BYTES..).unwrap_or_default().chunks(FAULT_BYTES);
        plans.take(FAULTS).filter_map(|bytes| fault_plan::fault(padded(bytes))).collect()
    }

    /// In which order programs go on.
    #[must_use]
    pub fn decisions(&self) -> Decisions {
        let mut decisions = Vec::with_capacity(self.bytes.len() / STEP_BYTES * 2);
        for step in self.steps() {
            let [.., one, other] = padded::<STEP_BYTES>(step);
            decisions.extend([one, other]);
        }
        Decisions::new(decisions)
    }

    /// What others do on the machine, in order.
    pub fn operations(&self) -> impl Iterator<Item = Step> {
        Steps { bytes: self.bytes.clone(), at: HEAD_BYTES, belief: self.belief() }
    }

    /// The machine and the operations as a script, which runs on every kernel; order and faults are not in it.
    #[must_use]
    pub fn script(&self) -> String {
        let mut script = profile::line(self.profile());
        for step in self.operations() {
            script.push_str(&format!("{step}\n"));
        }
        script
    }

    /// Boots the machine, with order and faults.
    #[must_use]
    pub fn machine(&self) -> Machine {
        let machine = profile::machine(self.profile());
        let mut kernel = machine.shared().lock();
        kernel.order = Some(Box::new(Order::given(self.decisions())));
        kernel.faults = Faults::new(&self.faults());
        drop(kernel);
        machine
    }

    /// Tries a property with this case: what panics in it has not held.
    ///
    /// # Errors
    /// What failed, with the line that tries it again. It is not made smaller: see [`search`](Self::search).
    pub fn check(&self, property: impl FnOnce(&mut Play)) -> Result<Tally, Found> {
        found::attempt(self, property)
    }

    /// Tries a property with cases by chance, of so many operations each, and makes the first that fails smaller.
    ///
    /// # Errors
    /// What failed.
    pub fn search(
        seed: u64,
        cases: u64,
        operations: usize,
        property: impl Fn(&mut Play),
    ) -> Result<(), Box<Found>> {
        for number in 0..cases {
            let case = Self::random(seed ^ number.wrapping_mul(0xd134_2543_de82_ef95), operations);
            if let Err(found) = case.check(&property) {
                let found = found.of_cases(number + 1);
                return Err(Box::new(found.shrunk(|smaller| smaller.check(&property).err())));
            }
        }
        Ok(())
    }

    /// Which machine, in bytes.
    pub(super) fn profile(&self) -> [u8; PROFILE_BYTES] {
        padded(&self.bytes)
    }

    pub(super) fn belief(&self) -> Belief {
        let (release, layout) = profile::kernel(self.profile());
        Belief::new(release, layout)
    }

    /// The bytes of each operation; those of the last may be fewer.
    fn steps(&self) -> impl Iterator<Item = &[u8]> {
        self.bytes.get(HEAD_BYTES..).unwrap_or_default().chunks(STEP_BYTES)
    }
}

/// The first of these bytes, and zeros if they are fewer.
pub(super) fn padded<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut padded = [0; N];
    padded.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    padded
}

/// How rare a decision is that is not the default, where chance decides.
const ONE_DECISION_IN: u64 = 4;

/// An operation by chance.
pub(super) fn step(number: u64) -> [u8; STEP_BYTES] {
    let mut bytes = number.to_le_bytes();
    // An operation of a random case is one.
    bytes[0] = bytes[0].max(1);
    if !(number >> 40).is_multiple_of(ONE_DECISION_IN) {
        bytes[DECISIONS_AT] = 0;
    }
    if !(number >> 32).is_multiple_of(ONE_DECISION_IN) {
        bytes[DECISIONS_AT + 1] = 0;
    }
    bytes
}

impl fmt::Display for Case {
    /// The line that [`parse`](str::parse) reads.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        line::print(&self.bytes, out)
    }
}

impl std::str::FromStr for Case {
    type Err = super::CaseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        line::parse(text).map(Self::new)
    }
}

/// An operation of a case, and who carries it out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    pub(super) role: usize,
    /// The operation.
    pub op: Op,
}

impl Step {
    /// The label of the actor that carries it out; `init` is there from the start.
    #[must_use]
    pub fn actor(&self) -> &'static str {
        actor(self.role).as_str()
    }
}

impl fmt::Display for Step {
    /// A line of a script.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}> {}", self.actor(), self.op)
    }
}

/// The operations that bytes make, one after another.
#[derive(Debug)]
pub(super) struct Steps {
    pub(super) bytes: Vec<u8>,
    pub(super) at: usize,
    pub(super) belief: Belief,
}

impl Steps {
    pub(super) fn of(case: &Case) -> Self {
        Self { bytes: case.bytes.clone(), at: HEAD_BYTES, belief: case.belief() }
    }
}

impl Iterator for Steps {
    type Item = Step;

    fn next(&mut self) -> Option<Step> {
        loop {
            let rest = self.bytes.get(self.at..).filter(|rest| !rest.is_empty())?;
            let bytes: [u8; DECISIONS_AT] = padded(rest);
            self.at += STEP_BYTES;
            if let Some((role, op)) = operation(&mut self.belief, bytes) {
                return Some(Step { role, op });
            }
        }
    }

    /// A step whose first byte is 0 is none.
    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(self.bytes.len().saturating_sub(self.at).div_ceil(STEP_BYTES)))
    }
}
