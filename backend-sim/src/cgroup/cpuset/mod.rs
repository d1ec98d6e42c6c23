//! The cpuset controller: which processors and memory nodes a group's tasks may use, and partitions, which keep processors for
//! themselves (cgroup-v2.rst, Cpuset).
//!
//! A [`Cpuset`] is what the controller knows of a group. `list` reads what is written, `change` is what every change of the tree
//! is made with; how partitions come, go and become invalid is in `granting` for kernels where a parent notes what it has granted
//! (6.1), and in `exclusive`, `local`, `remote` and `spread` for those with exclusive processors that are handed down. `domains`
//! says how few a partition may have, `tasks` which processors a thread may use. The machine has one memory node, and all its processors are online.

mod change;
mod domains;
mod exclusive;
mod granting;
mod list;
mod local;
mod mask;
mod partition;
mod remote;
mod spread;
mod tasks;

pub(crate) use mask::Mask;
pub(super) use tasks::{Switch, attach, born, forget, may_attach, may_be_born, may_set, set};
pub(crate) use tasks::{allowed, group_of};

use rustc_hash::FxHashMap;
use standin::{Capability, Controller, Errno, Failure};

use super::rows::{Target, Write};
use super::{Cgroup, CgroupKey, Cgroups, value};
use crate::kernel::Kernel;
use crate::profile::{Profile, Release};
use crate::step::Step;
use crate::task::ThreadKey;
use change::Change;
use domains::Domain;
use partition::{Reason, State};

/// Memory nodes that the kernels are built for.
const MEMORY_NODES: u32 = 1024;

/// What is kept of all groups together.
#[derive(Clone, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Cpusets {
    /// Processors of the machine.
    count: u32,
    /// Those that partitions took from the root (since 6.12).
    taken: Mask,
    /// Those in isolated partitions (since 6.12).
    isolated: Mask,
    /// Between which processors load is balanced (since 6.12).
    domains: Vec<Domain>,
    /// Threads that may not use all processors, and those that they may use.
    #[cfg_attr(feature = "serde", serde(with = "crate::written::map"))]
    narrowed: FxHashMap<ThreadKey, Mask>,
}

/// What the controller knows of a group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Cpuset {
    /// cpuset.cpus
    cpus: Mask,
    /// cpuset.cpus.effective
    effective: Mask,
    /// Whether cpuset.mems names the one node that there is.
    mems: bool,
    state: State,
    reason: Option<Reason>,
    /// How often cpuset.cpus.partition has changed.
    changes: u64,
    /// No sibling may name its processors.
    alone: bool,
    /// Load is balanced between its processors.
    balanced: bool,
    /// It goes: a change of others does not see it any more.
    leaving: bool,
    /// Its tasks have gone to the set of the parent.
    deserted: bool,
    /// What it granted to partitions below (6.1).
    granted: Mask,
    /// It has the effective processors of its parent for want of its own (6.1).
    inherits: bool,
    /// cpuset.cpus.exclusive
    exclusive: Mask,
    /// cpuset.cpus.exclusive.effective
    own: Mask,
    /// Valid partitions right below that took their processors from it (since 6.12).
    partitions: i32,
    /// Its processors come from the root, past parents that are no partitions (since 6.12).
    remote: bool,
}

impl Cpuset {
    /// That of the root.
    pub(super) const fn root(profile: &Profile) -> Self {
        let all = Mask::first(profile.processors);
        Self {
            cpus: all,
            effective: all,
            mems: true,
            state: State::Valid(partition::Kind::Root),
            reason: None,
            changes: 0,
            alone: true,
            balanced: true,
            leaving: false,
            deserted: false,
            granted: Mask::EMPTY,
            inherits: false,
            exclusive: all,
            own: all,
            partitions: 0,
            remote: false,
        }
    }

    /// That of a new group below this one.
    const fn below(parent: &Self) -> Self {
        Self {
            cpus: Mask::EMPTY,
            effective: parent.effective,
            mems: false,
            state: State::Member,
            alone: false,
            balanced: parent.balanced,
            inherits: true,
            exclusive: Mask::EMPTY,
            granted: Mask::EMPTY,
            own: Mask::EMPTY,
            partitions: 0,
            changes: 0,
            ..*parent
        }
    }

    /// What it asks for itself if it is a partition.
    const fn claimed(&self) -> Mask {
        if self.exclusive.is_empty() { self.cpus } else { self.exclusive }
    }

    /// How often cpuset.cpus.partition has changed.
    pub(super) const fn changes(&self) -> u64 {
        self.changes
    }
}

impl Cgroup {
    /// Whether its own set counts for its tasks.
    fn counts_tasks(&self) -> bool {
        self.cpuset.as_ref().is_some_and(|cpuset| !cpuset.deserted)
    }
}

impl Cpusets {
    pub(super) fn boot(profile: &Profile) -> Self {
        let count = profile.processors;
        Self { count, domains: vec![Domain::new(Mask::first(count))], ..Self::default() }
    }

    pub(super) const fn possible(&self) -> Mask {
        Mask::first(self.count)
    }

    /// `NotModelled` on a machine with more processors than a set has room for.
    pub(super) const fn check_room(&self) -> Result<(), Failure> {
        if self.count > Mask::BITS {
            return Err(Failure::NotModelled("sets of more than 128 processors"));
        }
        Ok(())
    }
}

/// The controller is enabled in a group.
pub(super) fn appears(cgroups: &mut Cgroups, group: CgroupKey) {
    let parent = cgroups.table.at(group).parent;
    let above = parent.and_then(|parent| cgroups.table.at(parent).cpuset.as_deref());
    let cpuset = above.map(|above| Box::new(Cpuset::below(above)));
    cgroups.table.at_mut(group).cpuset = cpuset;
}

/// Whether the controller may be enabled in these children of a group that have it not, or disabled in those that have it.
///
/// # Errors
/// ENOSPC: tasks would have no processors. EPERM: the caller may not tell tasks which processors they may use.
pub(super) fn may_switch(
    kernel: &Kernel,
    caller: ThreadKey,
    parent: CgroupKey,
    groups: &[CgroupKey],
) -> Result<Switch, Errno> {
    tasks::may_switch(kernel, caller, parent, groups)
}

/// Enables or disables it there.
pub(super) fn switch(
    kernel: &mut Kernel,
    caller: ThreadKey,
    parent: CgroupKey,
    groups: &[CgroupKey],
    switch: &Switch,
) {
    let cgroups = &mut kernel.cgroups;
    let is_there = |group: &CgroupKey| cgroups.table.at(*group).cpuset.is_some();
    if groups.first().is_some_and(is_there) {
        for group in groups {
            if let Some(cpuset) = &mut cgroups.table.at_mut(*group).cpuset {
                cpuset.deserted = true;
            }
        }
        attach(cgroups, switch, parent);
        disappears(kernel, caller, groups);
        for group in groups {
            kernel.cgroups.table.at_mut(*group).cpuset = None;
        }
    } else {
        groups.iter().for_each(|group| appears(cgroups, *group));
        tasks::attach_below(kernel, switch, groups);
    }
}

/// The controller is disabled in siblings, or one group is removed: what their partitions took goes back. Who does it matters if
/// other partitions change by it. A removed group keeps its set, which zombies of it still name.
pub(super) fn disappears(kernel: &mut Kernel, caller: ThreadKey, groups: &[CgroupKey]) {
    let release = kernel.cgroups.release;
    if release == Release::V6_1 {
        // They go first, and give back later.
        groups.iter().for_each(|group| leave(&mut kernel.cgroups, *group));
    }
    for group in groups {
        let cpuset = kernel.cgroups.table.at(*group).cpuset.as_ref();
        if cpuset.is_some_and(|cpuset| cpuset.state.is_valid()) {
            let mut change = change(kernel, caller);
            if release == Release::V6_1 {
                change.grant_state(*group, State::Member);
            } else {
                change.set_state(*group, State::Member);
            }
        }
        leave(&mut kernel.cgroups, *group);
    }
}

fn leave(cgroups: &mut Cgroups, group: CgroupKey) {
    if let Some(cpuset) = &mut cgroups.table.at_mut(group).cpuset {
        cpuset.leaving = true;
    }
}

fn change(kernel: &mut Kernel, caller: ThreadKey) -> Change<'_> {
    let admin = kernel.credentials(caller).capable(Capability::SYS_ADMIN);
    Change::new(kernel, admin)
}

/// The nearest group, this one or above, whose set counts for the tasks of a group. In v1 every group has a set that counts.
fn nearest(cgroups: &Cgroups, group: CgroupKey) -> CgroupKey {
    let mut key = group;
    loop {
        let record = cgroups.table.at(key);
        match record.parent {
            Some(parent) if !record.hierarchy.is_v1() && !record.counts_tasks() => key = parent,
            _ => return key,
        }
    }
}

/// The processors that the tasks of a group may use.
pub(super) fn effective_cpus(cgroups: &Cgroups, group: CgroupKey) -> Mask {
    let nearest = cgroups.table.at(nearest(cgroups, group));
    nearest.cpuset.as_ref().map_or(Mask::EMPTY, |cpuset| cpuset.effective)
}

fn shown(kernel: &Kernel, target: Target) -> Step<Cpuset> {
    kernel.cgroups.cpusets.check_room()?;
    let record = kernel.cgroups.table.at(target.group);
    Ok(record.cpuset.as_deref().copied().ok_or(Errno::ENODEV)?)
}

pub(super) fn print(mask: Mask, out: &mut Vec<u8>) {
    mask.print_list(out);
    out.push(b'\n');
}

pub(super) fn show_cpus(kernel: &Kernel, target: Target, out: &mut Vec<u8>) -> Step<()> {
    print(shown(kernel, target)?.cpus, out);
    Ok(())
}

pub(super) fn show_effective(kernel: &Kernel, target: Target, out: &mut Vec<u8>) -> Step<()> {
    print(shown(kernel, target)?.effective, out);
    Ok(())
}

pub(super) fn show_exclusive(kernel: &Kernel, target: Target, out: &mut Vec<u8>) -> Step<()> {
    print(shown(kernel, target)?.exclusive, out);
    Ok(())
}

pub(super) fn show_own(kernel: &Kernel, target: Target, out: &mut Vec<u8>) -> Step<()> {
    print(shown(kernel, target)?.own, out);
    Ok(())
}

pub(super) fn show_isolated(kernel: &Kernel, target: Target, out: &mut Vec<u8>) -> Step<()> {
    shown(kernel, target)?;
    print(kernel.cgroups.cpusets.isolated, out);
    Ok(())
}

/// There is one node, and nobody can be without it.
pub(super) fn show_effective_mems(_: &Kernel, _: Target, out: &mut Vec<u8>) -> Step<()> {
    out.extend_from_slice(b"0\n");
    Ok(())
}

pub(super) fn show_mems(kernel: &Kernel, target: Target, out: &mut Vec<u8>) -> Step<()> {
    out.extend_from_slice(if shown(kernel, target)?.mems { b"0\n" } else { b"\n" });
    Ok(())
}

pub(super) fn show_partition(kernel: &Kernel, target: Target, out: &mut Vec<u8>) -> Step<()> {
    let Cpuset { state, reason, .. } = shown(kernel, target)?;
    state.print(reason, kernel.cgroups.release, out);
    Ok(())
}

/// The processors that a text lists; none if there is no text.
pub(super) fn written(kernel: &Kernel, write: &Write<'_>) -> Step<Option<Mask>> {
    let cpusets = &kernel.cgroups.cpusets;
    cpusets.check_room()?;
    let text = value::strip(write.bytes);
    if text.is_empty() {
        return Ok(None);
    }
    Ok(list::parse(text, cpusets.count)?)
}

/// A list of processors; those that the parent has not are taken when it has them. With siblings that are partitions it may
/// make these invalid, or its own partition.
///
/// # Errors
/// EINVAL, ERANGE, EOVERFLOW: as lists. ENOSPC: no processor for tasks. EBUSY (since 6.12): too few for a partition.
pub(super) fn store_cpus(kernel: &mut Kernel, write: &Write<'_>) -> Step<()> {
    let cpus = written(kernel, write)?;
    let release = kernel.cgroups.release;
    let mut change = change(kernel, write.caller);
    if release == Release::V6_1 {
        change.grant_cpus(write.group, cpus.unwrap_or_default())?;
    } else {
        change.set_cpus(write.group, cpus)?;
    }
    Ok(())
}

/// A list of processors that partitions here or below may have for themselves. EINVAL: a sibling has them.
pub(super) fn store_exclusive(kernel: &mut Kernel, write: &Write<'_>) -> Step<()> {
    let cpus = written(kernel, write)?;
    change(kernel, write.caller).set_exclusive(write.group, cpus)?;
    Ok(())
}

/// A list of memory nodes. EINVAL: one that is not there, or a sibling's partition has what this one's processors name.
/// ENOSPC: none, for tasks that had one.
pub(super) fn store_mems(kernel: &mut Kernel, write: &Write<'_>) -> Step<()> {
    kernel.cgroups.cpusets.check_room()?;
    let mems = written_mems(write)?;
    let change = change(kernel, write.caller);
    let old = *change.at(write.group);
    if old.mems != mems {
        let new = Cpuset { mems, ..old };
        change.validate(write.group, &new)?;
        kernel.cgroups.table.at_mut(write.group).cpuset = Some(Box::new(new));
    }
    Ok(())
}

/// Whether a text lists the one memory node that there is; EINVAL if another one.
pub(super) fn written_mems(write: &Write<'_>) -> Result<bool, Errno> {
    let nodes = list::parse(value::strip(write.bytes), MEMORY_NODES)?.ok_or(Errno::EINVAL)?;
    if nodes.is_within(Mask::first(1)) { Ok(!nodes.is_empty()) } else { Err(Errno::EINVAL) }
}

/// `member`, `root` or `isolated`. A partition that cannot be is invalid, and says why when it is read.
pub(super) fn store_partition(kernel: &mut Kernel, write: &Write<'_>) -> Step<()> {
    kernel.cgroups.cpusets.check_room()?;
    let wanted = State::wanted(value::strip(write.bytes)).ok_or(Errno::EINVAL)?;
    let release = kernel.cgroups.release;
    let mut change = change(kernel, write.caller);
    if release == Release::V6_1 {
        change.grant_state(write.group, wanted);
    } else {
        change.set_state(write.group, wanted);
    }
    Ok(())
}

/// Whether threads may have other processors than all.
pub(super) fn narrows(cgroups: &Cgroups) -> bool {
    in_use(cgroups) || !cgroups.cpusets.narrowed.is_empty()
}

/// Whether any v2 group but the root has a set.
pub(super) fn in_use(cgroups: &Cgroups) -> bool {
    cgroups.table.at(cgroups.root).subtree_control.contains(Controller::Cpuset)
}
