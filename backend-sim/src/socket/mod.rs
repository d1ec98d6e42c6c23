//! Local sockets (unix(7)): who is bound, connected and listening, and what is under way between them.
//!
//! A [`Socket`] is one end. Two connected ends name each other as peers; what one sends stands in the other's queue, charged
//! to the sender until it was read. Names are in [`address`], making connections in [`connect`], messages in [`send`] and
//! [`receive`] (those with boundaries in [`datagram`]) with their pieces in [`queue`], who sent them in [`identity`], the open files
//! that go with them in [`rights`], what of it a receiver has room for in [`control`], readiness in [`poll`], the ends in [`end`],
//! and sockets that only lost messages hold in [`collect`].
//! Neighbours: `fs::descriptors` (the open files that lead here), `fs::names` (socket files). This module knows no
//! handle of a backend and no transcript.

pub(crate) mod address;
mod check;
mod collect;
pub(crate) mod connect;
mod control;
mod datagram;
mod end;
mod identity;
pub(crate) mod look;
pub(crate) mod options;
mod poll;
mod queue;
pub(crate) mod receive;
mod rights;
pub(crate) mod send;

use std::collections::VecDeque;

use bitflags::bitflags;
use rustc_hash::FxHashMap;
use standin::backend::{AccessMode, Address, OpenFlags, SocketFlags, SocketType};
use standin::{Errno, Uid};

pub(crate) use check::check;
pub(crate) use end::{close, shut_down};
pub(crate) use poll::poll;

use crate::fs::proc::sysctl::{SocketNumber, socket_number};
use crate::fs::{FileKey, OpenKind, Spot, descriptors};
use crate::kernel::Kernel;
use crate::namespace::{self, Held, NetKey};
use crate::step::Step;
use crate::stock::Stock;
use crate::table::{Key, Table};
use crate::task::ThreadKey;
use crate::wait::Channel;
use identity::Identity;
use queue::Piece;

pub(crate) type SocketKey = Key<Socket>;

/// All sockets of a machine.
#[derive(Clone, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Sockets {
    table: Table<Socket>,
    /// Abstract names; net namespaces and the types of sockets have separate ones. Looked up, never listed.
    #[cfg_attr(feature = "serde", serde(with = "crate::written::map"))]
    names: FxHashMap<(NetKey, SocketType, Vec<u8>), SocketKey>,
    /// The name that was chosen last for a socket that asked for any.
    last_automatic: u32,
    /// How many open files each user has under way. Looked up, never listed.
    #[cfg_attr(feature = "serde", serde(with = "crate::written::map"))]
    under_way: FxHashMap<Uid, u32>,
    /// How many of all of them are sockets.
    sockets_under_way: u32,
    /// Files of dropped messages that are to be closed, the first of them just now.
    closing: VecDeque<FileKey>,
    /// A socket was closed since it was looked for what nobody can receive.
    closed_one: bool,
}

/// One end of a channel.
#[derive(Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Socket {
    kind: SocketType,
    /// Where it was made, which it counts in as a holder.
    net: NetKey,
    state: State,
    /// The name that it was given, or that its listener had.
    address: Option<Address>,
    /// The socket file behind that name.
    spot: Option<Spot>,
    /// The other end. It stays named after it was closed, until this end is.
    peer: Option<SocketKey>,
    /// Which directions are shut down.
    ended: Directions,
    /// `SO_ERROR`: what the next call that asks is told.
    error: Option<Errno>,
    /// What came and was not read yet.
    queue: VecDeque<Piece>,
    /// Connections that nobody accepted yet, of a listener.
    waiting: VecDeque<SocketKey>,
    /// How many of these there may be, and one more.
    backlog: u32,
    /// `SO_PEERCRED`
    peer_identity: Option<Identity>,
    /// `SO_PASSCRED`
    passes_credentials: bool,
    /// `SO_PASSPIDFD`
    passes_process: bool,
    /// `SO_PASSRIGHTS`
    passes_rights: bool,
    /// `SO_SNDBUF`: how much may be under way, with what the kernel needs for it.
    send_limit: u32,
    /// `SO_RCVBUF`, which nothing of a local socket depends on.
    receive_limit: u32,
    /// How much is under way.
    charged: u32,
    /// The open file or listener that has it, the sockets whose peer it is, and the pieces that it sent.
    holders: u32,
}

/// What a socket is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
enum State {
    /// Nothing yet.
    Unconnected,
    /// It takes connections.
    Listening,
    /// It is one end of a connection that nobody has accepted.
    Waiting,
    /// It is one end of a connection.
    Connected,
    /// Its last descriptor was closed; others still name it.
    Closed,
}

bitflags! {
    /// The two ways that bytes go.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
    struct Directions: u8 {
        const RECEIVING = 1;
        const SENDING = 2;
    }
}

impl Sockets {
    /// How much there is of each.
    pub(crate) fn take_stock(&self, all: &mut Stock) {
        all.table("sockets", &self.table);
        all.map("abstract names", self.names.len());
        all.map("users with files under way", self.under_way.len());
        all.map("files to close", self.closing.len());
    }

    /// The namespace of each socket.
    pub(crate) fn nets(&self) -> impl Iterator<Item = NetKey> {
        self.table.iter().map(|(_, socket)| socket.net)
    }

    #[track_caller]
    fn at(&self, key: SocketKey) -> &Socket {
        self.table.at(key)
    }

    #[track_caller]
    fn at_mut(&mut self, key: SocketKey) -> &mut Socket {
        self.table.at_mut(key)
    }
}

impl Socket {
    fn new(kind: SocketType, net: NetKey) -> Self {
        Self {
            kind,
            net,
            state: State::Unconnected,
            address: None,
            spot: None,
            peer: None,
            ended: Directions::empty(),
            error: None,
            queue: VecDeque::new(),
            waiting: VecDeque::new(),
            backlog: options::FIRST_BACKLOG,
            peer_identity: None,
            passes_credentials: false,
            passes_process: false,
            passes_rights: true,
            send_limit: options::BUFFER_BYTES,
            receive_limit: options::BUFFER_BYTES,
            charged: 0,
            holders: 1,
        }
    }

    /// Whether who sends something is to be noted.
    const fn asks_for_sender(&self) -> bool {
        self.passes_credentials || self.passes_process
    }

    /// Whether there is room enough that who waits for some is told (unix(7) says nothing; the kernel's rule: a quarter).
    const fn is_writable(&self) -> bool {
        !matches!(self.state, State::Listening)
            && (self.charged as u64 + 1) * 4 <= self.send_limit as u64
    }
}

/// A socket behind a descriptor of the caller, and whether its calls wait.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Opened {
    pub(crate) key: SocketKey,
    pub(crate) nonblocking: bool,
}

/// The socket behind a descriptor.
///
/// # Errors
/// EBADF: not open, or a place alone. ENOTSOCK.
pub(crate) fn opened(kernel: &Kernel, caller: ThreadKey, number: u32) -> Result<Opened, Errno> {
    let file = kernel.vfs.files.at(descriptors::get_opened(kernel, caller, number)?);
    let nonblocking = file.flags.contains(OpenFlags::NONBLOCKING);
    match file.kind {
        OpenKind::Socket(key) => Ok(Opened { key, nonblocking }),
        OpenKind::Node(_)
        | OpenKind::Process(..)
        | OpenKind::Namespace(_)
        | OpenKind::Pipe(..)
        | OpenKind::Counter(_)
        | OpenKind::Watcher(_) => Err(Errno::ENOTSOCK),
    }
}

/// The flags of an open file that is made with these.
pub(crate) fn open_flags(flags: SocketFlags) -> OpenFlags {
    if flags.contains(SocketFlags::NONBLOCKING) {
        OpenFlags::NONBLOCKING
    } else {
        OpenFlags::empty()
    }
}

/// socket(2): the number of its descriptor.
///
/// # Errors
/// EMFILE.
pub(crate) fn open(
    kernel: &mut Kernel,
    caller: ThreadKey,
    kind: SocketType,
    flags: SocketFlags,
) -> Step<u32> {
    descriptors::check_room(kernel, caller, 1)?;
    let net = namespace::of(kernel, caller).net;
    let key = insert(kernel, Socket::new(kind, net));
    install(kernel, caller, key, flags)
}

/// A socket begins, in its net namespace.
fn insert(kernel: &mut Kernel, mut socket: Socket) -> SocketKey {
    if let Some(backlog) = socket_number(kernel, socket.net, SocketNumber::Datagrams) {
        socket.backlog = backlog;
    }
    kernel.namespaces.keep(Held::Net(socket.net));
    kernel.sockets.table.insert(socket)
}

/// A descriptor of a socket; there is room for it.
fn install(
    kernel: &mut Kernel,
    caller: ThreadKey,
    key: SocketKey,
    flags: SocketFlags,
) -> Step<u32> {
    let (kind, flags) = (OpenKind::Socket(key), open_flags(flags));
    descriptors::install_opened(kernel, caller, kind, AccessMode::ReadWrite, flags)
}

/// Both who waits for something to read and who waits for room look again.
fn wake_all(kernel: &mut Kernel, key: SocketKey) {
    kernel.waits.wake(Channel::SocketInput(key));
    kernel.waits.wake(Channel::SocketOutput(key));
}
