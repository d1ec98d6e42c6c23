//! Who dies when a group has no room for more memory, and nothing can be reclaimed: the process that has most, with its
//! oom_score_adj (cgroup-v2.rst, Memory; `proc_pid_oom_score_adj(5)`).

use super::memory_events::{self, Event};
use super::setting::{self, PAGE};
use super::{CgroupKey, Cgroups, memory, tree};
use crate::kernel::Kernel;
use crate::list::iterate;
use crate::task::{ProcessKey, signal};

/// The adjustment of a process that is never chosen.
const NEVER: i16 = -1000;

/// How willingly a process is ended; `None` if it never is.
pub(super) fn adjustment(kernel: &Kernel, process: ProcessKey) -> Option<i16> {
    let record = kernel.tasks.processes.at(process);
    let adjustment = record.more.as_ref().map_or(0, |more| more.oom_adjustment);
    (adjustment != NEVER && process != kernel.tasks.init).then_some(adjustment)
}

/// Ends one process of a group or below, or all of a group that is to end as a whole, and says whether there was one to end.
/// Its memory is free at once.
pub(super) fn relieve(kernel: &mut Kernel, domain: CgroupKey) -> bool {
    memory_events::count(kernel, domain, Event::Oom, 1);
    let Some((victim, group)) = victim(kernel, domain) else { return false };
    // Who is chosen counts twice where the group ends as a whole (recorded: 6.1, 6.12).
    let mut doomed = vec![(victim, group)];
    if let Some(whole) = whole(&kernel.cgroups, group, domain) {
        memory_events::count(kernel, whole, Event::OomGroupKill, 1);
        doomed.extend(killable(kernel, whole).map(|(process, _, group)| (process, group)));
    }
    for (_, group) in &doomed {
        if let Some(group) = memory::nearest(&kernel.cgroups, *group) {
            memory_events::count(kernel, group, Event::OomKill, 1);
        }
    }
    for (process, _) in doomed {
        if kernel.tasks.processes.get(process).is_some_and(|process| !process.is_zombie()) {
            signal::kill(kernel, process);
        }
    }
    true
}

/// The topmost group from the victim's up to the full one that ends as a whole (memory.oom.group).
fn whole(cgroups: &Cgroups, group: CgroupKey, domain: CgroupKey) -> Option<CgroupKey> {
    let above = memory::upwards(cgroups, memory::nearest(cgroups, group));
    above
        .filter(|(key, record)| {
            tree::is_within(&cgroups.table, *key, domain)
                && setting::named(record, b"memory.oom.group") > 0
        })
        .map(|(key, _)| key)
        .last()
}

/// The process with the most points, and its group; of several the last.
fn victim(kernel: &Kernel, domain: CgroupKey) -> Option<(ProcessKey, CgroupKey)> {
    let limit = memory::limit(kernel.cgroups.table.at(domain));
    let thousandth = i64::try_from(limit / PAGE / 1000).unwrap_or(i64::MAX);
    let points = |process: ProcessKey, adjustment: i16| {
        resident(kernel, process) + i64::from(adjustment) * thousandth
    };
    killable(kernel, domain)
        .max_by_key(|(process, adjustment, _)| points(*process, *adjustment))
        .map(|(process, _, group)| (process, group))
}

/// The processes of a group and below that may be ended, by their leaders, with their adjustments and groups.
fn killable(kernel: &Kernel, top: CgroupKey) -> impl Iterator<Item = (ProcessKey, i16, CgroupKey)> {
    tree::subtree(&kernel.cgroups.table, top).flat_map(move |(group, record)| {
        iterate(&kernel.tasks.threads, record.members, |thread| &thread.members).filter_map(
            move |(key, thread)| {
                let leader = kernel.tasks.processes.at(thread.process).leader;
                let adjustment = adjustment(kernel, thread.process)?;
                (key == leader).then_some((thread.process, adjustment, group))
            },
        )
    })
}

/// How many pages a process has, shared ones too.
fn resident(kernel: &Kernel, process: ProcessKey) -> i64 {
    let more = kernel.tasks.processes.at(process).more.as_ref();
    let charges = more.iter().flat_map(|more| &more.memory);
    let bytes: u64 = charges.map(|charge| memory::bytes(&kernel.cgroups, *charge)).sum();
    i64::try_from(bytes / PAGE).unwrap_or(i64::MAX)
}
