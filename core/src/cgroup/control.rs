//! One read and one write of a control file, by the handle of its group's directory. What a refusal means is
//! `explain`'s business.

use super::name::FileName;
use super::rule::Rule;
use crate::backend::{Backend, OpenOptions};
use crate::failure::Failure;
use crate::handle::Dir;
use crate::path::Place;

/// The most that is read of one file: the longest lists of real machines have a few MiB.
const MAX_TEXT: usize = 64 << 20;
/// How much is asked for at once: the smallest page, as much as the kernel keeps ready of any file.
const CHUNK: usize = 4096;
/// More than any line of a list in a control file: those are numbers.
const LINE: usize = 64;

/// Why it did not work.
pub(super) enum Trouble {
    /// The backend failed.
    Failed(Failure),
    /// It did what it was told, and that is not enough.
    Broke(Rule),
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// The whole text of a control file.
///
/// The kernel makes a page of lines ready, and gives less than that was asked for only at the end of the file, or where the next
/// line would not fit into the page (fs/seq_file.c, seq_read_iter). So an answer that leaves room for a line was the last, and
/// nobody has to ask once more whether there is nothing more.
pub(super) fn read(backend: &dyn Backend, place: Place<'_>) -> Result<Vec<u8>, Trouble> {
    read_until(backend, place, |length| length < CHUNK - LINE)
}

/// The whole text of a file with lines of any length.
pub(super) fn read_any(backend: &dyn Backend, place: Place<'_>) -> Result<Vec<u8>, Trouble> {
    read_until(backend, place, |length| length == 0)
}

fn read_until(
    backend: &dyn Backend,
    place: Place<'_>,
    is_end: impl Fn(usize) -> bool,
) -> Result<Vec<u8>, Trouble> {
    let file = backend.open(place, &OpenOptions::read())?;
    let mut text = Vec::new();
    let mut chunk = [0; CHUNK];
    loop {
        let length = backend.read(&file, &mut chunk)?;
        text.extend_from_slice(chunk.get(..length).unwrap_or(&chunk));
        if is_end(length) {
            return Ok(text);
        }
        if text.len() > MAX_TEXT {
            return Err(Trouble::Broke(Rule::Endless { read: text.len() }));
        }
    }
}

/// One line, in one write. The file is neither made nor emptied.
pub(super) fn write(backend: &dyn Backend, place: Place<'_>, line: &[u8]) -> Result<(), Trouble> {
    let file = backend.open(place, &OpenOptions::write())?;
    let taken = backend.write(&file, line)?;
    if taken == line.len() { Ok(()) } else { Err(Trouble::Broke(Rule::Cut { taken })) }
}

/// A file of a group.
pub(super) fn of<'a>(directory: &'a Dir, file: &'a FileName) -> Place<'a> {
    Place::beneath(directory.descriptor(), file.as_path())
}
