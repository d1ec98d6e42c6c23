//! How a handler ends: with an answer, a failure, or a wait after which it is asked again.

use standin::id::Moment;
use standin::{Errno, Failure};

use crate::wait::Channel;

/// What a handler returns. A handler that must wait changes nothing that its next run would do twice.
pub(crate) type Step<T> = Result<T, Stop>;

/// Why a handler has no answer.
#[derive(Debug, PartialEq)]
pub(crate) enum Stop {
    /// The call fails.
    Failure(Failure),
    /// The call waits; the handler runs again when one of these happens.
    Wait(Wait),
}

/// What a call waits for.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Wait {
    /// Any of these channels is woken.
    pub(crate) on: Vec<Channel>,
    /// Or this moment has come.
    pub(crate) until: Option<Moment>,
    /// A caught signal does not end it (the transcript's `sleep`, the runner's own waiting, `SA_RESTART`).
    pub(crate) uninterruptible: bool,
    /// A caught signal ends it even if its handler was set with `SA_RESTART` (poll(2); signal(7), Interruption of system
    /// calls).
    pub(crate) never_resumed: bool,
}

impl Wait {
    pub(crate) fn on(channel: Channel) -> Self {
        Self { on: vec![channel], ..Self::default() }
    }
}

impl From<Errno> for Stop {
    fn from(errno: Errno) -> Self {
        Self::Failure(Failure::Errno(errno))
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl From<Wait> for Stop {
    fn from(wait: Wait) -> Self {
        Self::Wait(wait)
    }
}
