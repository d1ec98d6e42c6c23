//! Moving threads: all of a process, or one (cgroup-v2.rst, Processes and Threads).
//!
//! Nothing here can fail: who may move what where was checked (`procs`). Limits do not count; charges follow.

use super::{CgroupKey, freeze, members, pids};
use crate::kernel::Kernel;
use crate::list::iterate;
use crate::task::ThreadKey;

/// What is moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whole {
    /// Every live thread of the process that this one is of.
    Process,
    /// This thread alone.
    Thread,
}

/// Those that [`migrate`] moves.
pub(super) fn movers(
    kernel: &Kernel,
    thread: ThreadKey,
    whole: Whole,
    to: CgroupKey,
) -> Vec<ThreadKey> {
    let threads = &kernel.tasks.threads;
    let process = kernel.tasks.processes.at(threads.at(thread).process);
    iterate(threads, process.threads, |thread| &thread.siblings)
        .filter(|(key, _)| whole == Whole::Process || *key == thread)
        .filter(|(_, record)| !record.exited && record.cgroup != to)
        .map(|(key, _)| key)
        .collect()
}

/// Moves a thread, or a process by its leader. Those that have exited, or are there already, stay.
pub(super) fn migrate(kernel: &mut Kernel, thread: ThreadKey, whole: Whole, to: CgroupKey) {
    let record = kernel.tasks.threads.at(thread);
    let process = kernel.tasks.processes.at(record.process);
    if whole == Whole::Thread || process.threads.len() == 1 {
        if !record.exited && record.cgroup != to {
            pids::move_charge(&mut kernel.cgroups, record.cgroup, to);
            if place(kernel, thread, to) {
                freeze::moved(kernel, thread);
            }
        }
        return;
    }
    let threads = movers(kernel, thread, whole, to);
    let moving: Vec<_> =
        threads.into_iter().map(|key| (key, kernel.tasks.threads.at(key).cgroup)).collect();
    // If one charge moves, the kernel takes up and puts down those of the others too.
    let cgroups = &mut kernel.cgroups;
    if moving.iter().any(|(_, from)| pids::charges_differ(cgroups, *from, to)) {
        for (_, from) in &moving {
            pids::recharge(cgroups, *from, to);
        }
    }
    for (thread, _) in &moving {
        place(kernel, *thread, to);
    }
    for (thread, _) in moving {
        freeze::moved(kernel, thread);
    }
}

/// Whether freezing comes into it: then the thread is to be told what its new group is told.
fn place(kernel: &mut Kernel, thread: ThreadKey, to: CgroupKey) -> bool {
    let from = members::change(kernel, thread, to);
    freeze::moves(kernel, thread, from, to)
}
