//! Notifications: files that poll(2) and inotify(7) watch say that they have changed (cgroup-v2.rst, Core Interface
//! Files, cgroup.events).

use super::rows::Target;
use super::{CgroupKey, value};
use crate::kernel::Kernel;
use crate::step::Step;
use crate::wait::Channel;

/// cgroup.events of a group has changed.
pub(super) fn changed(kernel: &mut Kernel, group: CgroupKey) {
    let record = kernel.cgroups.table.at_mut(group);
    // The root has no such file.
    if record.parent.is_some() {
        record.events += 1;
        notify(kernel, group);
    }
}

/// A file of a group whose changes are counted elsewhere has changed.
pub(super) fn notify(kernel: &mut Kernel, group: CgroupKey) {
    kernel.waits.wake(Channel::Cgroup(group));
}

pub(super) fn show(kernel: &Kernel, target: Target, out: &mut Vec<u8>) -> Step<()> {
    let record = kernel.cgroups.table.at(target.group);
    value::print_keyed("populated", record.is_populated().into(), out);
    value::print_keyed("frozen", record.freezer.is_frozen().into(), out);
    Ok(())
}
