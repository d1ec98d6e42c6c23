//! The stage: where the actors of a run live. What a runner needs of a machine or a host, and no more.
//!
//! A [`Stage`] gives each actor a process or thread of its own, hands it one request at a time, and can wait until all
//! that a request set off has happened. It calls [`perform`](super::perform) *inside* the actor. It never prints: the
//! runner (`run`) knows labels, order and normalisation, the stage knows numbers. Requests and outcomes are plain data
//! (`wire` makes bytes of them), so an actor may be another process.
//!
//! # What a stage promises
//!
//! * At the start there is [`ActorId::INIT`], as the spec describes it (root, root cgroups, initial namespaces, child of
//!   process 1, session leader without terminal, `core` limit 0:0, umask 0, working directory `/`).
//! * An actor of [`Request::Fork`] has its parent's descriptors, working directory and [`Actor`](super::Actor)
//!   ([`Actor::inherit`](super::Actor::inherit)). fork wants two free descriptor numbers of the parent, else EMFILE. An
//!   actor of [`Request::Thread`] shares its process's ([`Actor::clone`](super::Actor::clone)).
//! * A child's or thread's number is the one in its request, whatever order the answers come in. A number whose making
//!   failed may be asked for again.
//! * `exit` of a thread actor is not performed: the stage ends the thread alone.
//! * A request to a stopped or frozen actor is carried out when the actor runs again.
//! * Who dies during a request has not answered it, whatever its last call returned.
//! * Process 1 reaps what is given to it at once.
//! * Nothing that the stage holds for its own use is seen by an actor: its descriptors have numbers from 900 up.

use std::time::Duration;

use super::actor::ActorId;
use super::op::{ClockName, ForkOptions, NamespaceLink, Op};
use super::outcome::Outcome;
use super::value::Label;
use crate::errno::Errno;
use crate::id::{Moment, NsId, Pid};
use crate::signal::Signal;

/// Where actors live.
pub trait Stage {
    /// What a transcript calls an actor; said before the request that makes it. Stages know actors by their numbers: only one that
    /// is told something about labels, such as whose calls shall fail, has use for it.
    fn called(&mut self, actor: ActorId, label: &Label) {
        let (_, _) = (actor, label);
    }

    /// Hands a request to an actor that has none unanswered. Does not wait for it.
    ///
    /// # Errors
    /// [`Trouble`] if the stage itself failed.
    fn begin(&mut self, actor: ActorId, request: Request) -> Result<(), Trouble>;

    /// Waits until the actor has answered its request, until it has died, or for `patience` at most. Before this returns,
    /// everything that was set off has happened: deaths, freezing, notifications, and what other actors do after them.
    ///
    /// [`Settled::Busy`] means that `patience` has passed on the kernel's clock too. Virtual time moves no further than the
    /// answer.
    ///
    /// # Errors
    /// [`Trouble`] if the stage itself failed.
    fn settle(&mut self, actor: ActorId, patience: Duration) -> Result<Settled, Trouble>;

    /// The number of `who` in the pid namespace of `seen_by`, `None` if it has none there. Of a thread its own number, not
    /// its process's. A dead actor's stays what it was.
    fn number(&mut self, who: ActorId, seen_by: ActorId) -> Option<Pid>;

    /// What an actor is doing, of its process or thread.
    fn condition(&mut self, actor: ActorId) -> Condition;

    /// Whether an actor can be addressed. A stage may know a cheaper way to say it.
    fn is_alive(&mut self, actor: ActorId) -> bool {
        self.condition(actor).is_alive()
    }

    /// Which namespace an actor is in.
    ///
    /// # Errors
    /// ENOENT for a zombie, as /proc/PID/ns answers.
    fn namespace(&mut self, actor: ActorId, link: NamespaceLink) -> Result<NsId, Errno>;

    /// Whether the actor itself (not its later children) is in the initial pid namespace.
    fn in_initial_pid_namespace(&mut self, actor: ActorId) -> bool;

    /// A clock as the initial time namespace shows it.
    fn initial_clock(&mut self, clock: ClockName) -> Moment;

    /// Kills every actor, removes the cgroups that the script made, deepest first, and unmounts what it mounted. Called
    /// once, at the end, also after trouble.
    ///
    /// # Errors
    /// [`Trouble`] if something is left behind: what.
    fn finish(&mut self) -> Result<(), Trouble>;
}

/// What an actor is asked to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Carries out an operation: [`perform`](super::perform).
    Perform(Task),
    /// Makes a child (`fork`), without the step that `uid` asks for: the runner hands that to the child. The outcome is
    /// `ok` or the errno.
    Fork {
        /// Who it will be.
        child: ActorId,
        /// How it is made.
        options: ForkOptions,
    },
    /// Makes a thread of its own process (`thread`). The outcome is `ok` or the errno.
    Thread {
        /// Who it will be.
        thread: ActorId,
    },
}

/// An operation, and whom its labels mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// The operation.
    pub op: Op,
    /// What the runner looked up for it.
    pub aim: Aim,
}

/// Whom an operation's labels mean: looked up by the runner when the request begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Aim {
    /// `kill`, `wait`, `setns`: the stage gives [`perform`](super::perform) a handle of this actor's process, held since
    /// its birth, so that a number used again deceives nobody.
    pub target: Option<ActorId>,
    /// `proc`, `idmap`, `setgroups`: its number in the initial pid namespace.
    pub in_proc: Option<Pid>,
    /// The actors named by `<LABEL>` in data, by `cred=` and as WHO, as the actor's pid namespace sees them;
    /// [`UNSEEN`] if it does not.
    pub numbers: Vec<(Label, Pid)>,
    /// `clock`: the same clock in the initial time namespace.
    pub initial: Option<Moment>,
}

/// The number that stands for an actor that the reader's pid namespace does not see: one that no process has.
pub const UNSEEN: Pid = Pid(4_194_304);

/// What became of a request, as far as it was waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settled {
    /// It was carried out.
    Answered(Outcome),
    /// It goes on.
    Busy,
    /// The actor died during it.
    Died(End),
}

/// How an actor ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Its process exited with this code.
    Exited(u8),
    /// A signal ended its process.
    Killed(Signal),
    /// It was a thread, and only that ended.
    Thread,
}

/// What an actor is doing: the first that holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Never made, or reaped; a thread that has ended.
    Gone,
    /// Dead, not yet waited for.
    Zombie,
    /// In a cgroup2 group whose cgroup.events says `frozen 1`.
    Frozen,
    /// Stopped by a signal.
    Stopped,
    /// Otherwise alive.
    Running,
}

/// The stage itself failed, so the run proves nothing: what happened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Trouble(pub String);

impl Condition {
    /// The word that `status` prints.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Gone => "gone",
            Self::Zombie => "zombie",
            Self::Frozen => "frozen",
            Self::Stopped => "stopped",
            Self::Running => "running",
        }
    }

    /// Whether it can carry out operations, now or later.
    #[must_use]
    pub const fn is_alive(self) -> bool {
        !matches!(self, Self::Gone | Self::Zombie)
    }
}
