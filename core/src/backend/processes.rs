//! Processes: making, ending, waiting for and looking at them; and the caller's own identity and limits.

use std::time::Duration;

use crate::capability::{Capability, CapabilitySet, Securebits};
use crate::handle::{Descriptor, Dir, PidHandle};
use crate::id::{Bytes, CgroupId, ExitCode, Gid, Mode, Pid, Tid, Uid};
use crate::path::{KPath, KPathBuf};
use crate::signal::{Signal, SignalSet};

use super::NamespaceKinds;

super::operations! {
    /// Operations on processes.
    pub trait Processes {
        /// clone3(2) and execve(2) in one: makes a child that runs a program. It is born in its cgroup, namespaces,
        /// credentials and limits; if any of them is refused, no child is left behind and the refusal is the answer.
        ///
        /// Errno: EAGAIN (pids.max, `RLIMIT_NPROC`), EACCES and EPERM (the target group, the namespaces, the ids),
        /// EBUSY and EOPNOTSUPP (a group that takes no processes), ENODEV (a removed group), ENOENT and EACCES (the
        /// program), ENOMEM, EMFILE.
        fn spawn(&self, spawn: &Spawn<'_>) -> PidHandle;

        /// execve(2): the caller becomes another program. Returns only if it failed.
        fn exec(&self, path: &KPath, arguments: &[&[u8]], environment: &[&[u8]]) -> ();

        /// _exit(2). From here on every call of this view answers [`CallerDied`](crate::Failure::CallerDied), this one
        /// first.
        fn exit(&self, code: ExitCode) -> ();

        /// pidfd_open(2): holds a process. ESRCH if no process has the number (a thread's is EINVAL or ENOENT).
        fn open_pid(&self, pid: Pid) -> PidHandle;

        /// pidfd_send_signal(2); `None` probes. ESRCH once the process was reaped, EPERM as kill(2).
        fn signal(&self, process: &PidHandle, signal: Option<Signal>) -> ();

        /// kill(2) of a process group; `None` is the caller's own.
        fn signal_group(&self, group: Option<Pid>, signal: Option<Signal>) -> ();

        /// waitid(2) by handle. `None` only with [`WaitOptions::nonblocking`], while it runs.
        ///
        /// Errno: ECHILD (not a child of the caller, or reaped), EINTR.
        fn wait(&self, process: &PidHandle, options: WaitOptions) -> Option<WaitStatus>;

        /// waitid(2) for whichever child is first.
        fn wait_any(&self, options: WaitOptions) -> Option<(Pid, WaitStatus)>;

        /// ptrace(2): seizes a process, interrupts it, and lets it go again: may the caller trace it? EPERM, ESRCH.
        fn attach(&self, pid: Pid) -> ();

        /// Every process that /proc shows to the caller, in ascending order.
        fn processes(&self) -> Vec<Pid>;

        /// What the kernel tells of a held process (`PIDFD_GET_INFO`; on older kernels its /proc files).
        ///
        /// Errno: ESRCH once it was reaped.
        fn inspect(&self, process: &PidHandle) -> ProcessInfo;

        /// getpid(2)
        fn pid(&self) -> Pid;

        /// gettid(2)
        fn tid(&self) -> Tid;

        /// getppid(2): [`Pid::ZERO`] if the parent is not visible from the caller's pid namespace.
        fn parent(&self) -> Pid;

        /// getresuid(2), getresgid(2), getgroups(2).
        fn credentials(&self) -> Credentials;

        /// setresuid(2); `None` leaves one. EPERM without `CAP_SETUID` for an id that is not one of the three.
        fn set_user_ids(&self, real: Option<Uid>, effective: Option<Uid>, saved: Option<Uid>) -> ();

        /// setresgid(2); `None` leaves one.
        fn set_group_ids(&self, real: Option<Gid>, effective: Option<Gid>, saved: Option<Gid>) -> ();

        /// setgroups(2)
        fn set_groups(&self, groups: &[Gid]) -> ();

        /// setuid(2): all three with `CAP_SETUID`, else the effective one.
        fn set_user_id(&self, uid: Uid) -> ();

        /// setgid(2)
        fn set_group_id(&self, gid: Gid) -> ();

        /// The calling thread's five capability sets (capabilities(7)).
        fn capabilities(&self) -> CapabilitySets;

        /// capset(2): effective, permitted and inheritable. EPERM if permitted or inheritable would grow too far.
        fn set_capabilities(&self, effective: CapabilitySet, permitted: CapabilitySet, inheritable: CapabilitySet) -> ();

        /// `PR_CAPBSET_DROP`. EPERM without `CAP_SETPCAP`.
        fn drop_bounding(&self, capability: Capability) -> ();

        /// `PR_CAP_AMBIENT`
        fn change_ambient(&self, change: AmbientChange) -> ();

        /// `PR_GET_SECUREBITS`
        fn securebits(&self) -> Securebits;

        /// `PR_SET_SECUREBITS`
        fn set_securebits(&self, securebits: Securebits) -> ();

        /// `PR_GET_KEEPCAPS`
        fn keep_capabilities(&self) -> bool;

        /// `PR_SET_KEEPCAPS`
        fn set_keep_capabilities(&self, keep: bool) -> ();

        /// `PR_GET_NO_NEW_PRIVS`
        fn no_new_privileges(&self) -> bool;

        /// `PR_SET_NO_NEW_PRIVS`, which cannot be taken back.
        fn set_no_new_privileges(&self) -> ();

        /// `PR_SET_CHILD_SUBREAPER`: orphans among the descendants become the caller's children.
        fn set_subreaper(&self, subreaper: bool) -> ();

        /// `PR_SET_PDEATHSIG`
        fn set_parent_death_signal(&self, signal: Option<Signal>) -> ();

        /// `PR_GET_PDEATHSIG`
        fn parent_death_signal(&self) -> Option<Signal>;

        /// `PR_SET_NAME`: the thread's `comm`, cut to 15 bytes.
        fn set_name(&self, name: &KPath) -> ();

        /// `PR_GET_NAME`
        fn name(&self) -> KPathBuf;

        /// prlimit(2), reading. `None` is the caller.
        fn rlimit(&self, process: Option<Pid>, resource: RlimitResource) -> Rlimit;

        /// prlimit(2), setting. EPERM to raise a hard limit without `CAP_SYS_RESOURCE`, EINVAL if soft is above hard.
        fn set_rlimit(&self, process: Option<Pid>, resource: RlimitResource, limit: Rlimit) -> ();

        /// getpriority(2), -20 to 19.
        fn priority(&self, of: PriorityOf) -> i32;

        /// setpriority(2)
        fn set_priority(&self, of: PriorityOf, nice: i32) -> ();

        /// umask(2): the old one is returned.
        fn set_umask(&self, mask: Mode) -> Mode;

        /// setsid(2)
        fn set_session(&self) -> Pid;

        /// getsid(2); `None` is the caller.
        fn session(&self, process: Option<Pid>) -> Pid;

        /// setpgid(2); `None` is the caller, and the caller's own number.
        fn set_process_group(&self, process: Option<Pid>, group: Option<Pid>) -> ();

        /// getpgid(2); `None` is the caller.
        fn process_group(&self, process: Option<Pid>) -> Pid;

        /// sigaction(2)
        fn set_delivery(&self, signal: Signal, delivery: Delivery) -> ();

        /// How often a counted signal was delivered to the caller's process since it was last asked.
        fn take_deliveries(&self, signal: Signal) -> u64;

        /// The calling thread's signal mask (sigprocmask(2)).
        fn signal_mask(&self) -> SignalSet;

        /// sigprocmask(2) with `SIG_SETMASK`; KILL and STOP are left out without an error.
        fn set_signal_mask(&self, mask: SignalSet) -> ();

        /// sigpending(2)
        fn pending_signals(&self) -> SignalSet;

        /// Maps and touches this much anonymous memory, and keeps it. The process may be killed for it.
        fn use_memory(&self, amount: Bytes) -> ();

        /// Unmaps what [`use_memory`](Processes::use_memory) got.
        fn release_memory(&self) -> ();

        /// Uses a processor for this long, as the process's CPU clock counts.
        fn use_processor(&self, time: Duration) -> ();
    }
}

/// A program to run as a child, and how it is born. All is the caller's unless said otherwise.
#[derive(Clone, Copy, Debug)]
pub struct Spawn<'a> {
    /// The program.
    pub path: &'a KPath,
    /// Its arguments, the name it is called by first.
    pub arguments: &'a [&'a [u8]],
    /// Its environment, as `NAME=value`.
    pub environment: &'a [&'a [u8]],
    /// Which descriptors it gets, besides 0, 1 and 2 of the caller.
    pub descriptors: &'a [SpawnDescriptor<'a>],
    /// The cgroup2 group it is born in (`CLONE_INTO_CGROUP`).
    pub cgroup: Option<&'a Dir>,
    /// New namespaces (`CLONE_NEW*`).
    pub namespaces: NamespaceKinds,
    /// Namespaces of this process are joined first, of these kinds.
    pub join: Option<(&'a PidHandle, NamespaceKinds)>,
    /// Who it is.
    pub credentials: Option<&'a SpawnCredentials<'a>>,
    /// Limits to set.
    pub limits: &'a [(RlimitResource, Rlimit)],
    /// Its working directory.
    pub directory: Option<&'a Dir>,
    /// It leads a session of its own.
    pub session: bool,
    /// The signal it gets when the caller's thread ends.
    pub parent_death: Option<Signal>,
}

impl<'a> Spawn<'a> {
    /// A program that differs from the caller in nothing but its path and arguments.
    #[must_use]
    pub const fn new(path: &'a KPath, arguments: &'a [&'a [u8]]) -> Self {
        Self {
            path,
            arguments,
            environment: &[],
            descriptors: &[],
            cgroup: None,
            namespaces: NamespaceKinds::empty(),
            join: None,
            credentials: None,
            limits: &[],
            directory: None,
            session: false,
            parent_death: None,
        }
    }

    /// Born in this cgroup2 group.
    #[must_use]
    pub const fn into_cgroup(mut self, group: &'a Dir) -> Self {
        self.cgroup = Some(group);
        self
    }
}

/// A descriptor that a spawned process gets.
#[derive(Clone, Copy, Debug)]
pub struct SpawnDescriptor<'a> {
    /// The caller's.
    pub from: &'a Descriptor,
    /// Its number in the child.
    pub to: u32,
}

/// The identity of a spawned process, set in the order groups, gid, uid, bounding set, other sets.
#[derive(Clone, Copy, Debug)]
pub struct SpawnCredentials<'a> {
    /// Real, effective and saved user.
    pub uid: Uid,
    /// Real, effective and saved group.
    pub gid: Gid,
    /// Supplementary groups.
    pub groups: &'a [Gid],
    /// What the bounding set is cut to.
    pub bounding: CapabilitySet,
    /// `PR_SET_NO_NEW_PRIVS`
    pub no_new_privileges: bool,
}

/// How to wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct WaitOptions {
    /// `WNOHANG`: do not wait.
    pub nonblocking: bool,
    /// `WNOWAIT`: look, but leave it to be waited for.
    pub keep: bool,
    /// `WSTOPPED`: a stop is news too.
    pub stopped: bool,
    /// `WCONTINUED`: so is going on.
    pub continued: bool,
}

/// What became of a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum WaitStatus {
    /// It exited with a code of 0 to 255.
    Exited(u8),
    /// A signal ended it.
    Killed(Signal),
    /// A signal stopped it.
    Stopped(Signal),
    /// It goes on.
    Continued,
}

/// What a process is doing: the letter of /proc/PID/stat, sorted out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProcessState {
    /// Runs, or waits for something.
    Alive,
    /// Stopped by a signal.
    Stopped,
    /// Dead, not yet waited for.
    Zombie,
}

/// What the kernel tells of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProcessInfo {
    /// Its number as the caller's pid namespace sees it, [`Pid::ZERO`] if it does not.
    pub pid: Pid,
    /// Its parent's.
    pub parent: Pid,
    /// Its real, effective, saved and filesystem user.
    pub user: UserIds,
    /// The same four of its group.
    pub group: GroupIds,
    /// The id of its cgroup in the v2 hierarchy, if there is one.
    pub cgroup: Option<CgroupId>,
    /// What it is doing.
    pub state: ProcessState,
    /// When it started, in clock ticks since boot (/proc/PID/stat, field 22).
    pub started_ticks: u64,
}

/// User ids (credentials(7)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct UserIds {
    /// Who it belongs to.
    pub real: Uid,
    /// Who it acts as.
    pub effective: Uid,
    /// Who it may act as again.
    pub saved: Uid,
    /// Who it is for files.
    pub filesystem: Uid,
}

/// Group ids (credentials(7)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct GroupIds {
    /// The group it belongs to.
    pub real: Gid,
    /// The group it acts as.
    pub effective: Gid,
    /// The group it may act as again.
    pub saved: Gid,
    /// The group it is for files.
    pub filesystem: Gid,
}

/// Who the caller is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// User ids.
    pub user: UserIds,
    /// Group ids.
    pub group: GroupIds,
    /// Supplementary groups, in the kernel's order.
    pub groups: Vec<Gid>,
}

/// A thread's capability sets (capabilities(7)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct CapabilitySets {
    /// What holds now.
    pub effective: CapabilitySet,
    /// What may become effective.
    pub permitted: CapabilitySet,
    /// What an executed file may inherit.
    pub inheritable: CapabilitySet,
    /// What can be gained at most.
    pub bounding: CapabilitySet,
    /// What an executed file without capabilities keeps.
    pub ambient: CapabilitySet,
}

/// A change of the ambient set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AmbientChange {
    /// `PR_CAP_AMBIENT_RAISE`
    Raise(Capability),
    /// `PR_CAP_AMBIENT_LOWER`
    Lower(Capability),
    /// `PR_CAP_AMBIENT_CLEAR_ALL`
    ClearAll,
}

/// What happens when a signal arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Delivery {
    /// `SIG_DFL`
    Default,
    /// `SIG_IGN`
    Ignore,
    /// A handler that counts; it interrupts waiting calls with EINTR.
    Count,
    /// The same with `SA_RESTART`.
    CountAndRestart,
}

/// A resource limit of a process, in the resource's own unit; `None` is no limit (getrlimit(2)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Rlimit {
    /// What holds.
    pub soft: Option<u64>,
    /// How far it may be raised.
    pub hard: Option<u64>,
}

/// What is limited (getrlimit(2)); the numbers are the kernel's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RlimitResource {
    /// CPU time, in seconds.
    Cpu = 0,
    /// Length of a file, in bytes.
    FileSize = 1,
    /// Data segment, in bytes.
    Data = 2,
    /// Stack, in bytes.
    Stack = 3,
    /// Core file, in bytes.
    Core = 4,
    /// Resident set, in bytes; without effect.
    Rss = 5,
    /// Processes of the user.
    Processes = 6,
    /// One more than the highest descriptor.
    OpenFiles = 7,
    /// Locked memory, in bytes.
    LockedMemory = 8,
    /// Address space, in bytes.
    AddressSpace = 9,
    /// File locks; without effect.
    Locks = 10,
    /// Queued signals.
    PendingSignals = 11,
    /// POSIX message queues, in bytes.
    MessageQueue = 12,
    /// Ceiling of the nice value, as 20 minus it.
    Nice = 13,
    /// Ceiling of the real-time priority.
    RealtimePriority = 14,
    /// Real-time CPU time without a wait, in microseconds.
    RealtimeTime = 15,
}

/// Whose scheduling priority.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PriorityOf {
    /// A process; `None` is the caller.
    Process(Option<Pid>),
    /// A process group; `None` is the caller's.
    Group(Option<Pid>),
    /// All processes of a user; `None` is the caller's.
    User(Option<Uid>),
}
