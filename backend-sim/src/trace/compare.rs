//! Where two runs differ, and whether one side of a scenario can be seen from the other: [`interference`].

use std::fmt;

use super::{Entry, Trace};
use crate::builder::Builder;
use crate::machine::Machine;

/// The first place at which two series of calls differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// How many calls were alike before.
    pub place: usize,
    /// The call of the first series there, with its answer, if it has one.
    pub first: Option<String>,
    /// The call of the second.
    pub second: Option<String>,
}

/// Compares two series of calls with their answers: who made them by number, but not when.
pub(crate) fn first_difference<'a>(
    first: impl IntoIterator<Item = &'a Entry>,
    second: impl IntoIterator<Item = &'a Entry>,
) -> Option<Difference> {
    let print = |entry: &Entry| format!("{} {} {}", entry.thread.0, entry.name, entry.call());
    let (mut first, mut second) = (first.into_iter(), second.into_iter());
    let mut place = 0;
    loop {
        let (one, other) = (first.next().map(print), second.next().map(print));
        if one != other {
            return Some(Difference { place, first: one, second: other });
        }
        one?;
        place += 1;
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = "(no further call)".to_owned();
        let Self { place, first, second } = self;
        let (first, second) = (first.as_ref().unwrap_or(&end), second.as_ref().unwrap_or(&end));
        write!(out, "after {place} calls that are alike:\n  {first}\n  {second}")
    }
}

/// Which part of a scenario is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// All of it.
    Both,
    /// Only what the observer does.
    ObserverAlone,
}

/// What an observer saw of the other side: the first of its calls that was answered differently, or that it did not make
/// without the other. `first` is with the other side, `second` without.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interference(pub Difference);

impl fmt::Display for Interference {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "the observer sees the other side; with it, and without, {}", self.0)
    }
}

impl std::error::Error for Interference {}

/// Runs a scenario twice on machines such as this, once without what one side does, and compares what the other observes: the
/// calls of every process with the name `observer`, their arguments and their answers. Clocks count as far as it reads them,
/// and numbers of processes too: so the observer is to be made first.
///
/// ```
/// use standin::{ExitCode, fs};
/// use standin_sim::{Machine, Side, interference};
///
/// let looks = |machine: &Machine, side: Side| {
///     machine.program("/bin/observer", |kernel, _| {
///         let _ = fs::read_dir(kernel, "/sys/fs/cgroup");
///         ExitCode::SUCCESS
///     });
///     if side == Side::Both {
///         fs::create_dir(&machine.root(), "/sys/fs/cgroup/secret").unwrap();
///     }
///     machine.run("/bin/observer", &[]).unwrap();
/// };
/// let seen = interference(&Machine::builder(), "observer", looks).unwrap_err();
/// assert!(seen.to_string().contains("secret"), "{seen}");
/// ```
///
/// # Errors
/// What it saw.
pub fn interference(
    builder: &Builder,
    observer: &str,
    scenario: impl Fn(&Machine, Side),
) -> Result<(), Interference> {
    let run = |side| -> Trace {
        let machine = builder.clone().trace().build();
        scenario(&machine, side);
        machine.trace()
    };
    let (with, without) = (run(Side::Both), run(Side::ObserverAlone));
    let own = |entry: &&Entry| entry.name == observer;
    let with = with.entries.iter().filter(own);
    let without = without.entries.iter().filter(own);
    first_difference(with, without).map_or(Ok(()), |difference| Err(Interference(difference)))
}
