//! [`Clock`] on the running kernel: clock_gettime(2) and ppoll(2).

use rustix::event::{PollFd, PollFlags};
use rustix::time::{ClockId, Timespec, clock_gettime};
use standin::backend::{Clock, Deadline, Interest, PollEvents};
use standin::failure::Result;
use standin::id::Moment;

use crate::handle::fd;
use crate::raw::refused;
use crate::view::Linux;

const NS_PER_S: u64 = 1_000_000_000;

impl Clock for Linux {
    fn monotonic(&self) -> Result<Moment> {
        Ok(now(ClockId::Monotonic))
    }

    fn realtime(&self) -> Result<Moment> {
        Ok(now(ClockId::Realtime))
    }

    fn boottime(&self) -> Result<Moment> {
        Ok(now(ClockId::Boottime))
    }

    fn poll(&self, interests: &[Interest<'_>], deadline: Deadline) -> Result<Vec<PollEvents>> {
        let mut polled = Vec::with_capacity(interests.len());
        for interest in interests {
            let events = PollFlags::from_bits_retain(interest.events.bits());
            polled.push(PollFd::from_borrowed_fd(fd(interest.handle)?, events));
        }
        let timeout = timeout(deadline);
        rustix::event::poll(&mut polled, timeout.as_ref()).map_err(refused)?;
        Ok(polled.iter().map(|fd| PollEvents::from_bits_retain(fd.revents().bits())).collect())
    }
}

/// What a clock shows. A time before its zero is its zero.
pub(crate) fn now(clock: ClockId) -> Moment {
    let time = clock_gettime(clock);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let nanoseconds = u64::try_from(time.tv_nsec).unwrap_or(0);
    Moment { ns: seconds.saturating_mul(NS_PER_S).saturating_add(nanoseconds) }
}

/// Seconds and nanoseconds, as the kernel takes a time; one beyond its range is its end.
pub(crate) fn timespec(ns: u64) -> Timespec {
    Timespec {
        tv_sec: i64::try_from(ns / NS_PER_S).unwrap_or(i64::MAX),
        tv_nsec: (ns % NS_PER_S).cast_signed(),
    }
}

/// How long from now; `None` is for ever.
pub(crate) fn timeout(deadline: Deadline) -> Option<Timespec> {
    match deadline {
        Deadline::Now => Some(timespec(0)),
        Deadline::At(moment) => {
            Some(timespec(moment.ns.saturating_sub(now(ClockId::Monotonic).ns)))
        }
        Deadline::Never => None,
    }
}
