//! The one source of chance: a counter, mixed (SplitMix64), so that a case is the same wherever it is made.

/// Numbers that follow from a seed and the number of a case.
#[derive(Debug, Clone)]
pub(super) struct Random(u64);

/// An odd number with no pattern in its bits: the golden ratio's.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

impl Random {
    pub(super) const fn new(seed: u64, case: u64) -> Self {
        Self(mix(mix(seed) ^ case))
    }

    const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        mix(self.0)
    }

    /// A number from 0, less than the bound; 0 if that is 0.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.next() % bound).unwrap_or_default()
    }

    /// Whether something happens that does so often in a hundred times.
    pub(super) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One of these; none if there is none.
    pub(super) fn one<'a, T>(&mut self, all: &'a [T]) -> Option<&'a T> {
        all.get(self.below(all.len()))
    }

    /// One of these words, each as often as it stands there.
    pub(super) fn word(&mut self, words: &[&'static str]) -> &'static str {
        self.one(words).copied().unwrap_or_default()
    }

    /// One of these, as often as its weight says; none if there is none with a weight.
    pub(super) fn weighted<'a, T>(
        &mut self,
        all: &'a [T],
        weight: impl Fn(&T) -> usize,
    ) -> Option<&'a T> {
        let mut at = self.below(all.iter().map(&weight).sum());
        all.iter().find(|one| {
            let falls = at < weight(one);
            at = at.saturating_sub(weight(one));
            falls
        })
    }
}

const fn mix(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}
