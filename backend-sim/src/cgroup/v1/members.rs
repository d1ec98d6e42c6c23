//! tasks and cgroup.procs of v1: who is in a group, by number, and who may move whom where (cgroup-v1/cgroups.rst).
//!
//! Any group may hold processes, whatever is below it, and threads of one process may be in several groups. A mover needs no
//! right on the group that is left: it is root, or has the user of who is moved.

use standin::{Controller, Errno, Uid};

use super::list::Listed;
use super::{cpuset, freezer, memory_move, release};
use crate::cgroup::filesystem::Again;
use crate::cgroup::migrate::Whole;
use crate::cgroup::rows::{Target, Write};
use crate::cgroup::{CgroupKey, HierarchyId, pids, procs, value};
use crate::context;
use crate::kernel::Kernel;
use crate::list::iterate;
use crate::step::Step;
use crate::task::ThreadKey;

/// The numbers that were listed when the file was read, by their size.
pub(in crate::cgroup) fn show(kernel: &Kernel, target: Target, out: &mut Vec<u8>) -> Step<()> {
    let Target { reader, group, row, .. } = target;
    let of = Listed { group, row, shown: kernel.pid_ns(reader) };
    for number in kernel.cgroups.list_of(of) {
        value::print_line((*number).into(), out);
    }
    Ok(())
}

/// One of these files is about to be read: its list is made, or kept if the same open file was read `again`.
pub(super) fn list(kernel: &mut Kernel, of: Listed, whole: Whole, again: Again) -> Step<()> {
    let now = kernel.clock.monotonic();
    if !(kernel.cgroups.has_list(of, now) && again == Again::Yes) {
        let numbers = numbers(kernel, of, whole)?;
        kernel.cgroups.keep_list(of, numbers);
    }
    kernel.cgroups.list_was_read(of, now);
    Ok(())
}

/// The numbers of a group's live threads, or of their processes, as a PID namespace has them; who is not there is left out.
fn numbers(kernel: &Kernel, of: Listed, whole: Whole) -> Step<Vec<u32>> {
    let group = of.group;
    let cgroups = &kernel.cgroups;
    let hierarchy = cgroups.table.at(group).hierarchy;
    let mut numbers = Vec::new();
    for (_, thread) in kernel.tasks.threads.iter() {
        if !thread.exited && cgroups.place(thread, hierarchy) == group {
            context::is_listed(thread)?;
            let number = match whole {
                Whole::Thread => thread.number,
                Whole::Process => kernel.tasks.processes.at(thread.process).number,
            };
            numbers.push(kernel.number_in(of.shown, number));
        }
    }
    numbers.retain(|number| *number != 0);
    numbers.sort_unstable();
    numbers.dedup();
    Ok(numbers)
}

/// Moves one thread.
pub(in crate::cgroup) fn store_task(kernel: &mut Kernel, write: &Write<'_>) -> Step<()> {
    store(kernel, write, Whole::Thread)
}

/// Moves a process, named by the number of any of its threads.
pub(in crate::cgroup) fn store_process(kernel: &mut Kernel, write: &Write<'_>) -> Step<()> {
    store(kernel, write, Whole::Process)
}

fn store(kernel: &mut Kernel, write: &Write<'_>, whole: Whole) -> Step<()> {
    let thread = procs::named(kernel, write, whole)?;
    let opener = kernel.vfs.files.at(write.file).opener.effective;
    let user = kernel.credentials(thread).user;
    if opener != Uid::ROOT && opener != user.real && opener != user.saved {
        return Err(Errno::EACCES.into());
    }
    let threads = movers(kernel, thread, whole, write.group);
    if threads.is_empty() {
        return Ok(());
    }
    if sets_processors(kernel, write.group) {
        cpuset::may_attach(kernel, write.caller, &threads, write.group)?;
    }
    let moved = memory_move::may_move(kernel, &threads, write.group)?;
    migrate(kernel, &threads, write.group);
    memory_move::apply(kernel, moved);
    Ok(())
}

/// A thread goes to the root of every hierarchy.
pub(super) fn go_to_roots(kernel: &mut Kernel, thread: ThreadKey) {
    let places = kernel.tasks.threads.at(thread).places;
    let hierarchies: Vec<HierarchyId> =
        kernel.cgroups.places_of(places).iter().map(|(hierarchy, _)| *hierarchy).collect();
    for hierarchy in hierarchies {
        let root = kernel.cgroups.hierarchy(hierarchy).root;
        migrate(kernel, &[thread], root);
    }
}

/// Whether the cpuset controller is where a group is.
fn sets_processors(kernel: &Kernel, group: CgroupKey) -> bool {
    let cgroups = &kernel.cgroups;
    cgroups.table.at(group).hierarchy == cgroups.home(Controller::Cpuset)
}

/// Live threads that are not in the group yet.
fn movers(kernel: &Kernel, thread: ThreadKey, whole: Whole, to: CgroupKey) -> Vec<ThreadKey> {
    let threads = &kernel.tasks.threads;
    let hierarchy = kernel.cgroups.table.at(to).hierarchy;
    let process = kernel.tasks.processes.at(threads.at(thread).process);
    iterate(threads, process.threads, |thread| &thread.siblings)
        .filter(|(key, _)| whole == Whole::Process || *key == thread)
        .filter(|(_, record)| !record.exited && kernel.cgroups.place(record, hierarchy) != to)
        .map(|(key, _)| key)
        .collect()
}

/// Moves threads. Limits do not count; charges follow.
fn migrate(kernel: &mut Kernel, threads: &[ThreadKey], to: CgroupKey) {
    let hierarchy = kernel.cgroups.table.at(to).hierarchy;
    let controllers = kernel.cgroups.hierarchy(hierarchy).controllers;
    let counts = controllers.contains(Controller::Pids);
    let from =
        |kernel: &Kernel, thread| kernel.cgroups.place(kernel.tasks.threads.at(thread), hierarchy);
    let left: Vec<CgroupKey> = threads.iter().map(|thread| from(kernel, *thread)).collect();
    let cgroups = &mut kernel.cgroups;
    // If one charge moves, the kernel takes up and puts down those of the others too.
    if counts && left.iter().any(|group| pids::charges_differ(cgroups, *group, to)) {
        for group in &left {
            pids::recharge(cgroups, *group, to);
        }
    }
    for thread in threads {
        let record = kernel.tasks.threads.at_mut(*thread);
        let cgroups = &mut kernel.cgroups;
        cgroups.count_thread(record.places, false);
        record.places = cgroups.take_place(record.places, hierarchy, to);
        cgroups.count_thread(record.places, true);
    }
    if controllers.contains(Controller::Freezer) {
        for thread in threads {
            freezer::comes(kernel, *thread);
        }
    }
    if controllers.contains(Controller::Cpuset) {
        cpuset::attach(&mut kernel.cgroups, threads, to);
    }
    for group in left {
        release::may_run(kernel, group);
    }
}
