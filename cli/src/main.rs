//! The program `standin`: runs kernel transcripts on a simulated kernel or on this host, and shows either.
//!
//! A file a command: `run`, `check`, `tree`, `ps`, `doctor`, `campaign`. What they share: `input` (files to scripts), `kernel` (where a
//! script runs), `faults` (what shall go wrong there), `lists` (what is skipped or known), `report` and `junit` (what came of it), `picture` (a machine at the end of its script), `output` and
//! `error` (standard output, complaints, exit status).
//!
//! Exit status: 0 all is well; 1 an answer differs, something failed or is not modelled; 2 wrong use: arguments, files or
//! scripts that cannot be used as they are.

mod campaign;
mod check;
mod doctor;
mod error;
mod faults;
mod find;
mod groups;
mod input;
mod junit;
mod kernel;
mod lists;
mod output;
mod picture;
mod ps;
mod report;
mod run;
mod tree;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use standin_linux::Registry;

use error::Status;

/// A stand-in for the Linux kernel: runs scripts of kernel operations on a simulated kernel or on this host.
#[derive(Parser)]
#[command(name = "standin", version, arg_required_else_help = true, after_help = EXIT_STATUS)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const EXIT_STATUS: &str = "Exit status: 0 all is well, 1 a difference or a failure, 2 wrong use.";

#[derive(Subcommand)]
enum Command {
    Run(run::Options),
    Check(check::Options),
    Tree(tree::Options),
    Ps(ps::Options),
    Doctor(doctor::Options),
    Campaign(campaign::Options),
}

fn main() -> ExitCode {
    // First: an actor or a probe on this host is this program, started again.
    standin_linux::start(
        &Registry::new().program(doctor::PROBE, |_, _| standin::ExitCode::SUCCESS),
    );
    error::install_panic_hook();
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(usage) => {
            // Printing fails only if nobody reads.
            let _ = usage.print();
            return if usage.use_stderr() { Status::Misuse.into() } else { Status::Fine.into() };
        }
    };
    let status = match arguments.command {
        Command::Run(options) => run::run(&options),
        Command::Check(options) => check::run(&options),
        Command::Tree(options) => tree::run(&options),
        Command::Ps(options) => ps::run(&options),
        Command::Doctor(options) => doctor::run(&options),
        Command::Campaign(options) => campaign::run(&options),
    };
    match status {
        Ok(status) => status.into(),
        Err(complaint) => {
            complaint.print();
            complaint.status().into()
        }
    }
}
