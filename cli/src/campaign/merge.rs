//! `standin campaign merge`: what the shards of a campaign came to, and the fewest of their cases that reach as much.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use super::state::{self, BROKEN, Broken, Counts, KEPT, Kept, State};
use super::{broken, suite, told};
use crate::error::{Complaint, Status};
use crate::output::Output;
use crate::report::count;

/// Put the shards of a campaign together
///
/// Adds up what they did, and copies as few of the cases that they kept as reach everything that all reached, and all that
/// broke something. Shards that are missing or have not come to their end are told of, and make the exit status 1.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// Directories of shards; one may hold several
    #[arg(required = true, value_name = "DIR")]
    paths: Vec<PathBuf>,
    /// Where the cases are put; what else lies there stays
    #[arg(long, value_name = "DIR", required = true)]
    into: PathBuf,
    /// Print what happened as JSON
    #[arg(long)]
    json: bool,
    /// Write what happened as JUnit XML, as build servers read it
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
}

/// What all shards came to.
#[derive(Serialize)]
struct Merged {
    status: u8,
    counts: Counts,
    /// Cases that the shards kept.
    kept: usize,
    /// Cases that reach as much.
    needed: usize,
    reached: BTreeSet<String>,
    broken: Vec<Broken>,
    /// What is missing, in words.
    missing: Vec<String>,
}

/// Runs the command.
///
/// # Errors
/// If a directory holds no shard, or something cannot be read or written.
pub(super) fn run(options: &Options) -> Result<Status, Complaint> {
    let shards = options.paths.iter().map(|path| shards(path)).collect::<Result<Vec<_>, _>>()?;
    let shards: Vec<(PathBuf, State)> = shards.into_iter().flatten().collect();
    refuse_others(&shards)?;
    let kept: Vec<(&Path, &Kept)> = shards
        .iter()
        .flat_map(|(path, state)| state.kept.iter().map(|kept| (path.as_path(), kept)))
        .collect();
    let needed = fewest(&kept);
    for folder in [KEPT, BROKEN] {
        std::fs::create_dir_all(options.into.join(folder)).map_err(|error| {
            Complaint::misuse(format!("{}: cannot be made: {error}", options.into.display()), "")
        })?;
    }
    for (path, kept) in &needed {
        copy(path, &options.into, KEPT, &kept.file)?;
    }
    let mut all_broken = Vec::new();
    for (path, state) in &shards {
        for one in &state.broken {
            copy(path, &options.into, BROKEN, &one.file)?;
            all_broken.push(one.clone());
        }
    }
    all_broken.sort_by_key(|one| one.case);
    let missing = missing(&shards);
    let status = Status::failed_if(!all_broken.is_empty() || !missing.is_empty());
    let merged = Merged {
        status: status.code(),
        counts: shards.iter().fold(Counts::default(), |sum, (_, state)| sum.and(state.counts)),
        kept: kept.len(),
        needed: needed.len(),
        reached: shards.iter().flat_map(|(_, state)| state.pairs()).collect(),
        broken: all_broken,
        missing,
    };
    let mut output = Output::new();
    let who = count(shards.len(), "shard");
    let all = told(&who, &merged.counts, merged.needed, merged.reached.len());
    if let Some(path) = &options.junit {
        suite(&all, &options.into, &merged.broken, &merged.missing).write(path)?;
    }
    if options.json {
        output.json(&merged);
    } else {
        output.text(&all);
        output.text(&broken(&options.into, &merged.broken));
        for missing in &merged.missing {
            output.text(&format!("missing: {missing}\n"));
        }
    }
    output.finish()?;
    Ok(status)
}

/// Names of cases are numbers, which mean nothing in another campaign.
fn refuse_others(shards: &[(PathBuf, State)]) -> Result<(), Complaint> {
    let Some((first, one)) = shards.first() else { return Ok(()) };
    match shards.iter().find(|(_, other)| !other.runs_as(one)) {
        None => Ok(()),
        Some((path, other)) => Err(Complaint::misuse(
            format!(
                "these are shards of two campaigns: {} ran {}, and {} ran {}",
                first.display(),
                one.cases(),
                path.display(),
                other.cases()
            ),
            "put the shards of one campaign together; what another one kept can be given to a campaign to begin with",
        )),
    }
}

/// The shards in a directory, in the order of their names.
fn shards(directory: &Path) -> Result<Vec<(PathBuf, State)>, Complaint> {
    let unreadable = |error: std::io::Error| {
        Complaint::misuse(format!("{}: cannot be read: {error}", directory.display()), "")
    };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        let is_shard = |name: &String| {
            name.starts_with("shard-") && Path::new(name).extension().is_some_and(|it| it == "json")
        };
        if name.as_ref().is_some_and(is_shard) {
            files.push(path);
        }
    }
    files.sort();
    if files.is_empty() {
        let help = "a directory of a campaign holds files such as shard-1-of-4.json";
        return Err(Complaint::misuse(format!("{}: no shard is here", directory.display()), help));
    }
    let states = files.into_iter().map(|file| State::read(&file));
    let states = states.collect::<Result<Vec<_>, _>>()?;
    Ok(states.into_iter().flatten().map(|state| (directory.to_owned(), state)).collect())
}

/// As few as reach all that these do: each time the one that reaches most of what is left (which is near the fewest; the very
/// fewest take too long to find). Of several the first by its name.
fn fewest<'a>(kept: &[(&'a Path, &'a Kept)]) -> Vec<(&'a Path, &'a Kept)> {
    let mut left: BTreeSet<&str> =
        kept.iter().flat_map(|(_, kept)| kept.pairs.iter().map(String::as_str)).collect();
    let mut rest: Vec<(&Path, &Kept)> = kept.to_vec();
    rest.sort_by(|one, other| (&one.1.file, one.0).cmp(&(&other.1.file, other.0)));
    let mut chosen = Vec::new();
    while !left.is_empty() {
        let news =
            |kept: &Kept| kept.pairs.iter().filter(|pair| left.contains(pair.as_str())).count();
        // The first of those that reach as much.
        let best = rest.iter().enumerate().rev().max_by_key(|(_, (_, kept))| news(kept));
        let Some((at, _)) = best else { break };
        let one = rest.remove(at);
        for pair in &one.1.pairs {
            left.remove(pair.as_str());
        }
        chosen.push(one);
    }
    chosen
}

fn copy(from: &Path, into: &Path, folder: &str, file: &str) -> Result<(), Complaint> {
    let (source, target) = (from.join(folder).join(file), into.join(folder).join(file));
    let content = std::fs::read(&source).map_err(|error| {
        Complaint::misuse(format!("{}: cannot be read: {error}", source.display()), "")
    })?;
    state::put(&target, content)
}

/// What the shards leave out of the campaign.
fn missing(shards: &[(PathBuf, State)]) -> Vec<String> {
    let mut missing = Vec::new();
    let mut here: BTreeMap<u64, BTreeSet<u64>> = BTreeMap::new();
    for (_, state) in shards {
        here.entry(state.shard.count).or_default().insert(state.shard.index);
        if !state.is_done() {
            let (next, of) = (state.next, state.of);
            missing.push(format!("shard {} ends before case {next} of {of}", state.shard));
        }
    }
    for (count, indexes) in here {
        let absent = (1..=count).filter(|index| !indexes.contains(index));
        missing.extend(absent.map(|index| format!("shard {index}/{count} is not here")));
    }
    missing
}
