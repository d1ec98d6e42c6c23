//! Calm: nobody of the run moves, so that what an operation set off has happened.
//!
//! A task that runs or waits for a processor has something to do; one that sleeps, and has not been switched since the
//! last look, has not. On a machine of the runner's own the kernel's count of running tasks says at once what looks at
//! each would say: nobody runs but who asks.

use std::time::{Duration, Instant};

use standin::id::Pid;
use standin::transcript::ActorId;

use super::HostStage;
use super::cast::Member;
use super::task::{self, Activity};

/// How long a task may wait deeply before that counts as sleeping.
const DEEP: Duration = Duration::from_millis(40);

/// How long the kernel may hold back that a file was modified: it says so at most every 10 ms.
const NOTICE: Duration = Duration::from_millis(25);

/// How long to wait for calm before going on without.
const MOST: Duration = Duration::from_secs(2);

/// How long to wait for rest before each task is looked at.
const REST: Duration = Duration::from_millis(30);

/// How long a pause between looks may get.
const SHORT: Duration = Duration::from_micros(200);
const SHORTEST: Duration = Duration::from_micros(30);

/// What every task of the run was doing at one moment.
pub(super) type Picture = Vec<(Pid, Activity)>;

/// A picture, and since when it has been the same.
pub(super) struct Calm {
    pub(super) picture: Picture,
    since: Instant,
}

impl Calm {
    pub(super) fn new() -> Self {
        Self { picture: Vec::new(), since: Instant::now() }
    }

    /// Looks again; how long nothing has changed.
    pub(super) fn look(&mut self, picture: Picture) -> Duration {
        if picture != self.picture {
            (self.picture, self.since) = (picture, Instant::now());
        }
        self.since.elapsed()
    }
}

impl HostStage {
    /// Waits until nobody moves any more and process 1 has taken what is its.
    pub(super) fn await_calm(&self) {
        self.await_still();
        // An actor may have ended that another waits for: its end is read before it is forgotten.
        for member in self.cast.values() {
            if member.process.end().is_some() {
                member.process.is_gone();
            }
        }
    }

    /// Waits until the kernel has said what became of files.
    pub(super) fn await_notices(&self) {
        std::thread::sleep(NOTICE);
        self.await_still();
    }

    fn await_still(&self) {
        // Somebody at work would not rest, and get further meanwhile than the script allows for.
        let works = self.cast.values().any(Member::is_at_work);
        if self.tenancy.is_alone() && !works && self.comes_to_rest() {
            return;
        }
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

    /// Waits until nobody runs on a machine of the runner's own, and nobody is in the middle of anything.
    fn comes_to_rest(&self) -> bool {
        let until = Instant::now() + REST;
        let mut pause = SHORTEST;
        loop {
            // The second time: one that was in the middle of something may have gone on while the others were looked at.
            if !task::do_others_run() && self.is_at_rest() && !task::do_others_run() {
                return true;
            }
            if Instant::now() > until {
                return false;
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(SHORT);
        }
    }

    /// Whether everybody sleeps, has ended and been taken, or is at work.
    fn is_at_rest(&self) -> bool {
        self.cast.values().filter(|member| !member.process.is_known_gone()).all(|member| {
            let Ok(stat) = task::stat(&member.directory()) else { return true };
            match stat.state {
                b'R' => false,
                b'D' => task::is_in_refrigerator(&member.directory()),
                b'Z' | b'X' => !member.process.is_unreaped_orphan(),
                _ => true,
            }
        })
    }

    /// What the tasks of the run are doing, but for those that are at work by their own operation: of them only
    /// `besides`.
    pub(super) fn picture(&self, besides: Option<ActorId>) -> Picture {
        let besides = besides.and_then(|actor| self.member(actor).ok()).map(|member| member.task);
        let mut picture = Picture::new();
        for (at, member) in self.cast.values().enumerate() {
            let is_first = !self.cast.values().take(at).any(|one| same_process(one, member));
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
        let mut members = self.cast.values().filter(|member| member.task == thread);
        members.any(Member::is_at_work)
    }

    /// Whether somebody has still to be waited for who was given to process 1.
    fn has_orphan_zombie(&self) -> bool {
        self.cast.values().any(|member| member.process.is_unreaped_orphan())
    }
}

fn same_process(one: &Member, other: &Member) -> bool {
    std::rc::Rc::ptr_eq(&one.process, &other.process)
}
