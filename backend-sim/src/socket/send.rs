//! Sending (sendmsg(2), and write(2) of a socket).

use standin::backend::{Message, SendFlags, SocketType};
use standin::{Errno, Failure, Signal};

use super::identity::Identity;
use super::{Directions, Socket, SocketKey, State, datagram, opened, queue, rights};
use crate::fs::FileKey;
use crate::kernel::Kernel;
use crate::step::{Step, Stop, Wait};
use crate::task::{ThreadKey, signal};
use crate::wait::Channel;

/// How far a message has gone whose sender waits for room.
#[derive(Debug, Default)]
pub(crate) struct Sending {
    /// Bytes that are under way.
    pub(crate) sent: usize,
    /// What is asked once was asked.
    began: bool,
    /// The open files that go with it, once they were looked up.
    files: Option<Vec<FileKey>>,
}

/// sendmsg(2): how many bytes went. A stream takes them all, if need be in pieces between which it waits for room.
///
/// # Errors
/// EBADF, ENOTSOCK. EBADF, EINVAL, ETOOMANYREFS: the descriptors; EPERM: the receiver takes none. EINVAL, EPERM, ESRCH: the credentials. EISCONN, EOPNOTSUPP: an address for a stream. ENOTCONN. EPIPE, with SIGPIPE
/// if that is asked for: one side was shut down, or the peer is gone. ECONNRESET: it went while the sender waited. EAGAIN.
pub(crate) fn send(
    kernel: &mut Kernel,
    caller: ThreadKey,
    number: u32,
    (message, numbers, flags): (&Message<'_>, &[u32], SendFlags),
    sending: &mut Sending,
) -> Step<usize> {
    let own = opened(kernel, caller, number)?;
    let socket = kernel.sockets.at_mut(own.key);
    let kind = socket.kind;
    if kind == SocketType::SeqPacket {
        datagram::check_connected(socket)?;
    }
    let files = sending.look_up(kernel, caller, numbers)?;
    let claimed =
        message.credentials.map(|claim| Identity::claimed(kernel, caller, claim)).transpose()?;
    if kind != SocketType::Stream {
        return datagram::send(kernel, caller, own, (message, flags), (claimed.as_ref(), &files));
    }
    if !sending.began {
        begin(kernel, caller, own.key, message, flags)?;
        sending.began = true;
    }
    while sending.sent < message.bytes.len() {
        let rest = message.bytes.get(sending.sent..).unwrap_or_default();
        let files = if sending.sent == 0 { &*files } else { &[] };
        match send_piece(kernel, caller, own.key, rest, (claimed.as_ref(), files)) {
            Ok(length) => sending.sent += length,
            Err(Refusal::Full) if flags.contains(SendFlags::NONBLOCKING) || own.nonblocking => {
                return sending.end(Errno::EAGAIN);
            }
            Err(Refusal::Full) => return Err(Wait::on(Channel::SocketOutput(own.key)).into()),
            Err(Refusal::Gone) => {
                if sending.sent == 0 {
                    break_pipe(kernel, caller, flags);
                }
                return sending.end(Errno::EPIPE);
            }
            Err(Refusal::Errno(errno)) => return sending.end(errno),
        }
    }
    Ok(sending.sent)
}

impl Sending {
    /// The open files that go with the message: those that its numbers led to when the call began.
    fn look_up(
        &mut self,
        kernel: &Kernel,
        caller: ThreadKey,
        numbers: &[u32],
    ) -> Result<Vec<FileKey>, Failure> {
        let found = rights::named(kernel, caller, numbers);
        match &self.files {
            None => self.files = Some(found?),
            // A thread of the same process may have closed one meanwhile.
            Some(files) if found.as_ref() != Ok(files) => {
                return Err(Failure::NotModelled("a descriptor closed while it waits to be sent"));
            }
            Some(_) => {}
        }
        Ok(self.files.clone().unwrap_or_default())
    }

    /// The answer when nothing more goes: what went counts before why.
    fn end(&self, errno: Errno) -> Step<usize> {
        if self.sent > 0 { Ok(self.sent) } else { Err(errno.into()) }
    }

    /// What a signal leaves of a call that waited for room: the answer, if something went.
    pub(crate) fn partial(&self) -> Option<usize> {
        (self.sent > 0).then_some(self.sent)
    }
}

/// What is found out before the first byte goes.
fn begin(
    kernel: &mut Kernel,
    caller: ThreadKey,
    key: SocketKey,
    message: &Message<'_>,
    flags: SendFlags,
) -> Step<()> {
    let socket = kernel.sockets.at(key);
    if message.to.is_some() {
        let connected = socket.state == State::Connected;
        return Err(if connected { Errno::EISCONN } else { Errno::EOPNOTSUPP }.into());
    }
    if socket.peer.is_none() {
        return Err(Errno::ENOTCONN.into());
    }
    if socket.ended.contains(Directions::SENDING) {
        break_pipe(kernel, caller, flags);
        return Err(Errno::EPIPE.into());
    }
    Ok(())
}

fn break_pipe(kernel: &mut Kernel, caller: ThreadKey, flags: SendFlags) {
    if flags.contains(SendFlags::SIGNAL) {
        signal::send_thread(kernel, caller, Signal::PIPE);
    }
}

/// Why a piece does not go.
pub(super) enum Refusal {
    /// There is no room.
    Full,
    /// Nobody will read it.
    Gone,
    Errno(Errno),
}

impl Refusal {
    /// The end of a call of which nothing went, or its wait for room.
    pub(super) fn stop(self, waits: bool, room: Channel) -> Stop {
        match self {
            Self::Full if waits => Wait::on(room).into(),
            Self::Full => Errno::EAGAIN.into(),
            Self::Gone => Errno::EPIPE.into(),
            Self::Errno(errno) => errno.into(),
        }
    }
}

/// Sends what goes in one piece; how much that is.
fn send_piece(
    kernel: &mut Kernel,
    caller: ThreadKey,
    key: SocketKey,
    bytes: &[u8],
    (claimed, files): (Option<&Identity>, &[FileKey]),
) -> Result<usize, Refusal> {
    let socket = kernel.sockets.at_mut(key);
    check_room(socket)?;
    let bytes = bytes.get(..queue::most_bytes(socket.send_limit)).unwrap_or(bytes);
    let peer = socket.peer.ok_or(Refusal::Errno(Errno::ENOTCONN))?;
    if !files.is_empty() {
        rights::check_number(kernel, caller).map_err(Refusal::Errno)?;
    }
    let other = kernel.sockets.at(peer);
    if other.state == State::Closed || other.ended.contains(Directions::RECEIVING) {
        return Err(Refusal::Gone);
    }
    if !files.is_empty() && !other.passes_rights {
        return Err(Refusal::Errno(Errno::EPERM));
    }
    let identity = identity(kernel, caller, key, peer, claimed);
    let rights = rights::take_up(kernel, caller, files);
    let beside = queue::Sent { identity, rights, boundaries: queue::Boundaries::None };
    queue::push(kernel, key, peer, bytes, beside);
    Ok(bytes.len())
}

/// Whether a socket may send something now.
pub(super) fn check_room(socket: &mut Socket) -> Result<(), Refusal> {
    if let Some(errno) = socket.error.take() {
        Err(Refusal::Errno(errno))
    } else if socket.ended.contains(Directions::SENDING) {
        Err(Refusal::Errno(Errno::EPIPE))
    } else if socket.charged >= socket.send_limit {
        Err(Refusal::Full)
    } else {
        Ok(())
    }
}

/// Whom a message names as its sender, if anybody wants to know; who accepts the connection may, before 6.16.
pub(super) fn identity(
    kernel: &Kernel,
    caller: ThreadKey,
    own: SocketKey,
    other: SocketKey,
    claimed: Option<&Identity>,
) -> Option<Identity> {
    let receiver = kernel.sockets.at(other);
    let wanted = kernel.sockets.at(own).asks_for_sender()
        || receiver.asks_for_sender()
        || receiver.state == State::Waiting;
    claimed.cloned().or_else(|| wanted.then(|| Identity::of_sender(kernel, caller)))
}
