//! How channels end: shutdown(2), and the closing of the last descriptor.

use standin::Errno;
use standin::backend::{ShutdownHow, SocketType};

use super::address::forget;
use super::{Directions, SocketKey, State, collect, opened, queue, wake_all};
use crate::kernel::Kernel;
use crate::namespace::{self, Held};
use crate::step::Step;
use crate::task::ThreadKey;
use crate::wait::Channel;

/// shutdown(2): of one end, and what that means for the other.
///
/// # Errors
/// EBADF, ENOTSOCK.
pub(crate) fn shut_down(
    kernel: &mut Kernel,
    caller: ThreadKey,
    number: u32,
    how: ShutdownHow,
) -> Step<()> {
    let key = opened(kernel, caller, number)?.key;
    let (own, others) = match how {
        ShutdownHow::Read => (Directions::RECEIVING, Directions::SENDING),
        ShutdownHow::Write => (Directions::SENDING, Directions::RECEIVING),
        ShutdownHow::Both => (Directions::all(), Directions::all()),
    };
    let socket = kernel.sockets.at_mut(key);
    socket.ended |= own;
    let peer = socket.peer.filter(|_| socket.kind != SocketType::Datagram);
    if let Some(peer) = peer {
        kernel.sockets.at_mut(peer).ended |= others;
        wake_all(kernel, peer);
    }
    wake_all(kernel, key);
    Ok(())
}

/// The last descriptor was closed.
pub(crate) fn close(kernel: &mut Kernel, key: SocketKey) {
    release(kernel, key, Unread::IfAny);
    kernel.sockets.closed_one = true;
    collect::collect_if_closed(kernel);
}

/// Whether the peer of a closed end lost something that it sent: it is told so (ECONNRESET).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unread {
    /// If there is something in the queue.
    IfAny,
    /// In any case: nobody ever accepted the connection.
    All,
}

fn release(kernel: &mut Kernel, key: SocketKey, unread: Unread) {
    forget(kernel, key);
    let socket = kernel.sockets.at_mut(key);
    socket.state = State::Closed;
    socket.ended = Directions::all();
    // A packet without bytes in front is passed over, as what was read out of band is.
    let passed = socket.queue.front().is_some_and(|front| front.bytes.is_empty());
    let lost = unread == Unread::All || socket.queue.len() > usize::from(passed);
    let is_connection = socket.kind != SocketType::Datagram;
    let peer = socket.peer.take();
    let pieces = std::mem::take(&mut socket.queue);
    let waiting = std::mem::take(&mut socket.waiting);
    kernel.waits.wake(Channel::SocketBacklog(key));
    if let Some(peer) = peer {
        if is_connection {
            let other = kernel.sockets.at_mut(peer);
            other.ended = Directions::all();
            if lost {
                other.error = Some(Errno::ECONNRESET);
            }
            wake_all(kernel, peer);
        }
        let_go(kernel, peer);
    }
    for piece in pieces {
        queue::drop_piece(kernel, piece);
    }
    for end in waiting {
        release(kernel, end, Unread::All);
    }
    let_go(kernel, key);
}

/// Somebody names a socket no more; with the last one it is gone.
pub(super) fn let_go(kernel: &mut Kernel, key: SocketKey) {
    let socket = kernel.sockets.at_mut(key);
    socket.holders -= 1;
    if socket.holders == 0 {
        let net = socket.net;
        kernel.sockets.table.remove(key);
        namespace::release(kernel, Held::Net(net));
    }
}
