//! `standin run`: scripts in, transcripts out.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;
use standin::transcript::{Report, Transcript};

use crate::error::{Complaint, Status, note};
use crate::input::Input;
use crate::kernel::{Choice, On, play};
use crate::output::Output;
use crate::report::{Ran, Wrong, count, differences};

/// Differences that are shown of a file.
const MOST_SHOWN: usize = 20;

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
    error: Option<Wrong>,
}

/// Runs the command.
///
/// # Errors
/// If nothing could be printed.
pub(crate) fn run(options: &Options) -> Result<Status, Complaint> {
    let mut session =
        Session { options, output: Output::new(), status: Status::Fine, files: Vec::new() };
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
            error,
        });
    }

    fn play(&mut self, job: &Job) {
        let Job { input, script } = job;
        match play(script, self.options.on) {
            Ok(report) if self.options.update => self.update(input, &report),
            Ok(report) => self.print(input, &report),
            Err(stopped) => self.complain(&input.name, &stopped.complaint(self.options.on, input)),
        }
    }

    /// Prints the transcript, and where it differs.
    fn print(&mut self, input: &Input, report: &Report) {
        self.status = self.status.max(Status::from(report));
        let transcript = report.transcript.to_string();
        if !self.options.json {
            if self.options.files.len() > 1 {
                self.output.text(&format!("# {}\n", input.name.escape_debug()));
            }
            self.output.text(&transcript);
        }
        let differences = differences(&input.name, &report.mismatches, MOST_SHOWN);
        if !differences.is_empty() {
            note(&differences);
        }
        self.note_unmodelled(input, report);
        self.tell(input, report, Some(transcript), false);
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
        self.tell(input, report, Some(transcript), may && is_new);
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

    fn tell(&mut self, input: &Input, report: &Report, transcript: Option<String>, updated: bool) {
        if self.options.json {
            let ran = Some(Ran::from(report));
            self.files.push(File {
                file: input.name.clone(),
                ran,
                transcript,
                updated,
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
