//! Receiving (recvmsg(2), and read(2) of a socket).

use standin::Errno;
use standin::backend::{Address, Receive, SocketType};

use super::control::{self, Beside, Given};
use super::identity::Identity;
use super::{Directions, SocketKey, State, datagram, opened, queue, rights};
use crate::fs::FileKey;
use crate::kernel::Kernel;
use crate::step::{Step, Wait};
use crate::task::ThreadKey;
use crate::wait::Channel;

/// What has come for a caller that waits for all it asked for (`MSG_WAITALL`).
#[derive(Debug, Default)]
pub(crate) struct Receiving {
    length: usize,
    files: Vec<FileKey>,
    /// Whose bytes these are, if that is told: those of others are not put behind them.
    sender: Option<Option<Identity>>,
    from: Option<Address>,
}

/// What came, with numbers of the caller's table.
#[derive(Debug, Default)]
pub(crate) struct Arrived {
    pub(crate) length: usize,
    pub(crate) from: Option<Address>,
    pub(crate) truncated: bool,
    pub(crate) given: Given,
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
) -> Step<Arrived> {
    let own = opened(kernel, caller, number)?;
    if kernel.sockets.at(own.key).kind != SocketType::Stream {
        return datagram::receive(kernel, caller, own, buffer, how);
    }
    if kernel.sockets.at(own.key).state != State::Connected {
        return Err(Errno::EINVAL.into());
    }
    let first = kernel.sockets.at(own.key).queue.front().and_then(|piece| piece.identity.as_ref());
    control::check(kernel, own.key, first, how)?;
    let wanted = if how.wait_all { buffer.len().max(1) } else { 1 };
    if take_pieces(kernel, own.key, buffer, how, receiving) || receiving.length >= wanted {
        return receiving.finish(kernel, caller, own.key, how);
    }
    let socket = kernel.sockets.at_mut(own.key);
    let refusal = match socket.error.take() {
        Some(errno) => Some(errno),
        None if socket.ended.contains(Directions::RECEIVING) => {
            if socket.asks_for_sender() && receiving.length == 0 {
                receiving.sender = Some(Some(Identity::NOBODY));
            }
            None
        }
        None if how.nonblocking || own.nonblocking => Some(Errno::EAGAIN),
        None => return Err(Wait::on(Channel::SocketInput(own.key)).into()),
    };
    match refusal {
        Some(errno) if receiving.length == 0 => Err(errno.into()),
        Some(_) | None => receiving.finish(kernel, caller, own.key, how),
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
        if socket.asks_for_sender() {
            match &receiving.sender {
                Some(sender) if *sender != piece.identity => return true,
                Some(_) => {}
                None => receiving.sender = Some(piece.identity.clone()),
            }
        }
        if receiving.from.is_none() {
            receiving.from.clone_from(&kernel.sockets.at(piece.sender).address);
        }
        let unread = piece.bytes.get(piece.read..).unwrap_or_default();
        let room = buffer.get_mut(receiving.length..).unwrap_or_default();
        let length = unread.len().min(room.len());
        for (to, from) in room.iter_mut().zip(unread) {
            *to = *from;
        }
        let ends = length == unread.len();
        receiving.length += length;
        let has_files = !piece.rights.files.is_empty();
        if how.peek {
            // A look goes on behind the end of the buffer, where only files are of interest.
            let files = piece.rights.files.clone();
            receiving.files = rights::copy(kernel, &files);
            index += 1;
        } else if ends {
            receiving.files = queue::take_front(kernel, key);
        } else if let Some(piece) = kernel.sockets.at_mut(key).queue.front_mut() {
            piece.read += length;
            let rights = std::mem::take(&mut piece.rights);
            receiving.files = rights::arrive(kernel, rights);
        }
        // What comes behind files is not put behind them.
        if has_files || (!how.peek && (!ends || receiving.length == buffer.len())) {
            return true;
        }
    }
}

impl Receiving {
    /// The answer: what came, and what goes with it as far as there is room.
    fn finish(
        &mut self,
        kernel: &mut Kernel,
        caller: ThreadKey,
        key: SocketKey,
        how: Receive,
    ) -> Step<Arrived> {
        let Self { length, files, sender, from } = std::mem::take(self);
        let given = control::give(kernel, caller, key, Beside { files, sender }, how)?;
        Ok(Arrived { length, from, truncated: false, given })
    }

    /// What a signal leaves of a call that waited for more: the answer, if something came.
    pub(crate) fn partial(
        &mut self,
        kernel: &mut Kernel,
        caller: ThreadKey,
        number: u32,
        how: Receive,
    ) -> Option<Arrived> {
        let key = opened(kernel, caller, number).ok()?.key;
        if self.length > 0 { self.finish(kernel, caller, key, how).ok() } else { None }
    }
}
