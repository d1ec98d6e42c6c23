//! The actors as the runner knows them: processes held by pidfd since their birth, and their threads.

use std::cell::Cell;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::rc::Rc;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use standin::id::Pid;
use standin::signal::Signal;
use standin::transcript::{
    ActorId, Condition, End, FileOp, LinkOp, Op, ProcessOp, Request, ResourceOp, SocketOp, Trouble,
};

use super::channel::Desk;
use super::host::Host;
use super::numbers::Numbers;
use super::report::Watcher;
use super::{ending, task};

/// A process of the run.
#[derive(Debug)]
pub(super) struct Process {
    pidfd: OwnedFd,
    /// Its number in the initial pid namespace.
    pub(super) pid: Pid,
    watcher: Rc<Watcher>,
    end: Cell<Option<End>>,
    is_gone: Cell<bool>,
}

impl Process {
    pub(super) const fn new(pidfd: OwnedFd, pid: Pid, watcher: Rc<Watcher>) -> Self {
        Self { pidfd, pid, watcher, end: Cell::new(None), is_gone: Cell::new(false) }
    }

    /// Whether it has ended, waited for or not.
    pub(super) fn has_ended(&self) -> bool {
        let mut one = [PollFd::new(&self.pidfd, PollFlags::IN)];
        let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
        self.is_gone.get() || matches!(poll(&mut one, Some(&at_once)), Ok(1..))
    }

    /// Whether nothing of it is left.
    pub(super) fn is_gone(&self) -> bool {
        if !self.is_gone.get() {
            self.is_gone.set(!ending::exists(self.as_fd()));
        }
        self.is_gone.get()
    }

    /// Whether it was found before that nothing of it is left.
    pub(super) const fn is_known_gone(&self) -> bool {
        self.is_gone.get()
    }

    /// Whether it has ended and is the watcher's to wait for, or is being waited for this moment.
    pub(super) fn is_unreaped_orphan(&self) -> bool {
        let stat = || task::stat(&format!("/proc/{}", self.pid));
        self.has_ended()
            && !self.is_gone()
            && stat().is_ok_and(|stat| {
                stat.state == b'X' || stat.parent == self.watcher.pid && stat.state == b'Z'
            })
    }

    /// How it ended; nothing if it has not, or if nobody can tell any more.
    pub(super) fn end(&self) -> Option<End> {
        if self.end.get().is_none() && self.has_ended() {
            let end = ending::of_zombie(self.pid, self.as_fd());
            let end = end.or_else(|| ending::of_reaped(self.as_fd()));
            self.end.set(end.or_else(|| self.watcher.end_of(self.pid)));
        }
        self.end.get()
    }
}

impl AsFd for Process {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }
}

/// What it means that the task of an operation sleeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Pace {
    /// It waits for somebody.
    #[default]
    Prompt,
    /// It may go on after a while.
    Laborious,
    /// Nothing: it wakes up by itself.
    Timed,
}

/// What an actor was asked and has not answered.
#[derive(Clone, Debug, Default)]
pub(super) struct Busy {
    pub(super) pace: Pace,
    /// It may set others going, even if nobody waits for anything.
    pub(super) stirs: bool,
    /// The code of an `exit`.
    code: Option<u8>,
    /// Whom it makes.
    pub(super) makes: Option<ActorId>,
}

impl Busy {
    pub(super) fn of(request: &Request) -> Self {
        match request {
            Request::Fork { child: born, .. } | Request::Thread { thread: born } => {
                Self { stirs: true, makes: Some(*born), ..Self::default() }
            }
            Request::Perform(task) => {
                let code = if let Op::Processes(ProcessOp::Exit { code }) = task.op {
                    u8::try_from(code & 0xff).ok()
                } else {
                    None
                };
                Self { pace: pace(&task.op), stirs: stirs(&task.op), code, makes: None }
            }
        }
    }
}

const fn pace(op: &Op) -> Pace {
    if matches!(op, Op::Resources(ResourceOp::Alloc { .. })) {
        return Pace::Laborious;
    }
    let is_timed = matches!(
        op,
        Op::Resources(ResourceOp::Sleep { .. } | ResourceOp::Burn { .. })
            | Op::Files(FileOp::Pollpri { .. })
            | Op::Sockets(SocketOp::Poll { .. })
            | Op::Processes(ProcessOp::Exec { .. })
    );
    if is_timed { Pace::Timed } else { Pace::Prompt }
}

/// Whether an operation may set others going that wait for nothing: end them, stop them, or let them run.
const fn stirs(op: &Op) -> bool {
    let Op::Files(op) = op else { return !matches!(op, Op::Processes(ProcessOp::Pid { .. })) };
    matches!(
        op,
        FileOp::Write { .. }
            | FileOp::Fwrite { .. }
            | FileOp::Close { .. }
            | FileOp::Pollpri { .. }
            | FileOp::Mount { .. }
            | FileOp::Umount { .. }
    )
}

/// An actor.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) desk: Desk,
    pub(super) process: Rc<Process>,
    /// Its thread's number in the initial pid namespace.
    pub(super) task: Pid,
    pub(super) numbers: Numbers,
    pub(super) is_thread: bool,
    pub(super) busy: Option<Busy>,
}

impl Member {
    /// Its directory in /proc.
    pub(super) fn directory(&self) -> String {
        task::directory(self.process.pid, self.task)
    }

    /// How it ended, if it did.
    ///
    /// # Errors
    /// [`Trouble`] if the kernel has forgotten.
    pub(super) fn end(&self) -> Result<Option<End>, Trouble> {
        if self.process.has_ended() {
            let meant = self.busy.as_ref().and_then(|busy| busy.code).map(End::Exited);
            // The first process of a pid namespace takes the others with it, and the kernel waits for them itself.
            let swept = (!self.numbers.is_initial()).then_some(End::Killed(Signal::KILL));
            let end = self.process.end().or(meant).or(swept);
            return end
                .map(Some)
                .ok_or_else(|| Trouble("how an actor ended is not known".to_owned()));
        }
        let is_there = !self.is_thread || std::fs::exists(self.directory()).unwrap_or(true);
        // Whether its process ended meanwhile, or is about to, is asked before the thread is said to have ended alone.
        let leader = task::directory(self.process.pid, self.process.pid);
        let is_alone = !is_there && !task::is_doomed(&leader) && !self.process.has_ended();
        Ok(is_alone.then_some(End::Thread))
    }

    /// How it is ending, if it was told to and the kernel keeps it: the first process of a pid namespace waits for the
    /// others.
    pub(super) fn is_ending(&self) -> Option<End> {
        let code = self.busy.as_ref().and_then(|busy| busy.code)?;
        task::stat(&self.directory()).ok().filter(|stat| stat.is_ending).map(|_| End::Exited(code))
    }

    /// Whether its own operation takes its time.
    pub(super) fn is_at_work(&self) -> bool {
        self.busy.as_ref().is_some_and(|busy| busy.pace != Pace::Prompt)
    }

    /// Whether it has not ended.
    pub(super) fn is_alive(&self) -> bool {
        let is_there = !self.is_thread || std::fs::exists(self.directory()).unwrap_or(true);
        is_there && !self.process.has_ended()
    }

    /// What it is doing.
    pub(super) fn condition(&self, host: &Host) -> Condition {
        if self.process.is_gone() {
            return Condition::Gone;
        }
        let directory = self.directory();
        let Ok(stat) = task::stat(&directory) else { return Condition::Gone };
        // It has been waited for, and the kernel is about to forget it.
        if stat.state == b'X' {
            return Condition::Gone;
        }
        if self.process.has_ended() || stat.state == b'Z' {
            return if self.is_thread { Condition::Gone } else { Condition::Zombie };
        }
        if is_frozen(host, &directory) {
            Condition::Frozen
        } else if matches!(stat.state, b'T' | b't') {
            Condition::Stopped
        } else {
            Condition::Running
        }
    }
}

/// Whether the cgroup2 group of a task says that it is frozen.
pub(super) fn is_frozen(host: &Host, directory: &str) -> bool {
    let Some(mount) = host.cgroup2() else { return false };
    let Ok(Some(path)) = task::cgroup2_path(directory) else { return false };
    let events = [mount.point.as_slice(), &path, b"/cgroup.events"].concat();
    let events: &std::ffi::OsStr = std::os::unix::ffi::OsStrExt::from_bytes(&events);
    std::fs::read_to_string(events).is_ok_and(|text| text.lines().any(|line| line == "frozen 1"))
}

/// Whether an operation looks for what the kernel says about files, a while after it happened.
pub(super) const fn looks_for_notice(op: &Op) -> bool {
    matches!(
        op,
        Op::Files(FileOp::Pollpri { .. })
            | Op::Sockets(SocketOp::Poll { .. })
            | Op::Links(LinkOp::Events { .. })
    )
}
