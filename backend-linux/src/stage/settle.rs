//! Waiting until what an operation set off has happened.
//!
//! The kernel is asked, not the clock, where it tells: a task that runs or waits for a processor has something to do; one
//! that sleeps, and has not been switched since the last look, has not. So an operation counts as blocked when its task
//! sleeps and nobody else moves either, long before patience ends, unless it is one that wakes up by itself.

use std::os::fd::AsFd as _;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use standin::id::Pid;
use standin::transcript::{ActorId, Condition, Settled, Trouble};

use super::HostStage;
use super::cast::{Member, Pace};
use super::task::{self, Activity};

/// How long nobody may have moved before somebody is blocked.
const STILL: Duration = Duration::from_millis(120);

/// The same for one that uses memory, which waits deeply now and then.
const LABORIOUS: Duration = Duration::from_secs(1);

/// How long a task may wait deeply before that counts as sleeping.
const DEEP: Duration = Duration::from_millis(40);

/// How long the kernel may hold back that a file was modified: it says so at most every 10 ms.
const NOTICE: Duration = Duration::from_millis(25);

/// How long to wait for calm before going on without.
const MOST: Duration = Duration::from_secs(2);

const SHORT: Duration = Duration::from_micros(200);
const LONG: Duration = Duration::from_millis(5);

/// What every task of the run was doing at one moment.
type Picture = Vec<(Pid, Activity)>;

/// A picture, and since when it has been the same.
struct Calm {
    picture: Picture,
    since: Instant,
}

impl Calm {
    fn new() -> Self {
        Self { picture: Vec::new(), since: Instant::now() }
    }

    /// Looks again; how long nothing has changed.
    fn look(&mut self, picture: Picture) -> Duration {
        if picture != self.picture {
            (self.picture, self.since) = (picture, Instant::now());
        }
        self.since.elapsed()
    }
}

impl HostStage {
    /// Waits for an actor's answer or end, and then for calm.
    pub(super) fn wait(&mut self, actor: ActorId, patience: Duration) -> Result<Settled, Trouble> {
        let deadline = Instant::now() + patience;
        let mut calm = Calm::new();
        let mut pause = SHORT;
        loop {
            if let Some(settled) = self.outcome(actor)? {
                self.await_calm();
                return Ok(settled);
            }
            let is_late = Instant::now() >= deadline;
            if is_late || self.is_blocked(actor, &mut calm)? {
                self.await_calm();
                return self.late(actor);
            }
            self.wait_for_word(actor, pause)?;
            pause = (pause * 2).min(LONG);
        }
    }

    /// What there is to say when there is nothing more to wait for.
    fn late(&mut self, actor: ActorId) -> Result<Settled, Trouble> {
        if let Some(settled) = self.outcome(actor)? {
            return Ok(settled);
        }
        let member = self.member_mut(actor)?;
        let Some(end) = member.is_ending() else { return Ok(Settled::Busy) };
        member.busy = None;
        Ok(Settled::Died(end))
    }

    /// The answer, or how the actor ended.
    fn outcome(&mut self, actor: ActorId) -> Result<Option<Settled>, Trouble> {
        // In this order: one that has answered and died has answered.
        let end = self.member(actor)?.end()?;
        if let Some(outcome) = self.hear(actor)? {
            return Ok(Some(Settled::Answered(outcome)));
        }
        if end.is_some() {
            self.member_mut(actor)?.busy = None;
        }
        Ok(end.map(Settled::Died))
    }

    /// Waits a moment, or until the actor says something or its process ends.
    fn wait_for_word(&self, actor: ActorId, pause: Duration) -> Result<(), Trouble> {
        let member = self.member(actor)?;
        let (desk, process) = (member.desk.as_fd(), member.process.as_fd());
        let mut words = [
            PollFd::from_borrowed_fd(desk, PollFlags::IN),
            PollFd::from_borrowed_fd(process, PollFlags::IN),
        ];
        let pause = Timespec { tv_sec: 0, tv_nsec: pause.subsec_nanos().into() };
        match poll(&mut words, Some(&pause)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(errno) => Err(Trouble(format!("waiting for an actor: {errno}"))),
        }
    }

    /// Whether an actor's operation waits for something that nobody is doing.
    fn is_blocked(&self, actor: ActorId, calm: &mut Calm) -> Result<bool, Trouble> {
        let picture = self.picture(Some(actor));
        let still = calm.look(picture);
        if still < STILL || calm.picture.iter().any(|(_, activity)| activity.is_running()) {
            return Ok(false);
        }
        let member = self.member(actor)?;
        let Ok(own) = task::activity(&member.directory()) else { return Ok(false) };
        let is_held = own.is_stopped()
            || own.is_deep() && task::is_in_refrigerator(&member.directory())
            || member.condition(&self.host) == Condition::Frozen;
        let is_asleep = match member.busy.as_ref().map_or(Pace::Prompt, |busy| busy.pace) {
            Pace::Prompt => !own.is_deep(),
            Pace::Laborious => still >= LABORIOUS,
            Pace::Timed => false,
        };
        Ok(is_held || is_asleep)
    }

    /// Waits until nobody moves any more and process 1 has taken what is its.
    fn await_calm(&self) {
        self.await_still();
        // An actor may have ended that another waits for: its end is read before it is forgotten.
        for member in &self.cast {
            let _ = member.process.end();
        }
    }

    /// Waits until the kernel has said what became of files.
    pub(super) fn await_notices(&self) {
        std::thread::sleep(NOTICE);
        self.await_still();
    }

    fn await_still(&self) {
        let until = Instant::now() + MOST;
        let mut calm = Calm::new();
        let mut looks = 0_u32;
        while Instant::now() < until {
            let still = calm.look(self.picture(None));
            looks = if still.is_zero() { 0 } else { looks + 1 };
            let moves = calm.picture.iter().any(|(_, activity)| activity.is_running());
            let is_deep = calm.picture.iter().any(|(_, activity)| activity.is_deep());
            if !moves && !self.has_orphan_zombie() && looks > 0 && (!is_deep || still >= DEEP) {
                return;
            }
            std::thread::sleep(SHORT);
        }
    }

    /// What the tasks of the run are doing, but for those that are at work by their own operation: of them only
    /// `besides`.
    fn picture(&self, besides: Option<ActorId>) -> Picture {
        let besides = besides.and_then(|actor| self.member(actor).ok()).map(|member| member.task);
        let mut picture = Picture::new();
        for (at, member) in self.cast.iter().enumerate() {
            let is_first = !self.cast.iter().take(at).any(|one| same_process(one, member));
            if !is_first || member.process.is_gone() {
                continue;
            }
            for thread in task::threads(member.process.pid).unwrap_or_default() {
                let directory = task::directory(member.process.pid, thread);
                let is_at_work = Some(thread) != besides && self.is_at_work(thread);
                if is_at_work && !task::is_doomed(&directory) {
                    continue;
                }
                picture.extend(task::activity(&directory).ok().map(|activity| (thread, activity)));
            }
        }
        picture
    }

    /// Whether a task is in the middle of something that takes its time.
    fn is_at_work(&self, thread: Pid) -> bool {
        let mut members = self.cast.iter().filter(|member| member.task == thread);
        members.any(|member| member.busy.as_ref().is_some_and(|busy| busy.pace != Pace::Prompt))
    }

    /// Whether somebody has still to be waited for who was given to process 1.
    fn has_orphan_zombie(&self) -> bool {
        self.cast.iter().any(|member| member.process.is_unreaped_orphan())
    }
}

fn same_process(one: &Member, other: &Member) -> bool {
    std::rc::Rc::ptr_eq(&one.process, &other.process)
}
