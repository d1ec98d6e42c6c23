//! Each recording of a real kernel is a test of its own name: the machine must print it byte for byte.
//!
//! `cargo test pids_` runs those whose name holds `pids_`. What `fixtures/skips.toml` skips appears as ignored, with the
//! reason's short name behind its own; the last line counts all of them.

use std::collections::BTreeMap;
use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};
use standin_cli::skips;
use standin_tests::{fixtures, lists, replay};

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let (skips, ledger) = (lists::skips(), lists::ledger());
    let mut skipped: BTreeMap<String, usize> = BTreeMap::new();
    let mut trials = Vec::new();
    for fixture in fixtures::all() {
        let skip = skips::first(&skips, &fixture.transcript);
        let name = match skip {
            Some(skip) => format!("{} (skipped: {})", fixture.name, skip.id),
            None => fixture.name.clone(),
        };
        let chosen = arguments.filter.as_ref().is_none_or(|filter| name.contains(filter.as_str()));
        if let Some(skip) = skip.filter(|_| chosen) {
            *skipped.entry(format!("{}: {}", skip.id, skip.reason)).or_default() += 1;
        }
        let ledger = ledger.clone();
        let trial = Trial::test(name, move || Ok(replay::check(&fixture, &ledger)?));
        trials.push(trial.with_ignored_flag(skip.is_some()));
    }
    let is_list = arguments.list;
    let conclusion = libtest_mimic::run(&arguments, trials);
    if !is_list {
        for (reason, count) in &skipped {
            println!("{count:>4} skipped, {reason}");
        }
        let (passed, failed) = (conclusion.num_passed, conclusion.num_failed);
        println!(
            "fixtures: {passed} passed, {failed} failed, {} skipped",
            skipped.values().sum::<usize>()
        );
    }
    conclusion.exit_code()
}
