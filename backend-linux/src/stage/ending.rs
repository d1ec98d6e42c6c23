//! Whether a process is still there, and how it ended: asked by pidfd, since most actors are not the runner's children.

#![expect(unsafe_code, reason = "PIDFD_GET_INFO, and signal 0 by pidfd, have no wrapper")]

use std::os::fd::{AsRawFd as _, BorrowedFd};

use standin::backend::{WaitOptions, WaitStatus};
use standin::id::Pid;
use standin::signal::Signal;
use standin::transcript::End;

use super::task;
use crate::processes::wait::{Whom, wait_for};
use crate::raw::syscall;

/// Whether the process is there, alive or waiting to be waited for.
pub(super) fn exists(pidfd: BorrowedFd<'_>) -> bool {
    let nothing = std::ptr::null::<libc::siginfo_t>();
    // SAFETY: an open descriptor; signal 0 is none.
    unsafe { syscall!(libc::SYS_pidfd_send_signal, pidfd.as_raw_fd(), 0, nothing, 0) }.is_ok()
}

/// Waits for a child that has ended.
pub(super) fn reap(pidfd: BorrowedFd<'_>) -> Option<End> {
    let options = WaitOptions { nonblocking: true, ..WaitOptions::default() };
    let (_, status) = wait_for(&Whom::Held(pidfd.as_raw_fd()), options).ok().flatten()?;
    match status {
        WaitStatus::Exited(code) => Some(End::Exited(code)),
        WaitStatus::Killed(signal) => Some(End::Killed(signal)),
        WaitStatus::Stopped(_) | WaitStatus::Continued => None,
    }
}

/// How one ended that nobody has waited for yet.
pub(super) fn of_zombie(pid: Pid, pidfd: BorrowedFd<'_>) -> Option<End> {
    let told = task::stat(&format!("/proc/{pid}")).ok()?;
    // Its number was its own if it is still there now.
    exists(pidfd).then(|| decode(told.status)).flatten()
}

/// The kernel's `struct pidfd_info`, as long as it was first.
#[repr(C)]
#[derive(Default)]
struct Info {
    mask: u64,
    cgroup: u64,
    ids: [u32; 11],
    status: i32,
}

/// `PIDFD_GET_INFO` (Linux 6.13) and `PIDFD_INFO_EXIT` (Linux 6.15).
const GET_INFO: libc::Ioctl = 0xC040_FF0B;
const EXIT: u64 = 1 << 3;

/// How one ended that was waited for; only newer kernels remember.
pub(super) fn of_reaped(pidfd: BorrowedFd<'_>) -> Option<End> {
    let mut info = Info { mask: EXIT, ..Info::default() };
    // SAFETY: the kernel writes as many bytes as the structure has.
    let told = unsafe { libc::ioctl(pidfd.as_raw_fd(), GET_INFO, &raw mut info) };
    (told == 0 && info.mask & EXIT != 0).then(|| decode(info.status)).flatten()
}

/// A status as wait(2) has it.
fn decode(status: i32) -> Option<End> {
    match status & 0x7f {
        0 => u8::try_from(status >> 8 & 0xff).ok().map(End::Exited),
        signal => Signal::new(signal).map(End::Killed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_a_code_or_a_signal() {
        assert_eq!(decode(0), Some(End::Exited(0)));
        assert_eq!(decode(3 << 8), Some(End::Exited(3)));
        assert_eq!(decode(9), Some(End::Killed(Signal::KILL)));
        assert_eq!(decode(0x80 | 11), Some(End::Killed(Signal::SEGV)));
    }
}
