//! A group's quota of processor time in each period, and what is counted of it (sched-bwc.rst).
//!
//! The quota is refilled when a period ends; with a burst, what a period leaves is kept, up to that. Who has used it up is
//! held until the period's end. Periods end at multiples of their length on the monotonic clock, as a kernel's timer has
//! it (since 6.12 from a random offset; here that is 0). They are counted from when a quota is set or somebody runs until
//! the second end of a period in which nobody ran. The file knows numbers and moments alone.

use standin::id::Moment;

/// How much time a group may use: the quota in each period, if there is one, and what it may save up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Limit {
    pub(crate) quota_ns: Option<u64>,
    pub(crate) period_ns: u64,
    pub(crate) burst_ns: u64,
}

impl Default for Limit {
    fn default() -> Self {
        Self { quota_ns: None, period_ns: 100_000_000, burst_ns: 0 }
    }
}

/// What cpu.stat counts of a limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Counts {
    /// Periods that ended.
    pub(crate) periods: u64,
    /// Those at whose end the group was held.
    pub(crate) throttled: u64,
    /// How long it was held, on each processor that its threads would have used.
    pub(crate) throttled_ns: u64,
    /// Periods in which more than a quota was used.
    pub(crate) bursts: u64,
    /// How much more.
    pub(crate) burst_ns: u64,
}

/// The state of a group's limit.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Throttle {
    limit: Limit,
    /// What is left of the quota; by rounding a nanosecond too much may have been used.
    left_ns: i64,
    /// What was left when it was last refilled.
    filled_ns: i64,
    /// When the period ends; none if periods are not counted now.
    edge: Option<Moment>,
    /// Nobody has run since the last period ended.
    idle: bool,
    /// It was used up while somebody wanted more.
    throttled: bool,
    counts: Counts,
    /// How long the group was held by its own limit or one above, counted as `throttled_ns`.
    pub(crate) held_ns: u64,
}

impl Throttle {
    /// A limit is written: there is a quota more to use.
    pub(crate) fn set(&mut self, limit: Limit, now: Moment) {
        self.catch_up(now);
        self.limit = limit;
        self.refill();
        self.throttled = false;
        self.start(now);
    }

    pub(crate) const fn counts(&self) -> Counts {
        self.counts
    }

    /// Whether it is used up, as of the last period that was looked at.
    pub(crate) const fn is_throttled(&self) -> bool {
        self.throttled
    }

    /// When the period ends, if the group has a quota and periods are counted.
    pub(super) fn edge(&self) -> Option<Moment> {
        self.edge.filter(|_| self.limit.quota_ns.is_some())
    }

    /// How much may be used until the group is held; none if it never is.
    pub(super) fn left_ns(&self) -> Option<u64> {
        self.limit.quota_ns.map(|_| u64::try_from(self.left_ns).unwrap_or(0))
    }

    fn start(&mut self, now: Moment) {
        if self.limit.quota_ns.is_some() && self.edge.is_none() {
            let period = self.limit.period_ns;
            self.edge = Some(Moment { ns: (now.ns / period + 1).saturating_mul(period) });
        }
    }

    fn refill(&mut self) {
        let signed = |ns: u64| i64::try_from(ns).unwrap_or(i64::MAX);
        let Some(quota_ns) = self.limit.quota_ns else { return };
        self.left_ns = self.left_ns.saturating_add(signed(quota_ns));
        if let Ok(above @ 1..) = u64::try_from(self.filled_ns.saturating_sub(self.left_ns)) {
            self.counts.bursts += 1;
            self.counts.burst_ns += above;
        }
        self.left_ns = self.left_ns.min(signed(quota_ns.saturating_add(self.limit.burst_ns)));
        self.filled_ns = self.left_ns;
    }

    /// Threads of the group want to run: whether they may.
    pub(crate) fn begin(&mut self, now: Moment) -> bool {
        self.catch_up(now);
        self.start(now);
        self.idle = false;
        self.throttled = self.left_ns() == Some(0);
        !self.throttled
    }

    /// They have run for so long together.
    pub(super) fn run(&mut self, ns: u64) {
        self.left_ns = self.left_ns.saturating_sub_unsigned(ns);
    }

    /// The group was held for so long.
    pub(super) fn hold(&mut self, ns: u64) {
        self.counts.throttled_ns += ns;
    }

    /// Every period that has ended by now.
    pub(crate) fn catch_up(&mut self, now: Moment) {
        while let Some(edge) = self.edge
            && edge <= now
        {
            self.edge = self.end_period(edge);
        }
    }

    /// A period ends; when the next one does.
    fn end_period(&mut self, now: Moment) -> Option<Moment> {
        self.limit.quota_ns?;
        self.counts.periods += 1;
        self.refill();
        if self.throttled {
            self.counts.throttled += 1;
            self.throttled = self.left_ns <= 0;
        } else if std::mem::replace(&mut self.idle, true) {
            return None;
        }
        Some(Moment { ns: now.ns.saturating_add(self.limit.period_ns) })
    }
}

#[cfg(test)]
mod tests {
    use standin::id::Moment;

    use super::{Counts, Limit, Throttle};

    const MS: u64 = 1_000_000;

    fn at(ms: u64) -> Moment {
        Moment { ns: ms * MS }
    }

    fn limit(quota: u64, burst: u64) -> Limit {
        Limit { quota_ns: Some(quota * MS), period_ns: 100 * MS, burst_ns: burst * MS }
    }

    #[test]
    fn a_quota_that_nobody_uses_counts_two_periods() {
        let mut throttle = Throttle::default();
        throttle.set(limit(20, 0), at(1030));
        throttle.catch_up(at(1099));
        assert_eq!(throttle.counts().periods, 0);
        throttle.catch_up(at(5000));
        assert_eq!(throttle.counts(), Counts { periods: 2, ..Counts::default() });
        assert!(throttle.begin(at(5050)));
        assert_eq!(throttle.edge(), Some(at(5100)));
        throttle.run(5 * MS);
        throttle.catch_up(at(9000));
        assert_eq!(throttle.counts(), Counts { periods: 4, ..Counts::default() });
    }

    #[test]
    fn who_uses_the_quota_up_is_held_until_the_period_ends() {
        let mut throttle = Throttle::default();
        throttle.set(limit(20, 0), at(1000));
        assert!(throttle.begin(at(1000)));
        assert_eq!(throttle.left_ns(), Some(20 * MS));
        throttle.run(20 * MS);
        assert!(!throttle.begin(at(1020)));
        assert!(throttle.begin(at(1100)));
        assert_eq!(throttle.counts().throttled, 1);
        throttle.run(20 * MS);
        assert!(throttle.begin(at(1200)), "whose period ends when the quota does is not held");
        assert_eq!(throttle.counts().throttled, 1);
    }

    #[test]
    fn what_is_left_is_saved_up_to_the_burst() {
        let mut throttle = Throttle::default();
        throttle.set(limit(20, 15), at(1000));
        assert!(throttle.begin(at(1000)));
        throttle.run(10 * MS);
        throttle.catch_up(at(1100));
        assert_eq!(throttle.left_ns(), Some(30 * MS));
        throttle.catch_up(at(1200));
        assert_eq!(throttle.left_ns(), Some(35 * MS));
        assert!(throttle.begin(at(1250)));
        throttle.run(32 * MS);
        throttle.catch_up(at(1300));
        let counts = throttle.counts();
        assert_eq!((counts.bursts, counts.burst_ns), (1, 12 * MS));
        assert_eq!(throttle.left_ns(), Some(23 * MS));
    }

    #[test]
    fn a_written_limit_frees_who_was_held() {
        let mut throttle = Throttle::default();
        throttle.set(limit(20, 0), at(1000));
        throttle.run(20 * MS);
        assert!(!throttle.begin(at(1020)));
        throttle.set(Limit { quota_ns: None, ..limit(0, 0) }, at(1050));
        assert!(throttle.begin(at(1050)));
        assert_eq!((throttle.edge(), throttle.left_ns()), (None, None));
    }
}
