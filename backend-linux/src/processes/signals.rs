//! Signals: sent, counted, blocked.

#![expect(unsafe_code, reason = "a signal handler, and signal calls with all 64 signals")]

use std::os::fd::AsRawFd as _;
use std::sync::atomic::{AtomicU64, Ordering};

use standin::backend::Delivery;
use standin::failure::{Failure, Result};
use standin::handle::PidHandle;
use standin::id::Pid;
use standin::signal::{Signal, SignalSet};

use crate::handle::fd;
use crate::raw::{answer, int, syscall};

/// Deliveries since each signal was last asked after; of the process, not of a view.
static DELIVERED: [AtomicU64; 65] = [const { AtomicU64::new(0) }; 65];

/// Length of a signal set, as the kernel's calls want it.
const SET_BYTES: usize = size_of::<u64>();

/// The kernel's `struct sigaction` on x86-64 and arm64.
#[repr(C)]
struct Action {
    handler: usize,
    flags: libc::c_ulong,
    restorer: usize,
    mask: u64,
}

fn number(signal: Option<Signal>) -> i32 {
    signal.map_or(0, Signal::number)
}

/// pidfd_send_signal(2).
pub(crate) fn signal(process: &PidHandle, signal: Option<Signal>) -> Result<()> {
    send(process, number(signal))
}

pub(super) fn send(process: &PidHandle, number: i32) -> Result<()> {
    let process = fd(process.descriptor())?.as_raw_fd();
    let nothing = std::ptr::null::<libc::siginfo_t>();
    // SAFETY: an open descriptor, no details.
    unsafe { syscall!(libc::SYS_pidfd_send_signal, process, number, nothing, 0)? };
    Ok(())
}

/// kill(2) of a group.
pub(super) fn signal_group(group: Option<Pid>, signal: Option<Signal>) -> Result<()> {
    let group = match group {
        None => 0,
        Some(Pid::INIT) => {
            return Err(Failure::Unsupported(
                "kill(2) takes -1 for every process there is, not for group 1; signal processes one by one",
            ));
        }
        Some(group) => -int(group.0)?,
    };
    // SAFETY: kill(2) takes numbers alone.
    unsafe { syscall!(libc::SYS_kill, group, number(signal))? };
    Ok(())
}

/// Runs inside the interrupted thread: an atomic addition is all it may do.
extern "C" fn count(number: libc::c_int) {
    if let Some(delivered) = usize::try_from(number).ok().and_then(|at| DELIVERED.get(at)) {
        delivered.fetch_add(1, Ordering::Relaxed);
    }
}

pub(super) fn set_delivery(signal: Signal, delivery: Delivery) -> Result<()> {
    match delivery {
        Delivery::Default => dispose(signal, libc::SIG_DFL),
        Delivery::Ignore => dispose(signal, libc::SIG_IGN),
        Delivery::Count => handle(signal, 0),
        Delivery::CountAndRestart => handle(signal, libc::SA_RESTART),
    }
}

/// By the system call itself: the C library keeps two signals from its callers.
pub(crate) fn dispose(signal: Signal, handler: usize) -> Result<()> {
    let action = Action { handler, flags: 0, restorer: 0, mask: 0 };
    let none = std::ptr::null_mut::<Action>();
    // SAFETY: the action has the kernel's layout and names no handler of ours.
    unsafe {
        syscall!(libc::SYS_rt_sigaction, signal.number(), &raw const action, none, SET_BYTES)?;
    }
    Ok(())
}

/// By the C library, which knows how a handler returns.
fn handle(signal: Signal, flags: libc::c_int) -> Result<()> {
    // SAFETY: `sigaction` is plain numbers, for which zero is a value.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = count as *const () as usize;
    action.sa_flags = flags;
    // SAFETY: the handler does what a handler may, and stays as long as the program.
    let done = unsafe { libc::sigaction(signal.number(), &raw const action, std::ptr::null_mut()) };
    answer(done.into()).map(drop)
}

pub(super) fn take_deliveries(signal: Signal) -> u64 {
    let at = usize::try_from(signal.number()).unwrap_or(0);
    DELIVERED.get(at).map_or(0, |delivered| delivered.swap(0, Ordering::Relaxed))
}

pub(super) fn mask() -> Result<SignalSet> {
    let mut old = 0_u64;
    let none = std::ptr::null::<u64>();
    // SAFETY: the kernel writes a set of the given length.
    unsafe {
        syscall!(libc::SYS_rt_sigprocmask, libc::SIG_SETMASK, none, &raw mut old, SET_BYTES)?;
    }
    Ok(SignalSet::from_bits(old))
}

pub(crate) fn set_mask(mask: SignalSet) -> Result<()> {
    let new = mask.bits();
    let none = std::ptr::null_mut::<u64>();
    // SAFETY: the kernel reads a set of the given length.
    unsafe {
        syscall!(libc::SYS_rt_sigprocmask, libc::SIG_SETMASK, &raw const new, none, SET_BYTES)?;
    }
    Ok(())
}

pub(super) fn pending() -> Result<SignalSet> {
    let mut set = 0_u64;
    // SAFETY: the kernel writes a set of the given length.
    unsafe { syscall!(libc::SYS_rt_sigpending, &raw mut set, SET_BYTES)? };
    Ok(SignalSet::from_bits(set))
}
