//! `standin tree`: cgroups with their limits and processes.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use standin_linux::Linux;

use crate::error::{Complaint, Status};
use crate::groups::{Hierarchy, hierarchy, mounts};
use crate::kernel::{Choice, On};
use crate::output::Output;
use crate::picture;

/// Show cgroups with their limits and how many processes are in each
///
/// Those of this host; or with FILE, those of a machine when that script has ended.
#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(flatten)]
    pub(crate) target: Target,
}

/// Whose groups or processes are shown.
#[derive(Debug, Args)]
pub(crate) struct Target {
    /// A script that is run on a machine first; `-` is standard input
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// Whose kernel [default: host; with FILE, sim]
    #[arg(long, value_enum)]
    on: Option<On>,
    #[command(flatten)]
    choice: Choice,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

impl Target {
    /// The machine to look at; `None` is this host.
    ///
    /// # Errors
    /// If the options contradict each other, or the script cannot be run.
    pub(crate) fn picture(&self) -> Result<Option<picture::Picture>, Complaint> {
        let on = self.on.unwrap_or(if self.file.is_some() { On::Sim } else { On::Host });
        match on {
            On::Sim => picture::take(self.file.as_deref(), self.choice).map(Some),
            On::Host if self.file.is_some() => {
                let help = "leave out --on host: the script runs on a machine, and that is shown";
                Err(Complaint::misuse(
                    "what a script does on a host is undone when it ends, so there is nothing to show",
                    help,
                ))
            }
            On::Host if self.choice.kernel.is_some() || self.choice.layout.is_some() => {
                let help = "add --on sim for a machine";
                Err(Complaint::misuse("this host's kernel and layout cannot be chosen", help))
            }
            On::Host => Ok(None),
        }
    }
}

/// What `--json` prints.
#[derive(Serialize)]
struct Json {
    hierarchies: Vec<Hierarchy>,
}

/// Runs the command.
///
/// # Errors
/// If there is nothing to show.
pub(crate) fn run(options: &Options) -> Result<Status, Complaint> {
    let hierarchies = match options.target.picture()? {
        Some(picture) => picture.hierarchies,
        None => here()?,
    };
    let mut output = Output::new();
    if options.target.json {
        output.json(&Json { hierarchies });
    } else if hierarchies.is_empty() {
        output.text("no cgroup filesystem is mounted here (standin doctor says more)\n");
    } else {
        for hierarchy in &hierarchies {
            output.text(&hierarchy.draw());
        }
    }
    output.finish()?;
    Ok(Status::Fine)
}

fn here() -> Result<Vec<Hierarchy>, Complaint> {
    let kernel = Linux::here();
    let mounts = mounts(&kernel)
        .map_err(|error| Complaint::failure(error.to_string(), "is /proc mounted?"))?;
    Ok(mounts.iter().map(|mount| hierarchy(&kernel, mount)).collect())
}
