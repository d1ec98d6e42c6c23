//! Which controllers a group has: those that its parent shares out, and those that they need.
//!
//! A controller has state in a group if it is enabled there, or needed by one that is (io needs memory): then it is
//! hidden, without files. The perf_event controller is in every group and has no file.

use standin::{Controller, ControllerSet};

use super::{CgroupKey, Cgroups, THREADED, domain};

impl Cgroups {
    /// What `cgroup.controllers` of a group says, and whose files it has.
    pub(super) fn enabled(&self, group: CgroupKey) -> ControllerSet {
        let record = self.table.at(group);
        let Some(parent) = record.parent else { return self.controllers };
        let shared = self.table.at(parent).subtree_control;
        if domain::is_threaded(&self.table, group) { shared.intersection(THREADED) } else { shared }
    }

    /// Controllers that have state in a group, hidden ones too.
    pub(super) fn present(&self, group: CgroupKey) -> ControllerSet {
        needed(self.enabled(group)).intersection(self.bound()).with(Controller::PerfEvent)
    }

    /// Controllers of this hierarchy.
    pub(super) fn bound(&self) -> ControllerSet {
        self.controllers.with(Controller::PerfEvent)
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
