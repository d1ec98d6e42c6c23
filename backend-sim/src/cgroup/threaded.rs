//! cgroup.type: what a group is, and making it threaded (cgroup-v2.rst, Threads).

use standin::Errno;

use super::rows::{Target, Write};
use super::{THREADED, domain, enable, tree, value};
use crate::kernel::Kernel;
use crate::step::Step;

/// Prints the type.
pub(super) fn show(kernel: &Kernel, target: Target, out: &mut Vec<u8>) -> Step<()> {
    let (table, group) = (&kernel.cgroups.table, target.group);
    let word: &[u8] = if domain::is_threaded(table, group) {
        b"threaded\n"
    } else if !domain::is_valid(table, group) {
        b"domain invalid\n"
    } else if domain::is_thread_root(table, group) {
        b"domain threaded\n"
    } else {
        b"domain\n"
    };
    out.extend_from_slice(word);
    Ok(())
}

/// Makes a group threaded; there is no way back. EOPNOTSUPP if it is in use as a domain, or its parent's domain cannot
/// have threaded groups.
pub(super) fn store(kernel: &mut Kernel, write: &Write<'_>) -> Step<()> {
    if value::strip(write.bytes) != b"threaded" {
        return Err(Errno::EINVAL.into());
    }
    let (cgroups, group) = (&mut kernel.cgroups, write.group);
    let record = cgroups.table.at(group);
    let Some(parent) = record.parent else { return Err(Errno::EINVAL.into()) };
    if domain::is_threaded(&cgroups.table, group) {
        return Ok(());
    }
    let joined = cgroups.table.at(parent).domain;
    let used = record.is_populated() || !record.subtree_control.difference(THREADED).is_empty();
    if used
        || !domain::is_valid(&cgroups.table, joined)
        || !domain::can_be_thread_root(&cgroups.table, joined)
    {
        return Err(Errno::EOPNOTSUPP.into());
    }
    let (enabled, present) = (cgroups.enabled(group), cgroups.present(group));
    let mut next = Some(group);
    while let Some(key) = next {
        if key == group || domain::is_threaded(&cgroups.table, key) {
            cgroups.table.at_mut(key).domain = joined;
        }
        next = tree::next_below(&cgroups.table, group, key);
    }
    cgroups.table.at_mut(parent).threaded_children += 1;
    enable::take_away(cgroups, group, enabled, present);
    Ok(())
}
