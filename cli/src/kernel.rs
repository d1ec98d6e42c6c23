//! Where a script runs: on a machine, or on this host.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use standin::transcript::{Layout, MachineLine, Release, Report, RunError, Transcript, run};
use standin_linux::HostStage;

use crate::error::{Complaint, Place, Status};
use crate::input::Input;

/// Whose kernel it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum On {
    /// A simulated kernel, in memory
    #[default]
    Sim,
    /// This host's own kernel, as root; everything is undone at the end
    Host,
}

/// Which kernel, where a script does not say it.
#[derive(Clone, Copy, Debug, Default, Args)]
pub(crate) struct Choice {
    /// Kernel release of a script that names none [default: 6.12]
    #[arg(long, value_parser = words(Release::ALL, Release::word))]
    pub(crate) kernel: Option<Release>,
    /// Cgroup layout of a script that names none [default: unified]
    #[arg(long, value_parser = words(Layout::ALL, Layout::word))]
    pub(crate) layout: Option<Layout>,
}

/// A parser of the words of a closed set.
fn words<T>(all: &'static [T], word: fn(T) -> &'static str) -> impl TypedValueParser<Value = T>
where
    T: Copy + Send + Sync + 'static,
{
    PossibleValuesParser::new(all.iter().map(move |&one| word(one))).try_map(move |chosen| {
        all.iter().copied().find(|&one| word(one) == chosen).ok_or("not one of them")
    })
}

/// Why there is no report of a run.
pub(crate) enum Stopped {
    /// This script does not fit here: why. Nothing was done.
    Refused(String),
    /// The run did not come to its end.
    Broken(RunError),
}

impl Choice {
    /// Fills in what the script leaves out.
    ///
    /// # Errors
    /// If the script says something else than was asked for.
    pub(crate) fn apply(self, script: &mut Transcript, input: &Input) -> Result<(), Complaint> {
        let differs = |option: &str, asked: &str, said: &str| {
            let message =
                format!("this script is for {option} {said}, but --{option} {asked} was asked for");
            let help = format!(
                "leave out --{option}, or the script's word {option}={said}: then it is meant for all"
            );
            Err(Complaint::misuse(message, help).at(input.place_of(input.machine_line())))
        };
        let Self { kernel, layout } = self;
        match (kernel, script.machine.kernel) {
            (Some(asked), Some(said)) if asked != said => {
                return differs("kernel", asked.word(), said.word());
            }
            (asked, said) => script.machine.kernel = said.or(asked),
        }
        match (layout, script.machine.layout) {
            (Some(asked), Some(said)) if asked != said => {
                return differs("layout", asked.word(), said.word());
            }
            (asked, said) => script.machine.layout = said.or(asked),
        }
        Ok(())
    }

    /// A machine line with nothing but this.
    pub(crate) fn machine_line(self) -> MachineLine {
        MachineLine { kernel: self.kernel, layout: self.layout, ..MachineLine::default() }
    }
}

/// Runs a script.
///
/// # Errors
/// If it was refused, or did not come to its end.
pub(crate) fn play(script: &Transcript, on: On) -> Result<Report, Stopped> {
    match on {
        On::Sim => {
            run(script, &mut standin_sim::Stage::new(&script.machine)).map_err(Stopped::Broken)
        }
        On::Host => on_host(script),
    }
}

/// What the script leaves out, this host is.
fn on_host(script: &Transcript) -> Result<Report, Stopped> {
    let mut script = script.clone();
    script.machine = HostStage::machine_line(&script.machine);
    let mut stage =
        HostStage::new(&script).map_err(|refusal| Stopped::Refused(refusal.to_string()))?;
    run(&script, &mut stage).map_err(Stopped::Broken)
}

impl Stopped {
    /// As a complaint about the script.
    pub(crate) fn complaint(&self, on: On, input: &Input) -> Complaint {
        match self {
            Self::Refused(reason) => {
                let help = "standin doctor says what works here; without --on host the script runs on a machine";
                Complaint::misuse(format!("{}: not on this host: {reason}", input.name), help)
            }
            Self::Broken(error) => {
                let (place, trouble) = match error {
                    RunError::Step { line, trouble, .. } => (Some(input.place_of(*line)), trouble),
                    RunError::Finish(trouble) => (None, trouble),
                };
                broken(on, &input.name, place, &trouble.to_string())
            }
        }
    }
}

fn broken(on: On, name: &str, place: Option<Place>, trouble: &str) -> Complaint {
    let (message, help) = match on {
        // A machine fails only because it is asked for more than it was built for.
        On::Sim => (
            format!("the machine cannot go on: {trouble}"),
            "the script asks for more than a machine holds",
        ),
        On::Host => (format!("the run did not come to its end: {trouble}"), ""),
    };
    let make = match on {
        On::Sim => Complaint::misuse,
        On::Host => Complaint::failure,
    };
    match place {
        Some(place) => make(message, help.to_owned()).at(place),
        None => make(format!("{name}: {message}"), help.to_owned()),
    }
}

impl From<&Report> for Status {
    /// What a run comes to where answers were expected.
    fn from(report: &Report) -> Self {
        Self::failed_if(!report.is_as_expected() || report.not_modelled > 0)
    }
}
