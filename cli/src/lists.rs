//! The lists that lie beside transcripts: `skips.toml` and `ledger.toml`, in the directory of a file or in one above it. The
//! nearest counts.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use standin::transcript::Transcript;
use standin_cli::ledger::{self, Known};
use standin_cli::skips::{self, Skip};

use crate::error::Complaint;

/// The lists of some files; each list is read once.
#[derive(Default)]
pub(crate) struct Lists {
    skips: Nearest<Skip>,
    ledgers: Nearest<Known>,
}

/// What the lists say of one file.
#[derive(Default)]
pub(crate) struct Beside {
    skips: Option<Arc<Vec<Skip>>>,
    /// The lines on which it is known to differ, in order.
    pub(crate) known: Vec<usize>,
}

impl Lists {
    /// What is said of a file.
    ///
    /// # Errors
    /// If a list cannot be read.
    pub(crate) fn beside(&mut self, file: &Path) -> Result<Beside, Complaint> {
        // A file that is not there is complained of by who reads it.
        let Ok(file) = file.canonicalize() else { return Ok(Beside::default()) };
        let skips = self.skips.of(&file, "skips.toml", skips::read)?;
        let ledger = self.ledgers.of(&file, "ledger.toml", ledger::read)?;
        let known = ledger
            .map_or_else(Vec::new, |ledger| ledger::lines_of(&ledger, file.with_extension("")));
        Ok(Beside { skips, known })
    }
}

impl Beside {
    /// Why the machine need not be asked; nothing if it must.
    pub(crate) fn skip(&self, script: &Transcript) -> Option<String> {
        let skip = skips::first(self.skips.as_ref()?, script)?;
        Some(format!("{}: {}", skip.id, skip.reason))
    }
}

/// Which list is the nearest to a directory.
struct Nearest<T>(BTreeMap<PathBuf, Option<Arc<Vec<T>>>>);

impl<T> Default for Nearest<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T> Nearest<T> {
    /// `file` says where it is from the root.
    fn of(
        &mut self,
        file: &Path,
        name: &str,
        read: fn(&str) -> Result<Vec<T>, String>,
    ) -> Result<Option<Arc<Vec<T>>>, Complaint> {
        let mut found = None;
        let mut passed = Vec::new();
        for directory in file.ancestors().skip(1) {
            if let Some(known) = self.0.get(directory) {
                found.clone_from(known);
                break;
            }
            passed.push(directory.to_owned());
            let path = directory.join(name);
            match std::fs::read_to_string(&path) {
                Ok(text) => {
                    let rows = read(&text).map_err(|complaint| wrong(&path, &complaint))?;
                    found = Some(Arc::new(rows));
                    break;
                }
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(wrong(&path, &format!("cannot be read: {error}"))),
            }
        }
        self.0.extend(passed.into_iter().map(|directory| (directory, found.clone())));
        Ok(found)
    }
}

fn wrong(path: &Path, complaint: &str) -> Complaint {
    let help = "it says what of the transcripts below it is skipped or known; --bare takes no account of it";
    Complaint::misuse(format!("{}: {complaint}", path.display()), help)
}
