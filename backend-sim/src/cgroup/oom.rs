//! Who dies when a group has no room for more memory, and nothing can be reclaimed: the process that has most, with its
//! oom_score_adj (cgroup-v2.rst, Memory; `proc_pid_oom_score_adj(5)`).

use super::memory_events::{self, Event};
use super::setting::{self, PAGE};
use super::v1::{memory_oom, memory_watch};
use super::{CgroupKey, Cgroups, memory, memory_limit, tree};
use crate::kernel::Kernel;
use crate::list::iterate;
use crate::task::{ProcessKey, Thread, ThreadKey, signal};

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
    if kernel.cgroups.table.at(domain).waits_for_memory() {
        return false;
    }
    if memory_oom::may_lock(&kernel.cgroups, domain) {
        memory_watch::out_of_memory(kernel, domain);
    }
    let Some((victim, group)) = victim(kernel, domain) else { return false };
    // Who is chosen counts twice where the group ends as a whole (recorded: 6.1, 6.12).
    let mut doomed = vec![(victim, group)];
    if let Some(whole) = whole(&kernel.cgroups, group, domain) {
        memory_events::count(kernel, whole, Event::OomGroupKill, 1);
        doomed.extend(
            killable(kernel, whole).into_iter().map(|(process, _, group)| (process, group)),
        );
    }
    for (_, group) in &doomed {
        if let Some(group) = memory::nearest(&kernel.cgroups, *group) {
            memory_events::count(kernel, group, Event::OomKill, 1);
        }
    }
    for (process, _) in doomed {
        if kernel.tasks.processes.get(process).is_some_and(|process| !process.is_zombie()) {
            signal::kill_for_memory(kernel, process);
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
    let limit = memory_limit::limit(kernel.cgroups.table.at(domain));
    let thousandth = i64::try_from(limit / PAGE / 1000).unwrap_or(i64::MAX);
    let points = |process: ProcessKey, adjustment: i16| {
        resident(kernel, process) + i64::from(adjustment) * thousandth
    };
    killable(kernel, domain)
        .into_iter()
        .max_by_key(|(process, adjustment, _)| points(*process, *adjustment))
        .map(|(process, _, group)| (process, group))
}

/// The processes of a group and below that may be ended, by their leaders, with their adjustments and groups.
fn killable(kernel: &Kernel, top: CgroupKey) -> Vec<(ProcessKey, i16, CgroupKey)> {
    let candidate = |key: ThreadKey, thread: &Thread, group: CgroupKey| {
        let leader = kernel.tasks.processes.at(thread.process).leader;
        let adjustment = adjustment(kernel, thread.process)?;
        (key == leader).then_some((thread.process, adjustment, group))
    };
    let cgroups = &kernel.cgroups;
    let threads = &kernel.tasks.threads;
    let groups = tree::subtree(&cgroups.table, top);
    let v1 = Some(cgroups.table.at(top).hierarchy).filter(|hierarchy| hierarchy.is_v1());
    let Some(hierarchy) = v1 else {
        let members = groups.flat_map(|(group, record)| {
            let members = iterate(threads, record.members, |thread| &thread.members);
            members.map(move |(key, thread)| (key, thread, group))
        });
        return members.filter_map(|(key, thread, group)| candidate(key, thread, group)).collect();
    };
    // v1 groups have no lists of their threads: of one group, the last is who came last.
    let placed = threads.iter().filter(|(_, thread)| !thread.exited);
    let mut placed: Vec<_> =
        placed.map(|(key, thread)| (cgroups.place(thread, hierarchy), key, thread)).collect();
    placed.sort_by_key(|(_, key, thread)| {
        let serial = kernel.tasks.processes.at(thread.process).serial;
        cgroups.arrivals.order(*key, serial)
    });
    let members = groups.flat_map(|(group, _)| placed.iter().filter(move |(at, ..)| *at == group));
    members.filter_map(|(group, key, thread)| candidate(*key, thread, *group)).collect()
}

/// How many pages a process has, shared ones too.
pub(crate) fn resident(kernel: &Kernel, process: ProcessKey) -> i64 {
    let more = kernel.tasks.processes.at(process).more.as_ref();
    let charges = more.iter().flat_map(|more| &more.memory);
    let bytes: u64 = charges.map(|charge| memory::bytes(&kernel.cgroups, *charge)).sum();
    i64::try_from(bytes / PAGE).unwrap_or(i64::MAX)
}
