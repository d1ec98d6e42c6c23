//! What v1 hierarchies have alone: how they are mounted, who is in their groups, and controllers that v2 has not or has
//! otherwise (cgroup-v1/).
//!
//! A v1 group is a [`Cgroup`](super::Cgroup) of another hierarchy: names, directories and attributes are those of v2, and so is
//! what controllers charge. Files are rows of a second family of tables (`rows::v1`).

pub(super) mod account;
pub(super) mod arrival;
pub(super) mod blkio;
pub(super) mod core;
pub(super) mod cpu;
pub(super) mod cpuset;
pub(crate) mod devices;
pub(super) mod freezer;
pub(super) mod list;
pub(super) mod members;
pub(super) mod memory;
pub(crate) mod memory_files;
pub(super) mod memory_move;
pub(crate) mod memory_oom;
pub(super) mod memory_stat;
pub(crate) mod memory_watch;
pub(crate) mod mount;
pub(super) mod net;
pub(super) mod release;
pub(crate) mod rename;

use standin::{Controller, Errno};

use list::Listed;

use super::filesystem::Again;
use super::migrate::Whole;
use super::{CgroupKey, Cgroups, RowId, pids, rows, tree};
use crate::kernel::Kernel;
use crate::step::Step;
use crate::task::ThreadKey;

/// Whether a group can be made below another.
///
/// # Errors
/// ENOSPC: net_prio has no index left.
pub(super) fn may_appear(cgroups: &Cgroups, parent: CgroupKey) -> Result<(), Errno> {
    net::may_appear(cgroups, parent)
}

/// A group was made: it begins with what its parent hands down.
pub(super) fn appears(kernel: &mut Kernel, group: CgroupKey) {
    let controllers = kernel.cgroups.present(group);
    if controllers.contains(Controller::Cpuset) {
        cpuset::appears(&mut kernel.cgroups, group);
    }
    if controllers.contains(Controller::Memory) {
        memory::appears(&mut kernel.cgroups, group);
    }
    freezer::appears(&mut kernel.cgroups, group);
    devices::appears(&mut kernel.cgroups, group);
    net::appears(&mut kernel.cgroups, group);
}

/// A controller goes to another hierarchy: what its root was told stays.
pub(super) fn root_changes(
    cgroups: &mut Cgroups,
    controller: Controller,
    from: CgroupKey,
    into: CgroupKey,
) {
    if from != into && controller == Controller::Devices {
        devices::root_changes(cgroups, from, into);
    } else if from != into {
        net::root_changes(cgroups, controller, from, into);
    }
}

/// A group was removed.
pub(super) fn disappears(kernel: &mut Kernel, parent: CgroupKey, group: CgroupKey) {
    let controllers = kernel.cgroups.hierarchy_of(group).controllers;
    if controllers.contains(Controller::Cpu) {
        cpu::disappears(kernel, parent, group);
    }
    if controllers.contains(Controller::Freezer) {
        freezer::disappears(kernel, parent, group);
    }
    if controllers.contains(Controller::Devices) {
        devices::disappears(kernel, parent);
    }
    memory_watch::removed(kernel, group);
    memory_files::removed(kernel, group, parent);
    release::may_run(kernel, parent);
}

/// A file is about to be read, by an open file that was read before or not: what it is to print is made.
pub(super) fn prepare(
    kernel: &mut Kernel,
    reader: ThreadKey,
    (group, id): (CgroupKey, RowId),
    again: Again,
) -> Step<()> {
    let of = Listed { group, row: id.row, shown: kernel.pid_ns(reader) };
    match rows::of(id).map(|row| row.name) {
        Some("tasks") => members::list(kernel, of, Whole::Thread, again),
        Some("cgroup.procs") => members::list(kernel, of, Whole::Process, again),
        Some("freezer.state") => {
            freezer::look(kernel, group);
            Ok(())
        }
        Some(_) | None => Ok(()),
    }
}

/// A thread has exited: no member any more, though charged until it is reaped.
pub(super) fn exited(kernel: &mut Kernel, thread: ThreadKey) {
    memory_oom::exited(kernel, thread);
    kernel.cgroups.arrivals.forget(thread);
    let Some(places) = kernel.tasks.threads.at(thread).places else { return };
    let cgroups = &mut kernel.cgroups;
    cgroups.count_thread(Some(places), false);
    let groups: Vec<CgroupKey> =
        cgroups.places_of(Some(places)).iter().map(|(_, group)| *group).collect();
    for group in groups {
        kernel.cgroups.table.at_mut(group).dead += 1;
        release::may_run(kernel, group);
    }
}

/// An exited thread is gone for good.
pub(super) fn reaped(kernel: &mut Kernel, thread: ThreadKey) {
    let record = kernel.tasks.threads.at(thread);
    let places = record.places;
    let cgroups = &mut kernel.cgroups;
    let charged = cgroups.group_of(record, Controller::Pids);
    pids::uncharge_dead(cgroups, thread, charged);
    let groups: Vec<CgroupKey> =
        cgroups.places_of(places).iter().map(|(_, group)| *group).collect();
    for group in groups {
        let record = cgroups.table.at_mut(group);
        record.dead -= 1;
        if record.removed {
            tree::release(cgroups, group);
        }
    }
    cgroups.leave_places(places);
}
