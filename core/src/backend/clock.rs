//! Time, and waiting for handles.

use bitflags::bitflags;

use crate::handle::Descriptor;
use crate::id::Moment;

super::operations! {
    /// The clocks, and poll(2).
    pub trait Clock {
        /// `CLOCK_MONOTONIC` as the caller's time namespace shows it.
        fn monotonic(&self) -> Moment;

        /// `CLOCK_REALTIME`
        fn realtime(&self) -> Moment;

        /// `CLOCK_BOOTTIME` as the caller's time namespace shows it.
        fn boottime(&self) -> Moment;

        /// ppoll(2): waits until a handle is ready or the deadline is there, and says what each is ready for, in the
        /// order of `interests`. No interest and a deadline: sleeps.
        ///
        /// A cgroup.events file is ready for [`PollEvents::PRIORITY`] when a value has changed since it was last read
        /// (cgroup-v2.rst), and at once if it never was.
        ///
        /// Errno: EINTR.
        fn poll(&self, interests: &[Interest<'_>], deadline: Deadline) -> Vec<PollEvents>;
    }
}

/// How long to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Deadline {
    /// Not at all.
    Now,
    /// Until this moment of the monotonic clock.
    At(Moment),
    /// For ever.
    Never,
}

/// A handle, and what to wait for.
#[derive(Clone, Copy, Debug)]
pub struct Interest<'a> {
    /// The handle.
    pub handle: &'a Descriptor,
    /// What to wait for; ERROR, HANG_UP and INVALID are always waited for.
    pub events: PollEvents,
}

bitflags! {
    /// What a handle is ready for, with the numbers of poll(2).
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub struct PollEvents: u16 {
        /// `POLLIN`
        const INPUT = 0x1;
        /// `POLLPRI`: something exceptional; a cgroup file that changed.
        const PRIORITY = 0x2;
        /// `POLLOUT`
        const OUTPUT = 0x4;
        /// `POLLERR`
        const ERROR = 0x8;
        /// `POLLHUP`
        const HANG_UP = 0x10;
        /// `POLLNVAL`: not open, or open as a path alone.
        const INVALID = 0x20;
        /// `POLLRDHUP`
        const READ_HANG_UP = 0x2000;
    }
}
