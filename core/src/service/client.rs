//! The client: what an agent calls.

use std::time::Duration;

use super::error::Error;
use super::stream::{self, Moved};
use super::wire::{Asking, Event, Features, Info, Lookup, Name, Reply, Request, Status};
use crate::backend::{Address, Backend, Deadline, PollEvents, SocketFlags, SocketType};
use crate::engine::ContainerName;
use crate::errno::Errno;
use crate::failure::Failure;
use crate::handle::Socket;
use crate::id::Pid;
use crate::path::{KPath, KPathBuf};

/// Before a server whose backlog is full is tried again: connect(2) says EAGAIN, and there is nothing to poll.
const PAUSE: Duration = Duration::from_millis(2);

/// A connection to a privileged service, ours or PCP's.
///
/// Every call has a deadline. A call that got no answer leaves the connection without use: the next call says
/// [`Error::Lost`], and the answer to ask for is a new connection.
///
/// ```no_run
/// use standin::backend::{Backend, Deadline};
/// use standin::engine::ContainerName;
/// use standin::service::{Client, Error, USUAL_PATH};
/// use standin::KPathBuf;
///
/// fn hostname(kernel: &dyn Backend, container: &ContainerName) -> Result<String, Error> {
///     let path = KPathBuf::try_from(USUAL_PATH).unwrap();
///     let mut client = Client::connect(kernel, &path, Deadline::Never)?;
///     Ok(client.hostname(kernel, container, Deadline::Never)?.to_string())
/// }
/// ```
#[derive(Debug)]
pub struct Client {
    path: KPathBuf,
    socket: Socket,
    asking: Asking,
    features: Features,
}

impl Client {
    /// Connects, and waits until the server has said what it can look up.
    ///
    /// # Errors
    /// [`Error::Failed`] (ENOENT: no socket there; ECONNREFUSED: nobody listens; EACCES), [`Error::NotServed`],
    /// [`Error::TimedOut`], [`Error::Closed`], [`Error::Violation`].
    pub fn connect(kernel: &dyn Backend, path: &KPath, deadline: Deadline) -> Result<Self, Error> {
        let failed =
            |failure| Error::Failed { operation: "connect", path: path.to_owned(), failure };
        let socket = kernel.socket(SocketType::Stream, SocketFlags::NONBLOCKING).map_err(failed)?;
        let address = Address::Path(path.to_owned());
        loop {
            match kernel.connect(&socket, &address) {
                Ok(()) => break,
                Err(Failure::Errno(Errno::EAGAIN | Errno::EINTR)) => {
                    if !stream::pause(kernel, PAUSE, deadline).map_err(failed)? {
                        return Err(Error::TimedOut { operation: "connect" });
                    }
                }
                Err(failure) => return Err(failed(failure)),
            }
        }
        let features = Features::empty();
        let mut client = Self { path: path.to_owned(), socket, asking: Asking::new(), features };
        match client.listen(kernel, deadline)? {
            Event::Info(Info { status: Status::OK, features }) => client.features = features,
            Event::Info(info) => return Err(Error::NotServed(info.status)),
            Event::Reply(_) => return Err(Error::Lost),
        }
        Ok(client)
    }

    /// What the server can look up.
    #[must_use]
    pub const fn features(&self) -> Features {
        self.features
    }

    /// The host name that a container's processes see.
    ///
    /// # Errors
    /// [`Error::NoContainer`], [`Error::Ambiguous`], [`Error::NotRunning`], [`Error::Refused`] (the server could not
    /// look it up), [`Error::Unsupported`]; and if there was no answer, [`Error::TimedOut`], [`Error::Closed`],
    /// [`Error::Lost`], [`Error::Violation`], [`Error::Failed`].
    pub fn hostname(
        &mut self,
        kernel: &dyn Backend,
        container: &ContainerName,
        deadline: Deadline,
    ) -> Result<KPathBuf, Error> {
        let reply = self.ask(kernel, Lookup::Hostname, container, deadline)?;
        // A name holds no NUL.
        Ok(KPathBuf::new(reply.name.as_bytes()).unwrap_or_default())
    }

    /// The first process of a container, as the server's pid namespace sees it.
    ///
    /// # Errors
    /// As [`hostname`](Self::hostname).
    pub fn pid(
        &mut self,
        kernel: &dyn Backend,
        container: &ContainerName,
        deadline: Deadline,
    ) -> Result<Pid, Error> {
        let reply = self.ask(kernel, Lookup::ProcessId, container, deadline)?;
        match u32::try_from(reply.pid) {
            Ok(pid @ 1..) => Ok(Pid(pid)),
            // So says PCP's server of a container that is not running: -1 of Docker's, 0 of Podman's.
            _ => Err(Error::NotRunning(container.clone())),
        }
    }

    fn ask(
        &mut self,
        kernel: &dyn Backend,
        lookup: Lookup,
        container: &ContainerName,
        deadline: Deadline,
    ) -> Result<Reply, Error> {
        if !self.features.contains(lookup.feature()) {
            return Err(Error::Unsupported(lookup));
        }
        let name = Name::new(container.to_string())?;
        let bytes = self.asking.ask(&Request { lookup, pid: 0, name }).ok_or(Error::Lost)?;
        self.say(kernel, &bytes, deadline)?;
        let Event::Reply(reply) = self.listen(kernel, deadline)? else { return Err(Error::Lost) };
        let name = container.clone();
        match reply.status {
            Status::OK => Ok(reply),
            Status::NO_CONTAINER => Err(Error::NoContainer(name)),
            Status::NOT_RUNNING => Err(Error::NotRunning(name)),
            Status::AMBIGUOUS => Err(Error::Ambiguous(name)),
            status => Err(Error::Refused { lookup, name, status }),
        }
    }

    fn say(&self, kernel: &dyn Backend, bytes: &[u8], deadline: Deadline) -> Result<(), Error> {
        let mut rest = bytes;
        while !rest.is_empty() {
            match stream::send(kernel, &self.socket, rest)
                .map_err(|why| self.failed("send", why))?
            {
                Moved::Bytes(length) => rest = rest.get(length..).unwrap_or_default(),
                Moved::Later => self.wait(kernel, PollEvents::OUTPUT, "send", deadline)?,
                Moved::Gone => return Err(Error::Closed),
            }
        }
        Ok(())
    }

    fn listen(&mut self, kernel: &dyn Backend, deadline: Deadline) -> Result<Event, Error> {
        let mut chunk = [0; 4200];
        loop {
            let received = stream::receive(kernel, &self.socket, &mut chunk);
            match received.map_err(|failure| self.failed("receive", failure))? {
                Moved::Bytes(0) | Moved::Gone => return Err(Error::Closed),
                Moved::Bytes(length) => {
                    let bytes = chunk.get(..length).unwrap_or_default();
                    if let Some(event) = self.asking.receive(bytes)? {
                        return Ok(event);
                    }
                }
                Moved::Later => self.wait(kernel, PollEvents::INPUT, "receive", deadline)?,
            }
        }
    }

    fn wait(
        &self,
        kernel: &dyn Backend,
        events: PollEvents,
        operation: &'static str,
        deadline: Deadline,
    ) -> Result<(), Error> {
        match stream::wait(kernel, stream::interest(&self.socket, events), deadline) {
            Ok(true) => Ok(()),
            Ok(false) => Err(Error::TimedOut { operation }),
            Err(failure) => Err(self.failed("poll", failure)),
        }
    }

    fn failed(&self, operation: &'static str, failure: Failure) -> Error {
        Error::Failed { operation, path: self.path.clone(), failure }
    }
}
