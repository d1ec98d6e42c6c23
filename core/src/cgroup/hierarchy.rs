//! The hierarchies that a view of a kernel sees: [`Hierarchies`], [`Hierarchy`].
//!
//! They are found when they are asked for and kept in a value; nothing is remembered behind the caller's back. A
//! hierarchy holds its root's directory, so that later mounts over it change nothing.

use std::sync::Arc;

use super::control::{self, Trouble};
use super::error::{Action, Error, Result};
use super::explain;
use super::group::{Group, files};
use super::mountinfo::{self, BadLine, Row};
use super::name::GroupPath;
use super::rule::Rule;
use crate::backend::{Access, Backend, FilesystemType};
use crate::controller::ControllerSet;
use crate::errno::Errno;
use crate::failure::Failure;
use crate::handle::Dir;
use crate::path::{KPath, KPathBuf, Place};

/// What is mounted where a view can see it.
///
/// ```
/// use standin::cgroup::Hierarchies;
/// use standin_sim::{Layout, Machine};
///
/// let machine = Machine::builder().layout(Layout::Hybrid).build();
/// let hierarchies = Hierarchies::find(&machine.root()).unwrap();
/// assert_eq!(hierarchies.unified().unwrap().mount_point().to_string(), "/sys/fs/cgroup/unified");
/// ```
#[derive(Clone, Debug)]
pub struct Hierarchies {
    unified: Option<Hierarchy>,
    /// Why a mount that is there could not be used.
    refused: Option<Failure>,
}

impl Hierarchies {
    /// Reads /proc/self/mountinfo and opens what it names.
    ///
    /// # Errors
    /// If the list cannot be read or makes no sense. A hierarchy that is not there is no error: see
    /// [`unified`](Self::unified).
    pub fn find(backend: &dyn Backend) -> Result<Self> {
        let failed = |rule| Error::found(Action::Find, rule).at(mountinfo::FILE);
        let list = KPathBuf::new(mountinfo::FILE).unwrap_or_default();
        let text = control::read(backend, Place::cwd(&list)).map_err(|trouble| match trouble {
            Trouble::Failed(failure) => {
                Error::failed(Action::Find, failure, None).at(mountinfo::FILE)
            }
            Trouble::Broke(rule) => failed(rule),
        })?;
        let mut rows =
            mountinfo::parse(&text).map_err(|BadLine(line)| failed(Rule::BadMountList { line }))?;
        // A mount of the whole hierarchy is worth more than one of a part of it.
        rows.sort_by_key(|row| row.shows.as_bytes() != b"/");
        let mut found = Self { unified: None, refused: None };
        for row in rows {
            match Hierarchy::open_mount(backend, row) {
                Ok(Some(hierarchy)) => return Ok(Self { unified: Some(hierarchy), refused: None }),
                Ok(None) => {}
                Err(failure) if failure.errno().is_some() => {
                    found.refused.get_or_insert(failure);
                }
                Err(failure) => {
                    return Err(Error::failed(Action::Find, failure, None).at(mountinfo::FILE));
                }
            }
        }
        Ok(found)
    }

    /// The v2 hierarchy.
    ///
    /// # Errors
    /// [`Rule::NotMounted`] if there is none that the caller can open.
    pub fn unified(&self) -> Result<&Hierarchy> {
        self.unified.as_ref().ok_or_else(|| {
            let error = match &self.refused {
                Some(failure) => {
                    Error::failed(Action::Find, failure.clone(), Some(Rule::NotMounted))
                }
                None => Error::found(Action::Find, Rule::NotMounted),
            };
            error.at(mountinfo::FILE)
        })
    }
}

/// The v2 hierarchy as one mount shows it. Cloning it is cheap.
#[derive(Clone, Debug)]
pub struct Hierarchy(Arc<Mounted>);

#[derive(Debug)]
struct Mounted {
    at: KPathBuf,
    root: Arc<Dir>,
}

impl Hierarchy {
    /// Opens a mount; `None` if another filesystem is mounted over it.
    fn open_mount(backend: &dyn Backend, row: Row) -> std::result::Result<Option<Self>, Failure> {
        let root = backend.open_dir(Place::cwd(&row.at))?;
        let kind = backend.statfs(Place::of(root.descriptor()))?;
        let mounted = Mounted { at: row.at, root: Arc::new(root) };
        Ok((kind == FilesystemType::CGROUP2).then(|| Self(Arc::new(mounted))))
    }

    /// Where it is mounted.
    #[must_use]
    pub fn mount_point(&self) -> &KPath {
        &self.0.at
    }

    /// The directory of its root.
    pub(super) fn root(&self) -> &Dir {
        &self.0.root
    }

    /// Opens a group, to work on it whatever becomes of its path.
    ///
    /// # Errors
    /// [`Rule::Missing`], [`Rule::Permission`].
    pub fn open(&self, backend: &dyn Backend, path: &GroupPath) -> Result<Group> {
        if path.is_root() {
            return Ok(Group::new(self.clone(), path.clone(), Arc::clone(&self.0.root)));
        }
        let place = Place::beneath(self.root().descriptor(), path.as_path());
        let directory = backend.open_dir(place).map_err(|failure| {
            let rule = explain::open(&failure);
            Error::failed(Action::Open, failure, rule).on(path)
        })?;
        Ok(Group::new(self.clone(), path.clone(), Arc::new(directory)))
    }

    /// The controllers that it has: those of its root.
    ///
    /// # Errors
    /// As [`Group::get`].
    pub fn controllers(&self, backend: &dyn Backend) -> Result<ControllerSet> {
        self.open(backend, &GroupPath::root())?.controllers(backend)
    }

    /// Whether there is a group.
    pub(super) fn find(&self, backend: &dyn Backend, path: &GroupPath) -> Result<Option<Group>> {
        match self.open(backend, path) {
            Ok(group) => Ok(Some(group)),
            Err(error) if error.rule() == Some(&Rule::Missing) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether a group was removed, seen from its directory: every group that is there has this file.
    pub(super) fn is_gone(backend: &dyn Backend, directory: &Dir) -> bool {
        let (file, there) = (files::procs(), Access::empty());
        let looked = backend.access(control::of(directory, &file), there);
        looked.is_err_and(|failure| failure.is(Errno::ENOENT))
    }
}
