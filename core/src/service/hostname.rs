//! Host names of containers: a helper process joins their UTS namespaces, one after the other, and tells what it sees.
//!
//! The helper speaks the service's own protocol on descriptor 3, and is asked for host names of processes. It never goes
//! back: it joins by the process, from wherever it is. One that does not answer is killed, and another one is started.

use std::collections::VecDeque;
use std::time::Duration;

use super::lookup::{Answer, Held};
use super::peer::PeerId;
use super::stream::{self, Moved};
use super::wire::{Asking, Event, Features, Lookup, Name, Reply, Request, Serving, Status};
use crate::backend::{
    Backend, Interest, Message, NamespaceKinds, PollEvents, Receive, SendFlags, SocketFlags,
    SocketType, Spawn, SpawnDescriptor, WaitOptions,
};
use crate::errno::Errno;
use crate::failure::{Failure, Result};
use crate::handle::{PidHandle, Socket};
use crate::id::{ExitCode, Moment, Pid};
use crate::path::KPathBuf;
use crate::signal::Signal;

/// A path to register [`hostname_helper`] at, and to name in [`Options::helper`](super::Options::helper).
pub const HOSTNAME_HELPER: &str = "/usr/libexec/standin/hostname-helper";

/// The helper's end of its socket.
const DESCRIPTOR: u32 = 3;

/// The program of the helper process: tells host names until the server closes its end. Register it with the machine,
/// or with the registry of `standin-linux`.
#[must_use]
pub fn hostname_helper(kernel: &dyn Backend, _arguments: &[Vec<u8>]) -> ExitCode {
    match help(kernel) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn help(kernel: &dyn Backend) -> Result<()> {
    let socket = Socket::from(kernel.inherited(DESCRIPTOR)?);
    let mut serving = Serving::greet(Features::HOSTNAME);
    let mut chunk = [0; 256];
    loop {
        while !serving.output().is_empty() {
            let message = Message { bytes: serving.output(), ..Message::default() };
            let length = kernel.send(&socket, &message, SendFlags::empty())?;
            serving.sent(length);
        }
        if let Some(request) = serving.next_request().map_err(|_| Errno::EPROTO)? {
            serving.answer(hostname(kernel, request.pid)?);
            continue;
        }
        let received = kernel.receive(&socket, &mut chunk, Receive::default())?;
        if received.length == 0 {
            return Ok(());
        }
        serving.receive(chunk.get(..received.length).unwrap_or_default());
    }
}

/// The host name that a process sees, or what the kernel said.
fn hostname(kernel: &dyn Backend, pid: i32) -> Result<Result<(i32, Name), Status>> {
    let name = kernel
        .open_pid(Pid(pid.unsigned_abs()))
        .and_then(|process| kernel.join(&process, NamespaceKinds::UTS))
        .and_then(|()| kernel.uname());
    match name {
        Ok(name) => Ok(Ok((pid, Name::new(name.nodename.as_bytes()).unwrap_or_default()))),
        Err(Failure::Errno(Errno::ESRCH)) => Ok(Err(Status::NOT_RUNNING)),
        Err(Failure::Errno(errno)) => Ok(Err(Status::of(errno))),
        Err(failure) => Err(failure),
    }
}

/// The helper, and who waits for it.
pub(super) struct Hostnames {
    program: KPathBuf,
    patience: Duration,
    helper: Option<Helper>,
    waiting: VecDeque<(PeerId, Held)>,
    /// Helpers that were killed, to be reaped.
    killed: Vec<PidHandle>,
    /// Why helpers did not start.
    troubles: Vec<Errno>,
}

/// What a peer is told when a helper does not start, or ends.
const BROKEN: Status = Status::of(Errno::EIO);

impl Hostnames {
    pub(super) const fn new(program: KPathBuf, patience: Duration) -> Self {
        Self {
            program,
            patience,
            helper: None,
            waiting: VecDeque::new(),
            killed: Vec::new(),
            troubles: Vec::new(),
        }
    }

    /// Why helpers did not start, since this was last asked.
    pub(super) fn take_troubles(&mut self) -> Vec<Errno> {
        std::mem::take(&mut self.troubles)
    }

    pub(super) fn ask(&mut self, peer: PeerId, held: Held) {
        self.waiting.push_back((peer, held));
    }

    /// The peer is gone. If the helper is at its question already, the answer finds nobody.
    pub(super) fn forget(&mut self, peer: PeerId) {
        self.waiting.retain(|(waiting, _)| *waiting != peer);
    }

    pub(super) fn interest(&self) -> Option<Interest<'_>> {
        self.helper.as_ref().map(|helper| stream::interest(&helper.socket, PollEvents::INPUT))
    }

    pub(super) fn deadline(&self) -> Option<Moment> {
        self.helper.as_ref()?.current.as_ref().map(|current| current.late)
    }

    /// Goes on as far as it goes without waiting, and gives the answers that came of it.
    pub(super) fn advance(&mut self, kernel: &dyn Backend) -> Result<Vec<(PeerId, Answer)>> {
        let mut answers = Vec::new();
        self.reap(kernel)?;
        loop {
            if let Some(helper) = &mut self.helper {
                match helper.listen(kernel)? {
                    Ok(answer) => answers.extend(answer),
                    Err(status) => {
                        answers.extend(self.give_up(kernel)?.map(|peer| (peer, Err(status))));
                        continue;
                    }
                }
                if helper.current.is_some() {
                    return Ok(answers);
                }
            }
            let Some((peer, held)) = self.waiting.pop_front() else { return Ok(answers) };
            let current = Current { peer, held, late: kernel.monotonic()?.after(self.patience) };
            if let Some(helper) = &mut self.helper {
                helper.current = Some(current);
                helper.ask(kernel)?;
            } else {
                match Helper::start(kernel, &self.program, current) {
                    Ok(helper) => self.helper = Some(helper),
                    Err(Failure::Errno(errno)) => {
                        self.troubles.push(errno);
                        answers.push((peer, Err(BROKEN)));
                    }
                    Err(failure) => return Err(failure),
                }
            }
        }
    }

    /// Ends the helper, and says who waited for its answer.
    fn give_up(&mut self, kernel: &dyn Backend) -> Result<Option<PeerId>> {
        let Some(helper) = self.helper.take() else { return Ok(None) };
        unless_refused(kernel.signal(&helper.process, Some(Signal::KILL)))?;
        self.killed.push(helper.process);
        Ok(helper.current.map(|current| current.peer))
    }

    fn reap(&mut self, kernel: &dyn Backend) -> Result<()> {
        let now = WaitOptions { nonblocking: true, ..WaitOptions::default() };
        let mut left = Vec::new();
        for process in self.killed.drain(..) {
            if let Some(None) = unless_refused(kernel.wait(&process, now))? {
                left.push(process);
            }
        }
        self.killed = left;
        Ok(())
    }

    /// Ends the helper, and waits until it is gone.
    pub(super) fn close(&mut self, kernel: &dyn Backend) -> Result<()> {
        self.waiting.clear();
        self.give_up(kernel)?;
        for process in self.killed.drain(..) {
            unless_refused(kernel.wait(&process, WaitOptions::default()))?;
        }
        Ok(())
    }
}

/// What a call on a helper gave; `None` if it was refused: then the helper is gone, or of no more use.
fn unless_refused<T>(call: Result<T>) -> Result<Option<T>> {
    match call {
        Ok(answer) => Ok(Some(answer)),
        Err(Failure::Errno(_)) => Ok(None),
        Err(failure) => Err(failure),
    }
}

struct Helper {
    process: PidHandle,
    socket: Socket,
    asking: Asking,
    current: Option<Current>,
}

/// Who is to be answered by the helper, of which process, and until when.
struct Current {
    peer: PeerId,
    held: Held,
    late: Moment,
}

impl Helper {
    fn start(kernel: &dyn Backend, program: &KPathBuf, current: Current) -> Result<Self> {
        let (socket, its) = kernel.socket_pair(SocketType::Stream, SocketFlags::empty())?;
        let descriptors = [SpawnDescriptor { from: its.descriptor(), to: DESCRIPTOR }];
        let arguments = [program.as_bytes()];
        let spawn = Spawn { descriptors: &descriptors, ..Spawn::new(program, &arguments) };
        let process = kernel.spawn(&spawn)?;
        Ok(Self { process, socket, asking: Asking::new(), current: Some(current) })
    }

    /// Asks for the current one, if it is the server's turn. Whether it was sent shows in what comes back.
    fn ask(&mut self, kernel: &dyn Backend) -> Result<()> {
        let Some(current) = &self.current else { return Ok(()) };
        let pid = current.held.number();
        let request = Request { lookup: Lookup::Hostname, pid, name: Name::default() };
        if let Some(bytes) = self.asking.ask(&request) {
            unless_refused(stream::send(kernel, &self.socket, &bytes))?;
        }
        Ok(())
    }

    /// Hears what the helper says: the current one's answer, if it is there. The status says why the helper is of no
    /// more use.
    fn listen(&mut self, kernel: &dyn Backend) -> Result<Result<Option<(PeerId, Answer)>, Status>> {
        let mut chunk = [0; 256];
        loop {
            let received = stream::receive(kernel, &self.socket, &mut chunk);
            let length = match unless_refused(received)? {
                Some(Moved::Bytes(length @ 1..)) => length,
                Some(Moved::Bytes(0) | Moved::Gone) | None => return Ok(Err(BROKEN)),
                Some(Moved::Later) => return self.unless_late(kernel),
            };
            match self.asking.receive(chunk.get(..length).unwrap_or_default()) {
                Err(_) => return Ok(Err(BROKEN)),
                Ok(None) => {}
                Ok(Some(Event::Info(_))) => self.ask(kernel)?,
                Ok(Some(Event::Reply(Reply { status, name, .. }))) => {
                    let Some(Current { peer, held, .. }) = self.current.take() else { continue };
                    let answer = match (status, held.is_alive(kernel)) {
                        (Status::OK, Ok(true)) => Ok((held.number(), name)),
                        (Status::OK, Ok(false)) => Err(Status::NOT_RUNNING),
                        (Status::OK, Err(Failure::Errno(errno))) => Err(Status::of(errno)),
                        (Status::OK, Err(failure)) => return Err(failure),
                        (status, _) => Err(status),
                    };
                    return Ok(Ok(Some((peer, answer))));
                }
            }
        }
    }

    fn unless_late<T>(&self, kernel: &dyn Backend) -> Result<Result<Option<T>, Status>> {
        Ok(match &self.current {
            Some(current) if kernel.monotonic()? >= current.late => {
                Err(Status::of(Errno::ETIMEDOUT))
            }
            _ => Ok(None),
        })
    }
}
