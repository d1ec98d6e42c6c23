//! What a thread is: what the kernel schedules.

use standin::{Signal, SignalSet};

use crate::cgroup::{CgroupKey, PlacesKey};
use crate::context::Label;
use crate::list::Links;
use crate::namespace::SetKey;
use crate::task::{AccountKey, Caught, Credentials, FootingKey, Name, ProcessKey};

/// A thread.
#[derive(Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Thread {
    pub(crate) number: u32,
    pub(crate) process: ProcessKey,
    pub(crate) siblings: Links<Self>,
    pub(crate) credentials: Credentials,
    /// Its real user's counts, it among them.
    pub(crate) account: AccountKey,
    /// Its group in the v2 hierarchy. An exited thread keeps the name, but is no member any more.
    pub(crate) cgroup: CgroupKey,
    pub(crate) members: Links<Self>,
    /// Its groups in the v1 hierarchies; none if it is at every root.
    pub(crate) places: Option<PlacesKey>,
    /// The namespaces that it is in; none if they are those that the machine booted with.
    pub(crate) namespaces: Option<SetKey>,
    /// Its working directory and umask; none if they are its process's.
    pub(crate) footing: Option<FootingKey>,
    pub(crate) pending: SignalSet,
    pub(crate) mask: SignalSet,
    /// Its context: 0 is the host, 1 a spectator. An exited one keeps it, but is no member any more.
    pub(crate) label: Label,
    /// `comm`
    #[cfg_attr(feature = "serde", serde(with = "standin::written"))]
    pub(crate) name: Name,
    /// -20 to 19 (sched(7)).
    pub(crate) nice: i8,
    /// What it gets when the thread that it is a child of ends (`PR_SET_PDEATHSIG`).
    pub(crate) parent_death: Option<Signal>,
    /// It became a user who has too many processes: it may run no program until there are fewer (execve(2), EAGAIN).
    pub(crate) exceeds_processes: bool,
    /// It has exited; only a leader is kept after that, until its process is reaped.
    pub(crate) exited: bool,
    /// It stands still because its group is frozen, or its process stopped, which counts as frozen too.
    pub(crate) frozen: bool,
    /// Its group in the v1 freezer's hierarchy is freezing: it takes no signal, and not even SIGKILL ends it before that is over.
    pub(crate) frozen_v1: bool,
    /// Something besides its own business may concern it: a signal, a stop, a freeze, its end. Looked at before it goes on.
    pub(crate) attention: bool,
    /// Another thread took the signal that stopped it: the call that it is in still answers.
    pub(crate) answers: bool,
    /// It was woken from the futex that it waited for, and has not gone on yet.
    pub(crate) futex_woken: bool,
    /// Which handlers have run since it last went on.
    pub(crate) caught: Caught,
}

impl Thread {
    /// Whether a group keeps it from going on.
    pub(crate) const fn stands_still(&self) -> bool {
        self.frozen || self.frozen_v1
    }
}
