//! How a stage is set, and cleared again.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::rc::Rc;
use std::time::{Duration, Instant};

use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use standin::transcript::{ActorId, Op, Operation, Outcome, ProcessOp, Transcript, Trouble};

use super::cast::Busy;
use super::channel::{self, Answer, MOST_BESIDE};
use super::effect::Opened;
use super::host::Host;
use super::journal::{self, Entry, Journal};
use super::numbers::Numbers;
use super::report::Watcher;
use super::watcher::clear;
use super::{HostStage, Tenancy, pid_of, refusal, task};

/// How long the first actor may take to begin.
const BEGINNING: Duration = Duration::from_secs(10);

/// The most actors of a script.
const MOST_ACTORS: usize = 4000;

impl HostStage {
    pub(super) fn open(
        script: &Transcript,
        host: Host,
        tenancy: Tenancy,
        turn: &OwnedFd,
    ) -> Result<Self, Trouble> {
        let mark = mark()?;
        let path = journal::path(&mark);
        let watcher = Watcher::start(&path, &mark, tenancy, turn)?;
        let journal =
            Journal::open(path).map_err(|error| Trouble(format!("the journal: {error}")))?;
        let opened = Opened::of(script);
        let (cast, desks) = (BTreeMap::new(), Vec::new());
        let watcher = Some(Rc::new(watcher));
        // From here on what goes wrong is undone when the stage is dropped.
        let is_spoiled = tenancy.is_alone() && refusal::keeps_hierarchies(script, &host).is_err();
        let mut stage = Self {
            host,
            tenancy,
            is_spoiled,
            journal,
            mark,
            watcher,
            host_names: None,
            opened,
            cast,
            desks,
        };
        stage.bring_first(script)?;
        Ok(stage)
    }

    /// Starts the first actor and gives it the lines of all.
    fn bring_first(&mut self, script: &Transcript) -> Result<(), Trouble> {
        let makes = |op: &&Op| {
            matches!(op, Op::Processes(ProcessOp::Fork { .. } | ProcessOp::Thread { .. }))
        };
        let count = 1 + script.operations().map(Operation::op).filter(makes).count();
        if count > MOST_ACTORS {
            return Err(Trouble(format!("{count} actors are too many for a host")));
        }
        let mut lines = Vec::with_capacity(count);
        for _ in 0..count {
            let (ours, theirs) = pair()?;
            self.desks.push(Some(ours));
            lines.push(theirs);
        }
        let (ours, theirs) = pair()?;
        let watcher = self.watcher.as_ref().ok_or_else(unbegun)?;
        let pidfd = watcher.start_actor(&theirs)?;
        let pid = pid_of(&pidfd)?;
        drop(theirs);
        let started = task::stat(&format!("/proc/{pid}")).map(|stat| stat.started).unwrap_or(0);
        self.journal
            .add(&Entry::Actor { pid, started })
            .map_err(|error| Trouble(format!("the journal: {error}")))?;
        for some in lines.chunks(MOST_BESIDE) {
            let some: Vec<BorrowedFd<'_>> = some.iter().map(OwnedFd::as_fd).collect();
            channel::give(ours.as_fd(), &some).map_err(|channel::Gone| unbegun())?;
        }
        channel::give(ours.as_fd(), &[]).map_err(|channel::Gone| unbegun())?;
        let levels = task::numbers_inwards(&format!("/proc/{pid}")).unwrap_or_default();
        let numbers = Numbers::new(&levels, &format!("/proc/{pid}/ns/pid"));
        let process = self.hold(pidfd, pid)?;
        self.join(ActorId::INIT, process, pid, numbers, false)?;
        self.member_mut(ActorId::INIT)?.busy = Some(Busy::default());
        self.await_first()?;
        let link = format!("/proc/{pid}/ns/uts");
        let held = File::open(link).map_err(|error| Trouble(format!("its host names: {error}")))?;
        self.host_names = Some(held);
        Ok(())
    }

    fn await_first(&mut self) -> Result<(), Trouble> {
        let until = Instant::now() + BEGINNING;
        while Instant::now() < until {
            match self.member_mut(ActorId::INIT)?.desk.hear()? {
                Some(Answer::Outcome(Outcome::Broken(what))) => return Err(Trouble(what)),
                Some(_) => {
                    self.member_mut(ActorId::INIT)?.busy = None;
                    return Ok(());
                }
                None if self.member(ActorId::INIT)?.process.has_ended() => return Err(unbegun()),
                None => std::thread::sleep(Duration::from_micros(500)),
            }
        }
        Err(unbegun())
    }

    /// Has everything undone. Does nothing the second time.
    pub(super) fn close(&mut self) -> Result<(), Trouble> {
        let Some(watcher) = self.watcher.take() else { return Ok(()) };
        let left = match watcher.finish() {
            Some(report) => report,
            // Somebody has ended the watcher: its work is done here, by marks, since this process has other children.
            None => {
                clear(self.journal.path(), &self.mark, Tenancy::Shared, &|| {}, &|| {}).join("\n")
            }
        };
        self.host_names = None;
        self.cast.clear();
        self.desks.clear();
        if left.is_empty() {
            return Ok(());
        }
        if !self.tenancy.is_alone() {
            return Err(Trouble(left));
        }
        self.is_spoiled = true;
        Ok(())
    }
}

/// A line of our own: two ends that no program inherits.
fn pair() -> Result<(OwnedFd, OwnedFd), Trouble> {
    socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)
        .map_err(|errno| Trouble(format!("a line for an actor: {errno}")))
}

/// What tells the processes and the journal of this run from all others.
fn mark() -> Result<String, Trouble> {
    let random = std::fs::read_to_string("/proc/sys/kernel/random/uuid");
    random
        .map(|text| format!("{}-{}", std::process::id(), text.trim()))
        .map_err(|error| Trouble(format!("a mark for the run: {error}")))
}

fn unbegun() -> Trouble {
    Trouble("the first actor did not begin".to_owned())
}
