//! Local sockets: made, named, connected, ended.

#![expect(unsafe_code, reason = "socket calls with addresses that rustix does not take")]

use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd, RawFd};

use rustix::net::{self, AddressFamily, Shutdown};
use standin::Errno;
use standin::backend::{Address, ShutdownHow, SocketFlags, SocketType};
use standin::failure::Result;
use standin::handle::Socket;

use super::address::Raw;
use crate::handle::fd;
use crate::raw::{answer, narrow, refused};

const fn kind_of(kind: SocketType) -> net::SocketType {
    match kind {
        SocketType::Stream => net::SocketType::STREAM,
        SocketType::Datagram => net::SocketType::DGRAM,
        SocketType::SeqPacket => net::SocketType::SEQPACKET,
    }
}

fn flags_of(flags: SocketFlags) -> net::SocketFlags {
    let mut how = net::SocketFlags::CLOEXEC;
    how.set(net::SocketFlags::NONBLOCK, flags.contains(SocketFlags::NONBLOCKING));
    how
}

pub(super) fn number(socket: &Socket) -> Result<RawFd> {
    Ok(fd(socket.descriptor())?.as_raw_fd())
}

pub(super) fn socket(kind: SocketType, flags: SocketFlags) -> Result<OwnedFd> {
    let (kind, flags) = (kind_of(kind), flags_of(flags));
    net::socket_with(AddressFamily::UNIX, kind, flags, None).map_err(refused)
}

pub(super) fn pair(kind: SocketType, flags: SocketFlags) -> Result<(OwnedFd, OwnedFd)> {
    let (kind, flags) = (kind_of(kind), flags_of(flags));
    net::socketpair(AddressFamily::UNIX, kind, flags, None).map_err(refused)
}

pub(super) fn bind(socket: &Socket, address: &Address) -> Result<()> {
    let raw = Raw::new(address)?;
    // SAFETY: the address lives until the call returns, and has this length.
    answer(unsafe { libc::bind(number(socket)?, raw.as_ptr(), raw.length) }.into()).map(drop)
}

pub(super) fn connect(socket: &Socket, address: &Address) -> Result<()> {
    let raw = Raw::new(address)?;
    // SAFETY: the address lives until the call returns, and has this length.
    answer(unsafe { libc::connect(number(socket)?, raw.as_ptr(), raw.length) }.into()).map(drop)
}

/// The kernel takes the backlog as unsigned and cuts it to net.core.somaxconn.
pub(super) fn listen(socket: &Socket, backlog: u32) -> Result<()> {
    net::listen(fd(socket.descriptor())?, backlog.cast_signed()).map_err(refused)
}

pub(super) fn accept(socket: &Socket, flags: SocketFlags) -> Result<OwnedFd> {
    net::accept_with(fd(socket.descriptor())?, flags_of(flags)).map_err(refused)
}

pub(super) fn shutdown(socket: &Socket, how: ShutdownHow) -> Result<()> {
    let how = match how {
        ShutdownHow::Read => Shutdown::Read,
        ShutdownHow::Write => Shutdown::Write,
        ShutdownHow::Both => Shutdown::Both,
    };
    net::shutdown(fd(socket.descriptor())?, how).map_err(refused)
}

pub(super) fn local_address(socket: &Socket) -> Result<Address> {
    let mut raw = Raw::room();
    let (pointer, length) = (raw.as_mut_ptr(), &raw mut raw.length);
    // SAFETY: the kernel fills at most the length that stands there.
    answer(unsafe { libc::getsockname(number(socket)?, pointer, length) }.into())?;
    Ok(raw.address())
}

pub(super) fn peer_address(socket: &Socket) -> Result<Address> {
    let mut raw = Raw::room();
    let (pointer, length) = (raw.as_mut_ptr(), &raw mut raw.length);
    // SAFETY: the kernel fills at most the length that stands there.
    answer(unsafe { libc::getpeername(number(socket)?, pointer, length) }.into())?;
    Ok(raw.address())
}

/// A descriptor that the kernel has just made for us.
pub(super) fn made(number: RawFd) -> Result<OwnedFd> {
    if number < 0 {
        return Err(Errno::EBADF.into());
    }
    // SAFETY: its only owner is this.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}

/// A length for a socket call.
pub(super) fn length_of<T>() -> Result<libc::socklen_t> {
    narrow(size_of::<T>())
}
