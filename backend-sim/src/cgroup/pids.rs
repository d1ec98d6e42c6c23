//! The pids controller: how many processes and threads there are in a group and below, zombies included, and how many
//! there may be (cgroup-v2.rst, PID).
//!
//! A thread is charged to the nearest group, its own or above, where the controller is enabled, and to all such groups
//! above that; never to the root. Moving charges whatever the limit says. An exited thread stays charged where it was: if the
//! controller is disabled and enabled again meanwhile, it counts above alone (`strays` says from where).

use standin::Errno;

use super::options::Options;
use super::rows::{Target, Write};
use super::{Cgroup, CgroupKey, Cgroups, events, tree, value};
use crate::kernel::Kernel;
use crate::profile::Release;
use crate::step::Step;
use crate::table::Table;
use crate::task::{Thread, ThreadKey};

/// One more than there can be numbers: it stands for no limit.
const NO_LIMIT: u32 = 4_194_305;

/// The state of the controller in a group.
#[derive(Clone, Copy)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Pids {
    pub(super) current: u32,
    peak: u32,
    limit: u32,
    /// Forks that were refused because of this group's limit, by a thread of this group or below, or of a limit below.
    refused: u64,
    /// The same, because of this very group's limit.
    refused_here: u64,
    /// Forks of this group's own threads that were refused, whoever's limit it was.
    failed_here: u64,
}

impl Default for Pids {
    fn default() -> Self {
        Self { current: 0, peak: 0, limit: NO_LIMIT, refused: 0, refused_here: 0, failed_here: 0 }
    }
}

impl Pids {
    /// What pids.events counts: in v1 and before 6.12 in the group that forks, since then in that whose limit it was, and
    /// above.
    const fn events(&self, by_forks: bool) -> u64 {
        if by_forks { self.failed_here } else { self.refused }
    }

    /// What pids.events.local counts.
    pub(super) const fn local_events(&self) -> u64 {
        self.refused_here
    }

    const fn add(&mut self) {
        self.current += 1;
        if self.current > self.peak {
            self.peak = self.current;
        }
    }
}

/// Whether pids.events of a group counts what its own threads could not fork.
fn counts_forks(cgroups: &Cgroups, group: &Cgroup) -> bool {
    group.hierarchy.is_v1()
        || cgroups.release < Release::V6_12
        || cgroups.options.has(Options::PIDS_LOCAL_EVENTS)
}

/// Whether who polls pids.events of a group is told: in v1 not since 6.18.
fn tells(release: Release, group: &Cgroup) -> bool {
    !group.hierarchy.is_v1() || release < Release::V6_18
}

/// How often pids.events has changed, as far as polls are told.
pub(super) fn changes(cgroups: &Cgroups, group: &Cgroup) -> u64 {
    let release = cgroups.release;
    let pids = group.pids.as_ref().filter(|_| tells(release, group));
    pids.map_or(0, |pids| pids.events(counts_forks(cgroups, group)))
}

/// The nearest group, this one or above, that counts.
fn nearest(cgroups: &Cgroups, group: CgroupKey) -> Option<CgroupKey> {
    let mut next = Some(group);
    while let Some(key) = next {
        let record = cgroups.table.at(key);
        if record.pids.is_some() {
            return Some(key);
        }
        next = record.parent;
    }
    None
}

/// Does something with every count that a thread of this group is charged to, from the nearest up.
fn each(cgroups: &mut Cgroups, group: CgroupKey, mut act: impl FnMut(&mut Pids)) {
    let mut next = Some(group);
    while let Some(key) = next {
        let record = cgroups.table.at_mut(key);
        next = record.parent;
        if let Some(pids) = &mut record.pids {
            act(pids);
        }
    }
}

/// Charges a thread without asking.
pub(super) fn charge(cgroups: &mut Cgroups, group: CgroupKey) {
    each(cgroups, group, Pids::add);
}

/// Uncharges a thread.
pub(super) fn uncharge(cgroups: &mut Cgroups, group: CgroupKey) {
    each(cgroups, group, |pids| pids.current -= 1);
}

/// Charges a thread unless that would exceed a limit: then EAGAIN, and it is counted as the release does it.
pub(super) fn try_charge(kernel: &mut Kernel, group: CgroupKey) -> Result<(), Errno> {
    let cgroups = &mut kernel.cgroups;
    let mut next = Some(group);
    while let Some(key) = next {
        let record = cgroups.table.at_mut(key);
        next = record.parent;
        let Some(pids) = &mut record.pids else { continue };
        if pids.current >= pids.limit {
            let mut charged = group;
            while charged != key {
                let record = cgroups.table.at_mut(charged);
                if let Some(pids) = &mut record.pids {
                    pids.current -= 1;
                }
                charged = record.parent.unwrap_or(key);
            }
            refuse(kernel, group, key);
            return Err(Errno::EAGAIN);
        }
        pids.add();
    }
    Ok(())
}

/// Counts a refused fork of `forking` because of the limit of `limiting`.
fn refuse(kernel: &mut Kernel, forking: CgroupKey, limiting: CgroupKey) {
    let cgroups = &mut kernel.cgroups;
    let Some(forking) = nearest(cgroups, forking) else { return };
    if let Some(pids) = &mut cgroups.table.at_mut(forking).pids {
        pids.failed_here += 1;
    }
    let record = cgroups.table.at(forking);
    if counts_forks(cgroups, record) {
        if tells(cgroups.release, record) {
            events::notify(kernel, forking, "pids.events");
        }
        return;
    }
    if let Some(pids) = &mut cgroups.table.at_mut(limiting).pids {
        pids.refused_here += 1;
    }
    events::notify(kernel, limiting, "pids.events.local");
    let mut next = Some(limiting);
    while let Some(key) = next {
        let record = kernel.cgroups.table.at_mut(key);
        next = record.parent;
        if let Some(pids) = &mut record.pids {
            pids.refused += 1;
            events::notify(kernel, key, "pids.events");
        }
    }
}

/// Whether a thread that moves is charged to others by that.
pub(super) fn charges_differ(cgroups: &Cgroups, from: CgroupKey, to: CgroupKey) -> bool {
    // From the nearest group above both on, they are charged alike.
    let (mut from, mut to) = (from, to);
    while from != to {
        let (left, right) = (cgroups.table.at(from), cgroups.table.at(to));
        let (deeper, key) =
            if left.level >= right.level { (left, &mut from) } else { (right, &mut to) };
        match deeper.parent {
            Some(parent) if deeper.pids.is_none() => *key = parent,
            Some(_) | None => return true,
        }
    }
    false
}

/// Charges a thread to its new group, and then uncharges it from its old one: a group above both counts it twice for a
/// moment, as its peak shows.
pub(super) fn recharge(cgroups: &mut Cgroups, from: CgroupKey, to: CgroupKey) {
    charge(cgroups, to);
    uncharge(cgroups, from);
}

/// [`recharge`], if that changes anything.
pub(super) fn move_charge(cgroups: &mut Cgroups, from: CgroupKey, to: CgroupKey) {
    if charges_differ(cgroups, from, to) {
        recharge(cgroups, from, to);
    }
}

/// An exited thread is reaped.
pub(super) fn uncharge_dead(cgroups: &mut Cgroups, thread: ThreadKey, group: CgroupKey) {
    let stray = if cgroups.strays.is_empty() { None } else { cgroups.strays.remove(&thread) };
    uncharge(cgroups, stray.unwrap_or(group));
}

/// The controller begins to count in a group: its live threads and those below are charged to it, exited ones are not.
pub(super) fn appears(threads: &Table<Thread>, cgroups: &mut Cgroups, group: CgroupKey) {
    let Some(parent) = cgroups.table.at(group).parent else { return };
    let live = tree::subtree(&cgroups.table, group).map(|(_, record)| record.members.len()).sum();
    if cgroups.dead > 0 {
        stray(threads, cgroups, group, parent);
    }
    let pids = Pids { current: live, peak: live, ..Pids::default() };
    cgroups.table.at_mut(group).pids = Some(pids);
    if live > 0 {
        swap_one(cgroups, parent);
    }
}

/// The controller counts no more in a group; those above go on to.
pub(super) fn disappears(cgroups: &mut Cgroups, group: CgroupKey) {
    let live: u32 =
        tree::subtree(&cgroups.table, group).map(|(_, record)| record.members.len()).sum();
    let record = cgroups.table.at_mut(group);
    record.pids = None;
    if live > 0
        && let Some(parent) = record.parent
    {
        swap_one(cgroups, parent);
    }
}

/// Threads below go from one count to another one at a time: for a moment one is counted twice.
fn swap_one(cgroups: &mut Cgroups, group: CgroupKey) {
    each(cgroups, group, |pids| {
        pids.add();
        pids.current -= 1;
    });
}

/// Exited threads below `group` stay charged from `parent` on.
fn stray(threads: &Table<Thread>, cgroups: &mut Cgroups, group: CgroupKey, parent: CgroupKey) {
    let dead = threads.iter().filter(|(_, thread)| thread.exited);
    let of_group: Vec<ThreadKey> = dead
        .filter(|(key, thread)| {
            let start = cgroups.strays.get(key).copied().unwrap_or(thread.cgroup);
            tree::is_within(&cgroups.table, start, group)
        })
        .map(|(key, _)| key)
        .collect();
    cgroups.strays.extend(of_group.into_iter().map(|key| (key, parent)));
}

fn state(table: &Table<Cgroup>, target: Target) -> Result<&Pids, Errno> {
    table.at(target.group).pids.as_ref().ok_or(Errno::ENODEV)
}

pub(super) fn show_current(kernel: &Kernel, target: Target, out: &mut Vec<u8>) -> Step<()> {
    value::print_line(state(&kernel.cgroups.table, target)?.current.into(), out);
    Ok(())
}

pub(super) fn show_peak(kernel: &Kernel, target: Target, out: &mut Vec<u8>) -> Step<()> {
    value::print_line(state(&kernel.cgroups.table, target)?.peak.into(), out);
    Ok(())
}

pub(super) fn show_events(kernel: &Kernel, target: Target, out: &mut Vec<u8>) -> Step<()> {
    let cgroups = &kernel.cgroups;
    let by_forks = counts_forks(cgroups, cgroups.table.at(target.group));
    value::print_keyed("max", state(&cgroups.table, target)?.events(by_forks), out);
    Ok(())
}

pub(super) fn show_local_events(kernel: &Kernel, target: Target, out: &mut Vec<u8>) -> Step<()> {
    let cgroups = &kernel.cgroups;
    let state = state(&cgroups.table, target)?;
    let by_forks = counts_forks(cgroups, cgroups.table.at(target.group));
    value::print_keyed(
        "max",
        if by_forks { state.events(true) } else { state.local_events() },
        out,
    );
    Ok(())
}

pub(super) fn show_max(kernel: &Kernel, target: Target, out: &mut Vec<u8>) -> Step<()> {
    match state(&kernel.cgroups.table, target)?.limit {
        NO_LIMIT => out.extend_from_slice(b"max\n"),
        limit => value::print_line(limit.into(), out),
    }
    Ok(())
}

/// Writes pids.max: `max`, or a number that there can be.
pub(super) fn store_max(kernel: &mut Kernel, write: &Write<'_>) -> Step<()> {
    let limit = match value::strip(write.bytes) {
        b"max" => NO_LIMIT,
        text => u32::try_from(value::long(text)?)
            .ok()
            .filter(|limit| *limit < NO_LIMIT)
            .ok_or(Errno::EINVAL)?,
    };
    match &mut kernel.cgroups.table.at_mut(write.group).pids {
        Some(pids) => pids.limit = limit,
        None => return Err(Errno::ENODEV.into()),
    }
    Ok(())
}
