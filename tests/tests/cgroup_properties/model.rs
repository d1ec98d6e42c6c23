//! What should be there, in maps: the rules of cgroup-v2.rst (Top-down Constraint, No Internal Process Constraint, Threads)
//! and of the library's documents, written plainly. It asks no kernel and no library.

use std::collections::{BTreeMap, BTreeSet};

use standin::Controller;
use standin::cgroup::{Existing, Members};

/// Numbers of workers: they stand for processes.
pub(crate) type Worker = usize;
type Set = BTreeSet<Controller>;
type Refused = &'static str;

/// The default of each value, in v1 and in v2.
pub(crate) const VALUES: [(Controller, &str, &str, &str, &str); 3] = [
    (Controller::Pids, "pids.max", "max", "pids.max", "max"),
    (Controller::Memory, "memory.limit_in_bytes", "9223372036854771712", "memory.max", "max"),
    (Controller::Cpu, "cpu.shares", "1024", "cpu.weight", "100"),
];

#[derive(Clone, Debug, Default)]
pub(crate) struct Group {
    /// What it enables for those in it.
    pub(crate) enabled: Set,
    pub(crate) values: BTreeMap<Controller, String>,
    pub(crate) members: BTreeSet<Worker>,
}

/// One hierarchy. The root is the group with the empty name.
#[derive(Clone, Debug)]
pub(crate) struct Tree {
    pub(crate) is_v2: bool,
    /// Those of a v1 hierarchy, or those that v2 can have.
    pub(crate) controllers: Set,
    pub(crate) groups: BTreeMap<String, Group>,
}

fn above(name: &str) -> Option<&str> {
    (!name.is_empty()).then(|| name.rsplit_once('/').map_or("", |(above, _)| above))
}

/// The groups on the way, the root first, the group itself last.
fn way(name: &str) -> Vec<&str> {
    let mut way: Vec<&str> = std::iter::successors(Some(name), |name| above(name)).collect();
    way.reverse();
    way
}

fn is_below(name: &str, top: &str) -> bool {
    top.is_empty()
        || name.strip_prefix(top).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn is_threaded(controller: Controller) -> bool {
    [Controller::Pids, Controller::Cpu].contains(&controller)
}

impl Tree {
    pub(crate) fn new(is_v2: bool, controllers: Set) -> Self {
        Self { is_v2, controllers, groups: BTreeMap::from([(String::new(), Group::default())]) }
    }

    /// The controllers that a group has.
    pub(crate) fn has(&self, name: &str) -> Set {
        match above(name) {
            Some(above) if self.is_v2 => self.groups[above].enabled.clone(),
            _ => self.controllers.clone(),
        }
    }

    pub(crate) fn children(&self, name: &str) -> Vec<String> {
        let is_child = |it: &&String| above(it) == Some(name);
        self.groups.keys().filter(is_child).cloned().collect()
    }

    fn is_populated(&self, top: &str) -> bool {
        self.groups.iter().any(|(name, group)| is_below(name, top) && !group.members.is_empty())
    }

    /// Its processes compete with those below it, thread by thread.
    fn is_thread_root(&self, name: &str) -> bool {
        let group = &self.groups[name];
        !name.is_empty()
            && !group.members.is_empty()
            && group.enabled.iter().any(|it| is_threaded(*it))
    }

    fn can_be_thread_root(&self, name: &str) -> bool {
        self.children(name).iter().all(|child| !self.is_populated(child))
            && self.groups[name].enabled.iter().all(|it| is_threaded(*it))
    }

    fn is_valid_domain(&self, name: &str) -> bool {
        way(name).iter().all(|it| *it == name || !self.is_thread_root(it))
    }

    fn enable(&mut self, name: &str, all: &Set) -> Result<(), Refused> {
        let missing: Set = all.difference(&self.groups[name].enabled).copied().collect();
        let has_domain = missing.iter().any(|it| !is_threaded(*it));
        if !missing.is_empty() && !name.is_empty() {
            if !self.is_valid_domain(name) || (has_domain && self.is_thread_root(name)) {
                return Err("Kind");
            }
            let may_compete = !has_domain && self.can_be_thread_root(name);
            if !may_compete && !self.groups[name].members.is_empty() {
                return Err("InternalProcesses");
            }
        }
        self.groups.get_mut(name).unwrap().enabled.extend(&missing);
        for child in self.children(name) {
            self.give_defaults(&child);
        }
        Ok(())
    }

    fn give_defaults(&mut self, name: &str) {
        let (has, is_v2) = (self.has(name), self.is_v2);
        let values = &mut self.groups.get_mut(name).unwrap().values;
        for (controller, _, v1, _, v2) in VALUES {
            if has.contains(&controller) {
                values.entry(controller).or_insert_with(|| if is_v2 { v2 } else { v1 }.to_owned());
            }
        }
    }

    /// What can be known beforehand of a creation.
    pub(crate) fn plan(&self, name: &str, all: &Set, existing: Existing) -> Result<(), Refused> {
        match (self.groups.contains_key(name), existing) {
            (true, Existing::Refuse) => return Err("Taken"),
            (false, Existing::Demand) => return Err("Missing"),
            _ => {}
        }
        for group in way(name).iter().filter(|it| **it != name && self.groups.contains_key(**it)) {
            let mut missing = all.difference(&self.groups[*group].enabled);
            let has_members = !group.is_empty() && !self.groups[*group].members.is_empty();
            if self.is_v2 && has_members && missing.any(|it| !is_threaded(*it)) {
                return Err("InternalProcesses");
            }
        }
        Ok(())
    }

    /// Makes or changes a group: all or, being a copy, nothing.
    pub(crate) fn create(
        &mut self,
        name: &str,
        all: &Set,
        values: &BTreeMap<Controller, String>,
    ) -> Result<(), Refused> {
        for group in way(name) {
            if let Some(above) = above(group)
                && self.is_v2
            {
                self.enable(above, all)?;
            }
            if !self.groups.contains_key(group) {
                self.groups.insert(group.to_owned(), Group::default());
                self.give_defaults(group);
            }
        }
        self.groups.get_mut(name).unwrap().values.extend(values.clone());
        Ok(())
    }

    pub(crate) fn attach(&mut self, name: &str, worker: Worker) -> Result<(), Refused> {
        if self.is_v2 && !name.is_empty() {
            if !self.is_valid_domain(name) {
                return Err("Kind");
            }
            if !self.can_be_thread_root(name) && !self.groups[name].enabled.is_empty() {
                return Err("SharesOut");
            }
        }
        for group in self.groups.values_mut() {
            group.members.remove(&worker);
        }
        self.groups.get_mut(name).unwrap().members.insert(worker);
        Ok(())
    }

    pub(crate) fn delete(
        &mut self,
        name: &str,
        members: Members,
        is_recursive: bool,
    ) -> Result<(), Refused> {
        if !self.groups.contains_key(name) {
            return Err("Missing");
        }
        if !is_recursive && !self.children(name).is_empty() {
            return Err("Occupied");
        }
        let gone: Vec<String> =
            self.groups.keys().filter(|it| is_below(it, name)).cloned().collect();
        let all: Vec<Worker> =
            gone.iter().flat_map(|it| self.groups[it].members.iter().copied()).collect();
        let above = above(name).unwrap().to_owned();
        if !all.is_empty() && members == Members::Refuse {
            return Err("Occupied");
        }
        for worker in all {
            self.attach(&above, worker)?;
        }
        self.groups.retain(|it, _| !is_below(it, name));
        Ok(())
    }
}
