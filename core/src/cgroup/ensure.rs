//! Groups as they shall be, whatever is there now: an [`Ensure`]. It says which steps lead there ([`Steps`]), as few as there
//! can be, and none once all is so.
//!
//! It adds order and comparison to what makes, changes and removes one group: `description` and `plan` do, and take back;
//! `deletion` removes; `form` knows what files make of what is written to them.

use std::fmt;

use super::deletion::Deletion;
use super::description::{Description, Plans, undone};
use super::error::{Action, Error, Result};
use super::form;
use super::group::Group;
use super::hierarchy::{Hierarchies, Hierarchy};
use super::journal::Created;
use super::name::GroupPath;
use super::plan::{Plan, Step};
use super::rule::Rule;
use crate::backend::Backend;
use crate::controller::ControllerSet;
use crate::id::Pid;

/// A tree of groups that shall be there, with controllers, values, owners, modes and members, and of groups that shall not.
/// Groups of which it says nothing stay, and so does everything that is not said of the others.
///
/// What it ensures is a state: once it was [applied](Self::apply), the next [plan](Self::plan) is empty, as long as nobody
/// else changes anything. It remembers nothing for that. A value is compared with what its file says, and for files that say
/// it in other words (bytes are rounded to pages, lists are sorted) it is known in which. A value that reads back otherwise
/// for another reason is refused, and the error says which value to want instead. What leaves nothing to be read is an order
/// and no state: it is refused too.
///
/// ```
/// use standin::backend::Processes;
/// use standin::cgroup::{Deletion, Description, Ensure, GroupPath, Hierarchies};
/// use standin::Controller;
///
/// # let machine = standin_sim::Machine::builder().build();
/// # let kernel = machine.root();
/// let hierarchies = Hierarchies::find(&kernel).unwrap();
/// let worker = kernel.fork().unwrap().pid().unwrap();
/// let named = |path| Description::new(GroupPath::new(path).unwrap());
///
/// let mut shop = named("shop");
/// shop.add(Controller::Memory).unwrap().add("memory.max", "64M").unwrap();
/// let mut web = named("shop/web");
/// web.add(Controller::Pids).unwrap().add("pids.max", 5).unwrap();
/// let wanted = Ensure::new()
///     .present_with(web, [worker])
///     .present(shop)
///     .absent(named("old"), Deletion::new());
///
/// let steps = wanted.plan(&kernel, &hierarchies).unwrap();
/// let expected = format!(
///     "in /sys/fs/cgroup:\n\
///      enable memory in /\n\
///      create /shop\n\
///      write memory.max of /shop: 64M\n\
///      enable pids in /\n\
///      enable pids in /shop\n\
///      create /shop/web\n\
///      write pids.max of /shop/web: 5\n\
///      attach {worker} to /shop/web\n"
/// );
/// assert_eq!(steps.to_string(), expected);
/// steps.apply(&kernel).unwrap();
/// assert!(wanted.plan(&kernel, &hierarchies).unwrap().is_empty());
/// ```
#[derive(Clone, Debug, Default)]
pub struct Ensure {
    present: Vec<(Description, Vec<Pid>)>,
    absent: Vec<(Description, Deletion)>,
}

impl Ensure {
    /// Of nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With a group in each hierarchy of its controllers, made or changed. Of what was loaded only what was set counts.
    #[must_use]
    pub fn present(self, group: Description) -> Self {
        self.present_with(group, [])
    }

    /// With a group, and processes that shall be in it; others may be there too.
    #[must_use]
    pub fn present_with(
        mut self,
        group: Description,
        members: impl IntoIterator<Item = Pid>,
    ) -> Self {
        self.present.push((group, members.into_iter().collect()));
        self
    }

    /// Without a group in any hierarchy of its controllers; how it ends, if it is there. Nothing else is read of the
    /// description.
    #[must_use]
    pub fn absent(mut self, group: Description, how: Deletion) -> Self {
        self.absent.push((group, how));
        self
    }

    /// Looks at what is there and says which steps are left; changes nothing. Groups are made from the top, each with its
    /// values and members; at the end the unwanted ones go, the deepest first.
    ///
    /// # Errors
    /// [`Rule::WantedTwice`]; [`Rule::NotReadable`] of a value that is an order; [`Rule::NoSuchTask`]; as
    /// [`Description::plan`].
    pub fn plan(&self, backend: &dyn Backend, hierarchies: &Hierarchies) -> Result<Steps> {
        let mut present: Vec<_> = self.present.iter().collect();
        present.sort_by_key(|(group, _)| group.path());
        let mut plans: Vec<Plan> = Vec::new();
        for (group, members) in present {
            for mut plan in group.plan(backend, hierarchies)?.0 {
                plan.is_of_states()?;
                plan.leave_out(&plans)?;
                for process in members {
                    if plan.hierarchy.locate(backend, *process)?.as_ref() != Some(&plan.path) {
                        plan.steps.push(Step::Attach(*process));
                    }
                }
                plans.push(plan);
            }
        }
        let mut removals = Vec::new();
        for (group, how) in &self.absent {
            for (hierarchy, _) in group.by_hierarchy(backend, hierarchies)? {
                let path = group.path();
                let is_wanted =
                    |plan: &Plan| plan.hierarchy.is(hierarchy) && is_below(&plan.path, path);
                let is_said = |(other, _): &(Group, Deletion)| {
                    other.hierarchy().is(hierarchy) && other.path() == path
                };
                if plans.iter().any(is_wanted) || removals.iter().any(is_said) {
                    return Err(wanted_twice(path));
                }
                removals.extend(hierarchy.find(backend, path)?.map(|group| (group, *how)));
            }
        }
        removals.sort_by(|(one, _), (other, _)| other.path().cmp(one.path()));
        Ok(Steps { plans: Plans(plans), removals })
    }

    /// Plans and applies: the groups that are wanted, from the top.
    ///
    /// # Errors
    /// As [`plan`](Self::plan) and [`Steps::apply`].
    pub fn apply(&self, backend: &dyn Backend, hierarchies: &Hierarchies) -> Result<Vec<Group>> {
        self.plan(backend, hierarchies)?.apply(backend)
    }
}

fn wanted_twice(path: &GroupPath) -> Error {
    Error::found(Action::Describe, Rule::WantedTwice).on(path)
}

/// Whether a group is another or below it.
fn is_below(path: &GroupPath, above: &GroupPath) -> bool {
    let mut names = path.as_path().components();
    above.as_path().components().all(|name| names.next() == Some(name))
}

impl Plan {
    /// Checks that each value is one that a file keeps.
    fn is_of_states(&self) -> Result<()> {
        for step in &self.steps {
            if let Step::Write(file, _) = step
                && form::is_command(file)
            {
                let refused = Error::found(Action::Write, Rule::NotReadable);
                return Err(refused.on(&self.path).in_file(file));
            }
        }
        Ok(())
    }

    /// Leaves out what is done by the time that other plans were carried out.
    fn leave_out(&mut self, others: &[Self]) -> Result<()> {
        let others = || others.iter().filter(|other| other.hierarchy.is(&self.hierarchy));
        if others().any(|other| other.path == self.path) {
            return Err(wanted_twice(&self.path));
        }
        let before = || others().flat_map(|other| &other.steps);
        let enabled = |group: &GroupPath| {
            let sets = before().filter_map(|step| {
                if let Step::Enable(path, set) = step { Some((path, *set)) } else { None }
            });
            sets.filter(|(path, _)| *path == group)
                .fold(ControllerSet::EMPTY, |all, (_, set)| all.union(set))
        };
        self.steps.retain_mut(|step| {
            if let Step::Enable(group, set) = step {
                *set = set.difference(enabled(group));
                return !set.is_empty();
            }
            !matches!(step, Step::Make(_)) || before().all(|other| other != step)
        });
        Ok(())
    }

    /// Checks that each file says what was written.
    fn check(&self, backend: &dyn Backend, group: &Group) -> Result<()> {
        for step in &self.steps {
            if let Step::Write(file, value) = step
                && !group.has(backend, file, value)?
            {
                let said = group.read(backend, file)?.to_string();
                let rule = Rule::SaysOther { said: said.trim_end().to_owned() };
                return Err(group.found(Action::Write, rule).in_file(file));
            }
        }
        Ok(())
    }
}

/// What is left to do. It prints, one step a line.
#[derive(Debug)]
pub struct Steps {
    plans: Plans,
    removals: Vec<(Group, Deletion)>,
}

impl Steps {
    /// Whether all is as it is wanted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.plans.is_empty() && self.removals.is_empty()
    }

    /// Takes the steps, and reads back what was written. If one is refused or a file says something else, those before it are
    /// taken back in every hierarchy, and the error says what could not be. Removals come last; a group that was removed
    /// before another could not be does not come back.
    ///
    /// # Errors
    /// As [`Plans::apply`], [`Group::attach`] and [`Deletion::delete`]; [`Rule::SaysOther`].
    pub fn apply(&self, backend: &dyn Backend) -> Result<Vec<Group>> {
        let done = self.plans.apply(backend)?;
        match self.finish(backend, &done) {
            Ok(()) => Ok(done.into_iter().map(Created::into_group).collect()),
            Err(error) => Err(undone(backend, &done, error)),
        }
    }

    fn finish(&self, backend: &dyn Backend, done: &[Created]) -> Result<()> {
        for (plan, created) in self.plans.0.iter().zip(done) {
            plan.check(backend, created.group())?;
        }
        self.removals.iter().try_for_each(|(group, how)| how.delete(backend, group))
    }
}

impl fmt::Display for Steps {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.plans)?;
        let mut before: Option<&Hierarchy> = None;
        for (group, _) in &self.removals {
            if !before.is_some_and(|before| before.is(group.hierarchy())) {
                writeln!(out, "at last in {}:", group.hierarchy().mount_point())?;
            }
            writeln!(out, "delete {}", group.path())?;
            before = Some(group.hierarchy());
        }
        Ok(())
    }
}
