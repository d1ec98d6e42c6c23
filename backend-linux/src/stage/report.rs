//! What the watcher tells the runner, and how the runner hears it.
//!
//! Each report is one message; descriptors go the same way (`channel`).

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{
    AddressFamily, RecvFlags, Shutdown, SocketFlags, SocketType, recv, shutdown, socketpair,
};
use standin::backend::WaitStatus;
use standin::id::Pid;
use standin::signal::Signal;
use standin::transcript::{End, Trouble};

use super::channel::{self, give, take_all};
use super::{Tenancy, ending, part};

/// How long the watcher may take to begin, and to clear up.
const BEGINNING: Duration = Duration::from_secs(10);
const CLEARING: Duration = Duration::from_secs(40);

/// The longest report.
const MOST_BYTES: usize = 16 << 10;

/// What the watcher says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Report {
    /// The actors' place is ready.
    Ready,
    /// It has waited for a process.
    Ended(Pid, WaitStatus),
    /// Nothing is left of the run.
    Undone,
    /// What went wrong, or what is left.
    Failed(String),
}

impl Report {
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Ready => vec![b'r'],
            Self::Undone => vec![b'u'],
            Self::Failed(what) => [b"f", what.as_bytes()].concat(),
            Self::Ended(pid, status) => {
                let (how, number) = match status {
                    WaitStatus::Exited(code) => (b'x', *code),
                    WaitStatus::Killed(signal) | WaitStatus::Stopped(signal) => {
                        (b'k', u8::try_from(signal.number()).unwrap_or(0))
                    }
                    WaitStatus::Continued => (b'c', 0),
                };
                [&[how, number][..], &pid.0.to_le_bytes()].concat()
            }
        }
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (kind, rest) = bytes.split_first()?;
        let ended = || -> Option<(u8, Pid)> {
            let (number, pid) = rest.split_first()?;
            Some((*number, Pid(u32::from_le_bytes(pid.try_into().ok()?))))
        };
        Some(match kind {
            b'r' => Self::Ready,
            b'u' => Self::Undone,
            b'f' => Self::Failed(String::from_utf8_lossy(rest).into_owned()),
            b'x' => {
                let (code, pid) = ended()?;
                Self::Ended(pid, WaitStatus::Exited(code))
            }
            b'k' => {
                let (signal, pid) = ended()?;
                Self::Ended(pid, WaitStatus::Killed(Signal::new(signal.into())?))
            }
            _ => return None,
        })
    }
}

/// The watcher, as the runner knows it.
#[derive(Debug)]
pub(super) struct Watcher {
    socket: OwnedFd,
    pidfd: OwnedFd,
    /// Its number: orphans have it for a parent.
    pub(super) pid: Pid,
    ends: RefCell<BTreeMap<Pid, End>>,
}

impl Watcher {
    /// Starts it, and waits until the actors' place is ready.
    ///
    /// # Errors
    /// If it cannot be made so.
    pub(super) fn start(
        journal: &Path,
        mark: &str,
        tenancy: Tenancy,
        turn: &OwnedFd,
    ) -> Result<Self, Trouble> {
        let (kind, flags) = (SocketType::SEQPACKET, SocketFlags::CLOEXEC);
        let (socket, theirs) = socketpair(AddressFamily::UNIX, kind, flags, None)
            .map_err(|errno| Trouble(format!("a line to the watcher: {errno}")))?;
        let path = journal.as_os_str();
        let (pid, pidfd) = part::start_watcher(path.as_bytes(), mark, tenancy, &theirs, turn)
            .map_err(|failure| Trouble(format!("the watcher cannot be started: {failure}")))?;
        drop(theirs);
        let watcher = Self { socket, pidfd, pid, ends: RefCell::default() };
        match watcher.hear(BEGINNING) {
            Some(Report::Ready) => Ok(watcher),
            Some(Report::Failed(what)) => Err(Trouble(what)),
            Some(Report::Ended(..) | Report::Undone) | None => {
                Err(Trouble("the watcher did not begin".to_owned()))
            }
        }
    }

    /// Has it start the first actor with this socket; a handle of the actor.
    ///
    /// # Errors
    /// If there is none.
    pub(super) fn start_actor(&self, socket: &OwnedFd) -> Result<OwnedFd, Trouble> {
        let trouble = || Trouble("the first actor cannot be started".to_owned());
        give(self.socket.as_fd(), &[socket.as_fd()]).map_err(|channel::Gone| trouble())?;
        let mut one = take_all(self.socket.as_fd()).map_err(|channel::Gone| trouble())?;
        one.pop().ok_or_else(trouble)
    }

    /// How a process ended that it has waited for.
    pub(super) fn end_of(&self, pid: Pid) -> Option<End> {
        while let Some(report) = self.hear(Duration::ZERO) {
            match report {
                Report::Ended(pid, WaitStatus::Exited(code)) => {
                    self.ends.borrow_mut().insert(pid, End::Exited(code));
                }
                Report::Ended(pid, WaitStatus::Killed(signal)) => {
                    self.ends.borrow_mut().insert(pid, End::Killed(signal));
                }
                Report::Ended(..) | Report::Ready | Report::Undone | Report::Failed(_) => {}
            }
        }
        self.ends.borrow().get(&pid).copied()
    }

    /// Tells it that the run is over; what it could not undo. Nothing if it is not there to tell.
    pub(super) fn finish(&self) -> Option<String> {
        let _ = shutdown(&self.socket, Shutdown::Write);
        let until = Instant::now() + CLEARING;
        let left = loop {
            match self.hear(until.saturating_duration_since(Instant::now())) {
                Some(Report::Undone) => break Some(String::new()),
                Some(Report::Failed(what)) => break Some(what),
                Some(Report::Ended(..) | Report::Ready) => {}
                None => break None,
            }
        };
        let until = Instant::now() + BEGINNING;
        while ending::reap(self.pidfd.as_fd()).is_none()
            && ending::exists(self.pidfd.as_fd())
            && Instant::now() < until
        {
            let mut one = [PollFd::new(&self.pidfd, PollFlags::IN)];
            let _ = poll(&mut one, Some(&Timespec { tv_sec: 0, tv_nsec: 1_000_000 }));
        }
        left
    }

    /// What it says next; nothing of one that has ended, or is silent for so long.
    fn hear(&self, patience: Duration) -> Option<Report> {
        let mut one = [PollFd::new(&self.socket, PollFlags::IN)];
        let until = Timespec {
            tv_sec: i64::try_from(patience.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: patience.subsec_nanos().into(),
        };
        match poll(&mut one, Some(&until)) {
            Ok(0) => return None,
            Err(rustix::io::Errno::INTR) => return self.hear(patience),
            Ok(_) | Err(_) => {}
        }
        let mut words = vec![0; MOST_BYTES];
        let (length, _) = recv(&self.socket, &mut words, RecvFlags::DONTWAIT).ok()?;
        words.truncate(length);
        Report::from_bytes(&words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_report_is_read_back() {
        for report in [
            Report::Ready,
            Report::Undone,
            Report::Failed("a group".to_owned()),
            Report::Ended(Pid(70_000), WaitStatus::Exited(3)),
            Report::Ended(Pid(7), WaitStatus::Killed(Signal::KILL)),
        ] {
            assert_eq!(Report::from_bytes(&report.to_bytes()), Some(report));
        }
        assert_eq!(Report::from_bytes(b"x1"), None);
    }
}
