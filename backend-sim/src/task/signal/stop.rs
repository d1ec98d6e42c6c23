//! Stopping and going on (signal(7), waitid(2)).

use standin::Signal;

use super::{deliver, send_kernel};
use crate::kernel::Kernel;
use crate::list::iterate;
use crate::task::{ProcessKey, State, ThreadKey};
use crate::wait::Channel;

/// The live threads of a process, its leader first.
pub(super) fn live_threads(kernel: &Kernel, process: ProcessKey) -> Vec<ThreadKey> {
    let Some(record) = kernel.tasks.processes.get(process) else { return Vec::new() };
    let threads = iterate(&kernel.tasks.threads, record.threads, |thread| &thread.siblings);
    threads.filter(|(_, thread)| !thread.exited).map(|(key, _)| key).collect()
}

/// A thread has taken a stop signal: every thread of its process stands still, and the parent is told. Of the calls that are
/// under way, only that of the taker is held back: others are through before they hear of it.
pub(super) fn stop(kernel: &mut Kernel, taker: ThreadKey, by: Signal) {
    let process = kernel.tasks.process_of(taker);
    let record = kernel.tasks.processes.at_mut(process);
    record.state = State::Stopped { by, told: false };
    record.continued = false;
    for thread in live_threads(kernel, process) {
        let record = kernel.tasks.threads.at_mut(thread);
        record.attention = true;
        record.answers = thread != taker;
        crate::cgroup::held(kernel, thread);
    }
    tell_parent(kernel, process);
}

/// CONT has come: a stopped process is so no longer. Whether it was.
pub(super) fn resume(kernel: &mut Kernel, process: ProcessKey) -> bool {
    let record = kernel.tasks.processes.at_mut(process);
    if !record.is_stopped() {
        return false;
    }
    record.state = State::Alive;
    record.continued = true;
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
