//! From a description to the kernel: which steps in which hierarchy ([`Plans`]), made, changed or removed.
//!
//! A hierarchy is gone to once, however many of the controllers are in it. What is refused in one takes back what was done
//! in those before.

use std::fmt;

use super::super::create::{Creation, Existing};
use super::super::deletion::Deletion;
use super::super::error::{Action, Error, Result};
use super::super::group::Group;
use super::super::hierarchy::{Hierarchies, Hierarchy};
use super::super::journal::Created;
use super::super::plan::Plan;
use super::super::rule::Rule;
use super::super::subsystem::Subsystem;
use super::{Description, Part};
use crate::backend::Backend;
use crate::controller::ControllerSet;
use crate::id::{Mode, Pid};

/// Steps in several hierarchies. They print, one a line.
#[derive(Clone, Debug)]
pub struct Plans(pub(in super::super) Vec<Plan>);

impl Plans {
    /// Whether all is as it is wanted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(Plan::is_empty)
    }

    /// Takes the steps. If one is refused, those before it are taken back in every hierarchy, and the error says what could
    /// not be.
    ///
    /// # Errors
    /// As [`Plan::apply`].
    pub fn apply(&self, backend: &dyn Backend) -> Result<Vec<Created>> {
        let mut done: Vec<Created> = Vec::new();
        for plan in &self.0 {
            match plan.apply(backend) {
                Ok(created) => done.push(created),
                Err(error) => return Err(undone(backend, &done, error)),
            }
        }
        Ok(done)
    }
}

/// Takes back what was done, the last first: the error for which it is, with what could not be.
pub(in super::super) fn undone(backend: &dyn Backend, done: &[Created], error: Error) -> Error {
    let left = done.iter().rev().filter_map(|created| created.undo(backend).err());
    let left = error.left().iter().cloned().chain(left).collect();
    error.leaving(left)
}

impl fmt::Display for Plans {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut before: Option<&Hierarchy> = None;
        for plan in self.0.iter().filter(|plan| !plan.is_empty()) {
            if !before.is_some_and(|before| before.is(&plan.hierarchy)) {
                writeln!(out, "in {}:", plan.hierarchy.mount_point())?;
            }
            write!(out, "{plan}")?;
            before = Some(&plan.hierarchy);
        }
        Ok(())
    }
}

impl Description {
    /// Looks at what is there and says which steps make the groups, or change them to what is described; changes nothing.
    /// Without controllers it is the group of the v2 hierarchy.
    ///
    /// # Errors
    /// As [`Hierarchies::of`] and [`Creation::plan`].
    pub fn plan(&self, backend: &dyn Backend, hierarchies: &Hierarchies) -> Result<Plans> {
        self.plan_with(backend, hierarchies, Existing::Change)
    }

    /// Makes the groups, or changes those that are there: all of it or nothing.
    ///
    /// # Errors
    /// As [`plan`](Self::plan) and [`Plans::apply`].
    pub fn create(&self, backend: &dyn Backend, hierarchies: &Hierarchies) -> Result<Vec<Group>> {
        let done = self.plan(backend, hierarchies)?.apply(backend)?;
        Ok(done.into_iter().map(Created::into_group).collect())
    }

    /// Writes what is to be written, and differs from what is there: all of it or nothing. No group is made and no controller
    /// enabled.
    ///
    /// # Errors
    /// [`Rule::Missing`]; [`Rule::ControllerOff`]; as [`plan`](Self::plan) and [`Plans::apply`].
    pub fn modify(&self, backend: &dyn Backend, hierarchies: &Hierarchies) -> Result<()> {
        for (hierarchy, parts) in self.by_hierarchy(backend, hierarchies)? {
            let enabled = hierarchy.open(backend, &self.path)?.controllers(backend)?;
            let missing = controllers(&parts).difference(enabled);
            if let Some(controller) = missing.iter().next() {
                let off = Rule::ControllerOff(controller);
                return Err(Error::found(Action::Write, off).on(&self.path));
            }
        }
        self.plan_with(backend, hierarchies, Existing::Demand)?.apply(backend).map(drop)
    }

    /// Removes the groups. A group that is missing in one hierarchy is not looked for before those in the others are removed,
    /// and then it is the error.
    ///
    /// # Errors
    /// The first of [`Rule::Missing`] and those of [`Deletion::delete`]; [`Error::left`] has the others.
    pub fn delete(
        &self,
        backend: &dyn Backend,
        hierarchies: &Hierarchies,
        how: &Deletion,
    ) -> Result<()> {
        let mut refused = Vec::new();
        for (hierarchy, _) in self.by_hierarchy(backend, hierarchies)? {
            let group = hierarchy.open(backend, &self.path);
            refused.extend(group.and_then(|group| how.delete(backend, &group)).err());
        }
        let mut refused = refused.into_iter();
        refused.next().map_or(Ok(()), |first| Err(first.leaving(refused.collect())))
    }

    /// Changes the permissions of the groups and of all below them: see [`Group::chmod_recursive`].
    ///
    /// # Errors
    /// As [`Group::chmod_recursive`].
    pub fn chmod_recursive(
        &self,
        backend: &dyn Backend,
        hierarchies: &Hierarchies,
        directories: Option<Mode>,
        files: Option<Mode>,
    ) -> Result<()> {
        for (hierarchy, _) in self.by_hierarchy(backend, hierarchies)? {
            let group = hierarchy.open(backend, &self.path)?;
            group.chmod_recursive(backend, directories, files)?;
        }
        Ok(())
    }

    /// Moves a process into the groups: into all, or where one refuses, it goes back to where it was in the others. Threads
    /// of it that were elsewhere go with the first one.
    ///
    /// # Errors
    /// As [`Group::attach`]; [`Rule::NotMounted`] or [`Rule::Missing`] if it cannot be seen where it is, and then it stays
    /// there. [`Error::left`] says where it could not go back.
    pub fn attach(
        &self,
        backend: &dyn Backend,
        hierarchies: &Hierarchies,
        process: Pid,
    ) -> Result<()> {
        let opened = self.by_hierarchy(backend, hierarchies)?.into_iter();
        let groups: Result<Vec<Group>> =
            opened.map(|(hierarchy, _)| hierarchy.open(backend, &self.path)).collect();
        let groups = groups?;
        let Some((last, others)) = groups.split_last() else { return Ok(()) };
        let were: Result<Vec<Group>> =
            others.iter().map(|group| group.hierarchy().group_of(backend, process)).collect();
        let were = were?;
        let mut moved = Vec::new();
        let mut move_all = || {
            for (group, was) in others.iter().zip(&were) {
                group.attach(backend, process)?;
                moved.push(was);
            }
            last.attach(backend, process)
        };
        move_all().map_err(|error| {
            let back = moved.iter().rev().map(|was| was.attach(backend, process));
            error.leaving(back.filter_map(Result::err).collect())
        })
    }

    fn plan_with(
        &self,
        backend: &dyn Backend,
        hierarchies: &Hierarchies,
        existing: Existing,
    ) -> Result<Plans> {
        let mut plans = Vec::new();
        for (hierarchy, parts) in self.by_hierarchy(backend, hierarchies)? {
            let mut creation = Creation::new(self.path.clone())
                .on_existing(existing)
                .with(controllers(&parts))
                .owned_by(self.owners)
                .allowing(self.modes);
            for setting in parts.iter().flat_map(|part| &part.settings) {
                if let Some(value) = &setting.change {
                    creation = creation.with_value(setting.file.clone(), value.clone());
                }
            }
            plans.push(creation.plan(backend, hierarchy)?);
        }
        Ok(Plans(plans))
    }

    /// The hierarchies of its controllers, each with what is said of those in it.
    pub(in super::super) fn by_hierarchy<'a>(
        &'a self,
        backend: &dyn Backend,
        hierarchies: &'a Hierarchies,
    ) -> Result<Vec<(&'a Hierarchy, Vec<&'a Part>)>> {
        if self.parts.is_empty() {
            return Ok(vec![(hierarchies.of(backend, &Subsystem::Core)?, Vec::new())]);
        }
        let mut found: Vec<(&Hierarchy, Vec<&Part>)> = Vec::new();
        for part in &self.parts {
            let hierarchy = hierarchies.of(backend, part.subsystem())?;
            match found.iter_mut().find(|(there, _)| there.is(hierarchy)) {
                Some((_, parts)) => parts.push(part),
                None => found.push((hierarchy, vec![part])),
            }
        }
        Ok(found)
    }
}

fn controllers(parts: &[&Part]) -> ControllerSet {
    parts.iter().filter_map(|part| part.subsystem().controller()).collect()
}
