//! Taking what is pending.

use standin::backend::WaitStatus;
use standin::{Disposition, Signal};

use super::{Action, pending, stop};
use crate::kernel::Kernel;
use crate::namespace::pid;
use crate::task::{Caught, ProcessKey, ThreadKey, exit, job};
use crate::wait::Channel;

/// The thread's freezing has changed, or something came for it: it looks at that now, or as soon as it may go on. It may
/// end by that, with its process.
pub(crate) fn attend(kernel: &mut Kernel, thread: ThreadKey) {
    if let Some(record) = kernel.tasks.threads.get_mut(thread) {
        record.attention = true;
        deliver(kernel, thread);
    }
}

/// A thread takes what is pending for it, unless it is held; then later.
pub(crate) fn deliver(kernel: &mut Kernel, thread: ThreadKey) {
    loop {
        let Some(record) = kernel.tasks.threads.get(thread) else { return };
        let process = record.process;
        if record.exited {
            return;
        }
        if record.stands_still() || kernel.tasks.processes.at(process).is_stopped() {
            kernel.tasks.threads.at_mut(thread).attention = true;
            return;
        }
        let Some(signal) = pending::take(kernel, thread) else { break };
        match kernel.tasks.processes.at(process).action(signal) {
            Action::Nothing => {}
            Action::Count => count(kernel, thread, signal),
            // Process 1 gets nothing that it does not handle, nor has the first of a PID namespace been sent anything else but STOP.
            Action::Stop | Action::End
                if (signal != Signal::STOP || process == kernel.tasks.init)
                    && pid::is_unkillable(kernel, process) => {}
            Action::Stop if signal != Signal::STOP && cannot_continue(kernel, process) => {}
            Action::Stop => stop::stop(kernel, thread, signal),
            Action::End => {
                debug_assert_ne!(signal.default_disposition(), Disposition::Ignore, "{signal}");
                exit::exit_process(kernel, process, WaitStatus::Killed(signal));
                return;
            }
        }
    }
    let record = kernel.tasks.threads.at_mut(thread);
    record.attention = record.caught != Caught::Nothing;
    kernel.waits.wake(Channel::Thread(thread));
}

fn cannot_continue(kernel: &Kernel, process: ProcessKey) -> bool {
    job::is_orphaned(&kernel.tasks, kernel.tasks.processes.at(process).job, None)
}

/// The handler runs: a call that waits is interrupted, unless it is one that goes on after this signal.
fn count(kernel: &mut Kernel, thread: ThreadKey, signal: Signal) {
    let process = kernel.tasks.process_of(thread);
    let actions = &mut kernel.tasks.processes.at_mut(process).more_mut().actions;
    match actions.deliveries.iter_mut().find(|(known, _)| *known == signal) {
        Some((_, times)) => *times += 1,
        None => actions.deliveries.push((signal, 1)),
    }
    let caught =
        if actions.restarting.contains(signal) { Caught::Resuming } else { Caught::Interrupting };
    let record = kernel.tasks.threads.at_mut(thread);
    record.caught = record.caught.max(caught);
    kernel.waits.wake_thread(thread);
}
