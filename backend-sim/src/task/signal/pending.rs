//! Signals that were sent and not yet taken: one set a process, one a thread.
//!
//! A standard signal is pending once, however often it was sent; a real-time signal as often as it was sent and its user's
//! limit of queued signals allowed, and once at least (signal(7)).

use standin::backend::RlimitResource;
use standin::{Signal, SignalSet};

use super::FAULTS;
use crate::kernel::Kernel;
use crate::list::iterate;
use crate::task::{AccountKey, ProcessKey, Tasks, ThreadKey};

/// How many of a pending real-time signal wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Queued {
    /// Whose: `None` is the process's.
    thread: Option<ThreadKey>,
    signal: Signal,
    entries: u32,
}

/// Whose queue it is: `thread`'s, or the process's.
fn set(tasks: &mut Tasks, process: ProcessKey, thread: Option<ThreadKey>) -> &mut SignalSet {
    match thread {
        Some(thread) => &mut tasks.threads.at_mut(thread).pending,
        None => &mut tasks.processes.at_mut(process).pending,
    }
}

fn account(tasks: &Tasks, process: ProcessKey, thread: Option<ThreadKey>) -> AccountKey {
    let thread = thread.unwrap_or_else(|| tasks.processes.at(process).leader);
    tasks.threads.at(thread).account
}

/// Whether the signal is pending and needs not be so twice.
pub(super) fn has(
    kernel: &mut Kernel,
    process: ProcessKey,
    thread: Option<ThreadKey>,
    signal: Signal,
) -> bool {
    !signal.is_real_time() && set(&mut kernel.tasks, process, thread).contains(signal)
}

/// Makes a signal pending.
pub(super) fn add(
    kernel: &mut Kernel,
    process: ProcessKey,
    thread: Option<ThreadKey>,
    signal: Signal,
) {
    set(&mut kernel.tasks, process, thread).insert(signal);
    let account = account(&kernel.tasks, process, thread);
    if signal.is_real_time() {
        let limit = kernel.soft_limit(process, RlimitResource::PendingSignals);
        let queued = u64::from(kernel.tasks.accounts.get(account).signals) + 1;
        if limit.is_some_and(|limit| queued > limit) {
            return;
        }
        let more = kernel.tasks.processes.at_mut(process).more_mut();
        match more
            .queued
            .iter_mut()
            .find(|queued| queued.thread == thread && queued.signal == signal)
        {
            Some(queued) => queued.entries += 1,
            None => more.queued.push(Queued { thread, signal, entries: 1 }),
        }
    }
    kernel.tasks.accounts.get_mut(account).signals += 1;
}

/// Takes one of a pending signal, or all of it.
fn remove(
    tasks: &mut Tasks,
    process: ProcessKey,
    thread: Option<ThreadKey>,
    signal: Signal,
    all: bool,
) {
    let mut gone = 1;
    let mut left = false;
    if signal.is_real_time() {
        gone = 0;
        if let Some(more) = tasks.processes.at_mut(process).more.as_mut() {
            let found = more
                .queued
                .iter()
                .position(|queued| queued.thread == thread && queued.signal == signal);
            if let Some(position) = found
                && let Some(queued) = more.queued.get_mut(position)
            {
                gone = if all { queued.entries } else { 1 };
                queued.entries -= gone;
                left = queued.entries > 0;
                if !left {
                    more.queued.swap_remove(position);
                }
            }
        }
    }
    if !left {
        set(tasks, process, thread).remove(signal);
    }
    let account = account(tasks, process, thread);
    let account = tasks.accounts.get_mut(account);
    account.signals = account.signals.saturating_sub(gone);
}

/// Takes the next signal that this thread does not block: its own first, faults first, lower numbers first.
pub(super) fn take(kernel: &mut Kernel, thread: ThreadKey) -> Option<Signal> {
    let record = kernel.tasks.threads.at(thread);
    let (process, mask) = (record.process, record.mask);
    let own = record.pending.difference(mask);
    let shared = kernel.tasks.processes.at(process).pending.difference(mask);
    let (queue, ready) = if own.is_empty() { (None, shared) } else { (Some(thread), own) };
    let faults = ready.intersection(FAULTS);
    let signal = if faults.is_empty() { ready } else { faults }.iter().next()?;
    remove(&mut kernel.tasks, process, queue, signal, false);
    Some(signal)
}

/// Whether something is pending that this thread does not block.
pub(crate) fn waiting(kernel: &Kernel, thread: ThreadKey) -> bool {
    let record = kernel.tasks.threads.at(thread);
    let pending = record.pending.union(kernel.tasks.processes.at(record.process).pending);
    !pending.difference(record.mask).is_empty()
}

/// Drops signals from all queues of a process.
pub(super) fn flush(kernel: &mut Kernel, process: ProcessKey, signals: SignalSet) {
    let tasks = &mut kernel.tasks;
    let record = tasks.processes.at(process);
    let shared = record.pending.intersection(signals);
    let threads = iterate(&tasks.threads, record.threads, |thread| &thread.siblings);
    let own: Vec<(ThreadKey, SignalSet)> = threads
        .map(|(key, thread)| (key, thread.pending.intersection(signals)))
        .filter(|(_, pending)| !pending.is_empty())
        .collect();
    for signal in shared {
        remove(tasks, process, None, signal, true);
    }
    for (thread, pending) in own {
        for signal in pending {
            remove(tasks, process, Some(thread), signal, true);
        }
    }
}

/// Drops all that is pending for a thread that goes.
pub(crate) fn forget_thread(tasks: &mut Tasks, thread: ThreadKey) {
    let record = tasks.threads.at(thread);
    let (process, pending) = (record.process, record.pending);
    for signal in pending {
        remove(tasks, process, Some(thread), signal, true);
    }
}

/// Drops all that is pending for a process that goes.
pub(crate) fn forget(tasks: &mut Tasks, process: ProcessKey) {
    let pending = tasks.processes.at(process).pending;
    // What killed it was never queued.
    for signal in pending.without(Signal::KILL) {
        remove(tasks, process, None, signal, true);
    }
}
