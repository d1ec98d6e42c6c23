//! The memory controller of v1 (cgroup-v1/memory.rst): what it has besides, or has otherwise than v2. What is charged to whom is
//! the same (`cgroup::memory`).
//!
//! There is no swap, so memory and memory with swap count the same, each with its own limit. How often a charge fails before
//! something gives is the kernel's own affair: a count of failures says whether there were any. What is kept for TCP is nothing,
//! for no socket speaks it. What the kernel keeps for processes and groups is not counted: where there is any, and
//! nothing else, it is said to be a page.

use standin::{Errno, Failure};

use super::memory_oom;
use crate::cgroup::memory::{self, UNCHARGED};
use crate::cgroup::memory_limit::{self, Counter};
use crate::cgroup::memory_reclaim::{self, RETRIES};
use crate::cgroup::rows::{Target, Write};
use crate::cgroup::setting::{self, MEMORY_LIMIT_V1, PAGE};
use crate::cgroup::{CgroupKey, Cgroups, value};
use crate::kernel::Kernel;
use crate::step::Step;
use crate::wait::Channel;

/// The counters as parameters of functions that rows name.
pub(in crate::cgroup) const MEMORY: usize = Counter::Memory as usize;
pub(in crate::cgroup) const WITH_SWAP: usize = Counter::WithSwap as usize;

/// The machine's swappiness at first.
pub(in crate::cgroup) const SWAPPINESS: u8 = 60;

/// A group was made: it begins with what its parent hands down.
pub(super) fn appears(cgroups: &mut Cgroups, group: CgroupKey) {
    if let Some(parent) = cgroups.table.at(group).parent {
        let swappiness = swappiness(cgroups, parent);
        set_swappiness(cgroups, group, swappiness);
    }
    memory_oom::hand_down(cgroups, group);
}

/// memory.usage_in_bytes and memory.memsw.usage_in_bytes. The root has what all processes have.
pub(in crate::cgroup) fn show_usage(
    kernel: &Kernel,
    target: Target,
    out: &mut Vec<u8>,
) -> Step<()> {
    let cgroups = &kernel.cgroups;
    let counted = memory::used(cgroups, target.group);
    value::print_line(counted.max(kept(cgroups, target.group)), out);
    Ok(())
}

/// memory.kmem.usage_in_bytes and memory.kmem.max_usage_in_bytes
pub(in crate::cgroup) fn show_kernel(
    kernel: &Kernel,
    target: Target,
    out: &mut Vec<u8>,
) -> Step<()> {
    value::print_line(kept(&kernel.cgroups, target.group), out);
    Ok(())
}

/// What the kernel keeps at the least for processes and groups below, which is charged to this group.
fn kept(cgroups: &Cgroups, group: CgroupKey) -> u64 {
    if has_kernel_memory(cgroups, group) { PAGE } else { 0 }
}

/// Whether the kernel keeps something for this group.
fn has_kernel_memory(cgroups: &Cgroups, group: CgroupKey) -> bool {
    let record = cgroups.table.at(group);
    record.parent.is_none()
        || record.descendants > 0
        || record.dying_descendants > 0
        || memory::is_inhabited(cgroups, group)
}

/// memory.max_usage_in_bytes and the same with swap
pub(in crate::cgroup) fn show_peak<const COUNTER: usize>(
    kernel: &Kernel,
    target: Target,
    out: &mut Vec<u8>,
) -> Step<()> {
    let peak = memory::state(kernel, target).peaks.get(COUNTER).copied().unwrap_or_default();
    value::print_line(peak, out);
    Ok(())
}

/// Whatever is written, the peak begins anew.
pub(in crate::cgroup) fn reset_peak<const COUNTER: usize>(
    kernel: &mut Kernel,
    write: &Write<'_>,
) -> Step<()> {
    let state = kernel.cgroups.table.at_mut(write.group).memory.get_or_insert_default();
    if let Some(peak) = state.peaks.get_mut(COUNTER) {
        *peak = state.usage;
    }
    Ok(())
}

/// memory.failcnt and the same with swap
pub(in crate::cgroup) fn show_failures<const COUNTER: usize>(
    kernel: &Kernel,
    target: Target,
    out: &mut Vec<u8>,
) -> Step<()> {
    let failures = memory::state(kernel, target).failures.get(COUNTER).copied();
    value::print_line(failures.unwrap_or_default(), out);
    Ok(())
}

/// Whatever is written, it is 0 again.
pub(in crate::cgroup) fn reset_failures<const COUNTER: usize>(
    kernel: &mut Kernel,
    write: &Write<'_>,
) -> Step<()> {
    let state = kernel.cgroups.table.at_mut(write.group).memory.get_or_insert_default();
    if let Some(failures) = state.failures.get_mut(COUNTER) {
        *failures = 0;
    }
    Ok(())
}

/// A counter of what the machine never has, whatever is written.
pub(in crate::cgroup) fn show_none(_: &Kernel, _: Target, out: &mut Vec<u8>) -> Step<()> {
    value::print_line(0, out);
    Ok(())
}

/// Any text is taken, and nothing is done.
pub(in crate::cgroup) fn take_anything(_: &mut Kernel, _: &Write<'_>) -> Step<()> {
    Ok(())
}

/// No text is taken.
pub(in crate::cgroup) fn take_nothing(_: &mut Kernel, _: &Write<'_>) -> Step<()> {
    Err(Errno::EINVAL.into())
}

/// Writes memory.limit_in_bytes. Nobody ends for it.
///
/// # Errors
/// EINVAL: the root, or more than the limit with swap. EBUSY: more is used, and there is no swap to put it.
pub(in crate::cgroup) fn store_limit(kernel: &mut Kernel, write: &Write<'_>) -> Step<()> {
    let wanted = setting::parse(write.bytes, &MEMORY_LIMIT_V1)?;
    let record = kernel.cgroups.table.at(write.group);
    let is_ordered = wanted <= memory_limit::of(record, Counter::WithSwap);
    resize(kernel, write, (wanted, is_ordered), Counter::Memory)
}

/// Writes memory.memsw.limit_in_bytes.
///
/// # Errors
/// As [`store_limit`]; EINVAL: less than the limit.
pub(in crate::cgroup) fn store_limit_with_swap(kernel: &mut Kernel, write: &Write<'_>) -> Step<()> {
    let wanted = setting::parse(write.bytes, &MEMORY_LIMIT_V1)?;
    let record = kernel.cgroups.table.at(write.group);
    let is_ordered = wanted >= memory_limit::of(record, Counter::Memory);
    resize(kernel, write, (wanted, is_ordered), Counter::WithSwap)
}

fn resize(
    kernel: &mut Kernel,
    write: &Write<'_>,
    (wanted, is_ordered): (u64, bool),
    counter: Counter,
) -> Step<()> {
    let cgroups = &mut kernel.cgroups;
    let record = cgroups.table.at(write.group);
    if record.parent.is_none() || !is_ordered {
        return Err(Errno::EINVAL.into());
    }
    let usage = record.usage();
    if usage > wanted {
        memory_reclaim::vet(cgroups, write.group)?;
        memory_reclaim::attempt(kernel, write.group, RETRIES);
        return Err(Errno::EBUSY.into());
    }
    let uncounted = if has_kernel_memory(cgroups, write.group) { UNCHARGED } else { 0 };
    if wanted - usage < uncounted {
        return Err(Failure::NotModelled("no room for what processes have besides").into());
    }
    let is_raised = wanted > memory_limit::of(record, counter);
    setting::store(kernel, write, &MEMORY_LIMIT_V1)?;
    let cgroups = &mut kernel.cgroups;
    cgroups.memory_limited = true;
    if is_raised {
        memory_oom::recover(cgroups, write.group);
        kernel.waits.wake(Channel::Memory);
    }
    Ok(())
}

/// Writes memory.kmem.tcp.limit_in_bytes. EINVAL: the root.
pub(in crate::cgroup) fn store_tcp_limit(kernel: &mut Kernel, write: &Write<'_>) -> Step<()> {
    refuse_root(kernel, write)?;
    setting::store(kernel, write, &MEMORY_LIMIT_V1)
}

/// Writes memory.kmem.limit_in_bytes: it is read, and means nothing any more. EINVAL: the root.
pub(in crate::cgroup) fn store_kernel_limit(kernel: &mut Kernel, write: &Write<'_>) -> Step<()> {
    setting::parse(write.bytes, &MEMORY_LIMIT_V1)?;
    refuse_root(kernel, write)
}

fn refuse_root(kernel: &Kernel, write: &Write<'_>) -> Step<()> {
    match kernel.cgroups.table.at(write.group).parent {
        Some(_) => Ok(()),
        None => Err(Errno::EINVAL.into()),
    }
}

/// Writes memory.force_empty: whatever the text, all that can be is reclaimed, which is nothing. EINVAL: the root.
pub(in crate::cgroup) fn store_empty(kernel: &mut Kernel, write: &Write<'_>) -> Step<()> {
    refuse_root(kernel, write)?;
    if kernel.cgroups.table.at(write.group).usage() > 0 {
        memory_reclaim::vet(&kernel.cgroups, write.group)?;
        memory_reclaim::attempt(kernel, write.group, RETRIES);
    }
    Ok(())
}

/// Writes memory.use_hierarchy. EINVAL: anything but 1.
pub(in crate::cgroup) fn store_hierarchy(_: &mut Kernel, write: &Write<'_>) -> Step<()> {
    match value::unsigned(write.bytes)? {
        1 => Ok(()),
        _ => Err(Errno::EINVAL.into()),
    }
}

pub(in crate::cgroup) fn show_hierarchy(_: &Kernel, _: Target, out: &mut Vec<u8>) -> Step<()> {
    value::print_line(1, out);
    Ok(())
}

/// How readily memory of a group is swapped out: the root's is the machine's.
fn swappiness(cgroups: &Cgroups, group: CgroupKey) -> u8 {
    let record = cgroups.table.at(group);
    match record.parent {
        None => cgroups.swappiness,
        Some(_) => {
            record.memory.as_ref().and_then(|memory| memory.swappiness).unwrap_or(SWAPPINESS)
        }
    }
}

fn set_swappiness(cgroups: &mut Cgroups, group: CgroupKey, swappiness: u8) {
    let record = cgroups.table.at_mut(group);
    if record.parent.is_none() {
        cgroups.swappiness = swappiness;
    } else if swappiness != SWAPPINESS || record.memory.is_some() {
        record.memory.get_or_insert_default().swappiness = Some(swappiness);
    }
}

pub(in crate::cgroup) fn show_swappiness(
    kernel: &Kernel,
    target: Target,
    out: &mut Vec<u8>,
) -> Step<()> {
    value::print_line(swappiness(&kernel.cgroups, target.group).into(), out);
    Ok(())
}

/// EINVAL: more than 200.
pub(in crate::cgroup) fn store_swappiness(kernel: &mut Kernel, write: &Write<'_>) -> Step<()> {
    match u8::try_from(value::unsigned(write.bytes)?) {
        Ok(swappiness @ 0..=200) => {
            set_swappiness(&mut kernel.cgroups, write.group, swappiness);
            Ok(())
        }
        Ok(_) | Err(_) => Err(Errno::EINVAL.into()),
    }
}
