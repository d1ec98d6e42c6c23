//! What a process wants of its signals: handlers, counts, masks (sigaction(2), sigprocmask(2)).

use standin::backend::Delivery;
use standin::{Disposition, Errno, Signal, SignalSet};

use super::{deliver, pending};
use crate::kernel::Kernel;
use crate::task::ThreadKey;

/// sigaction(2). A signal that is now ignored, by choice or by default, is no longer pending either.
///
/// # Errors
/// EINVAL for KILL and STOP.
pub(crate) fn set_delivery(
    kernel: &mut Kernel,
    caller: ThreadKey,
    signal: Signal,
    delivery: Delivery,
) -> Result<(), Errno> {
    if !signal.can_be_caught() {
        return Err(Errno::EINVAL);
    }
    let process = kernel.tasks.process_of(caller);
    let actions = &mut kernel.tasks.processes.at_mut(process).more_mut().actions;
    let wanted = [
        (&mut actions.ignored, delivery == Delivery::Ignore),
        (&mut actions.counted, matches!(delivery, Delivery::Count | Delivery::CountAndRestart)),
        (&mut actions.restarting, delivery == Delivery::CountAndRestart),
    ];
    for (set, wanted) in wanted {
        *set = if wanted { set.with(signal) } else { set.without(signal) };
    }
    let ignored_by_default =
        matches!(signal.default_disposition(), Disposition::Ignore | Disposition::Continue);
    if delivery == Delivery::Ignore || (delivery == Delivery::Default && ignored_by_default) {
        pending::flush(kernel, process, signal.into());
    }
    Ok(())
}

/// How often a signal was handled since this was last asked.
pub(crate) fn take_deliveries(kernel: &mut Kernel, caller: ThreadKey, signal: Signal) -> u64 {
    let Some(more) = kernel.process_mut(caller).more.as_mut() else { return 0 };
    let found = more.actions.deliveries.iter_mut().find(|(known, _)| *known == signal);
    found.map_or(0, |(_, times)| std::mem::take(times))
}

/// sigprocmask(2) with `SIG_SETMASK`; what is no longer blocked is taken at once.
pub(crate) fn set_mask(kernel: &mut Kernel, caller: ThreadKey, mask: SignalSet) {
    let record = kernel.tasks.threads.at_mut(caller);
    record.mask = mask.without(Signal::KILL).without(Signal::STOP);
    deliver(kernel, caller);
    // What this thread blocks now and has not taken, another may take.
    retarget(kernel, caller);
}

/// Lets the other threads of a process take what is pending for the process.
pub(in crate::task) fn retarget(kernel: &mut Kernel, thread: ThreadKey) {
    let Some(record) = kernel.tasks.threads.get(thread) else { return };
    let process = record.process;
    if kernel.tasks.processes.at(process).threads.len() < 2
        || kernel.tasks.processes.at(process).pending.is_empty()
    {
        return;
    }
    for other in super::stop::live_threads(kernel, process) {
        if other != thread {
            deliver(kernel, other);
        }
    }
}
