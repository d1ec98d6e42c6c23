//! PID namespaces: which numbers processes and threads have, and who is there for whom (pid_namespaces(7)).
//!
//! Who is in a nested namespace has a number in it and in each one above. The number in the machine's first namespace is in the
//! records of `task`, and everything in the kernel goes by it; the others, which few processes have, are kept beside it
//! ([`number`]) and translated where a call takes or tells one. The first process of a namespace is in [`init`]: what reaches it,
//! and whom its end takes along. The settings of a namespace are in [`setting`].
//!
//! A thread never changes its own namespace: what it makes or joins is where its later children are born, and stands in its set.

mod check;
mod init;
mod number;
pub(crate) mod setting;

use rustc_hash::FxHashMap;
use standin::backend::NamespaceKind;
use standin::{Errno, Signal};

use super::all::{Maker, Namespace};
use super::{Held, owner, user};
use crate::kernel::Kernel;
use crate::table::Key;
use crate::task::{ProcessKey, ThreadKey};

pub(super) use check::{check, owners};
pub(crate) use init::{end_others, end_status, is_init, is_unkillable, reaper, reboot, undone};
pub(crate) use number::{Inner, Taken, born, enter_new, give, give_up, release, take, told};

pub(crate) type PidNsKey = Key<Namespace<PidNs>>;

/// How deep namespaces may lie.
const DEEPEST: u32 = 32;

/// What a PID namespace is.
#[derive(Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct PidNs {
    /// None of the first.
    parent: Option<PidNsKey>,
    /// How many are above it.
    level: u32,
    /// The numbers in use, and what each is in the first namespace; of the first itself none.
    #[cfg_attr(feature = "serde", serde(with = "crate::written::map"))]
    numbers: FxHashMap<u32, u32>,
    /// The number given out last.
    last: u32,
    /// One more than the highest number; of the first, and before 6.14 of every one, that of the machine counts.
    end: u32,
    /// Its first process, also when that has ended.
    init: Option<ProcessKey>,
    /// Nobody is born in it any more.
    is_closed: bool,
    /// What its first process ends by, because somebody rebooted.
    reboot: Option<Signal>,
}

impl PidNs {
    /// The one that a machine boots with.
    pub(super) fn first() -> Self {
        Self {
            parent: None,
            level: 0,
            numbers: FxHashMap::default(),
            last: 0,
            end: setting::HIGHEST_END,
            init: None,
            is_closed: false,
            reboot: None,
        }
    }

    /// The namespace that it was made in.
    pub(super) const fn parent(&self) -> Option<PidNsKey> {
        self.parent
    }

    /// Whether it has had a process: before, a handle of it cannot be had.
    pub(super) const fn has_begun(&self) -> bool {
        self.init.is_some()
    }
}

impl Kernel {
    pub(super) fn pids(&self, key: PidNsKey) -> &PidNs {
        &self.namespaces.pid.at(key).content
    }

    fn pids_mut(&mut self, key: PidNsKey) -> &mut PidNs {
        &mut self.namespaces.pid.at_mut(key).content
    }
}

/// The namespace that a thread's later children are born in.
pub(crate) fn of_children(kernel: &Kernel, thread: ThreadKey) -> PidNsKey {
    super::of(kernel, thread).pid_for_children
}

/// Whether a thread's children are born where it is itself.
pub(crate) fn stays(kernel: &Kernel, thread: ThreadKey) -> bool {
    kernel.pid_ns(thread) == of_children(kernel, thread)
}

/// Whether the caller may make a namespace below its own.
///
/// # Errors
/// EINVAL: its children would be born elsewhere already, or the own namespace was made in a user namespace that the caller is not
/// in. ENOSPC: too deep.
pub(super) fn check_new(kernel: &Kernel, caller: ThreadKey) -> Result<(), Errno> {
    let above = kernel.pid_ns(caller);
    let within = kernel.credentials(caller).namespace;
    if !stays(kernel, caller) || !user::is_below(kernel, within, owner(kernel, Held::Pid(above))) {
        return Err(Errno::EINVAL);
    }
    if kernel.pids(above).level >= DEEPEST { Err(Errno::ENOSPC) } else { Ok(()) }
}

/// A new namespace, which nobody holds yet.
pub(super) fn make(kernel: &mut Kernel, maker: Maker, above: PidNsKey) -> PidNsKey {
    let level = kernel.pids(above).level + 1;
    let namespaces = &mut kernel.namespaces;
    namespaces.keep(Held::Pid(above));
    let content = PidNs { parent: Some(above), level, ..PidNs::first() };
    namespaces.make(maker, NamespaceKind::Pid, content, |all| (&mut all.pid, &mut all.numbers))
}

/// Whether a thread's children may be born in a namespace: its own, or one below.
pub(super) fn may_join(kernel: &Kernel, caller: ThreadKey, into: PidNsKey) -> Result<(), Errno> {
    let own = kernel.pid_ns(caller);
    let mut next = Some(into);
    while let Some(key) = next {
        if key == own {
            return Ok(());
        }
        next = kernel.pids(key).parent;
    }
    Err(Errno::EINVAL)
}
