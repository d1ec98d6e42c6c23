//! Notifications: files that poll(2) and inotify(7) watch say that they have changed (cgroup-v2.rst, Core Interface
//! Files, cgroup.events).

use std::cell::RefCell;

use super::rows::Target;
use super::{Cgroup, CgroupKey, Cgroups, value};
use crate::beside::Beside;
use crate::kernel::Kernel;
use crate::notify;
use crate::step::Step;
use crate::wait::Channel;

/// cgroup.events of a group has changed.
pub(super) fn changed(kernel: &mut Kernel, group: CgroupKey) {
    let record = kernel.cgroups.table.at_mut(group);
    // The root has no such file.
    if record.parent.is_some() {
        record.events += 1;
        notify(kernel, group, "cgroup.events");
    }
}

/// A file of a group whose changes are counted elsewhere has changed.
pub(super) fn notify(kernel: &mut Kernel, group: CgroupKey, name: &'static str) {
    kernel.waits.wake(Channel::Cgroup(group));
    notify::changed(kernel, group, name);
}

/// The files that [`notify`] is called for.
const FILES: [&str; 6] = [
    "cgroup.events",
    "cpuset.cpus.partition",
    "memory.events",
    "memory.events.local",
    "pids.events",
    "pids.events.local",
];

/// Which of the [`FILES`] of a group somebody has looked up, a bit each. Who watches the group's directory is told of no
/// others: before the first look at a file, the kernel has nothing to tell of. They do not stand in the group's record, since
/// a look changes none: a snapshot may share it.
pub(super) type LookedUp = RefCell<Beside<Cgroup, u8>>;

fn bit(name: &[u8]) -> Option<u8> {
    FILES.iter().position(|file| file.as_bytes() == name).map(|place| 1 << place)
}

/// Somebody has looked up a name in a group's directory.
pub(crate) fn look_up(cgroups: &Cgroups, group: CgroupKey, name: &[u8]) {
    if let Some(bit) = bit(name) {
        let mut all = cgroups.looked_up.borrow_mut();
        match all.get_mut(group) {
            Some(known) => *known |= bit,
            None => all.insert(group, bit),
        }
    }
}

/// Whether somebody has looked up a file, or watches it.
pub(crate) fn was_looked_up(cgroups: &Cgroups, group: CgroupKey, name: &str) -> bool {
    let all = cgroups.looked_up.borrow();
    let known = all.get(group).copied().unwrap_or(0);
    bit(name.as_bytes()).is_some_and(|bit| known & bit != 0)
}

pub(super) fn show(kernel: &Kernel, target: Target, out: &mut Vec<u8>) -> Step<()> {
    let record = kernel.cgroups.table.at(target.group);
    value::print_keyed("populated", record.is_populated().into(), out);
    value::print_keyed("frozen", record.freezer.is_frozen().into(), out);
    Ok(())
}
