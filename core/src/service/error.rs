//! Why a client has no answer, or a server can't serve.

use super::wire::{Lookup, Status, Violation};
use crate::engine::ContainerName;
use crate::failure::Failure;
use crate::path::KPathBuf;

/// Why a client has no answer, or a server can't serve.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The kernel did not do it.
    #[error("{operation} {path}: {failure}")]
    Failed {
        /// What was tried.
        operation: &'static str,
        /// The socket's path.
        path: KPathBuf,
        /// Why not.
        failure: Failure,
    },
    /// Another server has the path.
    #[error("bind {path}: a server listens there; end it, or choose another path")]
    InUse {
        /// The socket's path.
        path: KPathBuf,
    },
    /// The deadline came first.
    #[error("{operation}: no answer in time")]
    TimedOut {
        /// What was tried.
        operation: &'static str,
    },
    /// The server closed the connection, or ended.
    #[error("the server closed the connection")]
    Closed,
    /// An earlier call on this connection got no answer, so the next answer would be that call's.
    #[error("an earlier call on this connection got no answer: connect again")]
    Lost,
    /// The server does not keep to the protocol.
    #[error("the server broke the protocol: {0}")]
    Violation(#[from] Violation),
    /// The server does not serve this client.
    #[error("the server refuses this client: {0}")]
    NotServed(Status),
    /// The server does not look this up.
    #[error("the server looks up no {0}")]
    Unsupported(Lookup),
    /// No container is called this.
    #[error("no container is called {0}")]
    NoContainer(ContainerName),
    /// The container has no processes.
    #[error("{0} is not running")]
    NotRunning(ContainerName),
    /// Several containers may be meant.
    #[error("{0} may be one of several containers: say more of the id")]
    Ambiguous(ContainerName),
    /// The server could not look it up.
    #[error("{lookup} of {name}: {status}")]
    Refused {
        /// What was asked.
        lookup: Lookup,
        /// Of which container.
        name: ContainerName,
        /// What the server said.
        status: Status,
    },
}

impl Error {
    /// What the kernel answered, if it was asked and did not do it.
    #[must_use]
    pub const fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Failed { failure, .. } => Some(failure),
            Self::InUse { .. }
            | Self::TimedOut { .. }
            | Self::Closed
            | Self::Lost
            | Self::Violation(_)
            | Self::NotServed(_)
            | Self::Unsupported(_)
            | Self::NoContainer(_)
            | Self::NotRunning(_)
            | Self::Ambiguous(_)
            | Self::Refused { .. } => None,
        }
    }
}
