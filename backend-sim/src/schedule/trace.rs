//! What was done in a run, step by step ([`Trace`]): who could have gone on, who did, and what that touched.

use super::footprint::Footprint;
use crate::task::ThreadKey;

/// A program that need not go on: another run began with it here, and all that was done since then does not touch what it does
/// next (a sleep set; Godefroid, Partial-Order Methods for the Verification of Concurrent Systems, 1996).
pub(super) type Sleeper = (ThreadKey, Footprint);

/// What a program did between two decisions: one call at most, and what it did by itself.
#[derive(Clone, Debug)]
pub(super) struct Step {
    /// Who; `None` if it was no program.
    pub(super) thread: Option<ThreadKey>,
    /// Who could have, in the order of the decision's alternatives.
    pub(super) able: Vec<ThreadKey>,
    /// Which decision that was, if there was more than one.
    pub(super) place: Option<usize>,
    /// The decisions whether something goes wrong that were made in it.
    pub(super) faults: Vec<usize>,
    pub(super) footprint: Footprint,
    /// Who slept when it began.
    pub(super) sleeping: Vec<Sleeper>,
}

/// The steps of a run.
#[derive(Clone, Debug)]
pub(super) struct Trace {
    pub(super) steps: Vec<Step>,
    /// The step from which on somebody sleeps, and who in the first of them.
    from: usize,
    sleeping: Vec<Sleeper>,
    /// The step from which on everything was done before, in another order.
    pub(super) redundant: Option<usize>,
}

impl Trace {
    pub(super) const fn new(from: usize, sleeping: Vec<Sleeper>) -> Self {
        Self { steps: Vec::new(), from, sleeping, redundant: None }
    }

    /// Who sleeps in the step that begins now.
    fn now_sleeping(&self) -> Vec<Sleeper> {
        if self.steps.len() <= self.from {
            let has_begun = self.steps.len() == self.from;
            return if has_begun { self.sleeping.clone() } else { Vec::new() };
        }
        let Some(last) = self.steps.last() else { return Vec::new() };
        let stays = |(thread, next): &&Sleeper| {
            last.thread != Some(*thread) && !next.conflicts(&last.footprint)
        };
        last.sleeping.iter().filter(stays).cloned().collect()
    }

    /// Which of these goes on where nothing was said.
    pub(super) fn default_of(&mut self, all: &[ThreadKey]) -> usize {
        let sleeping = self.now_sleeping();
        let sleeps = |thread: &ThreadKey| sleeping.iter().any(|(sleeper, _)| sleeper == thread);
        if let Some(first) = all.iter().position(|thread| !sleeps(thread)) {
            return first;
        }
        self.redundant.get_or_insert(self.steps.len());
        0
    }

    pub(super) fn step(&mut self, thread: ThreadKey, able: &[ThreadKey], place: Option<usize>) {
        let sleeping = self.now_sleeping();
        if place.is_none()
            && self.steps.len() > self.from
            && sleeping.iter().any(|(sleeper, _)| *sleeper == thread)
        {
            self.redundant.get_or_insert(self.steps.len());
        }
        self.steps.push(Step {
            thread: Some(thread),
            able: able.to_vec(),
            place,
            faults: Vec::new(),
            footprint: Footprint::nothing(),
            sleeping,
        });
    }

    pub(super) fn touched(&mut self, what: &Footprint) {
        match self.steps.last_mut() {
            Some(step) => step.footprint.add(what),
            None => self.barrier(),
        }
    }

    pub(super) fn barrier(&mut self) {
        if self.steps.last().is_some_and(|step| step.thread.is_none()) {
            return;
        }
        let sleeping = self.now_sleeping();
        self.steps.push(Step {
            thread: None,
            able: Vec::new(),
            place: None,
            faults: Vec::new(),
            footprint: Footprint::everything(),
            sleeping,
        });
    }

    pub(super) fn may_depart(&mut self, place: usize) {
        match self.steps.last_mut() {
            Some(step) => step.faults.push(place),
            None => self.barrier(),
        }
    }
}
