//! memory.oom_control: whether a process ends when a group has no room, or who asked waits until there is some
//! (cgroup-v1/memory.rst, 10. OOM Control).
//!
//! While somebody waits, the group and those below that were there when he began are *under OOM*. He asks again when memory of
//! one of these was given back, when the limit of one was raised, or when processes may be ended there again.
//! One waiter holds the lock of all that are below its group: eventfds hear of it alone (`memory_watch`).

use standin::Errno;

use super::memory_watch;
use crate::cgroup::memory_events::Event;
use crate::cgroup::rows::{Target, Write};
use crate::cgroup::{CgroupKey, Cgroups, memory, tree, value};
use crate::kernel::Kernel;
use crate::step::Step;
use crate::task::ThreadKey;
use crate::wait::Channel;

/// A thread that waits for room.
#[derive(Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(in crate::cgroup) struct Waiter {
    thread: ThreadKey,
    /// Whose limit was reached.
    group: CgroupKey,
    /// Groups from this id on were made later.
    next_id: u64,
    has_lock: bool,
    /// It is to ask again.
    recovers: bool,
}

/// Whether a thread waits for memory.
pub(crate) fn waits(cgroups: &Cgroups, thread: ThreadKey) -> bool {
    cgroups.memory_waiters.iter().any(|waiter| waiter.thread == thread)
}

/// Whether a thread has asked for memory, must wait, and is not to ask again yet.
pub(in crate::cgroup) fn is_waiting(kernel: &mut Kernel, thread: ThreadKey) -> bool {
    let waiters = &kernel.cgroups.memory_waiters;
    let Some(at) = waiters.iter().position(|waiter| waiter.thread == thread) else { return false };
    if waiters.get(at).is_some_and(|waiter| !waiter.recovers) {
        return true;
    }
    leave(kernel, at);
    false
}

/// A waiter waits no more; others ask again if it held the lock.
fn leave(kernel: &mut Kernel, at: usize) {
    let waiter = kernel.cgroups.memory_waiters.remove(at);
    let cgroups = &mut kernel.cgroups;
    if waiter.has_lock {
        recover(cgroups, waiter.group);
        kernel.waits.wake(Channel::Memory);
    }
    let record = cgroups.table.at_mut(waiter.group);
    record.users -= 1;
    if record.removed {
        tree::release(cgroups, waiter.group);
    }
}

/// A thread has exited: it waits for nothing.
pub(in crate::cgroup) fn exited(kernel: &mut Kernel, thread: ThreadKey) {
    let waiters = &kernel.cgroups.memory_waiters;
    if let Some(at) = waiters.iter().position(|waiter| waiter.thread == thread) {
        leave(kernel, at);
    }
}

/// A thread found no room in a group where nobody is to end: it begins to wait.
pub(in crate::cgroup) fn wait(kernel: &mut Kernel, thread: ThreadKey, group: CgroupKey) {
    let cgroups = &mut kernel.cgroups;
    if !cgroups.table.at(group).waits_for_memory() {
        return;
    }
    let has_lock = may_lock(cgroups, group);
    let next_id = cgroups.hierarchy_of(group).next_id();
    // It may be removed meanwhile.
    cgroups.table.at_mut(group).users += 1;
    cgroups.memory_waiters.push(Waiter { thread, group, next_id, has_lock, recovers: false });
    if has_lock {
        memory_watch::out_of_memory(kernel, group);
    }
}

/// Whether nobody holds the lock of a group above or below this one.
pub(in crate::cgroup) fn may_lock(cgroups: &Cgroups, group: CgroupKey) -> bool {
    let holders = cgroups.memory_waiters.iter().filter(|waiter| waiter.has_lock);
    !holders.map(|waiter| waiter.group).any(|held| is_related(cgroups, held, group))
}

/// Whether one is the other or below it.
fn is_related(cgroups: &Cgroups, one: CgroupKey, other: CgroupKey) -> bool {
    tree::is_within(&cgroups.table, one, other) || tree::is_within(&cgroups.table, other, one)
}

/// There may be room in a group: if it is under OOM, those who wait there, above or below are to ask again. Whoever calls this
/// wakes them.
pub(in crate::cgroup) fn recover(cgroups: &mut Cgroups, group: CgroupKey) {
    if !is_under(cgroups, group) {
        return;
    }
    for at in 0..cgroups.memory_waiters.len() {
        let waits = cgroups.memory_waiters.get(at).map(|waiter| waiter.group);
        if waits.is_some_and(|waits| is_related(cgroups, waits, group))
            && let Some(waiter) = cgroups.memory_waiters.get_mut(at)
        {
            waiter.recovers = true;
        }
    }
}

/// Whether somebody waits in a group or above it.
pub(in crate::cgroup) fn is_under(cgroups: &Cgroups, group: CgroupKey) -> bool {
    let id = cgroups.table.at(group).id;
    cgroups
        .memory_waiters
        .iter()
        .any(|waiter| id < waiter.next_id && tree::is_within(&cgroups.table, group, waiter.group))
}

/// A new group begins as its parent is.
pub(super) fn hand_down(cgroups: &mut Cgroups, group: CgroupKey) {
    let parent = cgroups.table.at(group).parent;
    if parent.is_some_and(|parent| cgroups.table.at(parent).waits_for_memory()) {
        cgroups.table.at_mut(group).memory.get_or_insert_default().waits = true;
    }
}

pub(in crate::cgroup) fn show(kernel: &Kernel, target: Target, out: &mut Vec<u8>) -> Step<()> {
    let state = memory::state(kernel, target);
    value::print_keyed("oom_kill_disable", state.waits.into(), out);
    value::print_keyed("under_oom", is_under(&kernel.cgroups, target.group).into(), out);
    value::print_keyed("oom_kill", state.local.times(Event::OomKill), out);
    Ok(())
}

/// EINVAL: the root, or neither 0 nor 1.
pub(in crate::cgroup) fn store(kernel: &mut Kernel, write: &Write<'_>) -> Step<()> {
    let waits = match value::unsigned(write.bytes)? {
        0 => false,
        1 => true,
        _ => return Err(Errno::EINVAL.into()),
    };
    let cgroups = &mut kernel.cgroups;
    let record = cgroups.table.at_mut(write.group);
    if record.parent.is_none() {
        return Err(Errno::EINVAL.into());
    }
    record.memory.get_or_insert_default().waits = waits;
    if !waits {
        recover(cgroups, write.group);
        kernel.waits.wake(Channel::Memory);
    }
    Ok(())
}
