//! `standin campaign`: many cases on many machines, a part of them here, and what all parts came to.
//!
//! A [`case`] is a script, or a case of the property kit ([`kit`]), and what must hold of it; which one a number stands for depends
//! on those that are given and the seed alone, so that shards need not know of each other. [`state`] is how far one has come,
//! [`merge`] puts shards together, [`replay`] plays one case, [`mutate`] makes scripts of others with [`dice`]. Neighbours: `find`
//! and `input`, where the scripts come from.

mod case;
mod dice;
mod kit;
mod merge;
mod mutate;
mod replay;
mod shard;
mod state;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use crate::error::{Complaint, Status};
use crate::find::find;
use crate::input::Input;
use crate::junit::{Case, End, Suite};
use crate::output::Output;
use crate::report::count;
use case::{Cases, Outcome, Reached, Scripts};
use shard::{Asked, INDEX, Shard};
use state::{BROKEN, Broken, KEPT, Kept, State};

/// What build servers read of who it was.
const CLASS: &str = "standin campaign";
/// After so many cases at the latest the state is written.
const CASES_A_WRITE: u64 = 64;

/// Run many cases on machines, and keep those that get somewhere new
///
/// The first cases are the scripts that are named; all others are made of them by chance: lines dropped, swapped, repeated, done
/// by other actors, mixed with other scripts, on another kernel. Each is played twice. Both times must go the same way, call by
/// call; the machine must be sound behind each operation; and when all its processes have ended, nothing of theirs may be
/// left. A case that reaches an operation with an answer that none before had is kept in DIR/kept, and one that
/// breaks something in DIR/broken. A shard that was interrupted goes on where it was.
///
/// With --generated the cases are those of the property kit: byte strings, each a machine, operations, the order of programs and
/// faults. Each is played alone and beside a manager, both twice. What is named are then cases to begin with, as bytes
/// (a fuzzer's corpus, or what an earlier campaign kept) or lines. What breaks something is made small, and told with a line
/// that `standin campaign replay` plays again.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct Options {
    #[command(subcommand)]
    command: Option<Command>,
    /// Directories and files of scripts to begin with: answers in them are not looked at; of cases, with --generated
    #[arg(required_unless_present = "generated", value_name = "SCRIPTS|CASES")]
    paths: Vec<PathBuf>,
    /// Run cases of the property kit
    #[arg(long)]
    generated: bool,
    /// How many operations a generated case has
    #[arg(long, value_name = "COUNT", default_value_t = 50, requires = "generated")]
    operations: usize,
    /// Where its state and what it keeps lie
    #[arg(long, value_name = "DIR", required = true)]
    corpus: Option<PathBuf>,
    /// Which part of the campaign: I of N, or /N in an indexed Job of Kubernetes
    #[arg(long, value_name = "I/N", default_value = "1/1")]
    shard: Asked,
    /// How many cases all shards run together
    #[arg(long, value_name = "COUNT", default_value_t = 10_000)]
    cases: u64,
    /// What chance begins with
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
    /// Print what happened as JSON
    #[arg(long)]
    json: bool,
    /// Write what happened as JUnit XML, as build servers read it
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    Merge(merge::Options),
    Replay(replay::Options),
}

/// What `--json` prints.
#[derive(Serialize)]
struct Json<'a> {
    status: u8,
    #[serde(flatten)]
    state: &'a State,
    reached: usize,
}

/// Runs the command.
///
/// # Errors
/// If files cannot be used, or nothing could be printed or written.
pub(crate) fn run(options: &Options) -> Result<Status, Complaint> {
    match &options.command {
        Some(Command::Merge(options)) => return merge::run(options),
        Some(Command::Replay(options)) => return replay::run(options),
        None => {}
    }
    let corpus = options.corpus.as_deref().unwrap_or(Path::new("."));
    let index = std::env::var(INDEX).ok();
    let shard =
        options.shard.shard(index.as_deref()).map_err(|wrong| Complaint::misuse(wrong, ""))?;
    if options.generated {
        let cases = kit::Generated::new(&options.paths, options.seed, options.operations)?;
        return run_all(&cases, options, corpus, shard);
    }
    let found = find(&options.paths);
    if let Some(complaint) = found.complaints.into_iter().next() {
        return Err(complaint);
    }
    let scripts = found.files.iter().map(|file| Input::read(file)?.parse());
    let cases = Scripts::new(scripts.collect::<Result<_, _>>()?, options.seed);
    run_all(&cases, options, corpus, shard)
}

/// Runs a shard, and tells what came of it.
fn run_all(
    cases: &impl Cases,
    options: &Options,
    corpus: &Path,
    shard: Shard,
) -> Result<Status, Complaint> {
    for folder in [KEPT, BROKEN] {
        std::fs::create_dir_all(corpus.join(folder)).map_err(|error| {
            Complaint::misuse(format!("{}: cannot be made: {error}", corpus.display()), "")
        })?;
    }
    let state = run_shard(cases, corpus, shard, options.cases)?;
    let status = Status::failed_if(state.counts.broken > 0);
    let mut output = Output::new();
    let reached = state.pairs().len();
    let all = told(&format!("shard {}", state.shard), &state.counts, state.kept.len(), reached);
    if options.json {
        output.json(&Json { status: status.code(), state: &state, reached });
    } else {
        output.text(&all);
        output.text(&broken(corpus, &state.broken));
    }
    if let Some(path) = &options.junit {
        suite(&all, corpus, &state.broken, &[]).write(path)?;
    }
    output.finish()?;
    Ok(status)
}

/// Runs the cases of a shard that were not run before.
fn run_shard(cases: &impl Cases, corpus: &Path, shard: Shard, of: u64) -> Result<State, Complaint> {
    let path = State::path(corpus, shard);
    let mut state = match State::read(&path)? {
        Some(state) => state.resumed(&path, &cases.name(), of)?,
        None => State::new(cases.name(), shard, of),
    };
    // Is drawn on a terminal alone.
    let bar = ProgressBar::new(of / shard.count);
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} {eta} {wide_msg}") {
        bar.set_style(style);
    }
    bar.set_position(state.next / shard.count);
    let mut reached = state.pairs();
    while !state.is_done() {
        run_case(cases, corpus, &mut state, &mut reached)?;
        bar.inc(1);
        bar.set_message(format!("{} kept, {} broken", state.kept.len(), state.counts.broken));
        if (state.next / shard.count).is_multiple_of(CASES_A_WRITE) || state.is_done() {
            state.write(&path)?;
        }
    }
    bar.finish_and_clear();
    state.write(&path)?;
    Ok(state)
}

/// Runs the next case. What it keeps is written before the state is: an interruption between them repeats it.
fn run_case<C: Cases>(
    cases: &C,
    corpus: &Path,
    state: &mut State,
    reached: &mut BTreeSet<String>,
) -> Result<(), Complaint> {
    let number = state.next;
    state.counts.cases += 1;
    match cases.case(number) {
        Outcome::None => state.counts.empty += 1,
        Outcome::Broken(case::Broken { what, script, again }) => {
            let file = format!("case-{number}.script");
            let mut comment = what.clone();
            if let Some(line) = &again {
                comment.push_str(&format!("\nagain: standin campaign replay {line}"));
            }
            let comment = comment.replace('\n', "\n# ");
            state::put(&corpus.join(BROKEN).join(&file), format!("# {comment}\n{script}"))?;
            state.counts.broken += 1;
            state.broken.push(Broken { case: number, file, what, again });
        }
        Outcome::Held(Reached { kept, pairs, operations, not_modelled }) => {
            state.counts.operations += operations;
            state.counts.not_modelled += not_modelled;
            if !pairs.is_subset(reached) {
                let file = format!("case-{number}.{}", C::ENDING);
                state::put(&corpus.join(KEPT).join(&file), kept)?;
                reached.extend(pairs.iter().cloned());
                state.kept.push(Kept { file, pairs });
            }
        }
    }
    state.next += state.shard.count;
    Ok(())
}

/// What was done, for people.
fn told(who: &str, counts: &state::Counts, kept: usize, reached: usize) -> String {
    let whole = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    let mut text = format!(
        "{who}: {}, {}; {} reached by {}; {} broken\n",
        count(whole(counts.cases), "case"),
        count(whole(counts.operations), "operation"),
        count(reached, "pair"),
        count(kept, "kept case"),
        counts.broken,
    );
    if counts.not_modelled > 0 {
        text.push_str(&format!(
            "not modelled: {}\n",
            count(whole(counts.not_modelled), "operation")
        ));
    }
    text
}

/// For build servers: a test for the whole, one for each case that broke something, and one for all that is missing.
fn suite(told: &str, corpus: &Path, all: &[Broken], missing: &[String]) -> Suite {
    let case = |name: String, end| Case { class: CLASS.to_owned(), name, took: None, end };
    let whole = case(told.lines().next().unwrap_or_default().to_owned(), End::Passed);
    let broken = all.iter().map(|one| {
        let first = one.what.lines().next().unwrap_or_default().to_owned();
        let text = broken(corpus, std::slice::from_ref(one));
        case(format!("case {}", one.case), End::Failed(first, text))
    });
    let missing = missing
        .iter()
        .map(|what| case(what.clone(), End::Failed("missing".to_owned(), String::new())));
    let cases = std::iter::once(whole).chain(broken).chain(missing).collect();
    Suite { name: CLASS, cases }
}

/// The cases that broke something, for people.
fn broken(corpus: &Path, all: &[Broken]) -> String {
    let folder = corpus.join(BROKEN);
    all.iter()
        .map(|Broken { file, what, again, .. }| {
            let mut text = format!("{}: {what}\n", folder.join(file).display());
            if let Some(line) = again {
                text.push_str(&format!("  again: standin campaign replay {line}\n"));
            }
            text
        })
        .collect()
}
