//! The answer of a system call as a `Result`, for what rustix has no call for.
//!
//! Neighbours: every file that says `syscall!`. What rustix answers comes through [`refused`].

use libc::c_long;
use standin::Errno;
use standin::failure::{Failure, Result};

/// What rustix was refused with.
pub(crate) fn refused(errno: rustix::io::Errno) -> Failure {
    Failure::Errno(Errno::from_raw(errno.raw_os_error()))
}

/// The thread's `errno`, as a failure.
pub(crate) fn last() -> Failure {
    let number = std::io::Error::last_os_error().raw_os_error().unwrap_or(0);
    Failure::Errno(Errno::from_raw(number))
}

/// What a call of libc answered: -1 is a refusal, its number in the thread's `errno`.
pub(crate) fn answer(value: c_long) -> Result<usize> {
    usize::try_from(value).map_err(|_| last())
}

/// An unsigned number of the kernel's that fits into 32 bits; one that does not is EOVERFLOW.
pub(crate) fn narrow(value: usize) -> Result<u32> {
    u32::try_from(value).map_err(|_| Errno::EOVERFLOW.into())
}

/// A number for a kernel argument of type `int`; one that does not fit is EINVAL, as it would be there.
pub(crate) fn int(value: u32) -> Result<i32> {
    i32::try_from(value).map_err(|_| Errno::EINVAL.into())
}

/// One system call by number. Unsafe: the arguments must be what the call's man page asks for.
macro_rules! syscall {
    ($number:expr $(, $argument:expr)* $(,)?) => {
        $crate::raw::answer(libc::syscall($number $(, $argument)*))
    };
}

pub(crate) use syscall;
