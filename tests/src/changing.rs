//! A script that goes on in the middle on another machine, made of a snapshot of the first.

use std::time::Duration;

use standin::id::{Moment, NsId};
use standin::transcript::{
    ActorId, ClockName, Condition, NamespaceLink, Request, Settled, Stage, Trouble,
};
use standin::{Errno, Pid};

/// A stage that goes on, at one request, on a machine made of the one before; the old one stays.
pub struct Changing {
    now: standin_sim::Stage,
    before: Option<standin_sim::Stage>,
    /// How many requests are still made of the first machine.
    left: usize,
    /// How the second machine is made; nothing if it cannot be at this moment.
    change: fn(&standin_sim::Stage) -> Option<standin_sim::Stage>,
    /// Whether the rules between the parts of the kernel held at the end.
    pub checked: Result<(), String>,
}

impl Changing {
    /// Changes behind the `left`-th request.
    #[must_use]
    pub const fn new(
        now: standin_sim::Stage,
        left: usize,
        change: fn(&standin_sim::Stage) -> Option<standin_sim::Stage>,
    ) -> Self {
        Self { now, before: None, left, change, checked: Ok(()) }
    }

    /// Whether the second machine was made.
    #[must_use]
    pub const fn has_changed(&self) -> bool {
        self.before.is_some()
    }
}

impl Stage for Changing {
    fn begin(&mut self, actor: ActorId, request: Request) -> Result<(), Trouble> {
        if self.left == 0
            && !self.has_changed()
            && let Some(restored) = (self.change)(&self.now)
        {
            self.before = Some(std::mem::replace(&mut self.now, restored));
        }
        self.left = self.left.saturating_sub(1);
        self.now.begin(actor, request)
    }

    fn settle(&mut self, actor: ActorId, patience: Duration) -> Result<Settled, Trouble> {
        self.now.settle(actor, patience)
    }

    fn number(&mut self, who: ActorId, seen_by: ActorId) -> Option<Pid> {
        self.now.number(who, seen_by)
    }

    fn condition(&mut self, actor: ActorId) -> Condition {
        self.now.condition(actor)
    }

    fn namespace(&mut self, actor: ActorId, link: NamespaceLink) -> Result<NsId, Errno> {
        self.now.namespace(actor, link)
    }

    fn in_initial_pid_namespace(&mut self, actor: ActorId) -> bool {
        self.now.in_initial_pid_namespace(actor)
    }

    fn initial_clock(&mut self, clock: ClockName) -> Moment {
        self.now.initial_clock(clock)
    }

    fn finish(&mut self) -> Result<(), Trouble> {
        self.checked = self.now.machine().check();
        if let Some(before) = &mut self.before {
            before.finish()?;
        }
        self.now.finish()
    }
}
