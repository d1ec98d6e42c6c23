//! clone3(2): a copy of this process, with what Linux lets it be born with.

#![expect(
    unsafe_code,
    reason = "clone3(2) has no wrapper; what a child may do is up to the caller"
)]

use std::os::fd::RawFd;

use standin::failure::Result;

use crate::raw::{narrow, syscall};

/// The kernel's `struct clone_args`.
#[repr(C)]
#[derive(Default)]
struct Arguments {
    flags: u64,
    pidfd: u64,
    child_tid: u64,
    parent_tid: u64,
    exit_signal: u64,
    stack: u64,
    stack_size: u64,
    tls: u64,
    set_tid: u64,
    set_tid_size: u64,
    cgroup: u64,
}

/// `CLONE_CLEAR_SIGHAND`: handlers of the caller's become the default, what it ignores stays so.
const CLEAR_HANDLERS: u64 = 1 << 32;
/// `CLONE_INTO_CGROUP`
const INTO_CGROUP: u64 = 1 << 33;
/// `CLONE_PARENT`: the caller's parent is the child's.
const PARENT: u64 = 0x8000;
/// `CLONE_PIDFD`
const PIDFD: u64 = 0x1000;

/// How a child is born.
#[derive(Clone, Copy, Default)]
pub(crate) struct Birth {
    /// `CLONE_NEW*`
    pub(crate) namespaces: u64,
    /// A cgroup2 directory.
    pub(crate) cgroup: Option<RawFd>,
    /// It is the caller's sibling.
    pub(crate) sibling: bool,
    /// Handlers of the caller's are not run in it.
    pub(crate) clear_handlers: bool,
}

/// Which of the two returned.
pub(crate) enum Copy {
    /// The new process.
    Child,
    /// The caller: the child's number, and a descriptor of it if it was asked for.
    Caller { pid: u32, pidfd: Option<RawFd> },
}

/// Copies the calling process with this one thread.
///
/// # Safety
/// If the caller has other threads, the child may only make system calls until it runs another
/// program: no lock, no memory.
pub(crate) unsafe fn clone(birth: Birth, with_pidfd: bool) -> Result<Copy> {
    let mut pidfd: RawFd = -1;
    let mut arguments = Arguments { flags: birth.namespaces, ..Arguments::default() };
    if with_pidfd {
        arguments.flags |= PIDFD;
        arguments.pidfd = &raw mut pidfd as u64;
    }
    if birth.clear_handlers {
        arguments.flags |= CLEAR_HANDLERS;
    }
    if birth.sibling {
        // The sibling's exit signal is the caller's own, and must not be given.
        arguments.flags |= PARENT;
    } else {
        arguments.exit_signal = u64::from(libc::SIGCHLD.cast_unsigned());
    }
    if let Some(cgroup) = birth.cgroup {
        arguments.flags |= INTO_CGROUP;
        arguments.cgroup = u64::from(cgroup.cast_unsigned());
    }
    // SAFETY: the arguments have the kernel's layout and length; memory is copied, not shared.
    let pid = unsafe { syscall!(libc::SYS_clone3, &raw mut arguments, size_of::<Arguments>())? };
    if pid == 0 {
        return Ok(Copy::Child);
    }
    Ok(Copy::Caller { pid: narrow(pid)?, pidfd: with_pidfd.then_some(pidfd) })
}
