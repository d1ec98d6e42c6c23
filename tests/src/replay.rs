//! A fixture, run again on the machine and compared.

use std::fmt::Write;

use standin::transcript::{Report, Stage, Transcript, run};
use standin_cli::ledger::{Known, lines_of};

use crate::fixtures::Fixture;

/// Runs a script on the machine that it asks for.
///
/// # Errors
/// What kept it from its end, in words.
pub fn on_machine(script: &Transcript) -> Result<Report, String> {
    on(script, &mut standin_sim::Stage::new(&script.machine))
}

/// Runs a script on a stage that was made for it.
///
/// # Errors
/// What kept it from its end, in words.
pub fn on(script: &Transcript, stage: &mut dyn Stage) -> Result<Report, String> {
    run(script, stage).map_err(|error| error.to_string())
}

/// Does the machine print the fixture, byte for byte but for what the ledger says?
///
/// # Errors
/// The differences, readable.
pub fn check(fixture: &Fixture, ledger: &[Known]) -> Result<(), String> {
    compare(fixture, &on_machine(&fixture.transcript)?, &lines_of(ledger, &fixture.name))
}

/// Compares a run with its fixture; the operations on the lines `known`, and no others, must differ.
///
/// # Errors
/// The differences, readable.
pub fn compare(fixture: &Fixture, report: &Report, known: &[usize]) -> Result<(), String> {
    let unknown = report.mismatches.iter().filter(|mismatch| !known.contains(&mismatch.line));
    let mut complaints: String = unknown.fold(String::new(), |mut text, mismatch| {
        let _ = write!(
            text,
            "\n{}:{}: {}\n    {}",
            fixture.name, mismatch.line, mismatch.operation, mismatch.difference
        );
        text
    });
    for line in known {
        if !report.mismatches.iter().any(|mismatch| mismatch.line == *line) {
            let _ = write!(
                complaints,
                "\n{}:{line}: the ledger says that it differs, and it does not",
                fixture.name
            );
        }
    }
    if complaints.is_empty() && known.is_empty() && report.transcript.to_string() != fixture.text {
        complaints.push_str("every answer is right, yet the text is another");
    }
    if complaints.is_empty() { Ok(()) } else { Err(complaints) }
}
