//! A run in one line, to be run again: which version of this library, which machine, what was decided.

use std::fmt;

use super::decisions::{Decisions, DecisionsError};
use crate::builder::Builder;
use crate::profile::Profile;

/// What a line begins with; the number changes when the same decisions mean another run.
const NAME: &str = "standin";
const VERSION: u32 = 1;

/// Why a line runs nothing again.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReplayError {
    /// It is none, or a part of one.
    Malformed {
        /// The line.
        line: String,
    },
    /// It was written by an older or newer version of this library.
    Version {
        /// The version that wrote it.
        written: String,
        /// The version that reads it.
        reads: u32,
    },
    /// It was written of another machine.
    Machine {
        /// The machine that it was written of.
        written: String,
        /// The machine that was given.
        given: String,
    },
    /// What was decided does not parse.
    Decisions(DecisionsError),
}

impl fmt::Display for ReplayError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed { line } => write!(
                out,
                "{line:?} is no whole replay line: one is {NAME}-{VERSION}:MACHINE:DECISIONS:CHECK"
            ),
            Self::Version { written, reads } => write!(
                out,
                "the replay line was written by version {written} of the format, and this library reads version {reads}"
            ),
            Self::Machine { written, given } => {
                write!(out, "the replay line is about the machine {written}, not {given}")
            }
            Self::Decisions(error) => error.fmt(out),
        }
    }
}

impl std::error::Error for ReplayError {}

/// The line.
pub(super) fn print(builder: &Builder, decisions: &Decisions) -> String {
    let text = format!("{NAME}-{VERSION}:{}:{decisions}", machine(builder));
    let check = digest(text.as_bytes()) & 0xffff;
    format!("{text}:{check:04x}")
}

/// The decisions of a line about this machine.
pub(super) fn parse(line: &str, builder: &Builder) -> Result<Decisions, ReplayError> {
    let line = line.trim();
    let malformed = || ReplayError::Malformed { line: line.to_owned() };
    let versioned = line.strip_prefix(NAME).and_then(|rest| rest.strip_prefix('-'));
    let (version, _) = versioned.and_then(|rest| rest.split_once(':')).ok_or_else(malformed)?;
    if version != VERSION.to_string() {
        return Err(ReplayError::Version { written: version.to_owned(), reads: VERSION });
    }
    let (text, check) = line.rsplit_once(':').ok_or_else(malformed)?;
    let check = u64::from_str_radix(check, 16).map_err(|_| malformed())?;
    let [_, written, decisions] = text.split(':').collect::<Vec<_>>()[..] else {
        return Err(malformed());
    };
    if check != digest(text.as_bytes()) & 0xffff {
        return Err(malformed());
    }
    let given = machine(builder);
    if written != given {
        return Err(ReplayError::Machine { written: written.to_owned(), given });
    }
    decisions.parse().map_err(ReplayError::Decisions)
}

/// What a machine is, in a word: its release and layout, and of the rest, and of its faults, as much as tells it from others.
fn machine(builder: &Builder) -> String {
    let Profile {
        release,
        layout,
        processors,
        memory,
        swap,
        disks,
        contexts,
        joined,
        pid_max,
        last_pid,
        limits: _,
    } = builder.profile();
    let faults = builder.faults();
    let rest = format!(
        "{processors} {memory:?} {swap:?} {disks:?} {contexts} {joined:?} {faults:?} {pid_max} {last_pid}"
    );
    let rest = digest(rest.as_bytes()) & 0xffff_ffff;
    format!("{}-{}-{rest:08x}", release.name(), layout.name())
}

/// FNV-1a.
pub(crate) fn digest(bytes: &[u8]) -> u64 {
    let mix = |digest: u64, byte: &u8| (digest ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, mix)
}
