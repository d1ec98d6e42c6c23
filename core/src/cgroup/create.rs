//! Making a group: a [`Creation`] says what is wanted, a [`Plan`] which steps lead there from what is, [`Created`] what
//! was done and can be taken back.
//!
//! All that can be checked is checked while planning, which changes nothing. A step that is refused all the same takes
//! back the steps before it, and only these: a controller that was enabled before, or a group that was there, stays.

use std::fmt;
use std::sync::Arc;

use super::delete;
use super::error::{Action, Error, Result};
use super::explain;
use super::group::Group;
use super::hierarchy::{Hierarchy, Version};
use super::name::{FileName, GroupName, GroupPath};
use super::rule::Rule;
use super::value::{Value, ValueError};
use crate::backend::Backend;
use crate::controller::ControllerSet;
use crate::id::{CgroupId, Mode};
use crate::path::Place;

/// Permission bits of a new group, before the umask: the kernel gives its files their own.
const MODE: Mode = Mode::new(0o755);

/// A group that is wanted: its path, its controllers, its values.
///
/// ```
/// use standin::cgroup::{Creation, GroupPath, Hierarchies};
/// use standin::Controller;
///
/// # let machine = standin_sim::Machine::builder().build();
/// # let kernel = machine.root();
/// let hierarchies = Hierarchies::find(&kernel).unwrap();
/// let hierarchy = hierarchies.unified().unwrap();
/// let plan = Creation::new(GroupPath::new("system/web").unwrap())
///     .with(Controller::Pids)
///     .set("pids.max", 5)
///     .unwrap()
///     .plan(&kernel, hierarchy)
///     .unwrap();
/// assert_eq!(
///     plan.to_string(),
///     "enable pids in /\n\
///      create /system\n\
///      enable pids in /system\n\
///      create /system/web\n\
///      write pids.max of /system/web: 5\n"
/// );
/// let created = plan.apply(&kernel).unwrap();
/// assert_eq!(created.group().get(&kernel, "pids.max").unwrap().number::<u64>().unwrap(), 5);
/// created.undo(&kernel).unwrap();
/// assert!(hierarchy.open(&kernel, &GroupPath::new("system").unwrap()).is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Creation {
    path: GroupPath,
    controllers: ControllerSet,
    values: Vec<(FileName, Value)>,
}

impl Creation {
    /// A group without controllers and values.
    #[must_use]
    pub fn new(path: GroupPath) -> Self {
        Self { path, controllers: ControllerSet::EMPTY, values: Vec::new() }
    }

    /// With controllers, which are enabled on the whole way from the root; a v1 hierarchy must have them.
    #[must_use]
    pub fn with(mut self, controllers: impl Into<ControllerSet>) -> Self {
        self.controllers = self.controllers.union(controllers.into());
        self
    }

    /// With a value for one of its files. Values are written in the order in which they were given.
    ///
    /// # Errors
    /// [`Rule::Name`], [`Rule::Value`].
    pub fn set<V>(mut self, file: &str, value: V) -> Result<Self>
    where
        V: TryInto<Value>,
        ValueError: From<V::Error>,
    {
        let refused = |rule| Error::found(Action::Write, rule).on(&self.path);
        let file = FileName::new(file).map_err(|error| refused(Rule::Name(error)))?;
        let value = value.try_into().map_err(ValueError::from);
        let value = value.map_err(|error| refused(Rule::Value(error)).in_file(&file))?;
        self.values.push((file, value));
        Ok(self)
    }

    /// Looks at what is there and says which steps are needed; changes nothing.
    ///
    /// # Errors
    /// [`Rule::Root`]; [`Rule::Taken`] if the group is there; [`Rule::ControllerMissing`]; [`Rule::ControllerOff`] if a
    /// value is for a controller that the group does not get; [`Rule::InternalProcesses`] of a group above.
    pub fn plan(&self, backend: &dyn Backend, hierarchy: &Hierarchy) -> Result<Plan> {
        let refused = |rule| Error::found(Action::Create, rule).on(&self.path);
        if self.path.is_root() {
            return Err(refused(Rule::Root));
        }
        let of_controllers =
            self.values.iter().filter_map(|(file, _)| Some((file, file.controller()?)));
        for (file, controller) in of_controllers {
            if !self.controllers.contains(controller) {
                let off = Error::found(Action::Write, Rule::ControllerOff(controller));
                return Err(off.on(&self.path).in_file(file));
            }
        }
        let is_v1 = hierarchy.version() == Version::V1;
        let mut steps = Vec::new();
        let mut above = Some(hierarchy.open(backend, &GroupPath::root())?);
        let mut path = GroupPath::root();
        for name in self.path.names() {
            let missing = match &above {
                Some(group) => self.missing_in(backend, group)?,
                None if is_v1 => ControllerSet::EMPTY,
                None => self.controllers,
            };
            if !missing.is_empty() {
                steps.push(Step::Enable(path.clone(), missing));
            }
            path = path.join(&name)?;
            above = match above {
                Some(_) => hierarchy.find(backend, &path)?,
                None => None,
            };
            if above.is_none() {
                steps.push(Step::Make(path.clone()));
            }
        }
        if above.is_some() {
            return Err(refused(Rule::Taken));
        }
        let values = self.values.iter();
        steps.extend(values.map(|(file, value)| Step::Write(file.clone(), value.clone())));
        Ok(Plan { hierarchy: hierarchy.clone(), path: self.path.clone(), steps })
    }

    /// Which controllers a group that is there does not enable yet, and whether it can.
    fn missing_in(&self, backend: &dyn Backend, group: &Group) -> Result<ControllerSet> {
        if let Some(fixed) = group.hierarchy().fixed_controllers() {
            let missing = self.controllers.difference(fixed);
            let refused = || Error::found(Action::Enable, Rule::ControllerMissing(missing));
            return if missing.is_empty() { Ok(missing) } else { Err(refused().on(group.path())) };
        }
        if self.controllers.is_empty() {
            return Ok(ControllerSet::EMPTY);
        }
        let missing = self.controllers.difference(group.enabled(backend)?);
        if missing.is_empty() {
            return Ok(missing);
        }
        let refused = |rule| Error::found(Action::Enable, rule).on(group.path());
        let available = group.controllers(backend)?;
        // Below the root, a controller that is missing is enabled by an earlier step.
        if group.path().is_root() && !available.contains_all(missing) {
            return Err(refused(Rule::ControllerMissing(missing.difference(available))));
        }
        if !explain::domain(missing).is_empty()
            && group.kind(backend)? != super::rule::GroupKind::Root
            && let Some(rule) = explain::internal(group.processes(backend)?)
        {
            return Err(refused(rule));
        }
        Ok(missing)
    }

    /// Plans and applies.
    ///
    /// # Errors
    /// As [`plan`](Self::plan) and [`Plan::apply`].
    pub fn create(&self, backend: &dyn Backend, hierarchy: &Hierarchy) -> Result<Group> {
        Ok(self.plan(backend, hierarchy)?.apply(backend)?.into_group())
    }
}

/// The steps to a new group. It prints them, one a line.
#[derive(Clone, Debug)]
pub struct Plan {
    hierarchy: Hierarchy,
    path: GroupPath,
    steps: Vec<Step>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    /// Enable controllers for the children of a group above.
    Enable(GroupPath, ControllerSet),
    /// Make the group or one above it.
    Make(GroupPath),
    /// Write a value of the group.
    Write(FileName, Value),
}

impl fmt::Display for Plan {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.steps {
            match step {
                Step::Enable(group, controllers) => {
                    writeln!(out, "enable {controllers} in {group}")?
                }
                Step::Make(group) => writeln!(out, "create {group}")?,
                Step::Write(file, value) => {
                    writeln!(out, "write {file} of {}: {value}", self.path)?
                }
            }
        }
        Ok(())
    }
}

impl Plan {
    /// Takes the steps. If one is refused, those before it are taken back, and the error says what could not be.
    ///
    /// # Errors
    /// As [`Group::enable`], [`Group::set`]; [`Rule::Taken`], [`Rule::Full`], [`Rule::Permission`] of a new group.
    pub fn apply(&self, backend: &dyn Backend) -> Result<Created> {
        let mut journal = Vec::new();
        match self.take_steps(backend, &mut journal) {
            Ok(group) => Ok(Created { group, hierarchy: self.hierarchy.clone(), journal }),
            Err(error) => Err(error.leaving(undo(backend, &self.hierarchy, &journal))),
        }
    }

    fn take_steps(&self, backend: &dyn Backend, journal: &mut Vec<Done>) -> Result<Group> {
        let mut at = Arc::new(self.hierarchy.open(backend, &GroupPath::root())?);
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
                Step::Write(file, value) => at.write(backend, file, value)?,
            }
        }
        // The group itself enables nothing, so nobody else holds it.
        Arc::try_unwrap(at).or_else(|at| self.hierarchy.open(backend, at.path()))
    }

    /// Makes a group. One above the wanted group may have appeared meanwhile: it is used, and not ours.
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
                if rule == Some(Rule::Taken) && *path != self.path {
                    return parent.child(backend, name);
                }
                return Err(Error::failed(Action::Create, failure, rule).on(path));
            }
        }
        journal.push(Done::Made(path.clone(), None));
        let group = parent.child(backend, name)?;
        let id = group.id(backend)?;
        if let Some(Done::Made(_, known)) = journal.last_mut() {
            *known = Some(id);
        }
        Ok(group)
    }
}

/// A step that was taken.
#[derive(Debug)]
enum Done {
    Enabled(Arc<Group>, ControllerSet),
    /// The group's number, if it was still there to be asked.
    Made(GroupPath, Option<CgroupId>),
}

/// Takes steps back, the last first: what could not be, and why.
fn undo(backend: &dyn Backend, hierarchy: &Hierarchy, journal: &[Done]) -> Vec<Error> {
    let back = journal.iter().rev().map(|done| match done {
        Done::Enabled(group, controllers) => group.disable(backend, *controllers),
        Done::Made(path, id) => delete::remove(backend, hierarchy, path, *id),
    });
    back.filter_map(Result::err).collect()
}

/// A group that was made, and how.
#[derive(Debug)]
pub struct Created {
    group: Group,
    hierarchy: Hierarchy,
    journal: Vec<Done>,
}

impl Created {
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

    /// Takes back what was done to make the group: the group must be empty again. Groups above that were there, and
    /// controllers that were enabled, stay.
    ///
    /// # Errors
    /// The first thing that could not be taken back; [`Error::left`] has the others. The rest was.
    pub fn undo(&self, backend: &dyn Backend) -> Result<()> {
        let mut left = undo(backend, &self.hierarchy, &self.journal).into_iter();
        match left.next() {
            Some(first) => Err(first.leaving(left.collect())),
            None => Ok(()),
        }
    }
}
