//! The journal of a run: what there is to undo, written down before it is done.
//!
//! A line an entry, words without blanks. The runner appends, the watcher reads when the runner is gone; a write(2) that
//! returned is there even if the runner is killed the moment after. A line that was cut short belongs to something that
//! was never done.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use standin::id::Pid;

use super::escape::{from_word, to_word};

/// Something to undo. Paths are the host's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// A process of the run.
    Actor { pid: Pid, started: u64 },
    /// A group that will be made.
    Group { path: Vec<u8> },
    /// Another file that will be made.
    Made { path: Vec<u8> },
    /// A control file that was there before, and what it said.
    Content { path: Vec<u8>, old: Vec<u8> },
    /// Mode and owner of a file that was there before.
    Inode { path: Vec<u8>, mode: u32, uid: u32, gid: u32 },
    /// An extended attribute that a file did not have.
    Attribute { path: Vec<u8>, name: Vec<u8> },
}

impl Entry {
    fn line(&self) -> String {
        match self {
            Self::Actor { pid, started } => format!("actor {pid} {started}\n"),
            Self::Group { path } => format!("group {}\n", to_word(path)),
            Self::Made { path } => format!("made {}\n", to_word(path)),
            Self::Content { path, old } => format!("content {} {}\n", to_word(path), to_word(old)),
            Self::Inode { path, mode, uid, gid } => {
                format!("inode {} {mode} {uid} {gid}\n", to_word(path))
            }
            Self::Attribute { path, name } => {
                format!("attribute {} {}\n", to_word(path), to_word(name))
            }
        }
    }

    fn read(line: &str) -> Option<Self> {
        let words: Vec<&str> = line.split(' ').collect();
        Some(match words.as_slice() {
            ["actor", pid, started] => {
                Self::Actor { pid: Pid(pid.parse().ok()?), started: started.parse().ok()? }
            }
            ["group", path] => Self::Group { path: from_word(path)? },
            ["made", path] => Self::Made { path: from_word(path)? },
            ["content", path, old] => {
                Self::Content { path: from_word(path)?, old: from_word(old)? }
            }
            ["inode", path, mode, uid, gid] => Self::Inode {
                path: from_word(path)?,
                mode: mode.parse().ok()?,
                uid: uid.parse().ok()?,
                gid: gid.parse().ok()?,
            },
            ["attribute", path, name] => {
                Self::Attribute { path: from_word(path)?, name: from_word(name)? }
            }
            _ => return None,
        })
    }
}

/// Where a run's journal is; its name holds the run's mark.
pub(super) fn path(mark: &str) -> PathBuf {
    super::turn::directory().join(format!("standin-{mark}.journal"))
}

/// Begins a journal. The watcher does, so that there is never one that nobody ends: not even of a runner that was killed
/// before its watcher lived.
///
/// # Errors
/// If no file can be made.
pub(super) fn begin(path: &Path) -> io::Result<()> {
    OpenOptions::new().append(true).create_new(true).open(path).map(drop)
}

/// The runner's end: it only appends.
#[derive(Debug)]
pub(super) struct Journal {
    file: File,
    path: PathBuf,
    /// Lines that are in it: what is undone once needs no second line.
    written: BTreeSet<String>,
    groups: Vec<Vec<u8>>,
    made: Vec<Vec<u8>>,
}

impl Journal {
    /// Opens the journal that the watcher began.
    ///
    /// # Errors
    /// If it is not there.
    pub(super) fn open(path: PathBuf) -> io::Result<Self> {
        let file = OpenOptions::new().append(true).open(&path)?;
        let (written, groups, made) = (BTreeSet::new(), Vec::new(), Vec::new());
        Ok(Self { file, path, written, groups, made })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes an entry down.
    ///
    /// # Errors
    /// If it cannot be written: then what it is about must not be done.
    pub(super) fn add(&mut self, entry: &Entry) -> io::Result<()> {
        let line = entry.line();
        if self.written.contains(&line) {
            return Ok(());
        }
        self.file.write_all(line.as_bytes())?;
        self.written.insert(line);
        match entry {
            Entry::Group { path } => self.groups.push(path.clone()),
            Entry::Made { path } => self.made.push(path.clone()),
            Entry::Actor { .. }
            | Entry::Content { .. }
            | Entry::Inode { .. }
            | Entry::Attribute { .. } => {}
        }
        Ok(())
    }

    /// Whether a path is a group of the run's, or in one.
    pub(super) fn is_own_group(&self, path: &[u8]) -> bool {
        self.groups.iter().any(|group| is_within(path, group))
    }

    /// Whether a path is in a group of the run's, but not the group itself, which may have to be made.
    pub(super) fn is_below_own_group(&self, path: &[u8]) -> bool {
        self.is_own_group(path) && !self.groups.iter().any(|group| group == path)
    }

    /// Whether the run has made what is there, or what it is in.
    pub(super) fn has_made(&self, path: &[u8]) -> bool {
        self.made.iter().any(|made| is_within(path, made))
    }
}

/// Whether a path is this directory or below it.
pub(super) fn is_within(path: &[u8], directory: &[u8]) -> bool {
    path.strip_prefix(directory).is_some_and(|rest| matches!(rest.first(), None | Some(b'/')))
}

/// What a journal says, in order.
///
/// # Errors
/// If it cannot be read.
pub(super) fn read(path: &Path) -> io::Result<Vec<Entry>> {
    let text = std::fs::read_to_string(path)?;
    Ok(text
        .split_inclusive('\n')
        .filter_map(|line| Entry::read(line.strip_suffix('\n')?))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_is_read_back_and_a_cut_line_is_none() {
        let entries = [
            Entry::Actor { pid: Pid(7), started: 1 << 40 },
            Entry::Group { path: b"/sys/fs/cgroup/t \n\xff".to_vec() },
            Entry::Made { path: b"/x".to_vec() },
            Entry::Content { path: b"/c".to_vec(), old: Vec::new() },
            Entry::Inode { path: b"/i".to_vec(), mode: 0o40755, uid: 0, gid: 5 },
            Entry::Attribute { path: b"/a".to_vec(), name: b"user.x".to_vec() },
        ];
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("journal");
        let lines: String = entries.iter().map(Entry::line).collect();
        std::fs::write(&path, lines + "group /cut").unwrap();
        assert_eq!(read(&path).unwrap(), entries);
    }

    #[test]
    fn a_name_that_begins_alike_is_not_within() {
        assert!(is_within(b"/a/b", b"/a") && is_within(b"/a", b"/a"));
        assert!(!is_within(b"/ab", b"/a") && !is_within(b"/", b"/a"));
    }
}
