//! Would the suite notice if the machine did nothing? It must fail on every stage that only pretends.

use std::time::Duration;

use standin::id::{Moment, NsId};
use standin::transcript::{
    ActorId, ClockName, Condition, Form, NamespaceLink, Op, Outcome, Part, Request, Settled, Stage,
    Trouble,
};
use standin::{Errno, Pid};
use standin_cli::skips;
use standin_tests::{fixtures, lists, replay};

/// Answers every operation alike, and carries out none.
struct Idle {
    answer: fn(&Op) -> Outcome,
    last: Outcome,
}

impl Idle {
    fn new(answer: fn(&Op) -> Outcome) -> Self {
        Self { answer, last: Outcome::ok() }
    }
}

impl Stage for Idle {
    fn begin(&mut self, _actor: ActorId, request: Request) -> Result<(), Trouble> {
        self.last = match request {
            Request::Perform(task) => (self.answer)(&task.op),
            Request::Fork { .. } | Request::Thread { .. } => Outcome::ok(),
        };
        Ok(())
    }

    fn settle(&mut self, _actor: ActorId, _patience: Duration) -> Result<Settled, Trouble> {
        Ok(Settled::Answered(self.last.clone()))
    }

    fn number(&mut self, who: ActorId, _seen_by: ActorId) -> Option<Pid> {
        Some(Pid(who.0 + 100))
    }

    fn condition(&mut self, _actor: ActorId) -> Condition {
        Condition::Running
    }

    fn namespace(&mut self, _actor: ActorId, _link: NamespaceLink) -> Result<NsId, Errno> {
        Ok(NsId(0))
    }

    fn in_initial_pid_namespace(&mut self, _actor: ActorId) -> bool {
        true
    }

    fn initial_clock(&mut self, _clock: ClockName) -> Moment {
        Moment::default()
    }

    fn finish(&mut self) -> Result<(), Trouble> {
        Ok(())
    }
}

/// Fails if a fixture that the machine is held to would pass on the idle stage too: it would be worth nothing.
#[track_caller]
fn no_fixture_passes(answer: fn(&Op) -> Outcome) {
    let skips = lists::skips();
    let held_to = fixtures::all()
        .into_iter()
        .filter(|fixture| skips::first(&skips, &fixture.transcript).is_none());
    let mut tried = 0;
    let worthless: Vec<String> = held_to
        .filter(|fixture| {
            tried += 1;
            let report = replay::on(&fixture.transcript, &mut Idle::new(answer));
            report.is_ok_and(|report| replay::compare(fixture, &report, &[]).is_ok())
        })
        .map(|fixture| fixture.name)
        .collect();
    assert!(tried > 50, "only {tried} fixtures run: this proves little");
    assert!(worthless.is_empty(), "these pass on a kernel that does nothing: {worthless:?}");
}

#[test]
fn every_fixture_fails_on_a_kernel_that_answers_ok_and_does_nothing() {
    no_fixture_passes(|_| Outcome::ok());
}

#[test]
fn every_fixture_fails_on_a_kernel_that_refuses_everything() {
    no_fixture_passes(|_| Outcome::failed(Errno::EPERM));
}

#[test]
fn every_fixture_fails_on_a_kernel_that_models_nothing() {
    no_fixture_passes(|_| Outcome::NotModelled);
}

#[test]
fn every_fixture_fails_on_a_kernel_whose_files_all_hold_a_zero() {
    no_fixture_passes(|op| {
        let reads = ["read ", "read~ ", "key ", "fread ", "proc ", "ls "];
        let line = op.to_string();
        if reads.iter().any(|read| line.starts_with(read)) {
            Outcome::Printed { form: Form::Text, parts: vec![Part::Bytes(b"0\n".to_vec())] }
        } else {
            Outcome::ok()
        }
    });
}
