//! `standin campaign replay`: one case of the property kit once more.

use clap::Args;
use standin_sim::property::Case;

use super::kit;
use crate::error::{Complaint, Status};
use crate::output::Output;
use crate::report::count;

/// Play generated cases again
///
/// Prints each as a script, with the order of programs and the faults, and whether all that a campaign looks for holds of it.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// Lines of cases, such as `standin-case-1:...`, or files that hold one, as a line or as bytes
    #[arg(required = true, value_name = "CASE|FILE")]
    cases: Vec<String>,
}

/// Runs the command.
///
/// # Errors
/// If one is no case, or nothing could be printed.
pub(super) fn run(options: &Options) -> Result<Status, Complaint> {
    let cases = options.cases.iter().map(|argument| kit::named(argument));
    let cases = cases.collect::<Result<Vec<Case>, _>>()?;
    let mut output = Output::new();
    let mut status = Status::Fine;
    for case in &cases {
        let faults: String =
            case.faults().iter().map(|fault| format!("# fault: {fault}\n")).collect();
        output.text(&format!("# {case}\n# order: {}\n{faults}{}", case.decisions(), case.script()));
        match kit::again(case) {
            Ok(reached) => {
                let pairs = count(reached.pairs.len(), "pair");
                output.text(&format!("# all held; {pairs} reached\n"));
            }
            Err(found) => {
                status = Status::Failed;
                output.text(&format!("# broken: {}\n", found.message().replace('\n', "\n# ")));
            }
        }
    }
    output.finish()?;
    Ok(status)
}
