//! Whom a signal to a context is for.

use std::fmt;

use crate::id::Pid;

/// Whom in a context a signal is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// Every process.
    All,
    /// Every process but its first.
    AllButInit,
    /// Its first process.
    Init,
    /// The process with this number on the host, above 1.
    Process(Pid),
}

impl Target {
    /// As the kernel takes it. A number that would mean one of the others, or does not fit, is nobody's.
    pub(super) fn number(self) -> Option<i32> {
        match self {
            Self::All => Some(0),
            Self::AllButInit => Some(-1),
            Self::Init => Some(1),
            Self::Process(pid) => i32::try_from(pid.0).ok().filter(|number| *number > 1),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => out.write_str("all"),
            Self::AllButInit => out.write_str("all but the first"),
            Self::Init => out.write_str("the first"),
            Self::Process(pid) => write!(out, "process {pid}"),
        }
    }
}
