//! Runs transcripts on this host and says where it answers otherwise than they do.
//!
//!     stage_run [--print] FILE...
//!
//! With `--print` the new transcripts are printed. Ends with 1 if an answer differs, 2 if a script could not be run; one
//! that does not fit this host is skipped.

use std::process::ExitCode;
use std::time::Instant;

use standin::transcript::{RunError, parse, run};
use standin_linux::{HostStage, Registry};

/// What became of a file.
enum Ran {
    Same,
    Differs,
    Skipped,
}

fn main() -> ExitCode {
    standin_linux::start(&Registry::new());
    let mut files: Vec<String> = std::env::args().skip(1).collect();
    let prints = files.first().is_some_and(|first| first == "--print");
    files.drain(..usize::from(prints));
    let (mut same, mut differ, mut skipped, mut failed) = (0, 0, 0, 0);
    for file in &files {
        let begun = Instant::now();
        let (count, word) = match one(file, prints) {
            Ok(Ran::Same) => (&mut same, "same".to_owned()),
            Ok(Ran::Differs) => (&mut differ, "differs".to_owned()),
            Ok(Ran::Skipped) => (&mut skipped, "skipped".to_owned()),
            Err(error) => (&mut failed, format!("failed: {error}")),
        };
        *count += 1;
        eprintln!("{file}: {word} ({} ms)", begun.elapsed().as_millis());
    }
    eprintln!("{same} same, {differ} differ, {skipped} skipped, {failed} failed");
    match (differ, failed) {
        (0, 0) => ExitCode::SUCCESS,
        (_, 0) => ExitCode::from(1),
        _ => ExitCode::from(2),
    }
}

fn one(file: &str, prints: bool) -> Result<Ran, Box<dyn std::error::Error>> {
    let text = std::fs::read(file)?;
    let mut script = parse(&text)?;
    script.machine = HostStage::machine_line(&script.machine);
    let mut stage = match HostStage::new(&script) {
        Ok(stage) => stage,
        Err(refusal) => {
            eprintln!("{file}: {refusal}");
            return Ok(Ran::Skipped);
        }
    };
    let report = run(&script, &mut stage).map_err(|error: RunError| error.to_string())?;
    if prints {
        print!("{}", report.transcript);
    }
    for mismatch in &report.mismatches {
        eprintln!("{file}: {mismatch}");
    }
    Ok(if report.mismatches.is_empty() { Ran::Same } else { Ran::Differs })
}
