//! Sending: what happens to a signal before a thread takes it.

use standin::backend::WaitStatus;
use standin::{Disposition, Errno, Failure, Signal, SignalSet};

use super::{Action, STOPS, deliver, may_signal, pending, stop};
use crate::context;
use crate::kernel::Kernel;
use crate::list::iterate;
use crate::namespace::pid;
use crate::profile::Release;
use crate::step::Step;
use crate::task::{Process, ProcessKey, ThreadKey, exit};

/// pidfd_send_signal(2): to a process that the caller holds; `None` probes.
///
/// # Errors
/// ESRCH if it was reaped; EPERM as [`may_signal`].
pub(crate) fn send_process(
    kernel: &mut Kernel,
    caller: ThreadKey,
    process: ProcessKey,
    signal: Option<Signal>,
) -> Result<(), Errno> {
    if kernel.tasks.processes.get(process).is_none() {
        return Err(Errno::ESRCH);
    }
    may_signal(kernel, caller, process, signal)?;
    if let Some(signal) = signal {
        send_from_user(kernel, caller, process, signal);
    }
    Ok(())
}

/// kill(2) of a process group; 0 is the caller's own. One success is enough.
///
/// # Errors
/// ESRCH if it has no process; else the last refusal if all refused.
pub(crate) fn send_group(
    kernel: &mut Kernel,
    caller: ThreadKey,
    group: u32,
    signal: Option<Signal>,
) -> Result<(), Errno> {
    let own = kernel.tasks.process_of(caller);
    let job = if group == 0 {
        Some(kernel.tasks.processes.at(own).job)
    } else {
        kernel.number_meant(caller, group).and_then(|group| kernel.tasks.jobs.find(group))
    };
    let members = job.map(|job| kernel.tasks.job_members(job)).unwrap_or_default();
    // The permissions are those of this moment: the caller itself may be among those that end.
    let refusals: Vec<_> = members
        .into_iter()
        .map(|member| {
            (member, may_signal(kernel, caller, member, signal), force(kernel, caller, member))
        })
        .collect();
    let mut result = Err(Errno::ESRCH);
    for (member, permitted, force) in refusals {
        if permitted.is_ok()
            && let Some(signal) = signal
        {
            send_as(kernel, member, signal, force);
        }
        if result.is_err() {
            result = permitted;
        }
    }
    result
}

/// Whether KILL and STOP reach the first process of a PID namespace too: those of who is outside do, and the kernel's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Force {
    Yes,
    No,
}

/// What a signal of this sender is to a process.
pub(crate) fn force(kernel: &Kernel, sender: ThreadKey, process: ProcessKey) -> Force {
    if kernel.tasks.inner.is_empty() {
        return Force::No;
    }
    let Some(record) = kernel.tasks.processes.get(process) else { return Force::No };
    let home = kernel.pid_ns(record.leader);
    let number = kernel.tasks.threads.at(sender).number;
    if kernel.number_in(home, number) == 0 { Force::Yes } else { Force::No }
}

/// A signal of a process.
fn send_from_user(kernel: &mut Kernel, sender: ThreadKey, process: ProcessKey, signal: Signal) {
    let force = force(kernel, sender, process);
    send_as(kernel, process, signal, force);
}

/// The same: a context's first process gets none that it does not handle.
fn send_as(kernel: &mut Kernel, process: ProcessKey, signal: Signal, force: Force) {
    let Some(record) = kernel.tasks.processes.get(process) else { return };
    if record.action(signal) == Action::Count || !context::is_protected(kernel, process) {
        send(kernel, process, None, (signal, force));
    }
}

/// A signal that a thread's own call causes: it goes to this thread alone.
pub(crate) fn send_thread(kernel: &mut Kernel, thread: ThreadKey, signal: Signal) {
    let process = kernel.tasks.process_of(thread);
    send(kernel, process, Some(thread), (signal, Force::Yes));
}

/// A signal for what a thread's own instruction did: it ends the process, also one that ignores or blocks it.
///
/// # Errors
/// Always; the caller is dead. `NotModelled` if it handles the signal: its handler would come back to that instruction.
pub(crate) fn fault<T>(kernel: &mut Kernel, thread: ThreadKey, signal: Signal) -> Step<T> {
    let record = kernel.tasks.threads.at(thread);
    let process = record.process;
    let handled = kernel.tasks.processes.at(process).action(signal) == Action::Count;
    if handled && !record.mask.contains(signal) {
        return Err(Failure::NotModelled("a handler that comes back to what faulted").into());
    }
    exit::exit_process(kernel, process, WaitStatus::Killed(signal));
    Err(Failure::CallerDied.into())
}

/// SIGKILL, as from the kernel. No thread can block, handle or ignore it, and neither a stop nor a freeze of v2 holds it back: so
/// it needs no taker. Process 1 never hears of it, and the first of a PID namespace only if it is forced.
pub(crate) fn kill(kernel: &mut Kernel, process: ProcessKey, force: Force) {
    let Some(record) = kernel.tasks.processes.get(process) else { return };
    if record.is_zombie() || record.ending().is_some() || process == kernel.tasks.init {
        return;
    }
    if force == Force::No && pid::is_init(kernel, process) {
        return;
    }
    kernel.tasks.processes.at_mut(process).pending.insert(Signal::KILL);
    end(kernel, process, Signal::KILL);
}

/// A signal ends a process: at once, or later as a step of its own where the order of programs says so.
fn end(kernel: &mut Kernel, process: ProcessKey, by: Signal) {
    let status = WaitStatus::Killed(by);
    if kernel.order.as_mut().is_some_and(|order| order.ends_later(process)) {
        exit::doom(kernel, process, status);
    } else {
        exit::exit_process(kernel, process, status);
    }
}

/// SIGKILL for who is to give its memory back: the v1 freezer does not hold it any more.
pub(crate) fn kill_for_memory(kernel: &mut Kernel, process: ProcessKey) {
    for thread in stop::live_threads(kernel, process) {
        kernel.tasks.threads.at_mut(thread).frozen_v1 = false;
    }
    if let Some(order) = &mut kernel.order {
        order.ends_now();
    }
    let ending = kernel.tasks.processes.get(process).and_then(Process::ending);
    match ending {
        Some(status) => exit::exit_process(kernel, process, status),
        None => kill(kernel, process, Force::Yes),
    }
}

/// A signal from the kernel to a process that may be gone.
pub(crate) fn send_kernel(kernel: &mut Kernel, process: ProcessKey, signal: Signal) {
    send(kernel, process, None, (signal, Force::Yes));
}

/// A signal that comes of the end of another process: who makes that end is told that it did before the signal counts.
pub(crate) fn send_afterwards(
    kernel: &mut Kernel,
    process: ProcessKey,
    signal: Signal,
    force: Force,
) {
    let threads = stop::live_threads(kernel, process);
    kernel.tasks.aftermath.extend(threads);
    send(kernel, process, None, (signal, force));
}

/// The parent's thread has ended: the child gets what it asked for, if the parent may send it.
pub(crate) fn send_parent_death(
    kernel: &mut Kernel,
    parent: ThreadKey,
    child: ProcessKey,
    signal: Signal,
) {
    if kernel.tasks.processes.get(child).is_some()
        && may_signal(kernel, parent, child, Some(signal)).is_ok()
    {
        let force = force(kernel, parent, child);
        send_afterwards(kernel, child, signal, force);
    }
}

/// Sends a signal, to one thread of a process or to whichever takes it.
pub(super) fn send(
    kernel: &mut Kernel,
    process: ProcessKey,
    thread: Option<ThreadKey>,
    (signal, force): (Signal, Force),
) {
    if signal == Signal::KILL {
        return kill(kernel, process, force);
    }
    let Some(record) = kernel.tasks.processes.get(process) else { return };
    if record.is_zombie() || record.ending().is_some() {
        return;
    }
    let (suggested, action) = (thread.unwrap_or(record.leader), record.action(signal));
    let mut continued = false;
    if STOPS.contains(signal) {
        pending::flush(kernel, process, Signal::CONT.into());
    } else if signal == Signal::CONT {
        pending::flush(kernel, process, STOPS);
        continued = stop::resume(kernel, process);
    }
    let dropped = is_ignored(kernel, process, suggested, (signal, action, force))
        || pending::has(kernel, process, thread, signal);
    if !dropped {
        pending::add(kernel, process, thread, signal);
    }
    if continued {
        stop::go_on(kernel, process);
    } else if !dropped {
        complete(kernel, process, thread, signal);
    }
}

/// Whether a signal that arrives is thrown away. One that is blocked is kept: it may be handled by the time that it is not.
fn is_ignored(
    kernel: &Kernel,
    process: ProcessKey,
    suggested: ThreadKey,
    (signal, action, force): (Signal, Action, Force),
) -> bool {
    // Process 1 gets nothing that it does not handle, and the first of a PID namespace little else.
    let is_forced = signal == Signal::STOP && force == Force::Yes && process != kernel.tasks.init;
    let unwanted = action == Action::Nothing
        || (action != Action::Count && !is_forced && pid::is_unkillable(kernel, process));
    unwanted && !kernel.tasks.threads.at(suggested).mask.contains(signal)
}

/// Finds a thread for a pending signal. What ends the process without a core file ends it here, even if it is frozen; a
/// stopped process keeps it until it goes on.
fn complete(kernel: &mut Kernel, process: ProcessKey, thread: Option<ThreadKey>, signal: Signal) {
    let Some(taker) = taker(kernel, process, thread, signal) else { return };
    let record = kernel.tasks.processes.at(process);
    // Up to 6.12 the first process of a namespace ends by what its first thread alone blocks (recorded).
    let spares = kernel.profile.release >= Release::V6_18 && pid::is_unkillable(kernel, process);
    let at_once = signal.default_disposition() == Disposition::Terminate && !spares;
    if at_once && record.action(signal) == Action::End {
        end(kernel, process, signal);
    } else {
        deliver(kernel, taker);
    }
}

/// The thread that a signal is for: the suggested one or the leader, or another that does not block it.
fn taker(
    kernel: &Kernel,
    process: ProcessKey,
    thread: Option<ThreadKey>,
    signal: Signal,
) -> Option<ThreadKey> {
    let record = kernel.tasks.processes.at(process);
    let blocked = |mask: SignalSet| mask.contains(signal);
    if record.is_stopped() {
        return None;
    }
    let wants = |key: ThreadKey| {
        let thread = kernel.tasks.threads.at(key);
        !thread.exited && !blocked(thread.mask)
    };
    let suggested = thread.unwrap_or(record.leader);
    if wants(suggested) {
        return Some(suggested);
    }
    if thread.is_some() {
        return None;
    }
    let mut others = iterate(&kernel.tasks.threads, record.threads, |thread| &thread.siblings);
    others.find(|(key, _)| wants(*key)).map(|(key, _)| key)
}
