//! What happens at a server: [`Event`], as [`Server::next`](super::Server::next) tells it.

use crate::backend::PeerCredentials;

use super::error::{Error, Malformed};
use super::frame::Flags;

/// One client of a server; numbers are not used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientId(pub(super) u64);

/// What happened at a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A client has its rings.
    Connected {
        /// Which.
        client: ClientId,
        /// Who it is.
        peer: PeerCredentials,
    },
    /// A client asks something.
    Request {
        /// Which.
        client: ClientId,
        /// What.
        request: Request,
    },
    /// A client sent what cannot be read. If it waits for an answer, it has got one: [`Status::PROTOCOL`](super::Status::PROTOCOL).
    Unreadable {
        /// Which.
        client: ClientId,
        /// What is wrong.
        why: Malformed,
    },
    /// A client is gone, and its files with it.
    Left {
        /// Which.
        client: ClientId,
        /// [`Error::Disconnected`], or what it did wrong.
        why: Error,
    },
    /// Somebody did not get through the set-up.
    TurnedAway {
        /// Who, if it said anything.
        peer: Option<PeerCredentials>,
        /// Why.
        why: Error,
    },
}

/// A request, and what is needed to answer it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub(super) id: i32,
    pub(super) flags: Flags,
    pub(super) text: Vec<u8>,
}

impl Request {
    /// Its text: XML, if the client keeps to the protocol.
    #[must_use]
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// Whether the client waits for a response.
    #[must_use]
    pub const fn wants_response(&self) -> bool {
        self.flags.contains(Flags::CLIENT_RESPONSE)
    }
}
