//! A case made of two others, as a fuzzer makes one: [`Case::mixed`].

use super::case::{Case, HEAD_BYTES, MOST_STEPS, STEP_BYTES, padded};
use crate::schedule::Generator;

/// Changes of one case at most.
const MOST_CHANGES: u64 = 4;
/// Operations that are left out, done again or taken over at once, at most.
const MOST_AT_ONCE: u64 = 8;
/// How rare it is that machine and faults are the other case's.
const HEAD_CHANGES_ONCE_IN: u64 = 8;

type Step = [u8; STEP_BYTES];

impl Case {
    /// This case with a few changes, by chance: operations left out, done again or elsewhere, bytes that are others, and some
    /// operations of another case between; now and then that one's machine and faults. The same for the same seed, in every
    /// build.
    ///
    /// ```
    /// use standin_sim::property::Case;
    ///
    /// let [one, other] = [1, 2].map(|seed| Case::random(seed, 20));
    /// let mixed = one.mixed(&other, 7);
    /// assert_eq!(mixed, one.mixed(&other, 7));
    /// assert_ne!(mixed, one);
    /// mixed.check(|play| play.alone()).unwrap();
    /// ```
    #[must_use]
    pub fn mixed(&self, other: &Self, seed: u64) -> Self {
        let mut generator = Generator::new(seed);
        let head = if generator.below(HEAD_CHANGES_ONCE_IN) == 0 { other } else { self };
        let mut bytes = padded::<HEAD_BYTES>(head.as_bytes()).to_vec();
        let (mut steps, foreign) = (steps(self), steps(other));
        for _ in 0..=generator.below(MOST_CHANGES) {
            change(&mut steps, &foreign, &mut generator);
        }
        steps.iter().take(MOST_STEPS).for_each(|step| bytes.extend_from_slice(step));
        Self::new(bytes)
    }
}

fn steps(case: &Case) -> Vec<Step> {
    let behind = case.as_bytes().get(HEAD_BYTES..).unwrap_or_default();
    behind.chunks(STEP_BYTES).map(padded).collect()
}

/// A number below the count of some steps.
fn below(steps: &[Step], generator: &mut Generator) -> usize {
    let count = u64::try_from(steps.len().max(1)).unwrap_or(1);
    usize::try_from(generator.below(count)).unwrap_or(0)
}

/// A few of these steps.
fn some(steps: &[Step], generator: &mut Generator) -> Vec<Step> {
    let from = below(steps, generator);
    let many = usize::try_from(1 + generator.below(MOST_AT_ONCE)).unwrap_or(1);
    steps.iter().skip(from).take(many).copied().collect()
}

fn change(steps: &mut Vec<Step>, foreign: &[Step], generator: &mut Generator) {
    let at = below(steps, generator);
    match generator.below(4) {
        0 => {
            let end = (at + some(steps, generator).len()).min(steps.len());
            steps.drain(at.min(end)..end);
        }
        1 => {
            let again = some(steps, generator);
            steps.splice(at..at, again);
        }
        2 => {
            let (place, byte) = (generator.below(8), generator.number().to_le_bytes());
            let place = usize::try_from(place).unwrap_or(0);
            let changed = steps.get_mut(at).and_then(|step| step.get_mut(place));
            if let (Some(changed), [byte, ..]) = (changed, byte) {
                *changed = byte;
            }
        }
        _ => {
            let foreign = some(foreign, generator);
            steps.splice(at..at, foreign);
        }
    }
}
