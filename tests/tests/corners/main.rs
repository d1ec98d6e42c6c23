//! The four corners: each library does its work on the machine and on this host's kernel, and where there are real peers
//! (Debian's packages) it does it with them. And what a program did on the machine this host's kernel does alike.
//!
//! `cargo test -p standin-tests --test corners` runs all of them. What cannot run here, for want of root or of a peer, is
//! listed as ignored with the reason behind its name, and counted in the last line.

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

mod cgroup;
mod context;
mod ipc;
mod service;
mod trace;

/// A library's work on one kernel.
pub(crate) struct Corner {
    /// What is shown, as a sentence.
    pub(crate) name: &'static str,
    /// Why it cannot be shown here.
    pub(crate) missing: Option<String>,
    /// Shows it, or panics.
    pub(crate) show: fn(),
}

fn main() -> ExitCode {
    standin_linux::start(&service::register(standin_linux::Registry::new()));
    let corners =
        [cgroup::corners, context::corners, service::corners, ipc::corners, trace::corners]
            .into_iter()
            .flat_map(|corners| corners());
    let mut skipped = 0;
    let trials = corners.map(|corner| {
        let name = match &corner.missing {
            Some(reason) => {
                skipped += 1;
                format!("{} (skipped: {reason})", corner.name)
            }
            None => corner.name.to_owned(),
        };
        let trial = Trial::test(name, move || {
            (corner.show)();
            Ok(())
        });
        trial.with_ignored_flag(corner.missing.is_some())
    });
    let conclusion = libtest_mimic::run(&Arguments::from_args(), trials.collect());
    println!(
        "corners: {} passed, {} failed, {skipped} skipped",
        conclusion.num_passed, conclusion.num_failed
    );
    conclusion.exit_code()
}
