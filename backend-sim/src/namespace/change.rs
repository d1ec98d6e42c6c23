//! Other namespaces for a thread: new ones (unshare(2), clone(2)) and those of others (setns(2)).

use standin::backend::{NamespaceKinds, RlimitResource};
use standin::{Capability, Errno, Failure};

use super::{Held, Set, cgroup, enter, of, uts};
use crate::kernel::Kernel;
use crate::step::Step;
use crate::task::{self, ProcessKey, ThreadKey};

/// Kinds that have more than their first namespace.
const MODELLED: NamespaceKinds = NamespaceKinds::UTS.union(NamespaceKinds::CGROUP);

/// What is to be new, after it was found that it may be: made by [`Renewal::make`], which cannot fail.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Renewal(NamespaceKinds);

impl Renewal {
    /// Whether the caller may have new namespaces of these kinds.
    ///
    /// # Errors
    /// EINVAL: no such kind. EPERM without `CAP_SYS_ADMIN`. ENOSPC: the user has too many.
    pub(crate) fn check(kernel: &Kernel, caller: ThreadKey, kinds: NamespaceKinds) -> Step<Self> {
        if kinds.is_empty() {
            return Ok(Self(kinds));
        }
        check_kinds(kinds)?;
        check_capable(kernel, caller)?;
        // A user's share is half of the threads that the machine can have, like the first limit of processes.
        let most = kernel.tasks.first_limits.get(RlimitResource::Processes).soft;
        let user = kernel.credentials(caller).user.effective;
        if kinds.contains(NamespaceKinds::UTS) {
            kernel.namespaces.uts.check_room(user, most)?;
        }
        if kinds.contains(NamespaceKinds::CGROUP) {
            kernel.namespaces.cgroup.check_room(user, most)?;
        }
        Ok(Self(kinds))
    }

    /// Makes them, for who would otherwise be in `set`: where it is now.
    pub(crate) fn make(self, kernel: &mut Kernel, caller: ThreadKey, set: Set) -> Set {
        let Self(kinds) = self;
        let mut set = set;
        if kinds.contains(NamespaceKinds::UTS) {
            set.uts = uts::copy(kernel, caller, set.uts);
        }
        if kinds.contains(NamespaceKinds::CGROUP) {
            set.cgroup = cgroup::copy(kernel, caller);
        }
        set
    }
}

/// unshare(2)
///
/// # Errors
/// As [`Renewal::check`].
pub(crate) fn unshare(kernel: &mut Kernel, caller: ThreadKey, kinds: NamespaceKinds) -> Step<()> {
    let renewal = Renewal::check(kernel, caller, kinds)?;
    let set = renewal.make(kernel, caller, of(kernel, caller));
    enter(kernel, caller, set);
    Ok(())
}

/// Where a thread would be that joins a process's namespaces of these kinds.
///
/// # Errors
/// EINVAL: no kind, or no such kind. ESRCH: the process has ended. EPERM: the caller may not look into it, or has no
/// `CAP_SYS_ADMIN`.
pub(crate) fn joined(
    kernel: &Kernel,
    caller: ThreadKey,
    process: ProcessKey,
    kinds: NamespaceKinds,
) -> Step<Set> {
    if kinds.is_empty() {
        return Err(Errno::EINVAL.into());
    }
    check_kinds(kinds)?;
    let leader = kernel.tasks.processes.get(process).ok_or(Errno::ESRCH)?.leader;
    if !task::may_look_into_for_real(kernel, caller, leader) {
        return Err(Errno::EPERM.into());
    }
    if kernel.tasks.threads.at(leader).exited {
        return Err(Errno::ESRCH.into());
    }
    check_capable(kernel, caller)?;
    let mut set = of(kernel, caller);
    if kinds.contains(NamespaceKinds::UTS) {
        set.uts = of(kernel, leader).uts;
    }
    if kinds.contains(NamespaceKinds::CGROUP) {
        set.cgroup = of(kernel, leader).cgroup;
    }
    Ok(set)
}

/// setns(2) by process handle.
///
/// # Errors
/// As [`joined`].
pub(crate) fn join(
    kernel: &mut Kernel,
    caller: ThreadKey,
    process: ProcessKey,
    kinds: NamespaceKinds,
) -> Step<()> {
    let set = joined(kernel, caller, process, kinds)?;
    enter(kernel, caller, set);
    Ok(())
}

/// setns(2) by namespace handle.
///
/// # Errors
/// EPERM without `CAP_SYS_ADMIN`.
pub(crate) fn join_held(kernel: &mut Kernel, caller: ThreadKey, held: Held) -> Step<()> {
    let mut set = of(kernel, caller);
    match held {
        Held::Uts(uts) => {
            check_capable(kernel, caller)?;
            set.uts = uts;
        }
        Held::Cgroup(cgroup) => {
            check_capable(kernel, caller)?;
            set.cgroup = cgroup;
        }
        Held::First(_) => return Err(Failure::NotModelled("setns of this kind").into()),
    }
    enter(kernel, caller, set);
    Ok(())
}

fn check_kinds(kinds: NamespaceKinds) -> Step<()> {
    if !NamespaceKinds::all().contains(kinds) {
        return Err(Errno::EINVAL.into());
    }
    if MODELLED.contains(kinds) {
        Ok(())
    } else {
        Err(Failure::NotModelled("other namespaces of this kind").into())
    }
}

fn check_capable(kernel: &Kernel, caller: ThreadKey) -> Result<(), Errno> {
    let able = kernel.credentials(caller).capable(Capability::SYS_ADMIN);
    if able { Ok(()) } else { Err(Errno::EPERM) }
}
