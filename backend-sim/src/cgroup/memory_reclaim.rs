//! memory.reclaim, and what reclaim does where there is no swap: it finds nothing, and counts whose protection it had to
//! disregard (cgroup-v2.rst, Memory).

use standin::{Controller, Errno, Failure};

use super::memory::UNCHARGED;
use super::memory_events::{Event, count};
use super::options::Options;
use super::rows::Write;
use super::setting::{self, PAGE};
use super::v1::memory_watch;
use super::{CgroupKey, Cgroups, pressure, tree, value};
use crate::kernel::Kernel;
use crate::list::iterate;
use crate::profile::Release;
use crate::step::Step;

/// The swappiness that may be asked for.
const SWAPPINESS: std::ops::RangeInclusive<i32> = 0..=200;

/// How often one attempt goes through all groups below, less and less choosy; 6.1 begins all over once.
const PASSES: u64 = 13;

/// Attempts before a write gives up: the first, and those that follow it.
pub(super) const ATTEMPTS: u64 = 1 + RETRIES;

/// How often an attempt in vain is repeated.
pub(super) const RETRIES: u64 = 16;

/// Writes memory.reclaim.
///
/// # Errors
/// EINVAL: no size, or other words behind it than a swappiness, which 6.1 does not know. EAGAIN: less than that could be
/// reclaimed.
pub(super) fn store(kernel: &mut Kernel, write: &Write<'_>) -> Step<()> {
    let bytes = parse(value::strip(write.bytes), kernel.profile.release)?;
    if bytes < PAGE {
        return Ok(());
    }
    if kernel.cgroups.table.at(write.group).parent.is_none() {
        return Err(Failure::NotModelled("reclaim of the whole machine").into());
    }
    vet(&kernel.cgroups, write.group)?;
    pressure::stalls(&mut kernel.cgroups, kernel.tasks.threads.at(write.caller).cgroup);
    attempt(kernel, write.group, ATTEMPTS);
    Err(Errno::EAGAIN.into())
}

/// How much is to be reclaimed.
fn parse(text: &[u8], release: Release) -> Result<u64, Errno> {
    if release < Release::V6_12 {
        // No text at all means everything.
        return if text.is_empty() { Ok(u64::MAX) } else { value::size(text) };
    }
    let (bytes, rest) = value::leading_size(text);
    if rest.len() == text.len() {
        return Err(Errno::EINVAL);
    }
    let words = value::strip(rest).split(|byte| *byte == b' ').filter(|word| !word.is_empty());
    for word in words {
        match word.strip_prefix(b"swappiness=") {
            // 6.18 takes it for anonymous memory alone.
            Some(b"max") if release >= Release::V6_18 => {}
            Some(number) if !number.starts_with(b"+") && !number.ends_with(b"\n") => {
                let number = value::int(number).map_err(|_| Errno::EINVAL)?;
                if !SWAPPINESS.contains(&number) {
                    return Err(Errno::EINVAL);
                }
            }
            _ => return Err(Errno::EINVAL),
        }
    }
    Ok(bytes)
}

/// Whether the machine knows what reclaim in a group counts: not where what is not charged decides whether a group below has
/// more than is protected, or anything at all.
pub(super) fn vet(cgroups: &Cgroups, top: CgroupKey) -> Result<(), Failure> {
    memory_watch::vet(cgroups, top)?;
    for (key, record) in tree::subtree(&cgroups.table, top) {
        let used = record.usage();
        let low = setting::named(record, b"memory.low");
        let unknown = |low| low > 0 && (used == 0 || (used..used + UNCHARGED).contains(&low));
        // Who claims all that it uses has no share in what is left.
        let shares = shares_unclaimed(cgroups) && key != top && low < used;
        let is_unknown =
            unknown(low) || shares && unknown(protection(cgroups, top, key, b"memory.low"));
        if key != top && record.is_populated() && is_unknown {
            return Err(Failure::NotModelled("protection of what is not counted"));
        }
    }
    Ok(())
}

/// Tries so often to reclaim in a group, in vain: each protected group below counts it.
pub(super) fn attempt(kernel: &mut Kernel, top: CgroupKey, attempts: u64) {
    let cgroups = &kernel.cgroups;
    let below = tree::subtree(&cgroups.table, top).filter(|(key, record)| {
        *key != top
            && cgroups.present(*key).contains(Controller::Memory)
            && record.usage() > 0
            && protection(cgroups, top, *key, b"memory.min") < record.usage()
            && protection(cgroups, top, *key, b"memory.low") >= record.usage()
    });
    let passes = if kernel.profile.release < Release::V6_12 { 2 * PASSES } else { PASSES };
    for group in below.map(|(key, _)| key).collect::<Vec<_>>() {
        count(kernel, group, Event::Low, attempts * passes);
    }
}

/// Whether what nobody claims of a protection is for all below, as each uses memory.
const fn shares_unclaimed(cgroups: &Cgroups) -> bool {
    cgroups.options.has(Options::MEMORY_RECURSIVE_PROT)
}

/// How much of a group's memory is protected from who reclaims in `top`: what it says itself right below, else as much of it
/// as its parent's protection has for it, and its share of what is left of that if the hierarchy is mounted so.
fn protection(cgroups: &Cgroups, top: CgroupKey, group: CgroupKey, name: &[u8]) -> u64 {
    let record = cgroups.table.at(group);
    let own = setting::named(record, name);
    let Some(parent) = record.parent.filter(|parent| *parent != top) else { return own };
    let claim = |group: &super::Cgroup| group.usage().min(setting::named(group, name));
    let children = cgroups.table.at(parent).children;
    let claims: u64 = iterate(&cgroups.table, children, |child| &child.siblings)
        .map(|(_, child)| claim(child))
        .sum();
    let granted = protection(cgroups, top, parent, name);
    let own = claim(record);
    let part = |of: u64, mine: u64, all: u64| {
        let part = u128::from(of) * u128::from(mine) / u128::from(all.max(1));
        u64::try_from(part).unwrap_or(u64::MAX)
    };
    if claims > granted {
        return part(granted, own, claims);
    }
    let used = cgroups.table.at(parent).usage();
    if shares_unclaimed(cgroups) && used > claims {
        own.saturating_add(part(granted - claims, record.usage() - own, used - claims))
    } else {
        own
    }
}

#[cfg(test)]
mod tests {
    use standin::Errno;

    use super::parse;
    use crate::profile::Release;

    #[test]
    fn a_size_may_have_a_swappiness_behind_it_since_6_12() {
        for text in ["4096 swappiness=60", "4K swappiness=0 swappiness=0x10", "4kswappiness=200"] {
            assert_eq!(parse(text.as_bytes(), Release::V6_12), Ok(4096), "{text}");
            assert_eq!(parse(text.as_bytes(), Release::V6_1), Err(Errno::EINVAL), "{text}");
        }
        assert_eq!(parse(b"0 swappiness=max", Release::V6_12), Err(Errno::EINVAL));
        assert_eq!(parse(b"0 swappiness=max", Release::V6_18), Ok(0));
    }

    #[test]
    fn no_size_is_an_error_since_6_12_and_everything_before() {
        assert_eq!(parse(b"", Release::V6_12), Err(Errno::EINVAL));
        assert_eq!(parse(b"", Release::V6_1), Ok(u64::MAX));
    }
}
