//! The steps to a group as it is wanted: [`Plan`]. A step that is refused takes back the steps before it, and only these: a
//! controller that was enabled before, or a group that was there, stays; a value that was changed is as it was.

use std::fmt;
use std::sync::Arc;

use super::content::Content;
use super::create::Existing;
use super::error::{Action, Error, Result};
use super::explain;
use super::form;
use super::group::Group;
use super::hierarchy::Hierarchy;
use super::journal::{Created, Done, entry, undo};
use super::name::{FileName, GroupName, GroupPath};
use super::owner::{Modes, Owner, Owners};
use super::rule::Rule;
use super::value::Value;
use crate::backend::{Backend, FileKind, Stat};
use crate::controller::ControllerSet;
use crate::errno::Errno;
use crate::id::{Mode, Pid};
use crate::path::{Follow, Place};

/// Permission bits of a new group, before the umask: the kernel gives its files their own.
const MODE: Mode = Mode::new(0o755);

/// The steps to a group. It prints them, one a line.
///
/// # If the caller dies
/// What was done is remembered by [`apply`](Self::apply) alone. A process that dies in it takes nothing back: what is left is
/// the beginning of the plan, its steps in their order, of which the last may be half done if it gives files away (then each
/// file is as it was, or begun to be as it is wanted). Nothing else has changed. The same [`Creation`](super::Creation) with
/// [`Existing::Change`] then takes the steps that are missing, however often; a [`Deletion`](super::Deletion) removes the
/// groups that were made. Controllers that were enabled in groups above stay enabled: nobody can tell any more who did it.
///
/// # If others are at work
/// The kernel has no call for several steps, so another may act between any two. What is refused for it is taken back, but
/// for what [`Error::left`] names. Two cases nobody can tell apart: a controller that another enables in the moment between
/// the look and the write is taken for ours, and so is a group that is made anew right behind the mkdir.
#[derive(Clone, Debug)]
pub struct Plan {
    pub(super) hierarchy: Hierarchy,
    pub(super) path: GroupPath,
    pub(super) existing: Existing,
    pub(super) steps: Vec<Step>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Enable controllers for the children of a group above.
    Enable(GroupPath, ControllerSet),
    /// Make the group or one above it.
    Make(GroupPath),
    /// Give the group to somebody, and say who may do what with it.
    Give(Owners, Modes),
    /// Write a value of the group.
    Write(FileName, Value),
    /// Move a process into the group.
    Attach(Pid),
}

impl fmt::Display for Plan {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = &self.path;
        for step in &self.steps {
            match step {
                Step::Enable(group, controllers) => {
                    writeln!(out, "enable {controllers} in {group}")?
                }
                Step::Make(group) => writeln!(out, "create {group}")?,
                Step::Give(owners, modes) => {
                    let owners = [("", owners.control), ("the members of ", owners.members)];
                    for (what, owner) in owners.iter().filter(|(_, owner)| !owner.is_unset()) {
                        writeln!(out, "give {what}{path} to {owner}")?;
                    }
                    let modes = [
                        ("", modes.directory),
                        ("the files of ", modes.files),
                        ("the members of ", modes.members),
                    ];
                    for (what, mode) in modes {
                        if let Some(mode) = mode {
                            writeln!(out, "allow {mode} on {what}{path}")?;
                        }
                    }
                }
                Step::Write(file, value) => writeln!(out, "write {file} of {path}: {value}")?,
                Step::Attach(process) => writeln!(out, "attach {process} to {path}")?,
            }
        }
        Ok(())
    }
}

impl Plan {
    /// Whether all is as it is wanted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Takes the steps. If one is refused, those before it are taken back, and the error says what could not be.
    ///
    /// # Errors
    /// As [`Group::enable`], [`Group::set`]; [`Rule::Taken`], [`Rule::Full`], [`Rule::Permission`] of a new group;
    /// [`Rule::Permission`] of an owner or mode.
    pub fn apply(&self, backend: &dyn Backend) -> Result<Created> {
        self.apply_from(backend, self.hierarchy.open(backend, &GroupPath::root())?)
    }

    /// The same, with a group on the way that is open already.
    pub(super) fn apply_from(&self, backend: &dyn Backend, at: Group) -> Result<Created> {
        let mut journal = Vec::new();
        match self.take_steps(backend, at, &mut journal) {
            Ok(group) => Ok(Created::new(group, self.hierarchy.clone(), journal)),
            Err(error) => Err(error.leaving(undo(backend, &self.hierarchy, &journal))),
        }
    }

    fn take_steps(
        &self,
        backend: &dyn Backend,
        at: Group,
        journal: &mut Vec<Done>,
    ) -> Result<Group> {
        let mut at = Arc::new(at);
        let reach = |at: &mut Arc<Group>, path: &GroupPath| -> Result<()> {
            if at.path() != path {
                *at = Arc::new(self.hierarchy.open(backend, path)?);
            }
            Ok(())
        };
        for step in &self.steps {
            match step {
                Step::Enable(path, controllers) => {
                    reach(&mut at, path)?;
                    // Since the plan was made somebody else may have enabled some: these are not ours to take back.
                    let missing = controllers.difference(at.enabled(backend)?);
                    at.enable(backend, missing)?;
                    journal.push(Done::Enabled(Arc::clone(&at), missing));
                }
                Step::Make(path) => {
                    let (Some(parent), Some(name)) = (path.parent(), path.name()) else { continue };
                    reach(&mut at, &parent)?;
                    at = Arc::new(self.make(backend, &at, path, &name, journal)?);
                }
                Step::Give(owners, modes) => {
                    reach(&mut at, &self.path)?;
                    let is_kept = !self.is_new(journal);
                    give_all(backend, &at, journal, is_kept, |file, now| {
                        (owners.of(file), modes.of(file, now))
                    })?;
                }
                Step::Write(file, value) => {
                    reach(&mut at, &self.path)?;
                    self.write(backend, &at, file, value, journal)?;
                }
                Step::Attach(process) => {
                    reach(&mut at, &self.path)?;
                    let from = self.hierarchy.group_of(backend, *process)?;
                    at.attach(backend, *process)?;
                    journal.push(Done::Moved(from, *process));
                }
            }
        }
        reach(&mut at, &self.path)?;
        Ok(at.reopened())
    }

    /// Whether the group was made here: then nothing else has to be taken back.
    fn is_new(&self, journal: &[Done]) -> bool {
        journal.iter().any(|done| matches!(done, Done::Made(path, _) if *path == self.path))
    }

    /// Makes a group. Another may have made it meanwhile: if it is one above the wanted group, or the wanted group would be
    /// changed, it is used, and not ours.
    fn make(
        &self,
        backend: &dyn Backend,
        parent: &Group,
        path: &GroupPath,
        name: &GroupName,
        journal: &mut Vec<Done>,
    ) -> Result<Group> {
        let place = Place::beneath(parent.directory().descriptor(), name.as_path());
        match backend.mkdir(place, MODE) {
            Ok(()) => {}
            Err(failure) => {
                let rule = explain::mkdir(backend, parent, &failure);
                let is_used = *path != self.path || self.existing == Existing::Change;
                if rule == Some(Rule::Taken) && is_used {
                    return parent.child(backend, name);
                }
                return Err(Error::failed(Action::Create, failure, rule).on(path));
            }
        }
        journal.push(Done::Made(path.clone(), None));
        let group = parent.child(backend, name)?;
        if let Some(Done::Made(_, held)) = journal.last_mut() {
            *held = Some(group.reopened());
        }
        Ok(group)
    }

    /// Writes a value. What a group that was there said before is kept.
    fn write(
        &self,
        backend: &dyn Backend,
        group: &Arc<Group>,
        file: &FileName,
        value: &Value,
        journal: &mut Vec<Done>,
    ) -> Result<()> {
        if self.is_new(journal) {
            return group.write(backend, file, value);
        }
        let old = group.before(backend, file, value)?;
        group.write(backend, file, value)?;
        journal.push(Done::Written(Arc::clone(group), file.clone(), old));
        Ok(())
    }
}

/// Gives a group's directory and each of its files an owner, a mode or both, as `wanted` says for each, which is told the mode
/// that it has; groups below are not touched. Whether it is written down how they were, is the caller's to say.
fn give_all(
    backend: &dyn Backend,
    group: &Arc<Group>,
    journal: &mut Vec<Done>,
    is_kept: bool,
    wanted: impl Fn(Option<&FileName>, Mode) -> (Owner, Option<Mode>),
) -> Result<()> {
    // The directory comes last: with it goes the right to give the files.
    let files = group.files(backend)?.into_iter().map(Some);
    for file in files.chain([None]) {
        let file = file.as_ref();
        let keep = |before| {
            if is_kept {
                journal.push(Done::Given(Arc::clone(group), file.cloned(), before));
            }
        };
        match give(backend, entry(group, file), keep, |now| wanted(file, now)) {
            Ok(()) => {}
            // It has gone with its controller since the directory was listed.
            Err(failure) if failure.is(Errno::ENOENT) && file.is_some() => {}
            Err(failure) => {
                let rule = explain::give(&failure);
                let error = group.failed(Action::Give, failure, rule);
                return Err(match file {
                    Some(file) => error.in_file(file),
                    None => error,
                });
            }
        }
    }
    Ok(())
}

/// Gives a file; how it is, is kept before it is changed.
fn give(
    backend: &dyn Backend,
    place: Place<'_>,
    keep: impl FnOnce(Stat),
    wanted: impl FnOnce(Mode) -> (Owner, Option<Mode>),
) -> crate::failure::Result<()> {
    let before = backend.stat(place, Follow::No)?;
    let (owner, mode) = wanted(before.mode);
    let mode = mode.filter(|mode| *mode != before.mode);
    let is_owned = owner.is_of(&before);
    if is_owned && mode.is_none() {
        return Ok(());
    }
    keep(before);
    // The mode first: who gives a file away may not change it any more.
    if let Some(mode) = mode {
        backend.chmod(place, mode)?;
    }
    if is_owned { Ok(()) } else { backend.chown(place, owner.user, owner.group, Follow::No) }
}

impl Group {
    /// Its files, by name.
    pub(super) fn files(&self, backend: &dyn Backend) -> Result<Vec<FileName>> {
        let listing = backend
            .list(self.directory())
            .map_err(|failure| self.failed(Action::List, failure, None))?;
        let files = listing.iter().filter(|entry| entry.kind == FileKind::File);
        let mut names: Vec<_> =
            files.filter_map(|entry| FileName::new(entry.name.as_bytes()).ok()).collect();
        names.sort_unstable();
        Ok(names)
    }

    /// Changes the permissions of it and of all groups below it, as chmod(1) does with `-R`: of directories, of files, or of
    /// both, and whatever the files are for. Groups that vanish meanwhile are left out.
    ///
    /// # Errors
    /// [`Rule::Permission`], [`Rule::Vanished`]; what was changed before is as it was.
    pub fn chmod_recursive(
        &self,
        backend: &dyn Backend,
        directories: Option<Mode>,
        files: Option<Mode>,
    ) -> Result<()> {
        let mut journal = Vec::new();
        let changed = super::deletion::below(backend, self).and_then(|groups| {
            groups.into_iter().try_for_each(|group| {
                let mode =
                    |file: Option<&FileName>| if file.is_some() { files } else { directories };
                give_all(backend, &Arc::new(group), &mut journal, true, |file, _| {
                    (Owner::default(), mode(file))
                })
            })
        });
        changed.map_err(|error| error.leaving(undo(backend, self.hierarchy(), &journal)))
    }

    /// What a file says, if it is there to be read.
    fn heard(&self, backend: &dyn Backend, file: &FileName) -> Result<Option<Content>> {
        match self.read(backend, file) {
            Ok(content) => Ok(Some(content)),
            Err(error) => match error.rule() {
                Some(Rule::NotReadable | Rule::NoFile | Rule::ControllerOff(_)) => Ok(None),
                _ => Err(error),
            },
        }
    }

    /// What a file says, if it can be read and written again in one line.
    ///
    /// # Errors
    /// As [`get`](Self::get), but for a file that is not there or there to be written only.
    pub(super) fn said(&self, backend: &dyn Backend, file: &FileName) -> Result<Option<Value>> {
        let Some(content) = self.heard(backend, file)? else { return Ok(None) };
        let bytes = content.as_bytes();
        Ok(Value::new(bytes.strip_suffix(b"\n").unwrap_or(bytes)).ok())
    }

    /// Whether a file has a value, in whatever words it says so.
    ///
    /// # Errors
    /// As [`said`](Self::said).
    pub(super) fn has(
        &self,
        backend: &dyn Backend,
        file: &FileName,
        value: &Value,
    ) -> Result<bool> {
        let content = self.heard(backend, file)?;
        Ok(content.is_some_and(|content| form::says(file, content.as_bytes(), value)))
    }

    /// What takes back a value that is about to be written, if there is such a thing.
    fn before(
        &self,
        backend: &dyn Backend,
        file: &FileName,
        value: &Value,
    ) -> Result<Option<Value>> {
        let content = self.heard(backend, file)?;
        Ok(content.and_then(|content| form::back(file, content.as_bytes(), value)))
    }

    /// Whether it and its files are as these say.
    pub(super) fn is_given(
        &self,
        backend: &dyn Backend,
        owners: Owners,
        modes: Modes,
    ) -> Result<bool> {
        let files = self.files(backend)?.into_iter().map(Some);
        for file in files.chain([None]) {
            let file = file.as_ref();
            let now = backend.stat(entry(self, file), Follow::No);
            let now = now.map_err(|failure| self.failed(Action::Give, failure, None))?;
            let mode = modes.of(file, now.mode);
            if !owners.of(file).is_of(&now) || mode.is_some_and(|mode| mode != now.mode) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
