//! Somebody else's code as a witness: what tools do on a real kernel, seen by strace(1), as transcripts.
//!
//! A [`witnessed`] is a session of libcgroup's tools or of tools that read /proc ([`procfs`]). Of the first group [`session`] is
//! the table of what is run, [`pack`] finds the tools on this host for a guest, [`observe`] runs a session (in a guest, or on
//! this host) and [`log`] is what it saw, as text. On the host [`strace`] reads the calls in it, [`operations`] (with `words`)
//! makes operations of them, and [`transcript`] puts them together. Nothing here knows what a kernel should answer.

pub mod log;
pub mod observe;
pub mod operations;
pub mod pack;
pub mod procfs;
pub mod session;
pub mod strace;
pub mod transcript;
pub mod witnessed;
mod words;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use standin::transcript::MachineLine;
use standin_linux::Tenancy;

use self::log::Log;
use self::operations::Counts;
use self::witnessed::Witnessed;
use super::LabError;
use super::guest::SESSIONS as DIRECTORY;
use super::record::{Answer, CPUS, Ended, Lab, MEMORY_BYTES, Place, agreed, begin, listen};
use super::vm::Hardware;

/// What a session came to.
#[derive(Debug)]
pub struct Seen {
    /// The session.
    pub session: Witnessed,
    /// Its transcript, or why there is none.
    pub answer: Answer,
}

/// All that was seen in one place.
#[derive(Debug)]
pub struct Testimony {
    /// The sessions, in their order.
    pub sessions: Vec<Seen>,
    /// The lines of /proc/mounts that tell of control groups.
    pub mounts: Vec<String>,
}

/// Runs sessions in a virtual machine, and in another one in reverse order; keeps only transcripts that agree.
///
/// # Errors
/// [`LabError::Setup`] if a tool or the emulator is missing; [`LabError::Failed`] if there is no virtual machine.
pub fn in_guest(lab: &Lab, place: Place, sessions: &[Witnessed]) -> Result<Testimony, LabError> {
    let files = pack::files(&programs(sessions))?;
    let back: Vec<Witnessed> = sessions.iter().rev().copied().collect();
    let (first, second) = (boot(lab, place, sessions, &files)?, boot(lab, place, &back, &files)?);
    let machine = MachineLine {
        kernel: Some(place.kernel),
        layout: Some(place.layout),
        cpus: Some(CPUS),
        memory_bytes: Some(MEMORY_BYTES),
        ..MachineLine::default()
    };
    let mounts = first.iter().find_map(mounts_of).unwrap_or_default();
    let pairs = first.into_iter().zip(second.into_iter().rev());
    let sessions = pairs.zip(sessions).map(|((first, second), session)| {
        let (session, machine) = (*session, &machine);
        let read = |answer| session.told(machine, answer, Counts::Exact);
        Seen { session, answer: agreed(read(first), read(second)) }
    });
    Ok(Testimony { sessions: sessions.collect(), mounts })
}

/// Runs sessions on this host, which must run that kernel.
///
/// # Errors
/// [`LabError::Setup`] if it runs another one, or has groups of the sessions' names.
pub fn on_host(place: Place, sessions: &[Witnessed]) -> Result<Testimony, LabError> {
    pack::files(&programs(sessions))?;
    let release = rustix::system::uname().release().to_string_lossy().into_owned();
    if !release.starts_with(&format!("{}.", place.kernel.word())) {
        let asked = place.kernel.word();
        return Err(LabError::Setup(format!("this host runs {release}, and not {asked}")));
    }
    let machine = MachineLine {
        kernel: Some(place.kernel),
        layout: Some(place.layout),
        ..MachineLine::default()
    };
    let see = |session: &Witnessed| session.observe(Tenancy::Shared);
    let logs: Vec<Answer> = sessions.iter().map(see).collect();
    let mounts = logs.iter().find_map(mounts_of).unwrap_or_default();
    let sessions = sessions.iter().zip(logs).map(|(session, answer)| Seen {
        session: *session,
        answer: session.told(&machine, answer, Counts::Shape),
    });
    Ok(Testimony { sessions: sessions.collect(), mounts })
}

/// What sessions run.
fn programs(sessions: &[Witnessed]) -> BTreeSet<&'static str> {
    sessions.iter().flat_map(|session| session.programs()).collect()
}

/// The logs of one virtual machine.
fn boot(
    lab: &Lab,
    place: Place,
    sessions: &[Witnessed],
    files: &[pack::File],
) -> Result<Vec<Answer>, LabError> {
    let image = lab.images.ready(place.kernel)?;
    let mut archive = begin(&(lab.program)()?, place)?;
    pack::add(&mut archive, files)?;
    archive.directory(DIRECTORY)?;
    for (number, session) in sessions.iter().enumerate() {
        archive.file(&format!("{DIRECTORY}/{number}"), 0o644, session.name().as_bytes())?;
    }
    let hardware = Hardware {
        emulator: &lab.emulator,
        image: &image,
        initramfs: &archive.finish()?,
        cpus: CPUS,
        memory_bytes: MEMORY_BYTES,
        disks: 0,
        counts_instructions: false,
    };
    let lost = || Answer::Lost("the virtual machine did not come to it".to_owned());
    let mut answers: Vec<Answer> = sessions.iter().map(|_| lost()).collect();
    let mut settle = |at: usize, answer| {
        if let Some(place) = answers.get_mut(at) {
            *place = answer;
        }
    };
    match listen(&hardware, lab.patience, sessions.len(), &mut settle)? {
        Ended::Well => Ok(answers),
        Ended::NeverBegun(why) => {
            Err(LabError::Failed(format!("the virtual machine never began: {why}")))
        }
    }
}

fn mounts_of(answer: &Answer) -> Option<Vec<String>> {
    let Answer::Transcript(text) = answer else { return None };
    text.parse::<Log>().ok().map(|log| log.mounts)
}

/// Writes the lines of mounts, beside the transcripts.
///
/// # Errors
/// If it cannot be written.
pub fn write_mounts(directory: &Path, mounts: &[String]) -> Result<(), LabError> {
    let (path, text) = (directory.join("mounts"), mounts.join("\n") + "\n");
    fs::write(&path, text).map_err(|error| LabError::Failed(format!("{}: {error}", path.display())))
}
