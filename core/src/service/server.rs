//! The server: a socket, its clients, and one poll for all of them.

use std::collections::BTreeMap;
use std::time::Duration;

use super::error::Error;
use super::hostname::{HOSTNAME_HELPER, Hostnames};
use super::lookup::{Found, look_up};
use super::peer::{CloseReason, Peer, PeerId};
use super::stream::{earlier, interest};
use super::wire::{Features, Serving, Status};
use crate::backend::{
    Address, Backend, Deadline, FileKind, Interest, PeerCredentials, PollEvents, SocketFlags,
    SocketType,
};
use crate::engine::{Engines, Index};
use crate::errno::Errno;
use crate::failure::{Failure, Result};
use crate::handle::{Descriptor, Socket};
use crate::id::{Device, Inode, Mode, Moment, Uid};
use crate::path::{Follow, KPathBuf, Place};

/// How many clients may wait to be let in, as with PCP's server.
const BACKLOG: u32 = 5;
/// For how long nobody is let in after the kernel could not make one more connection.
const PAUSE: Duration = Duration::from_millis(100);
/// What we look up.
const FEATURES: Features = Features::HOSTNAME.union(Features::PROCESS_ID);

/// How a server serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Where its socket stands, in a directory that is there.
    pub path: KPathBuf,
    /// The socket's permission bits: who may write may connect. `0600` unless said otherwise.
    pub mode: Mode,
    /// Which users may ask, whatever the socket's permission bits say. Root alone unless said otherwise.
    pub users: Vec<Uid>,
    /// Whose containers it looks up. None's unless said otherwise.
    pub engines: Engines,
    /// Where [`hostname_helper`](super::hostname_helper) is registered.
    pub helper: KPathBuf,
    /// How many clients it serves at once; more wait to be let in. 256 unless said otherwise.
    pub most_clients: usize,
    /// How long a client may take for one request, and the helper for one answer. 5 s unless said otherwise.
    pub patience: Duration,
}

impl Options {
    /// A server at this path.
    #[must_use]
    pub fn new(path: KPathBuf) -> Self {
        Self {
            path,
            mode: Mode::new(0o600),
            users: vec![Uid::ROOT],
            engines: Engines::none(),
            helper: HOSTNAME_HELPER.try_into().unwrap_or_default(),
            most_clients: 256,
            patience: Duration::from_secs(5),
        }
    }
}

/// What happened at a server.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// Somebody connected.
    Connected {
        /// The connection.
        peer: PeerId,
        /// Who it is.
        credentials: PeerCredentials,
    },
    /// A connection was closed.
    Closed {
        /// Which one.
        peer: PeerId,
        /// Why.
        reason: CloseReason,
    },
    /// The helper did not start: [`Options::helper`] names no program, or there is no room for one more process.
    HelperFailed {
        /// Why not.
        errno: Errno,
    },
}

/// A privileged service: lets clients in, and looks up containers for them.
///
/// It serves many clients in one process and waits for none of them: who is slow is closed. It must be
/// [closed](Server::close) to leave no socket and no helper behind.
///
/// ```no_run
/// use standin::backend::Backend;
/// use standin::engine::Engines;
/// use standin::handle::Descriptor;
/// use standin::service::{Error, Options, Server, USUAL_PATH};
///
/// fn serve(kernel: &dyn Backend, stop: &Descriptor) -> Result<(), Error> {
///     let path = USUAL_PATH.try_into().unwrap();
///     let options = Options { engines: Engines::usual(), ..Options::new(path) };
///     let mut server = Server::bind(kernel, options)?;
///     let served = server.serve(kernel, stop, |event| println!("{event:?}"));
///     server.close(kernel)?;
///     served
/// }
/// ```
pub struct Server {
    options: Options,
    listener: Socket,
    /// The socket's file: by now another's may stand at the path.
    file: (Device, Inode),
    /// Of the containers of [`Options::engines`].
    index: Index,
    peers: BTreeMap<PeerId, Peer>,
    next_peer: u64,
    hostnames: Hostnames,
    /// Until when nobody is let in.
    full_until: Option<Moment>,
}

impl Server {
    /// Makes the socket and listens. A socket that nobody listens to any more is replaced.
    ///
    /// # Errors
    /// [`Error::InUse`], or [`Error::Failed`]: EADDRINUSE if something else than a socket stands there, ENOENT if there is
    /// no such directory, EACCES.
    pub fn bind(kernel: &dyn Backend, options: Options) -> Result<Self, Error> {
        let failed = |operation| {
            let path = options.path.clone();
            move |failure| Error::Failed { operation, path, failure }
        };
        let listener = kernel
            .socket(SocketType::Stream, SocketFlags::NONBLOCKING)
            .map_err(failed("socket"))?;
        let address = Address::Path(options.path.clone());
        match kernel.bind(&listener, &address) {
            Err(failure) if failure.is(Errno::EADDRINUSE) => {
                if !is_left_behind(kernel, &options.path).map_err(failed("connect"))? {
                    return Err(Error::InUse { path: options.path });
                }
                kernel.unlink(Place::cwd(&options.path)).map_err(failed("unlink"))?;
                kernel.bind(&listener, &address).map_err(failed("bind"))?;
            }
            bound => bound.map_err(failed("bind"))?,
        }
        let place = Place::cwd(&options.path);
        // Nobody can connect before it listens, so the mode is right from the start.
        kernel.chmod(place, options.mode).map_err(failed("chmod"))?;
        let stat = kernel.stat(place, Follow::No).map_err(failed("stat"))?;
        kernel.listen(&listener, BACKLOG).map_err(failed("listen"))?;
        let hostnames = Hostnames::new(options.helper.clone(), options.patience);
        Ok(Self {
            index: Index::of(options.engines.clone()),
            options,
            listener,
            file: (stat.device, stat.inode),
            peers: BTreeMap::new(),
            next_peer: 0,
            hostnames,
            full_until: None,
        })
    }

    /// Serves until `stop` can be read from, or its other end is closed; every event is told.
    ///
    /// # Errors
    /// As [`step`](Self::step).
    pub fn serve(
        &mut self,
        kernel: &dyn Backend,
        stop: &Descriptor,
        mut tell: impl FnMut(Event),
    ) -> Result<(), Error> {
        loop {
            let (events, is_over) = self.turn(kernel, Deadline::Never, Some(stop))?;
            events.into_iter().for_each(&mut tell);
            if is_over {
                return Ok(());
            }
        }
    }

    /// Waits until there is something to do or the deadline is there, does it, and says what happened.
    ///
    /// # Errors
    /// [`Error::Failed`] if the server itself cannot go on. What is wrong with one client closes that client.
    pub fn step(&mut self, kernel: &dyn Backend, deadline: Deadline) -> Result<Vec<Event>, Error> {
        self.turn(kernel, deadline, None).map(|(events, _)| events)
    }

    /// Ends: closes every connection and the helper, and takes the socket away.
    ///
    /// # Errors
    /// [`Error::Failed`] if the socket could not be taken away.
    pub fn close(mut self, kernel: &dyn Backend) -> Result<(), Error> {
        self.peers.clear();
        self.hostnames.close(kernel).map_err(|failure| self.failed("wait", failure))?;
        let place = Place::cwd(&self.options.path);
        match kernel.stat(place, Follow::No) {
            Ok(stat) if (stat.device, stat.inode) == self.file => {
                kernel.unlink(place).map_err(|failure| self.failed("unlink", failure))
            }
            // Another one's, or none.
            Ok(_) | Err(Failure::Errno(_)) => Ok(()),
            Err(failure) => Err(self.failed("stat", failure)),
        }
    }

    fn failed(&self, operation: &'static str, failure: Failure) -> Error {
        Error::Failed { operation, path: self.options.path.clone(), failure }
    }

    fn turn(
        &mut self,
        kernel: &dyn Backend,
        deadline: Deadline,
        stop: Option<&Descriptor>,
    ) -> Result<(Vec<Event>, bool), Error> {
        let (ready, is_over) =
            self.poll(kernel, deadline, stop).map_err(|failure| self.failed("poll", failure))?;
        let mut events = Vec::new();
        let served = self.work(kernel, &ready, &mut events);
        served.map_err(|failure| self.failed("serve", failure))?;
        Ok((events, is_over))
    }

    /// Waits; gives what each peer is ready for.
    fn poll(
        &self,
        kernel: &dyn Backend,
        deadline: Deadline,
        stop: Option<&Descriptor>,
    ) -> Result<(Vec<(PeerId, PollEvents)>, bool)> {
        let mut interests: Vec<_> = self.peers.values().map(Peer::interest).collect();
        let lets_in = self.full_until.is_none() && self.peers.len() < self.options.most_clients;
        interests.extend(lets_in.then(|| interest(&self.listener, PollEvents::INPUT)));
        interests.extend(self.hostnames.interest());
        interests.extend(stop.map(|handle| Interest { handle, events: PollEvents::INPUT }));
        let deadlines = self.peers.values().filter_map(Peer::deadline);
        let deadlines = deadlines.chain(self.hostnames.deadline()).chain(self.full_until);
        match kernel.poll(&interests, earlier(deadline, deadlines.min())) {
            Ok(events) => {
                let is_over = stop.is_some() && events.last().is_some_and(|last| !last.is_empty());
                Ok((self.peers.keys().copied().zip(events).collect(), is_over))
            }
            Err(failure) if failure.is(Errno::EINTR) => Ok((Vec::new(), false)),
            Err(failure) => Err(failure),
        }
    }

    /// Does what there is to do, without waiting.
    fn work(
        &mut self,
        kernel: &dyn Backend,
        ready: &[(PeerId, PollEvents)],
        events: &mut Vec<Event>,
    ) -> Result<()> {
        let now = kernel.monotonic()?;
        for (id, ready) in ready {
            self.attend(kernel, *id, *ready, now, events)?;
        }
        self.let_in(kernel, now, events)?;
        // An answer may make room for a request that was there already, and that one needs the helper again.
        loop {
            let answers = self.hostnames.advance(kernel)?;
            let troubles = self.hostnames.take_troubles().into_iter();
            events.extend(troubles.map(|errno| Event::HelperFailed { errno }));
            if answers.is_empty() {
                return Ok(());
            }
            for (id, answer) in answers {
                if let Some(peer) = self.peers.get_mut(&id) {
                    peer.serving.answer(answer);
                    self.attend(kernel, id, PollEvents::empty(), now, events)?;
                }
            }
        }
    }

    /// Serves one peer as far as it goes, and closes it where it went wrong.
    fn attend(
        &mut self,
        kernel: &dyn Backend,
        id: PeerId,
        ready: PollEvents,
        now: Moment,
        events: &mut Vec<Event>,
    ) -> Result<()> {
        let reason = match self.talk(kernel, id, ready, now) {
            Ok(()) => return Ok(()),
            Err(CloseReason::Failed(failure)) if failure.errno().is_none() => return Err(failure),
            Err(reason) => reason,
        };
        self.peers.remove(&id);
        self.hostnames.forget(id);
        events.push(Event::Closed { peer: id, reason });
        Ok(())
    }

    fn talk(
        &mut self,
        kernel: &dyn Backend,
        id: PeerId,
        ready: PollEvents,
        now: Moment,
    ) -> Result<(), CloseReason> {
        let Some(peer) = self.peers.get_mut(&id) else { return Ok(()) };
        if ready.intersects(PollEvents::HANG_UP | PollEvents::ERROR | PollEvents::INVALID) {
            return Err(CloseReason::Gone);
        }
        if ready.contains(PollEvents::INPUT) {
            peer.fill(kernel)?;
        }
        while let Some(request) = peer.next_request(kernel)? {
            match look_up(kernel, &mut self.index, &request) {
                Ok(Found::Answer(answer)) => peer.serving.answer(answer),
                Ok(Found::Process(held)) => {
                    self.hostnames.ask(id, held);
                    break;
                }
                Err(Failure::Errno(errno)) => peer.serving.answer(Err(Status::of(errno))),
                Err(failure) => return Err(CloseReason::Failed(failure)),
            }
        }
        if peer.deadline().is_some_and(|late| now >= late) {
            return Err(CloseReason::TooSlow);
        }
        peer.watch(now, self.options.patience);
        Ok(())
    }

    /// Lets in who waits, as far as there is room.
    fn let_in(&mut self, kernel: &dyn Backend, now: Moment, events: &mut Vec<Event>) -> Result<()> {
        self.full_until = self.full_until.filter(|until| now < *until);
        while self.full_until.is_none() && self.peers.len() < self.options.most_clients {
            let socket = match kernel.accept(&self.listener, SocketFlags::empty()) {
                Ok(socket) => socket,
                Err(Failure::Errno(Errno::EAGAIN)) => return Ok(()),
                Err(Failure::Errno(Errno::EINTR | Errno::ECONNABORTED)) => continue,
                // No descriptor, no memory: that may pass.
                Err(Failure::Errno(_)) => {
                    self.full_until = Some(now.after(PAUSE));
                    return Ok(());
                }
                Err(failure) => return Err(failure),
            };
            let id = PeerId(self.next_peer);
            self.next_peer += 1;
            let credentials = match kernel.peer_credentials(&socket) {
                Ok(credentials) => credentials,
                Err(Failure::Errno(_)) => continue,
                Err(failure) => return Err(failure),
            };
            let peer = if self.options.users.contains(&credentials.uid) {
                Peer::served(socket, Serving::greet(FEATURES))
            } else {
                Peer::refused(socket, Serving::refuse(Status::of(Errno::EACCES)))
            };
            self.peers.insert(id, peer);
            events.push(Event::Connected { peer: id, credentials });
            self.attend(kernel, id, PollEvents::empty(), now, events)?;
        }
        Ok(())
    }
}

/// Whether a socket stands there, and nobody listens.
fn is_left_behind(kernel: &dyn Backend, path: &KPathBuf) -> Result<bool> {
    if kernel.stat(Place::cwd(path), Follow::No)?.kind != FileKind::Socket {
        return Err(Errno::EADDRINUSE.into());
    }
    let probe = kernel.socket(SocketType::Stream, SocketFlags::NONBLOCKING)?;
    match kernel.connect(&probe, &Address::Path(path.clone())) {
        Ok(()) | Err(Failure::Errno(Errno::EAGAIN)) => Ok(false),
        Err(Failure::Errno(Errno::ECONNREFUSED)) => Ok(true),
        Err(failure) => Err(failure),
    }
}
