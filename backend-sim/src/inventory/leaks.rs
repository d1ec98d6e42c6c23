//! What was left behind.

use std::fmt;

use super::{Change, Diff, Thing};
use crate::trace::{Entry, Trace, Value};

/// Something that was left behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leak {
    /// What.
    pub thing: Thing,
    /// What it is now.
    pub state: String,
    /// Number and name of the process that made it, and its call, if a trace knows.
    pub maker: Option<String>,
}

/// What is there that was not there before. It prints a line for each.
///
/// ```
/// use standin::{ExitCode, fs};
/// use standin_sim::Machine;
///
/// let machine = Machine::builder().trace().build();
/// machine.program("/bin/manager", |kernel, _| {
///     fs::create_dir(kernel, "/sys/fs/cgroup/web").unwrap();
///     ExitCode::SUCCESS
/// });
/// let before = machine.inventory();
/// machine.run("/bin/manager", &[]).unwrap();
/// let leaks = machine.check_leaks(&before).unwrap_err().to_string();
/// assert!(leaks.contains("cgroup v2 /web") && leaks.contains("manager by mkdir"), "{leaks}");
///
/// fs::remove_dir(&machine.root(), "/sys/fs/cgroup/web").unwrap();
/// machine.check_leaks(&before).unwrap();
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaks {
    /// In the order of the things.
    pub left: Vec<Leak>,
}

impl Leaks {
    /// What a difference says was made, but for settings.
    pub(crate) fn new(since: &Diff, trace: &Trace) -> Result<(), Self> {
        let left: Vec<Leak> = since
            .changes
            .iter()
            .filter_map(|(thing, change)| match (thing, change) {
                (Thing::Setting { .. }, _) | (_, Change::Gone { .. }) => None,
                // It died, and nobody waited for it.
                (Thing::Process(_), Change::Changed { from, to })
                    if to.contains(", zombie") && !from.contains(", zombie") =>
                {
                    Some((thing, to))
                }
                (_, Change::Changed { .. }) => None,
                (_, Change::Made { state }) => Some((thing, state)),
            })
            .map(|(thing, state)| Leak {
                thing: thing.clone(),
                state: state.clone(),
                maker: maker(trace, thing, state),
            })
            .collect();
        if left.is_empty() { Ok(()) } else { Err(Self { left }) }
    }
}

/// Who made something: the last whose call was answered and says so.
fn maker(trace: &Trace, thing: &Thing, state: &str) -> Option<String> {
    let made = |entry: &&Entry| {
        let succeeded = entry.answer.as_ref().is_some_and(|answer| answer.outcome.is_ok());
        succeeded && is_making(entry, thing, state)
    };
    let entry = trace.entries.iter().rev().find(made)?;
    Some(format!("{} {} by {}", entry.process.0, entry.name, entry.operation))
}

fn is_making(entry: &Entry, thing: &Thing, state: &str) -> bool {
    let path = |name| match entry.argument(name) {
        Some(Value::Path(path)) => path.as_bytes(),
        Some(Value::Bytes(_) | Value::Number(_) | Value::Text(_)) | None => &[],
    };
    match thing {
        Thing::Cgroup { path: group, .. } => {
            entry.operation == "mkdir" && path("place").ends_with(group.as_bytes())
        }
        Thing::Mount { .. } => {
            let at = path("target");
            entry.operation == "mount"
                && !at.is_empty()
                && state.as_bytes().ends_with(&[b" on ", at].concat())
        }
        // A child's maker is its parent, which its state tells; a descriptor's is its process.
        Thing::Process(_)
        | Thing::Handle { .. }
        | Thing::Setting { .. }
        | Thing::Namespace { .. }
        | Thing::Socket { .. } => false,
    }
}

impl fmt::Display for Leaks {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("left behind:")?;
        for Leak { thing, state, maker } in &self.left {
            write!(out, "\n  {thing}: {state}")?;
            if let Some(maker) = maker {
                write!(out, ", made by {maker}")?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for Leaks {}
