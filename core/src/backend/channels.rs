//! Channels: local sockets, pipes, event counters, shared memory.

use bitflags::bitflags;

use crate::errno::Errno;
use crate::handle::{Descriptor, File, Map, PidHandle, Socket};
use crate::id::{Bytes, Gid, Pid, Uid};
use crate::path::KPathBuf;

use super::Deadline;

super::operations! {
    /// Operations on what connects processes.
    pub trait Channels {
        /// socket(2) of family `AF_UNIX`.
        fn socket(&self, kind: SocketType, flags: SocketFlags) -> Socket;

        /// socketpair(2)
        fn socket_pair(&self, kind: SocketType, flags: SocketFlags) -> (Socket, Socket);

        /// bind(2). EADDRINUSE (the name is taken), EINVAL (bound already), EACCES.
        fn bind(&self, socket: &Socket, address: &Address) -> ();

        /// listen(2)
        fn listen(&self, socket: &Socket, backlog: u32) -> ();

        /// accept4(2). Blocks while nobody connects.
        fn accept(&self, socket: &Socket, flags: SocketFlags) -> Socket;

        /// connect(2). ENOENT, ECONNREFUSED (nobody listens), EAGAIN (the backlog is full), EPROTOTYPE, EISCONN.
        fn connect(&self, socket: &Socket, address: &Address) -> ();

        /// sendmsg(2): how many bytes went.
        fn send(&self, socket: &Socket, message: &Message<'_>, flags: SendFlags) -> usize;

        /// recvmsg(2)
        fn receive(&self, socket: &Socket, buffer: &mut [u8], receive: Receive) -> Received;

        /// shutdown(2)
        fn shutdown(&self, socket: &Socket, how: ShutdownHow) -> ();

        /// getsockname(2)
        fn local_address(&self, socket: &Socket) -> Address;

        /// getpeername(2)
        fn peer_address(&self, socket: &Socket) -> Address;

        /// getsockopt(2), as a number.
        fn socket_option(&self, socket: &Socket, option: SocketOption) -> u32;

        /// setsockopt(2)
        fn set_socket_option(&self, socket: &Socket, option: SocketOption, value: u32) -> ();

        /// `SO_PEERCRED`: who connected or listened, as it was then.
        fn peer_credentials(&self, socket: &Socket) -> PeerCredentials;

        /// `SO_PEERPIDFD`
        fn peer_process(&self, socket: &Socket) -> PidHandle;

        /// pipe2(2): the reading end, the writing end.
        fn pipe(&self, flags: SocketFlags) -> (File, File);

        /// eventfd2(2)
        fn event_counter(&self, initial: u32, semaphore: bool, flags: SocketFlags) -> File;

        /// fcntl(2) `O_NONBLOCK` of an open file.
        fn set_nonblocking(&self, descriptor: &Descriptor, nonblocking: bool) -> ();

        /// dup(2): another descriptor of the same open file.
        fn duplicate(&self, descriptor: &Descriptor) -> Descriptor;

        /// A handle on a descriptor that the process was born with: 0, 1, 2, or one that its parent named in
        /// [`Spawn::descriptors`](super::Spawn::descriptors). EBADF if it is not open.
        fn inherited(&self, number: u32) -> Descriptor;

        /// mmap(2) with `MAP_SHARED`, from the file's start; `twice` maps it a second time right behind itself.
        fn map(&self, file: &File, length: Bytes, twice: bool) -> Map;

        /// Copies out of shared memory; no ordering, no atomicity.
        fn map_read(&self, map: &Map, offset: Bytes, buffer: &mut [u8]) -> ();

        /// Copies into shared memory; no ordering, no atomicity.
        fn map_write(&self, map: &Map, offset: Bytes, bytes: &[u8]) -> ();

        /// Loads an aligned 32-bit word, sequentially consistent.
        fn map_load(&self, map: &Map, offset: Bytes) -> u32;

        /// Stores an aligned 32-bit word, sequentially consistent.
        fn map_store(&self, map: &Map, offset: Bytes, value: u32) -> ();

        /// Swaps an aligned 32-bit word if it is `expected`; returns what it was.
        fn map_compare_exchange(&self, map: &Map, offset: Bytes, expected: u32, value: u32) -> u32;

        /// futex(2) `FUTEX_WAIT` on shared memory. EAGAIN if the word is not `expected`, ETIMEDOUT, EINTR.
        fn futex_wait(&self, map: &Map, offset: Bytes, expected: u32, deadline: Deadline) -> ();

        /// futex(2) `FUTEX_WAKE`: how many were woken.
        fn futex_wake(&self, map: &Map, offset: Bytes, count: u32) -> u32;
    }
}

/// How bytes travel through a local socket (unix(7)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum SocketType {
    /// `SOCK_STREAM`
    Stream,
    /// `SOCK_DGRAM`
    Datagram,
    /// `SOCK_SEQPACKET`
    SeqPacket,
}

bitflags! {
    /// How a new descriptor behaves.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub struct SocketFlags: u32 {
        /// `SOCK_NONBLOCK`
        const NONBLOCKING = 1;
    }
}

/// A local socket's address (unix(7)).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Address {
    /// None; binding to it gives a name that is free (autobind).
    Unnamed,
    /// A file.
    Path(KPathBuf),
    /// A name in the network namespace: any bytes, NUL too, without the leading one.
    Abstract(#[cfg_attr(feature = "serde", serde(with = "crate::written"))] Vec<u8>),
    /// `AF_UNSPEC`: connecting to it takes a datagram socket's peer away.
    Unspecified,
}

/// What is sent.
#[derive(Clone, Copy, Debug, Default)]
pub struct Message<'a> {
    /// The bytes.
    pub bytes: &'a [u8],
    /// To whom, where the socket has no peer.
    pub to: Option<&'a Address>,
    /// Open files to pass on (`SCM_RIGHTS`).
    pub descriptors: &'a [&'a Descriptor],
    /// Who sends it (`SCM_CREDENTIALS`).
    pub credentials: Option<PeerCredentials>,
}

bitflags! {
    /// How it is sent.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub struct SendFlags: u32 {
        /// `MSG_DONTWAIT`
        const NONBLOCKING = 1;
        /// Without `MSG_NOSIGNAL`: a broken pipe sends SIGPIPE.
        const SIGNAL = 2;
    }
}

/// How to receive, and what there is room for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Receive {
    /// `MSG_PEEK`
    pub peek: bool,
    /// `MSG_WAITALL`
    pub wait_all: bool,
    /// `MSG_DONTWAIT`
    pub nonblocking: bool,
    /// Room for this many descriptors.
    pub descriptors: usize,
    /// Room for credentials.
    pub credentials: bool,
    /// Room for a process handle.
    pub process: bool,
}

/// What came.
#[derive(Debug, Default)]
pub struct Received {
    /// How many bytes are in the buffer; 0 is the end of a stream.
    pub length: usize,
    /// From whom, if the sender has a name.
    pub from: Option<Address>,
    /// Who sent it.
    pub credentials: Option<PeerCredentials>,
    /// Open files that came with it.
    pub descriptors: Vec<Descriptor>,
    /// The sender's handle, or the errno that the kernel puts in its place: EINVAL for one that was reaped.
    pub process: Option<Result<PidHandle, Errno>>,
    /// `MSG_TRUNC`
    pub truncated: bool,
    /// `MSG_CTRUNC`
    pub control_truncated: bool,
}

/// Which direction ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ShutdownHow {
    /// `SHUT_RD`
    Read,
    /// `SHUT_WR`
    Write,
    /// `SHUT_RDWR`
    Both,
}

/// Options of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SocketOption {
    /// `SO_PASSCRED`
    PassCredentials,
    /// `SO_PASSPIDFD`
    PassProcess,
    /// `SO_PASSRIGHTS`
    PassRights,
    /// `SO_ACCEPTCONN`
    Listening,
    /// `SO_ERROR`: an errno, and reading takes it.
    Error,
    /// `SO_SNDBUF`, in bytes.
    SendBuffer,
    /// `SO_RCVBUF`, in bytes.
    ReceiveBuffer,
}

/// Who is at the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PeerCredentials {
    /// Its process, as the reader's pid namespace sees it.
    pub pid: Pid,
    /// Its user, as the reader's user namespace sees it.
    pub uid: Uid,
    /// Its group.
    pub gid: Gid,
}
