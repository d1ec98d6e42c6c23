//! From decisions that fail to fewer that still do: cut off at the end, then set to nothing piece by piece, then lowered.

use super::decisions::Decisions;

/// How many runs are made for it at most.
const MOST_RUNS: u32 = 500;

/// Decisions as few as could be found in a bounded number of runs; `fails` runs some.
pub(super) fn shrink(found: Decisions, mut fails: impl FnMut(&Decisions) -> bool) -> Decisions {
    let mut best = found;
    let mut left = MOST_RUNS;
    let mut try_out = |candidate: Vec<u8>, best: &mut Decisions| {
        let candidate = Decisions::new(candidate);
        if left == 0 || candidate == *best {
            return false;
        }
        left -= 1;
        let does = fails(&candidate);
        if does {
            *best = candidate;
        }
        does
    };
    // The end: what happens behind the failure is of no interest.
    let mut length = best.as_bytes().len() / 2;
    while length > 0 {
        let keep = best.as_bytes().len().saturating_sub(length);
        let shorter = best.as_bytes().get(..keep).unwrap_or_default().to_vec();
        if !try_out(shorter, &mut best) {
            length /= 2;
        }
    }
    // Runs of them as by default.
    let mut size = best.as_bytes().len().next_power_of_two() / 2;
    while size > 0 {
        let mut start = 0;
        while start < best.as_bytes().len() {
            let mut bytes = best.as_bytes().to_vec();
            for byte in bytes.iter_mut().skip(start).take(size) {
                *byte = 0;
            }
            try_out(bytes, &mut best);
            start += size;
        }
        size /= 2;
    }
    // And each that is left as low as it can be.
    for at in 0..best.as_bytes().len() {
        let now = best.as_bytes().get(at).copied().unwrap_or(0);
        for lower in 1..now.min(8) {
            let mut bytes = best.as_bytes().to_vec();
            if let Some(byte) = bytes.get_mut(at) {
                *byte = lower;
            }
            if try_out(bytes, &mut best) {
                break;
            }
        }
    }
    best
}
