//! The client's side of an agent: each operation is a message, and an answer to it.

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::time::Timespec;
use standin::backend::{
    Access, Address, AmbientChange, Backend, CapabilitySets, Channels, Clock, Credentials,
    Deadline, Delivery, Files, FilesystemType, Interest, Listing, Lock, Message, MountFlags,
    NamespaceKind, NamespaceKinds, Namespaces, OpenOptions, PeerCredentials, PollEvents,
    PriorityOf, ProcessInfo, Processes, RebootCommand, Receive, Received, Rlimit, RlimitResource,
    SendFlags, ShutdownHow, SocketFlags, SocketOption, SocketType, Spawn, Stat, Uname, WaitOptions,
    WaitStatus, WatchEvent, WatchFlags, XattrMode,
};
use standin::capability::{Capability, CapabilitySet, Securebits};
use standin::failure::{Failure, Result};
use standin::handle::{
    Descriptor, Dir, File, Map, NsHandle, Owner, PidHandle, Scope, Socket, Watcher,
};
use standin::id::{Bytes, ExitCode, Gid, Mode, Moment, NsId, Pid, Tid, Uid, WatchId};
use standin::path::{Follow, KPath, KPathBuf, Place};
use standin::signal::{Signal, SignalSet};

use super::AgentOptions;
use super::children::Child;
use super::codec::{OwnedCredentials, Setup};
use super::frame::{Gone, Line};
use super::guard::speaker;
use super::operations::{self, part};
use super::wire::{Argument, Malformed, Reader, Wire, Writer};
use crate::handle::{HERE, Keeping};

/// How long the end of a handle waits for its agent, which may be stopped.
const PATIENCE: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };

/// Scopes of agents: behind that of this process's own table.
static NEXT_SCOPE: AtomicU64 = AtomicU64::new(HERE.0 + 1);

/// A view of the running kernel that is a process of its own: all calls are made there.
///
/// Made by [`Linux::agent`](crate::Linux::agent). The agent has one thread and makes one call at a
/// time; a second thread of the program waits for the first one's answer. It ends when this value
/// is dropped, and when the program ends in whatever way; from then on, and if somebody else
/// ends it, every call answers [`Failure::CallerDied`]. Its handles mean nothing to other views.
pub struct Agent {
    connection: Arc<Connection>,
    process: Child,
    guard: Child,
    /// Ends with the program, which the guard sees.
    _lifeline: OwnedFd,
}

/// Says hello to a new guard, and makes an agent of it.
pub(super) fn meet(
    options: &AgentOptions<'_>,
    socket: OwnedFd,
    lifeline: OwnedFd,
    guard: Child,
) -> Result<Agent> {
    let mut line = Line::new(socket);
    let agent = introduce(options, &mut line);
    match agent {
        Ok(process) => {
            Ok(Agent { connection: Connection::new(line), process, guard, _lifeline: lifeline })
        }
        Err(failure) => {
            guard.end();
            Err(failure)
        }
    }
}

/// Hears of the guard who the agent is, and of the agent that it is ready, in whichever order.
fn introduce(options: &AgentOptions<'_>, line: &mut Line) -> Result<Child> {
    let mut message = Writer::new(Line::blank(), HERE);
    let setup = Setup {
        namespaces: options.namespaces,
        has_cgroup: options.cgroup.is_some(),
        limits: options.limits.to_vec(),
        credentials: options.credentials.map(OwnedCredentials::from),
    };
    setup.put(&mut message);
    line.send(message.bytes).map_err(|Gone| Failure::CallerDied)?;
    let (mut agent, mut ready) = (None, None);
    loop {
        let heard = match (agent, ready) {
            (Some(process), Some(Ok(()))) => return Ok(process),
            (Some(process), Some(Err(failure))) => {
                Child::end(&process);
                return Err(failure);
            }
            (known, told) => {
                (agent, ready) = (known, told);
                hear(line)
            }
        };
        match heard {
            Ok(Heard::Guard(pid)) => agent = Some(Child::new(pid?)?),
            Ok(Heard::Agent(told)) => ready = Some(told),
            // One of the two was killed: the agent, if it was made, ends with the guard.
            Err(failure) => {
                agent.iter().for_each(Child::end);
                return Err(failure);
            }
        }
    }
}

/// What is said before there are calls.
enum Heard {
    Guard(Result<Pid>),
    Agent(Result<()>),
}

fn hear(line: &mut Line) -> Result<Heard> {
    let message = line.receive().map_err(|Gone| Failure::CallerDied)?;
    let owner: Arc<dyn Owner> = Arc::new(Keeping);
    let mut message = Reader::new(&message, &owner, HERE);
    let heard = u8::get(&mut message).and_then(|who| match who {
        speaker::GUARD => Wire::get(&mut message).map(Heard::Guard),
        speaker::AGENT => Wire::get(&mut message).map(Heard::Agent),
        _ => Err(Malformed),
    });
    heard.map_err(|Malformed| Failure::CallerDied)
}

/// The way to an agent, which its handles know too.
pub(super) struct Connection {
    scope: Scope,
    /// `None` when the agent is gone.
    line: Mutex<Option<Open>>,
    /// Handles that ended, and that the agent has not been told of.
    ended: Mutex<Vec<u32>>,
}

struct Open {
    line: Line,
    /// Answers that nobody waited for to the end.
    owed: u32,
}

impl Connection {
    pub(super) fn new(line: Line) -> Arc<Self> {
        let scope = Scope(NEXT_SCOPE.fetch_add(1, Ordering::Relaxed));
        let line = Mutex::new(Some(Open { line, owed: 0 }));
        Arc::new(Self { scope, line, ended: Mutex::new(Vec::new()) })
    }

    /// Sends a message and waits for its answer.
    fn exchange(&self, message: Writer) -> Result<Vec<u8>> {
        if let Some(refusal) = message.refusal {
            return Err(refusal);
        }
        let answer = {
            let mut line = self.line.lock();
            self.tell(&mut line);
            let open = line.as_mut().ok_or(Failure::CallerDied)?;
            open.exchange(message.bytes).map_err(|Gone| {
                *line = None;
                Failure::CallerDied
            })
        };
        self.tell_if_free();
        answer
    }

    /// Tells the agent which handles ended. While another thread's call is under way, that thread
    /// does it when its call is done.
    fn tell_if_free(&self) {
        while !self.ended.lock().is_empty() {
            let Some(mut line) = self.line.try_lock() else { return };
            self.tell(&mut line);
        }
    }

    fn tell(&self, line: &mut Option<Open>) {
        let ended = std::mem::take(&mut *self.ended.lock());
        if let Some(open) = line
            && !ended.is_empty()
            && open.tell(&ended, self.scope).is_err()
        {
            *line = None;
        }
    }

    fn hang_up(&self) {
        *self.line.lock() = None;
    }
}

impl Open {
    fn exchange(&mut self, message: Vec<u8>) -> Result<Vec<u8>, Gone> {
        self.line.send(message)?;
        while self.owed > 0 {
            self.line.receive()?;
            self.owed -= 1;
        }
        self.line.receive()
    }

    /// Waits for the answer only as long as a drop may.
    fn tell(&mut self, ended: &[u32], scope: Scope) -> Result<(), Gone> {
        let mut message = Writer::new(Line::blank(), scope);
        part::NOTHING.put(&mut message);
        message.length(ended.len());
        for number in ended {
            number.put(&mut message);
        }
        self.line.send(message.bytes)?;
        self.owed += 1;
        while self.owed > 0 {
            let mut wait = [PollFd::from_borrowed_fd(self.line.socket(), PollFlags::IN)];
            match poll(&mut wait, Some(&PATIENCE)) {
                Ok(0) => break,
                Ok(_) => {
                    self.line.receive()?;
                    self.owed -= 1;
                }
                Err(rustix::io::Errno::INTR) => {}
                Err(_) => return Err(Gone),
            }
        }
        Ok(())
    }
}

impl Owner for Connection {
    fn release(&self, number: u32) {
        self.ended.lock().push(number);
        self.tell_if_free();
    }
}

impl Agent {
    /// The agent's process, held by the calling one: to signal it, to wait for its end, to look at
    /// it, all by a view of [`Linux::here`](crate::Linux::here).
    #[must_use]
    pub const fn process(&self) -> &PidHandle {
        self.process.handle()
    }

    fn message(&self, part: u8, operation: u8) -> Writer {
        let mut message = Writer::new(Line::blank(), self.connection.scope);
        part.put(&mut message);
        operation.put(&mut message);
        message
    }

    /// Sends a message; what comes back is given to `read`. What can't be read ends the connection.
    fn ask<T: Wire>(
        &self,
        message: Writer,
        fill: impl FnOnce(&mut Reader<'_>) -> Result<(), Malformed>,
    ) -> Result<T> {
        let answer = self.connection.exchange(message)?;
        let owner: Arc<dyn Owner> = Arc::clone(&self.connection) as Arc<dyn Owner>;
        let mut answer = Reader::new(&answer, &owner, self.connection.scope);
        let read = Result::<T>::get(&mut answer).and_then(|result| match result {
            Ok(value) => fill(&mut answer).map(|()| Ok(value)),
            Err(failure) => Ok(Err(failure)),
        });
        read.unwrap_or_else(|_| {
            self.connection.hang_up();
            Err(Failure::CallerDied)
        })
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.process.end();
        self.connection.hang_up();
        self.guard.end();
    }
}

impl std::fmt::Debug for Agent {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Agent({:?})", self.process.pid())
    }
}

impl standin::backend::Fallback for Agent {}

impl Backend for Agent {}

/// Implements a trait by messages, from its table.
macro_rules! by_message {
    (trait $trait:ident { $(fn $name:ident($($arg:ident: $type:ty),*) -> $answer:ty;)* }) => {
        impl $trait for Agent {$(
            fn $name(&self $(, $arg: $type)*) -> Result<$answer> {
                #[allow(unused_mut, reason = "an operation without arguments writes none")]
                let mut message =
                    self.message(part_of!($trait), operations::$trait::$name.number());
                $(Argument::write(&$arg, &mut message);)*
                self.ask(message, |_answer| {
                    $(Argument::fill($arg, _answer)?;)*
                    Ok(())
                })
            }
        )*}
    };
}

/// The number of a trait.
macro_rules! part_of {
    (Files) => {
        part::FILES
    };
    (Processes) => {
        part::PROCESSES
    };
    (Namespaces) => {
        part::NAMESPACES
    };
    (Channels) => {
        part::CHANNELS
    };
    (Clock) => {
        part::CLOCK
    };
}

standin::Files! { by_message }
standin::Processes! { by_message }
standin::Namespaces! { by_message }
standin::Channels! { by_message }
standin::Clock! { by_message }
