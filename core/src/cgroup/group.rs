//! A group that was opened: [`Group`]. Its files, its children, its controllers.
//!
//! Neighbours: `members` moves and lists processes, `delete` removes the group, `create` makes one.

use std::sync::Arc;

use super::control::{self, Trouble};
use super::error::{Action, Error, Result};
use super::hierarchy::{Hierarchy, Version};
use super::name::{FileName, GroupName, GroupPath};
use super::rule::{GroupKind, Rule};
use super::value::{Value, ValueError};
use super::{content::Content, explain};
use crate::backend::{Backend, FileKind, Stat};
use crate::controller::{Controller, ControllerSet};
use crate::failure::Failure;
use crate::handle::Dir;
use crate::id::CgroupId;
use crate::path::{Follow, Place};

/// Files that every group has (cgroup-v2.rst, Core Interface Files); all of v2 but the root have a `cgroup.type`, and those
/// of v1 only the first and `tasks`.
pub(super) mod files {
    use super::FileName;

    macro_rules! known {
        ($($id:ident $name:literal)*) => {$(
            pub(in super::super) fn $id() -> FileName {
                FileName::known($name)
            }
        )*};
    }

    known! {
        procs "cgroup.procs"
        threads "cgroup.threads"
        tasks "tasks"
        kind "cgroup.type"
        kill "cgroup.kill"
        freeze "cgroup.freeze"
        events "cgroup.events"
        freezer_state "freezer.state"
        controllers "cgroup.controllers"
        subtree_control "cgroup.subtree_control"
        max_depth "cgroup.max.depth"
        max_descendants "cgroup.max.descendants"
        stat "cgroup.stat"
    }
}

/// A group, held by its directory: whatever is renamed, removed or made anew, every call here is about this group, and
/// says [`Rule::Vanished`] when it is gone.
///
/// It belongs to the view that opened it. Calls with another view answer EBADF.
///
/// ```
/// use standin::cgroup::{Creation, GroupPath, Hierarchies, Limit};
/// use standin::Controller;
///
/// # let machine = standin_sim::Machine::builder().build();
/// # let kernel = machine.root();
/// let hierarchies = Hierarchies::find(&kernel).unwrap();
/// let web = Creation::new(GroupPath::new("web").unwrap())
///     .with(Controller::Pids)
///     .create(&kernel, hierarchies.unified().unwrap())
///     .unwrap();
/// web.set(&kernel, "pids.max", 5).unwrap();
/// assert_eq!(web.get(&kernel, "pids.max").unwrap().limit().unwrap(), Limit::At(5));
/// web.set(&kernel, "pids.max", Limit::Max).unwrap();
///
/// let refused = web.set(&kernel, "memory.max", 5).unwrap_err();
/// assert_eq!(
///     refused.to_string(),
///     "write memory.max of /web: ENOENT (memory is not enabled here: write +memory to cgroup.subtree_control of \
///      the group above)"
/// );
/// ```
#[derive(Debug)]
pub struct Group {
    hierarchy: Hierarchy,
    path: GroupPath,
    directory: Arc<Dir>,
}

impl Group {
    pub(super) fn new(hierarchy: Hierarchy, path: GroupPath, directory: Arc<Dir>) -> Self {
        Self { hierarchy, path, directory }
    }

    /// The same group, by the same directory.
    pub(super) fn reopened(&self) -> Self {
        let directory = Arc::clone(&self.directory);
        Self { hierarchy: self.hierarchy.clone(), path: self.path.clone(), directory }
    }

    /// Where it was when it was opened.
    #[must_use]
    pub fn path(&self) -> &GroupPath {
        &self.path
    }

    /// Its directory: where a process can be born with [`Spawn::into_cgroup`](crate::backend::Spawn::into_cgroup).
    #[must_use]
    pub fn directory(&self) -> &Dir {
        &self.directory
    }

    /// The hierarchy that it is in.
    #[must_use]
    pub fn hierarchy(&self) -> &Hierarchy {
        &self.hierarchy
    }

    /// The kernel's number for it, which no other group ever has.
    ///
    /// # Errors
    /// As [`Files::stat`](crate::backend::Files::stat).
    pub fn id(&self, backend: &dyn Backend) -> Result<CgroupId> {
        let stat = backend.stat(Place::of(self.directory.descriptor()), Follow::Link);
        stat.map(|stat| stat.cgroup_id())
            .map_err(|failure| self.failed(Action::Open, failure, None))
    }

    /// Reads a file.
    ///
    /// # Errors
    /// [`Rule::Name`], [`Rule::NoFile`], [`Rule::ControllerOff`], [`Rule::NotReadable`], [`Rule::Kind`],
    /// [`Rule::Vanished`], [`Rule::Permission`].
    pub fn get(&self, backend: &dyn Backend, file: &str) -> Result<Content> {
        let file =
            FileName::new(file).map_err(|error| self.found(Action::Read, Rule::Name(error)))?;
        self.read(backend, &file)
    }

    pub(super) fn read(&self, backend: &dyn Backend, file: &FileName) -> Result<Content> {
        let read = control::read(backend, control::of(&self.directory, file));
        let text = read.map_err(|trouble| {
            let explain = |failure: &_| explain::read(backend, self, file, failure);
            self.trouble(Action::Read, trouble, explain).in_file(file)
        })?;
        Ok(Content::new(&self.path, file, text))
    }

    /// Writes a file: one value, in one write, which the kernel takes whole or refuses.
    ///
    /// # Errors
    /// [`Rule::Name`] and [`Rule::Value`] before the kernel is asked; [`Rule::NoFile`], [`Rule::ControllerOff`],
    /// [`Rule::NotWritable`], [`Rule::BadValue`], [`Rule::TooLong`], [`Rule::Vanished`], [`Rule::Permission`] after.
    pub fn set<V>(&self, backend: &dyn Backend, file: &str, value: V) -> Result<()>
    where
        V: TryInto<Value>,
        ValueError: From<V::Error>,
    {
        let file =
            FileName::new(file).map_err(|error| self.found(Action::Write, Rule::Name(error)))?;
        let value = value.try_into().map_err(ValueError::from);
        let value =
            value.map_err(|error| self.found(Action::Write, Rule::Value(error)).in_file(&file))?;
        self.write(backend, &file, &value)
    }

    pub(super) fn write(
        &self,
        backend: &dyn Backend,
        file: &FileName,
        value: &Value,
    ) -> Result<()> {
        let line = value.line();
        control::write(backend, control::of(&self.directory, file), line).map_err(|trouble| {
            let explain = |failure: &_| explain::write(backend, self, file, failure, line.len());
            self.trouble(Action::Write, trouble, explain).in_file(file)
        })
    }

    /// The groups in it, by name.
    ///
    /// # Errors
    /// [`Rule::Vanished`].
    pub fn children(&self, backend: &dyn Backend) -> Result<Vec<GroupName>> {
        let listing = backend.list(&self.directory).map_err(|failure| {
            let rule = explain::gone(backend, self, &failure);
            self.failed(Action::List, failure, rule)
        })?;
        // Some kernels list a removed directory as an empty one.
        if listing.is_empty() && Hierarchy::is_gone(backend, &self.directory) {
            return Err(self.found(Action::List, Rule::Vanished));
        }
        let groups = listing.iter().filter(|entry| entry.kind == FileKind::Dir);
        let mut names: Vec<_> = groups.filter_map(|entry| GroupName::listed(entry.name)).collect();
        names.sort_unstable();
        Ok(names)
    }

    /// Opens a group in it.
    ///
    /// # Errors
    /// As [`Hierarchy::open`].
    pub fn child(&self, backend: &dyn Backend, name: &GroupName) -> Result<Group> {
        let path = self.path.join(name)?;
        let place = Place::beneath(self.directory.descriptor(), name.as_path());
        let directory = backend.open_dir(place).map_err(|failure| {
            let rule = explain::open(&failure);
            Error::failed(Action::Open, failure, rule).on(&path)
        })?;
        Ok(Group::new(self.hierarchy.clone(), path, Arc::new(directory)))
    }

    /// What it may hold.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn kind(&self, backend: &dyn Backend) -> Result<GroupKind> {
        if self.hierarchy.version() == Version::V1 {
            return Ok(GroupKind::V1);
        }
        match self.read(backend, &files::kind()) {
            Ok(content) => {
                let kind = GroupKind::from_name(content.text()?);
                kind.ok_or_else(|| content.is_not("a kind of group"))
            }
            Err(error) if error.rule() == Some(&Rule::NoFile) => Ok(GroupKind::Root),
            Err(error) => Err(error),
        }
    }

    /// The controllers that are enabled for it, and that it can enable for its children; in v1 those of the hierarchy. Those
    /// that this library does not know are left out.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn controllers(&self, backend: &dyn Backend) -> Result<ControllerSet> {
        self.set_in(backend, &files::controllers())
    }

    /// The controllers that it enables for its children; in v1 those of the hierarchy.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn enabled(&self, backend: &dyn Backend) -> Result<ControllerSet> {
        self.set_in(backend, &files::subtree_control())
    }

    fn set_in(&self, backend: &dyn Backend, file: &FileName) -> Result<ControllerSet> {
        if let Some(fixed) = self.hierarchy.fixed_controllers() {
            return Ok(fixed);
        }
        let content = self.read(backend, file)?;
        Ok(content.words()?.into_iter().filter_map(Controller::from_name).collect())
    }

    /// Enables controllers for its children: all or, if one cannot be, none. In v1 those of the hierarchy always are.
    ///
    /// # Errors
    /// [`Rule::ControllerMissing`], [`Rule::InternalProcesses`], [`Rule::Kind`], [`Rule::Vanished`],
    /// [`Rule::Permission`].
    pub fn enable(
        &self,
        backend: &dyn Backend,
        controllers: impl Into<ControllerSet>,
    ) -> Result<()> {
        self.switch(backend, Action::Enable, controllers.into())
    }

    /// Disables controllers for its children: all or, if one cannot be, none.
    ///
    /// # Errors
    /// [`Rule::Kind`] in v1, [`Rule::UsedBelow`], [`Rule::Vanished`], [`Rule::Permission`].
    pub fn disable(
        &self,
        backend: &dyn Backend,
        controllers: impl Into<ControllerSet>,
    ) -> Result<()> {
        self.switch(backend, Action::Disable, controllers.into())
    }

    fn switch(&self, backend: &dyn Backend, action: Action, set: ControllerSet) -> Result<()> {
        if set.is_empty() {
            return Ok(());
        }
        if let Some(fixed) = self.hierarchy.fixed_controllers() {
            let missing = set.difference(fixed);
            let refused = if action != Action::Enable {
                Rule::Kind(GroupKind::V1)
            } else if !missing.is_empty() {
                Rule::ControllerMissing(missing)
            } else {
                return Ok(());
            };
            return Err(self.found(action, refused));
        }
        let sign = if action == Action::Enable { '+' } else { '-' };
        let words: Vec<String> =
            set.iter().map(|controller| format!("{sign}{controller}")).collect();
        let file = files::subtree_control();
        let line = words.join(" ");
        let written = control::write(backend, control::of(&self.directory, &file), line.as_bytes());
        written.map_err(|trouble| {
            let explain = |failure: &_| explain::switch(backend, self, action, set, failure);
            self.trouble(action, trouble, explain).in_file(&file)
        })
    }

    /// What stat(2) says of one of its files.
    pub(super) fn stat(&self, backend: &dyn Backend, file: &FileName) -> Option<Stat> {
        backend.stat(control::of(&self.directory, file), Follow::Link).ok()
    }

    pub(super) fn found(&self, action: Action, rule: Rule) -> Error {
        Error::found(action, rule).on(&self.path)
    }

    pub(super) fn failed(&self, action: Action, failure: Failure, rule: Option<Rule>) -> Error {
        Error::failed(action, failure, rule).on(&self.path)
    }

    /// The error of a read or write that did not work; a refusal of the kernel's is explained.
    pub(super) fn trouble(
        &self,
        action: Action,
        trouble: Trouble,
        explain: impl FnOnce(&Failure) -> Option<Rule>,
    ) -> Error {
        match trouble {
            Trouble::Failed(failure) => {
                let rule = if failure.errno().is_some() { explain(&failure) } else { None };
                self.failed(action, failure, rule)
            }
            Trouble::Broke(rule) => self.found(action, rule),
        }
    }
}
