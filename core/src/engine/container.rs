//! What an engine says of one container.

use std::fmt;

use super::Engine;
use crate::id::Pid;

/// A container, as its engine recorded it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Container {
    /// Whose it is.
    pub engine: Engine,
    /// The engine's own name for it, which no other container of the engine ever has.
    pub id: String,
    /// What people call it, without the slash that Docker writes before it.
    pub names: Vec<String>,
    /// What it is doing.
    pub state: ContainerState,
    /// Its first process, as the engine's pid namespace sees it; `None` while it has none.
    pub pid: Option<Pid>,
}

/// What a container is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ContainerState {
    /// Its processes run.
    Running,
    /// Its processes are frozen.
    Paused,
    /// It ended, and its engine is about to start it again.
    Restarting,
    /// It was not started yet, or it ended.
    Stopped,
}

impl ContainerState {
    /// Whether a container in this state has processes.
    #[must_use]
    pub const fn has_processes(self) -> bool {
        match self {
            Self::Running | Self::Paused => true,
            Self::Restarting | Self::Stopped => false,
        }
    }
}

impl fmt::Display for Container {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}", self.engine, self.id)
    }
}
