//! One connection of the server's: its socket, where its talk stands, and until when it must go on.

use std::fmt;
use std::time::Duration;

use super::stream::{self, Moved};
use super::wire::{Request, Serving, Violation};
use crate::backend::{Backend, Interest, PollEvents};
use crate::failure::{Failure, Result};
use crate::handle::Socket;
use crate::id::Moment;

/// A connection of a server's; no two ever have the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerId(pub(super) u64);

/// Why a server closed a connection.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CloseReason {
    /// The client is gone.
    #[error("the client is gone")]
    Gone,
    /// The client may not ask, and was told so.
    #[error("the client may not ask")]
    Refused,
    /// The client broke the protocol.
    #[error("the client broke the protocol: {0}")]
    Violation(Violation),
    /// The client began a request, or to read an answer, and did not go on.
    #[error("the client began something and did not go on in time")]
    TooSlow,
    /// The kernel did not serve the socket.
    #[error("the client's socket: {0}")]
    Failed(Failure),
}

impl fmt::Display for PeerId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "client {}", self.0)
    }
}

/// One connection.
pub(super) struct Peer {
    socket: Socket,
    pub(super) serving: Serving,
    is_refused: bool,
    /// It will say no more.
    has_ended: bool,
    /// Until when it must have gone on.
    late: Option<Moment>,
}

impl Peer {
    pub(super) fn served(socket: Socket, serving: Serving) -> Self {
        Self { socket, serving, is_refused: false, has_ended: false, late: None }
    }

    pub(super) fn refused(socket: Socket, serving: Serving) -> Self {
        Self { is_refused: true, ..Self::served(socket, serving) }
    }

    /// What it waits for. While its request is worked on, that is its end alone.
    pub(super) fn interest(&self) -> Interest<'_> {
        let mut events = PollEvents::empty();
        events.set(PollEvents::INPUT, self.serving.is_idle() && !self.has_ended);
        events.set(PollEvents::OUTPUT, !self.serving.output().is_empty());
        stream::interest(&self.socket, events)
    }

    /// Until when it must have gone on.
    pub(super) const fn deadline(&self) -> Option<Moment> {
        self.late
    }

    /// Takes in what came.
    pub(super) fn fill(&mut self, kernel: &dyn Backend) -> Result<(), CloseReason> {
        let mut chunk = [0; 4200];
        let room = self.serving.room().min(chunk.len());
        let chunk = chunk.get_mut(..room).unwrap_or_default();
        if chunk.is_empty() {
            return Ok(());
        }
        match stream::receive(kernel, &self.socket, chunk).map_err(CloseReason::Failed)? {
            Moved::Bytes(0) => self.has_ended = true,
            Moved::Bytes(length) => {
                self.serving.receive(chunk.get(..length).unwrap_or_default());
            }
            Moved::Later => {}
            Moved::Gone => return Err(CloseReason::Gone),
        }
        Ok(())
    }

    /// Sends what can be sent, and gives the next request, if all was.
    pub(super) fn next_request(
        &mut self,
        kernel: &dyn Backend,
    ) -> Result<Option<Request>, CloseReason> {
        while !self.serving.output().is_empty() {
            let sent = stream::send(kernel, &self.socket, self.serving.output());
            match sent.map_err(CloseReason::Failed)? {
                Moved::Bytes(length) => self.serving.sent(length),
                Moved::Later => return Ok(None),
                Moved::Gone => return Err(CloseReason::Gone),
            }
        }
        if self.is_refused {
            return Err(CloseReason::Refused);
        }
        let request = self.serving.next_request().map_err(CloseReason::Violation)?;
        if request.is_some() {
            self.late = None;
        } else if self.has_ended && self.serving.is_idle() {
            return Err(CloseReason::Gone);
        }
        Ok(request)
    }

    /// Gives it time to go on, once for each thing that it began.
    pub(super) fn watch(&mut self, now: Moment, patience: Duration) {
        self.late = match self.late {
            _ if !self.serving.is_halfway() => None,
            None => Some(now.after(patience)),
            late => late,
        };
    }
}
