//! Resource limits: what a machine starts with, and who may change whose (getrlimit(2), prlimit(2)).

use standin::backend::{Rlimit, RlimitResource};
use standin::{Capability, Errno};

use crate::fs::proc::sysctl;
use crate::kernel::Kernel;
use crate::namespace::user;
use crate::profile::{Profile, Release};
use crate::task::{Process, ProcessKey, Tasks, ThreadKey};

/// How many resources have a limit.
const RESOURCES: usize = 16;

/// The most that `RLIMIT_NOFILE` may be: /proc/sys/fs/nr_open at first.
const OPEN_FILES_MAX: u64 = 1_048_576;

/// How many threads a kernel lets be, of one for each 128 KiB: what it keeps for itself differs (recorded:
/// /proc/sys/kernel/threads-max, and GiB of the machine).
const MOST_THREADS: [(Release, u64, u64); 3] =
    [(Release::V6_1, 7686, 1), (Release::V6_12, 7650, 1), (Release::V6_18, 192_731, 24)];

/// The limits of a process, by number of the resource.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct RlimitTable([Rlimit; RESOURCES]);

impl Default for RlimitTable {
    /// No limit at all.
    fn default() -> Self {
        Self([NONE; RESOURCES])
    }
}

const NONE: Rlimit = Rlimit { soft: None, hard: None };

const fn to(soft: u64, hard: u64) -> Rlimit {
    Rlimit { soft: Some(soft), hard: Some(hard) }
}

const fn soft(soft: u64) -> Rlimit {
    Rlimit { soft: Some(soft), hard: None }
}

impl RlimitTable {
    /// What the first process has (recorded: /proc/1/limits).
    pub(crate) fn boot(profile: &Profile) -> Self {
        let most = Self::most_threads(profile);
        let half = to(most / 2, most / 2);
        // The recorded 6.18 is a vendor's, which starts processes with more.
        let vendor = profile.release == Release::V6_18;
        let open_files = if vendor { to(20_000, 20_000) } else { to(1024, 4096) };
        let mut table = Self::default();
        let set = [
            (RlimitResource::Stack, soft(8 << 20)),
            (RlimitResource::Core, soft(0)),
            (RlimitResource::Processes, half),
            (RlimitResource::OpenFiles, open_files),
            (RlimitResource::LockedMemory, to(8 << 20, 8 << 20)),
            (RlimitResource::PendingSignals, half),
            (RlimitResource::MessageQueue, to(819_200, 819_200)),
            (RlimitResource::Nice, to(0, 0)),
            (RlimitResource::RealtimePriority, to(0, 0)),
        ];
        for (resource, limit) in set {
            table.set(resource, limit);
        }
        table
    }

    /// How many threads there may be (/proc/sys/kernel/threads-max).
    pub(crate) fn most_threads(profile: &Profile) -> u64 {
        let recorded = MOST_THREADS.iter().find(|(release, ..)| *release == profile.release);
        let (threads, gib) = recorded.map_or((0, 1), |(_, threads, gib)| (*threads, *gib));
        let most = u128::from(profile.memory.0) * u128::from(threads) / (u128::from(gib) << 30);
        u64::try_from(most).unwrap_or(u64::MAX)
    }

    /// One limit.
    pub(crate) fn get(&self, resource: RlimitResource) -> Rlimit {
        self.0.get(resource as usize).copied().unwrap_or(NONE)
    }

    /// Changes one.
    pub(crate) fn set(&mut self, resource: RlimitResource, limit: Rlimit) {
        if let Some(slot) = self.0.get_mut(resource as usize) {
            *slot = limit;
        }
    }
}

impl Tasks {
    /// The limits of a process.
    pub(crate) fn limits_of<'a>(&'a self, process: &'a Process) -> &'a RlimitTable {
        let more = process.more.as_ref();
        more.and_then(|more| more.limits.as_ref()).unwrap_or(&self.first_limits)
    }
}

impl Kernel {
    /// A limit of a process.
    pub(crate) fn limit(&self, process: ProcessKey, resource: RlimitResource) -> Rlimit {
        self.tasks.limits_of(self.tasks.processes.at(process)).get(resource)
    }

    /// What holds of a limit; `None` is no limit.
    pub(crate) fn soft_limit(&self, process: ProcessKey, resource: RlimitResource) -> Option<u64> {
        self.limit(process, resource).soft
    }
}

/// The process whose limits the caller asks for; 0 is itself.
///
/// # Errors
/// ESRCH; EPERM unless all six ids of the other are the caller's real ones, or the caller has `CAP_SYS_RESOURCE` over it.
fn target(kernel: &Kernel, caller: ThreadKey, number: u32) -> Result<ProcessKey, Errno> {
    let tasks = &kernel.tasks;
    let thread =
        if number == 0 { caller } else { kernel.find(caller, number).ok_or(Errno::ESRCH)? };
    if thread != caller {
        let own = kernel.credentials(caller);
        let other = kernel.credentials(thread);
        let user = [other.user.real, other.user.effective, other.user.saved]
            .iter()
            .all(|id| *id == own.user.real);
        let group = [other.group.real, other.group.effective, other.group.saved]
            .iter()
            .all(|id| *id == own.group.real);
        let same = user && group;
        let over = other.namespace;
        if !same && !user::capable(kernel, own.holder(), over, Capability::SYS_RESOURCE) {
            return Err(Errno::EPERM);
        }
    }
    Ok(tasks.process_of(thread))
}

/// prlimit(2), reading; 0 is the caller.
///
/// # Errors
/// ESRCH, EPERM.
pub(crate) fn read(
    kernel: &Kernel,
    caller: ThreadKey,
    number: u32,
    resource: RlimitResource,
) -> Result<Rlimit, Errno> {
    Ok(kernel.limit(target(kernel, caller, number)?, resource))
}

/// prlimit(2), setting; 0 is the caller.
///
/// # Errors
/// ESRCH; EPERM for another's, for a hard limit that grows without `CAP_SYS_RESOURCE` and for more open files than the
/// kernel ever allows; EINVAL if soft is above hard.
pub(crate) fn write(
    kernel: &mut Kernel,
    caller: ThreadKey,
    number: u32,
    resource: RlimitResource,
    limit: Rlimit,
) -> Result<(), Errno> {
    let process = target(kernel, caller, number)?;
    if exceeds(limit.soft, limit.hard) {
        return Err(Errno::EINVAL);
    }
    let most_open_files = sysctl::most_open_files(kernel).unwrap_or(OPEN_FILES_MAX);
    if resource == RlimitResource::OpenFiles && exceeds(limit.hard, Some(most_open_files)) {
        return Err(Errno::EPERM);
    }
    let grows = exceeds(limit.hard, kernel.limit(process, resource).hard);
    if grows && !kernel.credentials(caller).capable(Capability::SYS_RESOURCE) {
        return Err(Errno::EPERM);
    }
    set(kernel, process, resource, limit);
    Ok(())
}

/// Sets a limit without asking who may.
pub(crate) fn set(
    kernel: &mut Kernel,
    process: ProcessKey,
    resource: RlimitResource,
    limit: Rlimit,
) {
    let first = &kernel.tasks.first_limits;
    let more = kernel.tasks.processes.at_mut(process).more_mut();
    more.limits.get_or_insert_with(|| first.clone()).set(resource, limit);
}

/// Whether one limit is above another; `None` is above all.
fn exceeds(limit: Option<u64>, other: Option<u64>) -> bool {
    match (limit, other) {
        (_, None) => false,
        (None, Some(_)) => true,
        (Some(limit), Some(other)) => limit > other,
    }
}
