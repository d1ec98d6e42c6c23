//! Which controllers a group has: in v2 those that its parent shares out, and those that they need; in v1 those of its hierarchy.
//!
//! A controller has state in a group if it is enabled there, or needed by one that is (io needs memory): then it is
//! hidden, without files. The perf_event controller is in every group and has no file.

use standin::{Controller, ControllerSet};

use super::{CgroupKey, Cgroups, HierarchyId, THREADED, domain};

/// In every v2 group, without a file or a word in cgroup.controllers.
const IMPLICIT: ControllerSet = ControllerSet::EMPTY.with(Controller::PerfEvent);

/// Controllers that do nothing in v2.
const V1_ALONE: ControllerSet = ControllerSet::EMPTY
    .with(Controller::Cpuacct)
    .with(Controller::Devices)
    .with(Controller::Freezer)
    .with(Controller::NetCls)
    .with(Controller::NetPrio);

impl Cgroups {
    /// What `cgroup.controllers` of a v2 group says, and whose files it has; in v1 those of the hierarchy.
    pub(super) fn enabled(&self, group: CgroupKey) -> ControllerSet {
        let record = self.table.at(group);
        if record.hierarchy.is_v1() {
            return self.hierarchy(record.hierarchy).controllers;
        }
        let Some(parent) = record.parent else { return self.bound().difference(IMPLICIT) };
        let shared = self.table.at(parent).subtree_control;
        if domain::is_threaded(&self.table, group) { shared.intersection(THREADED) } else { shared }
    }

    /// Controllers that have state in a group, hidden ones too.
    pub(super) fn present(&self, group: CgroupKey) -> ControllerSet {
        let enabled = self.enabled(group);
        if self.table.at(group).hierarchy.is_v1() {
            return enabled;
        }
        let bound = self.bound();
        needed(enabled).intersection(bound).union(bound.intersection(IMPLICIT))
    }

    /// Controllers that have state in a child of a group.
    pub(super) fn given(&self, group: CgroupKey) -> ControllerSet {
        let record = self.table.at(group);
        if record.hierarchy.is_v1() {
            self.hierarchy(record.hierarchy).controllers
        } else {
            needed(record.subtree_control).intersection(self.bound())
        }
    }

    /// Controllers of the v2 hierarchy.
    pub(super) fn bound(&self) -> ControllerSet {
        self.hierarchy(HierarchyId::V2).controllers.difference(V1_ALONE)
    }
}

/// These controllers and those that they need.
pub(super) fn needed(controllers: ControllerSet) -> ControllerSet {
    if controllers.contains(Controller::Io) {
        controllers.with(Controller::Memory)
    } else {
        controllers
    }
}
