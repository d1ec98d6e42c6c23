//! Children of this process that are agents, or guard one: nobody's business but their client's.

use std::collections::BTreeSet;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use parking_lot::Mutex;
use standin::Errno;
use standin::backend::{WaitOptions, WaitStatus};
use standin::failure::Result;
use standin::handle::{Owner, PidHandle};
use standin::id::Pid;
use standin::signal::Signal;

use crate::handle::{Closing, give};
use crate::processes::wait::{Whom, wait, wait_for};
use crate::processes::{identity, signals};

/// Who they are, and not waited for yet.
static OURS: Mutex<BTreeSet<Pid>> = Mutex::new(BTreeSet::new());

/// A child that ends with its client.
pub(super) struct Child {
    handle: PidHandle,
    pid: Pid,
}

impl Child {
    /// Holds a child of this process that nobody has waited for.
    pub(super) fn new(pid: Pid) -> Result<Self> {
        Ok(Self::held(pid, identity::open_pid(pid)?))
    }

    /// The same, by a descriptor of it.
    pub(super) fn held(pid: Pid, pidfd: OwnedFd) -> Self {
        OURS.lock().insert(pid);
        let owner: Arc<dyn Owner> = Arc::new(Closing);
        Self { handle: give(&owner, pidfd), pid }
    }

    pub(super) const fn handle(&self) -> &PidHandle {
        &self.handle
    }

    pub(super) const fn pid(&self) -> Pid {
        self.pid
    }

    /// Ends it and waits for that. Somebody else may have done either.
    pub(super) fn end(&self) {
        let _ = signals::signal(&self.handle, Some(Signal::KILL));
        // By handle: its number may be another child's by now.
        while wait(&self.handle, WaitOptions::default()).is_err_and(|f| f.is(Errno::EINTR)) {}
        OURS.lock().remove(&self.pid);
    }
}

/// waitid(2) for whichever child is first, those here apart.
pub(crate) fn wait_any(options: WaitOptions) -> Result<Option<(Pid, WaitStatus)>> {
    loop {
        if OURS.lock().is_empty() {
            return wait_for(&Whom::Any, options);
        }
        let look = WaitOptions { keep: true, ..options };
        let Some((pid, status)) = wait_for(&Whom::Any, look)? else { return Ok(None) };
        let is_ours = OURS.lock().contains(&pid);
        if is_ours {
            wait_for(&Whom::Number(pid.0), WaitOptions { nonblocking: true, ..options })?;
            continue;
        }
        if options.keep {
            return Ok(Some((pid, status)));
        }
        return wait_for(&Whom::Number(pid.0), options);
    }
}
