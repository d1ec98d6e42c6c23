//! Membership: a thread enters and leaves a group, and whether groups above are populated follows
//! (cgroup-v2.rst, \[Un\]populated Notification).

use super::{CgroupKey, cpuset, events, freeze, tree, v1};
use crate::kernel::Kernel;
use crate::list::{iterate, unlink};
use crate::task::ThreadKey;
use crate::wait::Channel;

/// Makes a thread that is in no group a member.
pub(super) fn join(kernel: &mut Kernel, thread: ThreadKey, group: CgroupKey) {
    let threads = &mut kernel.tasks.threads;
    threads.at_mut(thread).cgroup = group;
    let places = threads.at(thread).places;
    let record = kernel.cgroups.table.at_mut(group);
    let first = record.members.is_empty();
    record.members.push(threads, thread, |thread| &mut thread.members);
    if first {
        populated(kernel, group, true);
    }
    if places.is_some() {
        kernel.cgroups.share_places(places);
        kernel.cgroups.count_thread(places, true);
        v1::freezer::comes(kernel, thread);
    }
}

/// Makes a member of one group one of another: the new one is populated before the old one is not, so that the groups
/// above both notice nothing. Says which group it leaves.
pub(super) fn change(kernel: &mut Kernel, thread: ThreadKey, group: CgroupKey) -> CgroupKey {
    let threads = &mut kernel.tasks.threads;
    let table = &mut kernel.cgroups.table;
    let from = std::mem::replace(&mut threads.at_mut(thread).cgroup, group);
    let old = table.at_mut(from);
    old.members.remove(threads, thread, |thread| &mut thread.members);
    let last = old.members.is_empty();
    let new = table.at_mut(group);
    let first = new.members.is_empty();
    new.members.push(threads, thread, |thread| &mut thread.members);
    if first {
        if last {
            // The first walk must still see the old group as it was.
            populated_while(kernel, group, from);
        } else {
            populated(kernel, group, true);
        }
    }
    if last {
        populated(kernel, from, false);
    }
    kernel.waits.wake(Channel::Memory);
    from
}

/// A group has its first member or lost its last: those above count it until one does not change by it.
fn populated(kernel: &mut Kernel, group: CgroupKey, now: bool) {
    spread(kernel, group, now, None);
}

/// A group has its first member, while `emptied` has just lost its last and does not say so yet.
fn populated_while(kernel: &mut Kernel, group: CgroupKey, emptied: CgroupKey) {
    spread(kernel, group, true, Some(emptied));
}

fn spread(kernel: &mut Kernel, group: CgroupKey, now: bool, emptied: Option<CgroupKey>) {
    let mut key = group;
    // Besides what was changed already, was the group populated?
    let record = kernel.cgroups.table.at(key);
    if record.populated_domain_children > 0 || record.populated_threaded_children > 0 {
        return;
    }
    loop {
        events::changed(kernel, key);
        let record = kernel.cgroups.table.at(key);
        let threaded = record.domain != key;
        let Some(parent) = record.parent else { return };
        let record = kernel.cgroups.table.at_mut(parent);
        let before = record.is_populated() || emptied == Some(parent);
        let count = if threaded {
            &mut record.populated_threaded_children
        } else {
            &mut record.populated_domain_children
        };
        *count = if now { *count + 1 } else { *count - 1 };
        if before == record.is_populated() {
            return;
        }
        key = parent;
    }
}

/// A thread has exited: no member any more, yet a process for the pids controller until it is reaped.
pub(crate) fn exited(kernel: &mut Kernel, thread: ThreadKey) {
    let record = kernel.tasks.threads.at(thread);
    let (group, process) = (record.cgroup, kernel.tasks.processes.at(record.process));
    if process.leader == thread && process.threads.len() > 1 {
        let mut others = iterate(&kernel.tasks.threads, process.threads, |thread| &thread.siblings);
        if others.any(|(key, other)| key != thread && !other.exited) {
            kernel.cgroups.headless.push(thread);
        }
    }
    if record.frozen {
        freeze::go_on(kernel, thread);
    }
    let gap = unlink(&mut kernel.tasks.threads, thread, |thread| &mut thread.members);
    kernel.cgroups.dead += 1;
    let record = kernel.cgroups.table.at_mut(group);
    record.dead += 1;
    record.members.close(&gap);
    let (empty, freezing) = (record.members.is_empty(), record.freezer.is_effective());
    v1::exited(kernel, thread);
    if empty {
        populated(kernel, group, false);
    }
    if freezing {
        // Those that remain may all stand still.
        freeze::update(kernel, group);
    }
}

/// An exited thread is gone for good: uncharged, and no reason any more to remember its group.
pub(crate) fn reaped(kernel: &mut Kernel, thread: ThreadKey) {
    let group = kernel.tasks.threads.at(thread).cgroup;
    v1::reaped(kernel, thread);
    let cgroups = &mut kernel.cgroups;
    cpuset::forget(cgroups, thread);
    if !cgroups.headless.is_empty() {
        cgroups.headless.retain(|other| *other != thread);
    }
    cgroups.dead -= 1;
    let record = cgroups.table.at_mut(group);
    record.dead -= 1;
    if record.removed {
        tree::release(cgroups, group);
    }
}
