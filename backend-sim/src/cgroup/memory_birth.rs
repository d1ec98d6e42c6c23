//! Births where memory is limited: a new process asks for its first pages at once, and there must be room for them.

use standin::Failure;

use super::memory::{UNCHARGED, group_of, nearest, refuse};
use super::memory_limit::{limit, room};
use super::{CgroupKey, memory_high, memory_reclaim, oom, tree};
use crate::kernel::Kernel;
use crate::task::ThreadKey;

/// Whether the machine knows what becomes of a child of the caller whose memory is charged to a group: not where what is not
/// charged would reach a limit, unless nothing at all may be used there.
pub(super) fn vet(kernel: &Kernel, caller: ThreadKey, group: CgroupKey) -> Result<(), Failure> {
    let cgroups = &kernel.cgroups;
    if !cgroups.memory_limited {
        return Ok(());
    }
    let from = nearest(cgroups, group);
    let unknown = Err(Failure::NotModelled("a process born where there is no room for it"));
    if memory_high::passed(cgroups, from, UNCHARGED).next().is_some() {
        return unknown;
    }
    let Some(room) = room(cgroups, from).filter(|room| room.bytes < UNCHARGED) else {
        return Ok(());
    };
    let process = kernel.tasks.process_of(caller);
    let outside = !tree::is_within(&cgroups.table, group_of(kernel, process), room.group);
    let mortal = oom::adjustment(kernel, process).is_some();
    let record = cgroups.table.at(room.group);
    if room.bytes == 0 && limit(record) == 0 && outside && mortal && !record.waits_for_memory() {
        memory_reclaim::vet(cgroups, room.group)
    } else {
        unknown
    }
}

/// A child that was just born asks for its first page. Where nothing may be used, it ends.
pub(super) fn first_page(kernel: &mut Kernel, child: ThreadKey) {
    if !kernel.cgroups.memory_limited {
        return;
    }
    let process = kernel.tasks.process_of(child);
    let from = nearest(&kernel.cgroups, group_of(kernel, process));
    while let Some(room) = room(&kernel.cgroups, from).filter(|room| room.bytes == 0)
        && kernel.tasks.is_alive(child)
        && refuse(kernel, room)
    {}
}
