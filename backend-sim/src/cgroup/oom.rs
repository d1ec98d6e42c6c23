//! Who dies when a group has no room for more memory, and nothing can be reclaimed: the process that has most, with its
//! oom_score_adj (cgroup-v2.rst, Memory; `proc_pid_oom_score_adj(5)`).

use standin::Failure;

use super::memory::{self, Event};
use super::setting::{self, PAGE};
use super::{CgroupKey, Cgroups, tree};
use crate::kernel::Kernel;
use crate::list::iterate;
use crate::task::{ProcessKey, signal};

/// The adjustment of a process that is never chosen.
const NEVER: i16 = -1000;

/// Whether the machine knows what running out of memory in a group does: not where it ends a whole group, and not where it
/// would take from what is protected, which counts as an event.
pub(super) fn vet(cgroups: &Cgroups, domain: CgroupKey) -> Result<(), Failure> {
    for (key, record) in tree::subtree(&cgroups.table, domain) {
        if setting::named(record, b"memory.oom.group") > 0 {
            return Err(Failure::NotModelled("the end of a whole group (memory.oom.group)"));
        }
        if key != domain && setting::named(record, b"memory.low") > 0 {
            return Err(Failure::NotModelled("reclaim of what memory.low protects"));
        }
    }
    Ok(())
}

/// How willingly a process is ended; `None` if it never is.
pub(super) fn adjustment(kernel: &Kernel, process: ProcessKey) -> Option<i16> {
    let record = kernel.tasks.processes.at(process);
    let adjustment = record.more.as_ref().map_or(0, |more| more.oom_adjustment);
    (adjustment != NEVER && process != kernel.tasks.init).then_some(adjustment)
}

/// Ends one process of a group or below, and says whether there was one to end. Its memory is free at once.
pub(super) fn relieve(kernel: &mut Kernel, domain: CgroupKey) -> bool {
    memory::count(kernel, domain, Event::Oom);
    let Some((victim, group)) = victim(kernel, domain) else { return false };
    memory::count_for(kernel, group, Event::OomKill);
    signal::kill(kernel, victim);
    true
}

/// The process with the most points, and its group; of several the last.
fn victim(kernel: &Kernel, domain: CgroupKey) -> Option<(ProcessKey, CgroupKey)> {
    let table = &kernel.cgroups.table;
    let thousandth =
        i64::try_from(memory::limit(table.at(domain)) / PAGE / 1000).unwrap_or(i64::MAX);
    let mut chosen: Option<(i64, ProcessKey, CgroupKey)> = None;
    for (group, record) in tree::subtree(table, domain) {
        let members = iterate(&kernel.tasks.threads, record.members, |thread| &thread.members);
        for (_, thread) in members {
            let Some(adjustment) = adjustment(kernel, thread.process) else { continue };
            let points = resident(kernel, thread.process) + i64::from(adjustment) * thousandth;
            if chosen.is_none_or(|(most, ..)| points >= most) {
                chosen = Some((points, thread.process, group));
            }
        }
    }
    chosen.map(|(_, process, group)| (process, group))
}

/// How many pages a process has, shared ones too.
fn resident(kernel: &Kernel, process: ProcessKey) -> i64 {
    let more = kernel.tasks.processes.at(process).more.as_ref();
    let charges = more.iter().flat_map(|more| &more.memory);
    let bytes: u64 = charges.map(|charge| memory::bytes(&kernel.cgroups, *charge)).sum();
    i64::try_from(bytes / PAGE).unwrap_or(i64::MAX)
}
