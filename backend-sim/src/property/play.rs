//! A case on its machine: [`Play`].

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use standin::backend::WaitStatus;
use standin::transcript::{Op, Outcome, ProcessOp, SocketOp, SystemOp};
use standin::{Errno, ExitCode, Failure};

use super::case::{Case, Step, Steps};
use super::cast::Cast;
use crate::machine::Machine;
use crate::run;

/// The program that carries out the operations of a case beside others.
const NEIGHBOUR: &str = "/bin/neighbour";

/// A case under way: its machine, and the operations that are still to be carried out.
///
/// A property prepares the machine, lets the operations happen ([`alone`](Self::alone), [`next`](Self::next), or
/// [`beside`](Self::beside) programs of its own), and panics where something does not hold.
pub struct Play {
    machine: Machine,
    steps: Steps,
    /// Made when it is first needed: a program beside others has its own.
    cast: Option<Cast>,
    tally: Tally,
}

impl Play {
    pub(super) fn new(machine: &Machine, case: &Case) -> Self {
        let (machine, steps) = (machine.clone(), Steps::of(case));
        Self { machine, steps, cast: None, tally: Tally::default() }
    }

    /// The machine.
    #[must_use]
    pub const fn machine(&self) -> &Machine {
        &self.machine
    }

    /// Carries out the next operation from outside; what it was and what it came to. Nothing if there is none left.
    #[expect(
        clippy::should_implement_trait,
        reason = "between two of them the machine is looked at"
    )]
    pub fn next(&mut self) -> Option<(Step, Option<Outcome>)> {
        let step = self.steps.next()?;
        let outcome = self.carry_out(step.clone());
        Some((step, outcome))
    }

    /// Carries out all operations that are left, from outside.
    pub fn alone(&mut self) {
        // All are made before the first is carried out: so what makes them has a processor's caches for itself, and what carries
        // them out too.
        let mut steps = Vec::with_capacity(self.steps.size_hint().1.unwrap_or(0));
        steps.extend(self.steps.by_ref());
        for step in steps {
            self.carry_out(step);
        }
    }

    /// Runs programs as [`Machine::run_together`] does, and the operations that are left as one more program beside them, in
    /// the order that the case says; each command is a program's path.
    ///
    /// # Errors
    /// As [`Machine::run_together`].
    pub fn beside(&mut self, programs: &[&str]) -> Result<Vec<WaitStatus>, Failure> {
        self.cast = None;
        let empty = Steps { bytes: Vec::new(), at: 0, belief: self.steps.belief.clone() };
        let steps = std::mem::replace(&mut self.steps, empty);
        let steps = Mutex::new(Some(steps));
        let told = Arc::new(Mutex::new(Tally::default()));
        let (shared, tells) = (Arc::downgrade(self.machine.shared()), Arc::clone(&told));
        self.machine.program(NEIGHBOUR, move |_, _| {
            if let (Some(steps), Some(shared), Some(own)) =
                (steps.lock().take(), Weak::upgrade(&shared), run::current())
            {
                let mut cast = Cast::new(&shared, own);
                for step in steps {
                    let name = step.op.name();
                    let answers = is_answered(&step.op);
                    let outcome = cast.carry_out(step);
                    tells.lock().add(name, answers, outcome.as_ref());
                }
            }
            ExitCode::SUCCESS
        });
        let mut commands: Vec<&[&str]> = programs.iter().map(std::slice::from_ref).collect();
        commands.push(&[NEIGHBOUR]);
        let ended = self.machine.run_together(&commands);
        self.tally.merge(&told.lock());
        let mut ended = ended?;
        ended.pop();
        Ok(ended)
    }

    /// What the operations came to so far.
    #[must_use]
    pub const fn tally(&self) -> &Tally {
        &self.tally
    }

    pub(super) fn into_tally(self) -> Tally {
        self.tally
    }

    fn carry_out(&mut self, step: Step) -> Option<Outcome> {
        let cast = self.cast.get_or_insert_with(|| {
            let first = self.machine.shared().lock().first_process();
            Cast::new(self.machine.shared(), first)
        });
        let (name, answers) = (step.op.name(), is_answered(&step.op));
        let outcome = cast.carry_out(step);
        self.tally.add(name, answers, outcome.as_ref());
        outcome
    }
}

impl fmt::Debug for Play {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Play on {:?}: {}", self.machine, self.tally)
    }
}

/// Whether whoever carries it out is there to answer, and how that is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answers {
    Usually,
    /// It ends its caller, or makes it another program.
    Never,
    /// By an errno alone.
    ByErrno,
}

const fn is_answered(op: &Op) -> Answers {
    match op {
        Op::Processes(ProcessOp::Exit { .. } | ProcessOp::Exec { .. })
        | Op::System(SystemOp::Reboot { .. }) => Answers::Never,
        Op::Sockets(SocketOp::Fill { .. }) => Answers::ByErrno,
        Op::Files(_)
        | Op::Processes(_)
        | Op::Namespaces(_)
        | Op::Resources(_)
        | Op::Sockets(_)
        | Op::Identity(_)
        | Op::Links(_)
        | Op::System(_) => Answers::Usually,
    }
}

/// What the operations of a case came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many were carried out.
    pub operations: u64,
    /// Of them, how many did what they are for.
    pub succeeded: u64,
    /// How many were asked of somebody who was dead, held, or in the middle of something.
    pub unanswered: u64,
    /// How often which operation came to which errno.
    pub failed: BTreeMap<(&'static str, Errno), u64>,
}

impl Tally {
    fn add(&mut self, name: &'static str, answers: Answers, outcome: Option<&Outcome>) {
        self.operations += 1;
        match (outcome, answers) {
            (Some(Outcome::Done | Outcome::Printed { .. }), _)
            | (Some(Outcome::Failed { .. }), Answers::ByErrno)
            | (Some(Outcome::Broken(_)) | None, Answers::Never) => self.succeeded += 1,
            (Some(Outcome::Failed { errno, .. }), _) => {
                *self.failed.entry((name, *errno)).or_default() += 1;
            }
            (Some(Outcome::NotModelled | Outcome::Broken(_)) | None, _) => self.unanswered += 1,
        }
    }

    /// What another one counted besides.
    pub fn merge(&mut self, other: &Self) {
        self.operations += other.operations;
        self.succeeded += other.succeeded;
        self.unanswered += other.unanswered;
        for (key, count) in &other.failed {
            *self.failed.entry(*key).or_default() += count;
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { operations, succeeded, unanswered, failed } = self;
        let refused: u64 = failed.values().sum();
        write!(
            out,
            "{operations} operations: {succeeded} succeeded, {refused} refused in {} ways, {unanswered} unanswered",
            failed.len()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_ends_with_its_case() {
        for seed in 0..50 {
            let mut held = Weak::new();
            let case = Case::random(seed, 50);
            let checked = case.check(|play| {
                play.alone();
                held = Arc::downgrade(play.machine().shared());
            });
            assert_eq!(held.strong_count(), 0, "somebody still has the machine of {case}");
            checked.unwrap();
        }
    }
}
