//! The client's end of a connection.

use super::frame::Frames;
use super::{Info, Lookup, Reply, Request, Violation};

/// The client's end of a connection: it is greeted, then asks, one request at a time. [`Serving`](super::Serving) shows
/// both.
#[derive(Clone, Debug)]
pub struct Asking {
    inbox: Frames,
    turn: Turn,
}

/// What the service has to say next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    Greeting,
    Nothing,
    Reply(Lookup),
}

/// What the service said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// It introduced itself.
    Info(Info),
    /// It answered.
    Reply(Reply),
}

impl Default for Asking {
    fn default() -> Self {
        Self::new()
    }
}

impl Asking {
    /// A connection that was just made.
    #[must_use]
    pub fn new() -> Self {
        Self { inbox: Frames::default(), turn: Turn::Greeting }
    }

    /// The bytes of a request, which are to be sent; `None` if it is not the client's turn.
    pub fn ask(&mut self, request: &Request) -> Option<Vec<u8>> {
        if self.turn != Turn::Nothing {
            return None;
        }
        self.turn = Turn::Reply(request.lookup);
        Some(request.to_frame().to_bytes())
    }

    /// Takes bytes of the service's, and tells what it said; `None` while that is not there to its end.
    ///
    /// # Errors
    /// What the service did wrong: also [`Violation::Unasked`] if it said more than it was asked.
    pub fn receive(&mut self, bytes: &[u8]) -> Result<Option<Event>, Violation> {
        let whole = self.inbox.push(bytes) == bytes.len();
        if self.turn == Turn::Nothing && !self.inbox.is_empty() {
            return Err(Violation::Unasked);
        }
        let Some(frame) = self.inbox.next_frame()? else { return Ok(None) };
        if !whole || !self.inbox.is_empty() {
            return Err(Violation::Unasked);
        }
        let event = match self.turn {
            Turn::Greeting => Event::Info(Info::from_frame(&frame)?),
            Turn::Nothing => return Err(Violation::Unasked),
            Turn::Reply(asked) => {
                let reply = Reply::from_frame(&frame)?;
                if reply.lookup != asked {
                    return Err(Violation::Type { found: frame.kind, wanted: "another reply" });
                }
                Event::Reply(reply)
            }
        };
        self.turn = Turn::Nothing;
        Ok(Some(event))
    }
}
