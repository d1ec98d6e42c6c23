//! Processes and threads: who they are, whose children, in which group, and what state they are in.
//!
//! A [`Process`] is a thread group; a [`Thread`] is what the kernel schedules, and what has credentials, a cgroup and a
//! signal mask. The first thread of a process is its leader and has its number. Neighbours: `cgroup` (membership and
//! freezing), `fs` (descriptors, working directory). This module knows no path and no control file.

mod credentials;

pub(crate) use credentials::Credentials;

use rustc_hash::FxHashMap;
use standin::backend::WaitStatus;
use standin::handle::Scope;
use standin::id::{Mode, Moment};
use standin::{Failure, Signal, SignalSet};

use crate::cgroup::{CgroupKey, Cgroups};
use crate::fs::{Descriptors, Spot};
use crate::kernel::Kernel;
use crate::list::{Links, List};
use crate::table::{Key, Table};

pub(crate) type ProcessKey = Key<Process>;
pub(crate) type ThreadKey = Key<Thread>;

/// All processes and threads.
pub(crate) struct Tasks {
    pub(crate) processes: Table<Process>,
    pub(crate) threads: Table<Thread>,
    /// Every number in use, of processes and threads, zombies included.
    pub(crate) numbers: FxHashMap<u32, ThreadKey>,
    /// The number given out last.
    pub(crate) last_number: u32,
    /// The machine's process 1.
    pub(crate) init: ProcessKey,
    /// The process that [`Machine::root`](crate::Machine::root) is a view of.
    pub(crate) first: ThreadKey,
    /// Threads that are to begin a program, and which (see `run`).
    pub(crate) starts: FxHashMap<ThreadKey, Start>,
}

/// A program to begin.
pub(crate) struct Start {
    pub(crate) path: Vec<u8>,
    pub(crate) arguments: Vec<Vec<u8>>,
    pub(crate) environment: Vec<Vec<u8>>,
}

impl Tasks {
    /// Whether the thread exists and has not exited.
    pub(crate) fn is_alive(&self, thread: ThreadKey) -> bool {
        self.threads.get(thread).is_some_and(|thread| !thread.exited)
    }
}

/// A process.
pub(crate) struct Process {
    pub(crate) number: u32,
    pub(crate) parent: Option<ProcessKey>,
    pub(crate) children: List<Process>,
    pub(crate) siblings: Links<Process>,
    /// Its threads that have not exited, and its leader, who stays until the process is reaped.
    pub(crate) threads: List<Thread>,
    pub(crate) leader: ThreadKey,
    pub(crate) state: State,
    pub(crate) group: u32,
    pub(crate) session: u32,
    /// `PR_SET_CHILD_SUBREAPER`
    pub(crate) subreaper: bool,
    /// Signals for whichever thread takes them.
    pub(crate) pending: SignalSet,
    /// Signals that are ignored; `None` is the default for all (boxed: few processes have any).
    pub(crate) actions: Option<Box<Actions>>,
    pub(crate) umask: Mode,
    pub(crate) directory: Spot,
    pub(crate) descriptors: Descriptors,
    pub(crate) started: Moment,
    /// What its handles are told apart by; given when the first view of it is made.
    pub(crate) scope: Option<Scope>,
}

/// What a process does with signals other than the default.
#[derive(Clone, Default)]
pub(crate) struct Actions {
    pub(crate) ignored: SignalSet,
    pub(crate) counted: SignalSet,
    pub(crate) restarting: SignalSet,
    /// How often each counted signal came, by number less one.
    pub(crate) deliveries: Vec<u64>,
}

/// What state a process is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Alive,
    /// A stop signal holds all its threads; whether the parent was told already.
    Stopped { by: Signal, told: bool },
    /// Every thread has exited; the parent has not waited yet.
    Zombie(WaitStatus),
}

/// A thread.
pub(crate) struct Thread {
    pub(crate) number: u32,
    pub(crate) process: ProcessKey,
    pub(crate) siblings: Links<Thread>,
    pub(crate) credentials: Credentials,
    /// Its group in the v2 hierarchy. An exited thread keeps the name, but is no member any more.
    pub(crate) cgroup: CgroupKey,
    pub(crate) members: Links<Thread>,
    pub(crate) pending: SignalSet,
    pub(crate) mask: SignalSet,
    /// `comm`, without NUL, at most 15 bytes.
    pub(crate) name: Vec<u8>,
    /// It has exited; only a leader is kept after that, until its process is reaped.
    pub(crate) exited: bool,
    /// It stands still because its group is frozen.
    pub(crate) frozen: bool,
    /// Something besides its own business may concern it: a signal, a stop, a freeze. Looked at before it goes on.
    pub(crate) attention: bool,
}

/// Whether a thread may go on.
pub(crate) enum Readiness {
    /// It may; `caught` if a signal with a handler came.
    Ready { caught: bool },
    /// Stopped or frozen.
    Held,
    /// There is no such thread any more.
    Dead,
}

impl Kernel {
    /// Whether nothing stands between this thread and its next instruction.
    pub(crate) fn runs_on(&self, thread: ThreadKey) -> bool {
        self.tasks.threads.get(thread).is_some_and(|thread| !thread.attention && !thread.exited)
    }
}

impl Tasks {
    /// Process 1, with its working directory and root group.
    pub(crate) fn boot(cgroups: &mut Cgroups, root: Spot, now: Moment) -> Self {
        let mut processes = Table::default();
        let mut threads = Table::default();
        let cgroup = cgroups.root;
        let mut leader = None;
        let init = processes.insert_with(|process| {
            let thread = threads.insert(Thread {
                number: 1,
                process,
                siblings: Links::default(),
                credentials: Credentials::root(),
                cgroup,
                members: Links::default(),
                pending: SignalSet::EMPTY,
                mask: SignalSet::EMPTY,
                name: b"init".to_vec(),
                exited: false,
                frozen: false,
                attention: false,
            });
            leader = Some(thread);
            Process {
                number: 1,
                parent: None,
                children: List::default(),
                siblings: Links::default(),
                threads: List::default(),
                leader: thread,
                state: State::Alive,
                group: 1,
                session: 1,
                subreaper: false,
                pending: SignalSet::EMPTY,
                actions: None,
                umask: Mode::new(0),
                directory: root,
                descriptors: Descriptors::default(),
                started: now,
                scope: None,
            }
        });
        let first = processes.at(init).leader;
        Self { processes, threads, numbers: FxHashMap::default(), last_number: 1, init, first, starts: FxHashMap::default() }
    }
}

/// Makes the process that tests drive as root.
pub(crate) fn start_first(kernel: &mut Kernel) {
    let _ = kernel;
}

/// Makes a process of a user, a child of process 1.
pub(crate) fn first_of_user(kernel: &mut Kernel, uid: u32) -> Result<ThreadKey, Failure> {
    let _ = (kernel, uid);
    Err(Failure::NotModelled("user"))
}

impl Kernel {
    /// Whether a thread may go on; delivers what is pending for it.
    pub(crate) fn readiness(&mut self, thread: ThreadKey) -> Readiness {
        let _ = thread;
        Readiness::Ready { caught: false }
    }

    /// Ends every process but the first, as by SIGKILL: the machine is being taken down.
    pub(crate) fn kill_everything(&mut self) {}
}
