//! Operations of `Processes` on what the caller does with signals.

use standin::backend::Delivery;
use standin::{Signal, SignalSet};

use super::operation::operation;
use crate::task::signal;

operation! {
    /// sigaction(2)
    SetDelivery { signal: Signal, delivery: Delivery } = "set_delivery" -> (): |op, kernel, caller| {
        Ok(signal::set_delivery(kernel, caller, op.signal, op.delivery)?)
    };

    /// How often a signal was handled since this was last asked.
    TakeDeliveries { signal: Signal } = "take_deliveries" -> u64: |op, kernel, caller| {
        Ok(signal::take_deliveries(kernel, caller, op.signal))
    };

    /// The calling thread's signal mask.
    GetMask {} = "signal_mask" -> SignalSet: |_op, kernel, caller| Ok(kernel.tasks.threads.at(caller).mask);

    /// sigprocmask(2)
    SetMask { mask: SignalSet } = "set_signal_mask" -> (): |op, kernel, caller| {
        signal::set_mask(kernel, caller, op.mask);
        Ok(())
    };

    /// sigpending(2): what is pending and blocked.
    Pending {} = "pending_signals" -> SignalSet: |_op, kernel, caller| {
        let thread = kernel.tasks.threads.at(caller);
        let shared = kernel.tasks.processes.at(thread.process).pending;
        Ok(thread.pending.union(shared).intersection(thread.mask))
    };
}
