//! Random operations on the machine: no panic, nothing it cannot answer, and its invariants hold after each of them.
//!
//! `STANDIN_CASES` says how many scripts are tried. A failure prints the script, shrunk: saved to a file it is replayed by
//! `standin run FILE`.

use std::time::Duration;

use proptest::prelude::{prop_assert, proptest};
use standin::id::{Moment, NsId};
use standin::transcript::{
    ActorId, ClockName, Condition, NamespaceLink, Request, Settled, Stage, Trouble, parse,
};
use standin::{Errno, Pid};
use standin_tests::soak::soak;
use standin_tests::{generate, replay};

/// The machine's stage, looked over whenever an operation has settled.
struct Watched(standin_sim::Stage);

impl Stage for Watched {
    fn begin(&mut self, actor: ActorId, request: Request) -> Result<(), Trouble> {
        self.0.begin(actor, request)
    }

    fn settle(&mut self, actor: ActorId, patience: Duration) -> Result<Settled, Trouble> {
        let settled = self.0.settle(actor, patience)?;
        self.0
            .machine()
            .check()
            .map_err(|broken| Trouble(format!("an invariant is broken: {broken}")))?;
        Ok(settled)
    }

    fn number(&mut self, who: ActorId, seen_by: ActorId) -> Option<Pid> {
        self.0.number(who, seen_by)
    }

    fn condition(&mut self, actor: ActorId) -> Condition {
        self.0.condition(actor)
    }

    fn namespace(&mut self, actor: ActorId, link: NamespaceLink) -> Result<NsId, Errno> {
        self.0.namespace(actor, link)
    }

    fn in_initial_pid_namespace(&mut self, actor: ActorId) -> bool {
        self.0.in_initial_pid_namespace(actor)
    }

    fn initial_clock(&mut self, clock: ClockName) -> Moment {
        self.0.initial_clock(clock)
    }

    fn finish(&mut self) -> Result<(), Trouble> {
        self.0.finish()?;
        self.0
            .machine()
            .check()
            .map_err(|broken| Trouble(format!("an invariant is broken at the end: {broken}")))
    }
}

proptest! {
    #![proptest_config(generate::config())]

    #[test]
    fn invariants_hold_after_each_random_operation(text in generate::scripts(1..60)) {
        let script = parse(text.as_bytes());
        prop_assert!(script.is_ok(), "{text}");
        let Ok(script) = script else { return Ok(()) };
        let report = replay::on(&script, &mut Watched(standin_sim::Stage::new(&script.machine)));
        prop_assert!(report.is_ok(), "{}\n{text}", report.err().unwrap_or_default());
    }
}

/// Operations of the soak; `standin-lab soak` plays more.
const SOAKED: u64 = 50_000;

/// Places that a table may come to have: a script has few actors, and each of them little.
const MOST_PLACES: usize = 1_000;

#[test]
fn nothing_stays_behind_on_a_machine_that_goes_on_for_long() {
    let soaked = soak(1, SOAKED).unwrap_or_else(|wrong| panic!("{wrong}"));
    assert!(soaked.operations >= SOAKED, "{soaked}");
    for count in soaked.after.rows() {
        assert!(count.places <= MOST_PLACES, "{count:?}");
    }
}
