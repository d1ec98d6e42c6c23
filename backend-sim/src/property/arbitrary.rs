//! Cases from what fuzzers give: every input is one, and its bytes are the case's.

use arbitrary::{Arbitrary, Result, Unstructured};

use super::case::{Case, HEAD_BYTES, MOST_STEPS, STEP_BYTES, padded};
use super::hierarchy::{GROUP_BYTES, Hierarchy};

/// As much of the input as a case takes, in order: what a fuzzer changes in one place changes the case in that place.
impl<'a> Arbitrary<'a> for Case {
    fn arbitrary(from: &mut Unstructured<'a>) -> Result<Self> {
        let length = from.len().min(HEAD_BYTES + MOST_STEPS * STEP_BYTES);
        from.bytes(length).map(Self::new)
    }

    fn size_hint(_depth: usize) -> (usize, Option<usize>) {
        (0, Some(HEAD_BYTES + MOST_STEPS * STEP_BYTES))
    }
}

/// Groups that a hierarchy from a fuzzer has at most.
const MOST_GROUPS: usize = 32;

impl<'a> Arbitrary<'a> for Hierarchy {
    fn arbitrary(from: &mut Unstructured<'a>) -> Result<Self> {
        let bytes = from.bytes(from.len().min(MOST_GROUPS * GROUP_BYTES))?;
        let groups: Vec<[u8; GROUP_BYTES]> = bytes.chunks(GROUP_BYTES).map(padded).collect();
        Ok(Self::new(&groups))
    }
}
