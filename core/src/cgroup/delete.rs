//! The end of a group: nothing is moved, nothing is killed, and a refusal says who is left.

use super::error::{Action, Error, Result};
use super::explain;
use super::group::Group;
use super::hierarchy::Hierarchy;
use super::name::GroupPath;
use super::rule::{GroupKind, Rule};
use crate::backend::Backend;
use crate::errno::Errno;
use crate::id::{CgroupId, Pid};
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
        let id = self.id(backend)?;
        remove(backend, self.hierarchy(), self.path(), Some(id)).map_err(|error| {
            match error.errno() {
                Some(Errno::EBUSY) => {
                    let rule = occupied(backend, self);
                    self.failed(Action::Delete, Errno::EBUSY.into(), rule)
                }
                _ => error,
            }
        })
    }
}

/// Removes the group with this path, if it is still the one with this number.
pub(super) fn remove(
    backend: &dyn Backend,
    hierarchy: &Hierarchy,
    path: &GroupPath,
    id: Option<CgroupId>,
) -> Result<()> {
    let place = Place::beneath(hierarchy.root().descriptor(), path.as_path());
    let failed = |failure| {
        let rule = match explain::open(&failure) {
            Some(Rule::Missing) => Some(Rule::Vanished),
            rule => rule,
        };
        Error::failed(Action::Delete, failure, rule).on(path)
    };
    if let Some(id) = id {
        let there = backend.stat(place, Follow::No).map_err(failed)?;
        if there.cgroup_id() != id {
            return Err(Error::found(Action::Delete, Rule::Vanished).on(path));
        }
    }
    backend.rmdir(place).map_err(failed)
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
