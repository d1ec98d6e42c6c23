//! Stopping and going on (signal(7), waitid(2)).

use standin::{Failure, Signal};

use super::{deliver, send_kernel};
use crate::cgroup::v1::memory_oom;
use crate::kernel::Kernel;
use crate::list::iterate;
use crate::task::{ProcessKey, State, ThreadKey};
use crate::wait::Channel;

/// The live threads of a process, its leader first.
pub(crate) fn live_threads(kernel: &Kernel, process: ProcessKey) -> Vec<ThreadKey> {
    let Some(record) = kernel.tasks.processes.get(process) else { return Vec::new() };
    let threads = iterate(&kernel.tasks.threads, record.threads, |thread| &thread.siblings);
    threads.filter(|(_, thread)| !thread.exited).map(|(key, _)| key).collect()
}

/// A thread has taken a stop signal: every thread of its process stands still, and the parent is told when all have heard of it,
/// which those that the v1 freezer holds do when they are thawed. Of the calls that are under way, only that of the taker is
/// held back: others are through before they hear of it.
pub(super) fn stop(kernel: &mut Kernel, taker: ThreadKey, by: Signal) {
    let process = kernel.tasks.process_of(taker);
    let threads = live_threads(kernel, process);
    let is_whole = !threads.iter().any(|thread| kernel.tasks.threads.at(*thread).frozen_v1);
    let record = kernel.tasks.processes.at_mut(process);
    record.state = State::Stopped { by, told: !is_whole };
    record.continued = false;
    if !is_whole {
        record.more_mut().stopping = true;
    }
    for thread in threads {
        if memory_oom::waits(&kernel.cgroups, thread) {
            // It stands still only when it has got its memory.
            kernel.census.note(&Failure::NotModelled("a stop of a thread that waits for memory"));
        }
        let record = kernel.tasks.threads.at_mut(thread);
        record.attention = true;
        record.answers = thread != taker;
        crate::cgroup::held(kernel, thread);
    }
    if is_whole {
        tell_parent(kernel, process);
    }
}

/// The v1 freezer lets go of a thread: if its process was stopped meanwhile and this is the last one to hear of it, the parent
/// is told.
pub(crate) fn thawed(kernel: &mut Kernel, thread: ThreadKey) {
    let process = kernel.tasks.process_of(thread);
    let record = kernel.tasks.processes.at(process);
    if !record.more.as_ref().is_some_and(|more| more.stopping) {
        return;
    }
    let threads = live_threads(kernel, process);
    if threads.iter().any(|thread| kernel.tasks.threads.at(*thread).frozen_v1) {
        return;
    }
    let record = kernel.tasks.processes.at_mut(process);
    record.more_mut().stopping = false;
    if let State::Stopped { told, .. } = &mut record.state {
        *told = false;
        tell_parent(kernel, process);
    }
}

/// CONT has come: a stopped process is so no longer. Whether it was.
pub(super) fn resume(kernel: &mut Kernel, process: ProcessKey) -> bool {
    let record = kernel.tasks.processes.at_mut(process);
    if !record.is_stopped() {
        return false;
    }
    record.state = State::Alive;
    record.continued = true;
    if let Some(more) = &mut record.more {
        more.stopping = false;
    }
    true
}

/// The threads of a process that was stopped run again: the parent is told, and they take what came meanwhile.
pub(super) fn go_on(kernel: &mut Kernel, process: ProcessKey) {
    tell_parent(kernel, process);
    for thread in live_threads(kernel, process) {
        crate::cgroup::held(kernel, thread);
        deliver(kernel, thread);
    }
}

/// A child stopped or went on: its parent gets CHLD unless it ignores that, and looks again if it waits.
fn tell_parent(kernel: &mut Kernel, process: ProcessKey) {
    let Some(parent) = kernel.tasks.processes.at(process).parent else { return };
    if !kernel.tasks.processes.at(parent).ignored().contains(Signal::CHLD) {
        send_kernel(kernel, parent, Signal::CHLD);
    }
    kernel.waits.wake(Channel::Children(parent));
}
