//! The lists beside the fixtures, as far as others than this crate know their forms: what is skipped and what is known.

use std::fs;

use standin_cli::ledger::{self, Known};
use standin_cli::skips::{self, Skip};

use crate::fixtures::fixture_path;

/// `fixtures/skips.toml`. `tests/skips.rs` proves that nothing in it is idle and that no fixture is skipped that would pass.
///
/// # Panics
/// If the file does not say what its head promises.
#[must_use]
pub fn skips() -> Vec<Skip> {
    rows("skips.toml", skips::read)
}

/// `fixtures/ledger.toml`: the known differences between the machine and real kernels.
///
/// # Panics
/// As [`skips()`].
#[must_use]
pub fn ledger() -> Vec<Known> {
    rows("ledger.toml", ledger::read)
}

/// `fixtures/lab.toml`: what newer builds of a kernel answer otherwise than the recordings.
///
/// # Panics
/// As [`skips()`].
#[must_use]
pub fn newer_builds() -> Vec<Known> {
    rows("lab.toml", ledger::read)
}

/// The rows of a list below `fixtures/`.
pub(crate) fn rows<T>(file: &str, read: fn(&str) -> Result<Vec<T>, String>) -> Vec<T> {
    let path = fixture_path(file);
    let text =
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    read(&text).unwrap_or_else(|complaint| panic!("fixtures/{file}: {complaint}"))
}
