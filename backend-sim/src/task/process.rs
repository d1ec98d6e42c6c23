//! What a process is: what its threads share.

use standin::backend::WaitStatus;
use standin::id::{Mode, Moment};
use standin::{Signal, SignalSet};

use crate::cgroup::memory::ChargeKey;
use crate::fs::proc::Marks;
use crate::fs::{Descriptors, Spot};
use crate::list::{Links, List};
use crate::shared::Maps;
use crate::task::signal::Queued;
use crate::task::{JobKey, ProcessKey, RlimitTable, Thread, ThreadKey};

/// A process.
#[derive(Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Process {
    pub(crate) number: u32,
    pub(crate) parent: Option<ProcessKey>,
    /// Which thread of the parent it belongs to: when that one ends, it is given to another.
    pub(crate) parent_thread: Option<ThreadKey>,
    pub(crate) children: List<Process>,
    pub(crate) siblings: Links<Process>,
    /// Its threads that have not exited, and its leader, who stays until the process is reaped.
    pub(crate) threads: List<Thread>,
    pub(crate) leader: ThreadKey,
    pub(crate) state: State,
    /// It went on after a stop, and nobody has waited for that.
    pub(crate) continued: bool,
    /// Its process group, which knows the session.
    pub(crate) job: JobKey,
    pub(crate) job_links: Links<Process>,
    /// It leads a session.
    pub(crate) leads_session: bool,
    /// `PR_SET_CHILD_SUBREAPER`
    pub(crate) subreaper: bool,
    /// It has run a program since it was forked.
    pub(crate) executed: bool,
    /// Whether others of its user may look into it (prctl(2), `PR_SET_DUMPABLE`).
    pub(crate) dumpable: bool,
    /// Signals for whichever thread takes them.
    pub(crate) pending: SignalSet,
    pub(crate) umask: Mode,
    pub(crate) directory: Spot,
    pub(crate) descriptors: Descriptors,
    pub(crate) started: Moment,
    /// What few processes have.
    pub(crate) more: Option<Box<More>>,
    /// What tells its handles from those of the machine's other processes.
    pub(crate) serial: u32,
}

/// What few processes have.
#[derive(Clone, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct More {
    /// What it does with signals.
    pub(crate) actions: Actions,
    /// Resource limits, if they are not those that a machine starts with.
    pub(crate) limits: Option<RlimitTable>,
    /// How many of each pending real-time signal wait.
    pub(crate) queued: Vec<Queued>,
    /// How willingly it is ended when memory runs out, -1000 to 1000; and the least that who may not exceed limits can set.
    pub(crate) oom_adjustment: i16,
    pub(crate) oom_minimum: i16,
    /// What files of /proc have set of it.
    pub(crate) marks: Marks,
    /// What it runs, as /proc/PID/cmdline prints it: arguments, each with a NUL behind it.
    #[cfg_attr(feature = "serde", serde(with = "standin::written"))]
    pub(crate) command: Vec<u8>,
    /// What it was given besides, as /proc/PID/environ prints it: likewise.
    pub(crate) environment: Vec<u8>,
    /// Shared memory that it has mapped.
    pub(crate) maps: Maps,
    /// Memory that it asked for.
    pub(crate) memory: Vec<ChargeKey>,
    /// Processor time that its threads used, and that its children did for whom it has waited, in ns.
    pub(crate) used_ns: u64,
    pub(crate) used_by_children_ns: u64,
    /// It is stopped, and threads of it that the v1 freezer holds have not heard of that yet.
    pub(crate) stopping: bool,
    /// It ends with this, and threads of it that the v1 freezer holds have not heard of that yet.
    pub(crate) ending: Option<WaitStatus>,
    /// It ends with `ending` when one of its threads would go on.
    pub(crate) is_doomed: bool,
    /// It is the first of a PID namespace and runs no more: it ends with `ending` when all others there are gone.
    pub(crate) outlives_all: bool,
}

/// What a process does with signals, where that is not the default.
#[derive(Clone, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Actions {
    pub(crate) ignored: SignalSet,
    /// Handled: the handler counts.
    pub(crate) counted: SignalSet,
    /// Handled with `SA_RESTART`; part of `counted`.
    pub(crate) restarting: SignalSet,
    /// How often which signal was handled since that was last asked.
    pub(crate) deliveries: Vec<(Signal, u64)>,
}

impl Actions {
    /// What execve(2) leaves: handlers are gone, what is ignored stays so.
    pub(super) fn after_exec(&self) -> Self {
        Self { ignored: self.ignored, ..Self::default() }
    }
}

/// What state a process is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) enum State {
    Alive,
    /// A stop signal holds all its threads; whether the parent has waited for it already.
    Stopped {
        by: Signal,
        told: bool,
    },
    /// Every thread has exited; the parent has not waited yet.
    Zombie(WaitStatus),
}

impl Process {
    /// Whether every thread has exited.
    pub(crate) const fn is_zombie(&self) -> bool {
        matches!(self.state, State::Zombie(_))
    }

    /// Whether a stop signal holds it.
    pub(crate) const fn is_stopped(&self) -> bool {
        matches!(self.state, State::Stopped { .. })
    }

    /// How it ends, if threads of it that the v1 freezer holds are all that keeps it, or it is doomed.
    pub(crate) fn ending(&self) -> Option<WaitStatus> {
        self.more.as_ref().and_then(|more| more.ending)
    }

    /// Whether it was killed and its end is still to come.
    pub(crate) fn is_doomed(&self) -> bool {
        self.more.as_ref().is_some_and(|more| more.is_doomed)
    }

    /// Signals that it ignores by its own choice.
    pub(crate) fn ignored(&self) -> SignalSet {
        self.more.as_ref().map_or(SignalSet::EMPTY, |more| more.actions.ignored)
    }

    /// Signals that it handles.
    pub(crate) fn counted(&self) -> SignalSet {
        self.more.as_ref().map_or(SignalSet::EMPTY, |more| more.actions.counted)
    }

    /// Processor time that its threads have used, in ns.
    pub(crate) fn used_ns(&self) -> u64 {
        self.more.as_ref().map_or(0, |more| more.used_ns)
    }

    /// Processor time that children used for whom it has waited, in ns.
    pub(crate) fn used_by_children_ns(&self) -> u64 {
        self.more.as_ref().map_or(0, |more| more.used_by_children_ns)
    }

    /// Its threads have used more.
    pub(crate) fn use_ns(&mut self, ns: u64) {
        self.more_mut().used_ns += ns;
    }

    /// What few processes have, made if it was not there.
    pub(crate) fn more_mut(&mut self) -> &mut More {
        self.more.get_or_insert_default()
    }
}
