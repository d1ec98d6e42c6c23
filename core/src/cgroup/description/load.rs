//! From the kernel to a description: what is there, and what a child may take over from the group above.

use super::super::error::{Action, Error, Result};
use super::super::group::{Group, files};
use super::super::hierarchy::{Hierarchies, Hierarchy, Version};
use super::super::journal::entry;
use super::super::name::GroupPath;
use super::super::owner::{Owner, Owners};
use super::super::rule::Rule;
use super::super::subsystem::Subsystem;
use super::super::value::Value;
use super::part::Setting;
use super::{Description, Part};
use crate::backend::Backend;
use crate::path::Follow;

/// What came of taking over values from the group above.
#[derive(Debug)]
pub struct Inherited {
    /// The groups that were made.
    pub groups: Vec<Group>,
    /// The values that a kernel did not let be taken over, and why.
    pub refused: Vec<Error>,
}

impl Description {
    /// Reads the group with this path in every hierarchy that has it: every file of each of its controllers that can be read,
    /// whatever its length, and who owns it. Nothing of it is to be written.
    ///
    /// Of owners that differ from hierarchy to hierarchy nothing is said.
    ///
    /// # Errors
    /// [`Rule::Missing`] if no hierarchy has it; as [`Group::get`].
    pub fn load(
        backend: &dyn Backend,
        hierarchies: &Hierarchies,
        path: &GroupPath,
    ) -> Result<Self> {
        let mut found = Self::new(path.clone());
        let mut owners = Vec::new();
        for hierarchy in hierarchies.iter() {
            if let Some(group) = hierarchy.find(backend, path)? {
                found.read(backend, hierarchy, &group)?;
                owners.push(owners_of(backend, &group)?);
            }
        }
        let missing = || Error::found(Action::Open, Rule::Missing).on(path);
        let first = owners.first().copied().ok_or_else(missing)?;
        found.owners = owners.into_iter().fold(first, agreed);
        Ok(found)
    }

    fn read(&mut self, backend: &dyn Backend, hierarchy: &Hierarchy, group: &Group) -> Result<()> {
        let controllers = group.controllers(backend)?;
        let mut parts: Vec<Part> =
            controllers.iter().map(|controller| Part::new(&self.path, controller.into())).collect();
        if let Some(name) = hierarchy.name() {
            let name = Subsystem::Named(String::from_utf8_lossy(name).into_owned());
            parts.push(Part::new(&self.path, name));
        }
        for file in group.files(backend)? {
            let belongs = |part: &&mut Part| {
                part.subsystem().controller().is_some_and(|controller| file.belongs_to(controller))
            };
            let Some(part) = parts.iter_mut().find(belongs) else { continue };
            match group.read(backend, &file) {
                Ok(content) => {
                    let bytes = content.as_bytes();
                    let text = bytes.strip_suffix(b"\n").unwrap_or(bytes).to_vec();
                    part.settings.push(Setting { file, text, change: None });
                }
                // Some can only be written; some say nothing here, as threads' lists do of processes.
                Err(error) if error.errno().is_some() => {
                    if error.rule() == Some(&Rule::Vanished) {
                        return Err(error);
                    }
                }
                Err(error) => return Err(error),
            }
        }
        self.parts.extend(parts);
        Ok(())
    }

    /// Makes the groups in every hierarchy that has the group above, and takes over from it what can be written: first the
    /// groups, all or none; then the values, of which a kernel may refuse some.
    ///
    /// # Errors
    /// [`Rule::Root`]; as [`load`](Self::load) of the group above and [`create`](Self::create).
    pub fn create_from_parent(
        &self,
        backend: &dyn Backend,
        hierarchies: &Hierarchies,
    ) -> Result<Inherited> {
        let root = || Error::found(Action::Create, Rule::Root).on(&self.path);
        let above = Self::load(backend, hierarchies, &self.path.parent().ok_or_else(root)?)?;
        let mut child =
            Self { owners: self.owners, modes: self.modes, ..Self::new(self.path.clone()) };
        child.copy_from(&above);
        let groups = child.create(backend, hierarchies)?;
        let mut refused = Vec::new();
        for (hierarchy, parts) in child.by_hierarchy(backend, hierarchies)? {
            let Some(group) = groups.iter().find(|group| group.hierarchy().is(hierarchy)) else {
                continue;
            };
            for setting in parts.iter().flat_map(|part| &part.settings) {
                refused.extend(take_over(backend, group, setting).err());
            }
        }
        Ok(Inherited { groups, refused })
    }
}

/// Writes a value of the group above, if it is one that a group is given rather than one that tells of it.
fn take_over(backend: &dyn Backend, group: &Group, setting: &Setting) -> Result<()> {
    const OWNER_WRITES: u16 = 0o200;
    let is_setting =
        group.stat(backend, &setting.file).is_some_and(|stat| stat.mode.bits() & OWNER_WRITES != 0);
    let Ok(value) = Value::new(setting.text.clone()) else { return Ok(()) };
    if !is_setting || group.said(backend, &setting.file)?.is_none_or(|said| said == value) {
        return Ok(());
    }
    group.write(backend, &setting.file, &value)
}

/// Who owns a group, and the file that says who is in it.
fn owners_of(backend: &dyn Backend, group: &Group) -> Result<Owners> {
    let members = match group.hierarchy().version() {
        Version::V1 => files::tasks(),
        Version::V2 => files::procs(),
    };
    let of = |file| -> Result<Owner> {
        let stat = backend.stat(entry(group, file), Follow::No);
        let stat = stat.map_err(|failure| group.failed(Action::Open, failure, None))?;
        Ok(Owner::from((stat.owner, stat.group)))
    };
    Ok(Owners { control: of(None)?, members: of(Some(&members))? })
}

/// What both say.
fn agreed(one: Owners, other: Owners) -> Owners {
    let both = |one: Owner, other: Owner| Owner {
        user: one.user.filter(|user| other.user == Some(*user)),
        group: one.group.filter(|group| other.group == Some(*group)),
    };
    Owners { control: both(one.control, other.control), members: both(one.members, other.members) }
}
