//! `standin check`: many transcripts, and whether this kernel still answers as they say.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use standin::transcript::Mismatch;

use crate::error::{Complaint, Status};
use crate::find::find;
use crate::input::Input;
use crate::junit::{Case, End, Suite};
use crate::kernel::{On, Stopped, play};
use crate::lists::{Beside, Lists};
use crate::output::Output;
use crate::report::{Ran, Wrong, count, differences, unfounded};

/// Differences that are shown of a file.
const MOST_SHOWN: usize = 3;

const NO_ANSWERS: &str =
    "an operation has no answer: it is a script (standin run --update FILE writes the answers)";

/// Run many transcripts and compare them with what stands in them
///
/// Looks for *.transcript and *.script, also in directories below. A file without all its answers is skipped; so is, on a host,
/// one that does not fit there. On a simulated kernel the lists skips.toml and ledger.toml count, each the nearest that lies
/// in the directory of a file or above it: what cannot be checked yet is skipped, and what is known to differ must differ.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Directories and files
    #[arg(required = true, value_name = "DIR|FILE")]
    paths: Vec<PathBuf>,
    /// On which kernel
    #[arg(long, value_enum, default_value_t)]
    on: On,
    /// Take no account of skips.toml and ledger.toml
    #[arg(long)]
    bare: bool,
    /// Play a file that differs again, up to N times in all: what a real kernel does is sometimes its luck
    #[arg(long, value_name = "N", default_value_t = 1)]
    tries: u32,
    /// Print what happened as JSON
    #[arg(long)]
    json: bool,
    /// Write what happened as JUnit XML, as build servers read it
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
}

/// What came of one file.
pub(crate) struct Checked {
    /// As it was named or found.
    pub(crate) file: String,
    /// How long it took.
    pub(crate) took: Duration,
    /// What came of it.
    pub(crate) verdict: Verdict,
}

/// What came of a file.
pub(crate) enum Verdict {
    /// It ran; where it differs, how much it asked that is not modelled.
    Ran {
        /// For programs.
        ran: Ran,
        /// For people: the differences that nobody knew of.
        mismatches: Vec<Mismatch>,
        /// How many others were known.
        known: usize,
        /// Lines that are said to differ, and do not.
        idle: Vec<usize>,
        /// Operations that are not modelled.
        not_modelled: usize,
    },
    /// It did not run: why.
    Skipped(String),
    /// It cannot be used, or did not come to its end.
    Wrong(Complaint),
}

/// How many files came to what.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Summary {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
    pub(crate) skipped: usize,
    pub(crate) errors: usize,
    known_differences: usize,
    skipped_because: BTreeMap<String, usize>,
    not_modelled_operations: usize,
    not_modelled_files: usize,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Json<'a> {
    status: u8,
    summary: &'a Summary,
    files: Vec<File<'a>>,
}

#[derive(Serialize)]
struct File<'a> {
    file: &'a str,
    result: &'static str,
    #[serde(flatten)]
    ran: Option<&'a Ran>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Wrong>,
}

/// Runs the command.
///
/// # Errors
/// If nothing could be printed or written.
pub(crate) fn run(options: &Options) -> Result<Status, Complaint> {
    let found = find(&options.paths);
    let mut lists = Lists::default();
    // They are about the machine.
    let counts = !options.bare && options.on == On::Sim;
    let beside = |file: PathBuf| {
        let beside = if counts { lists.beside(&file)? } else { Beside::default() };
        Ok((file, beside))
    };
    let files = found.files.into_iter().map(beside).collect::<Result<Vec<_>, _>>()?;
    let checked = check_all(&files, options.on, options.tries);
    let summary = Summary::of(&checked, found.complaints.len());
    let wrong = checked.iter().filter_map(Checked::complaint).chain(&found.complaints);
    let worst = wrong.inspect(|complaint| complaint.print()).map(Complaint::status).max();
    let status = worst.unwrap_or_default().max(Status::failed_if(summary.failed > 0));
    let mut output = Output::new();
    if options.json {
        let files = checked.iter().map(File::from).collect();
        output.json(&Json { status: status.code(), summary: &summary, files });
    } else {
        for one in &checked {
            output.text(&one.differences());
        }
        output.text(&summary.to_string());
    }
    if let Some(path) = &options.junit {
        suite(&checked, &found.complaints).write(path)?;
    }
    output.finish()?;
    Ok(status)
}

/// For build servers.
fn suite(checked: &[Checked], complaints: &[Complaint]) -> Suite {
    let unseen = complaints.iter().map(|complaint| {
        let end = End::Error(complaint.to_string(), complaint.advice().to_owned());
        Case { class: ".".to_owned(), name: complaint.message().to_owned(), took: None, end }
    });
    let cases = checked.iter().map(Case::from).chain(unseen).collect();
    Suite { name: "standin check", cases }
}

impl From<&Checked> for Case {
    fn from(checked: &Checked) -> Self {
        let (class, name) = checked.file.rsplit_once('/').unwrap_or((".", &checked.file));
        let end = match (&checked.verdict, checked.result()) {
            (_, "passed") => End::Passed,
            (Verdict::Ran { mismatches, not_modelled, .. }, _) => {
                let message = format!("{} differ, {not_modelled} not modelled", mismatches.len());
                End::Failed(message, checked.differences())
            }
            (Verdict::Skipped(reason), _) => End::Skipped(reason.clone()),
            (Verdict::Wrong(complaint), _) => {
                End::Error(complaint.to_string(), complaint.advice().to_owned())
            }
        };
        Self { class: class.to_owned(), name: name.to_owned(), took: Some(checked.took), end }
    }
}

/// Checks the files; the answers are in the order of the files, whoever was first.
fn check_all(files: &[(PathBuf, Beside)], on: On, tries: u32) -> Vec<Checked> {
    let workers = match on {
        On::Sim => thread::available_parallelism().map_or(1, usize::from).min(files.len().max(1)),
        // Actors of two scripts on one kernel would see each other.
        On::Host => 1,
    };
    // Is drawn on a terminal alone.
    let bar = ProgressBar::new(u64::try_from(files.len()).unwrap_or(u64::MAX));
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} {wide_msg}") {
        bar.set_style(style);
    }
    let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some((index, (path, beside))) = {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    files.get(index).map(|file| (index, file))
                } {
                    bar.set_message(path.display().to_string());
                    let started = Instant::now();
                    let mut verdict = check(path, beside, on);
                    for _ in 1..tries {
                        if !verdict.differs() {
                            break;
                        }
                        verdict = check(path, beside, on);
                    }
                    let checked = Checked {
                        file: path.to_string_lossy().into_owned(),
                        took: started.elapsed(),
                        verdict,
                    };
                    done.lock()
                        .unwrap_or_else(std::sync::PoisonError::into_inner)
                        .push((index, checked));
                    bar.inc(1);
                }
            });
        }
    });
    bar.finish_and_clear();
    let mut done = done.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, checked)| checked).collect()
}

fn check(path: &Path, beside: &Beside, on: On) -> Verdict {
    let input = match Input::read(path) {
        Ok(input) => input,
        Err(complaint) => return Verdict::Wrong(complaint),
    };
    let script = match input.parse() {
        Ok(script) if script.is_complete() => script,
        Ok(_) => return Verdict::Skipped(NO_ANSWERS.to_owned()),
        Err(complaint) => return Verdict::Wrong(complaint),
    };
    if let Some(reason) = beside.skip(&script) {
        return Verdict::Skipped(reason);
    }
    match play(&script, on) {
        Ok(report) => {
            let ran = Ran::from(&report);
            let differs = |line: usize| report.mismatches.iter().any(|it| it.line == line);
            let idle = beside.known.iter().copied().filter(|line| !differs(*line)).collect();
            let (known, mismatches): (Vec<_>, Vec<_>) =
                report.mismatches.into_iter().partition(|it| beside.known.contains(&it.line));
            let not_modelled = report.not_modelled;
            Verdict::Ran { ran, mismatches, known: known.len(), idle, not_modelled }
        }
        Err(Stopped::Refused(reason)) => Verdict::Skipped(reason),
        Err(stopped) => Verdict::Wrong(stopped.complaint(on, &input)),
    }
}

impl Verdict {
    /// Whether it ran and said something that nobody knew of.
    const fn differs(&self) -> bool {
        match self {
            Self::Ran { mismatches, .. } => !mismatches.is_empty(),
            Self::Skipped(_) | Self::Wrong(_) => false,
        }
    }
}

impl Checked {
    /// The word for what came of it.
    pub(crate) fn result(&self) -> &'static str {
        match &self.verdict {
            Verdict::Ran { mismatches, idle, not_modelled: 0, .. }
                if mismatches.is_empty() && idle.is_empty() =>
            {
                "passed"
            }
            Verdict::Ran { .. } => "failed",
            Verdict::Skipped(_) => "skipped",
            Verdict::Wrong(_) => "error",
        }
    }

    fn complaint(&self) -> Option<&Complaint> {
        match &self.verdict {
            Verdict::Wrong(complaint) => Some(complaint),
            Verdict::Ran { .. } | Verdict::Skipped(_) => None,
        }
    }

    /// Where it differs, for people; empty if it does not.
    pub(crate) fn differences(&self) -> String {
        match &self.verdict {
            Verdict::Ran { mismatches, idle, .. } => {
                differences(&self.file, mismatches, MOST_SHOWN) + &unfounded(&self.file, idle)
            }
            Verdict::Skipped(_) | Verdict::Wrong(_) => String::new(),
        }
    }
}

impl<'a> From<&'a Checked> for File<'a> {
    fn from(checked: &'a Checked) -> Self {
        let (ran, reason) = match &checked.verdict {
            Verdict::Ran { ran, .. } => (Some(ran), None),
            Verdict::Skipped(reason) => (None, Some(reason.as_str())),
            Verdict::Wrong(_) => (None, None),
        };
        let error = checked.complaint().map(Wrong::from);
        Self { file: &checked.file, result: checked.result(), ran, reason, error }
    }
}

impl Summary {
    fn of(checked: &[Checked], complaints: usize) -> Self {
        let mut summary = Self { errors: complaints, ..Self::default() };
        for one in checked {
            match one.result() {
                "passed" => summary.passed += 1,
                "failed" => summary.failed += 1,
                "skipped" => summary.skipped += 1,
                _ => summary.errors += 1,
            }
            match &one.verdict {
                Verdict::Ran { not_modelled, known, .. } => {
                    summary.known_differences += known;
                    summary.not_modelled_operations += not_modelled;
                    summary.not_modelled_files += usize::from(*not_modelled > 0);
                }
                Verdict::Skipped(reason) => {
                    *summary.skipped_because.entry(reason.clone()).or_default() += 1
                }
                Verdict::Wrong(_) => {}
            }
        }
        summary
    }
}

impl std::fmt::Display for Summary {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { passed, failed, skipped, errors, .. } = self;
        write!(out, "{passed} passed, {failed} failed, {skipped} skipped")?;
        if *errors > 0 {
            write!(out, ", {}", count(*errors, "error"))?;
        }
        out.write_char('\n')?;
        if self.not_modelled_operations > 0 {
            let operations = count(self.not_modelled_operations, "operation");
            writeln!(
                out,
                "not modelled: {operations} in {}",
                count(self.not_modelled_files, "file")
            )?;
        }
        if self.known_differences > 0 {
            writeln!(out, "known: {}", count(self.known_differences, "difference"))?;
        }
        for (reason, files) in &self.skipped_because {
            writeln!(out, "skipped: {}: {reason}", count(*files, "file"))?;
        }
        Ok(())
    }
}
