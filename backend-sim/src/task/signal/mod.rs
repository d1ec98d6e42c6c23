//! Signals: who may send one, what becomes of it, and what it does (signal(7), kill(2)).
//!
//! A signal is *sent* ([`send`]): it may be dropped because it is ignored, it may end the process then and there, or it
//! becomes pending. A thread that is neither stopped nor frozen *takes* what is pending for it at once ([`deliver`]);
//! others when they go on. What is pending is kept in `pending`, stopping and going on is in `stop`.

mod action;
mod deliver;
mod pending;
mod permission;
mod send;
mod stop;

pub(super) use action::retarget;
pub(crate) use action::{set_delivery, set_mask, take_deliveries};
pub(crate) use deliver::{attend, deliver};
pub(crate) use pending::{Queued, forget, forget_thread, waiting};
pub(crate) use permission::may_signal;
pub(crate) use send::{
    Force, fault, force, kill, kill_for_memory, send_afterwards, send_group, send_kernel,
    send_parent_death, send_process, send_thread,
};
pub(crate) use stop::{live_threads, thawed};

use standin::{Disposition, Signal, SignalSet};

use crate::task::Process;

/// STOP, TSTP, TTIN and TTOU: they and CONT drive each other out.
pub(super) const STOPS: SignalSet =
    SignalSet::EMPTY.with(Signal::STOP).with(Signal::TSTP).with(Signal::TTIN).with(Signal::TTOU);

/// Signals that come first when several are pending: a program's own faults, whoever sent them.
pub(super) const FAULTS: SignalSet = SignalSet::EMPTY
    .with(Signal::ILL)
    .with(Signal::TRAP)
    .with(Signal::BUS)
    .with(Signal::FPE)
    .with(Signal::SEGV)
    .with(Signal::SYS);

/// What a signal does to a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// It is ignored, by choice or by default.
    Nothing,
    /// A handler counts it.
    Count,
    /// The process stops.
    Stop,
    /// The process ends.
    End,
}

impl Process {
    /// What a signal does to it, once taken.
    pub(super) fn action(&self, signal: Signal) -> Action {
        if self.more.is_some() {
            if self.counted().contains(signal) {
                return Action::Count;
            }
            if self.ignored().contains(signal) {
                return Action::Nothing;
            }
        }
        match signal.default_disposition() {
            Disposition::Ignore | Disposition::Continue => Action::Nothing,
            Disposition::Stop => Action::Stop,
            Disposition::Terminate | Disposition::Core => Action::End,
        }
    }
}
