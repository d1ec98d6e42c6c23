//! How much a group may have: memory.max and memory.high (cgroup-v2.rst, Memory), and in v1 memory.limit_in_bytes and the same
//! for memory and swap together (`v1::memory`).

use standin::Failure;

use super::memory::{UNCHARGED, upwards};
use super::memory_high::BATCH;
use super::memory_reclaim::{self, ATTEMPTS, RETRIES};
use super::rows::Write;
use super::setting::{self, MEMORY_LIMIT, PAGE};
use super::{Cgroup, CgroupKey, Cgroups, oom};
use crate::kernel::Kernel;
use crate::step::Step;
use crate::wait::Channel;

/// What v1 counts and limits. Without swap, both count the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counter {
    /// Memory.
    Memory = 0,
    /// Memory and swap.
    WithSwap = 1,
}

/// How much more may be charged, and what limits it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    pub(super) bytes: u64,
    pub(super) group: CgroupKey,
    pub(super) counter: Counter,
}

/// memory.max, or memory.limit_in_bytes.
pub(super) fn limit(group: &Cgroup) -> u64 {
    of(group, Counter::Memory)
}

/// A limit.
pub(super) fn of(group: &Cgroup, counter: Counter) -> u64 {
    let name: &[u8] = match counter {
        _ if !group.hierarchy.is_v1() => b"memory.max",
        Counter::Memory => b"memory.limit_in_bytes",
        Counter::WithSwap => b"memory.memsw.limit_in_bytes",
    };
    setting::named(group, name)
}

/// How much more may be charged from a group up, and whose limit that is: the highest's, if several are as tight, for what
/// the kernel keeps for a group is charged to the one above. Of v1's two limits, the one with swap is asked first.
pub(super) fn room(cgroups: &Cgroups, from: Option<CgroupKey>) -> Option<Room> {
    let by = |counter| {
        upwards(cgroups, from)
            .map(|(group, record)| {
                let bytes = of(record, counter).saturating_sub(record.usage());
                Room { bytes, group, counter }
            })
            .reduce(|least, next| if next.bytes <= least.bytes { next } else { least })
    };
    let memory = by(Counter::Memory)?;
    if !cgroups.table.at(memory.group).hierarchy.is_v1() {
        return Some(memory);
    }
    by(Counter::WithSwap).filter(|room| room.bytes <= memory.bytes).or(Some(memory))
}

/// Before a charge is refused page by page, as many pages as a processor keeps in stock are tried: in v1 the first group that
/// has no room for these counts it too.
pub(super) fn fail_first(cgroups: &mut Cgroups, from: Option<CgroupKey>) {
    let first = [Counter::WithSwap, Counter::Memory].into_iter().find_map(|counter| {
        let is_short = |(_, record): &(CgroupKey, &Cgroup)| {
            of(record, counter).saturating_sub(record.usage()) < BATCH * PAGE
        };
        let (group, record) = upwards(cgroups, from).find(is_short)?;
        record.hierarchy.is_v1().then_some((group, counter))
    });
    if let Some((group, counter)) = first {
        cgroups.fail(group, counter, 1);
    }
}

/// Writes memory.high. Nobody sleeps for what is there already, and nothing of it can be reclaimed.
pub(super) fn store_high(kernel: &mut Kernel, write: &Write<'_>) -> Step<()> {
    let high = setting::parse(write.bytes, &MEMORY_LIMIT)?;
    let exceeded = high < kernel.cgroups.table.at(write.group).usage();
    if exceeded {
        memory_reclaim::vet(&kernel.cgroups, write.group)?;
    }
    setting::store(kernel, write, &MEMORY_LIMIT)?;
    kernel.cgroups.memory_limited = true;
    if exceeded {
        memory_reclaim::attempt(kernel, write.group, ATTEMPTS);
    }
    Ok(())
}

/// Writes memory.max. If there is more already, processes die until there is not, or none is left that may.
pub(super) fn store_max(kernel: &mut Kernel, write: &Write<'_>) -> Step<()> {
    let max = setting::parse(write.bytes, &MEMORY_LIMIT)?;
    let record = kernel.cgroups.table.at(write.group);
    let usage = record.usage();
    if record.is_populated() && max < usage.saturating_add(UNCHARGED) {
        if max > 0 && usage <= max {
            return Err(Failure::NotModelled("no room for what processes have besides").into());
        }
        memory_reclaim::vet(&kernel.cgroups, write.group)?;
    }
    setting::store(kernel, write, &MEMORY_LIMIT)?;
    kernel.cgroups.memory_limited = true;
    kernel.waits.wake(Channel::Memory);
    if kernel.cgroups.table.at(write.group).usage() > max {
        memory_reclaim::attempt(kernel, write.group, RETRIES);
    }
    loop {
        let record = kernel.cgroups.table.at(write.group);
        // With no room at all, not even what is not charged finds any.
        let exceeded = record.usage() > max || max == 0 && record.is_populated();
        if !exceeded || !oom::relieve(kernel, write.group) || !kernel.tasks.is_alive(write.caller) {
            return Ok(());
        }
    }
}
