//! Resource domains and threaded subtrees: what a group may be used for (cgroup-v2.rst, Threads).
//!
//! A threaded group belongs to the domain of its nearest ancestor that is not threaded. The root may have domains and
//! threaded groups below it at once; every other group has either.

use super::{Cgroup, CgroupKey, THREADED};
use crate::table::Table;

/// Whether it shares the domain of its parent.
pub(super) fn is_threaded(table: &Table<Cgroup>, group: CgroupKey) -> bool {
    table.at(group).domain != group
}

/// Whether domains and threaded groups may be side by side below it: the root alone.
pub(super) fn is_mixable(table: &Table<Cgroup>, group: CgroupKey) -> bool {
    table.at(group).parent.is_none()
}

/// Whether it may have threaded children.
pub(super) fn can_be_thread_root(table: &Table<Cgroup>, group: CgroupKey) -> bool {
    let record = table.at(group);
    is_mixable(table, group)
        || (!is_threaded(table, group)
            && record.populated_domain_children == 0
            && record.subtree_control.difference(THREADED).is_empty())
}

/// Whether it is the root of a threaded subtree: by threaded children, or by threads that compete with children for
/// threaded controllers.
pub(super) fn is_thread_root(table: &Table<Cgroup>, group: CgroupKey) -> bool {
    !is_threaded(table, group) && roots_threads(table.at(group))
}

/// The same of a group that is not threaded.
fn roots_threads(record: &Cgroup) -> bool {
    record.threaded_children > 0
        || (!record.members.is_empty() && !record.subtree_control.intersection(THREADED).is_empty())
}

/// Whether it can hold processes and resources: it is not threaded, and stands below no threaded subtree.
pub(super) fn is_valid(table: &Table<Cgroup>, group: CgroupKey) -> bool {
    let record = table.at(group);
    if record.domain != group {
        return false;
    }
    let mut above = record.parent;
    while let Some(key) = above {
        let record = table.at(key);
        above = record.parent;
        // The root is mixable: what is threaded below it says nothing of the others.
        if record.domain != key || (above.is_some() && roots_threads(record)) {
            return false;
        }
    }
    true
}
