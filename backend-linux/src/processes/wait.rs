//! Waiting for children: waitid(2).

#![expect(unsafe_code, reason = "waitid(2) with the child's number, which rustix does not tell")]

use std::os::fd::AsRawFd as _;

use standin::backend::{WaitOptions, WaitStatus};
use standin::failure::Result;
use standin::handle::PidHandle;
use standin::id::Pid;
use standin::signal::Signal;

use crate::handle::fd;
use crate::raw::answer;

/// Which children.
pub(crate) enum Whom {
    /// By pid handle.
    Held(i32),
    /// By number; also one that sends no SIGCHLD.
    Number(u32),
    /// Whichever is first.
    Any,
}

pub(crate) fn wait(process: &PidHandle, options: WaitOptions) -> Result<Option<WaitStatus>> {
    let whom = Whom::Held(fd(process.descriptor())?.as_raw_fd());
    Ok(wait_for(&whom, options)?.map(|(_, status)| status))
}

/// Who changed, and how. `None` if nobody did and the call must not wait.
pub(crate) fn wait_for(whom: &Whom, options: WaitOptions) -> Result<Option<(Pid, WaitStatus)>> {
    let mut flags = libc::WEXITED;
    for (wanted, flag) in [
        (options.nonblocking, libc::WNOHANG),
        (options.keep, libc::WNOWAIT),
        (options.stopped, libc::WSTOPPED),
        (options.continued, libc::WCONTINUED),
        (matches!(whom, Whom::Number(_)), libc::__WALL),
    ] {
        if wanted {
            flags |= flag;
        }
    }
    let (kind, id) = match whom {
        Whom::Held(number) => (libc::P_PIDFD, number.cast_unsigned()),
        Whom::Number(number) => (libc::P_PID, *number),
        Whom::Any => (libc::P_ALL, 0),
    };
    // SAFETY: `siginfo_t` is plain numbers, for which zero is a value.
    let mut told: libc::siginfo_t = unsafe { std::mem::zeroed() };
    // SAFETY: waitid(2) fills the structure, and nothing else.
    answer(unsafe { libc::waitid(kind, id, &raw mut told, flags) }.into())?;
    // SAFETY: for a child's change the kernel has filled these fields; else they are zero.
    let (pid, status) = unsafe { (told.si_pid(), told.si_status()) };
    let pid = Pid(u32::try_from(pid).unwrap_or(0));
    Ok(status_of(told.si_code, status).filter(|_| pid != Pid::ZERO).map(|status| (pid, status)))
}

fn status_of(code: i32, status: i32) -> Option<WaitStatus> {
    Some(match code {
        libc::CLD_EXITED => WaitStatus::Exited(u8::try_from(status & 0xff).unwrap_or(0)),
        libc::CLD_KILLED | libc::CLD_DUMPED => WaitStatus::Killed(Signal::new(status)?),
        libc::CLD_STOPPED | libc::CLD_TRAPPED => WaitStatus::Stopped(Signal::new(status)?),
        libc::CLD_CONTINUED => WaitStatus::Continued,
        _ => return None,
    })
}
