//! How far a shard of a campaign has come: one file in its directory, written whole or not at all, so that a shard that was
//! interrupted goes on where it was.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::shard::Shard;
use crate::error::Complaint;

/// Which form the file has; the number changes when an older program would read it wrong.
const FORMAT: u32 = 2;

/// Where cases are kept that reached something new.
pub(crate) const KEPT: &str = "kept";
/// Where scripts are kept that broke something.
pub(crate) const BROKEN: &str = "broken";

/// The state of one shard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct State {
    standin_campaign: u32,
    /// Of the program: another one's machines answer otherwise.
    version: String,
    /// Which cases they are.
    cases: String,
    pub(crate) shard: Shard,
    /// How many cases all shards were to run.
    pub(crate) of: u64,
    /// The number of the next case.
    pub(crate) next: u64,
    pub(crate) counts: Counts,
    pub(crate) kept: Vec<Kept>,
    pub(crate) broken: Vec<Broken>,
}

/// What was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Counts {
    pub(crate) cases: u64,
    /// Numbers that no case could be made for.
    pub(crate) empty: u64,
    pub(crate) operations: u64,
    pub(crate) not_modelled: u64,
    pub(crate) broken: u64,
}

impl Counts {
    /// These and others.
    pub(crate) const fn and(self, other: Self) -> Self {
        Self {
            cases: self.cases + other.cases,
            empty: self.empty + other.empty,
            operations: self.operations + other.operations,
            not_modelled: self.not_modelled + other.not_modelled,
            broken: self.broken + other.broken,
        }
    }
}

/// A case that reached something new.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Kept {
    /// In the directory of those.
    pub(crate) file: String,
    /// All that it reaches.
    pub(crate) pairs: BTreeSet<String>,
}

/// A case that broke something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Broken {
    pub(crate) case: u64,
    pub(crate) file: String,
    pub(crate) what: String,
    /// The line that plays it again, where the file is not all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) again: Option<String>,
}

/// The lines that every version has.
#[derive(Deserialize)]
struct AnyState {
    standin_campaign: u32,
    version: String,
}

/// This version, in words.
fn ours() -> String {
    in_words(FORMAT, env!("CARGO_PKG_VERSION"))
}

fn in_words(format: u32, version: &str) -> String {
    format!("format {format} of standin {version}")
}

impl State {
    /// At the beginning.
    pub(crate) fn new(cases: String, shard: Shard, of: u64) -> Self {
        Self {
            standin_campaign: FORMAT,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            cases,
            shard,
            of,
            next: shard.first(),
            counts: Counts::default(),
            kept: Vec::new(),
            broken: Vec::new(),
        }
    }

    /// Which cases it runs, in words.
    pub(crate) fn cases(&self) -> &str {
        &self.cases
    }

    /// Whether it is of the same campaign.
    pub(crate) fn runs_as(&self, other: &Self) -> bool {
        self.cases == other.cases
    }

    /// Whether all of its cases were run.
    pub(crate) const fn is_done(&self) -> bool {
        self.next >= self.of
    }

    /// All that its cases reach.
    pub(crate) fn pairs(&self) -> BTreeSet<String> {
        self.kept.iter().flat_map(|kept| kept.pairs.iter().cloned()).collect()
    }

    /// Where a shard's file is.
    pub(crate) fn path(corpus: &Path, shard: Shard) -> PathBuf {
        corpus.join(format!("shard-{}-of-{}.json", shard.index, shard.count))
    }

    /// Reads a file; nothing if there is none.
    ///
    /// # Errors
    /// If it is not whole, of another version, or cannot be read.
    pub(crate) fn read(path: &Path) -> Result<Option<Self>, Complaint> {
        let name = path.display();
        let text = match std::fs::read(path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                return Err(Complaint::misuse(format!("{name}: cannot be read: {error}"), ""));
            }
        };
        let help = "take it away to begin anew";
        let refuse = |what: String| Complaint::misuse(format!("{name}: {what}"), help);
        let no_state =
            |_| refuse(format!("no state of a campaign, or not whole; {} is read", ours()));
        let any: AnyState = serde_json::from_slice(&text).map_err(no_state)?;
        let written = in_words(any.standin_campaign, &any.version);
        if written != ours() {
            return Err(refuse(format!("written by {written}; this is {}", ours())));
        }
        serde_json::from_slice(&text).map_err(no_state).map(Some)
    }

    /// Takes up the state of a shard that runs the same cases.
    ///
    /// # Errors
    /// If it ran others.
    pub(crate) fn resumed(self, path: &Path, cases: &str, of: u64) -> Result<Self, Complaint> {
        if self.cases == cases {
            return Ok(Self { of, ..self });
        }
        Err(Complaint::misuse(
            format!(
                "{}: the campaign ran {}, and this one runs {cases}",
                path.display(),
                self.cases
            ),
            "name another directory, or take the file away to begin anew",
        ))
    }

    /// Writes it in the place of the file before.
    ///
    /// # Errors
    /// If that fails.
    pub(crate) fn write(&self, path: &Path) -> Result<(), Complaint> {
        let text = serde_json::to_string_pretty(self)
            .map_err(|error| Complaint::failure(error.to_string(), ""))?;
        put(path, text + "\n")
    }
}

/// Writes a file whole or not at all.
///
/// # Errors
/// If that fails.
pub(crate) fn put(path: &Path, content: impl AsRef<[u8]>) -> Result<(), Complaint> {
    let beside = path.with_extension(format!("new-{}", std::process::id()));
    let done = std::fs::write(&beside, content).and_then(|()| std::fs::rename(&beside, path));
    done.map_err(|error| {
        Complaint::misuse(format!("{}: cannot be written: {error}", path.display()), "")
    })
}
