//! The machine's stage, looked over whenever an operation has settled: a rule that does not hold ends the script.

use std::time::Duration;

use standin::id::{Moment, NsId};
use standin::transcript::{
    ActorId, ClockName, Condition, Label, NamespaceLink, Request, Settled, Stage, Trouble,
};
use standin::{Errno, Pid};

/// How the trouble begins that a broken rule makes.
pub const BROKEN: &str = "an invariant is broken";

/// A stage of a machine that is checked as a whole.
#[derive(Debug)]
pub struct Watched {
    stage: standin_sim::Stage,
    /// Whether the machine is used no more behind the script.
    ends: bool,
}

impl Watched {
    /// A stage whose machine ends with the script.
    #[must_use]
    pub const fn new(stage: standin_sim::Stage) -> Self {
        Self { stage, ends: true }
    }

    /// A stage whose machine goes on behind the script.
    #[must_use]
    pub const fn going_on(stage: standin_sim::Stage) -> Self {
        Self { stage, ends: false }
    }

    /// The stage, looked over no more.
    #[must_use]
    pub fn into_stage(self) -> standin_sim::Stage {
        self.stage
    }

    fn check(&self) -> Result<(), Trouble> {
        let broken = |what| Trouble(format!("{BROKEN}: {what}"));
        self.stage.machine().check().map_err(broken)
    }
}

impl Stage for Watched {
    fn called(&mut self, actor: ActorId, label: &Label) {
        self.stage.called(actor, label);
    }

    fn begin(&mut self, actor: ActorId, request: Request) -> Result<(), Trouble> {
        self.stage.begin(actor, request)
    }

    fn settle(&mut self, actor: ActorId, patience: Duration) -> Result<Settled, Trouble> {
        let settled = self.stage.settle(actor, patience)?;
        self.check()?;
        Ok(settled)
    }

    fn number(&mut self, who: ActorId, seen_by: ActorId) -> Option<Pid> {
        self.stage.number(who, seen_by)
    }

    fn condition(&mut self, actor: ActorId) -> Condition {
        self.stage.condition(actor)
    }

    fn namespace(&mut self, actor: ActorId, link: NamespaceLink) -> Result<NsId, Errno> {
        self.stage.namespace(actor, link)
    }

    fn in_initial_pid_namespace(&mut self, actor: ActorId) -> bool {
        self.stage.in_initial_pid_namespace(actor)
    }

    fn initial_clock(&mut self, clock: ClockName) -> Moment {
        self.stage.initial_clock(clock)
    }

    fn finish(&mut self) -> Result<(), Trouble> {
        if self.ends {
            self.stage.finish()?;
        }
        self.check()
    }
}
