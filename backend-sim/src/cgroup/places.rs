//! Where threads are in the v1 hierarchies. Threads that are at the same places share one record (the kernel's css_set);
//! those that are at every root have none.
//!
//! A v1 group counts its live threads, and has no list of them: its files print them by number.

use standin::Controller;

use super::hierarchy::HierarchyId;
use super::{CgroupKey, Cgroups, tree};
use crate::stock::Stock;
use crate::table::{Key, Table};
use crate::task::Thread;

pub(crate) type PlacesKey = Key<Places>;

/// The groups of a thread that are not the roots of their hierarchies, in the order of these.
#[derive(Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Places {
    groups: Box<[(HierarchyId, CgroupKey)]>,
    /// Threads that are there, exited ones too, and namespaces that have their roots there.
    holders: u32,
}

/// Where somebody stands in all hierarchies.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Stand {
    pub(crate) v2: CgroupKey,
    pub(crate) v1: Option<PlacesKey>,
}

impl Stand {
    /// Where a thread is.
    pub(crate) const fn of(thread: &Thread) -> Self {
        Self { v2: thread.cgroup, v1: thread.places }
    }
}

/// All records that threads have.
#[derive(Clone, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct AllPlaces {
    table: Table<Places>,
}

impl AllPlaces {
    /// How many there are.
    pub(super) fn take_stock(&self, all: &mut Stock) {
        all.table("places in hierarchies", &self.table);
    }
}

impl Cgroups {
    /// A thread's group in a hierarchy.
    #[inline]
    pub(crate) fn place(&self, thread: &Thread, hierarchy: HierarchyId) -> CgroupKey {
        self.stands_at(Stand::of(thread), hierarchy)
    }

    /// The group of a hierarchy where somebody stands.
    pub(crate) fn stands_at(&self, stand: Stand, hierarchy: HierarchyId) -> CgroupKey {
        if !hierarchy.is_v1() {
            return stand.v2;
        }
        let mut groups = self.places_of(stand.v1).iter();
        let found = groups.find(|(other, _)| *other == hierarchy);
        found.map_or_else(|| self.hierarchy(hierarchy).root, |(_, group)| *group)
    }

    /// Somebody else than a thread remembers where one stands: the groups stay, removed ones too.
    pub(crate) fn keep_stand(&mut self, stand: Stand) {
        self.table.at_mut(stand.v2).users += 1;
        for (_, group) in self.places_of(stand.v1).to_vec() {
            self.table.at_mut(group).users += 1;
        }
        self.share_places(stand.v1);
    }

    /// It remembers that no more.
    pub(crate) fn let_go_of_stand(&mut self, stand: Stand) {
        let v1 = self.places_of(stand.v1).iter().map(|(_, group)| *group);
        let groups: Vec<CgroupKey> = v1.chain([stand.v2]).collect();
        self.leave_places(stand.v1);
        for group in groups {
            let record = self.table.at_mut(group);
            record.users -= 1;
            if record.removed {
                tree::release(self, group);
            }
        }
    }

    /// The group that a controller knows a thread by.
    #[inline]
    pub(crate) fn group_of(&self, thread: &Thread, controller: Controller) -> CgroupKey {
        self.place(thread, self.home(controller))
    }

    /// The v1 groups of a thread below the roots.
    pub(super) fn places_of(&self, places: Option<PlacesKey>) -> &[(HierarchyId, CgroupKey)] {
        places.map_or(&[], |places| &self.places.table.at(places).groups)
    }

    /// The record of a thread that goes to `group` of a hierarchy and is elsewhere as one with `from`; that one loses a thread.
    pub(super) fn take_place(
        &mut self,
        from: Option<PlacesKey>,
        hierarchy: HierarchyId,
        group: CgroupKey,
    ) -> Option<PlacesKey> {
        let is_root = self.table.at(group).parent.is_none();
        let mut groups: Vec<_> = self.places_of(from).to_vec();
        groups.retain(|(other, _)| *other != hierarchy);
        if !is_root {
            groups.push((hierarchy, group));
            groups.sort_unstable();
        }
        self.leave_places(from);
        if groups.is_empty() {
            return None;
        }
        let table = &mut self.places.table;
        let found = table.iter().find(|(_, places)| *places.groups == *groups).map(|(key, _)| key);
        let key =
            found.unwrap_or_else(|| table.insert(Places { groups: groups.into(), holders: 0 }));
        table.at_mut(key).holders += 1;
        Some(key)
    }

    /// One more thread is where those of a record are.
    pub(super) fn share_places(&mut self, places: Option<PlacesKey>) {
        if let Some(key) = places {
            self.places.table.at_mut(key).holders += 1;
        }
    }

    /// A thread is gone from where those of a record are.
    pub(super) fn leave_places(&mut self, places: Option<PlacesKey>) {
        let Some(key) = places else { return };
        let table = &mut self.places.table;
        let record = table.at_mut(key);
        record.holders -= 1;
        if record.holders == 0 {
            table.remove(key);
        }
    }

    /// How many live threads of a v1 group come or go with one thread that is at these places.
    pub(super) fn count_thread(&mut self, places: Option<PlacesKey>, comes: bool) {
        let Some(key) = places else { return };
        for (_, group) in &self.places.table.at(key).groups {
            let record = self.table.at_mut(*group);
            record.population = if comes { record.population + 1 } else { record.population - 1 };
        }
    }
}
