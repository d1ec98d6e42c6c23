//! Who comes into a v1 cpuset, and which processors its threads may use.

use standin::{Controller, Errno};

use super::{is_v2_mode, of};
use crate::cgroup::{CgroupKey, Cgroups, cpuset};
use crate::kernel::Kernel;
use crate::task::ThreadKey;

/// Whether somebody may bring threads into a group.
///
/// # Errors
/// ENOSPC: no processors or no memory there. EPERM: a thread has capabilities that the caller has not, nor `CAP_SYS_NICE`.
pub(in crate::cgroup::v1) fn may_attach(
    kernel: &Kernel,
    caller: ThreadKey,
    threads: &[ThreadKey],
    to: CgroupKey,
) -> Result<(), Errno> {
    let cgroups = &kernel.cgroups;
    let set = of(cgroups, to);
    if set.effective.is_empty() || !set.mems && !is_v2_mode(cgroups, to) {
        return Err(Errno::ENOSPC);
    }
    cpuset::may_set(kernel, caller, threads)
}

/// Threads have come into a group, and may use what it has.
pub(in crate::cgroup::v1) fn attach(cgroups: &mut Cgroups, threads: &[ThreadKey], to: CgroupKey) {
    let cpus = of(cgroups, to).effective;
    for thread in threads {
        cpuset::set(cgroups, *thread, cpus);
    }
}

/// Lets the threads of a group use what it has now.
pub(super) fn narrow(kernel: &mut Kernel, group: CgroupKey) {
    let cgroups = &mut kernel.cgroups;
    let threads: Vec<ThreadKey> = kernel
        .tasks
        .threads
        .iter()
        .filter(|(_, thread)| {
            !thread.exited && cgroups.group_of(thread, Controller::Cpuset) == group
        })
        .map(|(key, _)| key)
        .collect();
    attach(cgroups, &threads, group);
}
