//! Snapshots as text: two lines of JSON, the first about the second.
//!
//! The text is made to be kept beside a test and looked at with common tools, so it is JSON. The state is this crate's own
//! affair: it is read by the version that wrote it, and by no other ([`SnapshotError::Version`]). The first line says which that
//! was, of which machine, and how long the second line is and its digest; so whatever was cut off or changed is found before
//! anything is made of it, and what was read is checked as a whole. Nothing is written twice in two ways: maps stand in the
//! order of their keys ([`form`]). Neighbour: `snapshot`. This module knows no file.

pub(crate) mod form;

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use standin::KPathBuf;

pub(crate) use form::{map, names, outcome, word, words};

use crate::builder::Builder;
use crate::kernel::Kernel;
use crate::machine::Machine;
use crate::run::Registry;
use crate::snapshot::Snapshot;
use crate::{cgroup, digest, fs, schedule};

/// Which form this is: of the first line, and of what the second is about.
const FORMAT: u32 = 1;

/// The first line. Only `standin_snapshot` means the same in every version.
#[derive(Serialize, Deserialize)]
struct Header {
    standin_snapshot: u32,
    /// Of this crate.
    version: String,
    /// Of the tables that the state names rows of.
    tables: String,
    /// As in a replay line, without its faults.
    machine: String,
    bytes: usize,
    digest: String,
}

/// What can be read of the first line of any version.
#[derive(Deserialize)]
struct AnyHeader {
    standin_snapshot: u32,
    #[serde(default)]
    version: String,
    #[serde(default)]
    tables: String,
}

/// The second line.
#[derive(Serialize)]
struct Body<'a> {
    programs: Vec<&'a KPathBuf>,
    allow_unmodelled: bool,
    kernel: &'a Kernel,
}

#[derive(Deserialize)]
struct ReadBody {
    programs: Vec<KPathBuf>,
    allow_unmodelled: bool,
    kernel: Kernel,
}

/// Why a text gives no snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SnapshotError {
    /// It is no snapshot, or its first line is not whole.
    Foreign,
    /// It was written by an older or newer version of this library.
    Version {
        /// The version that wrote it.
        written: String,
        /// The version that reads it.
        reads: String,
    },
    /// It was written of another machine.
    Machine {
        /// The machine that it was written of.
        written: String,
        /// The machine that was given.
        given: String,
    },
    /// The state is shorter than it was, or longer.
    Length {
        /// Its bytes when it was written.
        written: usize,
        /// Its bytes now.
        found: usize,
    },
    /// The state is not the one that was written.
    Changed,
    /// The state is as it was written, and no state of a machine.
    Invalid {
        /// The version that wrote it.
        written: String,
        /// What is wrong with it.
        why: String,
    },
}

impl fmt::Display for SnapshotError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Foreign => {
                write!(
                    out,
                    "this is no snapshot of a machine, or cut off; one begins with a line of JSON that has \"standin_snapshot\"; this library reads {}",
                    ours()
                )
            }
            Self::Version { written, reads } => {
                write!(out, "the snapshot was written by {written}, and this library reads {reads}")
            }
            Self::Machine { written, given } => {
                write!(out, "the snapshot is of the machine {written}, not {given}")
            }
            Self::Length { written, found } => write!(
                out,
                "the snapshot is not whole: its state has {found} bytes, and had {written} when it was written"
            ),
            Self::Changed => out.write_str("the snapshot was changed since it was written"),
            Self::Invalid { written, why } => write!(
                out,
                "the snapshot, written by {written} and read by {}, is no state of a machine: {why}",
                ours()
            ),
        }
    }
}

impl std::error::Error for SnapshotError {}

/// This version, in words.
fn ours() -> String {
    in_words(FORMAT, env!("CARGO_PKG_VERSION"), &tables())
}

fn in_words(format: u32, version: &str, tables: &str) -> String {
    format!("format {format} of standin-sim {version} (tables {tables})")
}

/// A digest of the tables whose rows the state names by number: another row is another meaning.
fn tables() -> String {
    let names = cgroup::row_names().chain(fs::proc::row_names());
    let mix = |digest, name: &[u8]| digest::more(digest::more(digest, name), b"\n");
    format!("{:08x}", names.fold(digest::EMPTY, mix) & 0xffff_ffff)
}

impl Snapshot {
    /// The snapshot as text: two lines of JSON, which [`from_json`](Self::from_json) of the same version of this library reads
    /// again. The same state is the same text.
    ///
    /// ```
    /// use standin::fs;
    /// use standin_sim::{Machine, Snapshot};
    ///
    /// let machine = Machine::builder().build();
    /// fs::create_dir(&machine.root(), "/sys/fs/cgroup/web").unwrap();
    /// let text = machine.snapshot().unwrap().to_json();
    ///
    /// let again = Snapshot::from_json(text.as_bytes()).unwrap().machine();
    /// assert_eq!(again.look().cgroups(), ["/web"]);
    /// assert_eq!(again.snapshot().unwrap().to_json(), text);
    /// let refused = Snapshot::from_json(&text.as_bytes()[..1000]).unwrap_err();
    /// assert!(refused.to_string().starts_with("the snapshot is not whole"));
    /// ```
    ///
    /// # Panics
    /// Never: every state has a text.
    #[must_use]
    pub fn to_json(&self) -> String {
        let (kernel, programs) = self.parts();
        let body = Body {
            programs: programs.paths().collect(),
            allow_unmodelled: self.allows_unmodelled(),
            kernel: &kernel,
        };
        let body = line(&body);
        let header = Header {
            standin_snapshot: FORMAT,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            tables: tables(),
            machine: schedule::machine(&kernel.profile, &[]),
            bytes: body.len(),
            digest: format!("{:016x}", digest::of(body.as_bytes())),
        };
        format!("{}\n{body}\n", line(&header))
    }

    /// Reads what [`to_json`](Self::to_json) wrote. Programs are known by their paths alone: a machine of this snapshot is told them
    /// again ([`Machine::program`]) before one is started; if one is not, it panics and names itself.
    ///
    /// The text is held against its own digest, which finds accidents. It is not meant to be taken from people who are not
    /// trusted.
    ///
    /// # Errors
    /// [`SnapshotError`], unless it is the whole text of this version and every rule that [`Machine::check`] knows holds.
    pub fn from_json(text: &[u8]) -> Result<Self, SnapshotError> {
        read(text).map(|(snapshot, _)| snapshot)
    }
}

impl Builder {
    /// A machine that goes on from a snapshot that was written, if it was of a machine as is described here: what this builder
    /// says of kernel, layout and sizes is compared, and what it says of faults, traces and bounds is the snapshot's.
    ///
    /// ```
    /// use standin_sim::{Machine, Release};
    ///
    /// let text = Machine::builder().build().snapshot().unwrap().to_json();
    /// assert!(Machine::builder().resume(text.as_bytes()).is_ok());
    /// let refused = Machine::builder().kernel(Release::V6_1).resume(text.as_bytes()).unwrap_err();
    /// assert!(refused.to_string().starts_with("the snapshot is of the machine 6.12-unified-"));
    /// ```
    ///
    /// # Errors
    /// As [`Snapshot::from_json`], and [`SnapshotError::Machine`].
    pub fn resume(&self, text: &[u8]) -> Result<Machine, SnapshotError> {
        let (snapshot, written) = read(text)?;
        let given = schedule::machine(self.profile(), &[]);
        if written == given {
            Ok(snapshot.machine())
        } else {
            Err(SnapshotError::Machine { written, given })
        }
    }
}

/// In any format, a snapshot is its text: so it is read with the same checks.
impl Serialize for Snapshot {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_json())
    }
}

impl<'de> Deserialize<'de> for Snapshot {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::from_json(text.as_bytes()).map_err(D::Error::custom)
    }
}

fn line(value: &impl Serialize) -> String {
    match serde_json::to_string(value) {
        Ok(line) => line,
        Err(error) => panic!("a state without a text: {error}"),
    }
}

/// The snapshot, and the machine it is of.
fn read(text: &[u8]) -> Result<(Snapshot, String), SnapshotError> {
    let end = text.iter().position(|byte| *byte == b'\n').ok_or(SnapshotError::Foreign)?;
    let (first, rest) = text.split_at(end);
    // A list of as many things would be read as well.
    let object =
        Some(first).filter(|first| first.starts_with(b"{")).ok_or(SnapshotError::Foreign)?;
    let any: AnyHeader = serde_json::from_slice(object).map_err(|_| SnapshotError::Foreign)?;
    let (reads, written) = (ours(), in_words(any.standin_snapshot, &any.version, &any.tables));
    if written != reads {
        return Err(SnapshotError::Version { written, reads });
    }
    let header: Header = serde_json::from_slice(first).map_err(|_| SnapshotError::Foreign)?;
    let body = rest.get(1..).unwrap_or_default();
    let body = body.strip_suffix(b"\n").unwrap_or(body);
    if body.len() != header.bytes {
        return Err(SnapshotError::Length { written: header.bytes, found: body.len() });
    }
    if format!("{:016x}", digest::of(body)) != header.digest {
        return Err(SnapshotError::Changed);
    }
    let invalid = |why: String| SnapshotError::Invalid { written: written.clone(), why };
    let ReadBody { programs, allow_unmodelled, mut kernel } =
        serde_json::from_slice(body).map_err(|error| invalid(error.to_string()))?;
    // A rule that is broken badly enough is no answer of the check but its end.
    let checked = catch_unwind(AssertUnwindSafe(|| {
        kernel.cgroups.know_names();
        kernel.check()
    }));
    let machine = schedule::machine(&kernel.profile, &[]);
    if machine != header.machine {
        return Err(SnapshotError::Changed);
    }
    match checked {
        Ok(Ok(())) => {}
        Ok(Err(rule)) => return Err(invalid(rule)),
        Err(_) => return Err(invalid("its parts do not fit together".to_owned())),
    }
    let programs = programs.into_iter().fold(Registry::default(), Registry::awaiting);
    Ok((Snapshot::of(kernel, programs, allow_unmodelled), machine))
}
