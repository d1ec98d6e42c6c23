//! The lists beside the fixtures say what is true: `skips.toml` skips what must be skipped and no more, `ledger.toml` names
//! operations that exist.

use std::collections::BTreeSet;

use standin::transcript::Mismatch;
use standin_cli::skips;
use standin_tests::{fixtures, lists, replay};

#[test]
fn every_row_and_every_pattern_skips_something() {
    let (skips, fixtures) = (lists::skips(), fixtures::cached());
    let mut names = BTreeSet::new();
    for skip in &skips {
        assert!(names.insert(&skip.id), "{} is there twice", skip.id);
        let is_first =
            |transcript| skips::first(&skips, transcript).is_some_and(|first| first.id == skip.id);
        let used = fixtures.iter().any(|fixture| is_first(&fixture.transcript));
        assert!(used, "{}: what it skips, rows above it skip too", skip.id);
        for pattern in &skip.operations {
            let used =
                fixtures.iter().any(|fixture| skip.hit_by(pattern, &fixture.transcript).is_some());
            assert!(used, "{}: {pattern} looks like no operation", skip.id);
        }
    }
}

#[test]
fn a_skipped_fixture_goes_wrong_first_where_the_machine_says_that_it_does_not_model_it() {
    let skips = lists::skips();
    let mut complaints = Vec::new();
    for fixture in fixtures::cached() {
        let Some(skip) = skips::first(&skips, &fixture.transcript) else { continue };
        let complaint = match replay::on_machine(&fixture.transcript) {
            Err(error) => error,
            Ok(report) => match report.mismatches.first() {
                None => format!("it passes: narrow the row {}, or take it out", skip.id),
                Some(first) if is_not_modelled(first) => continue,
                Some(first) => first.to_string(),
            },
        };
        complaints.push(format!("{}: {complaint}", fixture.name));
    }
    assert!(
        complaints.is_empty(),
        "a skip hides what it should not:\n  {}",
        complaints.join("\n  ")
    );
}

fn is_not_modelled(mismatch: &Mismatch) -> bool {
    mismatch.got.as_status().is_some_and(|status| status.starts_with("NotModelled "))
}

#[test]
fn every_row_of_the_ledger_names_an_operation_of_a_fixture_that_runs() {
    let (skips, fixtures) = (lists::skips(), fixtures::cached());
    for known in lists::ledger() {
        let fixture = fixtures.iter().find(|fixture| fixture.name == known.fixture);
        let fixture =
            fixture.unwrap_or_else(|| panic!("{}: there is no such fixture", known.fixture));
        let has_line =
            fixture.transcript.operations().any(|operation| operation.line() == known.line);
        assert!(has_line, "{}: no operation stands on line {}", known.fixture, known.line);
        assert_eq!(skips::first(&skips, &fixture.transcript), None, "{} is skipped", known.fixture);
    }
}
