//! Whether a thread may go on: asked by the door before each attempt of each call.

use crate::kernel::Kernel;
use crate::step::Wait;
use crate::task::{ThreadKey, exit, signal};

/// Which handlers have run in a thread since it last went on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) enum Caught {
    #[default]
    Nothing,
    /// Some, all set with `SA_RESTART`: most calls go on waiting.
    Resuming,
    /// One that interrupts what waits.
    Interrupting,
}

impl Caught {
    /// Whether a call that would go on with this wait ends with EINTR.
    pub(crate) const fn ends(self, wait: &Wait) -> bool {
        match self {
            Self::Nothing => false,
            Self::Resuming => wait.never_resumed && !wait.uninterruptible,
            Self::Interrupting => !wait.uninterruptible,
        }
    }
}

/// Whether a thread may go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Readiness {
    /// It may; which handlers have run since it was last asked.
    Ready { caught: Caught },
    /// Stopped or frozen.
    Held,
    /// There is no such thread any more.
    Dead,
}

impl Kernel {
    /// Whether a thread may go on; it takes what is pending for it.
    #[inline]
    pub(crate) fn readiness(&mut self, thread: ThreadKey) -> Readiness {
        match self.tasks.threads.get(thread) {
            Some(record) if !record.attention => Readiness::Ready { caught: Caught::Nothing },
            Some(_) | None => self.attend(thread),
        }
    }

    /// The same of a thread that something may concern, or that has ended.
    #[cold]
    fn attend(&mut self, thread: ThreadKey) -> Readiness {
        if !self.tasks.is_alive(thread) {
            return Readiness::Dead;
        }
        if exit::meet_doom(self, thread) && !self.tasks.is_alive(thread) {
            return Readiness::Dead;
        }
        if let Some(record) = self.tasks.threads.get_mut(thread) {
            record.answers = false;
        }
        signal::deliver(self, thread);
        let Some(record) = self.tasks.threads.get_mut(thread) else { return Readiness::Dead };
        if record.exited {
            return Readiness::Dead;
        }
        if record.stands_still() || self.tasks.processes.at(record.process).is_stopped() {
            return Readiness::Held;
        }
        record.attention = false;
        Readiness::Ready { caught: std::mem::take(&mut record.caught) }
    }

    /// Whether nothing stands between this thread and its next instruction, or only what came of the ends of others.
    #[inline]
    pub(crate) fn runs_on(&self, thread: ThreadKey) -> bool {
        let comes_later = || self.tasks.aftermath.contains(&thread);
        let Some(record) = self.tasks.threads.get(thread) else { return comes_later() };
        !record.attention || (record.answers && !record.exited) || comes_later()
    }
}
