//! Receiving (recvmsg(2), and read(2) of a socket).

use standin::Errno;
use standin::backend::{Receive, Received, SocketType};

use super::identity::Identity;
use super::queue::drop_piece;
use super::{Directions, SocketKey, State, datagram, opened};
use crate::kernel::Kernel;
use crate::step::{Step, Wait};
use crate::task::ThreadKey;
use crate::wait::Channel;

/// What has come for a caller that waits for all it asked for (`MSG_WAITALL`).
#[derive(Debug, Default)]
pub(crate) struct Receiving {
    length: usize,
    /// Whose bytes these are, if that is told: those of others are not put behind them.
    sender: Option<Option<Identity>>,
    received: Received,
}

/// recvmsg(2)
///
/// # Errors
/// EBADF, ENOTSOCK. EINVAL: it is not connected. ECONNRESET: the peer went and left unread what this end had sent. EAGAIN.
pub(crate) fn receive(
    kernel: &mut Kernel,
    caller: ThreadKey,
    number: u32,
    (buffer, how): (&mut [u8], Receive),
    receiving: &mut Receiving,
) -> Step<Received> {
    let own = opened(kernel, caller, number)?;
    if kernel.sockets.at(own.key).kind != SocketType::Stream {
        return datagram::receive(kernel, own, buffer, how);
    }
    if kernel.sockets.at(own.key).state != State::Connected {
        return Err(Errno::EINVAL.into());
    }
    let wanted = if how.wait_all { buffer.len().max(1) } else { 1 };
    if take_pieces(kernel, own.key, buffer, how, receiving) || receiving.length >= wanted {
        return Ok(receiving.finish(how));
    }
    let socket = kernel.sockets.at_mut(own.key);
    let refusal = match socket.error.take() {
        Some(errno) => Some(errno),
        None if socket.ended.contains(Directions::RECEIVING) => {
            if socket.passes_credentials && receiving.length == 0 {
                receiving.sender = Some(Some(Identity::NOBODY));
            }
            None
        }
        None if how.nonblocking || own.nonblocking => Some(Errno::EAGAIN),
        None => return Err(Wait::on(Channel::SocketInput(own.key)).into()),
    };
    match refusal {
        Some(errno) if receiving.length == 0 => Err(errno.into()),
        Some(_) | None => Ok(receiving.finish(how)),
    }
}

/// Takes what is there, up to the buffer's end; whether nothing more may be put behind it.
fn take_pieces(
    kernel: &mut Kernel,
    key: SocketKey,
    buffer: &mut [u8],
    how: Receive,
    receiving: &mut Receiving,
) -> bool {
    let mut index = 0;
    loop {
        let socket = kernel.sockets.at(key);
        let Some(piece) = socket.queue.get(index) else {
            // Who peeks does not wait for more.
            return how.peek && index > 0;
        };
        if socket.passes_credentials {
            match receiving.sender {
                Some(sender) if sender != piece.identity => return true,
                Some(_) => {}
                None => receiving.sender = Some(piece.identity),
            }
        }
        if receiving.received.from.is_none() {
            receiving.received.from.clone_from(&kernel.sockets.at(piece.sender).address);
        }
        let unread = piece.bytes.get(piece.read..).unwrap_or_default();
        let room = buffer.get_mut(receiving.length..).unwrap_or_default();
        let length = unread.len().min(room.len());
        for (to, from) in room.iter_mut().zip(unread) {
            *to = *from;
        }
        let ends = length == unread.len();
        receiving.length += length;
        if how.peek {
            index += 1;
        } else if ends {
            if let Some(piece) = kernel.sockets.at_mut(key).queue.pop_front() {
                drop_piece(kernel, &piece);
            }
        } else if let Some(piece) = kernel.sockets.at_mut(key).queue.front_mut() {
            piece.read += length;
        }
        if !ends || receiving.length == buffer.len() {
            return true;
        }
    }
}

impl Receiving {
    /// The answer: what came, and who sent it as far as there is room to say so.
    fn finish(&mut self, how: Receive) -> Received {
        let mut received = std::mem::take(&mut self.received);
        received.length = self.length;
        if let Some(sender) = self.sender {
            received.credentials = how.credentials.then(|| Identity::sender(sender));
            received.control_truncated = !how.credentials;
        }
        received
    }

    /// What a signal leaves of a call that waited for more: the answer, if something came.
    pub(crate) fn partial(&mut self, how: Receive) -> Option<Received> {
        (self.length > 0).then(|| self.finish(how))
    }
}
