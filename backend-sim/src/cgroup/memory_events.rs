//! memory.events and memory.events.local: how often limits and protections of a group came to bear (cgroup-v2.rst, Memory).
//!
//! Linux tries often before it gives up, and counts each attempt: so one refusal is many events, here as many as there are
//! where nothing else happens meanwhile.

use super::memory::{self, Memory};
use super::options::Options;
use super::rows::Target;
use super::{Cgroup, CgroupKey, events, value};
use crate::kernel::Kernel;
use crate::step::Step;

/// What is counted, in a group alone or below it too.
#[derive(Clone, Copy, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Counts([u64; LINES.len()]);

/// The lines, in order.
const LINES: [&str; 6] = ["low", "high", "max", "oom", "oom_kill", "oom_group_kill"];

/// Something that is counted; its place among the lines.
#[derive(Clone, Copy)]
pub(super) enum Event {
    /// Memory that memory.low protects was looked through for something to reclaim.
    Low = 0,
    /// A process of the group was sent to reclaim because of memory.high.
    High = 1,
    /// A charge was refused because of memory.max.
    Max = 2,
    /// No room could be made: a process was to be ended.
    Oom = 3,
    /// A process of the group was ended.
    OomKill = 4,
    /// All processes of the group were ended (memory.oom.group).
    OomGroupKill = 5,
}

impl Counts {
    fn add(&mut self, event: Event, times: u64) {
        if let Some(count) = self.0.get_mut(event as usize) {
            *count += times;
        }
    }

    /// How often it happened.
    pub(super) fn times(&self, event: Event) -> u64 {
        self.0.get(event as usize).copied().unwrap_or_default()
    }

    fn sum(&self) -> u64 {
        self.0.iter().sum()
    }
}

/// Counts an event of a group so many times, there and above; there alone, if the hierarchy is mounted so.
pub(super) fn count(kernel: &mut Kernel, group: CgroupKey, event: Event, times: u64) {
    let record = kernel.cgroups.table.at_mut(group);
    record.memory.get_or_insert_default().local.add(event, times);
    let mut groups: Vec<_> =
        memory::upwards(&kernel.cgroups, Some(group)).map(|(key, _)| key).collect();
    if kernel.cgroups.options.has(Options::MEMORY_LOCAL_EVENTS) {
        groups.truncate(1);
    }
    events::notify(kernel, group, "memory.events.local");
    for group in groups {
        let record = kernel.cgroups.table.at_mut(group);
        record.memory.get_or_insert_default().all.add(event, times);
        events::notify(kernel, group, "memory.events");
    }
}

/// How often memory.events has changed, or memory.events.local.
pub(super) fn changes(group: &Cgroup, counts: fn(&Memory) -> &Counts) -> u64 {
    group.memory.as_ref().map_or(0, |memory| counts(memory).sum())
}

pub(super) fn show(kernel: &Kernel, target: Target, out: &mut Vec<u8>) -> Step<()> {
    print(memory::state(kernel, target).all, out);
    Ok(())
}

pub(super) fn show_local(kernel: &Kernel, target: Target, out: &mut Vec<u8>) -> Step<()> {
    print(memory::state(kernel, target).local, out);
    Ok(())
}

fn print(Counts(counts): Counts, out: &mut Vec<u8>) {
    for (name, count) in LINES.iter().zip(counts) {
        value::print_keyed(name, count, out);
    }
}
