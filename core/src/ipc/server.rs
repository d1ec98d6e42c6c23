//! A daemon's side: [`Server`] listens, sets connections up, hands out requests and takes answers.
//!
//! One call, [`Server::next`], does all the waiting and tells what happened; whoever calls it decides what to answer. A
//! client that breaks the protocol or stops half-way is let go, and told of; it stops nobody else.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crate::backend::{
    Backend, Deadline, Interest, PeerCredentials, PollEvents, SocketFlags, SocketOption, SocketType,
};
use crate::errno::Errno;
use crate::failure::Failure;
use crate::handle::Socket;
use crate::id::{Gid, Mode, Moment};
use crate::path::{KPathBuf, Place};

use super::connection::{Arrival, Connection, Taken};
use super::document::{Status, ack};
use super::error::{Error, Result, trying};
use super::event::{ClientId, Event, Request};
use super::frame::{Flags, Frame};
use super::line::{Line, wait};
use super::name::Endpoint;
use super::rings::{Making, Rings, SharedMemory, quietly};
use super::setup::{ConnectRequest, ConnectResponse};
use super::xml::Element;
use super::{DEFAULT_MESSAGE_BYTES, MOST_MESSAGE_BYTES, shared_memory};

/// As libqb has it.
const BACKLOG: u32 = 128;

/// How a server treats its clients.
#[derive(Clone, Debug)]
pub struct ServerOptions {
    /// The group whose members may connect, besides root: Pacemaker's `haclient`. None: each client gets its rings for
    /// itself alone, so whoever may connect may talk, as with libqb itself.
    pub group: Option<Gid>,
    /// The least that a connection is made for, whatever the client wishes; wishes are granted up to
    /// [`MOST_MESSAGE_BYTES`].
    pub least_message_bytes: u32,
    /// How long a client may take for its part of the set-up.
    pub setup_time: Duration,
    /// How many clients there may be at a time; others wait in the backlog.
    pub most_clients: usize,
    /// Where shared memory is: `/dev/shm`.
    pub shared_memory: KPathBuf,
}

impl Default for ServerOptions {
    /// Pacemaker's own sizes, five seconds, 256 clients, no group.
    fn default() -> Self {
        Self {
            group: None,
            least_message_bytes: DEFAULT_MESSAGE_BYTES,
            setup_time: Duration::from_secs(5),
            most_clients: 256,
            shared_memory: shared_memory(),
        }
    }
}

/// A service that clients connect to.
#[derive(Debug)]
pub struct Server {
    endpoint: Endpoint,
    options: ServerOptions,
    listener: Socket,
    shared_memory: SharedMemory,
    arrivals: Vec<Arrival>,
    clients: BTreeMap<ClientId, Connection>,
    last_client: u64,
    last_event: i32,
    news: VecDeque<Event>,
}

/// Who is ready to be served.
#[derive(Clone, Copy)]
enum Ready {
    Listener,
    Arrival(usize),
    Client(ClientId),
}

impl Server {
    /// Begins to listen.
    ///
    /// # Errors
    /// [`Error::Backend`]: EADDRINUSE if the name is taken, EACCES for a directory that is not the caller's.
    pub fn listen(
        kernel: &dyn Backend,
        endpoint: Endpoint,
        options: ServerOptions,
    ) -> Result<Self> {
        let failed = || trying("listen at", &endpoint);
        let listener =
            kernel.socket(SocketType::Stream, SocketFlags::NONBLOCKING).map_err(failed())?;
        kernel.set_socket_option(&listener, SocketOption::PassCredentials, 1).map_err(failed())?;
        let shared_memory = SharedMemory::open(kernel, &options.shared_memory)?;
        kernel.bind(&listener, &endpoint.address()).map_err(failed())?;
        if let Some(path) = endpoint.path() {
            kernel.chmod(Place::cwd(&path), Mode::new(0o777)).map_err(failed())?;
        }
        kernel.listen(&listener, BACKLOG).map_err(failed())?;
        Ok(Self {
            endpoint,
            options,
            listener,
            shared_memory,
            arrivals: Vec::new(),
            clients: BTreeMap::new(),
            last_client: 0,
            last_event: 0,
            news: VecDeque::new(),
        })
    }

    /// Waits for the next thing that happens; `None` if nothing does by then.
    ///
    /// # Errors
    /// What the backend refuses to the server itself. What one client does wrong is an [`Event`].
    pub fn next(&mut self, kernel: &dyn Backend, deadline: Deadline) -> Result<Option<Event>> {
        loop {
            if let Some(event) = self.news.pop_front() {
                return Ok(Some(event));
            }
            let ready = self.wait(kernel, deadline)?;
            let now = kernel.monotonic().map_err(trying("read", "the clock"))?;
            // From the back, so that an arrival that goes moves none that is still to be served.
            for ready in ready.iter().rev() {
                match *ready {
                    Ready::Listener => self.accept(kernel, now)?,
                    Ready::Arrival(at) => self.hear(kernel, at)?,
                    Ready::Client(id) => self.serve(kernel, id)?,
                }
            }
            self.turn_away_slow(now);
            let late = match deadline {
                Deadline::Now => true,
                Deadline::At(moment) => now >= moment,
                Deadline::Never => false,
            };
            if late && self.news.is_empty() {
                return Ok(None);
            }
        }
    }

    /// Answers a request with a document of the daemon's own. Nothing is sent to a client that does not wait.
    ///
    /// # Errors
    /// [`Error::NoClient`], [`Error::Full`], [`Error::TooLong`]; after any other the client has
    /// [left](Event::Left).
    pub fn respond(
        &mut self,
        kernel: &dyn Backend,
        client: ClientId,
        request: &Request,
        document: &Element,
    ) -> Result<()> {
        if !request.wants_response() {
            return Ok(());
        }
        let (id, text) = (request.id, document.to_string());
        self.with(kernel, client, |connection| connection.respond(kernel, id, text))
    }

    /// Answers a request with the usual acknowledgement. `function` tells people where it comes from.
    ///
    /// # Errors
    /// As [`respond`](Self::respond).
    pub fn acknowledge(
        &mut self,
        kernel: &dyn Backend,
        client: ClientId,
        request: &Request,
        (function, status): (&str, Status),
    ) -> Result<()> {
        self.respond(kernel, client, request, &ack(function, status))
    }

    /// Sends a client an event.
    ///
    /// # Errors
    /// As [`respond`](Self::respond).
    pub fn notify(
        &mut self,
        kernel: &dyn Backend,
        client: ClientId,
        document: &Element,
    ) -> Result<()> {
        self.last_event = self.last_event.checked_add(1).unwrap_or(1);
        let (id, text) = (self.last_event, document.to_string());
        self.with(kernel, client, |connection| connection.notify(kernel, id, text))
    }

    /// Ends it: lets all clients go, removes their files, and the socket's if it has one. A server that is dropped
    /// without this leaves its files, as one that is killed does.
    ///
    /// # Errors
    /// What is not a kernel's answer. What a kernel refuses to remove stays.
    pub fn close(mut self, kernel: &dyn Backend) -> Result<()> {
        while let Some((_, connection)) = self.clients.pop_first() {
            connection.files.remove(kernel, &self.shared_memory)?;
        }
        if let Some(path) = self.endpoint.path() {
            quietly(kernel.unlink(Place::cwd(&path))).map_err(trying("unlink", &path))?;
        }
        Ok(())
    }

    /// Waits; who is ready, the listener first, then arrivals and clients in the order of their coming.
    fn wait(&self, kernel: &dyn Backend, deadline: Deadline) -> Result<Vec<Ready>> {
        let mut interests: Vec<(Ready, Interest<'_>)> = Vec::new();
        if self.arrivals.len() + self.clients.len() < self.options.most_clients {
            let handle = self.listener.descriptor();
            interests.push((Ready::Listener, Interest { handle, events: PollEvents::INPUT }));
        }
        let arrivals = self.arrivals.iter().enumerate();
        interests.extend(arrivals.map(|(at, one)| (Ready::Arrival(at), one.line.interest())));
        let clients = self.clients.iter();
        interests.extend(clients.map(|(id, one)| (Ready::Client(*id), one.line.interest())));
        let deadline = match (deadline, self.arrivals.iter().map(|one| one.until).min()) {
            (Deadline::Never, Some(first)) => Deadline::At(first),
            (Deadline::At(moment), Some(first)) => Deadline::At(moment.min(first)),
            (deadline, _) => deadline,
        };
        let (who, interests): (Vec<Ready>, Vec<Interest<'_>>) = interests.into_iter().unzip();
        let events = wait(kernel, &interests, deadline)?;
        let ready = who.into_iter().zip(events).filter(|(_, events)| !events.is_empty());
        Ok(ready.map(|(who, _)| who).collect())
    }

    fn accept(&mut self, kernel: &dyn Backend, now: Moment) -> Result<()> {
        match kernel.accept(&self.listener, SocketFlags::NONBLOCKING) {
            Ok(socket) => {
                let pass = kernel.set_socket_option(&socket, SocketOption::PassCredentials, 1);
                pass.map_err(trying("accept at", &self.endpoint))?;
                let until = now.after(self.options.setup_time);
                self.arrivals.push(Arrival::new(Line::new(socket), until));
                Ok(())
            }
            // It has gone again.
            Err(Failure::Errno(Errno::EAGAIN | Errno::EINTR | Errno::ECONNABORTED)) => Ok(()),
            Err(failure) => Err(trying("accept at", &self.endpoint)(failure)),
        }
    }

    /// Reads on what an arrival says, and makes it a client when it has said all.
    fn hear(&mut self, kernel: &dyn Backend, at: usize) -> Result<()> {
        let Some(arrival) = self.arrivals.get_mut(at) else { return Ok(()) };
        let heard = match arrival.hear(kernel) {
            Ok(None) => return Ok(()),
            Ok(Some(heard)) => Ok(heard),
            Err(error) => Err(error),
        };
        let arrival = self.arrivals.remove(at);
        let connected =
            heard.and_then(|(peer, wish)| self.connect(kernel, arrival.line, peer, wish));
        self.news.push_back(match connected {
            Ok(event) => event,
            Err(why) => Event::TurnedAway { peer: arrival.peer, why: only_kernels(why)? },
        });
        Ok(())
    }

    fn connect(
        &mut self,
        kernel: &dyn Backend,
        line: Line,
        peer: PeerCredentials,
        wish: ConnectRequest,
    ) -> Result<Event> {
        let failed = || trying("set up a client of", &self.endpoint);
        kernel
            .set_socket_option(&line.socket, SocketOption::PassCredentials, 0)
            .map_err(failed())?;
        let least = self.options.least_message_bytes.max(super::LEAST_MESSAGE_BYTES);
        let most_bytes = wish.most_message_bytes.clamp(least, MOST_MESSAGE_BYTES.max(least));
        let making = Making {
            shared_memory: &self.shared_memory,
            service: self.endpoint.service(),
            server: kernel.pid().map_err(failed())?,
            client: peer,
            socket: line.socket.descriptor().number(),
            group: self.options.group,
            most_bytes,
        };
        let id = self.last_client + 1;
        let (rings, files) = Rings::make(kernel, &making).or_else(|error| {
            if let Some(errno) = error.errno() {
                line.say(kernel, &ConnectResponse::Declined(errno).encode())?;
            }
            Err(error)
        })?;
        let grant = files.grant(making.service, most_bytes, id);
        if let Err(error) = line.say(kernel, &ConnectResponse::Granted(grant).encode()) {
            files.remove(kernel, &self.shared_memory)?;
            return Err(error);
        }
        self.last_client = id;
        let client = ClientId(id);
        self.clients.insert(client, Connection { line, rings, files });
        Ok(Event::Connected { client, peer })
    }

    /// Takes one request of a client; the next time it is somebody else's turn.
    fn serve(&mut self, kernel: &dyn Backend, client: ClientId) -> Result<()> {
        let taken = self.with(kernel, client, |connection| {
            connection.line.settle(kernel)?;
            connection.take(kernel)
        });
        match taken {
            Ok(Taken::Request(Frame { id, flags, text })) => {
                let request = Request { id, flags, text };
                self.news.push_back(Event::Request { client, request });
            }
            Ok(Taken::Unreadable(unreadable)) => {
                let why = unreadable.why;
                self.news.push_back(Event::Unreadable { client, why });
                if unreadable.flags.contains(Flags::CLIENT_RESPONSE) {
                    let text = ack("read", Status::PROTOCOL).to_string();
                    let id = unreadable.id.unwrap_or(0);
                    let sent = self
                        .with(kernel, client, |connection| connection.respond(kernel, id, text));
                    sent.or_else(|error| only_kernels(error).map(drop))?;
                }
            }
            Ok(Taken::Nothing) => {}
            // It has left, which is told already.
            Err(error) => only_kernels(error).map(drop)?,
        }
        Ok(())
    }

    /// Does something with a client; lets it go if it is lost or breaks the protocol.
    fn with<T>(
        &mut self,
        kernel: &dyn Backend,
        client: ClientId,
        act: impl FnOnce(&mut Connection) -> Result<T>,
    ) -> Result<T> {
        let connection = self.clients.get_mut(&client).ok_or(Error::NoClient)?;
        let acted = act(connection);
        match &acted {
            Ok(_) | Err(Error::Full | Error::TooLong { .. }) => {}
            Err(why) => {
                if let Some(connection) = self.clients.remove(&client) {
                    self.news.push_back(Event::Left { client, why: why.clone() });
                    connection.files.remove(kernel, &self.shared_memory)?;
                }
            }
        }
        acted
    }

    fn turn_away_slow(&mut self, now: Moment) {
        let slow = |arrival: &mut Arrival| now >= arrival.until;
        for arrival in self.arrivals.extract_if(.., slow) {
            let why = Error::TimedOut("the client's part of the set-up");
            self.news.push_back(Event::TurnedAway { peer: arrival.peer, why });
        }
    }
}

/// Keeps what a client did, or a kernel refused to do for it; hands on what no kernel said.
fn only_kernels(error: Error) -> Result<Error> {
    match error.failure() {
        Some(failure) if failure.errno().is_none() => Err(error),
        _ => Ok(error),
    }
}
