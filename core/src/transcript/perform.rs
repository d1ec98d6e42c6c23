//! Carrying out one operation, entirely as the actor: through its view of the kernel, with what it keeps.
//!
//! A file a theme, as the operations have. An operation is a few calls of the backend and a form for the answer;
//! normalisation is the runner's (`run`), who is who was looked up before ([`Aim`](super::Aim)). What only a stage can do
//! (`fork`, `thread`) and what only the runner knows (`join`, `status`, `nsid`) is not done here.

mod descriptor;
mod file;
mod identity;
mod limit;
mod link;
mod message;
mod namespace;
mod process;
mod resource;
mod socket;
mod system;
#[cfg(test)]
mod tests;
mod watch;

use super::actor::Actor;
use super::op::Op;
use super::outcome::Outcome;
use super::stage::{Aim, Task, UNSEEN};
use super::value::{Data, Label, Piece, Who};
use crate::backend::{Backend, Deadline};
use crate::failure::{Failure, Result};
use crate::handle::{Descriptor, PidHandle};
use crate::id::Pid;
use crate::path::KPath;

/// Carries out an operation as this actor: `kernel` is the actor's own view, `target` the process that
/// [`Aim::target`](super::Aim) names.
///
/// It returns when the kernel has answered, however long that takes; if the actor dies meanwhile, what it returns means
/// nothing.
///
/// ```
/// use standin::Backend;
/// use standin::transcript::{Actor, Aim, Outcome, Task, perform};
///
/// /// What `mkdir` prints on this kernel.
/// fn make(kernel: &dyn Backend, actor: &Actor) -> Outcome {
///     let op = "mkdir /sys/fs/cgroup/a".parse().unwrap();
///     perform(kernel, actor, &Task { op, aim: Aim::default() }, None)
/// }
/// ```
pub fn perform(
    kernel: &dyn Backend,
    actor: &Actor,
    task: &Task,
    target: Option<&PidHandle>,
) -> Outcome {
    let act = Act { kernel, actor, aim: &task.aim, target };
    let outcome = match &task.op {
        Op::Files(op) => file::run(&act, op),
        Op::Processes(op) => process::run(&act, op),
        Op::Namespaces(op) => namespace::run(&act, op),
        Op::Resources(op) => resource::run(&act, op),
        Op::Sockets(op) => socket::run(&act, op),
        Op::Identity(op) => identity::run(&act, op),
        Op::Links(op) => link::run(&act, op),
        Op::System(op) => system::run(&act, op),
    };
    outcome.unwrap_or_else(|failed| failed)
}

/// What an operation comes to; a failure is an outcome like any other.
type Performed = std::result::Result<Outcome, Outcome>;

/// Who acts, on what, and for whom.
struct Act<'a> {
    kernel: &'a dyn Backend,
    actor: &'a Actor,
    aim: &'a Aim,
    target: Option<&'a PidHandle>,
}

impl Act<'_> {
    /// The descriptor under a label as a handle; an unknown label is -1.
    fn handle<H: From<Descriptor>>(&self, label: &Label) -> H {
        self.actor.handle(label)
    }

    /// The process that the operation is aimed at.
    fn target(&self) -> std::result::Result<&PidHandle, Outcome> {
        self.target.ok_or_else(|| Outcome::Broken("the stage gave no handle of TARGET".to_owned()))
    }

    /// The number of an actor as this one sees it.
    fn number(&self, label: &Label) -> Pid {
        let known = self.aim.numbers.iter().find(|(known, _)| known == label);
        known.map_or(UNSEEN, |(_, number)| *number)
    }

    /// WHO as system calls take it; `None` is `0`.
    fn who(&self, who: &Who) -> Option<Pid> {
        match who {
            Who::Zero => None,
            Who::Actor(label) => Some(self.number(label)),
        }
    }

    /// Data with its marks replaced by numbers.
    fn bytes(&self, data: &Data) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(data.0.len());
        for piece in data.pieces() {
            match piece {
                Piece::Bytes(plain) => bytes.extend_from_slice(plain),
                Piece::Pid(label, _) => bytes.extend(self.number(&label).to_string().into_bytes()),
                Piece::Descriptor(label, _) => {
                    let number = self.actor.find(&label).map(|descriptor| descriptor.number());
                    bytes.extend(
                        number.map_or_else(|| "-1".to_owned(), |it| it.to_string()).into_bytes(),
                    );
                }
            }
        }
        bytes
    }

    /// The moment `timeout_ms` from now, for ever if that is negative.
    fn deadline(&self, timeout_ms: i32) -> Result<Deadline> {
        Ok(match u64::try_from(timeout_ms) {
            Err(_) => Deadline::Never,
            Ok(0) => Deadline::Now,
            Ok(ms) => {
                Deadline::At(self.kernel.monotonic()?.after(std::time::Duration::from_millis(ms)))
            }
        })
    }
}

/// `ok`, if the call succeeded.
fn done(result: Result<()>) -> Performed {
    result?;
    Ok(Outcome::ok())
}

/// A failure of the opening, in an operation whose transfer can fail too.
fn opening(failure: Failure) -> Outcome {
    Outcome::from(failure).while_opening()
}

/// Bytes as a name that a call takes by its length; the backends take no NUL in them.
fn name(bytes: &[u8]) -> std::result::Result<&KPath, Outcome> {
    KPath::new(bytes).map_err(|_| Outcome::NotModelled)
}

/// Bytes as a name that a call reads up to its first NUL.
fn name_to_nul(bytes: &[u8]) -> &KPath {
    let name = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
    KPath::new(name).unwrap_or(KPath::empty())
}

/// An operation that is not carried out by an actor.
fn not_an_actors(what: &str) -> Performed {
    Err(Outcome::Broken(format!("`{what}` is not carried out by an actor's own calls")))
}
