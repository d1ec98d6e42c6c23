//! The short files of a process.

use standin::Failure;
use standin::backend::{Rlimit, RlimitResource};

use super::{memory, text};
use crate::cgroup::{self, CgroupKey};
use crate::kernel::Kernel;
use crate::namespace;
use crate::step::Step;
use crate::task::{Thread, ThreadKey};

/// The bytes of a path that the kernel prints; what is longer it cuts off (kernfs, PATH_MAX with its NUL).
const PATH_ROOM: usize = 4095;

/// /proc/PID/cgroup: a line a hierarchy (cgroups(7)). In v2 also a group that a zombie was in and that has been removed since;
/// in v1 a zombie is at the root.
pub(super) fn cgroup(kernel: &Kernel, reader: ThreadKey, thread: &Thread, out: &mut Vec<u8>) {
    let cgroups = &kernel.cgroups;
    for (id, hierarchy) in cgroups.v1_hierarchies() {
        text::decimal(out, hierarchy.number.into());
        out.push(b':');
        out.extend_from_slice(hierarchy.text().as_bytes());
        out.push(b':');
        if thread.exited {
            out.push(b'/');
        } else {
            print_path(kernel, reader, cgroups.place(thread, id), out);
        }
        out.push(b'\n');
    }
    if !cgroups.v2_visible() {
        return;
    }
    out.extend_from_slice(b"0::");
    print_path(kernel, reader, thread.cgroup, out);
    if cgroups.table.at(thread.cgroup).removed {
        out.extend_from_slice(b" (deleted)");
    }
    out.push(b'\n');
}

/// A group's path as the reader's namespace has it.
fn print_path(kernel: &Kernel, reader: ThreadKey, group: CgroupKey, out: &mut Vec<u8>) {
    let start = out.len();
    if namespace::cgroup::is_first(kernel, reader) {
        cgroup::path(kernel, group, out);
    } else {
        let hierarchy = kernel.cgroups.table.at(group).hierarchy;
        let root = namespace::cgroup::root(kernel, reader, hierarchy);
        cgroup::path_from(kernel, root, group, out);
    }
    out.truncate(start.saturating_add(PATH_ROOM));
}

/// /proc/cgroups: the controllers, their hierarchies, and how many groups these have (cgroups(7)).
pub(super) fn controllers(kernel: &Kernel, out: &mut Vec<u8>) {
    out.extend_from_slice(b"#subsys_name\thierarchy\tnum_cgroups\tenabled\n");
    let cgroups = &kernel.cgroups;
    for controller in kernel.profile.controllers().iter() {
        let id = cgroups.home(controller);
        out.extend_from_slice(controller.v1_name().as_bytes());
        for number in [cgroups.hierarchy(id).number.into(), cgroups.count(id), 1] {
            out.push(b'\t');
            text::decimal(out, number);
        }
        out.push(b'\n');
    }
}

/// /proc/PID/cpuset: the group whose set of processors counts for the thread (cpuset(7)).
pub(super) fn cpuset(kernel: &Kernel, reader: ThreadKey, thread: ThreadKey, out: &mut Vec<u8>) {
    print_path(kernel, reader, cgroup::cpuset::group_of(kernel, thread), out);
    out.push(b'\n');
}

/// /proc/PID/comm
pub(super) fn comm(thread: &Thread, out: &mut Vec<u8>) {
    out.extend_from_slice(&thread.name);
    out.push(b'\n');
}

/// /proc/PID/cmdline: nothing of a zombie, or of a process that never ran a program.
pub(super) fn command(kernel: &Kernel, thread: &Thread, out: &mut Vec<u8>) {
    let process = kernel.tasks.processes.at(thread.process);
    if let Some(more) = process.more.as_ref().filter(|_| !process.is_zombie()) {
        out.extend_from_slice(&more.command);
    }
}

/// /proc/PID/environ: what its last program was given.
///
/// # Errors
/// `NotModelled`: it has run no program, nor did who forked it.
pub(super) fn environment(kernel: &Kernel, thread: &Thread, out: &mut Vec<u8>) -> Step<()> {
    let process = kernel.tasks.processes.at(thread.process);
    if process.is_zombie() {
        return Ok(());
    }
    match process.more.as_ref().filter(|more| !more.command.is_empty()) {
        Some(more) => out.extend_from_slice(&more.environment),
        None => return Err(Failure::NotModelled("the environment of who ran no program").into()),
    }
    Ok(())
}

/// /proc/PID/statm
pub(super) fn statm(kernel: &Kernel, thread: &Thread, out: &mut Vec<u8>) {
    let live = memory::of(kernel.profile.release).statm;
    out.extend_from_slice(if thread.exited { b"0 0 0 0 0 0 0\n" } else { live });
}

/// The lines of /proc/PID/limits: resource, name, unit.
const LIMITS: [(RlimitResource, &[u8], &[u8]); 16] = [
    (RlimitResource::Cpu, b"Max cpu time", b"seconds"),
    (RlimitResource::FileSize, b"Max file size", b"bytes"),
    (RlimitResource::Data, b"Max data size", b"bytes"),
    (RlimitResource::Stack, b"Max stack size", b"bytes"),
    (RlimitResource::Core, b"Max core file size", b"bytes"),
    (RlimitResource::Rss, b"Max resident set", b"bytes"),
    (RlimitResource::Processes, b"Max processes", b"processes"),
    (RlimitResource::OpenFiles, b"Max open files", b"files"),
    (RlimitResource::LockedMemory, b"Max locked memory", b"bytes"),
    (RlimitResource::AddressSpace, b"Max address space", b"bytes"),
    (RlimitResource::Locks, b"Max file locks", b"locks"),
    (RlimitResource::PendingSignals, b"Max pending signals", b"signals"),
    (RlimitResource::MessageQueue, b"Max msgqueue size", b"bytes"),
    (RlimitResource::Nice, b"Max nice priority", b""),
    (RlimitResource::RealtimePriority, b"Max realtime priority", b""),
    (RlimitResource::RealtimeTime, b"Max realtime timeout", b"us"),
];

/// Columns of /proc/PID/limits.
const NAME_WIDTH: usize = 26;
const LIMIT_WIDTH: usize = 21;
const UNIT_WIDTH: usize = 10;

/// /proc/PID/limits
pub(super) fn limits(kernel: &Kernel, thread: &Thread, out: &mut Vec<u8>) {
    out.extend_from_slice(
        b"Limit                     Soft Limit           Hard Limit           Units     \n",
    );
    for (resource, name, unit) in LIMITS {
        let Rlimit { soft, hard } = kernel.limit(thread.process, resource);
        text::padded(out, name, NAME_WIDTH);
        for limit in [soft, hard] {
            let mut word = Vec::new();
            match limit {
                Some(limit) => text::decimal(&mut word, limit),
                None => word.extend_from_slice(b"unlimited"),
            }
            text::padded(out, &word, LIMIT_WIDTH);
        }
        if !unit.is_empty() {
            text::padded(out, unit, UNIT_WIDTH);
        }
        out.push(b'\n');
    }
}
