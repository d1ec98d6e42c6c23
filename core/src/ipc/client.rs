//! A connection to a daemon: [`Client`].
//!
//! Requests have numbers of their connection; a reply that comes too late is dropped by its number, so one deadline
//! missed does not spoil what follows. Nothing here waits longer than it was told to.

use std::time::Duration;

use crate::backend::{
    Backend, Deadline, PeerCredentials, PollEvents, SocketFlags, SocketOption, SocketType,
};
use crate::errno::Errno;
use crate::failure::Failure;
use crate::handle::Socket;
use crate::id::Moment;
use crate::path::KPathBuf;

use super::error::{Error, Malformed, Result, trying};
use super::frame::{Flags, Frame};
use super::line::{Line, wait};
use super::name::Endpoint;
use super::peer::Trusted;
use super::rings::{Rings, SharedMemory};
use super::setup::{ConnectRequest, ConnectResponse, Grant, LEAST_MESSAGE_BYTES};
use super::xml::Element;
use super::{DEFAULT_MESSAGE_BYTES, MOST_MESSAGE_BYTES, shared_memory};

/// How long a wait for a reply lasts before it is asked whether the server still lives: its death wakes no futex.
const SLICE: Duration = Duration::from_millis(100);
/// How long to wait before a server whose backlog is full is tried again.
const BACKLOG_PAUSE: Duration = Duration::from_millis(10);

/// How a client connects.
#[derive(Clone, Debug)]
pub struct ClientOptions {
    /// Who the daemon may be.
    pub trusted: Trusted,
    /// The longest message to be sent or received, with headers; a server may grant more.
    pub most_message_bytes: u32,
    /// Where shared memory is: `/dev/shm`.
    pub shared_memory: KPathBuf,
}

impl ClientOptions {
    /// With Pacemaker's own sizes.
    #[must_use]
    pub fn new(trusted: Trusted) -> Self {
        let most_message_bytes = DEFAULT_MESSAGE_BYTES;
        Self { trusted, most_message_bytes, shared_memory: shared_memory() }
    }
}

/// A connection to a daemon.
#[derive(Debug)]
pub struct Client {
    line: Line,
    rings: Rings,
    server: PeerCredentials,
    most_message_bytes: u32,
    last_id: i32,
}

impl Client {
    /// Connects. Who listens there is checked before a byte is sent, and who answers before a ring is opened.
    ///
    /// # Errors
    /// [`Error::NoService`], [`Error::Unauthentic`], [`Error::Declined`], [`Error::TimedOut`],
    /// [`Error::Disconnected`] or [`Error::Malformed`] by what the other side does; [`Error::Backend`] with EACCES if
    /// the caller may not use the service: the kernel refuses it the rings.
    pub fn connect(
        kernel: &dyn Backend,
        endpoint: &Endpoint,
        options: &ClientOptions,
        until: Moment,
    ) -> Result<Self> {
        let socket = connect(kernel, endpoint, until)?;
        let failed = || trying("connect to", endpoint);
        let trusted = |peer: PeerCredentials| {
            if options.trusted.admits(&peer) { Ok(()) } else { Err(Error::Unauthentic { peer }) }
        };
        trusted(kernel.peer_credentials(&socket).map_err(failed())?)?;
        let pass = |value| kernel.set_socket_option(&socket, SocketOption::PassCredentials, value);
        pass(1).map_err(failed())?;
        let line = Line::new(socket);
        let most_message_bytes =
            options.most_message_bytes.clamp(LEAST_MESSAGE_BYTES, MOST_MESSAGE_BYTES);
        line.say(kernel, &ConnectRequest { most_message_bytes }.encode())?;
        let (grant, server) = granted(kernel, &line, until, trusted)?;
        if grant.most_message_bytes > MOST_MESSAGE_BYTES {
            let (came, right) = (grant.most_message_bytes.into(), MOST_MESSAGE_BYTES.into());
            return Err(Malformed::Length { what: "longest message", came, right }.into());
        }
        let shared_memory = SharedMemory::open(kernel, &options.shared_memory)?;
        let rings = Rings::open(kernel, &shared_memory, &grant)?;
        Ok(Self { line, rings, server, most_message_bytes: grant.most_message_bytes, last_id: 0 })
    }

    /// Who answered the set-up.
    #[must_use]
    pub const fn server(&self) -> PeerCredentials {
        self.server
    }

    /// The longest message in any direction, headers included, as it was agreed on.
    #[must_use]
    pub const fn most_message_bytes(&self) -> u32 {
        self.most_message_bytes
    }

    /// For an event loop: ready to be read if there is an event, or if the server is gone.
    #[must_use]
    pub const fn socket(&self) -> &Socket {
        &self.line.socket
    }

    /// Sends a request that asks for no response; what follows comes as an [`event`](Self::event). Returns its number.
    ///
    /// # Errors
    /// [`Error::Full`], [`Error::HoldBack`], [`Error::TooLong`], [`Error::Disconnected`], and what the backend refuses.
    pub fn send(&mut self, kernel: &dyn Backend, document: &Element) -> Result<i32> {
        self.push(kernel, document, Flags::empty())
    }

    /// Sends a request and waits for its response: an acknowledgement or the reply itself, as the daemon has it.
    ///
    /// # Errors
    /// As [`send`](Self::send); [`Error::TimedOut`], after which the connection goes on; [`Error::Malformed`].
    pub fn request(
        &mut self,
        kernel: &dyn Backend,
        document: &Element,
        until: Moment,
    ) -> Result<Element> {
        let id = self.push(kernel, document, Flags::CLIENT_RESPONSE)?;
        loop {
            let frame = self.response(kernel, until)?;
            if frame.id == id {
                return Ok(Element::parse(&frame.text)?);
            }
            // A smaller number is the response to a request that was given up.
            if frame.id > id {
                return Err(Malformed::Id { came: frame.id, right: id }.into());
            }
        }
    }

    /// Waits for an event; `None` if there is none by then.
    ///
    /// # Errors
    /// [`Error::Disconnected`], [`Error::Malformed`], and what the backend refuses.
    pub fn event(&mut self, kernel: &dyn Backend, deadline: Deadline) -> Result<Option<Element>> {
        loop {
            if self.line.is_quiet(kernel, deadline)? {
                return Ok(None);
            }
            self.line.settle(kernel)?;
            if let Some(bytes) = self.rings.event.pull(kernel, Deadline::Now)? {
                // Its byte; if it has not come yet, the next look finds it without an event.
                self.line.hear(kernel, &mut [0])?;
                let frame = Frame::decode(&bytes).map_err(|unreadable| unreadable.why)?;
                return Ok(Some(Element::parse(&frame.text)?));
            }
            self.line.hear(kernel, &mut [0])?;
        }
    }

    fn push(&mut self, kernel: &dyn Backend, document: &Element, flags: Flags) -> Result<i32> {
        if self.rings.request.holds_back(kernel)? {
            return Err(Error::HoldBack);
        }
        let id = self.last_id.checked_add(1).unwrap_or(1);
        let frame = Frame { id, flags, text: document.to_string().into_bytes() };
        self.rings.request.push(kernel, &frame.encode())?;
        self.last_id = id;
        self.line.ring(kernel)?;
        Ok(id)
    }

    fn response(&mut self, kernel: &dyn Backend, until: Moment) -> Result<Frame> {
        loop {
            let now = kernel.monotonic().map_err(trying("read", "the clock"))?;
            let slice = Deadline::At(now.after(SLICE).min(until));
            if let Some(bytes) = self.rings.response.pull(kernel, slice)? {
                return Ok(Frame::decode(&bytes).map_err(|unreadable| unreadable.why)?);
            }
            self.line.settle(kernel)?;
            self.check_alive(kernel)?;
            if now >= until {
                return Err(Error::TimedOut("a response"));
            }
        }
    }

    /// Whether the server is there, without taking anything from the socket.
    fn check_alive(&self, kernel: &dyn Backend) -> Result<()> {
        let ready = wait(kernel, &[self.line.interest()], Deadline::Now)?;
        let gone = PollEvents::HANG_UP | PollEvents::ERROR | PollEvents::INVALID;
        if ready.iter().any(|events| events.intersects(gone)) {
            return Err(Error::Disconnected);
        }
        Ok(())
    }
}

/// A socket that is connected by then.
fn connect(kernel: &dyn Backend, endpoint: &Endpoint, until: Moment) -> Result<Socket> {
    let failed = || trying("connect to", endpoint);
    let socket = kernel.socket(SocketType::Stream, SocketFlags::NONBLOCKING).map_err(failed())?;
    loop {
        match kernel.connect(&socket, &endpoint.address()) {
            Ok(()) => return Ok(socket),
            Err(Failure::Errno(Errno::ECONNREFUSED | Errno::ENOENT)) => {
                return Err(Error::NoService { service: endpoint.to_string() });
            }
            // The backlog is full.
            Err(Failure::Errno(Errno::EAGAIN)) => {
                let now = kernel.monotonic().map_err(failed())?;
                if now >= until {
                    return Err(Error::TimedOut("the server to accept"));
                }
                wait(kernel, &[], Deadline::At(now.after(BACKLOG_PAUSE).min(until)))?;
            }
            Err(failure) => return Err(failed()(failure)),
        }
    }
}

/// Collects the server's answer, and makes sure that each piece of it is from whom we trust.
fn granted(
    kernel: &dyn Backend,
    line: &Line,
    until: Moment,
    trusted: impl Fn(PeerCredentials) -> Result<()>,
) -> Result<(Grant, PeerCredentials)> {
    let mut answer = vec![0; ConnectResponse::LENGTH];
    let (mut filled, mut server) = (0, None);
    while let Some(room) = answer.get_mut(filled..).filter(|room| !room.is_empty()) {
        let Some(heard) = line.hear(kernel, room)? else {
            if line.is_quiet(kernel, Deadline::At(until))? {
                return Err(Error::TimedOut("the server's answer to the set-up"));
            }
            continue;
        };
        if let Some(peer) = heard.credentials {
            trusted(peer)?;
            server = Some(peer);
        }
        filled += heard.bytes;
    }
    match (ConnectResponse::decode(&answer)?, server) {
        (ConnectResponse::Declined(errno), _) => Err(Error::Declined(errno)),
        (ConnectResponse::Granted(grant), Some(server)) => Ok((grant, server)),
        (ConnectResponse::Granted(_), None) => Err(Error::NoCredentials),
    }
}
