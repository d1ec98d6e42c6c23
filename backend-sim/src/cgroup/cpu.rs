//! What the cpu controller is told: a group's weight, whether it is idle, and how much time it may use in a period
//! (cgroup-v2.rst, CPU Interface Files). The files of v1, which say the same in other units, are in `v1::cpu`.
//!
//! The values are kept, and limit each other as in a kernel; what they do to who runs is in `processor`. A weight is kept as
//! the scheduler's shares, of which the usual weight has 1024: therefore a nice value or an idle group may read as a weight
//! that nobody wrote. Neighbours: `value` (numbers), `rare` (where the state is), `enable` (when it is lost).

use standin::Errno;

use super::rows::{Target, Write};
use super::{CgroupKey, value};
use crate::kernel::Kernel;
use crate::processor::Limit;
use crate::profile::Release;
use crate::step::Step;

/// The settings of one group; at first those of `default`.
#[derive(Clone, Copy)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Cpu {
    shares: u64,
    idle: bool,
    limit: Limit,
}

/// Shares of the weight 100, which is the nice value 0.
const USUAL_SHARES: u64 = 1024;
const USUAL_WEIGHT: u64 = 100;
const IDLE_SHARES: u64 = 3;

pub(super) const NS_PER_US: u64 = 1000;

/// The least quota, and the least period.
const LEAST_NS: u64 = 1_000_000;
const LONGEST_PERIOD_NS: u64 = 1_000_000_000;

/// Quota and burst together have 44 bits of microseconds.
const GREATEST_QUOTA_NS: u64 = ((1 << 44) - 1) * NS_PER_US;

/// Shares of the nice values from -20 on: each step is about 10 % of the time.
#[rustfmt::skip]
const NICE_SHARES: [u64; 40] = [
    88761, 71755, 56483, 46273, 36291, 29154, 23254, 18705, 14949, 11916,
     9548,  7620,  6100,  4904,  3906,  3121,  2501,  1991,  1586,  1277,
     1024,   820,   655,   526,   423,   335,   272,   215,   172,   137,
      110,    87,    70,    56,    45,    36,    29,    23,    18,    15,
];

/// The weight of a thread with this nice value, which counts as a group's.
pub(crate) fn shares_of_nice(nice: i8) -> u64 {
    let found = by_nice().find(|(other, _)| *other == i64::from(nice));
    found.map_or(USUAL_SHARES, |(_, shares)| shares)
}

fn by_nice() -> impl Iterator<Item = (i64, u64)> {
    (-20..).zip(NICE_SHARES)
}

impl Default for Cpu {
    fn default() -> Self {
        Self { shares: USUAL_SHARES, idle: false, limit: Limit::default() }
    }
}

impl Cpu {
    /// Its weight in the scheduler's units.
    pub(super) const fn shares(&self) -> u64 {
        self.shares
    }

    /// How much time it may use.
    pub(super) const fn limit(&self) -> Limit {
        self.limit
    }

    /// EINVAL in an idle group.
    const fn with_shares(self, shares: u64) -> Result<Self, Errno> {
        if self.idle { Err(Errno::EINVAL) } else { Ok(Self { shares, ..self }) }
    }

    /// Any weight is lost, if that is a change.
    const fn with_idle(self, idle: bool) -> Self {
        match (self.idle, idle) {
            (false, true) => Self { idle, shares: IDLE_SHARES, ..self },
            (true, false) => Self { idle, shares: USUAL_SHARES, ..self },
            (true, true) | (false, false) => self,
        }
    }
}

/// EINVAL if the quota or the period is out of bounds, or the burst for this quota. In v2 groups above do not matter: a group
/// gets the least of its quota and theirs.
pub(super) fn check(limit: Limit) -> Result<Limit, Errno> {
    let quota_fits = limit.quota_ns.is_none_or(|quota| {
        (LEAST_NS..=GREATEST_QUOTA_NS).contains(&quota)
            && limit.burst_ns <= quota
            && limit.burst_ns + quota <= GREATEST_QUOTA_NS
    });
    if quota_fits && (LEAST_NS..=LONGEST_PERIOD_NS).contains(&limit.period_ns) {
        Ok(limit)
    } else {
        Err(Errno::EINVAL)
    }
}

/// With what `cpu.max` is told: a quota or `max`, and perhaps a period, else the old one stays. The kernel scans two words:
/// a number ends where its digits end, and what is behind it does not matter, but a first word of more than 20 bytes
/// goes on as the second.
fn with_max(limit: Limit, text: &[u8], release: Release) -> Result<Limit, Errno> {
    const FIRST_WORD: usize = 20;
    let text = value::skip_spaces(text);
    let end = text.iter().position(|byte| value::is_space(*byte)).unwrap_or(text.len());
    let (first, rest) = text.split_at_checked(end.min(FIRST_WORD)).unwrap_or((text, &[]));
    let quota_ns = match value::scan(first).map(|(quota, _)| quota) {
        // RUNTIME_INF is the greatest number; since quotas are checked in microseconds it can be written.
        Some(u64::MAX) if release >= Release::V6_18 => None,
        Some(quota_us) => Some(nanoseconds(quota_us, release)?),
        None if first == b"max" => None,
        None => return Err(Errno::EINVAL),
    };
    let period_us = value::scan(rest).map_or(limit.period_ns / NS_PER_US, |(period, _)| period);
    check(Limit { quota_ns, period_ns: nanoseconds(period_us, release)?, ..limit })
}

/// Microseconds in nanoseconds: EINVAL if they are too many, but older kernels take what is left of 64 bits.
fn nanoseconds(us: u64, release: Release) -> Result<u64, Errno> {
    if release >= Release::V6_18 {
        us.checked_mul(NS_PER_US).ok_or(Errno::EINVAL)
    } else {
        Ok(us.wrapping_mul(NS_PER_US))
    }
}

pub(super) fn of(kernel: &Kernel, group: CgroupKey) -> Cpu {
    kernel.cgroups.table.at(group).cpu()
}

const fn rounded(number: u64, divisor: u64) -> u64 {
    (number + divisor / 2) / divisor
}

/// EINVAL of a root: it has files in v1, and all processors.
fn set(kernel: &mut Kernel, group: CgroupKey, cpu: Cpu) -> Step<()> {
    let record = kernel.cgroups.table.at_mut(group);
    if record.parent.is_none() {
        return Err(Errno::EINVAL.into());
    }
    record.set_cpu(cpu);
    Ok(())
}

/// Gives a group a weight in the scheduler's units. EINVAL of an idle one, and of a root.
pub(super) fn set_shares(kernel: &mut Kernel, group: CgroupKey, shares: u64) -> Step<()> {
    let cpu = of(kernel, group).with_shares(shares)?;
    set(kernel, group, cpu)
}

/// The weight of an idle group is less than the least: 0, and since 6.12 rounded up to it.
pub(super) fn show_weight(kernel: &Kernel, target: Target, out: &mut Vec<u8>) -> Step<()> {
    let weight = rounded(of(kernel, target.group).shares * USUAL_WEIGHT, USUAL_SHARES);
    let least = u64::from(kernel.cgroups.release >= Release::V6_12);
    value::print_line(weight.max(least), out);
    Ok(())
}

/// 1 to 10000, without white space before or behind it but one newline.
pub(super) fn store_weight(kernel: &mut Kernel, write: &Write<'_>) -> Step<()> {
    let weight = value::unsigned(write.bytes)?;
    if !(1..=10_000).contains(&weight) {
        return Err(Errno::ERANGE.into());
    }
    set_shares(kernel, write.group, rounded(weight * USUAL_SHARES, USUAL_WEIGHT))
}

/// The nice value whose shares are nearest; of two the lower one.
pub(super) fn show_nice(kernel: &Kernel, target: Target, out: &mut Vec<u8>) -> Step<()> {
    let shares = of(kernel, target.group).shares;
    let nearest = by_nice().min_by_key(|(_, other)| other.abs_diff(shares));
    let nice = nearest.map_or(0, |(nice, _)| nice);
    if nice < 0 {
        out.push(b'-');
    }
    value::print_line(nice.unsigned_abs(), out);
    Ok(())
}

/// -20 to 19.
pub(super) fn store_nice(kernel: &mut Kernel, write: &Write<'_>) -> Step<()> {
    let nice = value::long(write.bytes)?;
    let (_, shares) = by_nice().find(|(other, _)| *other == nice).ok_or(Errno::ERANGE)?;
    set_shares(kernel, write.group, shares)
}

pub(super) fn show_idle(kernel: &Kernel, target: Target, out: &mut Vec<u8>) -> Step<()> {
    value::print_line(of(kernel, target.group).idle.into(), out);
    Ok(())
}

/// 0 or 1; another number is EINVAL.
pub(super) fn store_idle(kernel: &mut Kernel, write: &Write<'_>) -> Step<()> {
    let idle = match value::long(write.bytes)? {
        0 => false,
        1 => true,
        _ => return Err(Errno::EINVAL.into()),
    };
    let cpu = of(kernel, write.group).with_idle(idle);
    set(kernel, write.group, cpu)
}

pub(super) fn show_max(kernel: &Kernel, target: Target, out: &mut Vec<u8>) -> Step<()> {
    let limit = of(kernel, target.group).limit;
    match limit.quota_ns {
        Some(quota_ns) => value::print(quota_ns / NS_PER_US, out),
        None => out.extend_from_slice(b"max"),
    }
    out.push(b' ');
    value::print_line(limit.period_ns / NS_PER_US, out);
    Ok(())
}

pub(super) fn store_max(kernel: &mut Kernel, write: &Write<'_>) -> Step<()> {
    let release = kernel.cgroups.release;
    let limit = with_max(of(kernel, write.group).limit, write.bytes, release)?;
    set_limit(kernel, write.group, limit)
}

/// Limits a group from now on: whoever was held goes on, with a whole quota. EINVAL of a root.
pub(super) fn set_limit(kernel: &mut Kernel, group: CgroupKey, limit: Limit) -> Step<()> {
    set(kernel, group, Cpu { limit, ..of(kernel, group) })?;
    let now = kernel.clock.monotonic();
    let record = kernel.cgroups.table.at_mut(group);
    if limit.quota_ns.is_some() || record.throttle().is_some() {
        record.throttle_mut().set(limit, now);
    }
    Ok(())
}

pub(super) fn show_burst(kernel: &Kernel, target: Target, out: &mut Vec<u8>) -> Step<()> {
    value::print_line(of(kernel, target.group).limit.burst_ns / NS_PER_US, out);
    Ok(())
}

/// At most the quota; without one, what 64 bits of nanoseconds hold.
pub(super) fn store_burst(kernel: &mut Kernel, write: &Write<'_>) -> Step<()> {
    let burst_us = value::unsigned(write.bytes)?;
    let burst_ns = burst_us.checked_mul(NS_PER_US).ok_or(Errno::EINVAL)?;
    let limit = check(Limit { burst_ns, ..of(kernel, write.group).limit })?;
    set_limit(kernel, write.group, limit)
}

#[cfg(test)]
mod tests {
    use standin::Errno;

    use super::with_max;
    use crate::processor::Limit;
    use crate::profile::Release;

    #[track_caller]
    fn check(text: &str, release: Release, expected: Result<(Option<u64>, u64), Errno>) {
        let told = with_max(Limit::default(), text.as_bytes(), release);
        let in_us = |told: Limit| (told.quota_ns.map(|ns| ns / 1000), told.period_ns / 1000);
        assert_eq!(told.map(in_us), expected, "{text:?}");
    }

    #[test]
    fn numbers_too_great_for_nanoseconds_are_invalid_since_microseconds_are_checked() {
        check("50000 18446744073719552", Release::V6_12, Ok((Some(50_000), 10_000)));
        check("50000 18446744073719552", Release::V6_18, Err(Errno::EINVAL));
        check("18446744073719552", Release::V6_18, Err(Errno::EINVAL));
        check("18446744073709551615", Release::V6_12, Err(Errno::EINVAL));
        check("18446744073709551615", Release::V6_18, Ok((None, 100_000)));
    }
}
