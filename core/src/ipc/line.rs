//! The stream socket of a connection: the set-up goes over it, then one byte for each message in a ring that the other
//! side must be woken for, and at last its end, by which each side learns that the other is gone.

use crate::backend::{
    Backend, Deadline, Interest, Message, PeerCredentials, PollEvents, Receive, SendFlags,
};
use crate::errno::Errno;
use crate::failure::Failure;
use crate::handle::Socket;

use super::error::{Error, Result, trying};

/// How many wake-up bytes go in one call.
const MOST_BELLS: usize = 64;

/// One end of the socket.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) socket: Socket,
    /// Wake-up bytes for which the socket had no room yet.
    pub(super) owed: usize,
}

/// What a look at the socket brought.
pub(super) struct Heard {
    pub(super) bytes: usize,
    pub(super) credentials: Option<PeerCredentials>,
}

impl Line {
    pub(super) const fn new(socket: Socket) -> Self {
        Self { socket, owed: 0 }
    }

    /// What is waited for on behalf of this line.
    pub(super) fn interest(&self) -> Interest<'_> {
        let mut events = PollEvents::INPUT;
        events.set(PollEvents::OUTPUT, self.owed > 0);
        Interest { handle: self.socket.descriptor(), events }
    }

    /// Waits until something is to be read, the other side is gone, or it is time: is it time?
    pub(super) fn is_quiet(&self, kernel: &dyn Backend, deadline: Deadline) -> Result<bool> {
        let ready = wait(kernel, &[self.interest()], deadline)?;
        Ok(ready.iter().all(|events| events.is_empty()))
    }

    /// Reads what is there, without waiting: nothing if nothing is. The end of the stream is [`Error::Disconnected`].
    pub(super) fn hear(&self, kernel: &dyn Backend, buffer: &mut [u8]) -> Result<Option<Heard>> {
        let receive = Receive { nonblocking: true, credentials: true, ..Receive::default() };
        match kernel.receive(&self.socket, buffer, receive) {
            Ok(received) if received.length > 0 => {
                Ok(Some(Heard { bytes: received.length, credentials: received.credentials }))
            }
            Ok(_) => Err(Error::Disconnected),
            Err(Failure::Errno(Errno::EAGAIN | Errno::EINTR)) => Ok(None),
            Err(failure) => Err(lost("receive from", failure)),
        }
    }

    /// Sends all of a set-up message; it is far shorter than a new socket's buffer.
    pub(super) fn say(&self, kernel: &dyn Backend, bytes: &[u8]) -> Result<()> {
        match self.send(kernel, bytes)? {
            sent if sent == bytes.len() => Ok(()),
            _ => Err(Error::Full),
        }
    }

    /// Sends a wake-up byte, and those that are owed. What finds no room stays owed.
    pub(super) fn ring(&mut self, kernel: &dyn Backend) -> Result<()> {
        self.owed = self.owed.saturating_add(1);
        self.settle(kernel)
    }

    /// Sends the wake-up bytes that are owed, as far as there is room.
    pub(super) fn settle(&mut self, kernel: &dyn Backend) -> Result<()> {
        let bells = [0; MOST_BELLS];
        while self.owed > 0 {
            let sent = self.send(kernel, bells.get(..self.owed).unwrap_or(&bells))?;
            if sent == 0 {
                break;
            }
            self.owed = self.owed.saturating_sub(sent);
        }
        Ok(())
    }

    fn send(&self, kernel: &dyn Backend, bytes: &[u8]) -> Result<usize> {
        let message = Message { bytes, ..Message::default() };
        match kernel.send(&self.socket, &message, SendFlags::NONBLOCKING) {
            Err(Failure::Errno(Errno::EAGAIN | Errno::EINTR)) => Ok(0),
            other => other.map_err(|failure| lost("send to", failure)),
        }
    }
}

/// A socket whose other end is gone says so in one of these ways.
fn lost(attempt: &'static str, failure: Failure) -> Error {
    match failure.errno() {
        Some(Errno::EPIPE | Errno::ECONNRESET | Errno::ENOTCONN) => Error::Disconnected,
        _ => trying(attempt, "the other side")(failure),
    }
}

/// poll(2), begun again when a signal ends it.
pub(super) fn wait(
    kernel: &dyn Backend,
    interests: &[Interest<'_>],
    deadline: Deadline,
) -> Result<Vec<PollEvents>> {
    loop {
        match kernel.poll(interests, deadline) {
            Err(Failure::Errno(Errno::EINTR)) => {}
            other => return other.map_err(trying("poll", "sockets")),
        }
    }
}
