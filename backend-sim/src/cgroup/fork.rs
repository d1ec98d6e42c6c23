//! Births: which group a new process or thread is in, and whether it may be (clone3(2), `CLONE_INTO_CGROUP`).

use standin::{Controller, Errno};

use super::migrate::Whole;
use super::{CgroupKey, HierarchyId, cpuset, freeze, members, memory_birth, pids, procs};
use crate::kernel::Kernel;
use crate::namespace;
use crate::step::Step;
use crate::task::{ThreadKey, signal};

/// A place in a group that is charged for a thread to come, who takes it up with [`born`].
#[must_use = "a claim stays charged until it is taken up"]
#[derive(Debug)]
pub(crate) struct ForkClaim {
    group: CgroupKey,
    /// Who forks.
    maker: ThreadKey,
    /// How often the forker's own group was killed.
    kills: u32,
}

/// Claims a place for a child of the caller: in the caller's group, or `into` another one, for which the caller needs
/// what it needs to move a process there.
///
/// # Errors
/// ENOENT: the group was removed. EACCES, ENOENT, EBUSY, EOPNOTSUPP: as for a move. EAGAIN: a limit of processes. ENOSPC: no
/// processors there. `NotModelled`: no room for memory.
pub(crate) fn can_fork(
    kernel: &mut Kernel,
    caller: ThreadKey,
    into: Option<CgroupKey>,
    thread: bool,
) -> Step<ForkClaim> {
    let own = kernel.tasks.threads.at(caller).cgroup;
    let group = into.unwrap_or(own);
    if into.is_some() {
        let cgroups = &kernel.cgroups;
        if cgroups.table.get(group).is_none_or(|group| group.removed) {
            return Err(Errno::ENOENT.into());
        }
        let rights = kernel.rights(caller);
        procs::may_write(cgroups, rights, group)?;
        let whole = if thread { Whole::Thread } else { Whole::Process };
        let border = (!namespace::cgroup::is_first(kernel, caller))
            .then(|| namespace::cgroup::root(kernel, caller, HierarchyId::V2));
        procs::may_attach(cgroups, rights, (own, group), border, whole)?;
        if cpuset::in_use(cgroups) {
            cpuset::may_be_born(cgroups, own, group)?;
        }
    }
    let record = kernel.tasks.threads.at(caller);
    let cgroups = &kernel.cgroups;
    // In v1 the child is where the caller is.
    let place = |controller| match cgroups.home(controller) {
        HierarchyId::V2 => group,
        v1 => cgroups.place(record, v1),
    };
    let charged = place(Controller::Pids);
    memory_birth::vet(kernel, caller, place(Controller::Memory))?;
    pids::try_charge(kernel, charged)?;
    Ok(ForkClaim { group, maker: caller, kills: kernel.cgroups.table.at(own).kills })
}

/// The child exists: it becomes a member, and stands still before its first step if its group is freezing.
///
/// A child that is born into another group dies if that one and the forker's were not killed equally often. The kernel
/// means to catch a kill that comes during the fork, and all recorded kernels take the number from the wrong group.
#[expect(clippy::needless_pass_by_value, reason = "a claim is taken up once")]
pub(crate) fn born(kernel: &mut Kernel, claim: ForkClaim, child: ThreadKey) {
    let ForkClaim { group, maker, kills } = claim;
    members::join(kernel, child, group);
    if cpuset::narrows(&kernel.cgroups) {
        cpuset::born(kernel, maker, child);
    }
    let record = kernel.cgroups.table.at(group);
    let killed = record.kills != kills;
    if record.freezer.is_effective() {
        freeze::stand_still(kernel, child);
    }
    if killed {
        let process = kernel.tasks.process_of(child);
        let force = signal::force(kernel, maker, process);
        signal::kill(kernel, process, force);
    }
    memory_birth::first_page(kernel, child);
}

/// The first thread of a machine, which nobody forked, becomes a member of the group that it names.
pub(crate) fn booted(kernel: &mut Kernel, thread: ThreadKey) {
    let group = kernel.tasks.threads.at(thread).cgroup;
    members::join(kernel, thread, group);
}
