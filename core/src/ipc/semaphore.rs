//! The semaphore in a ring's header: how many messages are unread, and a futex to sleep on.
//!
//! The layout is that of glibc's `sem_t` on 64 bits (pacemaker-ipc, 5.5): a word of value, a word of waiters, which
//! glibc changes together and which are changed one after the other here. That is enough: whoever waits counts itself
//! before it looks at the value, whoever posts raises the value before it looks for waiters.

use crate::backend::{Backend, Deadline};
use crate::errno::Errno;
use crate::failure::Failure;
use crate::handle::Map;
use crate::id::Bytes;

use super::error::{Error, Malformed, Result, trying};
use super::layout::{SEMAPHORE, WAITERS};

/// How often a word may change under our hands before the other side is taken for a hostile one.
const MOST_TRIES: u32 = 10_000;

/// Adds one; wakes a waiter.
pub(super) fn post(kernel: &dyn Backend, map: &Map) -> Result<()> {
    change(kernel, map, SEMAPHORE, |value| value.checked_add(1))?;
    let failed = "wake the reader of";
    if kernel.map_load(map, Bytes(WAITERS)).map_err(trying(failed, "a ring"))? > 0 {
        kernel.futex_wake(map, Bytes(SEMAPHORE), 1).map_err(trying(failed, "a ring"))?;
    }
    Ok(())
}

/// Takes one, if there is one by then.
pub(super) fn take(kernel: &dyn Backend, map: &Map, deadline: Deadline) -> Result<bool> {
    if try_take(kernel, map)? {
        return Ok(true);
    }
    if deadline == Deadline::Now {
        return Ok(false);
    }
    change(kernel, map, WAITERS, |waiters| waiters.checked_add(1))?;
    let taken = sleep_and_take(kernel, map, deadline);
    change(kernel, map, WAITERS, |waiters| Some(waiters.saturating_sub(1)))?;
    taken
}

fn sleep_and_take(kernel: &dyn Backend, map: &Map, deadline: Deadline) -> Result<bool> {
    loop {
        if try_take(kernel, map)? {
            return Ok(true);
        }
        match kernel.futex_wait(map, Bytes(SEMAPHORE), 0, deadline) {
            Ok(()) | Err(Failure::Errno(Errno::EAGAIN | Errno::EINTR)) => {}
            Err(Failure::Errno(Errno::ETIMEDOUT)) => return try_take(kernel, map),
            Err(failure) => return Err(trying("wait for a message in", "a ring")(failure)),
        }
    }
}

fn try_take(kernel: &dyn Backend, map: &Map) -> Result<bool> {
    Ok(change(kernel, map, SEMAPHORE, |value| Some(value.saturating_sub(1)))? > 0)
}

/// Replaces a word by what `next` makes of it; returns what it was. No next is a number that cannot be right.
pub(super) fn change(
    kernel: &dyn Backend,
    map: &Map,
    offset: u64,
    next: impl Fn(u32) -> Option<u32>,
) -> Result<u32> {
    let failed = || trying("change a word of", "a ring");
    let mut seen = kernel.map_load(map, Bytes(offset)).map_err(failed())?;
    for _ in 0..MOST_TRIES {
        let value = next(seen).ok_or(Error::Malformed(Malformed::Semaphore(seen)))?;
        if value == seen {
            return Ok(seen);
        }
        let was = kernel.map_compare_exchange(map, Bytes(offset), seen, value).map_err(failed())?;
        if was == seen {
            return Ok(seen);
        }
        seen = was;
    }
    Err(Malformed::Semaphore(seen).into())
}
