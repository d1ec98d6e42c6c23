//! A group as libcgroup has it: one name, in as many hierarchies as its controllers are in ([`Description`]).
//!
//! It is data, and touches no kernel until it is told to: `apply` makes, changes and removes what it describes, `load` reads
//! what is there, `convert` says it in the words of the other version.

mod apply;
mod convert;
mod load;
mod part;

pub use apply::Plans;
pub(super) use apply::undone;
pub use convert::Converted;
pub use load::Inherited;
pub use part::Part;

use super::code::Code;
use super::error::{Action, Error, Result};
use super::hierarchy::Hierarchies;
use super::name::GroupPath;
use super::owner::{Modes, Owners};
use super::rule::Rule;
use super::subsystem::Subsystem;
use crate::backend::Backend;

/// What is wanted, or was found, of the groups with one name.
///
/// ```
/// use standin::Controller;
/// use standin::cgroup::{Description, GroupPath, Hierarchies};
/// use standin_sim::{Layout, Machine};
///
/// let machine = Machine::builder().layout(Layout::Legacy).build();
/// let kernel = machine.root();
/// let hierarchies = Hierarchies::find(&kernel).unwrap();
///
/// let mut web = Description::new(GroupPath::new("web").unwrap());
/// web.add(Controller::Pids).unwrap().add("pids.max", 5).unwrap();
/// web.add(Controller::Cpu).unwrap().add("cpu.shares", 512).unwrap();
/// let plans = web.plan(&kernel, &hierarchies).unwrap();
/// assert_eq!(
///     plans.to_string(),
///     "in /sys/fs/cgroup/pids:\ncreate /web\nwrite pids.max of /web: 5\n\
///      in /sys/fs/cgroup/cpu:\ncreate /web\nwrite cpu.shares of /web: 512\n"
/// );
/// plans.apply(&kernel).unwrap();
///
/// let found = Description::load(&kernel, &hierarchies, web.path()).unwrap();
/// let cpu = found.part(&Controller::Cpu.into()).unwrap();
/// assert_eq!(cpu.get("cpu.shares").unwrap().number::<u64>().unwrap(), 512);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    path: GroupPath,
    owners: Owners,
    modes: Modes,
    parts: Vec<Part>,
}

/// What two descriptions have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Comparison {
    /// Everything but modes, which are not looked at.
    Same,
    /// Name and owners; not controllers, files or values.
    OtherControllers,
    /// Not even these.
    OtherGroup,
}

impl Comparison {
    /// The number that libcgroup has for it; none if they are the same.
    #[must_use]
    pub const fn code(self) -> Option<Code> {
        match self {
            Self::Same => None,
            Self::OtherControllers => Some(Code::CONTROLLER_NOT_EQUAL),
            Self::OtherGroup => Some(Code::NOT_EQUAL),
        }
    }
}

impl Description {
    /// Of nothing but a name.
    #[must_use]
    pub fn new(path: GroupPath) -> Self {
        Self { path, owners: Owners::default(), modes: Modes::default(), parts: Vec::new() }
    }

    /// The groups' path in each hierarchy.
    #[must_use]
    pub fn path(&self) -> &GroupPath {
        &self.path
    }

    /// Adds a controller.
    ///
    /// # Errors
    /// [`Rule::ControllerTwice`].
    pub fn add(&mut self, subsystem: impl Into<Subsystem>) -> Result<&mut Part> {
        let subsystem = subsystem.into();
        if self.part(&subsystem).is_some() {
            let error = Error::found(Action::Describe, Rule::ControllerTwice(subsystem));
            return Err(error.on(&self.path));
        }
        Ok(self.parts.push_mut(Part::new(&self.path, subsystem)))
    }

    /// Adds every controller that some hierarchy has and that is not there yet.
    ///
    /// # Errors
    /// As [`Hierarchy::controllers`](super::Hierarchy::controllers).
    pub fn add_all(&mut self, backend: &dyn Backend, hierarchies: &Hierarchies) -> Result<()> {
        for hierarchy in hierarchies.iter() {
            for controller in hierarchy.controllers(backend)?.iter() {
                let subsystem = Subsystem::from(controller);
                if self.part(&subsystem).is_none() {
                    self.parts.push(Part::new(&self.path, subsystem));
                }
            }
        }
        Ok(())
    }

    /// What it says of a controller.
    #[must_use]
    pub fn part(&self, subsystem: &Subsystem) -> Option<&Part> {
        self.parts.iter().find(|part| part.subsystem() == subsystem)
    }

    /// The same, to change it.
    pub fn part_mut(&mut self, subsystem: &Subsystem) -> Option<&mut Part> {
        self.parts.iter_mut().find(|part| part.subsystem() == subsystem)
    }

    /// What it says of each controller, in the order in which they were added.
    #[must_use]
    pub fn parts(&self) -> impl ExactSizeIterator<Item = &Part> {
        self.parts.iter()
    }

    /// Forgets all controllers.
    pub fn clear(&mut self) {
        self.parts.clear();
    }

    /// Whose the groups are.
    #[must_use]
    pub const fn owners(&self) -> Owners {
        self.owners
    }

    /// Says whose the groups shall be.
    pub fn set_owners(&mut self, owners: Owners) {
        self.owners = owners;
    }

    /// Who may do what with the groups.
    #[must_use]
    pub const fn modes(&self) -> Modes {
        self.modes
    }

    /// Says who may do what with the groups.
    pub fn set_modes(&mut self, modes: Modes) {
        self.modes = modes;
    }

    /// Takes the controllers, files and values of another, in the place of its own. Name, owners and modes stay.
    pub fn copy_from(&mut self, other: &Self) {
        self.parts = other.parts.iter().map(|part| part.of(&self.path)).collect();
    }

    /// What it has in common with another. Neither the order of controllers and values counts, nor what is to be written.
    #[must_use]
    pub fn compare(&self, other: &Self) -> Comparison {
        let is_there =
            |part: &Part| other.part(part.subsystem()).is_some_and(|there| part.is_like(there));
        if (&self.path, self.owners) != (&other.path, other.owners) {
            Comparison::OtherGroup
        } else if self.parts.len() == other.parts.len() && self.parts.iter().all(is_there) {
            Comparison::Same
        } else {
            Comparison::OtherControllers
        }
    }
}
