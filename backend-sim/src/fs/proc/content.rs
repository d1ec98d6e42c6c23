//! The short files of a process.

use standin::Failure;
use standin::backend::{Rlimit, RlimitResource};

use super::{memory, text};
use crate::cgroup;
use crate::kernel::Kernel;
use crate::profile::Layout;
use crate::step::Step;
use crate::task::{Thread, ThreadKey};

/// The bytes of a path that the kernel prints; what is longer it cuts off (kernfs, PATH_MAX with its NUL).
const PATH_ROOM: usize = 4095;

/// /proc/PID/cgroup: the group, also one that a zombie was in and that has been removed since (cgroup-v2.rst).
pub(super) fn cgroup(kernel: &Kernel, thread: &Thread, out: &mut Vec<u8>) -> Step<()> {
    if kernel.profile.layout != Layout::Unified {
        return Err(Failure::NotModelled("/proc/PID/cgroup beside v1 hierarchies").into());
    }
    out.extend_from_slice(b"0::");
    let start = out.len();
    cgroup::path(kernel, thread.cgroup, out);
    out.truncate(start.saturating_add(PATH_ROOM));
    if kernel.cgroups.table.at(thread.cgroup).removed {
        out.extend_from_slice(b" (deleted)");
    }
    out.push(b'\n');
    Ok(())
}

/// /proc/PID/cpuset: the group whose set of processors counts for the thread (cpuset(7)).
pub(super) fn cpuset(kernel: &Kernel, thread: ThreadKey, out: &mut Vec<u8>) -> Step<()> {
    if kernel.profile.layout != Layout::Unified {
        return Err(Failure::NotModelled("/proc/PID/cpuset beside v1 hierarchies").into());
    }
    cgroup::cpuset::path(kernel, thread, out);
    out.push(b'\n');
    Ok(())
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

/// /proc/PID/statm
pub(super) fn statm(kernel: &Kernel, thread: &Thread, out: &mut Vec<u8>) {
    let live = memory::of(kernel.profile.release).statm;
    out.extend_from_slice(if thread.exited { b"0 0 0 0 0 0 0\n" } else { live });
}

/// /proc/PID/uid_map and its like of the first user namespace.
pub(super) fn id_map(out: &mut Vec<u8>) {
    out.extend_from_slice(b"         0          0 4294967295\n");
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
