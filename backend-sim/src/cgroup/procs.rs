//! cgroup.procs and cgroup.threads: who is in a group, and who may move whom where (cgroup-v2.rst, Processes, Delegation
//! Containment, No Internal Process Constraint).

use standin::backend::Access;
use standin::{Capability, Errno};

use super::migrate::{Whole, migrate, movers};
use super::rows::{self, Target, Write};
use super::{
    CgroupKey, Cgroups, HierarchyId, attributes, cpuset, domain, filesystem, options, tree, value,
};
use crate::context;
use crate::fs::permission;
use crate::kernel::Kernel;
use crate::list::iterate;
use crate::namespace;
use crate::step::Step;
use crate::task::{MAKER_OF_KERNEL_THREADS, Rights, ThreadKey};

/// The processes of a domain: those whose leader is in it or in one of its threaded groups. A leader that has exited
/// counts while another thread of its process lives.
pub(super) fn show_processes(kernel: &Kernel, target: Target, out: &mut Vec<u8>) -> Step<()> {
    let (table, top) = (&kernel.cgroups.table, target.group);
    if domain::is_threaded(table, top) {
        return Err(Errno::EOPNOTSUPP.into());
    }
    let mut next = Some(top);
    while let Some(group) = next {
        let record = table.at(group);
        if record.domain != top {
            next = tree::next_beside(table, top, group);
            continue;
        }
        for (key, thread) in
            iterate(&kernel.tasks.threads, record.members, |thread| &thread.members)
        {
            context::is_listed(thread)?;
            if kernel.tasks.processes.at(thread.process).leader == key {
                value::print_line(kernel.number_for(target.reader, thread.number).into(), out);
            }
        }
        next = if record.threaded_children > 0 {
            tree::next_below(table, top, group)
        } else {
            tree::next_beside(table, top, group)
        };
    }
    for leader in &kernel.cgroups.headless {
        let thread = kernel.tasks.threads.at(*leader);
        context::is_listed(thread)?;
        let is_here = table.get(thread.cgroup).is_some_and(|group| group.domain == top);
        if is_here && !kernel.tasks.processes.at(thread.process).is_zombie() {
            value::print_line(kernel.number_for(target.reader, thread.number).into(), out);
        }
    }
    Ok(())
}

/// The live threads of this very group.
pub(super) fn show_threads(kernel: &Kernel, target: Target, out: &mut Vec<u8>) -> Step<()> {
    let members = kernel.cgroups.table.at(target.group).members;
    for (_, thread) in iterate(&kernel.tasks.threads, members, |thread| &thread.members) {
        context::is_listed(thread)?;
        value::print_line(kernel.number_for(target.reader, thread.number).into(), out);
    }
    Ok(())
}

/// Moves a process, named by the number of any of its threads.
pub(super) fn store_process(kernel: &mut Kernel, write: &Write<'_>) -> Step<()> {
    store(kernel, write, Whole::Process)
}

/// Moves a thread within its domain.
pub(super) fn store_thread(kernel: &mut Kernel, write: &Write<'_>) -> Step<()> {
    store(kernel, write, Whole::Thread)
}

/// Who is to be moved: the thread with the number that is written, or the first one of its process. The number is the
/// writer's, and so is 0, the writer itself.
///
/// # Errors
/// EINVAL: no number, or that of the thread that makes the kernel's own, which stay in the root. ESRCH: nobody has it.
pub(super) fn named(kernel: &Kernel, write: &Write<'_>, whole: Whole) -> Result<ThreadKey, Errno> {
    let number =
        value::int(value::strip(write.bytes)).ok().and_then(|number| u32::try_from(number).ok());
    let named = match number.ok_or(Errno::EINVAL)? {
        0 => write.caller,
        number => match kernel.number_meant(write.caller, number).ok_or(Errno::ESRCH)? {
            MAKER_OF_KERNEL_THREADS => return Err(Errno::EINVAL),
            _ => kernel.find(write.caller, number).ok_or(Errno::ESRCH)?,
        },
    };
    Ok(match whole {
        Whole::Process => kernel.tasks.processes.at(kernel.tasks.process_of(named)).leader,
        Whole::Thread => named,
    })
}

/// The permission is that of who opened the file.
fn store(kernel: &mut Kernel, write: &Write<'_>, whole: Whole) -> Step<()> {
    let thread = named(kernel, write, whole)?;
    let from = kernel.tasks.threads.at(thread).cgroup;
    let opener = &kernel.vfs.files.at(write.file).opener;
    let border = filesystem::namespace_of(kernel, write.file)
        .map(|of| namespace::cgroup::root_of(kernel, of, HierarchyId::V2));
    let way = (from, write.group);
    may_attach(&kernel.cgroups, opener.rights(&kernel.namespaces), way, border, whole)?;
    let switch = if cpuset::in_use(&kernel.cgroups) {
        let threads = movers(kernel, thread, whole, write.group);
        cpuset::may_attach(kernel, write.caller, threads, write.group)?
    } else {
        None
    };
    migrate(kernel, thread, whole, write.group);
    if let Some(switch) = switch {
        cpuset::attach(&mut kernel.cgroups, &switch, write.group);
    }
    Ok(())
}

/// Whether somebody may write cgroup.procs of a group, as the permission bits have it.
pub(super) fn may_write(
    cgroups: &Cgroups,
    rights: Rights<'_>,
    group: CgroupKey,
) -> Result<(), Errno> {
    if rights.capable(Capability::DAC_OVERRIDE) {
        return Ok(());
    }
    let file = rows::lookup(cgroups, group, b"cgroup.procs").ok_or(Errno::ENODEV)?;
    let file = attributes::of_file(cgroups, group, file);
    if permission::allows(rights, &file, Access::WRITE) { Ok(()) } else { Err(Errno::EACCES) }
}

/// Whether somebody may bring a process or thread from one group into another; `border` is the root of its cgroup namespace, if
/// that is not the first.
///
/// # Errors
/// EACCES: cgroup.procs of the nearest group above both is not writable. ENOENT: one is beyond the border. EOPNOTSUPP: the target is no valid domain, or a
/// thread would leave its domain. EBUSY: the target shares out domain controllers.
pub(super) fn may_attach(
    cgroups: &Cgroups,
    rights: Rights<'_>,
    (from, to): (CgroupKey, CgroupKey),
    border: Option<CgroupKey>,
    whole: Whole,
) -> Result<(), Errno> {
    let table = &cgroups.table;
    // Who may write any is not asked which it is: that one is far up.
    if !rights.capable(Capability::DAC_OVERRIDE) {
        may_write(cgroups, rights, common(cgroups, from, to))?;
    }
    if let Some(border) = border {
        options::check_border(cgroups, border, (from, to))?;
    }
    let target = table.at(to);
    if !domain::is_valid(table, target.domain) {
        return Err(Errno::EOPNOTSUPP);
    }
    let internal = target.subtree_control.is_empty()
        || domain::is_threaded(table, to)
        || domain::can_be_thread_root(table, to);
    if !internal {
        return Err(Errno::EBUSY);
    }
    if whole == Whole::Thread && table.at(from).domain != target.domain {
        return Err(Errno::EOPNOTSUPP);
    }
    Ok(())
}

/// The nearest group that is, or is above, both.
fn common(cgroups: &Cgroups, from: CgroupKey, to: CgroupKey) -> CgroupKey {
    let (mut left, mut right) = (from, to);
    while left != right {
        let (a, b) = (cgroups.table.at(left), cgroups.table.at(right));
        let (up, parent) =
            if a.level >= b.level { (&mut left, a.parent) } else { (&mut right, b.parent) };
        let Some(parent) = parent else { return cgroups.root };
        *up = parent;
    }
    left
}
