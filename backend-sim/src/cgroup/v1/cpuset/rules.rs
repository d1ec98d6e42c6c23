//! Which changes of a v1 cpuset are refused, and with which errno: the order of the questions is the kernel's.

use standin::{Controller, Errno};

use super::{CPU_EXCLUSIVE, Cpuset, LOAD_BALANCE, MEM_EXCLUSIVE, is_v2_mode, of};
use crate::cgroup::{CgroupKey, Cgroups, tree};
use crate::list::iterate;
use crate::profile::Release;

/// Whether a group may become this.
///
/// # Errors
/// EBUSY: a child has more; since 6.12 also if processors that it has to itself would all go. EACCES: the parent has less.
/// ENOSPC: processes here or below would lose their last processor or node. EINVAL: a sibling has some of it, and one of the
/// two has it to itself.
pub(super) fn validate(cgroups: &Cgroups, group: CgroupKey, new: &Cpuset) -> Result<(), Errno> {
    let record = cgroups.table.at(group);
    if !is_v2_mode(cgroups, group) {
        if children(cgroups, group).any(|child| !is_within(of(cgroups, child), new)) {
            return Err(Errno::EBUSY);
        }
        if record.parent.is_some_and(|parent| !is_within(new, of(cgroups, parent))) {
            return Err(Errno::EACCES);
        }
    }
    let Some(parent) = record.parent else { return Ok(()) };
    let old = of(cgroups, group);
    let loses_cpus = !old.cpus.is_empty() && new.cpus.is_empty();
    let loses_mems = old.mems && !new.mems;
    if (loses_cpus || loses_mems) && is_populated(cgroups, group) {
        return Err(Errno::ENOSPC);
    }
    // Time of exclusive processors is set aside for ordinary tasks, and has nowhere to go.
    let balances = old.has(CPU_EXCLUSIVE) && old.has(LOAD_BALANCE);
    if cgroups.release >= Release::V6_12 && balances && loses_cpus {
        return Err(Errno::EBUSY);
    }
    let conflicts = |sibling: &Cpuset| {
        let alone = |flag| new.has(flag) || sibling.has(flag);
        alone(CPU_EXCLUSIVE) && new.cpus.meets(sibling.cpus)
            || alone(MEM_EXCLUSIVE) && new.mems && sibling.mems
    };
    if children(cgroups, parent).any(|key| key != group && conflicts(of(cgroups, key))) {
        return Err(Errno::EINVAL);
    }
    Ok(())
}

pub(super) fn children(cgroups: &Cgroups, group: CgroupKey) -> impl Iterator<Item = CgroupKey> {
    let children = cgroups.table.at(group).children;
    iterate(&cgroups.table, children, |child| &child.siblings).map(|(key, _)| key)
}

/// Whether all of a group's processors and nodes are another's too, and what it has to itself.
fn is_within(inner: &Cpuset, outer: &Cpuset) -> bool {
    const EXCLUSIVE: u8 = CPU_EXCLUSIVE | MEM_EXCLUSIVE;
    inner.cpus.is_within(outer.cpus)
        && inner.mems <= outer.mems
        && inner.flags & !outer.flags & EXCLUSIVE == 0
}

/// What must hold of a group that was not removed, between two calls.
///
/// # Errors
/// A sentence.
pub(in crate::cgroup) fn check(cgroups: &Cgroups, group: CgroupKey) -> Result<(), String> {
    let record = cgroups.table.at(group);
    let Some(parent) = record.parent else { return Ok(()) };
    let is_here = record.hierarchy.is_v1() && cgroups.present(group).contains(Controller::Cpuset);
    if !is_here {
        return Ok(());
    }
    let (own, above) = (of(cgroups, group), of(cgroups, parent));
    if !is_v2_mode(cgroups, group) && (own.effective != own.cpus || !is_within(own, above)) {
        return Err("has what its parent has not, or may not use what it has".to_owned());
    }
    Ok(())
}

/// Whether a live thread is in a group or below it.
fn is_populated(cgroups: &Cgroups, group: CgroupKey) -> bool {
    tree::subtree(&cgroups.table, group).any(|(_, record)| record.population > 0)
}
