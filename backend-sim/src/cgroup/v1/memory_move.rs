//! memory.move_charge_at_immigrate: whether the memory of a process comes along when it is moved into a group
//! (cgroup-v1/memory.rst, 8. Move charges at task migration). Later kernels take 0 alone.

use standin::{Controller, Errno, Failure};

use super::{memory_oom, memory_watch};
use crate::cgroup::memory::{self, ChargeKey, UNCHARGED};
use crate::cgroup::memory_limit::room;
use crate::cgroup::rows::Write;
use crate::cgroup::setting::MOVED_CHARGES;
use crate::cgroup::{CgroupKey, memory_reclaim, setting};
use crate::kernel::Kernel;
use crate::profile::Release;
use crate::step::Step;
use crate::task::ThreadKey;
use crate::wait::Channel;

/// The bit for anonymous memory, which is all that is charged.
const ANONYMOUS: u64 = 1;

/// Writes memory.move_charge_at_immigrate. EINVAL: bits that there are not; since 6.13 there are none.
pub(in crate::cgroup) fn store(kernel: &mut Kernel, write: &Write<'_>) -> Step<()> {
    let bits = setting::parse(write.bytes, &MOVED_CHARGES)?;
    if bits != 0 && kernel.profile.release >= Release::V6_18 {
        return Err(Errno::EINVAL.into());
    }
    setting::store(kernel, write, &MOVED_CHARGES)
}

/// A leader that moves, the charges that come along, and to which group.
pub(super) struct Moving {
    leader: ThreadKey,
    charges: Vec<ChargeKey>,
    to: Option<CgroupKey>,
}

/// What comes along with these threads to a group: what their leader's process was charged in the group that is left. Both
/// groups are charged for a moment.
///
/// # Errors
/// ENOMEM: no room.
pub(super) fn may_move(
    kernel: &mut Kernel,
    threads: &[ThreadKey],
    to: CgroupKey,
) -> Step<Option<Moving>> {
    let cgroups = &kernel.cgroups;
    if !cgroups.enabled(to).contains(Controller::Memory) {
        return Ok(None);
    }
    let moves = setting::named(cgroups.table.at(to), b"memory.move_charge_at_immigrate");
    let process_of = |thread: &ThreadKey| kernel.tasks.process_of(*thread);
    let leads =
        |thread: &&ThreadKey| kernel.tasks.processes.at(process_of(thread)).leader == **thread;
    let Some(leader) = threads.iter().find(leads).copied() else { return Ok(None) };
    let process = process_of(&leader);
    let left = memory::nearest(cgroups, memory::group_of(kernel, process));
    let to = memory::nearest(cgroups, to);
    if moves & ANONYMOUS == 0 {
        if room(cgroups, to).is_some_and(|room| room.bytes < UNCHARGED) {
            let why = "a process that moves to where there is no room for it";
            return Err(Failure::NotModelled(why).into());
        }
        return Ok(Some(Moving { leader, charges: Vec::new(), to }));
    }
    let more = kernel.tasks.processes.at(process).more.as_ref();
    let charges = more.iter().flat_map(|more| more.memory.iter().copied());
    let charges: Vec<_> =
        charges.filter(|charge| memory::charged_to(cgroups, *charge) == left).collect();
    let bytes: u64 = charges.iter().map(|charge| memory::bytes(cgroups, *charge)).sum();
    if let Some(room) = room(cgroups, to) {
        if bytes > room.bytes {
            memory_reclaim::vet(cgroups, room.group)?;
            memory::fails(&mut kernel.cgroups, to, room);
            return Err(Errno::ENOMEM.into());
        }
        if room.bytes - bytes < UNCHARGED {
            let why = "memory that moves to where what is not counted may have no room";
            return Err(Failure::NotModelled(why).into());
        }
    }
    Ok(Some(Moving { leader, charges, to }))
}

/// The threads were moved: their memory follows.
pub(super) fn apply(kernel: &mut Kernel, moving: Option<Moving>) {
    let Some(Moving { leader, charges, to }) = moving else { return };
    kernel.cgroups.arrivals.came(leader, kernel.tasks.last_serial);
    for charge in charges {
        if let Some(left) = memory::move_charge(&mut kernel.cgroups, charge, to) {
            memory_oom::recover(&mut kernel.cgroups, left);
        }
    }
    memory_watch::look(kernel);
    kernel.waits.wake(Channel::Memory);
}
