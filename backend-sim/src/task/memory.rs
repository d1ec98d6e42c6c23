//! Anonymous memory that processes ask for (mmap(2) with `MAP_ANONYMOUS`) and touch at once.
//!
//! What it is charged to, and what happens when there is no room, is in [`cgroup`]. A child shares what its parent has until
//! somebody writes to it, which nobody does.

use standin::backend::RlimitResource;
use standin::{Errno, Failure};

use super::{More, ProcessKey, ThreadKey};
use crate::cgroup;
use crate::cgroup::memory::Charging;
use crate::fs::content::PAGE;
use crate::kernel::Kernel;
use crate::step::Step;
use crate::wait::Channel;

/// What one page of a page table maps: 512 pages.
const TABLE_REACH: u64 = 512 * PAGE;

/// Gives the caller's process so much memory. EINVAL: none.
pub(crate) fn take(
    kernel: &mut Kernel,
    caller: ThreadKey,
    amount: u64,
    charging: &mut Charging,
) -> Step<()> {
    if amount == 0 {
        return Err(Errno::EINVAL.into());
    }
    let process = kernel.tasks.process_of(caller);
    for resource in [RlimitResource::AddressSpace, RlimitResource::Data] {
        if kernel.soft_limit(process, resource).is_some() {
            return Err(Failure::NotModelled("memory under a limit of addresses").into());
        }
    }
    let pages = amount.div_ceil(PAGE).saturating_add(amount.div_ceil(TABLE_REACH));
    cgroup::memory::charge(kernel, caller, pages.saturating_mul(PAGE), charging)
}

/// A child has what its parent has.
pub(super) fn inherit(kernel: &mut Kernel, more: &More) {
    for charge in &more.memory {
        cgroup::memory::share(&mut kernel.cgroups, *charge);
    }
}

/// All of it goes: it is unmapped, or its process is dead or another program.
pub(crate) fn forget(kernel: &mut Kernel, process: ProcessKey) {
    let Some(more) = &mut kernel.tasks.processes.at_mut(process).more else { return };
    for charge in std::mem::take(&mut more.memory) {
        cgroup::memory::drop_user(&mut kernel.cgroups, charge);
    }
    cgroup::v1::memory_watch::look(kernel);
    kernel.waits.wake(Channel::Memory);
}
