//! Scripts played in virtual machines: what each of them came to.
//!
//! Scripts that want the same hardware share a virtual machine. One that hangs or kills its guest is named, and the others
//! go on in a new one. [`steadily`] plays all twice, the second time in reverse order: what a script says must not depend on
//! its luck or on what ran before it.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fmt, fs};

use standin::transcript::{Layout, MachineLine, Op, Release, ResourceOp, Transcript, parse};

use super::LabError;
use super::cpio::Archive;
use super::frame::Kind;
use super::guest::{DIRECTORIES, LAYOUT, SCRIPTS};
use super::image::Images;
use super::vm::{Hardware, Heard, Vm};

/// How often a virtual machine is started before it is said that it does not begin.
const STARTS: u32 = 3;
/// Hardware where a machine line is silent.
pub(super) const CPUS: u32 = 2;
pub(super) const MEMORY_BYTES: u64 = 1 << 30;

/// A script that shall be played.
#[derive(Debug, Clone)]
pub struct Script {
    /// Its file's name without the ending.
    pub name: String,
    script: Transcript,
}

impl Script {
    /// A script that is not in a file.
    #[must_use]
    pub const fn new(name: String, script: Transcript) -> Self {
        Self { name, script }
    }

    /// Reads a script, or a transcript whose answers are then what is expected.
    ///
    /// # Errors
    /// [`LabError::Setup`] if the file cannot be read, or wants what the lab does not have.
    pub fn read(path: &Path) -> Result<Self, LabError> {
        let wrong = |what: String| LabError::Setup(format!("{}: {what}", path.display()));
        let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        let text = fs::read(path).map_err(|error| wrong(error.to_string()))?;
        let script = parse(&text).map_err(|error| wrong(error.to_string()))?;
        if script.machine.swap_bytes.is_some_and(|bytes| bytes > 0) {
            return Err(wrong("the lab's virtual machines have no swap".to_owned()));
        }
        Ok(Self { name: name.unwrap_or_default(), script })
    }

    /// Whether it needs a machine of its own.
    fn is_alone(&self) -> bool {
        self.script.needs().fresh
    }

    /// Whether its actors compete for a processor, so that a busy host would be seen. (Where there are several, kernels may
    /// hang at their start if instructions are counted.)
    fn is_counted(&self) -> bool {
        let burns = |op: &Op| matches!(op, Op::Resources(ResourceOp::Burn { .. }));
        let (cpus, ..) = self.hardware();
        cpus == 1 && self.script.operations().any(|operation| burns(operation.op()))
    }

    /// Processors, bytes of memory, disks.
    fn hardware(&self) -> (u32, u64, u32) {
        let machine = &self.script.machine;
        let memory_bytes = machine.memory_bytes.unwrap_or(MEMORY_BYTES);
        (machine.cpus.unwrap_or(CPUS), memory_bytes, machine.disks.unwrap_or(0))
    }

    /// Its text for this kernel and layout, whatever it was written for.
    pub(super) fn text(&self, place: Place) -> String {
        let (cpus, memory_bytes, _) = self.hardware();
        let machine = MachineLine {
            kernel: Some(place.kernel),
            layout: Some(place.layout),
            cpus: Some(cpus),
            memory_bytes: Some(memory_bytes),
            ..self.script.machine
        };
        let mut script = self.script.clone();
        script.machine = machine;
        script.to_string()
    }
}

/// Where scripts are played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// On which kernel.
    pub kernel: Release,
    /// With which hierarchies.
    pub layout: Layout,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kernel.word(), self.layout.word())
    }
}

/// What a script came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The kernel's transcript.
    Transcript(String),
    /// Why it cannot be played there.
    Refused(String),
    /// Why it has no transcript although it was played.
    Lost(String),
}

/// The lab: kernels, and how long a script may take.
#[derive(Debug)]
pub struct Lab {
    /// Where kernels are kept.
    pub images: Images,
    /// What emulates a machine.
    pub emulator: PathBuf,
    /// What a guest runs: [`own`](super::program::own).
    pub program: fn() -> Result<Vec<u8>, LabError>,
    /// How long a guest may say nothing.
    pub patience: Duration,
}

/// Plays all scripts once; the answers are in their order. `done` is called with each name that has been settled.
///
/// # Errors
/// If there is no virtual machine.
pub fn play(
    lab: &Lab,
    place: Place,
    scripts: &[Script],
    done: &mut dyn FnMut(&str),
) -> Result<Vec<Answer>, LabError> {
    play_each(lab, place, scripts, &mut |script, _| done(&script.name))
}

/// The same; `done` is told each answer as it comes.
///
/// # Errors
/// As [`play`].
pub fn play_each(
    lab: &Lab,
    place: Place,
    scripts: &[Script],
    done: &mut dyn FnMut(&Script, &Answer),
) -> Result<Vec<Answer>, LabError> {
    let image = lab.images.ready(place.kernel)?;
    let program = (lab.program)()?;
    let mut alike: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for (index, script) in scripts.iter().enumerate() {
        let alone = script.is_alone().then_some(index);
        alike.entry((script.hardware(), script.is_counted(), alone)).or_default().push(index);
    }
    let mut answers = BTreeMap::new();
    for (((cpus, memory_bytes, disks), counts_instructions, _), mut waiting) in alike {
        let mut starts = STARTS;
        while !waiting.is_empty() {
            let chosen: Vec<&Script> =
                waiting.iter().filter_map(|index| scripts.get(*index)).collect();
            let initramfs = pack(&program, place, &chosen)?;
            let hardware = Hardware {
                emulator: &lab.emulator,
                image: &image,
                initramfs: &initramfs,
                cpus,
                memory_bytes,
                disks,
                counts_instructions,
            };
            let mut settle = |at: usize, answer| {
                if let Some(index) = waiting.get(at)
                    && let Entry::Vacant(place) = answers.entry(*index)
                {
                    let answer = place.insert(answer);
                    scripts.get(*index).inspect(|script| done(script, answer));
                }
            };
            let heard = listen(&hardware, lab.patience, chosen.len(), &mut settle)?;
            match heard {
                Ended::Well => starts = STARTS,
                // The next may: an emulated kernel sometimes falls over its own timers.
                Ended::NeverBegun(_) if starts > 1 => starts -= 1,
                Ended::NeverBegun(why) => {
                    let lost = format!("the virtual machine never began: {why}");
                    (0..chosen.len()).for_each(|script| settle(script, Answer::Lost(lost.clone())));
                }
            }
            waiting.retain(|index| !answers.contains_key(index));
        }
    }
    Ok(answers.into_values().collect())
}

/// What a virtual machine came to.
pub(super) enum Ended {
    /// It settled a script at least.
    Well,
    /// It settled none: why.
    NeverBegun(String),
}

/// Hears one virtual machine out, which was given so many scripts (or sessions of a [`witness`](super::witness)).
pub(super) fn listen(
    hardware: &Hardware<'_>,
    patience: Duration,
    scripts: usize,
    settle: &mut dyn FnMut(usize, Answer),
) -> Result<Ended, LabError> {
    let vm = Vm::start(hardware)?;
    let mut has_begun = false;
    // They are played in order.
    let mut next = 0;
    let lost = loop {
        let frame = match vm.hear(patience) {
            Heard::Frame(frame) => frame,
            Heard::Silence => {
                let seconds = patience.as_secs();
                break format!("it hung: nothing came for {seconds} s\n    {}", vm.last_words());
            }
            Heard::End => break format!("the guest died:\n    {}", vm.last_words()),
        };
        let content = String::from_utf8(frame.content);
        let content = content.unwrap_or_else(|_| "an answer that is no UTF-8".to_owned());
        let answer = match frame.kind {
            Kind::Begin => {
                has_begun = true;
                continue;
            }
            Kind::Transcript => Answer::Transcript(content),
            Kind::Refused => Answer::Refused(content),
            Kind::Broken => Answer::Lost(content),
            // It has played all, or all up to one behind which it would not go on.
            Kind::End if content.is_empty() && next > 0 => {
                vm.leave();
                return Ok(Ended::Well);
            }
            Kind::End => break format!("the player ended ({content})\n    {}", vm.last_words()),
        };
        for unheard in next..frame.script.min(scripts) {
            settle(unheard, Answer::Lost("its answer was damaged by noise".to_owned()));
        }
        settle(frame.script, answer);
        (has_begun, next) = (true, frame.script + 1);
    };
    if !has_begun {
        return Ok(Ended::NeverBegun(lost));
    }
    settle(next, Answer::Lost(lost));
    Ok(Ended::Well)
}

/// What a guest starts with.
fn pack(program: &[u8], place: Place, scripts: &[&Script]) -> Result<Vec<u8>, LabError> {
    let mut archive = begin(program, place)?;
    for (number, script) in scripts.iter().enumerate() {
        let name = format!("{SCRIPTS}/{number}");
        archive.file(&name, 0o644, script.text(place).as_bytes())?;
    }
    archive.finish()
}

/// What every guest starts with.
pub(super) fn begin(program: &[u8], place: Place) -> Result<Archive, LabError> {
    let mut archive = Archive::default();
    for directory in DIRECTORIES {
        archive.directory(directory)?;
    }
    archive.file("init", 0o755, program)?;
    archive.file(LAYOUT, 0o644, place.layout.word().as_bytes())?;
    Ok(archive)
}

/// Plays all scripts twice, and keeps only transcripts that agree.
///
/// # Errors
/// As [`play`].
pub fn steadily(
    lab: &Lab,
    place: Place,
    scripts: &[Script],
    done: &mut dyn FnMut(&str),
) -> Result<Vec<Answer>, LabError> {
    let first = play(lab, place, scripts, done)?;
    let reversed: Vec<Script> = scripts.iter().rev().cloned().collect();
    let second = play(lab, place, &reversed, done)?;
    let pairs = first.into_iter().zip(second.into_iter().rev());
    Ok(pairs.map(|(first, second)| agreed(first, second)).collect())
}

pub(super) fn agreed(first: Answer, second: Answer) -> Answer {
    match (&first, &second) {
        (Answer::Transcript(one), Answer::Transcript(other)) => difference(one, other)
            .map_or(first, |text| Answer::Lost(format!("two recordings differ: {text}"))),
        (Answer::Transcript(_), _) => second,
        _ => first,
    }
}

/// The first line in which two transcripts differ.
#[must_use]
pub fn difference(one: &str, other: &str) -> Option<String> {
    if one == other {
        return None;
    }
    let (mut lines, mut others) = (one.split('\n'), other.split('\n'));
    let at = (1..).map(|number| (number, lines.next(), others.next()));
    let found = at.into_iter().find(|(_, line, other)| line != other)?;
    let (number, line, other) = found;
    let shown = |line: Option<&str>| line.map_or("its end".to_owned(), |line| format!("{line:?}"));
    Some(format!("line {number}: {}, and then {}", shown(line), shown(other)))
}

/// Writes a transcript, all of it or nothing.
///
/// # Errors
/// If it cannot be written; what was there is as before.
pub fn write(directory: &Path, name: &str, transcript: &str) -> Result<(), LabError> {
    let path = directory.join(format!("{name}.transcript"));
    let written = || -> io::Result<()> {
        fs::create_dir_all(directory)?;
        let mut file = tempfile::Builder::new()
            .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644))
            .tempfile_in(directory)?;
        file.write_all(transcript.as_bytes())?;
        file.persist(&path)?;
        Ok(())
    };
    written().map_err(|error| LabError::Failed(format!("{}: {error}", path.display())))
}
