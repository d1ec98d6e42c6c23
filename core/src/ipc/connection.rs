//! A server's side of its clients: those that have not finished the set-up, and those that are connected.

use crate::backend::{Backend, Deadline, PeerCredentials};
use crate::id::Moment;

use super::error::{Error, Malformed, Result};
use super::frame::{Flags, Frame, Unreadable};
use super::line::Line;
use super::rings::{RingFiles, Rings};
use super::setup::ConnectRequest;
use super::wire::i32_at;

/// libqb's own message by which a client says good-bye.
const DISCONNECT: i32 = -3;

/// Somebody who has connected and not said all yet.
#[derive(Debug)]
pub(super) struct Arrival {
    pub(super) line: Line,
    pub(super) until: Moment,
    said: Vec<u8>,
    pub(super) peer: Option<PeerCredentials>,
}

impl Arrival {
    pub(super) const fn new(line: Line, until: Moment) -> Self {
        Self { line, until, said: Vec::new(), peer: None }
    }

    /// Reads on; who it is and what it wishes, once all is there.
    pub(super) fn hear(
        &mut self,
        kernel: &dyn Backend,
    ) -> Result<Option<(PeerCredentials, ConnectRequest)>> {
        let mut room = [0; ConnectRequest::LENGTH];
        let missing = ConnectRequest::LENGTH.saturating_sub(self.said.len());
        let room = room.get_mut(..missing).unwrap_or_default();
        let Some(heard) = self.line.hear(kernel, room)? else { return Ok(None) };
        self.said.extend_from_slice(room.get(..heard.bytes).unwrap_or_default());
        let peer = heard.credentials.ok_or(Error::NoCredentials)?;
        if self.peer.is_some_and(|earlier| earlier != peer) {
            return Err(Error::Unauthentic { peer });
        }
        self.peer = Some(peer);
        if self.said.len() < ConnectRequest::LENGTH {
            return Ok(None);
        }
        Ok(Some((peer, ConnectRequest::decode(&self.said)?)))
    }
}

/// A connected client.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) line: Line,
    pub(super) rings: Rings,
    pub(super) files: RingFiles,
}

/// What a client's wake-up byte stood for.
pub(super) enum Taken {
    Request(Frame),
    /// It cannot be read, but can be answered.
    Unreadable(Unreadable),
    /// There was no byte, or none that meant anything.
    Nothing,
}

impl Connection {
    /// Takes the request that one byte of the socket announces.
    pub(super) fn take(&mut self, kernel: &dyn Backend) -> Result<Taken> {
        if self.line.hear(kernel, &mut [0])?.is_none() {
            return Ok(Taken::Nothing);
        }
        let Some(bytes) = self.rings.request.pull(kernel, Deadline::Now)? else {
            return Ok(Taken::Nothing);
        };
        if bytes.is_empty() || i32_at(&bytes, 0) == Some(DISCONNECT) {
            return Err(Error::Disconnected);
        }
        match Frame::decode(&bytes) {
            Ok(frame) if frame.id < 0 => Err(Malformed::Id { came: frame.id, right: 1 }.into()),
            Ok(frame) => Ok(Taken::Request(frame)),
            Err(unreadable) if unreadable.id.is_some_and(|id| id >= 0) => {
                Ok(Taken::Unreadable(unreadable))
            }
            Err(unreadable) => Err(unreadable.why.into()),
        }
    }

    /// Puts a response where the client waits for it.
    pub(super) fn respond(&mut self, kernel: &dyn Backend, id: i32, text: String) -> Result<()> {
        let flags = Flags::CLIENT_RESPONSE | Flags::SERVER_FREE;
        let frame = Frame { id, flags, text: text.into_bytes() };
        self.rings.response.push(kernel, &frame.encode())
    }

    /// Puts an event into its ring and wakes the client.
    pub(super) fn notify(&mut self, kernel: &dyn Backend, id: i32, text: String) -> Result<()> {
        let flags = Flags::SERVER_EVENT | Flags::SERVER_FREE;
        let frame = Frame { id, flags, text: text.into_bytes() };
        self.rings.event.push(kernel, &frame.encode())?;
        self.line.ring(kernel)
    }
}
