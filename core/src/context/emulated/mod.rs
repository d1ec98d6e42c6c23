//! Contexts on a mainline kernel: each is a cgroup2 directory, and what is known of it an extended attribute of that.
//!
//! Context N is the group `xid-N` below a directory that is used for nothing else. Members are the processes in it and
//! below; fork keeps them inside. Making the directory is what makes the id taken, removing it is the context's death,
//! and its record goes with it: there is no journal, and a reboot leaves nothing. A lock (flock(2)) of the directory is
//! held around every change; it goes with whoever held it.
//!
//! [`Contexts`](super::Contexts) uses this where the kernel has no commands of its own. What differs from them:
//!
//! | what | emulated |
//! |---|---|
//! | who is moved | the caller's whole process |
//! | rights | to write the directory and `CAP_SYS_ADMIN`; `CAP_SYS_RESOURCE` is not asked for |
//! | capabilities of members | taken from the process when it enters, and so for good |
//! | death | when somebody looks: [`wait`](super::Contexts::wait), or the next command on that id |
//! | the exit in [`End`](super::End) | of the last child of the waiter's; another's is not told |
//! | reapers (`SET_REAPER`) | get orphans among their own descendants alone |
//! | isolation | none: members and others see and signal each other as processes do |
//! | spectators, and flags with an effect | `Unsupported` |

mod create;
mod group;
mod kill;
mod member;
mod migrate;
mod record;
mod wait;

use crate::backend::{Access, Backend};
use crate::capability::Capability;
use crate::context::error::Cause;
use crate::context::{ContextId, Membership, Refusal};
use crate::errno::Errno;
use crate::failure::Failure;
use crate::handle::Dir;
use crate::id::Pid;
use crate::path::{KPath, KPathBuf, Place};

type Result<T> = std::result::Result<T, Cause>;

/// Says what a failed call was for.
fn to<T>(doing: &'static str, answer: crate::failure::Result<T>) -> Result<T> {
    answer.map_err(|failure| {
        if failure.is(Errno::EINTR) {
            Refusal::Interrupted.into()
        } else {
            Cause::Failed(doing, failure)
        }
    })
}

/// Turns one errno into nothing.
fn unless<T>(errno: Errno, answer: crate::failure::Result<T>) -> crate::failure::Result<Option<T>> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(failure) if failure.is(errno) => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// The commands of one process.
pub(super) struct Emulated<'a> {
    kernel: &'a dyn Backend,
    groups: &'a KPath,
}

impl<'a> Emulated<'a> {
    pub(super) const fn new(kernel: &'a dyn Backend, groups: &'a KPath) -> Self {
        Self { kernel, groups }
    }

    /// Opens the directory, for who may use it.
    fn enter(&self) -> Result<Dir> {
        let root = to("open the contexts' directory", self.kernel.open_dir(self.groups.into()))?;
        let write = self.kernel.access(Place::of(root.descriptor()), Access::WRITE);
        match write {
            Ok(()) => {}
            Err(failure) if failure.is(Errno::EACCES) => return Err(Refusal::NotPermitted.into()),
            Err(failure) => return Err(Cause::Failed("ask for the contexts' directory", failure)),
        }
        let own = to("ask for the own capabilities", self.kernel.capabilities())?;
        if own.effective.contains(Capability::SYS_ADMIN) {
            Ok(root)
        } else {
            Err(Refusal::NotPermitted.into())
        }
    }

    /// As [`enter`](Self::enter), for commands that are the host's alone.
    fn enter_as_host(&self) -> Result<Dir> {
        let root = self.enter()?;
        match self.own_membership(&root)? {
            Membership::Host | Membership::Spectator => Ok(root),
            Membership::Context(_) => Err(Refusal::NotPermitted.into()),
        }
    }

    fn own_membership(&self, root: &Dir) -> Result<Membership> {
        let own = to("ask for the own number", self.kernel.pid())?;
        member::of(self.kernel, root, own)
    }

    /// Which context a process is in.
    pub(super) fn membership(&self, task: Option<Pid>) -> Result<Membership> {
        let root = self.enter()?;
        let own = self.own_membership(&root)?;
        match task.filter(|pid| *pid != Pid::ZERO) {
            None => Ok(own),
            Some(_) if own != Membership::Host => Err(Refusal::NotPermitted.into()),
            Some(pid) => member::of(self.kernel, &root, pid),
        }
    }
}

/// The name of a context's group.
fn name_of(id: ContextId) -> Result<KPathBuf> {
    let name = KPathBuf::new(format!("xid-{id}"));
    name.map_err(|_| Cause::Failed("name its group", Failure::Errno(Errno::EINVAL)))
}
