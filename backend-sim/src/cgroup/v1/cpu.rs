//! Files of the cpu controller that v2 has in another form: weights in shares, quota and period each in a file of its own
//! (cgroup-v1, sched-bwc.rst). What they do is the same.
//!
//! A root has these files too, and takes nothing. A group may use no greater part of its period than the groups above.

use standin::id::Moment;
use standin::{Errno, Failure};

use crate::cgroup::cpu::{self, NS_PER_US};
use crate::cgroup::rows::{Target, Write};
use crate::cgroup::{Cgroup, CgroupKey, processor, tree, value};
use crate::kernel::Kernel;
use crate::processor::Limit;
use crate::step::Step;

/// Bounds of shares; what is written beyond them is as good as they are.
const LEAST_SHARES: u64 = 2;
const GREATEST_SHARES: u64 = 1 << 18;

/// Bits of a fraction with which parts of periods are compared.
const RATIO_BITS: u32 = 20;

pub(in crate::cgroup) fn show_shares(
    kernel: &Kernel,
    target: Target,
    out: &mut Vec<u8>,
) -> Step<()> {
    value::print_line(cpu::of(kernel, target.group).shares(), out);
    Ok(())
}

/// Any number. EINVAL of an idle group, and of the root.
pub(in crate::cgroup) fn store_shares(kernel: &mut Kernel, write: &Write<'_>) -> Step<()> {
    let shares = value::unsigned(write.bytes)?;
    cpu::set_shares(kernel, write.group, shares.clamp(LEAST_SHARES, GREATEST_SHARES))
}

/// -1 without a quota.
pub(in crate::cgroup) fn show_quota(
    kernel: &Kernel,
    target: Target,
    out: &mut Vec<u8>,
) -> Step<()> {
    match cpu::of(kernel, target.group).limit().quota_ns {
        Some(quota_ns) => value::print_line(quota_ns / NS_PER_US, out),
        None => out.extend_from_slice(b"-1\n"),
    }
    Ok(())
}

/// Whatever is less than 0 is no quota.
pub(in crate::cgroup) fn store_quota(kernel: &mut Kernel, write: &Write<'_>) -> Step<()> {
    let quota_us = u64::try_from(value::long(write.bytes)?).ok();
    let quota_ns = quota_us.map(nanoseconds).transpose()?;
    limit(kernel, write, |limit| Limit { quota_ns, ..limit })
}

pub(in crate::cgroup) fn show_period(
    kernel: &Kernel,
    target: Target,
    out: &mut Vec<u8>,
) -> Step<()> {
    value::print_line(cpu::of(kernel, target.group).limit().period_ns / NS_PER_US, out);
    Ok(())
}

pub(in crate::cgroup) fn store_period(kernel: &mut Kernel, write: &Write<'_>) -> Step<()> {
    let period_ns = nanoseconds(value::unsigned(write.bytes)?)?;
    limit(kernel, write, |limit| Limit { period_ns, ..limit })
}

fn nanoseconds(us: u64) -> Result<u64, Errno> {
    us.checked_mul(NS_PER_US).ok_or(Errno::EINVAL)
}

/// Limits the group that is written to.
///
/// # Errors
/// EINVAL: the root, or what no group may have, or more than a group above has, or less than one below.
fn limit(kernel: &mut Kernel, write: &Write<'_>, with: impl Fn(Limit) -> Limit) -> Step<()> {
    let new = cpu::check(with(cpu::of(kernel, write.group).limit()))?;
    check_parts(kernel, write.group, new)?;
    cpu::set_limit(kernel, write.group, new)
}

/// EINVAL if, with this limit of a group, it or one below could use a greater part of its period than the nearest above that
/// has a quota. Removed groups count until the kernel forgets them.
fn check_parts(kernel: &Kernel, group: CgroupKey, new: Limit) -> Result<(), Errno> {
    let cgroups = &kernel.cgroups;
    let part_of = |key: CgroupKey, record: &Cgroup| {
        part(if key == group { new } else { record.cpu().limit() })
    };
    let exceeds = |part: u64, mut above: Option<CgroupKey>| {
        while let Some(key) = above {
            let record = cgroups.table.at(key);
            if let Some(bound) = part_of(key, record) {
                return part > bound;
            }
            above = record.parent;
        }
        false
    };
    let dying = cgroups.table.at(group).dying_descendants > 0;
    let removed = cgroups.table.iter().take_while(|_| dying).filter(|(key, record)| {
        record.removed && !record.released && tree::is_within(&cgroups.table, *key, group)
    });
    let there = tree::subtree(&cgroups.table, group)
        .chain(removed)
        .filter_map(|(key, record)| Some((part_of(key, record)?, record.parent)));
    let now = kernel.clock.monotonic();
    let left = cgroups.quotas_left.iter().filter(|left| {
        now < left.until
            && cgroups.table.get(left.parent).is_some()
            && tree::is_within(&cgroups.table, left.parent, group)
    });
    let left = left.map(|left| (left.part, Some(left.parent)));
    if there.chain(left).any(|(part, above)| exceeds(part, above)) {
        return Err(Errno::EINVAL);
    }
    Ok(())
}

/// What a removed group could use. The kernel forgets it a little later.
#[derive(Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(in crate::cgroup) struct QuotaLeft {
    /// The nearest group above that was not removed.
    parent: CgroupKey,
    part: u64,
    until: Moment,
}

/// How long a removed group is not forgotten: at least as long as on real machines, where it is up to twice that.
const FORGOTTEN_AFTER_NS: u64 = 10_000_000;

/// A group was removed.
pub(super) fn disappears(kernel: &mut Kernel, parent: CgroupKey, group: CgroupKey) {
    let now = kernel.clock.monotonic();
    let cgroups = &mut kernel.cgroups;
    cgroups.quotas_left.retain(|left| now < left.until);
    for left in cgroups.quotas_left.iter_mut().filter(|left| left.parent == group) {
        left.parent = parent;
    }
    if let Some(part) = part(cgroups.table.at(group).cpu().limit()) {
        let until = Moment { ns: now.ns + FORGOTTEN_AFTER_NS };
        cgroups.quotas_left.push(QuotaLeft { parent, part, until });
    }
}

/// The part of its period that a group may use, if it has a quota.
fn part(limit: Limit) -> Option<u64> {
    let quota_us = limit.quota_ns? / NS_PER_US;
    (quota_us << RATIO_BITS).checked_div(limit.period_ns / NS_PER_US)
}

/// cpu.stat: how often the limit bit, times in nanoseconds.
pub(in crate::cgroup) fn show_stat(kernel: &Kernel, target: Target, out: &mut Vec<u8>) -> Step<()> {
    let counts = processor::throttle_now(kernel, target.group).counts();
    value::print_keyed("nr_periods", counts.periods, out);
    value::print_keyed("nr_throttled", counts.throttled, out);
    value::print_keyed("throttled_time", counts.throttled_ns, out);
    value::print_keyed("nr_bursts", counts.bursts, out);
    value::print_keyed("burst_time", counts.burst_ns, out);
    Ok(())
}

/// cpu.stat.local: how long the group was held back, by whichever limit.
pub(in crate::cgroup) fn show_local_stat(
    kernel: &Kernel,
    target: Target,
    out: &mut Vec<u8>,
) -> Step<()> {
    let held_ns = processor::throttle_now(kernel, target.group).held_ns;
    value::print_keyed("throttled_time", held_ns, out);
    Ok(())
}

/// cpu.rt_runtime_us and cpu.rt_period_us: how much time real-time threads may use, of which the machine has none. The root
/// has all that there is.
const ROOT_RUNTIME: &[u8] = b"950000\n";
const RUNTIME: &[u8] = b"0\n";

pub(in crate::cgroup) fn show_rt_runtime(
    kernel: &Kernel,
    target: Target,
    out: &mut Vec<u8>,
) -> Step<()> {
    let is_root = kernel.cgroups.table.at(target.group).parent.is_none();
    out.extend_from_slice(if is_root { ROOT_RUNTIME } else { RUNTIME });
    Ok(())
}

pub(in crate::cgroup) fn show_rt_period(_: &Kernel, _: Target, out: &mut Vec<u8>) -> Step<()> {
    out.extend_from_slice(b"1000000\n");
    Ok(())
}

pub(in crate::cgroup) fn store_rt(_: &mut Kernel, _: &Write<'_>) -> Step<()> {
    Err(Failure::NotModelled("time of real-time threads").into())
}
