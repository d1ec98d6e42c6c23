//! memory.high: who goes beyond it is slowed down, the more the farther (cgroup-v2.rst, Memory).
//!
//! A process that charges memory beyond it sleeps before it goes on, for a time that grows with the square of what is too
//! much: facts of the kernel's accounting, with 250 ticks a second. Nothing can be reclaimed here, so nothing shortens that.
//! Memory comes in huge pages as long as it can, as it does where Debian's kernels find a place for one.

use standin::id::Moment;

use super::memory::upwards;
use super::memory_events::{Event, count};
use super::memory_reclaim::{self, ATTEMPTS};
use super::setting::{self, PAGE};
use super::{CgroupKey, Cgroups};
use crate::kernel::Kernel;

/// Pages that are charged at once where memory.high is near: what a processor keeps in stock.
pub(super) const BATCH: u64 = 64;

/// Or a huge page, with the page of a page table that is kept for it.
const HUGE: u64 = 512 + 1;

/// Clock ticks a second.
const TICKS: u128 = 250;

const NS_PER_TICK: u64 = 1_000_000_000 / 250;

/// The longest sleep.
const LONGEST: u64 = 2 * 250;

/// A sleep as short as this is left out: a hundredth of a second.
const SHORTEST: u64 = 250 / 100;

/// memory.high, if a group has one that means something.
fn high(cgroups: &Cgroups, group: CgroupKey) -> u64 {
    let record = cgroups.table.at(group);
    if record.hierarchy.is_v1() { u64::MAX } else { setting::named(record, b"memory.high") }
}

/// The groups, this one and those above, beyond whose memory.high so much more goes.
pub(super) fn passed(
    cgroups: &Cgroups,
    from: Option<CgroupKey>,
    bytes: u64,
) -> impl Iterator<Item = CgroupKey> {
    upwards(cgroups, from)
        .filter(move |(key, record)| high(cgroups, *key) < record.usage().saturating_add(bytes))
        .map(|(key, _)| key)
}

/// How much of so many bytes is charged at once.
pub(super) const fn part(bytes: u64) -> u64 {
    if bytes >= HUGE * PAGE {
        HUGE * PAGE
    } else if bytes >= BATCH * PAGE {
        BATCH * PAGE
    } else {
        bytes
    }
}

/// So much was charged: until when its process sleeps for it, if it does.
pub(super) fn charged(kernel: &mut Kernel, from: Option<CgroupKey>, bytes: u64) -> Option<Moment> {
    let cgroups = &kernel.cgroups;
    let exceeded: Vec<(CgroupKey, u64)> = upwards(cgroups, from)
        .filter_map(|(key, record)| {
            let limit = high(cgroups, key);
            (record.usage() > limit).then(|| (key, overage(record.usage() / PAGE, limit / PAGE)))
        })
        .collect();
    let worst = exceeded.iter().map(|(_, overage)| *overage).max()?;
    let ticks = sleep(worst, bytes / PAGE);
    // Each attempt to reclaim before a sleep counts.
    let attempts = if ticks > SHORTEST { ATTEMPTS } else { 1 };
    for (group, _) in exceeded {
        count(kernel, group, Event::High, attempts);
        memory_reclaim::attempt(kernel, group, attempts);
    }
    let ns = kernel.clock.monotonic().ns.saturating_add(ticks * NS_PER_TICK);
    (ticks > SHORTEST).then_some(Moment { ns })
}

/// How much more than the limit is used, in parts of the limit of which there are 2^20.
fn overage(usage: u64, limit: u64) -> u64 {
    (usage.saturating_sub(limit) << 20) / limit.max(1)
}

/// For how many ticks who charged so many pages sleeps.
fn sleep(overage: u64, pages: u64) -> u64 {
    let full = (u128::from(overage) * u128::from(overage) * TICKS) >> 34;
    u64::try_from(full * u128::from(pages) / u128::from(BATCH)).unwrap_or(LONGEST).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, overage, sleep};

    #[test]
    fn a_sleep_grows_with_the_square_of_what_is_too_much() {
        assert_eq!(sleep(overage(1_100, 1_000), 64), 159);
        assert_eq!(sleep(overage(1_050, 1_000), 64), 39);
        assert_eq!(sleep(overage(1_010, 1_000), 64), 1);
    }

    #[test]
    fn a_sleep_is_as_long_as_what_was_charged_and_two_seconds_at_most() {
        assert_eq!(sleep(overage(1_050, 1_000), 128), 78);
        assert_eq!(sleep(overage(2_000, 1_000), 64), LONGEST);
        assert_eq!(sleep(overage(5, 0), 64), LONGEST);
    }
}
