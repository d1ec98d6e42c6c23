//! What there is on a machine, as a list that two machines can be compared by: [`Inventory`], [`Diff`], [`Leaks`].
//!
//! An inventory holds what somebody made or set, each with what it is in one line. It is made by looking from above
//! (`gather`): no process's call, no side effect. `leaks` says what of it was left behind.

mod gather;
mod leaks;

use std::collections::BTreeMap;
use std::fmt;

use standin::Pid;

pub use leaks::{Leak, Leaks};

/// Something that a machine has.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Thing {
    /// A group.
    Cgroup {
        /// `v2`, or what /proc/PID/cgroup calls a hierarchy of v1.
        hierarchy: String,
        /// Its path in the hierarchy.
        path: String,
    },
    /// The value of a control file that can be written.
    Setting {
        /// As of the group.
        hierarchy: String,
        /// The group's path.
        path: String,
        /// The file's name.
        file: &'static str,
    },
    /// A process, dead or alive.
    Process(Pid),
    /// What a process has open.
    Handle {
        /// The process.
        process: Pid,
        /// The descriptor's number.
        number: u32,
    },
    /// A mount.
    Mount {
        /// How many were made before it.
        order: u64,
    },
    /// A namespace.
    Namespace {
        /// What it is of.
        kind: String,
        /// Its number, as /proc/PID/ns tells it.
        number: u32,
    },
    /// A socket.
    Socket {
        /// A number that no other socket of the machine has or had.
        number: u64,
    },
}

/// Everything on a machine, each with what it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inventory {
    /// In order.
    pub things: BTreeMap<Thing, String>,
}

/// What differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is there now.
    Made {
        /// What it is.
        state: String,
    },
    /// It is not there any more.
    Gone {
        /// What it was.
        state: String,
    },
    /// It is another.
    Changed {
        /// What it was.
        from: String,
        /// What it is.
        to: String,
    },
}

/// How one inventory differs from another. It prints a line for each thing, `+`, `-` or `~` first.
///
/// ```
/// use standin::fs;
/// use standin_sim::Machine;
///
/// let machine = Machine::builder().build();
/// let before = machine.snapshot().unwrap();
/// fs::create_dir(&machine.root(), "/sys/fs/cgroup/web").unwrap();
/// let after = machine.snapshot().unwrap();
/// fs::write(&machine.root(), "/sys/fs/cgroup/web/cgroup.max.depth", "3").unwrap();
///
/// let diff = before.diff(&after);
/// assert!(diff.to_string().starts_with("+ cgroup v2 /web"), "{diff}");
/// let diff = after.inventory().to(&machine.inventory());
/// assert_eq!(diff.to_string(), "~ setting v2 /web cgroup.max.depth: max -> 3\n");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diff {
    /// In the order of the things.
    pub changes: BTreeMap<Thing, Change>,
}

impl Inventory {
    /// From this one to a later one.
    #[must_use]
    pub fn to(&self, later: &Self) -> Diff {
        let mut changes = BTreeMap::new();
        for (thing, from) in &self.things {
            let change = match later.things.get(thing) {
                None => Change::Gone { state: from.clone() },
                Some(to) if to != from => Change::Changed { from: from.clone(), to: to.clone() },
                Some(_) => continue,
            };
            changes.insert(thing.clone(), change);
        }
        let new = later.things.iter().filter(|(thing, _)| !self.things.contains_key(thing));
        changes.extend(
            new.map(|(thing, state)| (thing.clone(), Change::Made { state: state.clone() })),
        );
        Diff { changes }
    }
}

impl Diff {
    /// Whether nothing differs.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}

impl fmt::Display for Thing {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cgroup { hierarchy, path } => write!(out, "cgroup {hierarchy} {path}"),
            Self::Setting { hierarchy, path, file } => {
                write!(out, "setting {hierarchy} {path} {file}")
            }
            Self::Process(pid) => write!(out, "process {}", pid.0),
            Self::Handle { process, number } => {
                write!(out, "descriptor {number} of process {}", process.0)
            }
            Self::Mount { order } => write!(out, "mount {order}"),
            Self::Namespace { kind, number } => write!(out, "namespace {kind}:[{number}]"),
            Self::Socket { number } => write!(out, "socket {}", number & u64::from(u32::MAX)),
        }
    }
}

impl fmt::Display for Diff {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (thing, change) in &self.changes {
            match change {
                Change::Made { state } => writeln!(out, "+ {thing}: {state}")?,
                Change::Gone { state } => writeln!(out, "- {thing}: {state}")?,
                Change::Changed { from, to } => writeln!(out, "~ {thing}: {from} -> {to}")?,
            }
        }
        Ok(())
    }
}
