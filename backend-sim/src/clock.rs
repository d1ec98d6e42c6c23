//! Virtual time: it stands still while anything can run.

use standin::id::Moment;

/// The clocks of a machine.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct VirtualClock {
    now: Moment,
}

/// Realtime at boot: 2026-01-01 00:00:00 UTC, in ns since the epoch. A constant, so that runs are alike.
const BOOT_REALTIME_NS: u64 = 1_767_225_600_000_000_000;

impl VirtualClock {
    /// A machine that has been up for a second.
    pub(crate) const fn new() -> Self {
        Self { now: Moment { ns: 1_000_000_000 } }
    }

    /// Time since boot.
    pub(crate) const fn monotonic(&self) -> Moment {
        self.now
    }

    /// Time since the epoch.
    pub(crate) const fn realtime(&self) -> Moment {
        Moment { ns: self.now.ns.saturating_add(BOOT_REALTIME_NS) }
    }

    /// Moves to a later moment; never back.
    pub(crate) fn advance(&mut self, to: Moment) {
        self.now = self.now.max(to);
    }
}
