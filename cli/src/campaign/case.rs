//! One case of a campaign: a script, and what must hold of it on a machine whatever it does.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use standin::transcript::{MachineLine, Report, RunError, Stage as _, Transcript, run};
use standin_cli::watched::Watched;
use standin_sim::{Stage, Stock, Trace};

use super::dice::Dice;
use super::mutate;
use crate::error::expecting_panics;

/// What a campaign runs: cases by number, each the same whenever and wherever it is run.
pub(crate) trait Cases {
    /// How the file of one that is kept ends.
    const ENDING: &'static str;
    /// Runs the case with this number.
    fn case(&self, number: u64) -> Outcome;
    /// What tells these cases from others.
    fn name(&self) -> String;
}

/// What came of a case.
pub(crate) enum Outcome {
    /// All held.
    Held(Reached),
    /// Something did not.
    Broken(Broken),
    /// There is no case with this number.
    None,
}

/// What did not hold.
pub(crate) struct Broken {
    /// In words.
    pub(crate) what: String,
    /// The script.
    pub(crate) script: String,
    /// The line that plays it again, where the script is not all of it.
    pub(crate) again: Option<String>,
}

/// What a case that held got to.
pub(crate) struct Reached {
    /// The case, as a file holds it.
    pub(crate) kept: Vec<u8>,
    /// Operations, each with the error it answered or `ok`.
    pub(crate) pairs: BTreeSet<String>,
    /// How many operations were played.
    pub(crate) operations: u64,
    /// How many of them are not modelled.
    pub(crate) not_modelled: u64,
}

/// Recorded scripts as they are, and then scripts made of them.
pub(crate) struct Scripts {
    seeds: Vec<Transcript>,
    seed: u64,
    name: String,
}

impl Scripts {
    /// Of these, in this order.
    pub(crate) fn new(seeds: Vec<Transcript>, seed: u64) -> Self {
        let digest = digest(seeds.iter().map(mutate::of));
        let name = format!("{} scripts {digest:016x} with seed {seed}", seeds.len());
        Self { seeds, seed, name }
    }
}

/// A number that tells these from others.
pub(crate) fn digest(texts: impl Iterator<Item = String>) -> u64 {
    texts.fold(0xcbf2_9ce4_8422_2325, |digest, text| {
        let mix = |digest: u64, byte: u8| (digest ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        text.bytes().chain([0]).fold(digest, mix)
    })
}

impl Cases for Scripts {
    const ENDING: &'static str = "script";

    fn case(&self, number: u64) -> Outcome {
        let given = usize::try_from(number).ok().and_then(|number| self.seeds.get(number));
        let script = match given {
            Some(given) => Some(given.clone()),
            None => mutate::mutated(&self.seeds, &mut Dice::new(self.seed, number)),
        };
        script.map_or(Outcome::None, |script| play(&script))
    }

    fn name(&self) -> String {
        self.name.clone()
    }
}

/// Plays a script twice, and looks.
fn play(script: &Transcript) -> Outcome {
    let text = mutate::of(script);
    let trial = || {
        let first = once(script)?;
        let second = once(script)?;
        if let Some(differs) = first.differs(&second) {
            return Err(format!("the same script again went another way: {differs}"));
        }
        let left = left_behind(&script.machine, &first.stock)?;
        if left.is_empty() { Ok(first) } else { Err(format!("left behind: {}", left.join("; "))) }
    };
    let held = expecting_panics(|| catch_unwind(AssertUnwindSafe(trial)));
    let what = match held {
        Ok(Ok(played)) => return Outcome::Held(played.reached(text)),
        Ok(Err(what)) => what,
        Err(panic) => {
            let what = panic.downcast_ref::<&str>().map(ToString::to_string);
            let what = what.or_else(|| panic.downcast_ref::<String>().cloned());
            format!("panic: {}", what.unwrap_or_default())
        }
    };
    Outcome::Broken(Broken { what, script: text, again: None })
}

/// A script that came to its end.
struct Played {
    report: Option<Report>,
    trace: Trace,
    /// What the machine held when everybody had ended.
    stock: Stock,
}

/// Plays a script on a machine that is checked as a whole behind each operation.
fn once(script: &Transcript) -> Result<Played, String> {
    let stage = Stage::on(Stage::builder(&script.machine).trace().build());
    let machine = stage.machine().clone();
    let mut watched = Watched::going_on(stage);
    let report = match run(script, &mut watched) {
        Ok(report) => Some(report),
        // A script may ask for more than a machine holds.
        Err(RunError::Step { trouble, .. } | RunError::Finish(trouble))
            if !trouble.0.starts_with(standin_cli::watched::BROKEN) =>
        {
            None
        }
        Err(error) => return Err(error.to_string()),
    };
    let trace = machine.trace();
    watched.into_stage().finish().map_err(|trouble| trouble.to_string())?;
    let stock = machine.look().stock();
    Ok(Played { report, trace, stock })
}

impl Played {
    /// Where another run differs, if it does.
    fn differs(&self, other: &Self) -> Option<String> {
        let texts = [self, other].map(|run| {
            run.report.as_ref().map(|report| report.transcript.to_string()).unwrap_or_default()
        });
        let lines = texts[0].lines().zip(texts[1].lines());
        let answers = lines.into_iter().find(|(one, two)| one != two);
        if let Some((one, two)) = answers {
            return Some(format!("{one:?}, then {two:?}"));
        }
        let calls = self.trace.entries.iter().zip(&other.trace.entries);
        let call = calls.into_iter().find(|(one, two)| one != two);
        if let Some((one, two)) = call {
            return Some(format!("{}, then {}", one.call(), two.call()));
        }
        let lengths = [self, other].map(|run| run.trace.entries.len());
        (lengths[0] != lengths[1] || texts[0] != texts[1])
            .then(|| format!("{} calls, then {}", lengths[0], lengths[1]))
    }

    fn reached(self, script: String) -> Reached {
        let mut pairs = BTreeSet::new();
        let (mut operations, mut not_modelled) = (0, 0);
        if let Some(report) = &self.report {
            operations = u64::try_from(report.operations).unwrap_or(u64::MAX);
            not_modelled = u64::try_from(report.not_modelled).unwrap_or(u64::MAX);
            for operation in report.transcript.operations() {
                let Some(answer) = &operation.answer else { continue };
                let word = operation.source().split_whitespace().nth(1).unwrap_or_default();
                let status = answer.as_status().filter(|status| is_errno(status));
                pairs.insert(format!("{word} {}", status.unwrap_or("ok")));
            }
        }
        Reached { kept: script.into_bytes(), pairs, operations, not_modelled }
    }
}

/// Whether an answer is the name of an error.
fn is_errno(status: &str) -> bool {
    standin::Errno::from_name(status).is_some()
}

/// What processes alone hold: when they have ended, nothing of it may be left.
const OF_PROCESSES: [&str; 18] = [
    "process groups",
    "sessions",
    "processes",
    "threads",
    "numbers of threads",
    "programs to begin",
    "working directories of threads",
    "channels that somebody waits on",
    "timers",
    "sockets",
    "abstract names",
    "files to close",
    "locked files",
    "open files",
    "pipes",
    "event counters",
    "sets of watches",
    "sets of namespaces",
];

/// What processes hold behind a script, where it is not what they hold behind one that makes nothing: be it that its actor
/// did something, or that nobody did and nobody was ended.
fn left_behind(machine: &MachineLine, stock: &Stock) -> Result<Vec<String>, String> {
    let idle = Transcript::new(*machine);
    let nothing = mutate::nothing(*machine).map_err(|error| error.to_string())?;
    let of_processes =
        |change: &String| OF_PROCESSES.iter().any(|what| change.starts_with(&format!("{what}:")));
    let mut left = Vec::new();
    for other in [idle, nothing] {
        left = stock.changes(&once(&other)?.stock);
        left.retain(of_processes);
        if left.is_empty() {
            break;
        }
    }
    Ok(left)
}
