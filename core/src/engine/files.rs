//! The files that an engine keeps: read below its directory, never out of it, and only so far.

use super::FindError;
use crate::backend::{Backend, OpenOptions};
use crate::errno::Errno;
use crate::failure::{Failure, Result};
use crate::handle::{Dir, File};
use crate::path::{KPath, KPathBuf, Place};

/// The longest record that is read. Docker's grow with a container's labels and environment, to some 10 KiB.
const MOST_BYTES: usize = 1 << 20;

/// An engine's directory.
pub(super) struct StateFiles {
    directory: Dir,
    path: KPathBuf,
}

impl StateFiles {
    /// Opens the directory; `None` if there is none, since then the engine was never here.
    pub(super) fn open(kernel: &dyn Backend, path: &KPath) -> Result<Option<Self>, FindError> {
        let opened = if_there(kernel.open_dir(Place::cwd(path)));
        let path = path.to_owned();
        match opened {
            Ok(directory) => Ok(directory.map(|directory| Self { directory, path })),
            Err(failure) => Err(FindError::Failed { operation: "open", path, failure }),
        }
    }

    /// Where the directory is.
    pub(super) fn path(&self) -> &KPath {
        &self.path
    }

    /// A directory; `None` if it is not there.
    pub(super) fn directory(&self, kernel: &dyn Backend, path: &KPath) -> Result<Option<Dir>> {
        if_there(kernel.open_dir(Place::beneath(self.directory.as_ref(), path)))
    }

    /// The names in a directory; none if it is not there.
    pub(super) fn names(
        &self,
        kernel: &dyn Backend,
        path: &KPath,
    ) -> Result<Vec<String>, FindError> {
        let listed = self
            .directory(kernel, path)
            .and_then(|directory| directory.map(|directory| kernel.list(&directory)).transpose())
            .map_err(|failure| self.failed("readdir", path, failure))?
            .unwrap_or_default();
        let names = listed.iter().map(|entry| std::str::from_utf8(entry.name.as_bytes()));
        Ok(names.filter_map(|name| name.ok().map(str::to_owned)).collect())
    }

    /// A whole file; `None` if it is not there.
    pub(super) fn read(
        &self,
        kernel: &dyn Backend,
        path: &KPath,
    ) -> Result<Option<Vec<u8>>, FindError> {
        let place = Place::beneath(self.directory.as_ref(), path);
        let content = if_there(kernel.open(place, &OpenOptions::read()))
            .and_then(|file| file.map(|file| read(kernel, &file)).transpose())
            .map_err(|failure| self.failed("read", path, failure))?;
        match content {
            Some(content) if content.len() > MOST_BYTES => {
                Err(self.damaged(path, format!("longer than {MOST_BYTES} bytes")))
            }
            content => Ok(content),
        }
    }

    /// Says why a file is no record.
    pub(super) fn damaged(&self, path: &KPath, why: impl Into<String>) -> FindError {
        FindError::Damaged { path: self.path.join(path), why: why.into() }
    }

    fn failed(&self, operation: &'static str, path: &KPath, failure: Failure) -> FindError {
        FindError::Failed { operation, path: self.path.join(path), failure }
    }
}

/// Makes of "it is not there" an answer: containers go while their engine's directory is read.
fn if_there<T>(opened: Result<T>) -> Result<Option<T>> {
    match opened {
        Ok(opened) => Ok(Some(opened)),
        Err(failure) if failure.is(Errno::ENOENT) || failure.is(Errno::ENOTDIR) => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// Reads to the end, or just beyond what is allowed.
fn read(kernel: &dyn Backend, file: &File) -> Result<Vec<u8>> {
    let mut content = Vec::new();
    let mut chunk = [0; 8192];
    while content.len() <= MOST_BYTES {
        let length = kernel.read(file, &mut chunk)?;
        if length == 0 {
            break;
        }
        content.extend_from_slice(chunk.get(..length).unwrap_or(&chunk));
    }
    Ok(content)
}
