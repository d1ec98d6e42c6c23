//! Tracing: taken up and given up again (ptrace(2)).

#![expect(unsafe_code, reason = "ptrace(2) has no wrapper in rustix")]

use std::ptr::null_mut;

use standin::Errno;
use standin::backend::WaitOptions;
use standin::failure::Result;
use standin::id::Pid;

use super::wait::{Whom, wait_for};
use crate::raw::{answer, int};

fn ptrace(request: libc::c_uint, pid: i32) -> Result<()> {
    let nothing = null_mut::<libc::c_void>();
    // SAFETY: requests that read and write no memory.
    answer(unsafe { libc::ptrace(request, pid, nothing, nothing) }).map(drop)
}

/// Seizes, interrupts and detaches. A process that ends meanwhile was traced all the same, and its
/// end is left to its parent.
pub(super) fn attach(pid: Pid) -> Result<()> {
    let number = int(pid.0)?;
    ptrace(libc::PTRACE_SEIZE, number)?;
    ptrace(libc::PTRACE_INTERRUPT, number)?;
    let look = WaitOptions { stopped: true, keep: true, ..WaitOptions::default() };
    while wait_for(&Whom::Number(pid.0), look).is_err_and(|failure| failure.is(Errno::EINTR)) {}
    match ptrace(libc::PTRACE_DETACH, number) {
        Err(failure) if failure.is(Errno::ESRCH) => Ok(()),
        other => other,
    }
}
