//! What a socket is ready for (poll(2)).

use standin::backend::{PollEvents, SocketType};

use super::datagram::is_full_for;
use super::{Directions, SocketKey, State};
use crate::kernel::Kernel;
use crate::wait::Channel;

/// What it is ready for, and what tells when that changes.
pub(crate) fn poll(kernel: &Kernel, key: SocketKey) -> (PollEvents, [Option<Channel>; 3]) {
    let socket = kernel.sockets.at(key);
    let ends = socket.ended;
    let is_connection = socket.kind != SocketType::Datagram;
    let never_connected = is_connection && socket.state == State::Unconnected;
    let has_input = !socket.queue.is_empty() || !socket.waiting.is_empty();
    let no_more = ends.contains(Directions::RECEIVING);
    // The peer of a datagram socket may have taken more than it can.
    let full = socket.peer.filter(|peer| !is_connection && is_full_for(kernel, key, *peer));
    let rows = [
        (socket.error.is_some(), PollEvents::ERROR),
        (ends.is_all() || never_connected, PollEvents::HANG_UP),
        (no_more, PollEvents::READ_HANG_UP),
        (no_more || has_input, PollEvents::INPUT),
        (socket.is_writable() && full.is_none(), PollEvents::OUTPUT),
    ];
    let ready = rows.into_iter().filter(|(holds, _)| *holds).map(|(_, event)| event).collect();
    let channels = [
        Some(Channel::SocketInput(key)),
        Some(Channel::SocketOutput(key)),
        full.map(Channel::SocketBacklog),
    ];
    (ready, channels)
}
