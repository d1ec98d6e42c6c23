//! What a kernel keeps for a group with the memory controller: some pages, charged to the group above (recorded: no document
//! tells of it). So no group is made below one that may use nothing.

use standin::{Controller, Errno, Failure};

use super::memory_limit::{limit, room};
use super::setting::PAGE;
use super::v1::memory_oom;
use super::{CgroupKey, memory, tree};
use crate::kernel::Kernel;
use crate::step::Step;

/// With so much room for each group below, and for the new one, nothing that a kernel keeps is refused; with less it is, or
/// not.
const ENOUGH: u64 = 4 * PAGE;

/// Whether the controller may begin in a group more below `parent`.
///
/// # Errors
/// ENOMEM: no room for what the kernel keeps for it.
pub(super) fn may_begin(kernel: &mut Kernel, parent: CgroupKey) -> Step<()> {
    let cgroups = &kernel.cgroups;
    if !cgroups.memory_limited {
        return Ok(());
    }
    let kept = |top: CgroupKey| {
        let below = tree::subtree(&cgroups.table, top).skip(1);
        below.filter(|(key, _)| cgroups.present(*key).contains(Controller::Memory)).count()
    };
    let full = memory::upwards(cgroups, memory::nearest(cgroups, parent)).find(|(key, record)| {
        let room = limit(record).saturating_sub(record.usage());
        // Those are among its descendants, which are counted already.
        let has_enough = |groups: u64| room / ENOUGH > groups;
        !has_enough(record.descendants.into()) && !has_enough(kept(*key) as u64)
    });
    let Some((full, record)) = full else { return Ok(()) };
    // Where somebody waits, there is nothing.
    let is_known = memory_oom::is_under(cgroups, full)
        || limit(record) <= PAGE && kept(full) == 0 && !memory::is_inhabited(cgroups, full);
    if !is_known {
        return Err(Failure::NotModelled("a group below one with hardly any memory").into());
    }
    if let Some(room) = room(cgroups, Some(full)) {
        memory::refuse(kernel, room);
    }
    Err(Errno::ENOMEM.into())
}
