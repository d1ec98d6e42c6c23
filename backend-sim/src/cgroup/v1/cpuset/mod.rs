//! The cpuset controller of v1: the processors and memory nodes of each group, which are among those of the group above; and
//! flags (cgroup-v1/cpusets.rst).
//!
//! A new group has nothing, and takes nobody until it has both. Mounted with `cpuset_v2_mode`, groups may name what those
//! above have not, and use what they have of it. How lists are read and which processors a thread may use is shared with v2
//! (`cgroup::cpuset`); `rules` says which changes are refused, `tasks` who comes and goes. The machine has one memory node.

mod rules;
mod tasks;

pub(in crate::cgroup) use rules::check;
pub(super) use tasks::{attach, may_attach};

use standin::Errno;

use crate::cgroup::cpuset::{self, Mask};
use crate::cgroup::rows::{Target, Write};
use crate::cgroup::{CgroupKey, Cgroups, tree, value};
use crate::kernel::Kernel;
use crate::profile::Profile;
use crate::profile::Release::{V6_1, V6_12, V6_18};
use crate::step::Step;

/// What the controller knows of a group.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(in crate::cgroup) struct Cpuset {
    cpus: Mask,
    /// Those of `cpus` that the group above has too; in `cpuset_v2_mode` all of those if that is none.
    effective: Mask,
    /// It has the one memory node.
    mems: bool,
    /// Those that are set, by their bits.
    flags: u8,
    relax_level: i64,
}

/// No sibling may have its processors, or its memory nodes.
pub(in crate::cgroup) const CPU_EXCLUSIVE: u8 = 1;
pub(in crate::cgroup) const MEM_EXCLUSIVE: u8 = 1 << 1;
/// What the kernel allocates for itself, or moves, or spreads over nodes: nothing that is seen on one node.
pub(in crate::cgroup) const MEM_HARDWALL: u8 = 1 << 2;
pub(in crate::cgroup) const MEMORY_MIGRATE: u8 = 1 << 3;
pub(in crate::cgroup) const SPREAD_PAGE: u8 = 1 << 4;
pub(in crate::cgroup) const SPREAD_SLAB: u8 = 1 << 5;
/// Load is balanced between its processors, which is not seen where time is shared exactly.
pub(in crate::cgroup) const LOAD_BALANCE: u8 = 1 << 6;

/// What a new group has of its parent's flags.
const HANDED_DOWN: u8 = SPREAD_PAGE | SPREAD_SLAB;

impl Default for Cpuset {
    fn default() -> Self {
        Self {
            cpus: Mask::EMPTY,
            effective: Mask::EMPTY,
            mems: false,
            flags: LOAD_BALANCE,
            relax_level: -1,
        }
    }
}

impl Cpuset {
    const fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }
}

/// What there is once, whichever hierarchy the controller is in.
#[derive(Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(in crate::cgroup) struct Cpusets {
    root: Cpuset,
    /// cpuset.memory_pressure_enabled
    pressure_enabled: bool,
}

impl Cpusets {
    pub(in crate::cgroup) fn boot(profile: &Profile) -> Self {
        let all = Mask::first(profile.processors);
        let flags = LOAD_BALANCE | CPU_EXCLUSIVE | MEM_EXCLUSIVE;
        let root = Cpuset { cpus: all, effective: all, mems: true, flags, ..Cpuset::default() };
        Self { root, pressure_enabled: false }
    }
}

fn of(cgroups: &Cgroups, group: CgroupKey) -> &Cpuset {
    cgroups.table.at(group).v1_cpuset().unwrap_or(&cgroups.v1_cpusets.root)
}

fn of_mut(cgroups: &mut Cgroups, group: CgroupKey) -> &mut Cpuset {
    let record = cgroups.table.at_mut(group);
    if record.parent.is_none() { &mut cgroups.v1_cpusets.root } else { record.v1_cpuset_mut() }
}

/// Whether lists are as in v2 here.
fn is_v2_mode(cgroups: &Cgroups, group: CgroupKey) -> bool {
    cgroups.hierarchy_of(group).options.cpuset_v2_mode
}

/// A group was made. If it hands down what it has, it has itself what its parent has, unless a sibling has something to itself.
pub(super) fn appears(cgroups: &mut Cgroups, group: CgroupKey) {
    let record = cgroups.table.at(group);
    let Some(parent) = record.parent else { return };
    let above = *of(cgroups, parent);
    let mut new = Cpuset::default();
    new.flags |= above.flags & HANDED_DOWN;
    if is_v2_mode(cgroups, group) {
        new.effective = above.effective;
    }
    let exclusive = |key: CgroupKey| of(cgroups, key).has(CPU_EXCLUSIVE | MEM_EXCLUSIVE);
    let mut siblings = rules::children(cgroups, parent).filter(|key| *key != group);
    let is_cloned = record.clone_children && !siblings.any(exclusive);
    drop(siblings);
    if is_cloned {
        (new.cpus, new.effective, new.mems) = (above.cpus, above.cpus, above.mems);
    }
    *of_mut(cgroups, group) = new;
}

pub(in crate::cgroup) fn show_cpus(kernel: &Kernel, target: Target, out: &mut Vec<u8>) -> Step<()> {
    kernel.cgroups.cpusets.check_room()?;
    cpuset::print(of(&kernel.cgroups, target.group).cpus, out);
    Ok(())
}

pub(in crate::cgroup) fn show_effective_cpus(
    kernel: &Kernel,
    target: Target,
    out: &mut Vec<u8>,
) -> Step<()> {
    kernel.cgroups.cpusets.check_room()?;
    cpuset::print(of(&kernel.cgroups, target.group).effective, out);
    Ok(())
}

/// EACCES of the root, whatever is written.
fn may_list(kernel: &Kernel, group: CgroupKey) -> Step<()> {
    kernel.cgroups.cpusets.check_room()?;
    if kernel.cgroups.table.at(group).parent.is_none() {
        return Err(Errno::EACCES.into());
    }
    Ok(())
}

/// A list of processors. Tasks here may use them from now on.
///
/// # Errors
/// EINVAL, ERANGE, EOVERFLOW: as lists. EACCES: the root. Else as `rules::validate`.
pub(in crate::cgroup) fn store_cpus(kernel: &mut Kernel, write: &Write<'_>) -> Step<()> {
    may_list(kernel, write.group)?;
    let cpus = cpuset::written(kernel, write)?.unwrap_or_default();
    let old = *of(&kernel.cgroups, write.group);
    if cpus == old.cpus {
        return Ok(());
    }
    rules::validate(&kernel.cgroups, write.group, &Cpuset { cpus, ..old })?;
    of_mut(&mut kernel.cgroups, write.group).cpus = cpus;
    spread(kernel, write.group);
    Ok(())
}

/// What a group and those below it can use follows from what they name and what the group above has.
fn spread(kernel: &mut Kernel, top: CgroupKey) {
    let v2_mode = is_v2_mode(&kernel.cgroups, top);
    let mut next = Some(top);
    while let Some(group) = next {
        let cgroups = &mut kernel.cgroups;
        let parent = cgroups.table.at(group).parent.unwrap_or(group);
        let above = of(cgroups, parent).effective;
        let own = of_mut(cgroups, group);
        let mut effective = own.cpus & above;
        if v2_mode && effective.is_empty() {
            effective = above;
        }
        if own.effective == effective {
            next = tree::next_beside(&cgroups.table, top, group);
            continue;
        }
        own.effective = effective;
        tasks::narrow(kernel, group);
        next = tree::next_below(&kernel.cgroups.table, top, group);
    }
}

pub(in crate::cgroup) fn show_mems(kernel: &Kernel, target: Target, out: &mut Vec<u8>) -> Step<()> {
    print_mems(of(&kernel.cgroups, target.group).mems, out);
    Ok(())
}

/// In `cpuset_v2_mode` nobody is without the node.
pub(in crate::cgroup) fn show_effective_mems(
    kernel: &Kernel,
    target: Target,
    out: &mut Vec<u8>,
) -> Step<()> {
    let cgroups = &kernel.cgroups;
    print_mems(of(cgroups, target.group).mems || is_v2_mode(cgroups, target.group), out);
    Ok(())
}

fn print_mems(mems: bool, out: &mut Vec<u8>) {
    out.extend_from_slice(if mems { b"0\n" } else { b"\n" });
}

/// A list of memory nodes.
///
/// # Errors
/// EINVAL, ERANGE, EOVERFLOW: as lists, or a node that there is not. EACCES: the root. Else as `rules::validate`.
pub(in crate::cgroup) fn store_mems(kernel: &mut Kernel, write: &Write<'_>) -> Step<()> {
    may_list(kernel, write.group)?;
    let mems = cpuset::written_mems(write)?;
    let old = *of(&kernel.cgroups, write.group);
    if mems != old.mems {
        rules::validate(&kernel.cgroups, write.group, &Cpuset { mems, ..old })?;
        of_mut(&mut kernel.cgroups, write.group).mems = mems;
    }
    Ok(())
}

pub(in crate::cgroup) fn show_flag<const FLAG: u8>(
    kernel: &Kernel,
    target: Target,
    out: &mut Vec<u8>,
) -> Step<()> {
    value::print_line(u64::from(of(&kernel.cgroups, target.group).has(FLAG)), out);
    Ok(())
}

/// A number, of which the lower 32 bits say whether the flag is set.
///
/// # Errors
/// As `rules::validate`.
pub(in crate::cgroup) fn store_flag<const FLAG: u8>(
    kernel: &mut Kernel,
    write: &Write<'_>,
) -> Step<()> {
    let set = value::unsigned(write.bytes)? & u64::from(u32::MAX) != 0;
    let old = *of(&kernel.cgroups, write.group);
    let flags = if set { old.flags | FLAG } else { old.flags & !FLAG };
    rules::validate(&kernel.cgroups, write.group, &Cpuset { flags, ..old })?;
    of_mut(&mut kernel.cgroups, write.group).flags = flags;
    Ok(())
}

pub(in crate::cgroup) fn show_relax_level(
    kernel: &Kernel,
    target: Target,
    out: &mut Vec<u8>,
) -> Step<()> {
    let level = of(&kernel.cgroups, target.group).relax_level;
    if level < 0 {
        out.push(b'-');
    }
    value::print_line(level.unsigned_abs(), out);
    Ok(())
}

/// How far idle processors look for work. EINVAL: beyond -1 and the levels that the processors have (those of recorded
/// machines: which ones are near to each other is theirs).
pub(in crate::cgroup) fn store_relax_level(kernel: &mut Kernel, write: &Write<'_>) -> Step<()> {
    let level = value::long(write.bytes)?;
    let greatest = match (kernel.profile.processors, kernel.profile.release) {
        (1, _) => 1,
        (_, V6_1 | V6_12) => 3,
        (_, V6_18) => 2,
    };
    if !(-1..=greatest).contains(&level) {
        return Err(Errno::EINVAL.into());
    }
    of_mut(&mut kernel.cgroups, write.group).relax_level = level;
    Ok(())
}

pub(in crate::cgroup) fn show_pressure_enabled(
    kernel: &Kernel,
    _: Target,
    out: &mut Vec<u8>,
) -> Step<()> {
    value::print_line(u64::from(kernel.cgroups.v1_cpusets.pressure_enabled), out);
    Ok(())
}

/// Whether memory pressure is measured; here there never is any, for reclaim is that of limits.
pub(in crate::cgroup) fn store_pressure_enabled(
    kernel: &mut Kernel,
    write: &Write<'_>,
) -> Step<()> {
    kernel.cgroups.v1_cpusets.pressure_enabled = value::unsigned(write.bytes)? != 0;
    Ok(())
}
