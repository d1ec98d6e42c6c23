//! The macro behind [`SignalSet`](crate::SignalSet) and [`CapabilitySet`](crate::CapabilitySet):
//! a set of numbered things that the kernel keeps in 64 bits.
//!
//! The item type brings its own numbering (`bit`, `from_bit`); this file knows no signal and no
//! capability. What one type has and the other has not (`Display`) stands beside the type.

/// Declares a set type over `$item`, its iterator, and the traits a collection has.
///
/// `$item` must have `const fn bit(self) -> u32` (below 64) and `fn from_bit(u32) -> Option<Self>`,
/// inverse to each other; `$known` is the mask of the bits that are an item.
macro_rules! bit_set {
    (
        $(#[$set_doc:meta])* $set:ident of $item:ident, known $known:expr,
        $(#[$iter_doc:meta])* $iter:ident
    ) => {
        $(#[$set_doc])*
        #[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
        pub struct $set(u64);

        impl $set {
            /// The set without a member.
            pub const EMPTY: Self = Self(0);
            /// The set of every one this crate has a name for.
            pub const ALL: Self = Self($known);

            /// The set with exactly these bits, as the kernel writes them. Bits that are no item
            /// known here are kept: [`bits`](Self::bits) gives them back.
            #[must_use]
            pub const fn from_bits(bits: u64) -> Self {
                Self(bits)
            }

            /// The 64 bits, as the kernel writes them.
            #[must_use]
            pub const fn bits(self) -> u64 {
                self.0
            }

            /// Whether no bit is set.
            #[must_use]
            pub const fn is_empty(self) -> bool {
                self.0 == 0
            }

            /// Whether `item` is in the set.
            #[must_use]
            pub const fn contains(self, item: $item) -> bool {
                self.0 >> item.bit() & 1 == 1
            }

            /// Whether every member of `other` is in this set.
            #[must_use]
            pub const fn contains_all(self, other: Self) -> bool {
                other.0 & !self.0 == 0
            }

            /// Adds `item`; true if it was not in the set before.
            pub const fn insert(&mut self, item: $item) -> bool {
                let before = self.0;
                self.0 |= 1 << item.bit();
                self.0 != before
            }

            /// Takes `item` out; true if it was in the set before.
            pub const fn remove(&mut self, item: $item) -> bool {
                let before = self.0;
                self.0 &= !(1 << item.bit());
                self.0 != before
            }

            /// This set and `item`.
            #[must_use]
            pub const fn with(self, item: $item) -> Self {
                Self(self.0 | 1 << item.bit())
            }

            /// This set less `item`.
            #[must_use]
            pub const fn without(self, item: $item) -> Self {
                Self(self.0 & !(1 << item.bit()))
            }

            /// What is in either set.
            #[must_use]
            pub const fn union(self, other: Self) -> Self {
                Self(self.0 | other.0)
            }

            /// What is in both sets.
            #[must_use]
            pub const fn intersection(self, other: Self) -> Self {
                Self(self.0 & other.0)
            }

            /// What is in this set and not in `other`.
            #[must_use]
            pub const fn difference(self, other: Self) -> Self {
                Self(self.0 & !other.0)
            }

            /// The members in order of number; bits that are no known item are passed over.
            #[must_use]
            pub const fn iter(self) -> $iter {
                $iter(self.0 & Self::ALL.0)
            }
        }

        impl From<$item> for $set {
            fn from(item: $item) -> Self {
                Self::EMPTY.with(item)
            }
        }

        impl FromIterator<$item> for $set {
            fn from_iter<I: IntoIterator<Item = $item>>(items: I) -> Self {
                items.into_iter().fold(Self::EMPTY, Self::with)
            }
        }

        impl Extend<$item> for $set {
            fn extend<I: IntoIterator<Item = $item>>(&mut self, items: I) {
                *self = items.into_iter().fold(*self, Self::with);
            }
        }

        impl IntoIterator for $set {
            type Item = $item;
            type IntoIter = $iter;

            fn into_iter(self) -> $iter {
                self.iter()
            }
        }

        /// The names in braces; bits that are no known item as one hexadecimal number behind them.
        impl std::fmt::Debug for $set {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                let mut set = f.debug_set();
                set.entries(self.iter());
                let unknown = self.difference(Self::ALL).bits();
                if unknown != 0 {
                    set.entry(&format_args!("{unknown:#x}"));
                }
                set.finish()
            }
        }

        /// The bits as a number; `{:016x}` is the form of /proc/PID/status.
        impl std::fmt::LowerHex for $set {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::LowerHex::fmt(&self.0, f)
            }
        }

        $(#[$iter_doc])*
        #[derive(Clone, Debug)]
        pub struct $iter(u64);

        impl Iterator for $iter {
            type Item = $item;

            fn next(&mut self) -> Option<$item> {
                let item = $item::from_bit(self.0.trailing_zeros())?;
                self.0 &= self.0 - 1; // clears the lowest bit; at least one is set here
                Some(item)
            }
        }
    };
}

pub(crate) use bit_set;
