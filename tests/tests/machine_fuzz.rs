//! Random operations on the machine: no panic, nothing it cannot answer, and its invariants hold after each of them.
//!
//! `STANDIN_CASES` says how many scripts are tried. A failure prints the script, shrunk: saved to a file it is replayed by
//! `standin run FILE`.

use proptest::prelude::{prop_assert, proptest};
use standin::transcript::parse;
use standin_cli::watched::Watched;
use standin_sim::Stage;
use standin_tests::soak::soak;
use standin_tests::{generate, replay};

proptest! {
    #![proptest_config(generate::config())]

    #[test]
    fn invariants_hold_after_each_random_operation(text in generate::scripts(1..60)) {
        let script = parse(text.as_bytes());
        prop_assert!(script.is_ok(), "{text}");
        let Ok(script) = script else { return Ok(()) };
        let report = replay::on(&script, &mut Watched::new(Stage::new(&script.machine)));
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
