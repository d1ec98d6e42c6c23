//! Where the components of a path begin and end: slashes, found eight bytes at a time.

const WORD: usize = size_of::<u64>();
const LOW_BITS: u64 = u64::from_le_bytes([0x7f; WORD]);
const SLASHES: u64 = u64::from_le_bytes([b'/'; WORD]);

/// The high bit of every byte that is a slash.
const fn slashes(word: [u8; WORD]) -> u64 {
    let zero_where_slash = u64::from_le_bytes(word) ^ SLASHES;
    !(((zero_where_slash & LOW_BITS) + LOW_BITS) | zero_where_slash | LOW_BITS)
}

/// The first byte from here on that is no slash.
pub(super) fn after_slashes(path: &[u8], from: usize) -> usize {
    let rest = path.get(from..).unwrap_or_default();
    from + rest.iter().take_while(|byte| **byte == b'/').count()
}

/// The first slash from here on, or the end.
pub(super) fn end_of_component(path: &[u8], from: usize) -> usize {
    let mut at = from;
    while let Some(word) = path.get(at..).and_then(<[u8]>::first_chunk) {
        match slashes(*word) {
            0 => at += WORD,
            found => return at + found.trailing_zeros() as usize / WORD,
        }
    }
    let rest = path.get(at..).unwrap_or_default();
    at + rest.iter().take_while(|byte| **byte != b'/').count()
}

/// The slash before the last component, whatever slashes stand behind it; 0 if there is none.
pub(super) fn slash_before_last(path: &[u8]) -> usize {
    let mut rest = path;
    while let [before @ .., b'/'] = rest {
        rest = before;
    }
    while let Some((before, word)) = rest.split_last_chunk() {
        match slashes(*word) {
            0 => rest = before,
            found => return rest.len() - 1 - found.leading_zeros() as usize / WORD,
        }
    }
    rest.iter().rposition(|byte| *byte == b'/').unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{after_slashes, end_of_component, slash_before_last};

    #[test]
    fn components_end_and_begin_at_slashes_wherever_they_stand() {
        let names =
            ["", "a", "seven77", "eight888", "nine99999", "\u{af}\u{2f00}.a-longer-name-of-a-file"];
        for first in names {
            for second in names {
                let path = format!("{first}/{second}");
                let path = path.as_bytes();
                assert_eq!(end_of_component(path, 0), first.len());
                assert_eq!(end_of_component(path, first.len() + 1), path.len());
                if !second.is_empty() {
                    assert_eq!(slash_before_last(path), first.len());
                    assert_eq!(slash_before_last(&[path, b"//"].concat()), first.len());
                    assert_eq!(after_slashes(path, first.len()), first.len() + 1);
                }
            }
        }
    }
}
