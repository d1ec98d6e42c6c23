//! The host as a stage for transcripts: every actor is a process or thread of its own on the running kernel.
//!
//! [`HostStage::fits`] says whether a script may run here at all; nothing is touched before. The stage then starts two
//! processes of this program: a *watcher*, which undoes the run when the runner has finished or died, and the first actor.
//! The others are made by actors, with clone3(2). What a script makes outside of its own processes is written to a journal
//! before it is made.
//!
//! Inside, on the runner's side: `host` and `ground` (what is where), `survey` and `refusal` (may it run), `effect`,
//! `ahead` and `journal` (what there will be to undo), `cast`, `numbers`, `ending` and `task` (who is who, and in what
//! state), `turn` and `settle` (waiting), `report` (the watcher). On the other side: `part`, `debut`, `player`, `thread`, `slot` (actors), `watcher` and `undo`.
//! Between them: `channel`. No file here knows what an operation means but `effect`: carrying it out is
//! [`perform`](standin::transcript::perform)'s.

mod ahead;
mod calm;
mod cast;
mod channel;
mod debut;
mod effect;
mod ending;
mod escape;
mod ground;
mod host;
mod journal;
mod numbers;
mod open;
mod part;
mod player;
mod refusal;
mod report;
mod settle;
mod slot;
mod survey;
mod task;
mod thread;
mod turn;
mod undo;
mod watcher;

use std::collections::BTreeMap;
use std::fs::File;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::fs::MetadataExt as _;
use std::rc::Rc;
use std::time::Duration;

use standin::Errno;
use standin::backend::Clock as _;
use standin::id::{Moment, NsId, Pid, Tid};
use standin::transcript::{
    ActorId, ClockName, Condition, MachineLine, NamespaceLink, Outcome, Request, Settled, Stage,
    Transcript, Trouble,
};

pub(crate) use part::play;
pub use refusal::{Refusal, Tenancy};

use ahead::Doer;
use cast::{Busy, Member, Process};
use channel::{Answer, Desk};
use effect::Opened;
use host::Host;
use journal::{Entry, Journal};
use numbers::Numbers;
use report::Watcher;

use crate::view::Linux;

/// The host as a stage.
///
/// ```no_run
/// use standin::transcript::{parse, run};
/// use standin_linux::{HostStage, Registry};
///
/// standin_linux::start(&Registry::new()); // first in `main`
/// let script = parse(b"machine kernel=6.18 layout=hybrid\ninit> mkdir /mnt/a\n").unwrap();
/// match HostStage::new(&script) {
///     Ok(mut stage) => print!("{}", run(&script, &mut stage).unwrap().transcript),
///     Err(refusal) => eprintln!("skipped: {refusal}"),
/// }
/// ```
#[derive(Debug)]
pub struct HostStage {
    host: Host,
    tenancy: Tenancy,
    is_spoiled: bool,
    journal: Journal,
    mark: String,
    /// The line to the watcher; none when the run has been undone.
    watcher: Option<Rc<Watcher>>,
    /// The host names of the script's own, which are the initial ones to it: nobody else gets their number.
    host_names: Option<File>,
    /// What the script opens.
    opened: Opened,
    /// One whose parent cannot run yet comes after others that were asked for later.
    cast: BTreeMap<ActorId, Member>,
    /// The runner's ends of the lines of actors that are not made yet, by number.
    desks: Vec<Option<OwnedFd>>,
}

impl HostStage {
    /// Whether a script may run on this host. Touches nothing; if another run has groups of that name it waits for its end.
    ///
    /// # Errors
    /// Why not.
    pub fn fits(script: &Transcript) -> Result<(), Refusal> {
        match refusal::fits(script, Tenancy::Shared) {
            // It may be another run's, which ends.
            Err(Refusal::Exists(_)) => {
                let _turn = turn::take()?;
                refusal::fits(script, Tenancy::Shared).map(drop)
            }
            other => other.map(drop),
        }
    }

    /// Sets the stage for a script that fits: its watcher and its first actor. One run at a time: it waits for its turn.
    ///
    /// # Errors
    /// Why it does not fit, or [`Refusal::Host`] if the stage cannot be set.
    pub fn new(script: &Transcript) -> Result<Self, Refusal> {
        Self::fits(script)?;
        Self::on(script, Tenancy::Shared)
    }

    /// The same on a machine of which the caller knows whose it is.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn on(script: &Transcript, tenancy: Tenancy) -> Result<Self, Refusal> {
        let turn = turn::take()?;
        let host = refusal::fits(script, tenancy)?;
        let is_its_own = tenancy != Tenancy::Fresh || script.needs().fresh;
        let tenancy = if is_its_own { tenancy } else { Tenancy::Own };
        Self::open(script, host, tenancy, &turn).map_err(|Trouble(what)| Refusal::Host(what))
    }

    /// Whether the machine may be no more what it was before the run, and no place for another script. Never on a shared
    /// one.
    #[must_use]
    pub const fn is_spoiled(&self) -> bool {
        self.is_spoiled
    }

    /// A machine line as this host fills it in where it says nothing.
    #[must_use]
    pub fn machine_line(line: &MachineLine) -> MachineLine {
        let Ok(host) = Host::look() else { return *line };
        MachineLine {
            kernel: line.kernel.or_else(|| host.kernel()),
            layout: line.layout.or_else(|| host.layout()),
            ..*line
        }
    }

    fn member(&self, actor: ActorId) -> Result<&Member, Trouble> {
        self.cast.get(&actor).ok_or_else(|| Trouble(format!("{actor} was never made")))
    }

    fn member_mut(&mut self, actor: ActorId) -> Result<&mut Member, Trouble> {
        self.cast.get_mut(&actor).ok_or_else(|| Trouble(format!("{actor} was never made")))
    }

    /// The answer of an actor's request, if it is there; whom it made joins the cast.
    fn hear(&mut self, actor: ActorId) -> Result<Option<Outcome>, Trouble> {
        let member = self.member_mut(actor)?;
        let Some(answer) = member.desk.hear()? else { return Ok(None) };
        let busy = member.busy.take().unwrap_or_default();
        let made =
            |what| busy.makes.ok_or_else(|| Trouble(format!("{actor} made a {what} unasked")));
        Ok(Some(match answer {
            Answer::Outcome(outcome) => outcome,
            Answer::Child(pidfd) => {
                self.join_child(made("child")?, actor, pidfd)?;
                Outcome::ok()
            }
            Answer::Thread(tid) => {
                self.join_thread(made("thread")?, actor, tid)?;
                Outcome::ok()
            }
        }))
    }

    fn join_child(&mut self, id: ActorId, parent: ActorId, pidfd: OwnedFd) -> Result<(), Trouble> {
        let pid = pid_of(&pidfd)?;
        let directory = format!("/proc/{pid}");
        if let Ok(stat) = task::stat(&directory) {
            let entry = Entry::Actor { pid, started: stat.started };
            self.journal.add(&entry).map_err(|error| Trouble(format!("the journal: {error}")))?;
        }
        let levels = task::numbers_inwards(&directory).unwrap_or_else(|_| vec![pid]);
        let mut numbers = Numbers::new(&levels, &format!("{directory}/ns/pid"));
        if !numbers.is_known() {
            // Born and dead: its namespace is the one that its parent has for children.
            let link = format!("{}/ns/pid_for_children", self.member(parent)?.directory());
            numbers = Numbers::new(&levels, &link);
        }
        let process = self.hold(pidfd, pid)?;
        self.join(id, process, pid, numbers, false)
    }

    fn join_thread(&mut self, id: ActorId, beside: ActorId, tid: Tid) -> Result<(), Trouble> {
        let process = Rc::clone(&self.member(beside)?.process);
        let known = |task: Pid| self.cast.values().any(|member| member.task == task);
        let found = task::threads(process.pid).unwrap_or_default().into_iter().find_map(|task| {
            let directory = task::directory(process.pid, task);
            let levels = task::numbers_inwards(&directory).ok()?;
            let is_it = levels.last() == Some(&Pid(tid.0)) && !known(task);
            is_it.then(|| (task, Numbers::new(&levels, &format!("/proc/{}/ns/pid", process.pid))))
        });
        let (task, numbers) = found.ok_or_else(|| Trouble(format!("{id} is not to be found")))?;
        self.join(id, process, task, numbers, true)
    }

    fn hold(&self, pidfd: OwnedFd, pid: Pid) -> Result<Rc<Process>, Trouble> {
        let watcher = self.watcher.as_ref().ok_or_else(|| Trouble("the run is over".to_owned()))?;
        Ok(Rc::new(Process::new(pidfd, pid, Rc::clone(watcher))))
    }

    /// Adds an actor; a number that was given out in vain before is taken over.
    fn join(
        &mut self,
        id: ActorId,
        process: Rc<Process>,
        task: Pid,
        numbers: Numbers,
        is_thread: bool,
    ) -> Result<(), Trouble> {
        let desk = self.desks.get_mut(index(id)).and_then(Option::take);
        let desk = desk.ok_or_else(|| Trouble(format!("there is no line for {id}")))?;
        let desk = Desk::new(desk);
        self.cast.insert(id, Member { desk, process, task, numbers, is_thread, busy: None });
        Ok(())
    }
}

impl Stage for HostStage {
    fn begin(&mut self, actor: ActorId, request: Request) -> Result<(), Trouble> {
        let target = match &request {
            Request::Perform(task) => task.aim.target,
            Request::Fork { .. } | Request::Thread { .. } => None,
        };
        let target = target.map(|target| self.member(target)).transpose()?;
        let target = target.map(|target| Rc::clone(&target.process));
        let member = self.member(actor)?;
        if let Request::Perform(task) = &request {
            let (directory, is_initial) = (member.directory(), member.numbers.is_initial());
            let is_alone = self.tenancy.is_alone();
            let doer = Doer { directory: &directory, is_initial, is_alone };
            let lasting =
                ahead::write_down(&mut self.journal, &self.host, &doer, &task.op, &self.opened)?;
            if let Some(what) = lasting {
                if !is_alone {
                    return Err(Trouble(what));
                }
                self.is_spoiled = true;
            }
            if cast::looks_for_notice(&task.op) {
                self.await_notices();
            }
        }
        let member = self.member_mut(actor)?;
        member.busy = Some(Busy::of(&request));
        member.desk.call(&request, target.as_ref().map(|process| process.as_fd()))
    }

    fn settle(&mut self, actor: ActorId, patience: Duration) -> Result<Settled, Trouble> {
        self.wait(actor, patience)
    }

    fn number(&mut self, who: ActorId, seen_by: ActorId) -> Option<Pid> {
        let (who, by) = (self.member(who).ok()?, self.member(seen_by).ok()?);
        by.numbers.see(&who.numbers)
    }

    fn condition(&mut self, actor: ActorId) -> Condition {
        self.member(actor).map_or(Condition::Gone, |member| member.condition(&self.host))
    }

    fn is_alive(&mut self, actor: ActorId) -> bool {
        self.member(actor).is_ok_and(Member::is_alive)
    }

    fn namespace(&mut self, actor: ActorId, link: NamespaceLink) -> Result<NsId, Errno> {
        let member = self.member(actor).map_err(|_| Errno::ENOENT)?;
        let link = format!("{}/ns/{}", member.directory(), link.word());
        let told = std::fs::metadata(link);
        if member.process.has_ended() {
            return Err(Errno::ENOENT);
        }
        told.map(|told| NsId(told.ino()))
            .map_err(|error| Errno::from_raw(error.raw_os_error().unwrap_or(libc::ENOENT)))
    }

    fn in_initial_pid_namespace(&mut self, actor: ActorId) -> bool {
        self.member(actor).is_ok_and(|member| member.numbers.is_initial())
    }

    fn initial_clock(&mut self, clock: ClockName) -> Moment {
        let kernel = Linux::here();
        let now = match clock {
            ClockName::Realtime => kernel.realtime(),
            ClockName::Monotonic => kernel.monotonic(),
            ClockName::Boottime => kernel.boottime(),
        };
        now.unwrap_or_default()
    }

    fn finish(&mut self) -> Result<(), Trouble> {
        self.close()
    }
}

impl Drop for HostStage {
    fn drop(&mut self) {
        let _ = self.close();
    }
}

fn index(actor: ActorId) -> usize {
    usize::try_from(actor.0).unwrap_or(usize::MAX)
}

/// The number of a held process in the initial pid namespace, also of one that has ended.
fn pid_of(pidfd: &OwnedFd) -> Result<Pid, Trouble> {
    use std::os::fd::AsRawFd as _;
    let path = format!("/proc/self/fdinfo/{}", pidfd.as_raw_fd());
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    let number = text.lines().find_map(|line| line.strip_prefix("Pid:")?.trim().parse().ok());
    // -1: it has been waited for, and nothing can be asked of it any more.
    number.map(Pid).ok_or_else(|| Trouble("a child was gone before it could be held".to_owned()))
}
