//! The bounds of watches in /proc/sys/fs/inotify (inotify(7), /proc interfaces).

use standin::id::Bytes;
use standin::{Errno, Failure};

use super::LEAST_WATCHES;
use crate::kernel::Kernel;
use crate::step::Step;

/// Up to this much memory a user may have [`LEAST_WATCHES`] (recorded).
const SMALL_MEMORY: Bytes = Bytes(1 << 30);

/// A file there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limit {
    Events,
    Watchers,
    Watches,
}

/// What a bound is.
///
/// # Errors
/// `NotModelled`: what depends on the size of a large memory.
pub(crate) fn get(kernel: &Kernel, limit: Limit) -> Result<u32, Failure> {
    let limits = &kernel.vfs.notify.limits;
    match limit {
        Limit::Events => Ok(limits.events),
        Limit::Watchers => Ok(limits.watchers),
        Limit::Watches => match limits.watches {
            Some(watches) => Ok(watches),
            None if kernel.profile.memory <= SMALL_MEMORY => Ok(LEAST_WATCHES),
            None => Err(Failure::NotModelled("how many watches a large memory allows")),
        },
    }
}

/// Sets a bound to what was written; nothing written changes nothing.
///
/// # Errors
/// EINVAL: no number, or none of 31 bits.
pub(crate) fn set(kernel: &mut Kernel, limit: Limit, bytes: &[u8]) -> Step<()> {
    if bytes.is_empty() {
        return Ok(());
    }
    let text = bytes.trim_ascii();
    let Some(first) = text.first() else { return Err(Errno::EINVAL.into()) };
    if !first.is_ascii_digit() {
        return Err(Errno::EINVAL.into());
    }
    if text.len() > 10 || !text.iter().all(u8::is_ascii_digit) || (*first == b'0' && text.len() > 1)
    {
        return Err(Failure::NotModelled("this way of writing a number to /proc/sys").into());
    }
    let number = std::str::from_utf8(text).ok().and_then(|text| text.parse::<i32>().ok());
    let number = number.map(i32::cast_unsigned).ok_or(Errno::EINVAL)?;
    let limits = &mut kernel.vfs.notify.limits;
    match limit {
        Limit::Events => limits.events = number,
        Limit::Watchers => limits.watchers = number,
        Limit::Watches => limits.watches = Some(number),
    }
    Ok(())
}
