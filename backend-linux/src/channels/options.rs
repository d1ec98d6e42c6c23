//! Options of a socket, and who is at its other end.

#![expect(
    unsafe_code,
    reason = "getsockopt(2) and setsockopt(2) with options rustix does not have"
)]

use std::os::fd::OwnedFd;

use standin::Errno;
use standin::backend::{PeerCredentials, SocketOption};
use standin::failure::Result;
use standin::handle::Socket;
use standin::id::{Gid, Pid, Uid};

use super::sockets::{length_of, made, number};
use crate::raw::{answer, int};

/// `SO_PASSPIDFD` (Linux 6.5)
const PASS_PIDFD: libc::c_int = 76;
/// `SO_PEERPIDFD` (Linux 6.5)
const PEER_PIDFD: libc::c_int = 77;
/// `SO_PASSRIGHTS` (Linux 6.16)
const PASS_RIGHTS: libc::c_int = 83;

const fn name(option: SocketOption) -> libc::c_int {
    match option {
        SocketOption::PassCredentials => libc::SO_PASSCRED,
        SocketOption::PassProcess => PASS_PIDFD,
        SocketOption::PassRights => PASS_RIGHTS,
        SocketOption::Listening => libc::SO_ACCEPTCONN,
        SocketOption::Error => libc::SO_ERROR,
        SocketOption::SendBuffer => libc::SO_SNDBUF,
        SocketOption::ReceiveBuffer => libc::SO_RCVBUF,
    }
}

/// Reads an option into a plain structure.
///
/// # Safety
/// Any bytes must be a value of `T`.
unsafe fn read<T>(socket: &Socket, name: libc::c_int, mut value: T) -> Result<T> {
    let mut length = length_of::<T>()?;
    let (level, to) = (libc::SOL_SOCKET, (&raw mut value).cast());
    // SAFETY: the kernel fills at most the length that stands there.
    answer(unsafe { libc::getsockopt(number(socket)?, level, name, to, &raw mut length) }.into())?;
    Ok(value)
}

pub(super) fn get(socket: &Socket, option: SocketOption) -> Result<u32> {
    // SAFETY: a number.
    let value: libc::c_int = unsafe { read(socket, name(option), 0)? };
    u32::try_from(value).map_err(|_| Errno::EOVERFLOW.into())
}

pub(super) fn set(socket: &Socket, option: SocketOption, value: u32) -> Result<()> {
    let value: libc::c_int = int(value)?;
    let length = length_of::<libc::c_int>()?;
    let (level, from) = (libc::SOL_SOCKET, (&raw const value).cast());
    // SAFETY: the kernel reads a number of this length.
    answer(unsafe { libc::setsockopt(number(socket)?, level, name(option), from, length) }.into())
        .map(drop)
}

pub(super) fn peer_credentials(socket: &Socket) -> Result<PeerCredentials> {
    let nobody = libc::ucred { pid: 0, uid: 0, gid: 0 };
    // SAFETY: three numbers.
    let told = unsafe { read(socket, libc::SO_PEERCRED, nobody)? };
    Ok(credentials(told))
}

/// The kernel's form of credentials, in ours.
pub(super) fn credentials(told: libc::ucred) -> PeerCredentials {
    let pid = Pid(u32::try_from(told.pid).unwrap_or(0));
    PeerCredentials { pid, uid: Uid(told.uid), gid: Gid(told.gid) }
}

pub(super) fn peer_process(socket: &Socket) -> Result<OwnedFd> {
    // SAFETY: a number.
    let number: libc::c_int = unsafe { read(socket, PEER_PIDFD, -1)? };
    made(number)
}
