//! `--faults`: what shall go wrong while a script runs on a machine, and what did.

use std::path::Path;

use standin::transcript::{Report, RunError, Transcript, run};
use standin_sim::{FaultPlan, Stage};

use crate::error::Complaint;

/// How every plan begins, of whichever version.
const BEGIN: &str = "standin-faults";
/// A plan that is longer is something else.
const MOST_BYTES: u64 = 1 << 20;

/// The plan that stands behind the option: itself, or the name of a file that holds it.
///
/// # Errors
/// If it is none, or the file cannot be read.
pub(crate) fn read(argument: &str) -> Result<FaultPlan, Complaint> {
    if argument.trim_start().starts_with(BEGIN) {
        return parse("--faults", argument);
    }
    let help =
        "--faults wants a plan, which begins with `standin-faults-1:`, or a file that holds one";
    let text = file(Path::new(argument))
        .map_err(|error| Complaint::misuse(format!("{argument}: cannot be read: {error}"), help))?;
    parse(argument, &text)
}

fn file(path: &Path) -> std::io::Result<String> {
    if std::fs::metadata(path)?.len() > MOST_BYTES {
        return Err(std::io::Error::other("it is too long to be a plan"));
    }
    std::fs::read_to_string(path)
}

fn parse(name: &str, text: &str) -> Result<FaultPlan, Complaint> {
    let help =
        "a plan is such as: standin-faults-1: mkdir fails ENOSPC of=init nth=2; any dies of=p; end";
    text.parse().map_err(|error| Complaint::misuse(format!("{name}: {error}"), help))
}

/// What went wrong in a run, and what did not though it was planned.
#[derive(Default)]
pub(crate) struct Happened {
    /// A sentence each, in order.
    pub(crate) told: Vec<String>,
    /// Faults that no call fitted.
    idle: Vec<String>,
}

/// Runs a script on a machine with such faults.
///
/// # Errors
/// If it did not come to its end.
pub(crate) fn play(script: &Transcript, plan: &FaultPlan) -> Result<(Report, Happened), RunError> {
    let machine = Stage::builder(&script.machine).fault_plan(plan).build();
    let report = run(script, &mut Stage::on(machine.clone()))?;
    let look = machine.look();
    let faults = look.faults().into_iter().enumerate();
    let idle = faults.filter(|(_, (_, times))| *times == 0);
    let idle = idle.map(|(at, (fault, _))| format!("fault {} never happened: {fault}", at + 1));
    Ok((report, Happened { told: look.went_wrong(), idle: idle.collect() }))
}

impl Happened {
    /// For people, a line each.
    pub(crate) fn lines(&self) -> impl Iterator<Item = String> {
        let told = self.told.iter().map(|what| format!("fault: {what}"));
        told.chain(self.idle.iter().cloned())
    }
}
