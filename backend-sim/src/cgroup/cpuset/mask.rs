//! A set of processors.

use std::ops::{BitAnd, BitOr, Sub};

use crate::cgroup::value;

/// A set of processors by number, up to [`Mask::BITS`] of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Mask(u128);

impl Mask {
    /// Processors that a set has room for.
    pub(crate) const BITS: u32 = u128::BITS;
    pub(crate) const EMPTY: Self = Self(0);

    /// The first so many processors.
    pub(crate) const fn first(count: u32) -> Self {
        match u128::MAX.checked_shr(u128::BITS.saturating_sub(count)) {
            Some(bits) => Self(bits),
            None => Self::EMPTY,
        }
    }

    /// With one more processor, if there is room for its number.
    pub(in crate::cgroup) const fn with(self, cpu: u32) -> Self {
        match 1_u128.checked_shl(cpu) {
            Some(bit) => Self(self.0 | bit),
            None => self,
        }
    }

    /// How many processors.
    pub(crate) const fn count(self) -> u32 {
        self.0.count_ones()
    }

    pub(in crate::cgroup) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Its processor with the lowest number alone.
    pub(in crate::cgroup) const fn lowest(self) -> Self {
        Self(self.0 & self.0.wrapping_neg())
    }

    /// Whether it has a processor of the other.
    pub(in crate::cgroup) const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether the other has all of its processors.
    pub(in crate::cgroup) const fn is_within(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    /// Its processors by number.
    pub(crate) fn iter(self) -> impl Iterator<Item = u32> {
        (0..Self::BITS).filter(move |cpu| self.meets(Self::EMPTY.with(*cpu)))
    }

    /// Adds its ranges as the kernel prints lists: `0-2,5`.
    pub(crate) fn print_list(self, out: &mut Vec<u8>) {
        let mut bits = self.0;
        let mut at = 0_u32;
        let mut first = true;
        while bits != 0 {
            let start = bits.trailing_zeros();
            let length = (bits >> start).trailing_ones();
            if !first {
                out.push(b',');
            }
            first = false;
            value::print((at + start).into(), out);
            if length > 1 {
                out.push(b'-');
                value::print((at + start + length - 1).into(), out);
            }
            at += start + length;
            bits = bits.checked_shr(start + length).unwrap_or_default();
        }
    }

    /// Adds it as the kernel prints bitmaps of so many bits: words of 32 in hexadecimal, the first as long as it needs to be.
    pub(crate) fn print_words(self, bits: u32, out: &mut Vec<u8>) {
        let digits = bits.div_ceil(4);
        for digit in (0..digits).rev() {
            let nibble = self.0.checked_shr(digit * 4).unwrap_or_default() & 0xf;
            let letter = u32::try_from(nibble).ok().and_then(|nibble| char::from_digit(nibble, 16));
            out.extend(letter.and_then(|letter| u8::try_from(letter).ok()));
            if digit > 0 && digit % 8 == 0 {
                out.push(b',');
            }
        }
    }
}

impl BitAnd for Mask {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl BitOr for Mask {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// What the other has not.
impl Sub for Mask {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Mask;

    #[track_caller]
    fn check(cpus: &[u32], bits: u32, list: &str, words: &str) {
        let mask = cpus.iter().fold(Mask::EMPTY, |mask, cpu| mask.with(*cpu));
        let (mut as_list, mut as_words) = (Vec::new(), Vec::new());
        mask.print_list(&mut as_list);
        mask.print_words(bits, &mut as_words);
        assert_eq!(String::from_utf8(as_list).unwrap(), list);
        assert_eq!(String::from_utf8(as_words).unwrap(), words);
    }

    #[test]
    fn a_set_prints_as_ranges_and_as_words() {
        check(&[], 2, "", "0");
        check(&[0, 1], 2, "0-1", "3");
        check(&[1, 3, 4, 5], 6, "1,3-5", "3a");
        check(&[0, 31, 32, 127], 128, "0,31-32,127", "80000000,00000000,00000001,80000001");
    }

    #[test]
    fn the_first_processors_are_those_with_the_lowest_numbers() {
        for count in [0, 1, 40, 128] {
            let one_by_one = (0..count).fold(Mask::EMPTY, Mask::with);
            assert_eq!(Mask::first(count), one_by_one, "{count}");
        }
    }
}
