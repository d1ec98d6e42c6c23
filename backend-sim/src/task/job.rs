//! Process groups and sessions: job control without a terminal (credentials(7), setpgid(2), setsid(2)).
//!
//! All processes of a group are in one session, so a process names its group alone. A number stays taken while a group or
//! a session is called by it.

use rustc_hash::FxHashMap;
use standin::{Errno, Signal};

use crate::kernel::Kernel;
use crate::list::{List, iterate};
use crate::namespace::pid;
use crate::stock::Stock;
use crate::table::{Key, Table};
use crate::task::{Process, ProcessKey, State, Tasks, ThreadKey, signal};

pub(crate) type JobKey = Key<Job>;

/// A process group.
#[derive(Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Job {
    /// The number of the process that made it; 0 is that of process 1.
    pub(crate) number: u32,
    pub(crate) session: u32,
    /// Its processes, zombies included, in the order in which they came.
    pub(crate) members: List<Process>,
}

/// The process groups of a machine.
#[derive(Clone, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Jobs {
    table: Table<Job>,
    #[cfg_attr(feature = "serde", serde(with = "crate::written::map"))]
    by_number: FxHashMap<u32, JobKey>,
    /// How many groups each session has.
    #[cfg_attr(feature = "serde", serde(with = "crate::written::map"))]
    sessions: FxHashMap<u32, u32>,
}

impl Jobs {
    /// How many there are.
    pub(super) fn take_stock(&self, all: &mut Stock) {
        all.table("process groups", &self.table);
        all.map("sessions", self.sessions.len());
    }

    /// A group without processes.
    pub(crate) fn make(&mut self, number: u32, session: u32) -> JobKey {
        let key = self.table.insert(Job { number, session, members: List::default() });
        self.by_number.insert(number, key);
        *self.sessions.entry(session).or_default() += 1;
        key
    }

    pub(crate) fn get(&self, key: JobKey) -> &Job {
        self.table.at(key)
    }

    /// The group with this number, if it has a process.
    pub(crate) fn find(&self, number: u32) -> Option<JobKey> {
        self.by_number.get(&number).copied()
    }

    /// Whether a group or session has this number.
    pub(crate) fn is_named(&self, number: u32) -> bool {
        self.by_number.contains_key(&number) || self.sessions.contains_key(&number)
    }

    /// Every group.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (JobKey, &Job)> {
        self.table.iter()
    }

    /// A group has lost its last process: what it was called by, and its session.
    fn forget(&mut self, key: JobKey) -> Option<[u32; 2]> {
        let Job { number, session, .. } = self.table.remove(key)?;
        self.by_number.remove(&number);
        if let Some(groups) = self.sessions.get_mut(&session) {
            *groups -= 1;
            if *groups == 0 {
                self.sessions.remove(&session);
            }
        }
        Some([number, session])
    }
}

impl Tasks {
    /// Puts a process that is in no group into one.
    pub(crate) fn join_job(&mut self, process: ProcessKey, job: JobKey) {
        self.processes.at_mut(process).job = job;
        self.jobs
            .table
            .at_mut(job)
            .members
            .push(&mut self.processes, process, |process| &mut process.job_links);
    }

    /// Takes a process out of its group, which ends with its last: what was called by which numbers then ([`release`]).
    pub(crate) fn leave_job(&mut self, process: ProcessKey) -> Option<[u32; 2]> {
        let job = self.processes.at(process).job;
        let members = &mut self.jobs.table.at_mut(job).members;
        members.remove(&mut self.processes, process, |process| &mut process.job_links);
        if members.is_empty() { self.jobs.forget(job) } else { None }
    }

    /// The group of a process.
    pub(crate) fn job_of(&self, process: ProcessKey) -> &Job {
        self.jobs.get(self.processes.at(process).job)
    }

    /// The processes of a group, those that came last first: the order in which the kernel goes through them.
    pub(crate) fn job_members(&self, job: JobKey) -> Vec<ProcessKey> {
        let members =
            iterate(&self.processes, self.jobs.get(job).members, |process| &process.job_links);
        let mut members: Vec<ProcessKey> = members.map(|(key, _)| key).collect();
        members.reverse();
        members
    }
}

impl Kernel {
    /// The process that a number leads to, of a thread too; 0 is the caller's.
    pub(crate) fn named(&self, caller: ThreadKey, number: u32) -> Result<ProcessKey, Errno> {
        let thread =
            if number == 0 { caller } else { self.find(caller, number).ok_or(Errno::ESRCH)? };
        Ok(self.tasks.process_of(thread))
    }
}

/// Groups and sessions are called by these numbers no more.
pub(crate) fn release(kernel: &mut Kernel, left: Option<[u32; 2]>) {
    for number in left.into_iter().flatten() {
        pid::release(kernel, number);
    }
}

/// setsid(2)
///
/// # Errors
/// EPERM if the caller leads a session, or a group has its number.
pub(crate) fn set_session(kernel: &mut Kernel, caller: ThreadKey) -> Result<u32, Errno> {
    let process = kernel.tasks.process_of(caller);
    let record = kernel.tasks.processes.at(process);
    let number = record.number;
    if record.leads_session || kernel.tasks.jobs.find(number).is_some() {
        return Err(Errno::EPERM);
    }
    let left = kernel.tasks.leave_job(process);
    let job = kernel.tasks.jobs.make(number, number);
    kernel.tasks.join_job(process, job);
    kernel.tasks.processes.at_mut(process).leads_session = true;
    release(kernel, left);
    Ok(kernel.number_for(caller, number))
}

/// setpgid(2); 0 is the caller, and the process's own number.
///
/// # Errors
/// ESRCH: neither the caller nor a child of its. EACCES: a child that has run a program. EPERM: a session leader, a
/// process of another session, or a group that is not in this one.
pub(crate) fn set_process_group(
    kernel: &mut Kernel,
    caller: ThreadKey,
    process: u32,
    group: u32,
) -> Result<(), Errno> {
    let own = kernel.tasks.process_of(caller);
    let thread = if process == 0 {
        kernel.tasks.processes.at(own).leader
    } else {
        kernel.find(caller, process).ok_or(Errno::ESRCH)?
    };
    let target = kernel.tasks.process_of(thread);
    let record = kernel.tasks.processes.at(target);
    if record.leader != thread {
        return Err(Errno::EINVAL);
    }
    let number = record.number;
    let session = kernel.tasks.job_of(own).session;
    if record.parent == Some(own) {
        if kernel.tasks.job_of(target).session != session {
            return Err(Errno::EPERM);
        }
        if record.executed {
            return Err(Errno::EACCES);
        }
    } else if target != own {
        return Err(Errno::ESRCH);
    }
    if record.leads_session {
        return Err(Errno::EPERM);
    }
    let group =
        if group == 0 { number } else { kernel.number_meant(caller, group).ok_or(Errno::EPERM)? };
    let found = kernel.tasks.jobs.find(group);
    if group != number && found.is_none_or(|job| kernel.tasks.jobs.get(job).session != session) {
        return Err(Errno::EPERM);
    }
    if found == Some(record.job) {
        return Ok(());
    }
    let job = found.unwrap_or_else(|| kernel.tasks.jobs.make(group, session));
    let left = kernel.tasks.leave_job(target);
    kernel.tasks.join_job(target, job);
    release(kernel, left);
    Ok(())
}

/// Whether a group is orphaned, `besides` left out of account: no process of it has a parent in its session but not in
/// the group itself. Nobody could continue it, so TSTP, TTIN and TTOU do not stop it.
pub(crate) fn is_orphaned(tasks: &Tasks, job: JobKey, besides: Option<ProcessKey>) -> bool {
    let session = tasks.jobs.get(job).session;
    let mut members =
        iterate(&tasks.processes, tasks.jobs.get(job).members, |process| &process.job_links);
    members.all(|(key, process)| {
        let Some(parent) = process.parent else { return true };
        if Some(key) == besides || process.is_zombie() || parent == tasks.init {
            return true;
        }
        let parent_job = tasks.processes.at(parent).job;
        parent_job == job || tasks.jobs.get(parent_job).session != session
    })
}

/// The link between `process` and its parent `parent` is about to go (`exits`: because the process ends): a group that is
/// orphaned by that and has a stopped process gets HUP and CONT.
pub(crate) fn orphan(kernel: &mut Kernel, process: ProcessKey, parent: ProcessKey, exits: bool) {
    let tasks = &kernel.tasks;
    let job = tasks.processes.at(process).job;
    // Most often parent and child are in one group, and nothing comes of it.
    let parent_job = tasks.processes.at(parent).job;
    if parent_job == job || tasks.jobs.get(parent_job).session != tasks.jobs.get(job).session {
        return;
    }
    let besides = exits.then_some(process);
    let stopped =
        iterate(&tasks.processes, tasks.jobs.get(job).members, |process| &process.job_links)
            .any(|(_, process)| matches!(process.state, State::Stopped { .. }));
    if !stopped || !is_orphaned(tasks, job, besides) {
        return;
    }
    for signal in [Signal::HUP, Signal::CONT] {
        for member in members_left(kernel, job) {
            signal::send_afterwards(kernel, member, signal, signal::Force::Yes);
        }
    }
}

fn members_left(kernel: &Kernel, job: JobKey) -> Vec<ProcessKey> {
    // A member that the first signal ended may have been reaped, and the group with it.
    if kernel.tasks.jobs.table.get(job).is_none() {
        Vec::new()
    } else {
        kernel.tasks.job_members(job)
    }
}
