//! Processes and threads: who they are, whose children, in which group, and what state they are in.
//!
//! A [`Process`] is a thread group; a [`Thread`] is what the kernel schedules, and what has credentials, a cgroup and a
//! signal mask. The first thread of a process is its leader and has its number. Neighbours: `cgroup` (membership and
//! freezing), `fs` (descriptors, working directory). This module knows no path and no control file.
//!
//! Death is immediate: whoever is sent a fatal signal that it can take is a zombie when the call returns.

mod access;
mod account;
mod boot;
mod capability;
mod check;
mod credentials;
pub(crate) mod exec;
pub(crate) mod exit;
mod family;
pub(crate) mod footing;
pub(crate) mod fork;
pub(crate) mod handle;
pub(crate) mod identity;
pub(crate) mod job;
pub(crate) mod limit;
pub(crate) mod memory;
mod name;
mod number;
pub(crate) mod priority;
mod process;
mod readiness;
pub(crate) mod signal;
pub(crate) mod spawn;
mod thread;
pub(crate) mod wait;

#[cfg(test)]
mod tests;

pub(crate) use access::{attach, may_look_into, may_look_into_for_real};
pub(crate) use account::{AccountKey, Accounts};
pub(crate) use boot::{first_of_user, start_first};
pub(crate) use check::check;
pub(crate) use credentials::{Credentials, Opener, Rights};
pub(crate) use footing::{FootingKey, Footings};
pub(crate) use job::{JobKey, Jobs};
pub(crate) use limit::RlimitTable;
pub(crate) use name::Name;
pub(crate) use number::MAKER_OF_KERNEL_THREADS;
pub(crate) use process::{Actions, More, Process, State};
pub(crate) use readiness::{Caught, Readiness};
pub(crate) use thread::Thread;

use std::collections::BTreeMap;
use std::sync::Arc;

use rustc_hash::FxHashMap;
use standin::backend::WaitStatus;

use crate::kernel::Kernel;
use crate::namespace::pid::Inner;
use crate::stock::Stock;
use crate::table::{Key, Table};

pub(crate) type ProcessKey = Key<Process>;
pub(crate) type ThreadKey = Key<Thread>;

/// All processes and threads.
#[derive(Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Tasks {
    pub(crate) processes: Table<Process>,
    pub(crate) threads: Table<Thread>,
    /// Every number in use, of processes and threads, zombies included.
    #[cfg_attr(feature = "serde", serde(with = "crate::written::map"))]
    pub(crate) numbers: FxHashMap<u32, ThreadKey>,
    /// What those of nested PID namespaces have besides, by number (see `namespace::pid`).
    #[cfg_attr(feature = "serde", serde(with = "crate::written::map"))]
    pub(crate) inner: FxHashMap<u32, Arc<Inner>>,
    /// The number given out last.
    pub(crate) last_number: u32,
    /// One more than the highest number.
    pub(crate) number_end: u32,
    /// Whether the numbers have begun again from below.
    pub(crate) numbers_wrapped: bool,
    /// The serial number of the process that was made last.
    pub(crate) last_serial: u32,
    /// How often somebody has logged in (/proc/PID/sessionid).
    pub(crate) logins: u32,
    /// Process groups and sessions.
    pub(crate) jobs: Jobs,
    /// What threads have apart from their processes' others.
    pub(crate) footings: Footings,
    /// What each user has running.
    pub(crate) accounts: Accounts,
    /// The limits of a process that changed none.
    pub(crate) first_limits: RlimitTable,
    /// The machine's process 1.
    pub(crate) init: ProcessKey,
    /// The process that [`Machine::root`](crate::Machine::root) is a view of.
    pub(crate) first: ThreadKey,
    /// Threads that are to begin a program, and which (see `run`).
    #[cfg_attr(feature = "serde", serde(with = "crate::written::map"))]
    pub(crate) starts: FxHashMap<ThreadKey, Start>,
    /// Whom the ends of others reached while the call under way was carried out: on Linux those others end by themselves, after
    /// the call that killed them has answered.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub(crate) aftermath: Vec<ThreadKey>,
    /// How each process ended, if somebody outside wants to know.
    pub(crate) ends: Option<BTreeMap<ProcessKey, WaitStatus>>,
}

/// A program to begin. It sees no environment: a closure asks its backend, which has no call for that.
#[derive(Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Start {
    #[cfg_attr(feature = "serde", serde(with = "standin::written"))]
    pub(crate) path: Vec<u8>,
    pub(crate) arguments: Vec<Vec<u8>>,
}

impl Tasks {
    /// How much there is of each.
    pub(crate) fn take_stock(&self, all: &mut Stock) {
        all.table("processes", &self.processes);
        all.table("threads", &self.threads);
        all.map("numbers of threads", self.numbers.len());
        all.map("programs to begin", self.starts.len());
        self.jobs.take_stock(all);
        self.accounts.take_stock(all);
        self.footings.take_stock(all);
    }

    /// Whether the thread exists and has not exited.
    pub(crate) fn is_alive(&self, thread: ThreadKey) -> bool {
        self.threads.get(thread).is_some_and(|thread| !thread.exited)
    }

    /// Whether the thread's process was killed and its end is still to come.
    pub(crate) fn is_doomed(&self, thread: ThreadKey) -> bool {
        let process = self.threads.get(thread).map(|thread| thread.process);
        process.is_some_and(|process| self.processes.at(process).is_doomed())
    }

    /// The process of a live thread or of a zombie leader.
    #[track_caller]
    pub(crate) fn process_of(&self, thread: ThreadKey) -> ProcessKey {
        self.threads.at(thread).process
    }
}

impl Kernel {
    /// The process of a live thread.
    #[track_caller]
    pub(crate) fn process(&self, thread: ThreadKey) -> &Process {
        self.tasks.processes.at(self.tasks.process_of(thread))
    }

    /// The process of a live thread.
    #[track_caller]
    pub(crate) fn process_mut(&mut self, thread: ThreadKey) -> &mut Process {
        let process = self.tasks.process_of(thread);
        self.tasks.processes.at_mut(process)
    }
}
