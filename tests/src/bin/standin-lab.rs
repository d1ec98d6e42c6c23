//! The program `standin-lab`: records scripts on real kernels in virtual machines, compares the recordings that we have, and
//! compares the machine with real kernels by generated scripts.
//!
//! Exit status: 0 all is well; 1 a script has no recording, or another one; 2 something is missing or was asked for wrongly.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use standin::transcript::{Layout, Release};
use standin_linux::Registry;
use standin_tests::fixtures::{fixture_path, workspace};
use standin_tests::lab::fuzz::{Campaign, Key, Outcome, Subject, Total};
use standin_tests::lab::image::Images;
use standin_tests::lab::record::{Answer, Lab, Place, Script, play_each, steadily, write};
use standin_tests::lab::verify::Verdict;
use standin_tests::lab::vm::QEMU;
use standin_tests::lab::witness::witnessed::Witnessed;
use standin_tests::lab::witness::{self, Seen, observe};
use standin_tests::lab::{LabError, guest, program};
use standin_tests::lists::newer_builds;
use standin_tests::soak::soak;

/// The kernels of the lab.
const KERNELS: &[Release] = &[Release::V6_1, Release::V6_12];

/// Real kernels in virtual machines, which record what they answer to scripts.
#[derive(Parser)]
#[command(name = "standin-lab", version, arg_required_else_help = true)]
struct Arguments {
    /// Where kernel images are kept [default: target/lab]
    #[arg(long, global = true, value_name = "DIR")]
    cache: Option<PathBuf>,
    /// Seconds that a virtual machine may say nothing before it is killed
    #[arg(long, global = true, value_name = "S", default_value_t = 120)]
    patience: u64,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Download the kernels that are not there yet
    Fetch,
    Record(Record),
    Verify(Verify),
    Fuzz(Fuzz),
    Soak(Soak),
    Witness(Witness),
}

/// Record scripts, each twice, and write the transcripts that agree
#[derive(Args)]
struct Record {
    /// Scripts or transcripts; what they say of kernel, layout and answers is left aside
    #[arg(required = true)]
    scripts: Vec<PathBuf>,
    #[arg(long, value_parser = words(KERNELS, Release::word))]
    kernel: Release,
    #[arg(long, value_parser = words(Layout::ALL, Layout::word))]
    layout: Layout,
    /// Where transcripts are written [default: fixtures/transcripts/KERNEL/LAYOUT]
    #[arg(long, value_name = "DIR")]
    into: Option<PathBuf>,
}

/// Record the fixtures again and compare
#[derive(Args)]
struct Verify {
    /// Only fixtures with one of these in their names
    names: Vec<String>,
    /// Only this kernel's
    #[arg(long, value_parser = words(KERNELS, Release::word))]
    kernel: Option<Release>,
    /// Only this layout's
    #[arg(long, value_parser = words(Layout::ALL, Layout::word))]
    layout: Option<Layout>,
}

/// Play generated scripts on a kernel and on the machine, compare, and shrink what differs
#[derive(Args)]
struct Fuzz {
    /// In a virtual machine; one that the lab has no image of is this host's own
    #[arg(long, value_parser = words(Release::ALL, Release::word))]
    kernel: Release,
    #[arg(long, default_value = Layout::Unified.word(), value_parser = words(Layout::ALL, Layout::word))]
    layout: Layout,
    /// What scripts are about
    #[arg(long, default_value = Subject::Cgroups.word(), value_parser = words(Subject::ALL, Subject::word))]
    subject: Subject,
    /// Scripts, of all shards together
    #[arg(long, value_name = "N", default_value_t = 1000)]
    cases: u64,
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Play one part of so many, from 0
    #[arg(long, value_name = "I/N", default_value = "0/1", value_parser = shard)]
    shard: (u64, u64),
    /// Take the answers of earlier runs, and ask the kernel only what it has not been asked
    #[arg(long)]
    resume: bool,
    /// Where differences are written [default: target/lab/differences]
    #[arg(long, value_name = "DIR")]
    into: Option<PathBuf>,
    /// Where the running total is kept [default: fixtures/fuzz.toml]
    #[arg(long, value_name = "FILE")]
    total: Option<PathBuf>,
}

/// Play generated operations on one machine, and show that nothing stays behind
#[derive(Args)]
struct Soak {
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    operations: u64,
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
}

/// Record what tools do and are answered, as strace sees it: libcgroup's, and such as read /proc
#[derive(Args)]
struct Witness {
    /// Only these sessions, or those of these groups
    #[arg(value_parser = sessions)]
    sessions: Vec<Sessions>,
    #[arg(long, value_parser = words(Release::ALL, Release::word))]
    kernel: Release,
    #[arg(long, value_parser = words(Layout::ALL, Layout::word))]
    layout: Layout,
    /// On this host, which has that kernel and layout, rather than in a virtual machine
    #[arg(long)]
    on_host: bool,
    /// Where transcripts are written [default: fixtures/witness/GROUP/KERNEL/LAYOUT]
    #[arg(long, value_name = "DIR")]
    into: Option<PathBuf>,
}

fn shard(word: &str) -> Result<(u64, u64), String> {
    let numbers = word
        .split_once('/')
        .and_then(|(share, shares)| Some((share.parse().ok()?, shares.parse().ok()?)));
    numbers
        .filter(|(share, shares)| share < shares)
        .ok_or_else(|| "I/N, with I from 0 to N - 1".to_owned())
}

/// What a name of a session or of a group stands for.
#[derive(Debug, Clone)]
struct Sessions(Vec<Witnessed>);

fn sessions(name: &str) -> Result<Sessions, String> {
    let is_meant = |session: &Witnessed| session.name() == name || session.group() == name;
    let meant: Vec<Witnessed> = Witnessed::all().filter(is_meant).collect();
    if meant.is_empty() {
        let names: Vec<&str> = Witnessed::all().map(Witnessed::name).collect();
        return Err(format!("the sessions are {}", names.join(", ")));
    }
    Ok(Sessions(meant))
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

fn main() -> ExitCode {
    // First: an actor is this program, started again; so is all of a guest.
    standin_linux::start(&Registry::new());
    guest::serve();
    observe::serve();
    let arguments = Arguments::parse();
    let cache = arguments.cache.unwrap_or_else(|| workspace().join("target/lab"));
    let patience = Duration::from_secs(arguments.patience);
    let lab = Lab {
        images: Images::in_directory(cache.clone()),
        emulator: PathBuf::from(QEMU),
        program: program::own,
        patience,
    };
    let done = match arguments.command {
        Command::Fetch => fetch(&lab),
        Command::Record(options) => record(&lab, &options),
        Command::Verify(options) => verify(&lab, &options),
        Command::Fuzz(options) => fuzz(&lab, &cache, &options),
        Command::Soak(options) => soak_for(&options),
        Command::Witness(options) => testify(&lab, &options),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("standin-lab: {error}");
            match error {
                LabError::Setup(_) => ExitCode::from(2),
                LabError::Failed(_) => ExitCode::FAILURE,
            }
        }
    }
}

fn fetch(lab: &Lab) -> Result<bool, LabError> {
    for kernel in KERNELS {
        println!("{}", lab.images.ready(*kernel)?.display());
    }
    Ok(true)
}

fn record(lab: &Lab, options: &Record) -> Result<bool, LabError> {
    let place = Place { kernel: options.kernel, layout: options.layout };
    let scripts: Vec<Script> =
        options.scripts.iter().map(|path| Script::read(path)).collect::<Result<_, _>>()?;
    let mut names: Vec<&str> = scripts.iter().map(|script| script.name.as_str()).collect();
    names.sort_unstable();
    if let Some(pair) = names.windows(2).find(|pair| pair.first() == pair.last()) {
        return Err(LabError::Setup(format!("{}: two scripts have this name", pair.concat())));
    }
    let into = options.into.clone().unwrap_or_else(|| folder(place));
    let bar = bar(scripts.len() * 2);
    let answers = steadily(lab, place, &scripts, &mut |name| step(&bar, name))?;
    bar.finish_and_clear();
    let mut written = 0;
    for (script, answer) in scripts.iter().zip(&answers) {
        match answer {
            Answer::Transcript(text) => {
                write(&into, &script.name, text)?;
                written += 1;
            }
            Answer::Refused(why) | Answer::Lost(why) => eprintln!("{}: {why}", script.name),
        }
    }
    println!("{written} of {} recorded in {}", scripts.len(), into.display());
    Ok(written == scripts.len())
}

fn verify(lab: &Lab, options: &Verify) -> Result<bool, LabError> {
    let (mut is_well, mut found) = (true, 0);
    for &kernel in KERNELS.iter().filter(|&&it| options.kernel.is_none_or(|only| only == it)) {
        for &layout in
            Layout::ALL.iter().filter(|&&it| options.layout.is_none_or(|only| only == it))
        {
            let place = Place { kernel, layout };
            let paths = transcripts(&folder(place), &options.names);
            found += paths.len();
            is_well &= paths.is_empty() || verify_place(lab, place, &paths)?;
        }
    }
    if found == 0 {
        return Err(LabError::Setup("there is no such fixture".to_owned()));
    }
    Ok(is_well)
}

/// Rounds in which what differed, or came to nothing since its guest died or never began, is played again: whether the memory
/// of somebody who was ended is back when the next one is chosen is a kernel's luck.
const ROUNDS: u32 = 3;

/// Plays the fixtures of a place. Each difference is said at once; those of the last round count.
fn verify_place(lab: &Lab, place: Place, paths: &[PathBuf]) -> Result<bool, LabError> {
    let scripts: Vec<Script> =
        paths.iter().map(|path| Script::read(path)).collect::<Result<_, _>>()?;
    let (name, known) = (place.to_string(), newer_builds());
    let (mut same, mut as_known, mut unplayed) = (0, 0, 0);
    let bar = bar(scripts.len());
    let mut waiting = scripts.clone();
    for round in 1..=ROUNDS {
        let mut again = Vec::new();
        play_each(lab, place, &waiting, &mut |script, answer| {
            let path = folder(place).join(format!("{}.transcript", script.name));
            let fixture = std::fs::read_to_string(path).unwrap_or_default();
            let verdict = Verdict::of(&format!("{name}/{}", script.name), &fixture, answer, &known);
            match verdict {
                Verdict::Same => same += 1,
                Verdict::Known => as_known += 1,
                Verdict::NotPlayed(_) => unplayed += 1,
                Verdict::Differs(_) | Verdict::Lost(_) if round < ROUNDS => {
                    again.push(script.clone());
                }
                Verdict::Differs(_) | Verdict::Lost(_) => {}
            }
            if let Some(complaint) = verdict.complaint() {
                bar.suspend(|| eprintln!("{name}/{}: {complaint}", script.name));
            }
            step(&bar, &script.name);
        })?;
        waiting = again;
    }
    bar.finish_and_clear();
    let all = scripts.len();
    let differ = all - same - as_known - unplayed;
    println!(
        "{name}: {same} of {all} the same, {as_known} differ as known, {differ} otherwise, {unplayed} not played"
    );
    Ok(same + as_known == all)
}

fn fuzz(lab: &Lab, cache: &Path, options: &Fuzz) -> Result<bool, LabError> {
    let (share, shares) = options.shard;
    let Fuzz { kernel, layout, subject, seed, .. } = *options;
    let key = Key { kernel, layout, subject, seed, share, shares };
    let campaign = Campaign {
        lab,
        is_on_host: !KERNELS.contains(&kernel),
        key,
        cases: options.cases,
        is_resumed: options.resume,
        answers: cache.join("answers").join(key.path()),
        differences: options.into.clone().unwrap_or_else(|| cache.join("differences")),
    };
    let played = (0..options.cases).filter(|case| case % shares == share).count();
    let bar = bar(played);
    if let Ok(style) =
        ProgressStyle::with_template("{bar:40} {pos}/{len} {per_sec} {eta} {wide_msg}")
    {
        bar.set_style(style);
    }
    let outcome = campaign.run(&mut |name| step(&bar, name))?;
    bar.finish_and_clear();
    tell(&outcome);
    let path = options.total.clone().unwrap_or_else(|| fixture_path("fuzz.toml"));
    Total::record(&path, key, outcome.tally)?;
    let all = Total::load(&path)?.of(kernel, layout, subject);
    println!(
        "{} in all: {} scripts, {} operations, {} differences",
        Place { kernel, layout },
        all.scripts,
        all.operations,
        all.differences
    );
    Ok(outcome.tally.differences + outcome.tally.not_modelled + outcome.tally.lost == 0)
}

fn tell(outcome: &Outcome) {
    for why in &outcome.lost {
        eprintln!("{why}");
    }
    for found in &outcome.found {
        let path = found.path.as_ref().map(|path| path.display().to_string());
        println!("{:6} {}  {}", found.scripts, found.kind, path.unwrap_or_default());
    }
    for (what, scripts) in &outcome.not_modelled {
        println!("{scripts:6} {what}: not modelled");
    }
    let tally = &outcome.tally;
    println!(
        "{} scripts, {} operations: {} differ, {} have what is not modelled, {} are unsteady, {} have no answer",
        tally.scripts,
        tally.operations,
        tally.differences,
        tally.not_modelled,
        tally.unsteady,
        tally.lost
    );
}

fn soak_for(options: &Soak) -> Result<bool, LabError> {
    let soaked = soak(options.seed, options.operations).map_err(LabError::Failed)?;
    print!("{soaked}");
    Ok(true)
}

fn testify(lab: &Lab, options: &Witness) -> Result<bool, LabError> {
    let place = Place { kernel: options.kernel, layout: options.layout };
    let into = |group: &str| {
        let all = fixture_path("witness").join(group);
        let usual = || all.join(place.kernel.word()).join(place.layout.word());
        options.into.clone().unwrap_or_else(usual)
    };
    let mut chosen: Vec<Witnessed> = options.sessions.iter().flat_map(|it| it.0.clone()).collect();
    if chosen.is_empty() {
        chosen = Witnessed::all().collect();
    }
    let seen = if options.on_host {
        witness::on_host(place, &chosen)?
    } else {
        witness::in_guest(lab, place, &chosen)?
    };
    let (mut written, mut is_well) = (0, true);
    for Seen { session, answer } in &seen.sessions {
        match answer {
            Answer::Transcript(text) => {
                write(&into(session.group()), session.name(), text)?;
                written += 1;
            }
            Answer::Refused(why) => println!("{}: {why}", session.name()),
            Answer::Lost(why) => {
                is_well = false;
                eprintln!("{}: {why}", session.name());
            }
        }
    }
    let of_groups = chosen.iter().find(|session| matches!(session, Witnessed::Libcgroup(_)));
    if let Some(session) = of_groups {
        witness::write_mounts(&into(session.group()), &seen.mounts)?;
    }
    println!("{written} of {} recorded of {place}", seen.sessions.len());
    Ok(is_well)
}

fn folder(place: Place) -> PathBuf {
    fixture_path("transcripts").join(place.kernel.word()).join(place.layout.word())
}

/// The transcripts in a directory, sorted.
fn transcripts(directory: &Path, names: &[String]) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "transcript"))
        .filter(|path| {
            let name = path.file_stem().unwrap_or_default().to_string_lossy();
            names.is_empty() || names.iter().any(|part| name.contains(part.as_str()))
        })
        .collect();
    paths.sort();
    paths
}

fn bar(length: usize) -> ProgressBar {
    let bar = ProgressBar::new(u64::try_from(length).unwrap_or(u64::MAX));
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} {wide_msg}") {
        bar.set_style(style);
    }
    bar
}

fn step(bar: &ProgressBar, name: &str) {
    bar.set_message(name.to_owned());
    bar.inc(1);
}
