//! Process handles (pidfd_open(2)).

use standin::backend::{PollEvents, ProcessInfo, ProcessState};
use standin::id::{CgroupId, Moment};
use standin::{Errno, Pid};

use crate::kernel::Kernel;
use crate::profile::Release;
use crate::task::{ProcessKey, State, Tasks, ThreadKey};

/// Clock ticks a second, as /proc counts (`USER_HZ`).
const TICKS_PER_SECOND: u64 = 100;

/// The process to hold under a number.
///
/// # Errors
/// EINVAL: 0. ESRCH: no process or thread has it. A thread that is no leader: ENOENT since 6.15, EINVAL before. A number
/// by which only a group or session is called any more: EINVAL before 6.15, ESRCH since.
pub(crate) fn find(kernel: &Kernel, caller: ThreadKey, number: u32) -> Result<ProcessKey, Errno> {
    if number == 0 {
        return Err(Errno::EINVAL);
    }
    let says_more = kernel.profile.release >= Release::V6_18;
    let meant = kernel.number_meant(caller, number).ok_or(Errno::ESRCH)?;
    let Some(thread) = kernel.tasks.by_number(meant) else {
        let named = kernel.tasks.jobs.is_named(meant) && !says_more;
        return Err(if named { Errno::EINVAL } else { Errno::ESRCH });
    };
    if !kernel.shares_context(caller, thread) {
        return Err(Errno::ESRCH);
    }
    let process = kernel.tasks.process_of(thread);
    if kernel.tasks.processes.at(process).leader == thread {
        Ok(process)
    } else {
        Err(if says_more { Errno::ENOENT } else { Errno::EINVAL })
    }
}

/// What poll(2) says of a handle: readable once every thread has exited; hung up, on kernels after 6.1, once it was reaped.
pub(crate) fn poll(kernel: &Kernel, process: ProcessKey) -> PollEvents {
    match kernel.tasks.processes.get(process) {
        Some(record) if record.is_zombie() => PollEvents::INPUT,
        Some(_) => PollEvents::empty(),
        None if kernel.profile.release == Release::V6_1 => PollEvents::INPUT,
        None => PollEvents::INPUT | PollEvents::HANG_UP,
    }
}

/// What the kernel tells of a held process.
///
/// # Errors
/// ESRCH once it was reaped.
pub(crate) fn inspect(
    kernel: &Kernel,
    caller: ThreadKey,
    process: ProcessKey,
) -> Result<ProcessInfo, Errno> {
    let record = kernel.tasks.processes.get(process).ok_or(Errno::ESRCH)?;
    if !kernel.shares_context_with(caller, process) {
        return Err(Errno::ESRCH);
    }
    let leader = kernel.tasks.threads.at(record.leader);
    Ok(ProcessInfo {
        pid: Pid(kernel.number_for(caller, record.number)),
        parent: Pid(kernel.number_for(caller, kernel.tasks.parent_number(process))),
        user: leader.credentials.user,
        group: leader.credentials.group,
        cgroup: kernel.cgroups.table.get(leader.cgroup).map(|group| CgroupId(group.id)),
        state: match record.state {
            State::Alive => ProcessState::Alive,
            State::Stopped { .. } => ProcessState::Stopped,
            State::Zombie(_) => ProcessState::Zombie,
        },
        started_ticks: ticks(record.started),
    })
}

/// A moment as /proc/PID/stat counts it.
pub(crate) const fn ticks(moment: Moment) -> u64 {
    moment.ns / (1_000_000_000 / TICKS_PER_SECOND)
}

impl Tasks {
    /// The parent's number; 0 if there is none.
    pub(crate) fn parent_number(&self, process: ProcessKey) -> u32 {
        self.processes.at(process).parent.map_or(0, |parent| self.processes.at(parent).number)
    }
}
