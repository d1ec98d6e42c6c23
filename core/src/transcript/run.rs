//! Running a script: its operations one after another on a stage, each answer printed as the spec says.
//!
//! [`run`] is the same for every kernel. It knows who is busy, dead or never made (`cast`), what it tells by itself
//! (`told`: `join`, `status`, `nsid`), whom labels mean (`aim`), how long an operation may take (`patience`), and what an
//! answer looks like when nothing in it differs from run to run (`normalise`). It calls no kernel: that is the
//! [`Stage`]'s and [`perform`](super::perform)'s.

mod aim;
mod cast;
mod normalise;
mod patience;
mod report;
#[cfg(test)]
mod tests;
mod told;

use super::actor::ActorId;
use super::answer::Answer;
use super::machine::{Layout, Release};
use super::op::{Op, ProcessOp, SystemOp};
use super::outcome::Outcome;
use super::script::{Operation, Transcript};
use super::stage::{End, Request, Settled, Stage, Task, Trouble};
use super::value::{Id, Label, Owner};
use cast::{Busy, Cast};
use normalise::Namespaces;
use patience::{SETTLING, patience};
pub use report::{Mismatch, Report, RunError};

/// Runs a script on a stage that was made for it, and ends the stage.
///
/// The answers that the script holds are what is expected; [`Report::mismatches`] says where this kernel answered
/// otherwise. Where the machine line leaves kernel or layout out, the report says 6.12 and unified: a stage that is
/// something else needs a script that says so.
///
/// # Errors
/// [`RunError`] if the stage failed, so that there is no answer: a process of the runner's own died, a bound of the
/// machine was reached, something could not be undone.
pub fn run(script: &Transcript, stage: &mut dyn Stage) -> Result<Report, RunError> {
    let mut runner = Runner { cast: Cast::new(), namespaces: Namespaces::default(), stage };
    let report = runner.play(script);
    let finished = runner.stage.finish();
    let report = report?;
    finished.map_err(RunError::Finish)?;
    Ok(report)
}

/// A run under way.
struct Runner<'a> {
    stage: &'a mut dyn Stage,
    cast: Cast,
    namespaces: Namespaces,
}

/// What an operation comes to: an answer, or the end of the run.
type Played = Result<Answer, Trouble>;

impl Runner<'_> {
    fn play(&mut self, script: &Transcript) -> Result<Report, RunError> {
        self.namespaces = Namespaces::initial(self.stage);
        let mut transcript = script.clone();
        transcript.machine.kernel.get_or_insert(Release::V6_12);
        transcript.machine.layout.get_or_insert(Layout::Unified);
        let mut report = Report::new(transcript);
        for operation in script.operations() {
            let answer = self.step(operation).map_err(|trouble| RunError::Step {
                line: operation.line(),
                operation: operation.source().to_owned(),
                trouble,
            })?;
            report.add(operation, answer);
        }
        Ok(report.complete())
    }

    fn step(&mut self, operation: &Operation) -> Played {
        match self.told(operation.actor(), operation.op()) {
            Some(told) => told,
            None => self.address(operation.actor(), operation.op()),
        }
    }

    /// Hands an operation to its actor and prints what comes of it.
    fn address(&mut self, label: &Label, op: &Op) -> Played {
        let Some(actor) = self.cast.find(label) else { return Ok(gone()) };
        if self.cast.is_busy(actor) {
            match self.stage.settle(actor, SETTLING)? {
                Settled::Busy => return Ok(Answer::status("blocked")),
                // Its result is dropped, but not what it did.
                Settled::Answered(outcome) => {
                    self.answered(actor, &outcome)?;
                }
                Settled::Died(end) => {
                    self.died(actor, end);
                    return Ok(gone());
                }
            }
        }
        if !self.stage.is_alive(actor) {
            return Ok(gone());
        }
        let Some((request, busy)) = self.request(actor, op) else { return Ok(gone()) };
        self.stage.begin(actor, request)?;
        self.cast.set_busy(actor, busy);
        match self.stage.settle(actor, patience(op))? {
            Settled::Busy => Ok(Answer::status("blocked")),
            Settled::Answered(outcome) => self.answered(actor, &outcome),
            Settled::Died(end) => {
                self.died(actor, end);
                Ok(self.cast.take_last_words(actor).unwrap_or_else(gone))
            }
        }
    }

    /// The request that an operation is; `None` if it names an actor that is gone.
    fn request(&mut self, actor: ActorId, op: &Op) -> Option<(Request, Busy)> {
        match op {
            Op::Processes(ProcessOp::Fork { child, options }) => {
                let birth = self.cast.conceive(child, options.uid);
                self.stage.called(birth.child, child);
                let request = Request::Fork { child: birth.child, options: options.clone() };
                Some((request, Busy { op: op.clone(), birth: Some(birth) }))
            }
            Op::Processes(ProcessOp::Thread { thread }) => {
                let birth = self.cast.conceive(thread, None);
                self.stage.called(birth.child, thread);
                let request = Request::Thread { thread: birth.child };
                Some((request, Busy { op: op.clone(), birth: Some(birth) }))
            }
            Op::Processes(_)
            | Op::Files(_)
            | Op::Namespaces(_)
            | Op::Resources(_)
            | Op::Sockets(_)
            | Op::Identity(_)
            | Op::Links(_)
            | Op::System(_) => {
                let aim = self.aim(actor, op)?;
                let request = Request::Perform(Task { op: op.clone(), aim });
                Some((request, Busy { op: op.clone(), birth: None }))
            }
        }
    }

    /// The actor has answered: prints it, and brings a child to life or takes it back.
    fn answered(&mut self, actor: ActorId, outcome: &Outcome) -> Played {
        if let Outcome::Broken(what) = outcome {
            return Err(Trouble(what.clone()));
        }
        let Some(busy) = self.cast.take_busy(actor) else {
            return Err(Trouble(format!("{actor} answered, but was not asked")));
        };
        if let Some(birth) = busy.birth {
            if !outcome.is_ok() {
                self.cast.take_back(birth);
            } else if let Some(uid) = birth.uid
                && let Some(refused) = self.set_birth_id(birth.child, uid)?
            {
                return Ok(refused);
            }
        }
        Ok(self.print(actor, busy.op.name(), outcome))
    }

    /// `uid=N` of a fork: the child's first step.
    fn set_birth_id(&mut self, child: ActorId, uid: Id) -> Result<Option<Answer>, Trouble> {
        if !self.stage.is_alive(child) {
            return Ok(None);
        }
        let op = Op::Processes(ProcessOp::Setid { owner: Owner { uid, gid: uid } });
        let task = Task { op: op.clone(), aim: super::stage::Aim::default() };
        self.stage.begin(child, Request::Perform(task))?;
        self.cast.set_busy(child, Busy { op, birth: None });
        Ok(match self.stage.settle(child, SETTLING)? {
            Settled::Busy => None,
            Settled::Answered(outcome) => {
                let answer = self.answered(child, &outcome)?;
                (!outcome.is_ok()).then_some(answer)
            }
            Settled::Died(end) => {
                self.died(child, end);
                None
            }
        })
    }

    /// The actor died during its operation: what that prints stays until somebody asks.
    fn died(&mut self, actor: ActorId, end: End) {
        if let Some(busy) = self.cast.take_busy(actor) {
            self.cast.set_last_words(actor, last_words(&busy.op, end));
        }
    }
}

/// What an operation prints during which its actor dies.
fn last_words(op: &Op, end: End) -> Answer {
    let meant =
        matches!(op, Op::Processes(ProcessOp::Exit { .. }) | Op::System(SystemOp::Reboot { .. }));
    match end {
        _ if meant => Answer::ok(),
        End::Exited(code) => Answer::status(&format!("exited {code}")),
        End::Killed(signal) => Answer::status(&format!("killed {signal}")),
        End::Thread => Answer::status("exited 0"),
    }
}

/// The answer of nobody.
fn gone() -> Answer {
    Answer::status("gone")
}
