//! What a group is wanted to be: a [`Creation`]. It says which steps lead there from what is ([`Plan`]).
//!
//! All that can be checked is checked while planning, which changes nothing.

use super::control;
use super::error::{Action, Error, Result};
use super::explain;
use super::group::{Group, files};
use super::hierarchy::{Hierarchy, Version};
use super::name::{FileName, GroupPath};
use super::owner::{Modes, Owners};
use super::plan::{Plan, Step};
use super::rule::{GroupKind, Rule};
use super::value::{Value, ValueError};
use crate::backend::{Access, Backend};
use crate::controller::ControllerSet;

/// What becomes of a group that is there already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Existing {
    /// It is in the way.
    #[default]
    Refuse,
    /// It is changed; without one a group is made.
    Change,
    /// It is changed; without one nothing is done.
    Demand,
}

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
    existing: Existing,
    controllers: ControllerSet,
    owners: Owners,
    modes: Modes,
    values: Vec<(FileName, Value)>,
}

impl Creation {
    /// A group without controllers and values.
    #[must_use]
    pub fn new(path: GroupPath) -> Self {
        Self {
            path,
            existing: Existing::default(),
            controllers: ControllerSet::EMPTY,
            owners: Owners::default(),
            modes: Modes::default(),
            values: Vec::new(),
        }
    }

    /// Says what becomes of a group that is there already; unsaid, it is in the way.
    ///
    /// ```
    /// use standin::cgroup::{Creation, Existing, GroupPath, Hierarchies};
    ///
    /// # let machine = standin_sim::Machine::builder().build();
    /// # let kernel = machine.root();
    /// let hierarchies = Hierarchies::find(&kernel).unwrap();
    /// let hierarchy = hierarchies.unified().unwrap();
    /// let wanted = Creation::new(GroupPath::new("web").unwrap())
    ///     .on_existing(Existing::Change)
    ///     .set("cgroup.max.depth", 3)
    ///     .unwrap();
    /// wanted.create(&kernel, hierarchy).unwrap();
    /// assert!(wanted.plan(&kernel, hierarchy).unwrap().is_empty(), "all is as it is wanted");
    /// ```
    #[must_use]
    pub fn on_existing(mut self, existing: Existing) -> Self {
        self.existing = existing;
        self
    }

    /// Given to somebody: its directory and its files, not the groups below.
    #[must_use]
    pub fn owned_by(mut self, owners: Owners) -> Self {
        self.owners = owners;
        self
    }

    /// With these permissions.
    #[must_use]
    pub fn allowing(mut self, modes: Modes) -> Self {
        self.modes = modes;
        self
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
    pub fn set<V>(self, file: &str, value: V) -> Result<Self>
    where
        V: TryInto<Value>,
        ValueError: From<V::Error>,
    {
        let refused = |rule| Error::found(Action::Write, rule).on(&self.path);
        let file = FileName::new(file).map_err(|error| refused(Rule::Name(error)))?;
        let value = value.try_into().map_err(ValueError::from);
        let value = value.map_err(|error| refused(Rule::Value(error)).in_file(&file))?;
        Ok(self.with_value(file, value))
    }

    pub(super) fn with_value(mut self, file: FileName, value: Value) -> Self {
        self.values.push((file, value));
        self
    }

    /// Looks at what is there and says which steps are needed; changes nothing. A value that a group has already is no step.
    ///
    /// # Errors
    /// [`Rule::Root`]; [`Rule::Taken`] or [`Rule::Missing`] if the group is there, or is not, and [`Existing`] does not want
    /// it so; [`Rule::ControllerMissing`]; [`Rule::ControllerOff`] if a
    /// value is for a controller that the group does not get; [`Rule::InternalProcesses`] of a group above, or
    /// [`Rule::Permission`] if the caller may not enable there what is missing, as above a delegated group.
    pub fn plan(&self, backend: &dyn Backend, hierarchy: &Hierarchy) -> Result<Plan> {
        self.check(hierarchy)?;
        let there = hierarchy.find(backend, &self.path)?;
        Ok(self.plan_from(backend, hierarchy, there)?.0)
    }

    /// What can be checked without a look.
    fn check(&self, hierarchy: &Hierarchy) -> Result<()> {
        let refused = |rule| Error::found(Action::Create, rule).on(&self.path);
        if self.path.is_root() && self.existing == Existing::Refuse {
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
        let fixed = hierarchy.fixed_controllers().unwrap_or(self.controllers);
        let missing = self.controllers.difference(fixed);
        if missing.is_empty() {
            return Ok(());
        }
        let refused = Error::found(Action::Enable, Rule::ControllerMissing(missing));
        Err(refused.on(&GroupPath::root()))
    }

    /// The steps, if this is the group that is there, and the deepest group on the way to it that is.
    fn plan_from(
        &self,
        backend: &dyn Backend,
        hierarchy: &Hierarchy,
        there: Option<Group>,
    ) -> Result<(Plan, Group)> {
        let refused = |rule| Error::found(Action::Create, rule).on(&self.path);
        match (&there, self.existing) {
            (Some(_), Existing::Refuse) => return Err(refused(Rule::Taken)),
            (None, Existing::Demand) => return Err(refused(Rule::Missing)),
            (Some(_), Existing::Change | Existing::Demand)
            | (None, Existing::Refuse | Existing::Change) => {}
        }
        // The groups that are missing, the deepest first.
        let mut new = Vec::new();
        let (mut deepest, mut path) = (there, self.path.clone());
        let deepest = loop {
            if let Some(group) = deepest {
                break group;
            }
            let Some(above) = path.parent() else { return Err(refused(Rule::Missing)) };
            new.push(std::mem::replace(&mut path, above));
            deepest = hierarchy.find(backend, &path)?;
        };
        let to_share_out = match hierarchy.version() {
            Version::V1 => ControllerSet::EMPTY,
            Version::V2 => self.controllers,
        };
        let mut steps = Vec::new();
        if !to_share_out.is_empty() {
            self.plan_enabling(backend, &deepest, &mut steps)?;
        }
        for path in new.iter().rev() {
            steps.push(Step::Make(path.clone()));
            if *path != self.path && !to_share_out.is_empty() {
                steps.push(Step::Enable(path.clone(), to_share_out));
            }
        }
        let is_there = new.is_empty();
        let is_given = self.owners.is_unset() && self.modes.is_unset()
            || is_there && deepest.is_given(backend, self.owners, self.modes)?;
        if !is_given {
            steps.push(Step::Give(self.owners, self.modes));
        }
        for (index, (file, value)) in self.values.iter().enumerate() {
            // What a file says now is not what it says after an earlier value.
            let is_first = self.values.iter().take(index).all(|(earlier, _)| earlier != file);
            if !(is_there && is_first && deepest.has(backend, file, value)?) {
                steps.push(Step::Write(file.clone(), value.clone()));
            }
        }
        let (hierarchy, path) = (hierarchy.clone(), self.path.clone());
        Ok((Plan { hierarchy, path, existing: self.existing, steps }, deepest))
    }

    /// The controllers that groups which are there must enable, from the root down. It is looked from below, since a group has
    /// all that are enabled in it enabled above.
    fn plan_enabling(
        &self,
        backend: &dyn Backend,
        deepest: &Group,
        steps: &mut Vec<Step>,
    ) -> Result<()> {
        let is_wanted = *deepest.path() == self.path;
        if is_wanted && deepest.controllers(backend)?.contains_all(self.controllers) {
            return Ok(());
        }
        let mut lacking = Vec::new();
        let mut above =
            if is_wanted { deepest.path().parent() } else { Some(deepest.path().clone()) };
        while let Some(path) = above {
            let group = if path == *deepest.path() {
                deepest.reopened()
            } else {
                deepest.hierarchy().open(backend, &path)?
            };
            let missing = self.controllers.difference(group.enabled(backend)?);
            if missing.is_empty() {
                break;
            }
            lacking.push((group, missing));
            above = path.parent();
        }
        for (group, missing) in lacking.iter().rev() {
            may_enable(backend, group, *missing)?;
            steps.push(Step::Enable(group.path().clone(), *missing));
        }
        Ok(())
    }

    /// Plans and applies.
    ///
    /// # Errors
    /// As [`plan`](Self::plan) and [`Plan::apply`].
    pub fn create(&self, backend: &dyn Backend, hierarchy: &Hierarchy) -> Result<Group> {
        self.check(hierarchy)?;
        // Whether a group is there that must not be, the kernel says when it is made; only what is done before needs a look.
        let is_blind = self.existing == Existing::Refuse;
        let there = if is_blind { None } else { hierarchy.find(backend, &self.path)? };
        let planned = self.plan_from(backend, hierarchy, there);
        let first = planned.as_ref().map(|(plan, _)| plan.steps.first());
        let needs_look = matches!(first, Ok(Some(Step::Enable(..))) | Err(_));
        if is_blind && needs_look && hierarchy.find(backend, &self.path)?.is_some() {
            return Err(Error::found(Action::Create, Rule::Taken).on(&self.path));
        }
        let (plan, deepest) = planned?;
        Ok(plan.apply_from(backend, deepest)?.into_group())
    }
}

/// Whether a group that is there can enable controllers.
fn may_enable(backend: &dyn Backend, group: &Group, missing: ControllerSet) -> Result<()> {
    let refused = |rule| Err(Error::found(Action::Enable, rule).on(group.path()));
    // Below the root, a controller that is missing is enabled by an earlier step.
    if group.path().is_root() {
        let lacking = missing.difference(group.controllers(backend)?);
        if !lacking.is_empty() {
            return refused(Rule::ControllerMissing(lacking));
        }
    }
    let file = files::subtree_control();
    let written = backend.access(control::of(group.directory(), &file), Access::WRITE);
    written.map_err(|failure| {
        let rule = explain::open(&failure);
        group.failed(Action::Enable, failure, rule).in_file(&file)
    })?;
    if !explain::domain(missing).is_empty()
        && group.kind(backend)? != GroupKind::Root
        && let Some(rule) = explain::internal(group.processes(backend)?)
    {
        return refused(rule);
    }
    Ok(())
}
