//! Hierarchies: the one of v2, and those of v1, each with its controllers or with a name alone (cgroups(7)).
//!
//! A controller is in one hierarchy at a time: in the v2 one until a v1 hierarchy is made with it, and again when that one
//! ends. A v1 hierarchy begins with its first mount, and ends with the last if its root has no children. Neighbours: `v1`
//! (what mount options ask for), `places` (where threads are in the v1 hierarchies), `subsystem`.

use standin::{Controller, ControllerSet, Errno};

use super::{Cgroup, CgroupKey, Cgroups, enable, rows, v1, value};

/// Bytes of an option's value that are written in octal (seq_show_option).
const ESCAPED: &[u8] = b", \t\n\\";

/// The number of every root.
pub(super) const ROOT_ID: u64 = 1;

/// Which hierarchy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct HierarchyId(u16);

impl HierarchyId {
    /// The v2 one, which is always there.
    pub(crate) const V2: Self = Self(0);

    /// Whether it is a v1 hierarchy.
    pub(crate) fn is_v1(self) -> bool {
        self != Self::V2
    }
}

/// A v1 hierarchy, or the v2 one.
#[derive(Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Hierarchy {
    /// As /proc/PID/cgroup numbers it.
    pub(crate) number: u32,
    pub(crate) root: CgroupKey,
    pub(crate) controllers: ControllerSet,
    pub(crate) options: Options,
    /// The id of the next group.
    next_id: u64,
    /// The program that is run when a group is released, as an absolute path.
    #[cfg_attr(feature = "serde", serde(with = "standin::written"))]
    pub(super) release_agent: Box<[u8]>,
}

impl Hierarchy {
    fn new(number: u32, root: CgroupKey, controllers: ControllerSet, options: Options) -> Self {
        let next_id = ROOT_ID + rows::IDS_PER_GROUP;
        Self { number, root, controllers, options, next_id, release_agent: Box::default() }
    }

    /// The number of a new group; its files have those behind it.
    pub(super) const fn new_id(&mut self) -> u64 {
        let id = self.next_id;
        self.next_id += rows::IDS_PER_GROUP;
        id
    }

    /// The number that the next new group will have.
    pub(super) const fn next_id(&self) -> u64 {
        self.next_id
    }

    /// Its controllers and name, as a line of /proc/PID/cgroup has them.
    pub(crate) fn text(&self) -> String {
        let mut words: Vec<String> =
            self.controllers.iter().map(|controller| controller.v1_name().to_owned()).collect();
        words.extend(self.options.name.iter().map(|name| format!("name={name}")));
        words.join(",")
    }

    /// What mountinfo says of it behind `rw` (`cgroup1_show_options`).
    fn print_options(&self, clone_children: bool, out: &mut Vec<u8>) {
        let mut add = |word: &[u8], value: &[u8]| {
            out.push(b',');
            out.extend_from_slice(word);
            value::print_escaped(value, ESCAPED, out);
        };
        for controller in self.controllers.iter() {
            add(controller.v1_name().as_bytes(), b"");
        }
        let options = &self.options;
        let flags: [(bool, &[u8]); 4] = [
            (options.noprefix, b"noprefix"),
            (options.xattr, b"xattr"),
            (options.cpuset_v2_mode, b"cpuset_v2_mode"),
            (options.favordynmods, b"favordynmods"),
        ];
        for (_, word) in flags.into_iter().filter(|(set, _)| *set) {
            add(word, b"");
        }
        if !self.release_agent.is_empty() {
            add(b"release_agent=", &self.release_agent);
        }
        if clone_children {
            add(b"clone_children", b"");
        }
        if let Some(name) = &options.name {
            add(b"name=", name.as_bytes());
        }
    }
}

/// What a v1 hierarchy was first mounted with, besides controllers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Options {
    pub(crate) name: Option<Box<str>>,
    /// Files of the cpuset controller stand without the controller's name.
    pub(crate) noprefix: bool,
    pub(crate) xattr: bool,
    pub(crate) cpuset_v2_mode: bool,
    pub(crate) favordynmods: bool,
}

/// All hierarchies, and where each controller is.
#[derive(Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Hierarchies {
    /// By id; an ended one leaves its place to a later one.
    all: Vec<Option<Hierarchy>>,
    /// By controller.
    homes: [HierarchyId; Controller::ALL.len()],
    /// v1 hierarchies in the order in which they were made.
    order: Vec<HierarchyId>,
    last_number: u32,
    /// cgroup2 was mounted: from then on /proc/PID/cgroup tells of it.
    v2_visible: bool,
}

impl Hierarchies {
    /// The v2 one with these controllers.
    pub(super) fn new(root: CgroupKey, controllers: ControllerSet, v2_visible: bool) -> Self {
        Self {
            all: vec![Some(Hierarchy::new(0, root, controllers, Options::default()))],
            homes: [HierarchyId::V2; Controller::ALL.len()],
            order: Vec::new(),
            last_number: 0,
            v2_visible,
        }
    }

    /// One that has not ended.
    #[track_caller]
    pub(super) fn at(&self, id: HierarchyId) -> &Hierarchy {
        match self.all.get(usize::from(id.0)) {
            Some(Some(hierarchy)) => hierarchy,
            Some(None) | None => panic!("{id:?} has ended"),
        }
    }

    /// The same, to change it.
    #[track_caller]
    pub(super) fn at_mut(&mut self, id: HierarchyId) -> &mut Hierarchy {
        match self.all.get_mut(usize::from(id.0)) {
            Some(Some(hierarchy)) => hierarchy,
            Some(None) | None => panic!("{id:?} has ended"),
        }
    }

    fn home(&self, controller: Controller) -> HierarchyId {
        self.homes.get(controller as usize).copied().unwrap_or(HierarchyId::V2)
    }

    fn set_home(&mut self, controllers: ControllerSet, id: HierarchyId) {
        for controller in controllers.iter() {
            if let Some(home) = self.homes.get_mut(controller as usize) {
                *home = id;
            }
        }
    }
}

impl Cgroups {
    /// The hierarchy that a controller is in.
    #[inline]
    pub(crate) fn home(&self, controller: Controller) -> HierarchyId {
        self.hierarchies.home(controller)
    }

    /// The hierarchy of a group.
    pub(crate) fn hierarchy_of(&self, group: CgroupKey) -> &Hierarchy {
        self.hierarchies.at(self.table.at(group).hierarchy)
    }

    /// The same, to change it.
    pub(super) fn hierarchy_of_mut(&mut self, group: CgroupKey) -> &mut Hierarchy {
        self.hierarchies.at_mut(self.table.at(group).hierarchy)
    }

    /// A hierarchy that has not ended.
    pub(crate) fn hierarchy(&self, id: HierarchyId) -> &Hierarchy {
        self.hierarchies.at(id)
    }

    /// The v1 hierarchies, the one that was made last first: the order in which the kernel tells of them.
    pub(crate) fn v1_hierarchies(&self) -> impl Iterator<Item = (HierarchyId, &Hierarchy)> {
        self.hierarchies.order.iter().rev().map(|id| (*id, self.hierarchies.at(*id)))
    }

    /// What mountinfo says of a v1 hierarchy behind `rw`.
    pub(crate) fn print_options(&self, id: HierarchyId, out: &mut Vec<u8>) {
        let hierarchy = self.hierarchy(id);
        hierarchy.print_options(self.table.at(hierarchy.root).clone_children, out);
    }

    /// How many groups a hierarchy has, its root among them.
    pub(crate) fn count(&self, id: HierarchyId) -> u64 {
        let root = self.table.at(self.hierarchy(id).root);
        u64::from(root.descendants + root.dying_descendants) + 1
    }

    /// Whether cgroup2 was ever mounted.
    pub(crate) const fn v2_visible(&self) -> bool {
        self.hierarchies.v2_visible
    }

    /// It is mounted now.
    pub(crate) const fn show_v2(&mut self) {
        self.hierarchies.v2_visible = true;
    }

    /// A new v1 hierarchy, without controllers yet.
    pub(super) fn begin_hierarchy(&mut self, options: Options) -> HierarchyId {
        let hierarchies = &mut self.hierarchies;
        let free = hierarchies.all.iter().position(Option::is_none);
        let place = free.unwrap_or(hierarchies.all.len());
        let id = HierarchyId(u16::try_from(place).unwrap_or(u16::MAX));
        hierarchies.last_number += 1;
        hierarchies.order.push(id);
        let number = hierarchies.last_number;
        let root = self.table.insert_with(|own| Cgroup::root(own, id));
        let made = Some(Hierarchy::new(number, root, ControllerSet::EMPTY, options));
        match self.hierarchies.all.get_mut(place) {
            Some(slot) => *slot = made,
            None => self.hierarchies.all.push(made),
        }
        id
    }
}

/// Whether controllers can go into the hierarchy `to` (`rebind_subsystems`).
///
/// # Errors
/// EBUSY: a group below a root has one of them, or it is in another v1 hierarchy and would go into a v1 hierarchy.
pub(super) fn may_bind(
    cgroups: &Cgroups,
    controllers: ControllerSet,
    to: HierarchyId,
) -> Result<(), Errno> {
    for controller in controllers.iter() {
        let home = cgroups.home(controller);
        let root = cgroups.table.at(cgroups.hierarchy(home).root);
        let below = if home.is_v1() {
            !root.children.is_empty()
        } else {
            // Performance events are in every v2 group, and can be taken away all the same.
            controller != Controller::PerfEvent
                && !root.children.is_empty()
                && cgroups.given(cgroups.root).contains(controller)
        };
        if below || (home.is_v1() && to.is_v1()) {
            return Err(Errno::EBUSY);
        }
    }
    Ok(())
}

/// Takes controllers from where they are to the hierarchy `to`; it was checked that they may go.
pub(super) fn bind(cgroups: &mut Cgroups, controllers: ControllerSet, to: HierarchyId) {
    for controller in controllers.iter() {
        let home = cgroups.home(controller);
        if !home.is_v1() {
            enable::withdraw(cgroups, controller);
        }
        let (from, into) = (cgroups.hierarchy(home).root, cgroups.hierarchy(to).root);
        v1::root_changes(cgroups, controller, from, into);
        let hierarchies = &mut cgroups.hierarchies;
        hierarchies.at_mut(home).controllers.remove(controller);
        hierarchies.at_mut(to).controllers.insert(controller);
        hierarchies.set_home(ControllerSet::EMPTY.with(controller), to);
    }
}

/// A v1 hierarchy ends: its controllers go back to v2.
pub(super) fn end(cgroups: &mut Cgroups, id: HierarchyId) {
    let controllers = cgroups.hierarchy(id).controllers;
    bind(cgroups, controllers, HierarchyId::V2);
    let hierarchies = &mut cgroups.hierarchies;
    hierarchies.order.retain(|other| *other != id);
    let ended = hierarchies.all.get_mut(usize::from(id.0)).and_then(Option::take);
    if let Some(ended) = ended {
        cgroups.table.remove(ended.root);
    }
}
