//! A campaign: the cases of a seed on one kernel, in batches that share a virtual machine.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use standin::transcript::{Mismatch, Op, Operation, Transcript, parse};

use super::shrink::Shrinking;
use super::total::{Key, Tally};
use crate::lab::LabError;
use crate::lab::host;
use crate::lab::record::{Answer, Lab, Place, Script, play, write};
use crate::replay;

/// Scripts that a virtual machine plays before it makes room for a new one.
const BATCH: usize = 500;
/// How often a script is played until it brings an answer: in emulation a guest's kernel may panic by itself.
const TRIES: usize = 3;
/// Differences of a kind are shrunk once; so many kinds at most.
const MAX_KINDS: usize = 60;

/// What shall be played.
#[derive(Debug)]
pub struct Campaign<'a> {
    /// The real kernels.
    pub lab: &'a Lab,
    /// This host runs the kernel itself.
    pub is_on_host: bool,
    /// Which of them, about what, which seed, which share.
    pub key: Key,
    /// How many cases, all shares together.
    pub cases: u64,
    /// Answers of earlier runs that are taken instead of asking the kernel again.
    pub is_resumed: bool,
    /// Where answers are kept.
    pub answers: PathBuf,
    /// Where differences are written.
    pub differences: PathBuf,
}

/// What came of a campaign.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The counts.
    pub tally: Tally,
    /// Each kind of difference, with how often it was found and where its smallest script is.
    pub found: Vec<Found>,
    /// What the machine does not model: the operation, and in how many scripts it came first.
    pub not_modelled: BTreeMap<String, usize>,
    /// Scripts that brought no answer, and why.
    pub lost: Vec<String>,
}

/// A kind of difference.
#[derive(Debug)]
pub struct Found {
    /// What was asked, and what both answered.
    pub kind: String,
    /// In how many scripts it comes first.
    pub scripts: usize,
    /// The smallest script that shows it, if it was made.
    pub path: Option<PathBuf>,
}

/// A script whose first difference is known.
struct Difference {
    case: u64,
    /// With the kernel's answers, up to the difference.
    transcript: Transcript,
}

impl Campaign<'_> {
    const fn place(&self) -> Place {
        Place { kernel: self.key.kernel, layout: self.key.layout }
    }

    /// Plays, compares and shrinks; `done` is called for each script that has been played, or was before.
    ///
    /// # Errors
    /// If there is no virtual machine, or something cannot be written.
    pub fn run(&self, done: &mut dyn FnMut(&str)) -> Result<Outcome, LabError> {
        let mut outcome = Outcome::default();
        outcome.tally.cases = self.cases;
        let mut kinds: BTreeMap<String, (usize, Difference)> = BTreeMap::new();
        let cases: Vec<u64> =
            (0..self.cases).filter(|case| case % self.key.shares == self.key.share).collect();
        for batch in cases.chunks(BATCH) {
            let transcripts = self.answers_of(batch, &mut outcome, done)?;
            let mut suspects = Vec::new();
            for (case, transcript) in transcripts {
                outcome.tally.scripts += 1;
                outcome.tally.operations +=
                    u64::try_from(transcript.operations().count()).unwrap_or_default();
                match compare(&transcript) {
                    Ok(None) => {}
                    Ok(Some(mismatch)) => suspects.push((case, transcript, mismatch)),
                    Err(what) => {
                        let kind = format!("the machine broke: {what}");
                        let difference = Difference { case, transcript };
                        kinds.entry(kind).or_insert((0, difference)).0 += 1;
                        outcome.tally.differences += 1;
                    }
                }
            }
            self.sort_out(suspects, &mut outcome, &mut kinds)?;
        }
        outcome.found = self.shrink(kinds)?;
        outcome.found.sort_by_key(|found| std::cmp::Reverse(found.scripts));
        Ok(outcome)
    }

    /// What the kernel answers to these cases; what is not kept is played.
    fn answers_of(
        &self,
        cases: &[u64],
        outcome: &mut Outcome,
        done: &mut dyn FnMut(&str),
    ) -> Result<Vec<(u64, Transcript)>, LabError> {
        let mut answers = BTreeMap::new();
        let mut unknown = Vec::new();
        for &case in cases {
            let script = self.script_of(case);
            let kept = if self.is_resumed { self.kept(case, &script) } else { None };
            if let Some(kept) = kept {
                answers.insert(case, kept);
                done(&name(case));
            } else {
                unknown.push((case, script));
            }
        }
        for ((case, _), answer) in unknown.iter().zip(self.play(&unknown, done)?) {
            match answer {
                Answer::Transcript(text) => {
                    write(&self.answers, &name(*case), &text)?;
                    for mark in [STEADY, UNSTEADY] {
                        // Mostly there is none.
                        let _ = fs::remove_file(self.mark(*case, mark));
                    }
                    answers.extend(parse(text.as_bytes()).ok().map(|read| (*case, read)));
                }
                Answer::Refused(why) | Answer::Lost(why) => {
                    outcome.tally.lost += 1;
                    outcome.lost.push(format!("{}: {why}", name(*case)));
                }
            }
        }
        Ok(answers.into_iter().collect())
    }

    fn script_of(&self, case: u64) -> Transcript {
        let mut script = super::script_about(self.key.subject, self.place(), self.key.seed, case);
        script.machine.kernel = Some(self.key.kernel);
        script.machine.layout = Some(self.key.layout);
        script
    }

    /// An answer to this very script that was kept.
    fn kept(&self, case: u64, script: &Transcript) -> Option<Transcript> {
        let text = fs::read(self.answers.join(format!("{}.transcript", name(case)))).ok()?;
        let kept = parse(&text).ok()?;
        let sources = |script: &Transcript| -> Vec<String> {
            script.operations().map(|operation| operation.source().to_owned()).collect()
        };
        (kept.is_complete() && sources(&kept) == sources(script)).then_some(kept)
    }

    fn play(
        &self,
        scripts: &[(u64, Transcript)],
        done: &mut dyn FnMut(&str),
    ) -> Result<Vec<Answer>, LabError> {
        let scripts: Vec<Script> =
            scripts.iter().map(|(case, script)| Script::new(name(*case), script.clone())).collect();
        let mut answers = self.play_once(&scripts, done)?;
        for _ in 1..TRIES {
            let (places, lost): (Vec<usize>, Vec<Script>) =
                (answers.iter().zip(&scripts).enumerate())
                    .filter(|(_, (answer, _))| matches!(answer, Answer::Lost(_)))
                    .map(|(at, (_, script))| (at, script.clone()))
                    .unzip();
            for (at, answer) in places.into_iter().zip(self.play_once(&lost, &mut |_| {})?) {
                if let Some(place) = answers.get_mut(at) {
                    *place = answer;
                }
            }
        }
        Ok(answers)
    }

    fn play_once(
        &self,
        scripts: &[Script],
        done: &mut dyn FnMut(&str),
    ) -> Result<Vec<Answer>, LabError> {
        if scripts.is_empty() {
            return Ok(Vec::new());
        }
        if self.is_on_host {
            return Ok(host::play(self.place(), scripts, done));
        }
        play(self.lab, self.place(), scripts, done)
    }

    /// Differences, what is not modelled, and scripts on whose answers the kernel itself does not agree.
    fn sort_out(
        &self,
        suspects: Vec<(u64, Transcript, Mismatch)>,
        outcome: &mut Outcome,
        kinds: &mut BTreeMap<String, (usize, Difference)>,
    ) -> Result<(), LabError> {
        let (unmodelled, suspects): (Vec<_>, Vec<_>) =
            suspects.into_iter().partition(|(_, _, mismatch)| is_unmodelled(mismatch));
        for (_, transcript, mismatch) in unmodelled {
            outcome.tally.not_modelled += 1;
            let what = at(&transcript, &mismatch).map(what).unwrap_or_default();
            *outcome.not_modelled.entry(what).or_default() += 1;
        }
        let unsure: Vec<(u64, Transcript)> = suspects
            .iter()
            .filter(|(case, ..)| {
                !self.mark(*case, STEADY).exists() && !self.mark(*case, UNSTEADY).exists()
            })
            .map(|(case, transcript, _)| (*case, transcript.clone()))
            .collect();
        for ((case, transcript), second) in unsure.iter().zip(self.play(&unsure, &mut |_| {})?) {
            let is_steady =
                matches!(second, Answer::Transcript(text) if text == transcript.to_string());
            let mark = self.mark(*case, if is_steady { STEADY } else { UNSTEADY });
            fs::write(&mark, "").map_err(|error| failed(&mark, &error))?;
        }
        for (case, transcript, mismatch) in suspects {
            if self.mark(case, UNSTEADY).exists() {
                outcome.tally.unsteady += 1;
                continue;
            }
            outcome.tally.differences += 1;
            let asked = at(&transcript, &mismatch).map(what).unwrap_or_default();
            let said = |answer: &standin::transcript::Answer| {
                answer.as_status().unwrap_or("a text").to_owned()
            };
            let kind = format!(
                "{asked}: the kernel {}, the machine {}",
                said(&mismatch.expected),
                said(&mismatch.got)
            );
            let difference = Difference { case, transcript: until(&transcript, &mismatch) };
            kinds.entry(kind).or_insert((0, difference)).0 += 1;
        }
        Ok(())
    }

    /// A file that is there if a case has been played twice with this outcome.
    fn mark(&self, case: u64, ending: &str) -> PathBuf {
        self.answers.join(format!("{}.{ending}", name(case)))
    }

    /// Makes each kind small, all side by side, and writes them.
    fn shrink(&self, kinds: BTreeMap<String, (usize, Difference)>) -> Result<Vec<Found>, LabError> {
        let mut found = Vec::new();
        let mut under_way = Vec::new();
        for (kind, (scripts, Difference { case, transcript })) in kinds {
            let mut operations: Vec<Operation> = transcript.operations().cloned().collect();
            if let Some(last) = operations.pop()
                && under_way.len() < MAX_KINDS
            {
                under_way.push((found.len(), case, Shrinking::new(operations, last)));
            }
            found.push(Found { kind, scripts, path: None });
        }
        while under_way.iter().any(|(_, _, shrinking)| !shrinking.is_done()) {
            let candidates: Vec<Vec<Transcript>> = under_way
                .iter()
                .map(|(_, _, shrinking)| {
                    let candidates =
                        if shrinking.is_done() { Vec::new() } else { shrinking.candidates() };
                    candidates.iter().map(|operations| self.script_from(operations)).collect()
                })
                .collect();
            let all: Vec<(u64, Transcript)> =
                candidates.iter().flatten().map(|script| (0, script.clone())).collect();
            let mut verdicts = self.play(&all, &mut |_| {})?.into_iter().map(|answer| {
                matches!(answer, Answer::Transcript(text) if parse(text.as_bytes()).is_ok_and(|played| differs_at_last(&played)))
            });
            for ((_, _, shrinking), candidates) in under_way.iter_mut().zip(&candidates) {
                let verdicts: Vec<bool> = verdicts.by_ref().take(candidates.len()).collect();
                if !shrinking.is_done() {
                    shrinking.learn(&verdicts);
                }
            }
        }
        let smallest: Vec<(u64, Transcript)> = under_way
            .iter()
            .map(|(_, case, shrinking)| (*case, self.script_from(&shrinking.smallest())))
            .collect();
        for ((index, case, _), answer) in under_way.iter().zip(self.play(&smallest, &mut |_| {})?) {
            if let Answer::Transcript(text) = answer
                && let Some(found) = found.get_mut(*index)
            {
                let name = format!("{}-{}", self.key.path().replace('/', "-"), name(*case));
                write(&self.differences, &name, &with_both_answers(&text, &found.kind))?;
                found.path = Some(self.differences.join(format!("{name}.transcript")));
            }
        }
        Ok(found)
    }

    fn script_from(&self, operations: &[Operation]) -> Transcript {
        let mut script = self.script_of(0);
        script = Transcript::new(script.machine);
        for operation in operations {
            script.push(operation.actor().clone(), operation.op().clone(), None);
        }
        script
    }
}

const STEADY: &str = "steady";
const UNSTEADY: &str = "unsteady";

fn failed(path: &Path, error: &std::io::Error) -> LabError {
    LabError::Failed(format!("{}: {error}", path.display()))
}

fn name(case: u64) -> String {
    format!("{case:06}")
}

/// The first operation that the machine answers otherwise than the transcript says.
fn compare(transcript: &Transcript) -> Result<Option<Mismatch>, String> {
    Ok(replay::on_machine(transcript)?.mismatches.into_iter().next())
}

fn is_unmodelled(mismatch: &Mismatch) -> bool {
    mismatch.got.as_status().is_some_and(|status| status.starts_with("NotModelled"))
}

fn at<'a>(transcript: &'a Transcript, mismatch: &Mismatch) -> Option<&'a Operation> {
    transcript.operations().find(|operation| operation.line() == mismatch.line)
}

/// Files of v1 whose names do not look like it.
const WITHOUT_DOT: [&str; 3] = ["tasks", "notify_on_release", "release_agent"];

/// What an operation is, without what is by chance: its name and, where there is one, the file.
fn what(operation: &Operation) -> String {
    let said = operation.op().to_string();
    let file = said.split(' ').find_map(|word| {
        let (_, file) = word.rsplit_once('/').filter(|_| word.starts_with("/sys/fs/cgroup"))?;
        let is_file = file.contains('.') || WITHOUT_DOT.contains(&file);
        Some(if is_file { file } else { "a group" })
    });
    let name = Op::name(operation.op());
    file.map_or_else(|| name.to_owned(), |file| format!("{name} {file}"))
}

/// The transcript, up to the difference.
fn until(transcript: &Transcript, mismatch: &Mismatch) -> Transcript {
    let mut shorter = Transcript::new(transcript.machine);
    for operation in transcript.operations().filter(|operation| operation.line() <= mismatch.line) {
        shorter.push(operation.actor().clone(), operation.op().clone(), operation.answer.clone());
    }
    shorter
}

/// Whether the machine answers the last operation otherwise, and no other; and models it.
fn differs_at_last(transcript: &Transcript) -> bool {
    let last = transcript.operations().last().map(Operation::line);
    let mismatch = compare(transcript).ok().flatten();
    mismatch.is_some_and(|mismatch| Some(mismatch.line) == last && !is_unmodelled(&mismatch))
}

/// The kernel's transcript, with what the machine answers at its end.
fn with_both_answers(text: &str, kind: &str) -> String {
    let read = parse(text.as_bytes()).ok();
    let mismatch = read.and_then(|transcript| compare(&transcript).ok().flatten());
    let mut text = text.to_owned();
    text.push_str(&format!("# {kind}\n"));
    if let Some(mismatch) = mismatch {
        text.push_str("# The machine answers:\n");
        for line in mismatch.got.to_string().lines() {
            text.push_str(&format!("#     {line}\n"));
        }
    }
    text
}
