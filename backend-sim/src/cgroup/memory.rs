//! The memory controller: how much anonymous memory the processes of a group and below have, and how much they may have
//! (cgroup-v2.rst, Memory).
//!
//! Charged is what a process asked for, with the page tables that this takes; what it has besides (its program, its stack,
//! what the kernel keeps for it) is not counted, and a limit so tight that this would matter is not modelled. A charge stays
//! where it was made when its process moves, and shared pages are charged once. There is no swap, so nothing can be
//! reclaimed: who reaches a limit meets `oom`. Neighbours: `task::memory` (which process has which charge).

use standin::{Controller, Errno, Failure};

use super::rows::{Target, Write};
use super::setting::{self, MEMORY_LIMIT, PAGE};
use super::{Cgroup, CgroupKey, Cgroups, events, oom, tree, value};
use crate::fs::Node;
use crate::kernel::Kernel;
use crate::step::Step;
use crate::table::Key;
use crate::task::ThreadKey;

/// More than a small process has that is not charged: with less room than this left, who knows what becomes of it.
const UNCHARGED: u64 = 512 << 10;

/// The state of the controller in a group where something was charged.
#[derive(Clone, Copy, Default)]
pub(super) struct Memory {
    /// In bytes, as all here.
    pub(super) usage: u64,
    peak: u64,
    /// The same since an open file was last told to begin anew.
    new_peak: u64,
    /// What happened here and below.
    all: Counts,
    /// What happened because of this very group, or to processes of it.
    local: Counts,
}

/// What memory.events counts. Nothing is protected or throttled here, so `low` and `high` stay 0.
#[derive(Clone, Copy, Default)]
struct Counts([u64; EVENTS.len()]);

/// The lines of memory.events, in order.
const EVENTS: [&str; 6] = ["low", "high", "max", "oom", "oom_kill", "oom_group_kill"];

/// Something that memory.events counts; its place among the lines.
#[derive(Clone, Copy)]
pub(super) enum Event {
    /// A charge was refused because of the group's limit. Linux counts each attempt to make room, here it is one.
    Max = 2,
    Oom = 3,
    OomKill = 4,
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
fn nearest(cgroups: &Cgroups, group: CgroupKey) -> Option<CgroupKey> {
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
fn upwards(
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
fn each(cgroups: &mut Cgroups, from: Option<CgroupKey>, mut act: impl FnMut(&mut Memory)) {
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
    fn usage(&self) -> u64 {
        self.memory.as_ref().map_or(0, |memory| memory.usage)
    }
}

/// How much more may be charged from a group up, and whose limit that is: the lowest's, if several are as tight.
fn room(cgroups: &Cgroups, from: Option<CgroupKey>) -> Option<(u64, CgroupKey)> {
    upwards(cgroups, from)
        .map(|(key, record)| (limit(record).saturating_sub(record.usage()), key))
        .min_by_key(|(room, _)| *room)
}

/// memory.max
pub(super) fn limit(group: &Cgroup) -> u64 {
    setting::named(group, b"memory.max")
}

/// Charges a thread's process for so many bytes, page by page: those that fit, then others die until the rest fits, or it
/// does. A charge that the caller names from then on.
///
/// # Errors
/// `NotModelled`, and nothing is charged: what a limit would do to a process that cannot be ended, or memory.high; too
/// little room left for what is not charged.
pub(crate) fn charge(kernel: &mut Kernel, caller: ThreadKey, bytes: u64) -> Step<ChargeKey> {
    let thread = kernel.tasks.threads.at(caller);
    let (process, from) = (thread.process, nearest(&kernel.cgroups, thread.cgroup));
    vet(kernel, from, bytes, oom::adjustment(kernel, process).is_none())?;
    let cgroups = &mut kernel.cgroups;
    if let Some(group) = from {
        cgroups.table.at_mut(group).charges += 1;
    }
    let charge = cgroups.charges.insert(Charge { group: from, from, bytes: 0, users: 1 });
    kernel.tasks.processes.at_mut(process).more_mut().memory.push(charge);
    let mut left = bytes;
    loop {
        let (room, limiting) = room(&kernel.cgroups, from).unzip();
        let part = left.min(room.unwrap_or(left));
        kernel.cgroups.charges.at_mut(charge).bytes += part;
        each(&mut kernel.cgroups, from, |memory| {
            memory.usage += part;
            memory.peak = memory.peak.max(memory.usage);
            memory.new_peak = memory.new_peak.max(memory.usage);
        });
        left -= part;
        let Some(limiting) = limiting.filter(|_| left > 0) else { return Ok(charge) };
        count(kernel, limiting, Event::Max);
        if !oom::relieve(kernel, limiting) || kernel.cgroups.charges.get(charge).is_none() {
            return Err(Failure::CallerDied.into());
        }
    }
}

/// Whether the machine knows what this charge does.
fn vet(kernel: &Kernel, from: Option<CgroupKey>, bytes: u64, lasting: bool) -> Result<(), Failure> {
    let cgroups = &kernel.cgroups;
    let unknown = |what| Err(Failure::NotModelled(what));
    let all: u64 = cgroups.charges.iter().map(|(_, charge)| charge.bytes).sum();
    if all.saturating_add(bytes) > kernel.profile.memory.0 / 2 {
        return unknown("so much memory that the machine's own runs out");
    }
    for (_, record) in upwards(cgroups, from) {
        let wanted = record.usage().saturating_add(bytes);
        if setting::named(record, b"memory.high") < wanted.min(limit(record)) {
            return unknown("more memory than memory.high");
        }
    }
    let Some((room, limiting)) = room(cgroups, from) else { return Ok(()) };
    if bytes > room {
        oom::vet(cgroups, limiting)?;
        if lasting {
            return unknown("a process that may not be ended at the limit of its memory");
        }
    } else if room - bytes < UNCHARGED {
        return unknown("a group with no room for what processes have besides");
    }
    Ok(())
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

/// Whether anybody may have memory in a group: it is the root, has a process, or something was charged there.
pub(super) fn is_used(cgroups: &Cgroups, group: CgroupKey) -> bool {
    let record = cgroups.table.at(group);
    record.parent.is_none() || record.is_populated() || record.memory.is_some()
}

/// Whether a process can be born in a group: not if it were to meet a limit at its first step.
pub(super) fn vet_birth(cgroups: &Cgroups, group: CgroupKey) -> Result<(), Failure> {
    if !cgroups.memory_limited {
        return Ok(());
    }
    match room(cgroups, nearest(cgroups, group)) {
        Some((room, _)) if room < UNCHARGED => {
            Err(Failure::NotModelled("a process born where there is no room for it"))
        }
        Some(_) | None => Ok(()),
    }
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

/// Counts an event of a group, there and above.
pub(super) fn count(kernel: &mut Kernel, group: CgroupKey, event: Event) {
    let add = |counts: &mut Counts| {
        if let Some(count) = counts.0.get_mut(event as usize) {
            *count += 1;
        }
    };
    add(&mut kernel.cgroups.table.at_mut(group).memory.get_or_insert_default().local);
    each(&mut kernel.cgroups, Some(group), |memory| add(&mut memory.all));
    let groups: Vec<_> = upwards(&kernel.cgroups, Some(group)).map(|(key, _)| key).collect();
    for group in groups {
        events::notify(kernel, group);
    }
}

/// Counts an event of a process, in the nearest group of its own that counts.
pub(super) fn count_for(kernel: &mut Kernel, group: CgroupKey, event: Event) {
    if let Some(group) = nearest(&kernel.cgroups, group) {
        count(kernel, group, event);
    }
}

/// How often memory.events has changed, and memory.events.local.
pub(super) fn changes(group: &Cgroup, local: bool) -> u64 {
    group.memory.as_ref().map_or(0, |memory| {
        let Counts(counts) = if local { memory.local } else { memory.all };
        counts.iter().sum()
    })
}

fn state(kernel: &Kernel, target: Target) -> Memory {
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

pub(super) fn show_events(kernel: &Kernel, target: Target, out: &mut Vec<u8>) -> Step<()> {
    print(state(kernel, target).all, out);
    Ok(())
}

pub(super) fn show_local_events(kernel: &Kernel, target: Target, out: &mut Vec<u8>) -> Step<()> {
    print(state(kernel, target).local, out);
    Ok(())
}

fn print(Counts(counts): Counts, out: &mut Vec<u8>) {
    for (name, count) in EVENTS.iter().zip(counts) {
        value::print_keyed(name, count, out);
    }
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
        oom::vet(&kernel.cgroups, write.group)?;
    }
    setting::store(kernel, write, &MEMORY_LIMIT)?;
    kernel.cgroups.memory_limited = true;
    loop {
        let record = kernel.cgroups.table.at(write.group);
        // With no room at all, not even what is not charged finds any.
        let exceeded = record.usage() > max || max == 0 && record.is_populated();
        if !exceeded || !oom::relieve(kernel, write.group) || !kernel.tasks.is_alive(write.caller) {
            return Ok(());
        }
    }
}

/// Writes memory.reclaim: nothing can be reclaimed, so only nothing succeeds.
pub(super) fn reclaim(kernel: &mut Kernel, write: &Write<'_>) -> Step<()> {
    let text = value::strip(write.bytes);
    if text.is_empty() || text.contains(&b' ') {
        return Err(Failure::NotModelled("these words in memory.reclaim").into());
    }
    if value::size(text)? < PAGE {
        return Ok(());
    }
    if kernel.cgroups.table.at(write.group).parent.is_none() {
        return Err(Failure::NotModelled("reclaim of the whole machine").into());
    }
    Err(Errno::EAGAIN.into())
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
