//! `standin run`: scripts in, transcripts out.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;
use standin::transcript::{Report, Transcript};
use standin_sim::FaultPlan;

use crate::error::{Complaint, Status, note, visible};
use crate::faults::{self, Happened};
use crate::input::Input;
use crate::kernel::{Choice, On, Stopped, play};
use crate::output::Output;
use crate::report::{Ran, Wrong, count, differences};

/// Differences that are shown of a file.
const MOST_SHOWN: usize = 20;

const FAULTS_HELP: &str = "What goes wrong in the actors' calls on a simulated kernel, as a text or in a file, such as

  standin-faults-1: mkdir fails ENOSPC of=p nth=2; any dies process=7; end

A fault is a call's name (mkdir, open, read, write, rmdir, fork ..., or `any`), then
  fails ERRNO       it answers this and does nothing
  dies              its caller is killed before
  waits TIME        it comes later: 5ms
  shortens BYTES    it transfers so many at most
and which calls it is about:
  of=LABEL          of this actor           process=N   of this process
  on=PATTERN        about such a path, in which `*` is anything
  nth=N             the Nth that fits       most=N      so often at most
  once-in=N seed=N  by chance
In a file the faults may stand a line each, and lines that begin with # are left out. What went wrong, and what never did,
is told; where answers are expected, they differ.";

/// Run scripts, or transcripts again, and print the transcripts
///
/// A transcript is a script with its answers. Those that a file holds already are what is expected: where this kernel answers
/// otherwise, the difference is shown and the exit status is 1.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Scripts or transcripts; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// On which kernel
    #[arg(long, value_enum, default_value_t)]
    on: On,
    #[command(flatten)]
    choice: Choice,
    /// Seed of the machine's generator. The machine's scheduler lets each process run until it blocks and draws no number, so
    /// for now every seed gives the same transcript
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// What goes wrong in the actors' calls, as a text or in a file: such as `standin-faults-1: mkdir fails ENOSPC of=p nth=2;
    /// any dies of=q; end`. What did is told
    #[arg(long, value_name = "PLAN|FILE", conflicts_with = "update", long_help = FAULTS_HELP)]
    faults: Option<String>,
    /// Write the answers into the files instead of printing them
    #[arg(long)]
    update: bool,
    /// Print what happened as JSON
    #[arg(long)]
    json: bool,
}

/// A file that was read, and what is to be run of it.
struct Job {
    input: Input,
    script: Transcript,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Json {
    status: u8,
    files: Vec<File>,
}

#[derive(Serialize)]
struct File {
    file: String,
    #[serde(flatten)]
    ran: Option<Ran>,
    transcript: Option<String>,
    updated: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    faults: Vec<String>,
    error: Option<Wrong>,
}

/// Runs the command.
///
/// # Errors
/// If nothing could be printed.
pub(crate) fn run(options: &Options) -> Result<Status, Complaint> {
    let plan = options.faults.as_deref().map(faults::read).transpose()?;
    if plan.is_some() && options.on == On::Host {
        let help = "without --on host the script runs on a machine";
        return Err(Complaint::misuse("--faults: nothing can be made to fail on this host", help));
    }
    let (output, files) = (Output::new(), Vec::new());
    let mut session = Session { options, plan, output, status: Status::Fine, files };
    // All are read before the first runs: a slip in the last one shall not cost the time of the others.
    let jobs: Vec<Job> = options.files.iter().filter_map(|path| session.read(path)).collect();
    if session.status == Status::Fine {
        for job in &jobs {
            session.play(job);
        }
    }
    let Session { mut output, status, files, .. } = session;
    if options.json {
        output.json(&Json { status: status.code(), files });
    }
    output.finish()?;
    Ok(status)
}

/// The command under way.
struct Session<'a> {
    options: &'a Options,
    plan: Option<FaultPlan>,
    output: Output,
    status: Status,
    files: Vec<File>,
}

impl Session<'_> {
    /// Reads a file; complains if that fails.
    fn read(&mut self, path: &Path) -> Option<Job> {
        let job = Input::read(path).and_then(|input| {
            if self.options.update && input.path.is_none() {
                let help = "without --update the transcript is printed";
                return Err(Complaint::misuse("--update cannot write to standard input", help));
            }
            let mut script = input.parse()?;
            self.options.choice.apply(&mut script, &input)?;
            Ok(Job { input, script })
        });
        job.map_err(|complaint| self.complain(&path.to_string_lossy(), &complaint)).ok()
    }

    fn complain(&mut self, file: &str, complaint: &Complaint) {
        complaint.print();
        self.status = self.status.max(complaint.status());
        let error = Some(Wrong::from(complaint));
        self.files.push(File {
            file: file.to_owned(),
            ran: None,
            transcript: None,
            updated: false,
            faults: Vec::new(),
            error,
        });
    }

    fn play(&mut self, job: &Job) {
        let Job { input, script } = job;
        let played = match &self.plan {
            None => play(script, self.options.on).map(|report| (report, Happened::default())),
            Some(plan) => faults::play(script, plan).map_err(Stopped::Broken),
        };
        match played {
            Ok((report, _)) if self.options.update => self.update(input, &report),
            Ok((report, happened)) => self.print(input, &report, &happened),
            Err(stopped) => self.complain(&input.name, &stopped.complaint(self.options.on, input)),
        }
    }

    /// Prints the transcript, and where it differs.
    fn print(&mut self, input: &Input, report: &Report, happened: &Happened) {
        self.status = self.status.max(Status::from(report));
        let transcript = report.transcript.to_string();
        if !self.options.json {
            if self.options.files.len() > 1 {
                self.output.text(&format!("# {}\n", input.name.escape_debug()));
            }
            self.output.text(&transcript);
        }
        for line in happened.lines() {
            note(&visible(&format!("{}: {line}", input.name)));
        }
        let differences = differences(&input.name, &report.mismatches, MOST_SHOWN);
        if !differences.is_empty() {
            note(&differences);
        }
        self.note_unmodelled(input, report);
        self.tell(input, report, (Some(transcript), false), &happened.told);
    }

    /// Writes the transcript into the file, if it says something new and every answer is a kernel's.
    fn update(&mut self, input: &Input, report: &Report) {
        let transcript = report.transcript.to_string();
        let is_new = transcript.as_bytes() != input.bytes();
        let may = report.not_modelled == 0;
        if !may {
            self.status = self.status.max(Status::Failed);
            self.note_unmodelled(input, report);
            note(&format!("{}: not updated: what is not modelled is no expectation", input.name));
        } else if let Some(path) = input.path.as_deref().filter(|_| is_new) {
            if let Err(error) = replace(path, transcript.as_bytes()) {
                let complaint =
                    Complaint::failure(format!("{}: cannot be written: {error}", input.name), "");
                self.complain(&input.name, &complaint);
                return;
            }
            let changed = count(report.mismatches.len(), "answer");
            note(&format!("{}: updated, {changed} changed", input.name));
        }
        self.tell(input, report, (Some(transcript), may && is_new), &[]);
    }

    fn note_unmodelled(&self, input: &Input, report: &Report) {
        let is_unmodelled = |status: &str| status.starts_with("NotModelled ");
        let first = report.transcript.operations().find(|operation| {
            operation
                .answer
                .as_ref()
                .and_then(|answer| answer.as_status())
                .is_some_and(is_unmodelled)
        });
        if let Some(first) = first {
            let (all, some) = (count(report.operations, "operation"), report.not_modelled);
            note(&format!(
                "{}:{}: not modelled: {some} of {all}; this is the first",
                input.name,
                first.line()
            ));
        }
    }

    fn tell(
        &mut self,
        input: &Input,
        report: &Report,
        (transcript, updated): (Option<String>, bool),
        faults: &[String],
    ) {
        if self.options.json {
            let ran = Some(Ran::from(report));
            self.files.push(File {
                file: input.name.clone(),
                ran,
                transcript,
                updated,
                faults: faults.to_vec(),
                error: None,
            });
        }
    }
}

/// Puts a new content in the place of an old one, all or nothing; a link is followed, permissions stay.
fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let path = fs::canonicalize(path)?;
    let permissions = fs::metadata(&path)?.permissions();
    if permissions.readonly() {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let new = path.with_file_name(name);
    let written = fs::write(&new, content)
        .and_then(|()| fs::set_permissions(&new, permissions))
        .and_then(|()| fs::rename(&new, &path));
    if written.is_err() {
        // It is ours, and of no use.
        let _ = fs::remove_file(&new);
    }
    written
}
