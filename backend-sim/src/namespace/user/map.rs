//! Which ids a user namespace has, and whose they are in the first one (user_namespaces(7)).

use std::cmp::Ordering;

/// What an id that means nothing to the reader is told as (proc(5), /proc/sys/kernel/overflowuid).
pub(crate) const OVERFLOW_ID: u32 = 65534;

/// The id that is none.
pub(crate) const NO_ID: u32 = u32::MAX;

/// The most ranges of a map.
const MOST_RANGES: usize = 340;

/// Maps with no more ranges than this are kept as they were written, longer ones in order.
const KEPT_AS_WRITTEN: usize = 5;

/// Ids that follow each other on both sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Range {
    /// The first, as the namespace has it.
    pub(crate) inner: u32,
    /// The first outside: in a text the parent's id, in a map that is in use that of the first namespace.
    pub(crate) outer: u32,
    pub(crate) count: u32,
}

impl Range {
    /// Every id, each for itself.
    const ALL: Self = Self { inner: 0, outer: 0, count: NO_ID };

    fn overlaps(self, other: Self) -> bool {
        let meet = |a: u32, b: u32| a < b + other.count && b < a + self.count;
        meet(self.inner, other.inner) || meet(self.outer, other.outer)
    }
}

/// The ids that a namespace has; none until its map is written.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct IdMap(Vec<Range>);

impl IdMap {
    /// The first namespace's.
    pub(super) fn first() -> Self {
        Self(vec![Range::ALL])
    }

    pub(crate) fn ranges(&self) -> &[Range] {
        &self.0
    }

    /// Whether it has been written.
    pub(crate) const fn is_written(&self) -> bool {
        !self.0.is_empty()
    }

    /// Whose an id of the namespace is.
    pub(crate) fn outside(&self, id: u32) -> Option<u32> {
        self.range_outside(id, 1)
    }

    /// What an id is in the namespace.
    pub(crate) fn inside(&self, id: u32) -> Option<u32> {
        let found = self.0.iter().find(|range| id.wrapping_sub(range.outer) < range.count)?;
        Some(id - found.outer + found.inner)
    }

    fn range_outside(&self, id: u32, count: u32) -> Option<u32> {
        let fits = |range: &&Range| {
            let into = id.wrapping_sub(range.inner);
            id >= range.inner && into < range.count && count <= range.count - into
        };
        let found = self.0.iter().find(fits)?;
        Some(id - found.inner + found.outer)
    }

    /// Reads what is written into uid_map: lines of three numbers. `None` for what is no map.
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        let text = text.split(|byte| *byte == 0).next().unwrap_or_default();
        let text = text.strip_suffix(b"\n").unwrap_or(text);
        let mut map = Self::default();
        for line in text.split(|byte| *byte == b'\n') {
            let range = range(line)?;
            if map.0.len() == MOST_RANGES || map.0.iter().any(|other| range.overlaps(*other)) {
                return None;
            }
            map.0.push(range);
        }
        Some(map)
    }

    /// The same with the ids of the first namespace outside, where those of the parent stood. `None`: the parent lacks some.
    pub(super) fn below(mut self, parent: &Self) -> Option<Self> {
        for range in &mut self.0 {
            range.outer = parent.range_outside(range.outer, range.count)?;
        }
        if self.0.len() > KEPT_AS_WRITTEN {
            self.0.sort_by(|a, b| a.inner.cmp(&b.inner).then(Ordering::Equal));
        }
        Some(self)
    }
}

/// One line: numbers between blanks, none of them too big, none empty.
fn range(line: &[u8]) -> Option<Range> {
    let mut rest = skip_blanks(line);
    let mut numbers = [0_u32; 3];
    for (number, is_last) in numbers.iter_mut().zip([false, false, true]) {
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (text, behind) = rest.split_at_checked(digits)?;
        // Too long numbers wrap, as the kernel's do.
        *number = text
            .iter()
            .fold(0, |sum: u32, digit| sum.wrapping_mul(10).wrapping_add((digit - b'0').into()));
        if !behind.first().map_or(is_last, |byte| is_blank(*byte)) {
            return None;
        }
        rest = skip_blanks(behind);
    }
    let [inner, outer, count] = numbers;
    let fits = |id: u32| id != NO_ID && id.checked_add(count).is_some_and(|end| end > id);
    (rest.is_empty() && fits(inner) && fits(outer)).then_some(Range { inner, outer, count })
}

/// What the kernel takes for a blank (`isspace`).
pub(super) const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r' | 0xa0)
}

pub(super) fn skip_blanks(text: &[u8]) -> &[u8] {
    let blanks = text.iter().take_while(|byte| is_blank(**byte)).count();
    text.get(blanks..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{IdMap, Range};

    fn parse(text: &str) -> Option<Vec<Range>> {
        IdMap::parse(text.as_bytes()).map(|map| map.0)
    }

    #[test]
    fn a_line_is_three_numbers_between_blanks() {
        let range = Range { inner: 1, outer: 20, count: 300 };
        for text in ["1 20 300", " 1\t20  300 \n", "001 20 300\n", "1 20 300\0junk"] {
            assert_eq!(parse(text), Some(vec![range]), "{text:?}");
        }
        for text in ["", "\n", "1 20", "1 20 x", "1 20 300 4", "1 20 0", "-1 0 1", "1 20 300\n\n"] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn ranges_neither_wrap_nor_overlap() {
        assert!(parse("4294967290 0 5").is_some());
        for text in ["4294967290 0 6", "0 4294967295 1", "0 0 9\n8 100 1", "0 0 9\n100 8 1"] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn an_id_goes_out_and_comes_back() {
        let map = IdMap::parse(b"0 100000 10\n50 7 1").and_then(|map| map.below(&IdMap::first()));
        let map = map.unwrap();
        assert_eq!(
            [map.outside(3), map.outside(50), map.outside(10)],
            [Some(100_003), Some(7), None]
        );
        assert_eq!([map.inside(100_009), map.inside(7), map.inside(0)], [Some(9), Some(50), None]);
    }

    #[test]
    fn a_line_lies_within_one_of_the_parents() {
        let parent = IdMap::parse(b"0 1000 5\n5 1005 5").unwrap();
        for (text, lies) in [("0 0 5", true), ("0 3 4", false), ("0 0 10", false)] {
            assert_eq!(IdMap::parse(text.as_bytes()).unwrap().below(&parent).is_some(), lies);
        }
    }
}
