//! The memory controller: how much anonymous memory the processes of a group and below have, and how much they may have
//! (cgroup-v2.rst, Memory).
//!
//! Charged is what a process asked for, with the page tables that this takes; what it has besides (its program, its stack,
//! what the kernel keeps for it) is not counted, and a limit so tight that this would matter is not modelled. A charge stays
//! where it was made when its process moves, and shared pages are charged once. There is no swap, so nothing can be
//! reclaimed (`memory_reclaim`): who reaches a limit meets `oom`, who goes beyond memory.high `memory_high`. Neighbours:
//! `task::memory` (which process has which charge).

use standin::id::Moment;
use standin::{Controller, Failure};

use super::memory_events::{Counts, Event};
use super::memory_reclaim::{ATTEMPTS, RETRIES};
use super::rows::{Target, Write};
use super::setting::{self, MEMORY_LIMIT};
use super::{
    Cgroup, CgroupKey, Cgroups, memory_events, memory_high, memory_reclaim, oom, pressure, tree,
    value,
};
use crate::fs::Node;
use crate::kernel::Kernel;
use crate::step::{Step, Wait};
use crate::table::Key;
use crate::task::{ProcessKey, ThreadKey};
use crate::wait::Channel;

/// More than a small process has that is not charged: with less room than this left, who knows what becomes of it.
pub(super) const UNCHARGED: u64 = 512 << 10;

/// The state of the controller in a group where something was charged.
#[derive(Clone, Copy, Default)]
pub(super) struct Memory {
    /// In bytes, as all here.
    pub(super) usage: u64,
    peak: u64,
    /// The same since an open file was last told to begin anew.
    new_peak: u64,
    /// What happened here and below.
    pub(super) all: Counts,
    /// What happened because of this very group, or to processes of it.
    pub(super) local: Counts,
}

pub(crate) type ChargeKey = Key<Charge>;

/// Memory that was asked for at once.
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
}

/// How much more may be charged from a group up, and whose limit that is: the highest's, if several are as tight, for what
/// the kernel keeps for a group is charged to the one above.
fn room(cgroups: &Cgroups, from: Option<CgroupKey>) -> Option<(u64, CgroupKey)> {
    upwards(cgroups, from)
        .map(|(key, record)| (limit(record).saturating_sub(record.usage()), key))
        .reduce(|least, next| if next.0 <= least.0 { next } else { least })
}

/// memory.max
pub(super) fn limit(group: &Cgroup) -> u64 {
    setting::named(group, b"memory.max")
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
    let thread = kernel.tasks.threads.at(caller);
    // It may have been moved while it waited.
    let (process, group) = (thread.process, thread.cgroup);
    let from = nearest(&kernel.cgroups, group);
    if charging.done == bytes {
        return Ok(());
    }
    vet(kernel, from, bytes - charging.done)?;
    let key = open(kernel, process, from);
    while charging.done < bytes {
        let left = bytes - charging.done;
        let near = memory_high::passed(&kernel.cgroups, from, left).next().is_some();
        let (room, limiting) = room(&kernel.cgroups, from).unzip();
        let part = if near { memory_high::part(left) } else { left }.min(room.unwrap_or(left));
        add(&mut kernel.cgroups, key, part);
        charging.done += part;
        if near || part == 0 {
            pressure::stalls(&mut kernel.cgroups, group);
        }
        if let Some(limiting) = limiting.filter(|_| part == 0) {
            if !refuse(kernel, limiting) {
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

/// A charge was refused because of this group's limit: somebody ends, if there is anybody who may.
pub(super) fn refuse(kernel: &mut Kernel, limiting: CgroupKey) -> bool {
    // Once more than usual: what processors keep in stock is given back before the attempts that count.
    memory_events::count(kernel, limiting, Event::Max, ATTEMPTS + 1);
    memory_reclaim::attempt(kernel, limiting, ATTEMPTS + 1);
    oom::relieve(kernel, limiting)
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
        memory.peak = memory.peak.max(memory.usage);
        memory.new_peak = memory.new_peak.max(memory.usage);
    });
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
    let Some((room, limiting)) = room(cgroups, from) else { return Ok(()) };
    if bytes > room {
        memory_reclaim::vet(cgroups, limiting)
    } else if room - bytes < UNCHARGED {
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
    each(cgroups, from, |memory| memory.usage -= bytes);
    if let Some(group) = group {
        let record = cgroups.table.at_mut(group);
        record.charges -= 1;
        if record.removed {
            tree::release(cgroups, group);
        }
    }
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

/// All that is charged, in whatever group.
fn charged(cgroups: &Cgroups) -> u64 {
    cgroups.charges.iter().map(|(_, charge)| charge.bytes).sum()
}

/// Whether the machine knows what becomes of a child of the caller that is born in a group: not where what is not charged
/// would reach a limit, unless nothing at all may be used there.
pub(super) fn vet_birth(
    kernel: &Kernel,
    caller: ThreadKey,
    group: CgroupKey,
) -> Result<(), Failure> {
    let cgroups = &kernel.cgroups;
    if !cgroups.memory_limited {
        return Ok(());
    }
    let from = nearest(cgroups, group);
    let unknown = Err(Failure::NotModelled("a process born where there is no room for it"));
    if memory_high::passed(cgroups, from, UNCHARGED).next().is_some() {
        return unknown;
    }
    let Some((room, limiting)) = room(cgroups, from).filter(|(room, _)| *room < UNCHARGED) else {
        return Ok(());
    };
    let thread = kernel.tasks.threads.at(caller);
    let outside = !tree::is_within(&cgroups.table, thread.cgroup, limiting);
    let mortal = oom::adjustment(kernel, thread.process).is_some();
    if room == 0 && limit(cgroups.table.at(limiting)) == 0 && outside && mortal {
        memory_reclaim::vet(cgroups, limiting)
    } else {
        unknown
    }
}

/// A child that was just born asks for its first page. Where nothing may be used, it ends.
pub(super) fn first_page(kernel: &mut Kernel, child: ThreadKey, group: CgroupKey) {
    if !kernel.cgroups.memory_limited {
        return;
    }
    while let Some((0, limiting)) = room(&kernel.cgroups, nearest(&kernel.cgroups, group))
        && kernel.tasks.is_alive(child)
        && refuse(kernel, limiting)
    {}
}

/// The controller counts no more in a group: what was charged there and in removed groups below counts above alone.
pub(super) fn disappears(cgroups: &mut Cgroups, group: CgroupKey) {
    if cgroups.table.at_mut(group).memory.take().is_none() {
        return;
    }
    let above = cgroups.table.at(group).parent.and_then(|parent| nearest(cgroups, parent));
    let within = |from: CgroupKey| tree::is_within(&cgroups.table, from, group);
    let charges = cgroups.charges.iter().filter(|(_, charge)| charge.from.is_some_and(within));
    for key in charges.map(|(key, _)| key).collect::<Vec<_>>() {
        cgroups.charges.at_mut(key).from = above;
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
    // Those of files that were closed meanwhile go.
    cgroups.peaks.retain(|file, begun| {
        let Some(file) = files.get(*file) else { return false };
        if matches!(file.spot.node, Node::Control(group, _) if group == write.group) {
            *begun = usage.max(*begun);
        }
        true
    });
    cgroups.peaks.insert(write.file, usage);
    Ok(())
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
    Ok(())
}
