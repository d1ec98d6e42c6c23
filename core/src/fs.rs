//! The calls of `std::fs` that managers use, over any backend.
//!
//! Porting a manager is search and replace: `std::fs::write(path, value)` becomes `fs::write(backend, path, value)`. The
//! names and meanings are those of the standard library; a path is anything that gives bytes. An [`Error`] says what was
//! tried and on what; it turns into [`std::io::Error`] with `?`.
//!
//! ```
//! use standin::{Backend, fs};
//!
//! fn limit(backend: &dyn Backend, group: &str, processes: u32) -> Result<String, fs::Error> {
//!     fs::create_dir(backend, group)?;
//!     fs::write(backend, format!("{group}/pids.max"), processes.to_string())?;
//!     fs::read_to_string(backend, format!("{group}/pids.max"))
//! }
//!
//! let machine = standin_sim::Machine::builder().build();
//! let root = machine.root();
//! fs::write(&root, "/sys/fs/cgroup/cgroup.subtree_control", "+pids").unwrap();
//! assert_eq!(limit(&root, "/sys/fs/cgroup/web", 5).unwrap(), "5\n");
//!
//! let refused = limit(&root, "/sys/fs/cgroup/web", 5).unwrap_err();
//! assert_eq!(refused.to_string(), "mkdir /sys/fs/cgroup/web: EEXIST");
//! ```

use std::fmt;
use std::io;

use crate::backend::{Backend, FileKind, OpenOptions, Stat};
use crate::errno::Errno;
use crate::failure::Failure;
use crate::handle::File;
use crate::id::{Gid, Mode, Uid};
use crate::path::{Follow, KPath, KPathBuf, Place};

/// What every function here returns.
pub type Result<T> = std::result::Result<T, Error>;

/// What was tried, on what, and why it failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    operation: &'static str,
    path: String,
    failure: Failure,
}

impl Error {
    /// Why it failed.
    #[must_use]
    pub const fn failure(&self) -> &Failure {
        &self.failure
    }

    /// The kernel's error number, if a kernel answered.
    #[must_use]
    pub const fn errno(&self) -> Option<Errno> {
        self.failure.errno()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}: {}", self.operation, self.path, self.failure)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.failure)
    }
}

impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        let kind = Self::from(error.failure.clone()).kind();
        Self::new(kind, error)
    }
}

/// Runs one operation on a path; adds what it was to a failure.
fn on<T, P: AsRef<[u8]>>(
    operation: &'static str,
    path: P,
    run: impl FnOnce(Place<'_>) -> crate::failure::Result<T>,
) -> Result<T> {
    let bytes = path.as_ref();
    let failed =
        |failure| Error { operation, path: String::from_utf8_lossy(bytes).into_owned(), failure };
    // What std::fs answers for a path that no kernel can be given.
    let path = KPath::new(bytes).map_err(|_| failed(Errno::EINVAL.into()))?;
    run(Place::cwd(path)).map_err(failed)
}

/// Reads a whole file.
///
/// # Errors
/// As [`Files::open`](crate::backend::Files::open) and [`Files::read`](crate::backend::Files::read).
pub fn read(backend: &dyn Backend, path: impl AsRef<[u8]>) -> Result<Vec<u8>> {
    on("read", path, |place| {
        let file = backend.open(place, &OpenOptions::read())?;
        read_to_end(backend, &file)
    })
}

/// Reads what is left of an open file, whatever its length says: control files have none.
///
/// # Errors
/// As [`Files::read`](crate::backend::Files::read).
pub fn read_to_end(backend: &dyn Backend, file: &File) -> crate::failure::Result<Vec<u8>> {
    let mut content = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let length = backend.read(file, &mut chunk)?;
        if length == 0 {
            return Ok(content);
        }
        content.extend_from_slice(chunk.get(..length).unwrap_or(&chunk));
    }
}

/// Reads a whole file as text; bytes that are no UTF-8 are EILSEQ.
///
/// # Errors
/// As [`read`].
pub fn read_to_string(backend: &dyn Backend, path: impl AsRef<[u8]>) -> Result<String> {
    let path = path.as_ref();
    let content = read(backend, path)?;
    on("read", path, |_| String::from_utf8(content).map_err(|_| Errno::EILSEQ.into()))
}

/// Writes a whole file: makes it if it is not there, empties it if it is. A control file takes all of `content` as one
/// value.
///
/// # Errors
/// As [`Files::open`](crate::backend::Files::open) and [`Files::write`](crate::backend::Files::write).
pub fn write(
    backend: &dyn Backend,
    path: impl AsRef<[u8]>,
    content: impl AsRef<[u8]>,
) -> Result<()> {
    on("write", path, |place| {
        let options = OpenOptions::write().create().truncate().mode(Mode::new(0o666));
        let file = backend.open(place, &options)?;
        let mut rest = content.as_ref();
        while !rest.is_empty() {
            match backend.write(&file, rest)? {
                0 => return Err(Errno::EIO.into()),
                written => rest = rest.get(written..).unwrap_or_default(),
            }
        }
        Ok(())
    })
}

/// Makes a directory; in a cgroup filesystem, a cgroup.
///
/// # Errors
/// As [`Files::mkdir`](crate::backend::Files::mkdir).
pub fn create_dir(backend: &dyn Backend, path: impl AsRef<[u8]>) -> Result<()> {
    on("mkdir", path, |place| backend.mkdir(place, Mode::new(0o777)))
}

/// Makes a directory and all that are missing above it.
///
/// # Errors
/// As [`create_dir`], but a directory that is there already is none.
pub fn create_dir_all(backend: &dyn Backend, path: impl AsRef<[u8]>) -> Result<()> {
    let path = path.as_ref();
    let ends =
        path.iter().enumerate().filter(|(at, byte)| **byte == b'/' && *at > 0).map(|(at, _)| at);
    for end in ends.chain([path.len()]) {
        let prefix = path.get(..end).unwrap_or(path);
        match create_dir(backend, prefix) {
            Err(error) if error.errno().is_some() && is_dir(backend, prefix) => {}
            other => other?,
        }
    }
    Ok(())
}

/// Removes an empty directory; in a cgroup filesystem, a group without members and children.
///
/// # Errors
/// As [`Files::rmdir`](crate::backend::Files::rmdir).
pub fn remove_dir(backend: &dyn Backend, path: impl AsRef<[u8]>) -> Result<()> {
    on("rmdir", path, |place| backend.rmdir(place))
}

/// Removes a file.
///
/// # Errors
/// As [`Files::unlink`](crate::backend::Files::unlink).
pub fn remove_file(backend: &dyn Backend, path: impl AsRef<[u8]>) -> Result<()> {
    on("unlink", path, |place| backend.unlink(place))
}

/// Gives a file another name.
///
/// # Errors
/// As [`Files::rename`](crate::backend::Files::rename).
pub fn rename(backend: &dyn Backend, from: impl AsRef<[u8]>, to: impl AsRef<[u8]>) -> Result<()> {
    on("rename", from, |old| match KPath::new(to.as_ref()) {
        Ok(new) => backend.rename(old, Place::cwd(new)),
        Err(_) => Err(Errno::EINVAL.into()),
    })
}

/// What is known of a file; a link at the end is followed.
///
/// # Errors
/// As [`Files::stat`](crate::backend::Files::stat).
pub fn metadata(backend: &dyn Backend, path: impl AsRef<[u8]>) -> Result<Stat> {
    on("stat", path, |place| backend.stat(place, Follow::Link))
}

/// What is known of a file; a link at the end is told of itself.
///
/// # Errors
/// As [`Files::stat`](crate::backend::Files::stat).
pub fn symlink_metadata(backend: &dyn Backend, path: impl AsRef<[u8]>) -> Result<Stat> {
    on("lstat", path, |place| backend.stat(place, Follow::No))
}

/// Whether something stands at this path. A failure is "no", as with `Path::exists`.
#[must_use]
pub fn exists(backend: &dyn Backend, path: impl AsRef<[u8]>) -> bool {
    metadata(backend, path).is_ok()
}

/// Whether a directory stands at this path.
#[must_use]
pub fn is_dir(backend: &dyn Backend, path: impl AsRef<[u8]>) -> bool {
    metadata(backend, path).is_ok_and(|stat| stat.kind == FileKind::Dir)
}

/// Sets permission bits.
///
/// # Errors
/// As [`Files::chmod`](crate::backend::Files::chmod).
pub fn set_permissions(backend: &dyn Backend, path: impl AsRef<[u8]>, mode: Mode) -> Result<()> {
    on("chmod", path, |place| backend.chmod(place, mode))
}

/// Sets owner and group; `None` leaves one.
///
/// # Errors
/// As [`Files::chown`](crate::backend::Files::chown).
pub fn chown(
    backend: &dyn Backend,
    path: impl AsRef<[u8]>,
    owner: Option<Uid>,
    group: Option<Gid>,
) -> Result<()> {
    on("chown", path, |place| backend.chown(place, owner, group, Follow::Link))
}

/// Where a symbolic link leads.
///
/// # Errors
/// As [`Files::readlink`](crate::backend::Files::readlink).
pub fn read_link(backend: &dyn Backend, path: impl AsRef<[u8]>) -> Result<KPathBuf> {
    on("readlink", path, |place| backend.readlink(place))
}

/// A name in a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirEntry {
    path: KPathBuf,
    kind: FileKind,
}

impl DirEntry {
    /// The directory's path and the name behind it.
    #[must_use]
    pub fn path(&self) -> &KPath {
        &self.path
    }

    /// The name, with bytes that are no UTF-8 replaced.
    #[must_use]
    pub fn file_name(&self) -> String {
        String::from_utf8_lossy(self.path.file_name()).into_owned()
    }

    /// What it is.
    #[must_use]
    pub const fn file_type(&self) -> FileKind {
        self.kind
    }
}

/// The names in a directory, in the kernel's order.
///
/// # Errors
/// As [`Files::open_dir`](crate::backend::Files::open_dir).
pub fn read_dir(backend: &dyn Backend, path: impl AsRef<[u8]>) -> Result<Vec<DirEntry>> {
    on("readdir", path, |place| {
        let directory = backend.open_dir(place)?;
        let listing = backend.list(&directory)?;
        Ok(listing
            .iter()
            .map(|entry| DirEntry { path: place.path.join(entry.name), kind: entry.kind })
            .collect())
    })
}
