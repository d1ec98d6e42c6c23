//! The transcripts below directories, in an order that does not depend on the file system.

use std::io;
use std::path::{Path, PathBuf};

use crate::error::Complaint;

/// How files end that are looked for.
const ENDINGS: [&str; 2] = ["transcript", "script"];

/// Files, and what could not be looked at.
#[derive(Default)]
pub(crate) struct Found {
    /// In the order of the arguments; those of a directory sorted by path. None twice.
    pub(crate) files: Vec<PathBuf>,
    /// Directories that could not be read, or held nothing.
    pub(crate) complaints: Vec<Complaint>,
}

/// The files among `paths`, and those below the directories among them. Links to directories are not followed, but for
/// those that are named.
pub(crate) fn find(paths: &[PathBuf]) -> Found {
    let mut found = Found::default();
    let mut seen = std::collections::BTreeSet::new();
    for path in paths {
        let mut files = Vec::new();
        if path.is_dir() {
            let complaints = found.complaints.len();
            below(path, &mut files, &mut found.complaints);
            if files.is_empty() && found.complaints.len() == complaints {
                let help = "files that end in .transcript or .script are looked for, also in directories below";
                found
                    .complaints
                    .push(Complaint::misuse(format!("{}: nothing to check", path.display()), help));
            }
            files.sort();
        } else {
            files.push(path.clone());
        }
        found.files.extend(files.into_iter().filter(|file| seen.insert(file.clone())));
    }
    found
}

fn below(top: &Path, files: &mut Vec<PathBuf>, complaints: &mut Vec<Complaint>) {
    let mut directories = vec![top.to_owned()];
    while let Some(directory) = directories.pop() {
        if let Err(error) = look_into(&directory, &mut directories, files) {
            complaints.push(Complaint::misuse(
                format!("{}: cannot be read: {error}", directory.display()),
                "",
            ));
        }
    }
}

fn look_into(
    directory: &Path,
    directories: &mut Vec<PathBuf>,
    files: &mut Vec<PathBuf>,
) -> io::Result<()> {
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        let (path, kind) = (entry.path(), entry.file_type()?);
        let is_wanted =
            path.extension().is_some_and(|ending| ENDINGS.iter().any(|wanted| ending == *wanted));
        if kind.is_dir() {
            directories.push(path);
        } else if is_wanted && path.is_file() {
            files.push(path);
        }
    }
    Ok(())
}
