//! What was done to a group and can be taken back: [`Created`]. It takes back what one call did, and nothing else.
//!
//! The journal is in memory: a process that dies takes nothing back. What is left then is told at [`Plan`](super::Plan).

use std::sync::Arc;

use super::control;
use super::delete;
use super::error::{Action, Error, Result};
use super::explain;
use super::group::Group;
use super::hierarchy::Hierarchy;
use super::name::{FileName, GroupPath};
use super::rule::Rule;
use super::value::Value;
use crate::backend::{Backend, Stat};
use crate::controller::ControllerSet;
use crate::id::Pid;
use crate::path::{Follow, Place};

/// A step that was taken.
#[derive(Debug)]
pub(super) enum Done {
    Enabled(Arc<Group>, ControllerSet),
    /// A group, held as soon as it could be opened.
    Made(GroupPath, Option<Group>),
    /// A file of a group that was there, and what it said, if that can be said again.
    Written(Arc<Group>, FileName, Option<Value>),
    /// A file of a group that was there, or its directory, and who owned it and what they might do.
    Given(Arc<Group>, Option<FileName>, Stat),
    /// A process, out of this group.
    Moved(Group, Pid),
}

/// Takes steps back, the last first: what could not be, and why. What another has removed needs no taking back.
pub(super) fn undo(backend: &dyn Backend, hierarchy: &Hierarchy, journal: &[Done]) -> Vec<Error> {
    let back = journal.iter().rev().map(|done| match done {
        Done::Enabled(group, controllers) => group.disable(backend, *controllers),
        Done::Made(_, Some(group)) => delete::remove(backend, group),
        Done::Made(path, None) => delete::remove_name(backend, hierarchy, path),
        Done::Written(group, file, old) => write_back(backend, group, file, old.as_ref()),
        Done::Given(group, file, old) => give_back(backend, group, file.as_ref(), old),
        Done::Moved(from, process) => match from.attach(backend, *process) {
            // It has ended.
            Err(error) if error.rule() == Some(&Rule::NoSuchTask) => Ok(()),
            moved => moved,
        },
    });
    back.filter_map(Result::err).filter(|error| error.rule() != Some(&Rule::Vanished)).collect()
}

/// Writes what a file said, and looks whether it says so again: one that holds a list, or takes orders, may not.
fn write_back(
    backend: &dyn Backend,
    group: &Group,
    file: &FileName,
    old: Option<&Value>,
) -> Result<()> {
    if let Some(old) = old {
        group.write(backend, file, old)?;
        if group.has(backend, file, old)? {
            return Ok(());
        }
    }
    Err(group.found(Action::Write, Rule::Irrevocable).in_file(file))
}

fn give_back(
    backend: &dyn Backend,
    group: &Group,
    file: Option<&FileName>,
    old: &Stat,
) -> Result<()> {
    let place = entry(group, file);
    let given = backend.stat(place, Follow::No).and_then(|now| {
        if (now.owner, now.group) != (old.owner, old.group) {
            backend.chown(place, Some(old.owner), Some(old.group), Follow::No)?;
        }
        if now.mode == old.mode { Ok(()) } else { backend.chmod(place, old.mode) }
    });
    given.map_err(|failure| {
        let rule = explain::give(&failure);
        let error = group.failed(Action::Give, failure, rule);
        match file {
            Some(file) => error.in_file(file),
            None => error,
        }
    })
}

/// A file of a group, or its directory.
pub(super) fn entry<'a>(group: &'a Group, file: Option<&'a FileName>) -> Place<'a> {
    match file {
        Some(file) => control::of(group.directory(), file),
        None => Place::of(group.directory().descriptor()),
    }
}

/// A group that was made or changed, and how.
#[derive(Debug)]
pub struct Created {
    group: Group,
    hierarchy: Hierarchy,
    journal: Vec<Done>,
}

impl Created {
    pub(super) fn new(group: Group, hierarchy: Hierarchy, journal: Vec<Done>) -> Self {
        Self { group, hierarchy, journal }
    }

    /// The group.
    #[must_use]
    pub fn group(&self) -> &Group {
        &self.group
    }

    /// The group, for good.
    #[must_use]
    pub fn into_group(self) -> Group {
        self.group
    }

    /// Takes back what was done: a group that was made must be empty again, and one that was there is as it was. Groups
    /// above that were there, and controllers that were enabled, stay. What another has removed needs no taking back.
    ///
    /// # Errors
    /// The first thing that could not be taken back, as [`Rule::Irrevocable`]; [`Error::left`] has the others. The rest was.
    pub fn undo(&self, backend: &dyn Backend) -> Result<()> {
        let mut left = undo(backend, &self.hierarchy, &self.journal).into_iter();
        match left.next() {
            Some(first) => Err(first.leaving(left.collect())),
            None => Ok(()),
        }
    }
}
