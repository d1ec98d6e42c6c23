//! From a request to the process that it is about: the server's answer, or what the helper is to be asked.

use super::wire::{Lookup, Name, Request, Status};
use crate::backend::{Backend, ProcessState};
use crate::engine::{ContainerName, FindError, Index};
use crate::errno::Errno;
use crate::failure::{Failure, Result};
use crate::handle::PidHandle;
use crate::id::Pid;

/// What a peer is told.
pub(super) type Answer = Result<(i32, Name), Status>;

/// What became of a request.
pub(super) enum Found {
    Answer(Answer),
    /// The helper is to be asked.
    Process(Held),
}

/// A process whose number means it for as long as this is held and it was not reaped.
pub(super) struct Held {
    pub(super) pid: Pid,
    pub(super) process: PidHandle,
}

impl Held {
    /// Whether it runs, or at least is there to be looked at.
    pub(super) fn is_alive(&self, kernel: &dyn Backend) -> Result<bool> {
        match kernel.inspect(&self.process) {
            Ok(info) => Ok(info.state != ProcessState::Zombie),
            Err(failure) if failure.is(Errno::ESRCH) => Ok(false),
            Err(failure) => Err(failure),
        }
    }

    /// Its number, as it travels.
    pub(super) fn number(&self) -> i32 {
        i32::try_from(self.pid.0).unwrap_or(i32::MAX)
    }
}

/// From a request to its answer, or to the process whose host name is wanted.
pub(super) fn look_up(kernel: &dyn Backend, index: &mut Index, request: &Request) -> Result<Found> {
    let refused = |status| Ok(Found::Answer(Err(status)));
    let pid = if request.name == Name::default() {
        u32::try_from(request.pid).ok().map(Pid)
    } else {
        let Ok(name) = ContainerName::new(request.name.as_bytes()) else {
            return refused(Status::of(Errno::EINVAL));
        };
        match index.find(kernel, &name) {
            Ok(container) => container.pid,
            Err(FindError::NotFound { .. }) => return refused(Status::NO_CONTAINER),
            Err(FindError::Ambiguous { .. }) => return refused(Status::AMBIGUOUS),
            Err(FindError::Damaged { .. }) => return refused(Status::of(Errno::EBADMSG)),
            Err(FindError::Failed { failure, .. }) => return Err(failure),
        }
    };
    let Some(held) = pid.map(|pid| hold(kernel, pid)).transpose()?.flatten() else {
        return refused(Status::NOT_RUNNING);
    };
    Ok(match request.lookup {
        Lookup::Hostname => Found::Process(held),
        Lookup::ProcessId => Found::Answer(Ok((held.number(), Name::default()))),
    })
}

/// Holds a process, if it is alive.
fn hold(kernel: &dyn Backend, pid: Pid) -> Result<Option<Held>> {
    let process = match kernel.open_pid(pid) {
        Ok(process) => process,
        // Nobody's number, a thread's, or none at all.
        Err(Failure::Errno(Errno::ESRCH | Errno::EINVAL | Errno::ENOENT)) => return Ok(None),
        Err(failure) => return Err(failure),
    };
    let held = Held { pid, process };
    Ok(if held.is_alive(kernel)? { Some(held) } else { None })
}
