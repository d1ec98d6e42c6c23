//! The service's end of a connection.

use super::frame::Frames;
use super::{Features, Info, Name, Reply, Request, Status, Violation};

/// The service's end of a connection: one request at a time, each answered before the next is looked at.
///
/// ```
/// use standin::service::wire::{Asking, Event, Features, Lookup, Name, Request, Serving, Status};
///
/// let (mut service, mut client) = (Serving::greet(Features::all()), Asking::new());
/// client.receive(service.output()).unwrap();
/// service.sent(24);
///
/// let name = Name::new("web").unwrap();
/// let request = Request { lookup: Lookup::ProcessId, pid: 0, name };
/// service.receive(&client.ask(&request).unwrap());
/// assert_eq!(service.next_request(), Ok(Some(request)));
/// service.answer(Err(Status::NO_CONTAINER));
///
/// let Some(Event::Reply(reply)) = client.receive(service.output()).unwrap() else { panic!() };
/// assert_eq!(reply.status, Status::NO_CONTAINER);
/// ```
#[derive(Clone, Debug)]
pub struct Serving {
    inbox: Frames,
    /// What is to be sent: the rest of one frame.
    outbox: Vec<u8>,
    /// What waits for its answer.
    asked: Option<Request>,
}

impl Serving {
    /// A connection that is served; what it can ask is the first that is sent.
    #[must_use]
    pub fn greet(features: Features) -> Self {
        Self::begin(Info { status: Status::OK, features })
    }

    /// A connection that is not served: why is all that is sent.
    #[must_use]
    pub fn refuse(status: Status) -> Self {
        Self::begin(Info { status, features: Features::empty() })
    }

    fn begin(info: Info) -> Self {
        Self { inbox: Frames::default(), outbox: info.to_frame().to_bytes(), asked: None }
    }

    /// Takes bytes of the client's, as far as there is room, and says how many that were.
    pub fn receive(&mut self, bytes: &[u8]) -> usize {
        self.inbox.push(bytes)
    }

    /// How many bytes [`receive`](Self::receive) would take.
    #[must_use]
    pub const fn room(&self) -> usize {
        self.inbox.room()
    }

    /// The next request; `None` while none is there to its end, or one has no answer yet, or an answer is not sent.
    ///
    /// # Errors
    /// What the client did wrong.
    pub fn next_request(&mut self) -> Result<Option<Request>, Violation> {
        if !self.is_idle() {
            return Ok(None);
        }
        self.asked =
            self.inbox.next_frame()?.map(|frame| Request::from_frame(&frame)).transpose()?;
        Ok(self.asked.clone())
    }

    /// Answers the request that [`next_request`](Self::next_request) gave: a process and, if that was asked for, its
    /// host name. Without such a request it does nothing.
    pub fn answer(&mut self, answer: Result<(i32, Name), Status>) {
        let Some(Request { lookup, pid, .. }) = self.asked.take() else { return };
        let (status, pid, name) = match answer {
            Ok((pid, name)) => (Status::OK, pid, name),
            Err(status) => (status, pid, Name::default()),
        };
        self.outbox = Reply { lookup, status, pid, name }.to_frame().to_bytes();
    }

    /// What is to be sent.
    #[must_use]
    pub fn output(&self) -> &[u8] {
        &self.outbox
    }

    /// So many bytes of [`output`](Self::output) were sent.
    pub fn sent(&mut self, length: usize) {
        self.outbox.drain(..length.min(self.outbox.len()));
    }

    /// Whether it has nothing to send and no request to answer: it is the client's turn.
    #[must_use]
    pub const fn is_idle(&self) -> bool {
        self.outbox.is_empty() && self.asked.is_none()
    }

    /// Whether the client began something that it has to go on with: a request, or the reading of an answer.
    #[must_use]
    pub const fn is_halfway(&self) -> bool {
        !self.outbox.is_empty() || (self.asked.is_none() && !self.inbox.is_empty())
    }
}
