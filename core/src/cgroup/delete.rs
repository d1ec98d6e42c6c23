//! The end of a group: nothing is moved, nothing is killed, and a refusal says who is left.

use super::error::{Action, Error, Result};
use super::explain;
use super::group::Group;
use super::hierarchy::Hierarchy;
use super::name::GroupPath;
use super::rule::{GroupKind, Rule};
use crate::backend::Backend;
use crate::errno::Errno;
use crate::failure::Failure;
use crate::id::Pid;
use crate::path::{Follow, Place};

impl Group {
    /// Removes the group, if it is empty. Nobody is moved out for it, so a refusal leaves all as it was.
    ///
    /// Before that it makes sure that this group's path still leads to this group, and not to one that was made in its
    /// place. Between that look and the removal there is a moment in which another may do so: the kernel has no call
    /// that removes a directory by its handle.
    ///
    /// # Errors
    /// [`Rule::Occupied`] names the processes and child groups; [`Rule::Root`], [`Rule::Vanished`],
    /// [`Rule::Permission`].
    pub fn delete(&self, backend: &dyn Backend) -> Result<()> {
        if self.path().is_root() {
            return Err(self.found(Action::Delete, Rule::Root));
        }
        remove(backend, self).map_err(|error| refused(backend, self, error))
    }
}

/// Removes a group, if its path still leads to it.
pub(super) fn remove(backend: &dyn Backend, group: &Group) -> Result<()> {
    let (Some(above), Some(name)) = (group.path().parent(), group.path().name()) else {
        return Err(group.found(Action::Delete, Rule::Root));
    };
    let id = group.id(backend)?;
    let failed = |failure| failed(failure, group.path());
    // The group above is held, so that both calls mean the same name in the same group.
    let above = group.hierarchy().open_dir(backend, &above).map_err(failed)?;
    let place = Place::beneath(above.descriptor(), name.as_path());
    if backend.stat(place, Follow::No).map_err(failed)?.cgroup_id() != id {
        return Err(group.found(Action::Delete, Rule::Vanished));
    }
    backend.rmdir(place).map_err(failed)
}

/// Removes the group with this path, whichever it is.
pub(super) fn remove_name(
    backend: &dyn Backend,
    hierarchy: &Hierarchy,
    path: &GroupPath,
) -> Result<()> {
    let place = Place::beneath(hierarchy.root().descriptor(), path.as_path());
    backend.rmdir(place).map_err(|failure| failed(failure, path))
}

fn failed(failure: Failure, path: &GroupPath) -> Error {
    let rule = match explain::open(&failure) {
        Some(Rule::Missing) => Some(Rule::Vanished),
        rule => rule,
    };
    Error::failed(Action::Delete, failure, rule).on(path)
}

/// The error of a group that was not removed; of one that is in use it says who is left.
pub(super) fn refused(backend: &dyn Backend, group: &Group, error: Error) -> Error {
    if error.errno() != Some(Errno::EBUSY) {
        return error;
    }
    group.failed(Action::Delete, Errno::EBUSY.into(), occupied(backend, group))
}

/// Who is left in a group.
fn occupied(backend: &dyn Backend, group: &Group) -> Option<Rule> {
    let children = group.children(backend).ok()?;
    let processes = match group.kind(backend).ok()? {
        // Its list of processes cannot be read, and each of its threads is worth a name.
        GroupKind::Threaded => {
            group.threads(backend).ok()?.into_iter().map(|thread| Pid(thread.0)).collect()
        }
        GroupKind::Root
        | GroupKind::Domain
        | GroupKind::DomainThreaded
        | GroupKind::DomainInvalid
        | GroupKind::V1 => group.processes(backend).ok()?,
    };
    Some(Rule::Occupied { processes, children })
}
