//! The memory controller: how much anonymous memory the processes of a group and below have, and how much they may have
//! (cgroup-v2.rst, Memory).
//!
//! Charged is what a process asked for, with the page tables that this takes; what it has besides (its program, its stack,
//! what the kernel keeps for it) is not counted, and a limit so tight that this would matter is not modelled. A charge stays
//! where it was made when its process moves, and shared pages are charged once. There is no swap, so nothing can be
//! reclaimed (`memory_reclaim`): who reaches a limit (`memory_limit`) meets `oom`, who goes beyond memory.high `memory_high`.
//! In v1 all of this is the same; what v1 has besides is in `v1::memory` and its neighbours. Neighbours: `task::memory` (which
//! process has which charge).

use standin::id::Moment;
use standin::{Controller, Failure};

use super::memory_events::{Counts, Event};
use super::memory_limit::{Counter, Room, room};
use super::memory_reclaim::ATTEMPTS;
use super::rows::{Target, Write};
use super::v1::{memory_oom, memory_watch};
use super::{
    Cgroup, CgroupKey, Cgroups, memory_events, memory_high, memory_limit, memory_reclaim, oom,
    pressure, tree, value,
};
use crate::fs::Node;
use crate::kernel::Kernel;
use crate::list::iterate;
use crate::profile::Release;
use crate::step::{Step, Wait};
use crate::table::Key;
use crate::task::{ProcessKey, ThreadKey};
use crate::wait::Channel;

/// More than a small process has that is not charged: with less room than this left, who knows what becomes of it.
pub(super) const UNCHARGED: u64 = 512 << 10;

/// The state of the controller in a group where something was charged.
#[derive(Clone, Copy, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Memory {
    /// In bytes, as all here.
    pub(super) usage: u64,
    /// What was ever charged.
    pub(super) came: u64,
    /// The same two of this very group.
    pub(super) own: u64,
    pub(super) own_came: u64,
    peak: u64,
    /// The same since an open file was last told to begin anew.
    new_peak: u64,
    /// What happened here and below.
    pub(super) all: Counts,
    /// What happened because of this very group, or to processes of it.
    pub(super) local: Counts,
    /// What v1 keeps by counter: how often a charge did not fit, and the most that was used.
    pub(super) failures: [u64; 2],
    pub(super) peaks: [u64; 2],
    /// How readily memory of this v1 group is swapped out, if not as at first.
    pub(super) swappiness: Option<u8>,
    /// Who finds no room in this v1 group waits, and nobody ends.
    pub(super) waits: bool,
}

impl Memory {
    /// So much was used at once.
    fn reach(&mut self, usage: u64) {
        self.peak = self.peak.max(usage);
        self.new_peak = self.new_peak.max(usage);
        self.peaks = self.peaks.map(|peak| peak.max(usage));
    }
}

pub(crate) type ChargeKey = Key<Charge>;

/// Memory that was asked for at once.
#[derive(Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Charge {
    /// The group that it names, removed or not; none if no group counted.
    group: Option<CgroupKey>,
    /// The nearest group that it counts in; all above count it too.
    from: Option<CgroupKey>,
    bytes: u64,
    /// How many processes have it: a fork shares it.
    pub(super) users: u32,
}

/// The nearest group, this one or above, where the controller is.
pub(super) fn nearest(cgroups: &Cgroups, group: CgroupKey) -> Option<CgroupKey> {
    let mut key = group;
    while let Some(parent) = cgroups.table.at(key).parent {
        if cgroups.present(key).contains(Controller::Memory) {
            return Some(key);
        }
        key = parent;
    }
    None
}

/// The group that a process's memory is charged to: that of its leader, or of whoever took its place.
pub(super) fn group_of(kernel: &Kernel, process: ProcessKey) -> CgroupKey {
    let threads = &kernel.tasks.threads;
    let record = kernel.tasks.processes.at(process);
    let mut all = iterate(threads, record.threads, |thread| &thread.siblings);
    let leader = threads.at(record.leader);
    let owner = if leader.exited { all.find(|(_, thread)| !thread.exited) } else { None };
    let owner = owner.map_or(leader, |(_, thread)| thread);
    kernel.cgroups.group_of(owner, Controller::Memory)
}

/// Whether a thread is in a group or below it.
pub(super) fn is_inhabited(cgroups: &Cgroups, top: CgroupKey) -> bool {
    tree::subtree(&cgroups.table, top).any(|(_, record)| record.is_populated())
}

/// This group and those above it that count.
pub(super) fn upwards(
    cgroups: &Cgroups,
    from: Option<CgroupKey>,
) -> impl Iterator<Item = (CgroupKey, &Cgroup)> {
    let mut next = from;
    std::iter::from_fn(move || {
        let key = next?;
        let record = cgroups.table.at(key);
        next = Some(record.parent?);
        Some((key, record))
    })
}

/// Changes the state of this group and of those above it.
pub(super) fn each(
    cgroups: &mut Cgroups,
    from: Option<CgroupKey>,
    mut act: impl FnMut(&mut Memory),
) {
    let mut next = from;
    while let Some(key) = next {
        let record = cgroups.table.at_mut(key);
        next = record.parent;
        if next.is_some() {
            act(record.memory.get_or_insert_default());
        }
    }
}

impl Cgroup {
    /// memory.current
    pub(super) fn usage(&self) -> u64 {
        self.memory.as_ref().map_or(0, |memory| memory.usage)
    }

    /// Whether those who find no room wait, and nobody ends.
    pub(super) fn waits_for_memory(&self) -> bool {
        self.memory.as_ref().is_some_and(|memory| memory.waits)
    }
}

impl Cgroups {
    /// A charge did not fit, so many times. Later kernels do not count it of memory with swap (recorded: 6.18).
    pub(super) fn fail(&mut self, group: CgroupKey, counter: Counter, times: u64) {
        if counter == Counter::WithSwap && self.release >= Release::V6_18 {
            return;
        }
        let memory = self.table.at_mut(group).memory.get_or_insert_default();
        if let Some(failures) = memory.failures.get_mut(counter as usize) {
            *failures += times;
        }
    }
}

/// How far a request for memory came. What is charged when it must wait stays so.
#[derive(Default)]
pub(crate) struct Charging {
    /// What was charged by now.
    done: u64,
    /// For how long its process sleeps because of memory.high.
    until: Option<Moment>,
}

/// Charges a thread's process for so many bytes, page by page: those that fit, then others die until the rest fits, or it
/// does. Beyond memory.high it sleeps; at a limit, with nobody to end, it waits for room.
///
/// # Errors
/// `NotModelled`, and nothing is charged: more than the machine has; too little room left for what is not charged.
pub(crate) fn charge(
    kernel: &mut Kernel,
    caller: ThreadKey,
    bytes: u64,
    charging: &mut Charging,
) -> Step<()> {
    if let Some(until) = charging.until.filter(|until| *until > kernel.clock.monotonic()) {
        return Err(Wait { until: Some(until), uninterruptible: true, ..Wait::default() }.into());
    }
    if memory_oom::is_waiting(kernel, caller) {
        return Err(Wait { uninterruptible: true, ..Wait::on(Channel::Memory) }.into());
    }
    let thread = kernel.tasks.threads.at(caller);
    let (process, group) = (thread.process, thread.cgroup);
    // It may have been moved while it waited.
    let from = nearest(&kernel.cgroups, group_of(kernel, process));
    if charging.done == bytes {
        return Ok(());
    }
    vet(kernel, from, bytes - charging.done)?;
    let key = open(kernel, process, from);
    while charging.done < bytes {
        let left = bytes - charging.done;
        let near = memory_high::passed(&kernel.cgroups, from, left).next().is_some();
        let limiting = room(&kernel.cgroups, from);
        let part = if near { memory_high::part(left) } else { left };
        let part = part.min(limiting.map_or(left, |room| room.bytes));
        add(&mut kernel.cgroups, key, part);
        charging.done += part;
        memory_watch::look(kernel);
        if near || part == 0 {
            pressure::stalls(&mut kernel.cgroups, group);
        }
        if let Some(limiting) = limiting.filter(|_| part == 0) {
            memory_limit::fail_first(&mut kernel.cgroups, from);
            if !refuse(kernel, limiting) {
                memory_oom::wait(kernel, caller, limiting.group);
                return Err(Wait { uninterruptible: true, ..Wait::on(Channel::Memory) }.into());
            }
            if !kernel.tasks.is_alive(caller) {
                return Err(Failure::CallerDied.into());
            }
        } else if near {
            charging.until = memory_high::charged(kernel, from, part);
            if let Some(until) = charging.until {
                let wait = Wait { until: Some(until), uninterruptible: true, ..Wait::default() };
                return Err(wait.into());
            }
        }
    }
    Ok(())
}

/// A charge was refused because of this limit: somebody ends, if there is anybody who may.
pub(super) fn refuse(kernel: &mut Kernel, Room { group, counter, .. }: Room) -> bool {
    // Once more than usual: what processors keep in stock is given back before the attempts that count.
    memory_events::count(kernel, group, Event::Max, ATTEMPTS + 1);
    kernel.cgroups.fail(group, counter, ATTEMPTS + 1);
    memory_reclaim::attempt(kernel, group, ATTEMPTS + 1);
    oom::relieve(kernel, group)
}

/// A charge to this group that grows with what is added: the last one of the process, if that names the group and nobody
/// shares it.
fn open(kernel: &mut Kernel, process: ProcessKey, from: Option<CgroupKey>) -> ChargeKey {
    let cgroups = &mut kernel.cgroups;
    let more = kernel.tasks.processes.at_mut(process).more_mut();
    let last = more.memory.last().copied().filter(|key| {
        let Charge { group, from: counted, users, .. } = *cgroups.charges.at(*key);
        group == from && counted == from && users == 1
    });
    last.unwrap_or_else(|| {
        if let Some(group) = from {
            cgroups.table.at_mut(group).charges += 1;
        }
        let key = cgroups.charges.insert(Charge { group: from, from, bytes: 0, users: 1 });
        more.memory.push(key);
        key
    })
}

/// Adds to a charge what there is room for.
fn add(cgroups: &mut Cgroups, key: ChargeKey, bytes: u64) {
    let charge = cgroups.charges.at_mut(key);
    charge.bytes += bytes;
    let from = charge.from;
    each(cgroups, from, |memory| {
        memory.usage += bytes;
        memory.came += bytes;
        memory.reach(memory.usage);
    });
    if let Some(from) = from {
        let memory = cgroups.table.at_mut(from).memory.get_or_insert_default();
        memory.own += bytes;
        memory.own_came += bytes;
    }
}

/// Whether the machine knows what this charge does.
fn vet(kernel: &Kernel, from: Option<CgroupKey>, bytes: u64) -> Result<(), Failure> {
    let cgroups = &kernel.cgroups;
    let unknown = |what| Err(Failure::NotModelled(what));
    if charged(cgroups).saturating_add(bytes) > kernel.profile.memory.0 / 2 {
        return unknown("so much memory that the machine's own runs out");
    }
    if kernel.profile.swap.0 > 0 {
        return unknown("memory on a machine with swap");
    }
    for group in memory_high::passed(cgroups, from, bytes) {
        memory_reclaim::vet(cgroups, group)?;
    }
    let Some(room) = room(cgroups, from) else { return Ok(()) };
    if bytes > room.bytes {
        memory_reclaim::vet(cgroups, room.group)
    } else if room.bytes - bytes < UNCHARGED {
        unknown("a group with no room for what processes have besides")
    } else {
        Ok(())
    }
}

/// A process more has a charge.
pub(crate) fn share(cgroups: &mut Cgroups, charge: ChargeKey) {
    cgroups.charges.at_mut(charge).users += 1;
}

/// A process has a charge no more; the last one uncharges it.
pub(crate) fn drop_user(cgroups: &mut Cgroups, key: ChargeKey) {
    let charge = cgroups.charges.at_mut(key);
    charge.users -= 1;
    if charge.users > 0 {
        return;
    }
    let Some(Charge { group, from, bytes, .. }) = cgroups.charges.remove(key) else { return };
    take_off(cgroups, (group, from), bytes);
}

/// A charge of so many bytes names a group no more, and counts no more in those above it.
fn take_off(
    cgroups: &mut Cgroups,
    (group, from): (Option<CgroupKey>, Option<CgroupKey>),
    bytes: u64,
) {
    each(cgroups, from, |memory| memory.usage -= bytes);
    if let Some(from) = from {
        cgroups.table.at_mut(from).memory.get_or_insert_default().own -= bytes;
        memory_oom::recover(cgroups, from);
    }
    if let Some(group) = group {
        let record = cgroups.table.at_mut(group);
        record.charges -= 1;
        if record.removed {
            tree::release(cgroups, group);
        }
    }
}

/// The group that a charge names.
pub(super) fn charged_to(cgroups: &Cgroups, charge: ChargeKey) -> Option<CgroupKey> {
    cgroups.charges.at(charge).group
}

/// Gives a charge to another group; which one it leaves.
pub(super) fn move_charge(
    cgroups: &mut Cgroups,
    key: ChargeKey,
    to: Option<CgroupKey>,
) -> Option<CgroupKey> {
    let charge = cgroups.charges.at_mut(key);
    let (left, from, bytes) = (charge.group, charge.from, std::mem::take(&mut charge.bytes));
    (charge.group, charge.from) = (to, to);
    if let Some(group) = to {
        cgroups.table.at_mut(group).charges += 1;
    }
    add(cgroups, key, bytes);
    take_off(cgroups, (left, from), bytes);
    left
}

/// A charge for these groups did not fit; it was tried page by page.
pub(super) fn fails(cgroups: &mut Cgroups, from: Option<CgroupKey>, room: Room) {
    each(cgroups, from, |memory| memory.reach(memory.usage + room.bytes));
    cgroups.fail(room.group, room.counter, 1);
}

/// How many bytes a charge is.
pub(super) fn bytes(cgroups: &Cgroups, charge: ChargeKey) -> u64 {
    cgroups.charges.at(charge).bytes
}

/// How much is charged in a group, or in all of the machine.
pub(super) fn used(cgroups: &Cgroups, group: CgroupKey) -> u64 {
    let record = cgroups.table.at(group);
    if record.parent.is_some() { record.usage() } else { charged(cgroups) }
}

/// What is charged outside of all groups that count.
pub(super) fn charged_outside(cgroups: &Cgroups) -> u64 {
    let outside = cgroups.charges.iter().filter(|(_, charge)| charge.from.is_none());
    outside.map(|(_, charge)| charge.bytes).sum()
}

/// All that is charged, in whatever group.
pub(super) fn charged(cgroups: &Cgroups) -> u64 {
    cgroups.charges.iter().map(|(_, charge)| charge.bytes).sum()
}

/// The controller counts no more in a group: what was charged there and in removed groups below counts above alone.
pub(super) fn disappears(cgroups: &mut Cgroups, group: CgroupKey) {
    if cgroups.table.at_mut(group).memory.take().is_none() {
        return;
    }
    let above = cgroups.table.at(group).parent.and_then(|parent| nearest(cgroups, parent));
    let within = |from: CgroupKey| tree::is_within(&cgroups.table, from, group);
    let charges = cgroups.charges.iter().filter(|(_, charge)| charge.from.is_some_and(within));
    let mut left = 0;
    for key in charges.map(|(key, _)| key).collect::<Vec<_>>() {
        let charge = cgroups.charges.at_mut(key);
        charge.from = above;
        left += charge.bytes;
    }
    if let Some(above) = above {
        cgroups.table.at_mut(above).memory.get_or_insert_default().own += left;
    }
}

pub(super) fn state(kernel: &Kernel, target: Target) -> Memory {
    kernel.cgroups.table.at(target.group).memory.as_deref().copied().unwrap_or_default()
}

pub(super) fn show_current(kernel: &Kernel, target: Target, out: &mut Vec<u8>) -> Step<()> {
    value::print_line(state(kernel, target).usage, out);
    Ok(())
}

pub(super) fn show_peak(kernel: &Kernel, target: Target, out: &mut Vec<u8>) -> Step<()> {
    let Memory { peak, new_peak, .. } = state(kernel, target);
    let begun = kernel.cgroups.peaks.get(&target.file);
    value::print_line(begun.map_or(peak, |begun| new_peak.max(*begun)), out);
    Ok(())
}

/// Writes memory.peak: whatever the text, for this open file the peak begins anew. Others that were written to take what is
/// used now for their peak, if it is more than when they began; what was used meanwhile is lost to them.
pub(super) fn store_peak(kernel: &mut Kernel, write: &Write<'_>) -> Step<()> {
    let (files, cgroups) = (&kernel.vfs.files, &mut kernel.cgroups);
    let memory = cgroups.table.at_mut(write.group).memory.get_or_insert_default();
    let usage = memory.usage;
    memory.new_peak = usage;
    for (file, begun) in &mut cgroups.peaks {
        if matches!(files.at(*file).spot.node, Node::Control(group, _) if group == write.group) {
            *begun = usage.max(*begun);
        }
    }
    cgroups.peaks.insert(write.file, usage);
    Ok(())
}

/// What must hold of a group's counts between two calls.
pub(super) fn check(cgroups: &Cgroups, key: CgroupKey, record: &Cgroup) -> Result<(), String> {
    let charges = || cgroups.charges.iter().map(|(_, charge)| charge);
    let named = charges().filter(|charge| charge.group == Some(key)).count();
    if u32::try_from(named) != Ok(record.charges) {
        return Err(format!("{named} charges, counted {}", record.charges));
    }
    let within = charges().filter(|charge| {
        charge.from.is_some_and(|from| tree::is_within(&cgroups.table, from, key))
    });
    let usage: u64 = within.map(|charge| charge.bytes).sum();
    if record.parent.is_some() && usage != record.usage() {
        return Err(format!("{usage} bytes charged, counted {}", record.usage()));
    }
    let here = charges().filter(|charge| charge.from == Some(key));
    let own: u64 = here.map(|charge| charge.bytes).sum();
    let counted = record.memory.as_ref().map_or(0, |memory| memory.own);
    if record.parent.is_some() && own != counted {
        return Err(format!("{own} bytes charged here, counted {counted}"));
    }
    Ok(())
}
