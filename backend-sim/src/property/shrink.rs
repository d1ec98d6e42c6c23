//! From a case that fails to a smaller one that still does: operations, faults and decisions together.
//!
//! [`Smaller`] says which case to try next, given the smallest that failed so far. Who tries is another's business: a search of
//! our own, or proptest.

use super::case::{Case, HEAD_BYTES, STEP_BYTES};
use super::found::Found;

/// How many cases a search tries at most.
const MOST_RUNS: u32 = 2_000;

/// A case as small as could be found in a bounded number of runs; `fails` runs one.
pub(super) fn shrink(found: Found, mut fails: impl FnMut(&Case) -> Option<Found>) -> Found {
    let mut best = found;
    let mut smaller = Smaller::default();
    let mut does_fail = false;
    for _ in 0..MOST_RUNS {
        let Some(candidate) = smaller.next(best.case(), does_fail) else { break };
        let failed = fails(&candidate);
        does_fail = failed.is_some();
        best = failed.unwrap_or(best);
    }
    best
}

/// What is tried, one after another; and again, as long as a round found something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Pass {
    /// Operations are left out, with their decisions, many at first.
    #[default]
    Remove,
    /// Runs of bytes become 0: operations nothing while their decisions stay, faults none, decisions the default.
    Clear,
    /// Each byte that is left becomes lower.
    Lower,
}

/// Which case to try next.
#[derive(Clone, Debug, Default)]
pub(super) struct Smaller {
    pass: Pass,
    /// How many operations or bytes at once; 0 before the pass began.
    size: usize,
    at: usize,
    /// Something was found in this round.
    has_found: bool,
}

fn steps(case: &Case) -> usize {
    case.as_bytes().len().saturating_sub(HEAD_BYTES).div_ceil(STEP_BYTES)
}

impl Smaller {
    /// The case to try next; `does_fail` says whether the last one that was tried did, so that it is the best now. Nothing if
    /// nothing smaller fails.
    pub(super) fn next(&mut self, best: &Case, does_fail: bool) -> Option<Case> {
        self.has_found |= does_fail;
        let mut stays = does_fail && self.pass == Pass::Remove;
        loop {
            let bytes = match self.pass {
                Pass::Remove => self.without(best, stays),
                Pass::Clear => self.cleared(best),
                Pass::Lower => self.lowered(best, does_fail),
            };
            stays = false;
            match bytes {
                Some(bytes) => {
                    let case = Case::new(bytes);
                    if case != *best {
                        return Some(case);
                    }
                }
                None => {
                    (self.size, self.at) = (0, 0);
                    self.pass = match self.pass {
                        Pass::Remove => Pass::Clear,
                        Pass::Clear => Pass::Lower,
                        Pass::Lower if std::mem::take(&mut self.has_found) => Pass::Remove,
                        Pass::Lower => return None,
                    };
                }
            }
        }
    }

    /// The next run of `size`, from `at` on, among so many; half the size after the last. None after the smallest.
    fn run(&mut self, among: usize) -> Option<(usize, usize)> {
        if self.size == 0 {
            self.size = among.next_power_of_two().max(1);
        }
        if self.at >= among {
            (self.size, self.at) = (self.size / 2, 0);
        }
        (self.size > 0 && among > 0).then_some((self.at, self.size))
    }

    fn without(&mut self, best: &Case, stays: bool) -> Option<Vec<u8>> {
        // Where something was left out stands the next now.
        if stays {
            self.at = self.at.saturating_sub(self.size);
        }
        let (at, size) = self.run(steps(best))?;
        self.at += size;
        let mut bytes = best.as_bytes().to_vec();
        let from = (HEAD_BYTES + at * STEP_BYTES).min(bytes.len());
        let to = (from + size * STEP_BYTES).min(bytes.len());
        bytes.drain(from..to);
        Some(bytes)
    }

    fn cleared(&mut self, best: &Case) -> Option<Vec<u8>> {
        let (at, size) = self.run(best.as_bytes().len())?;
        self.at += size;
        let mut bytes = best.as_bytes().to_vec();
        bytes.iter_mut().skip(at).take(size).for_each(|byte| *byte = 0);
        Some(bytes)
    }

    /// Each byte to 1, its half, and one less, until one fails; `size` counts these.
    fn lowered(&mut self, best: &Case, does_fail: bool) -> Option<Vec<u8>> {
        if does_fail && self.size > 0 {
            (self.size, self.at) = (0, self.at + 1);
        }
        loop {
            let now = *best.as_bytes().get(self.at)?;
            let lower = [1, now / 2, now.saturating_sub(1)].get(self.size).copied();
            let Some(lower) = lower else {
                (self.size, self.at) = (0, self.at + 1);
                continue;
            };
            self.size += 1;
            if lower < now {
                let mut bytes = best.as_bytes().to_vec();
                bytes.iter_mut().skip(self.at).take(1).for_each(|byte| *byte = lower);
                return Some(bytes);
            }
        }
    }
}
