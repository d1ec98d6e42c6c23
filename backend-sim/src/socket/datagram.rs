//! Messages that keep their boundaries: datagrams, and the packets of connections (`SOCK_SEQPACKET`).
//!
//! A datagram goes to whoever it is addressed to, or to the peer; a packet to the other end of its connection. Either goes
//! whole or not at all, and is received whole or cut.

use standin::Errno;
use standin::backend::{Address, Message, Receive, SendFlags, SocketType};

use super::address::{check, find, name_automatically};
use super::identity::Identity;
use super::receive::Arrived;
use super::{
    Directions, Opened, Socket, SocketKey, State, control, end, queue, rights, send, wake_all,
};
use crate::fs::FileKey;
use crate::kernel::Kernel;
use crate::profile::Release;
use crate::step::{Step, Wait};
use crate::task::ThreadKey;
use crate::wait::Channel;

/// connect(2) of a datagram socket: whom it sends to, and alone receives from; `Unspecified` takes that away.
///
/// # Errors
/// EINVAL, and as [`find`]. EPERM: the other has another peer.
pub(super) fn connect(
    kernel: &mut Kernel,
    caller: ThreadKey,
    own: SocketKey,
    address: &Address,
) -> Step<()> {
    if *address == Address::Unspecified {
        set_peer(kernel, own, None);
        return Ok(());
    }
    check(address)?;
    if kernel.sockets.at(own).asks_for_sender() {
        name_automatically(kernel, own)?;
    }
    let other = find(kernel, caller, own, address)?;
    check_peer(kernel, own, other)?;
    set_peer(kernel, own, Some(other));
    Ok(())
}

/// Whether a socket takes messages from another: EPERM if it has a peer that is a third.
fn check_peer(kernel: &Kernel, own: SocketKey, other: SocketKey) -> Result<(), Errno> {
    match kernel.sockets.at(other).peer {
        Some(peer) if peer != own => Err(Errno::EPERM),
        Some(_) | None => Ok(()),
    }
}

fn set_peer(kernel: &mut Kernel, own: SocketKey, peer: Option<SocketKey>) {
    if let Some(peer) = peer {
        kernel.sockets.at_mut(peer).holders += 1;
    }
    let before = std::mem::replace(&mut kernel.sockets.at_mut(own).peer, peer);
    let Some(before) = before else { return };
    if peer != Some(before) {
        drop_queue(kernel, own, before);
    }
    kernel.waits.wake(Channel::SocketOutput(own));
    end::let_go(kernel, before);
}

/// What was received from a former peer is lost, and the peer is told if it has this one for its own.
fn drop_queue(kernel: &mut Kernel, own: SocketKey, former: SocketKey) {
    let pieces = std::mem::take(&mut kernel.sockets.at_mut(own).queue);
    if pieces.is_empty() {
        return;
    }
    for piece in pieces {
        queue::drop_piece(kernel, piece);
    }
    kernel.waits.wake(Channel::SocketBacklog(own));
    let other = kernel.sockets.at_mut(former);
    if other.state != State::Closed && other.peer == Some(own) {
        other.error = Some(Errno::ECONNRESET);
        wake_all(kernel, former);
    }
}

/// What is asked of packets before what goes with them is looked at: are they part of a connection?
///
/// # Errors
/// ECONNRESET, ENOTCONN.
pub(super) fn check_connected(socket: &mut Socket) -> Result<(), Errno> {
    match socket.error.take() {
        Some(errno) => Err(errno),
        None if socket.state != State::Connected => Err(Errno::ENOTCONN),
        None => Ok(()),
    }
}

/// sendmsg(2): all of it.
///
/// # Errors
/// EINVAL, ENOTCONN, EMSGSIZE, EPIPE, EAGAIN, ECONNRESET; ECONNREFUSED: the peer is gone; as [`find`]. EPERM: the receiver has
/// another peer, or takes no descriptors. ETOOMANYREFS.
pub(super) fn send(
    kernel: &mut Kernel,
    caller: ThreadKey,
    own: Opened,
    (message, flags): (&Message<'_>, SendFlags),
    (claimed, files): (Option<&Identity>, &[FileKey]),
) -> Step<usize> {
    // More than the buffer less this is refused.
    const RESERVED: usize = 32;
    let socket = kernel.sockets.at(own.key);
    let kind = socket.kind;
    let to = message.to.filter(|_| kind == SocketType::Datagram);
    let peer = socket.peer;
    // Since 6.14 that there is no receiver is found out last.
    let asks_first = kernel.profile.release < Release::V6_18;
    match to {
        Some(to) => check(to)?,
        None if peer.is_none() && asks_first => return Err(Errno::ENOTCONN.into()),
        None => {}
    }
    if kernel.sockets.at(own.key).asks_for_sender() {
        name_automatically(kernel, own.key)?;
    }
    let socket = kernel.sockets.at_mut(own.key);
    let most = usize::try_from(socket.send_limit).unwrap_or(usize::MAX).saturating_sub(RESERVED);
    if message.bytes.len() > most {
        return Err(Errno::EMSGSIZE.into());
    }
    let waits = !(flags.contains(SendFlags::NONBLOCKING) || own.nonblocking);
    send::check_room(socket)
        .map_err(|refusal| refusal.stop(waits, Channel::SocketOutput(own.key)))?;
    if !files.is_empty() {
        rights::check_number(kernel, caller)?;
    }
    let other = match (to, peer) {
        (Some(to), _) => find(kernel, caller, own.key, to)?,
        (None, Some(peer)) => peer,
        (None, None) => return Err(Errno::ENOTCONN.into()),
    };
    check_receiver(kernel, own.key, other, (waits, !files.is_empty()))?;
    let identity = send::identity(kernel, caller, own.key, other, claimed);
    let rights = rights::take_up(kernel, caller, files);
    let beside = queue::Sent { identity, rights, boundaries: queue::Boundaries::Kept };
    queue::push(kernel, own.key, other, message.bytes, beside);
    Ok(message.bytes.len())
}

/// Whether the receiver takes a message now.
fn check_receiver(
    kernel: &mut Kernel,
    own: SocketKey,
    other: SocketKey,
    (waits, has_files): (bool, bool),
) -> Step<()> {
    check_peer(kernel, own, other)?;
    let receiver = kernel.sockets.at(other);
    if receiver.state == State::Closed {
        if receiver.kind == SocketType::SeqPacket {
            return Err(Errno::EPIPE.into());
        }
        set_peer(kernel, own, None);
        return Err(Errno::ECONNREFUSED.into());
    }
    if receiver.ended.contains(Directions::RECEIVING) {
        return Err(Errno::EPIPE.into());
    }
    if has_files && !receiver.passes_rights {
        return Err(Errno::EPERM.into());
    }
    if own == other || !is_full_for(kernel, own, other) {
        Ok(())
    } else if waits {
        Err(Wait::on(Channel::SocketBacklog(other)).into())
    } else {
        Err(Errno::EAGAIN.into())
    }
}

/// Whether too many messages wait at a receiver. A pair of peers is bound by the sender's buffer alone.
pub(super) fn is_full_for(kernel: &Kernel, own: SocketKey, other: SocketKey) -> bool {
    let receiver = kernel.sockets.at(other);
    receiver.peer != Some(own) && receiver.queue.len() as u64 > u64::from(receiver.backlog)
}

/// recvmsg(2): one message; what the buffer has no room for is lost.
///
/// # Errors
/// ENOTCONN: packets of no connection. ECONNRESET. EAGAIN.
pub(super) fn receive(
    kernel: &mut Kernel,
    caller: ThreadKey,
    own: Opened,
    buffer: &mut [u8],
    how: Receive,
) -> Step<Arrived> {
    let first = kernel.sockets.at(own.key).queue.front().and_then(|piece| piece.identity.as_ref());
    control::check(kernel, own.key, first, how)?;
    let socket = kernel.sockets.at_mut(own.key);
    let is_packet = socket.kind == SocketType::SeqPacket;
    if is_packet && socket.state != State::Connected {
        return Err(Errno::ENOTCONN.into());
    }
    if let Some(errno) = socket.error.take() {
        return Err(errno.into());
    }
    let Some(piece) = socket.queue.front() else {
        let ended = socket.ended.contains(Directions::RECEIVING);
        let nonblocking = how.nonblocking || own.nonblocking;
        return if ended && (is_packet || !nonblocking) {
            Ok(Arrived::default())
        } else if nonblocking {
            Err(Errno::EAGAIN.into())
        } else {
            Err(Wait::on(Channel::SocketInput(own.key)).into())
        };
    };
    let length = piece.bytes.len().min(buffer.len());
    for (to, from) in buffer.iter_mut().zip(piece.bytes.iter()) {
        *to = *from;
    }
    let truncated = length < piece.bytes.len();
    let (sender, identity) = (piece.sender, piece.identity.clone());
    let files = piece.rights.files.clone();
    let from = kernel.sockets.at(sender).address.clone();
    // A look is enough to let senders try again.
    kernel.waits.wake(Channel::SocketBacklog(own.key));
    let files =
        if how.peek { rights::copy(kernel, &files) } else { queue::take_front(kernel, own.key) };
    let beside = control::Beside { files, sender: Some(identity) };
    let given = control::give(kernel, caller, own.key, beside, how)?;
    Ok(Arrived { length, from, truncated, given })
}
