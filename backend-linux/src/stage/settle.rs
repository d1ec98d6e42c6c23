//! Waiting for an actor: until it has answered, ended, or is blocked.
//!
//! The kernel is asked, not the clock, where it tells (`calm`): an operation counts as blocked when its task sleeps and
//! nobody else moves either, long before patience ends, unless it is one that wakes up by itself.

use std::os::fd::AsFd as _;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use standin::transcript::{ActorId, Condition, Settled, Trouble};

use super::HostStage;
use super::calm::Calm;
use super::cast::Pace;
use super::task;

/// How long nobody may have moved before somebody is blocked.
const STILL: Duration = Duration::from_millis(120);

/// The same where nobody else takes the processors.
const STILL_ALONE: Duration = Duration::from_millis(20);

/// The same for one that uses memory, which waits deeply now and then.
const LABORIOUS: Duration = Duration::from_secs(1);

/// Pauses between looks. Most answers come within the first.
const SHORT: Duration = Duration::from_millis(1);
const LONG: Duration = Duration::from_millis(5);

impl HostStage {
    /// Waits for an actor's answer or end, and then for calm.
    pub(super) fn wait(&mut self, actor: ActorId, patience: Duration) -> Result<Settled, Trouble> {
        let deadline = Instant::now() + patience;
        let mut calm = Calm::new();
        let mut pause = SHORT;
        let is_quiet = self.is_quiet(actor);
        loop {
            self.wait_for_word(actor, pause)?;
            pause = (pause * 2).min(LONG);
            if let Some(settled) = self.outcome(actor)? {
                if !is_quiet || matches!(settled, Settled::Died(_)) {
                    self.await_calm();
                }
                return Ok(settled);
            }
            let is_late = Instant::now() >= deadline;
            if is_late || self.is_blocked(actor, &mut calm)? {
                self.await_calm();
                return self.late(actor);
            }
        }
    }

    /// Whether an actor's operation sets nobody going: it does not by itself, and nobody waits for anything.
    fn is_quiet(&self, actor: ActorId) -> bool {
        let own = self.member(actor).ok().map(|member| member.task);
        self.cast.values().all(|member| match &member.busy {
            Some(busy) => Some(member.task) == own && !busy.stirs,
            None => true,
        })
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
        if let Some(outcome) = self.hear(actor)? {
            return Ok(Some(Settled::Answered(outcome)));
        }
        let end = self.member(actor)?.end()?;
        // One that has answered and died has answered.
        if end.is_some()
            && let Some(outcome) = self.hear(actor)?
        {
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
        let enough = if self.tenancy.is_alone() { STILL_ALONE } else { STILL };
        if still < enough || calm.picture.iter().any(|(_, activity)| activity.is_running()) {
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
}
