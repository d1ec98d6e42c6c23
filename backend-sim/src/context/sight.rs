//! Who sees whom: tasks of other contexts, and of the host, are not there, except to a spectator.

use standin::backend::ContextFlags;
use standin::{Errno, Failure};

use super::{HOST, Label, SPECTATOR};
use crate::kernel::Kernel;
use crate::task::{ProcessKey, Thread, ThreadKey};

impl Kernel {
    /// Whether a process of this thread's number is there for `caller`, in its context and its PID namespace.
    pub(crate) fn sees(&self, caller: ThreadKey, thread: ThreadKey) -> bool {
        self.shares_context(caller, thread)
            && self.number_for(caller, self.tasks.threads.at(thread).number) != 0
    }

    /// Whether a thread is in the context of `caller`, or `caller` sees all contexts.
    pub(crate) fn shares_context(&self, caller: ThreadKey, thread: ThreadKey) -> bool {
        if !self.profile.contexts {
            return true;
        }
        let own = self.tasks.threads.at(caller).label;
        own == SPECTATOR || own == self.tasks.threads.at(thread).label
    }

    /// The same of a process; one that was reaped is not asked after here.
    pub(crate) fn shares_context_with(&self, caller: ThreadKey, process: ProcessKey) -> bool {
        if !self.profile.contexts {
            return true;
        }
        let record = self.tasks.processes.get(process);
        record.is_none_or(|process| self.shares_context(caller, process.leader))
    }

    /// The thread that a number means to `caller`.
    pub(crate) fn find(&self, caller: ThreadKey, number: u32) -> Option<ThreadKey> {
        self.named_thread(caller, number).filter(|thread| self.shares_context(caller, *thread))
    }

    /// The same, whatever context it is in.
    pub(crate) fn named_thread(&self, caller: ThreadKey, number: u32) -> Option<ThreadKey> {
        self.tasks.by_number(self.number_meant(caller, number)?)
    }

    /// What the patch adds to a file, or how it filters it, is not known.
    pub(crate) fn only_without_contexts(&self, what: &'static str) -> Result<(), Failure> {
        if self.profile.contexts { Err(Failure::NotModelled(what)) } else { Ok(()) }
    }
}

/// Whether a signal of a process does nothing to this one unless it is handled: it is its context's first. What the kernel
/// sends reaches it.
pub(crate) fn is_protected(kernel: &Kernel, process: ProcessKey) -> bool {
    if !kernel.profile.contexts {
        return false;
    }
    let leader = kernel.tasks.processes.at(process).leader;
    let label = kernel.tasks.threads.at(leader).label;
    label != HOST && kernel.contexts.get(label).is_some_and(|context| context.init == Some(process))
}

/// Why nobody traces a task of another context: EPERM; EACCES if the host may not administer that one any more.
pub(crate) fn untraceable(kernel: &Kernel, label: Label) -> Errno {
    let context = kernel.contexts.get(label);
    if context.is_some_and(|context| !context.has(ContextFlags::STATE_ADMIN)) {
        Errno::EACCES
    } else {
        Errno::EPERM
    }
}

/// Who finds a task of a context in the lists of a cgroup is not known.
pub(crate) fn is_listed(thread: &Thread) -> Result<(), Failure> {
    if thread.label == HOST {
        Ok(())
    } else {
        Err(Failure::NotModelled("a cgroup's list of tasks that are in contexts"))
    }
}

/// A context that is not under construction masks `CAP_SETPCAP`, and what its members may do then is not modelled.
pub(crate) fn is_unmasked(kernel: &Kernel, thread: ThreadKey) -> Result<(), Failure> {
    let context = kernel.contexts.get(kernel.tasks.threads.at(thread).label);
    if context.is_none_or(|context| context.has(ContextFlags::STATE_SETUP)) {
        Ok(())
    } else {
        Err(Failure::NotModelled("a privilege that the context masks"))
    }
}
