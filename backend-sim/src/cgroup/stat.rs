//! Counts that are made when they are read: cgroup.stat and cgroup.stat.local.

use standin::{Controller, ControllerSet};

use super::rows::Target;
use super::{CgroupKey, Cgroups, tree, value};
use crate::kernel::Kernel;
use crate::profile::Release;
use crate::step::Step;

/// How often each of these controllers stands in sets.
struct Tally {
    controllers: ControllerSet,
    /// In the order of the controllers; what is behind the last is not used.
    counts: [u64; Controller::ALL.len()],
}

impl Tally {
    const fn new(controllers: ControllerSet) -> Self {
        Self { controllers, counts: [0; Controller::ALL.len()] }
    }

    fn add(&mut self, set: ControllerSet) {
        debug_assert!(self.controllers.contains_all(set), "{set:?} of {:?}", self.controllers);
        for (controller, count) in self.controllers.iter().zip(&mut self.counts) {
            *count += u64::from(set.contains(controller));
        }
    }

    fn print(&self, what: &str, out: &mut Vec<u8>) {
        for (controller, count) in self.controllers.iter().zip(self.counts) {
            out.extend_from_slice(what.as_bytes());
            value::print_keyed(controller.name(), count, out);
        }
    }
}

/// Groups below, and since 6.12 those in which each controller has state, itself among them; removed ones apart.
pub(super) fn show(kernel: &Kernel, target: Target, out: &mut Vec<u8>) -> Step<()> {
    let (cgroups, group) = (&kernel.cgroups, target.group);
    let record = cgroups.table.at(group);
    value::print_keyed("nr_descendants", record.descendants.into(), out);
    let by_controller = cgroups.release >= Release::V6_12;
    if by_controller {
        let mut live = Tally::new(cgroups.bound());
        for (key, _) in tree::subtree(&cgroups.table, group) {
            live.add(cgroups.present(key));
        }
        live.print("nr_subsys_", out);
    }
    value::print_keyed("nr_dying_descendants", record.dying_descendants.into(), out);
    if by_controller {
        dying(cgroups, group).print("nr_dying_subsys_", out);
    }
    Ok(())
}

fn dying(cgroups: &Cgroups, group: CgroupKey) -> Tally {
    let mut tally = Tally::new(cgroups.bound());
    if cgroups.table.at(group).dying_descendants > 0 {
        let dying = cgroups.table.iter().filter(|(_, record)| record.removed && !record.released);
        for (key, _) in dying.filter(|(key, _)| tree::is_within(&cgroups.table, *key, group)) {
            tally.add(cgroups.present(key));
        }
    }
    tally
}

/// How long the group has been freezing.
pub(super) fn show_local(kernel: &Kernel, target: Target, out: &mut Vec<u8>) -> Step<()> {
    let frozen_ns =
        kernel.cgroups.table.at(target.group).freezer.frozen_ns(kernel.clock.monotonic());
    value::print_keyed("frozen_usec", frozen_ns / 1000, out);
    Ok(())
}
