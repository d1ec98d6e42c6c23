//! The hierarchies that a view of a kernel sees: [`Hierarchies`], [`Hierarchy`].
//!
//! They are found when they are asked for and kept in a value; nothing is remembered behind the caller's back. A
//! hierarchy holds its root's directory, so that later mounts over it change nothing.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::control::{self, Trouble};
use super::error::{Action, Error, Result};
use super::explain;
use super::group::{Group, files};
use super::mountinfo::{self, BadLine, Kind, Row};
use super::name::GroupPath;
use super::rule::Rule;
use crate::backend::{Access, Backend, FilesystemType};
use crate::controller::{Controller, ControllerSet};
use crate::errno::Errno;
use crate::failure::Failure;
use crate::handle::Dir;
use crate::path::{KPath, KPathBuf, Place};

/// What is mounted where a view can see it: the v2 hierarchy, and any number of v1. A controller is in one of them, and in
/// v2 only if no v1 hierarchy has it.
///
/// ```
/// use standin::Controller;
/// use standin::cgroup::{Hierarchies, Version};
/// use standin_sim::{Layout, Machine};
///
/// let machine = Machine::builder().layout(Layout::Hybrid).build();
/// let kernel = machine.root();
/// let hierarchies = Hierarchies::find(&kernel).unwrap();
/// assert_eq!(hierarchies.unified().unwrap().mount_point().to_string(), "/sys/fs/cgroup/unified");
///
/// let freezer = hierarchies.with(&kernel, Controller::Freezer).unwrap();
/// assert_eq!(freezer.version(), Version::V1);
/// assert_eq!(freezer.mount_point().to_string(), "/sys/fs/cgroup/freezer");
/// ```
#[derive(Clone, Debug)]
pub struct Hierarchies {
    found: Vec<Hierarchy>,
    /// Why a mount that is there could not be used.
    refused: Option<Failure>,
}

impl Hierarchies {
    /// Reads /proc/self/mountinfo and opens what it names. Of several mounts of a hierarchy the first that shows all of it
    /// counts.
    ///
    /// # Errors
    /// If the list cannot be read or makes no sense. A hierarchy that is not there is no error: see
    /// [`unified`](Self::unified) and [`with`](Self::with).
    pub fn find(backend: &dyn Backend) -> Result<Self> {
        let failed = |rule| Error::found(Action::Find, rule).at(mountinfo::FILE);
        let list = KPathBuf::new(mountinfo::FILE).unwrap_or_default();
        let text =
            control::read_any(backend, Place::cwd(&list)).map_err(|trouble| match trouble {
                Trouble::Failed(failure) => {
                    Error::failed(Action::Find, failure, None).at(mountinfo::FILE)
                }
                Trouble::Broke(rule) => failed(rule),
            })?;
        let mut rows =
            mountinfo::parse(&text).map_err(|BadLine(line)| failed(Rule::BadMountList { line }))?;
        // A mount of the whole hierarchy is worth more than one of a part of it.
        rows.sort_by_key(|row| row.shows.as_bytes() != b"/");
        let mut all = Self { found: Vec::new(), refused: None };
        let mut known = BTreeSet::new();
        for row in rows {
            if known.contains(&row.device) {
                continue;
            }
            let device = row.device.clone();
            match Hierarchy::open_mount(backend, row) {
                Ok(Some(hierarchy)) => {
                    known.insert(device);
                    all.found.push(hierarchy);
                }
                Ok(None) => {}
                Err(failure) if failure.errno().is_some() => {
                    all.refused.get_or_insert(failure);
                }
                Err(failure) => {
                    return Err(Error::failed(Action::Find, failure, None).at(mountinfo::FILE));
                }
            }
        }
        Ok(all)
    }

    /// All of them, in the order in which they were mounted.
    pub fn iter(&self) -> impl Iterator<Item = &Hierarchy> {
        self.found.iter()
    }

    /// The v2 hierarchy.
    ///
    /// # Errors
    /// [`Rule::NotMounted`] if there is none that the caller can open.
    pub fn unified(&self) -> Result<&Hierarchy> {
        let unified = self.iter().find(|hierarchy| hierarchy.version() == Version::V2);
        unified.ok_or_else(|| self.missing(Rule::NotMounted))
    }

    /// The hierarchy that has a controller.
    ///
    /// # Errors
    /// [`Rule::ControllerMissing`] if none has it that the caller can open; [`Rule::NotMounted`] if there is no hierarchy
    /// at all.
    pub fn with(&self, backend: &dyn Backend, controller: Controller) -> Result<&Hierarchy> {
        let has_v1 = |it: &&Hierarchy| it.0.controllers.is_some_and(|all| all.contains(controller));
        if let Some(hierarchy) = self.iter().find(has_v1) {
            return Ok(hierarchy);
        }
        if let Ok(unified) = self.unified()
            && unified.controllers(backend)?.contains(controller)
        {
            return Ok(unified);
        }
        let is_empty = self.found.is_empty();
        let missing = Rule::ControllerMissing(controller.into());
        Err(self.missing(if is_empty { Rule::NotMounted } else { missing }))
    }

    /// The v1 hierarchy with this name, without controllers as a rule.
    ///
    /// # Errors
    /// [`Rule::NotMounted`].
    pub fn named(&self, name: &str) -> Result<&Hierarchy> {
        let named = self.iter().find(|hierarchy| hierarchy.name() == Some(name.as_bytes()));
        named.ok_or_else(|| self.missing(Rule::NotMounted))
    }

    fn missing(&self, rule: Rule) -> Error {
        let error = match &self.refused {
            Some(failure) => Error::failed(Action::Find, failure.clone(), Some(rule)),
            None => Error::found(Action::Find, rule),
        };
        error.at(mountinfo::FILE)
    }
}

/// Which interface a hierarchy has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// cgroup-v1/cgroups.rst: its controllers are there in every group, and threads are members.
    V1,
    /// cgroup-v2.rst: controllers are enabled from above, and processes are members.
    V2,
}

/// A hierarchy as one mount shows it. Cloning it is cheap.
#[derive(Clone, Debug)]
pub struct Hierarchy(Arc<Mounted>);

#[derive(Debug)]
struct Mounted {
    at: KPathBuf,
    /// Which group of the hierarchy the mount shows as its root.
    shows: KPathBuf,
    root: Arc<Dir>,
    /// Those of v1, which do not change; v2 is asked.
    controllers: Option<ControllerSet>,
    name: Option<Vec<u8>>,
}

impl Hierarchy {
    /// Opens a mount; `None` if another filesystem is mounted over it.
    fn open_mount(backend: &dyn Backend, row: Row) -> std::result::Result<Option<Self>, Failure> {
        let (expected, controllers, name) = match row.kind {
            Kind::V2 => (FilesystemType::CGROUP2, None, None),
            Kind::V1 { controllers, name } => (FilesystemType::CGROUP, Some(controllers), name),
            Kind::Other => return Ok(None),
        };
        let root = backend.open_dir(Place::cwd(&row.at))?;
        let there = backend.statfs(Place::of(root.descriptor()))?;
        let mounted =
            Mounted { at: row.at, shows: row.shows, root: Arc::new(root), controllers, name };
        Ok((there == expected).then(|| Self(Arc::new(mounted))))
    }

    /// Whether this is the same one.
    pub(super) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Which interface it has.
    #[must_use]
    pub fn version(&self) -> Version {
        if self.0.controllers.is_some() { Version::V1 } else { Version::V2 }
    }

    /// The name that a v1 hierarchy was mounted with.
    #[must_use]
    pub fn name(&self) -> Option<&[u8]> {
        self.0.name.as_deref()
    }

    /// Where it is mounted.
    #[must_use]
    pub fn mount_point(&self) -> &KPath {
        &self.0.at
    }

    /// Which group of the hierarchy its mount shows as the root.
    pub(super) fn shows(&self) -> &KPath {
        &self.0.shows
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
        let directory = self.open_dir(backend, path).map_err(|failure| {
            let rule = explain::open(&failure);
            Error::failed(Action::Open, failure, rule).on(path)
        })?;
        Ok(Group::new(self.clone(), path.clone(), directory))
    }

    /// The directory of a group; that of the root is open already.
    pub(super) fn open_dir(
        &self,
        backend: &dyn Backend,
        path: &GroupPath,
    ) -> std::result::Result<Arc<Dir>, Failure> {
        if path.is_root() {
            return Ok(Arc::clone(&self.0.root));
        }
        let place = Place::beneath(self.root().descriptor(), path.as_path());
        backend.open_dir(place).map(Arc::new)
    }

    /// The controllers that it has: those it was mounted with, or those of the root of v2.
    ///
    /// # Errors
    /// As [`Group::get`].
    pub fn controllers(&self, backend: &dyn Backend) -> Result<ControllerSet> {
        match self.0.controllers {
            Some(controllers) => Ok(controllers),
            None => self.open(backend, &GroupPath::root())?.controllers(backend),
        }
    }

    /// The controllers that every group of a v1 hierarchy has.
    pub(super) fn fixed_controllers(&self) -> Option<ControllerSet> {
        self.0.controllers
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
