//! Freezing: cgroup.freeze, and what standing still means for a group and those above it (cgroup-v2.rst, cgroup.freeze).
//!
//! A group is *freezing* if it or one above was told to; its threads then stand still one after the other. It is *frozen*
//! when all its own threads do, or when it is freezing and all groups below are frozen. A stopped thread stands still in any
//! group. As in the kernel, `frozen` of a thread counts both: it is set when a thread stops or freezes, and stays while
//! either reason lasts.

use standin::id::Moment;

use super::rows::{Target, Write};
use super::{Cgroup, CgroupKey, events, tree, value};
use crate::kernel::Kernel;
use crate::list::iterate;
use crate::step::Step;
use crate::table::Table;
use crate::task::{ThreadKey, signal};

/// What freezing knows of a group.
#[derive(Clone, Copy, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Freezer {
    /// What cgroup.freeze says.
    told: bool,
    /// It stands still, as cgroup.events says.
    frozen: bool,
    /// How many of it and the groups above were told to freeze.
    told_above: u32,
    /// Groups below that are frozen.
    pub(super) frozen_descendants: u32,
    /// Its own threads that stand still.
    still_threads: u32,
    /// Since when it freezes, if it does.
    since: Moment,
    /// How long it has been freezing before, in ns.
    past_ns: u64,
}

/// Whether cgroup.events of a group says `frozen 1`.
#[cfg(feature = "transcript")]
pub(crate) fn is_frozen(kernel: &Kernel, group: CgroupKey) -> bool {
    kernel.cgroups.table.get(group).is_some_and(|group| group.freezer.is_frozen())
}

impl Freezer {
    /// Whether its threads are to stand still.
    pub(super) const fn is_effective(&self) -> bool {
        self.told_above > 0
    }

    /// Whether it stands still.
    pub(super) const fn is_frozen(&self) -> bool {
        self.frozen
    }

    /// For how long it has been freezing, in ns.
    pub(super) const fn frozen_ns(&self, now: Moment) -> u64 {
        if self.is_effective() {
            self.past_ns + now.ns.saturating_sub(self.since.ns)
        } else {
            self.past_ns
        }
    }
}

pub(super) fn show(kernel: &Kernel, target: Target, out: &mut Vec<u8>) -> Step<()> {
    value::print_line(kernel.cgroups.table.at(target.group).freezer.told.into(), out);
    Ok(())
}

/// Writes cgroup.freeze. Nobody below changes who is told to by another as well; if none does, the group says so.
pub(super) fn store(kernel: &mut Kernel, write: &Write<'_>) -> Step<()> {
    let freeze = value::flag(write.bytes)?;
    let freezer = &mut kernel.cgroups.table.at_mut(write.group).freezer;
    if freezer.told == freeze {
        return Ok(());
    }
    freezer.told = freeze;
    let now = kernel.clock.monotonic();
    let mut changed = false;
    let mut next = Some(write.group);
    while let Some(group) = next {
        let freezer = &mut kernel.cgroups.table.at_mut(group).freezer;
        let before = freezer.is_effective();
        freezer.told_above = if freeze { freezer.told_above + 1 } else { freezer.told_above - 1 };
        if before != freezer.is_effective() {
            changed = true;
            if freeze {
                freezer.since = now;
            } else {
                freezer.past_ns += now.ns.saturating_sub(freezer.since.ns);
            }
            if kernel.cgroups.table.at(group).descendants
                == freezer_of(&kernel.cgroups.table, group).frozen_descendants
            {
                update(kernel, group);
            }
        }
        next = tree::next_below(&kernel.cgroups.table, write.group, group);
    }
    if changed {
        settle_below(kernel, write.group);
    } else {
        events::changed(kernel, write.group);
    }
    Ok(())
}

fn freezer_of(table: &Table<Cgroup>, group: CgroupKey) -> &Freezer {
    &table.at(group).freezer
}

/// The threads of a group and of those below do what they are told.
fn settle_below(kernel: &mut Kernel, top: CgroupKey) {
    let mut thawed = Vec::new();
    let mut next = Some(top);
    while let Some(group) = next {
        let record = kernel.cgroups.table.at(group);
        let freeze = record.freezer.is_effective();
        let mut member = record.members.first(&kernel.tasks.threads);
        while let Some(thread) = member {
            if settle(kernel, thread, freeze) {
                thawed.push(thread);
            }
            let threads = &kernel.tasks.threads;
            member = threads.at(thread).members.next(threads);
        }
        next = tree::next_below(&kernel.cgroups.table, top, group);
    }
    for thread in thawed {
        signal::attend(kernel, thread);
    }
}

/// A thread does what its group is told, unless the v1 freezer holds it; whether it goes on by that.
fn settle(kernel: &mut Kernel, thread: ThreadKey, freeze: bool) -> bool {
    let record = kernel.tasks.threads.at(thread);
    if record.frozen == freeze || record.frozen_v1 {
        return false;
    }
    if freeze {
        stand_still(kernel, thread);
        return false;
    }
    if kernel.tasks.processes.at(record.process).is_stopped() {
        return false;
    }
    go_on(kernel, thread);
    true
}

/// A thread stands still from now on.
pub(super) fn stand_still(kernel: &mut Kernel, thread: ThreadKey) {
    let record = kernel.tasks.threads.at_mut(thread);
    record.frozen = true;
    record.attention = true;
    let group = record.cgroup;
    kernel.waits.leave_futex(thread);
    kernel.cgroups.table.at_mut(group).freezer.still_threads += 1;
    update(kernel, group);
}

/// A thread does not stand still any more, also because it ends.
pub(super) fn go_on(kernel: &mut Kernel, thread: ThreadKey) {
    let record = kernel.tasks.threads.at_mut(thread);
    record.frozen = false;
    let group = record.cgroup;
    kernel.cgroups.table.at_mut(group).freezer.still_threads -= 1;
    update(kernel, group);
}

/// Looks again whether a group stands still, by its own threads.
pub(super) fn update(kernel: &mut Kernel, group: CgroupKey) {
    let record = kernel.cgroups.table.at_mut(group);
    let frozen =
        record.freezer.is_effective() && record.freezer.still_threads == record.members.len();
    if record.freezer.frozen == frozen {
        return;
    }
    record.freezer.frozen = frozen;
    let mut above = record.parent;
    events::changed(kernel, group);
    let mut groups = 1;
    while let Some(key) = above {
        let record = kernel.cgroups.table.at_mut(key);
        let freezer = &mut record.freezer;
        let changes = if frozen {
            freezer.frozen_descendants += groups;
            !freezer.frozen
                && freezer.is_effective()
                && freezer.frozen_descendants == record.descendants
        } else {
            freezer.frozen_descendants -= groups;
            freezer.frozen
        };
        above = record.parent;
        if changes {
            record.freezer.frozen = frozen;
            groups += 1;
            events::changed(kernel, key);
        }
    }
}

/// A thread's process was stopped, or goes on after that, or the v1 freezer lets go of it: what that one holds hears of nothing.
pub(crate) fn held(kernel: &mut Kernel, thread: ThreadKey) {
    let Some(record) = kernel.tasks.threads.get(thread) else { return };
    let stopped = kernel.tasks.processes.at(record.process).is_stopped();
    let freezing = kernel.cgroups.table.at(record.cgroup).freezer.is_effective();
    if record.exited || record.frozen_v1 || record.frozen == (stopped || freezing) {
        return;
    }
    if stopped || freezing {
        stand_still(kernel, thread);
    } else {
        go_on(kernel, thread);
    }
}

/// A thread was moved: it is counted where it is now. What it is told there comes after ([`moved`]), if this says that it stands
/// still or that one of the groups is freezing.
pub(super) fn moves(
    kernel: &mut Kernel,
    thread: ThreadKey,
    from: CgroupKey,
    to: CgroupKey,
) -> bool {
    let still = kernel.tasks.threads.at(thread).frozen;
    let table = &mut kernel.cgroups.table;
    if !still && !table.at(from).freezer.is_effective() && !table.at(to).freezer.is_effective() {
        return false;
    }
    if still {
        table.at_mut(to).freezer.still_threads += 1;
        table.at_mut(from).freezer.still_threads -= 1;
    }
    update(kernel, to);
    update(kernel, from);
    true
}

/// A moved thread does what its new group is told.
pub(super) fn moved(kernel: &mut Kernel, thread: ThreadKey) {
    let Some(record) = kernel.tasks.threads.get(thread) else { return };
    let freeze = kernel.cgroups.table.at(record.cgroup).freezer.is_effective();
    if settle(kernel, thread, freeze) {
        signal::attend(kernel, thread);
    }
}

/// A group is made below one that is freezing: it is empty, so it is frozen at once.
pub(super) fn born_frozen(kernel: &mut Kernel, group: CgroupKey) {
    let now = kernel.clock.monotonic();
    let table = &mut kernel.cgroups.table;
    let Some(parent) = table.at(group).parent else { return };
    let told_above = table.at(parent).freezer.told_above;
    table.at_mut(group).freezer =
        Freezer { frozen: true, told_above, since: now, ..Freezer::default() };
    let mut above = Some(parent);
    while let Some(key) = above {
        let record = table.at_mut(key);
        record.freezer.frozen_descendants += 1;
        above = record.parent;
    }
}

/// What is wrong with a group's counts, if anything.
pub(super) fn check(kernel: &Kernel, group: CgroupKey) -> Result<(), String> {
    let record = kernel.cgroups.table.at(group);
    let members = iterate(&kernel.tasks.threads, record.members, |thread| &thread.members);
    let still = members.filter(|(_, thread)| thread.frozen).count();
    if u64::from(record.freezer.still_threads) != still as u64 {
        return Err(format!(
            "{} threads stand still, counted {}",
            still, record.freezer.still_threads
        ));
    }
    let below = tree::subtree(&kernel.cgroups.table, group).skip(1);
    let frozen = below.filter(|(_, below)| below.freezer.frozen).count();
    if u64::from(record.freezer.frozen_descendants) != frozen as u64 {
        return Err(format!(
            "{} groups below are frozen, counted {}",
            frozen, record.freezer.frozen_descendants
        ));
    }
    let above =
        record.parent.map_or(0, |parent| kernel.cgroups.table.at(parent).freezer.told_above);
    if record.freezer.told_above != above + u32::from(record.freezer.told) {
        return Err(format!("told to freeze {} times, {above} above", record.freezer.told_above));
    }
    Ok(())
}
