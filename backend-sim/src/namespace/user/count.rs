//! How many namespaces there may be (/proc/sys/user): counted for their makers, in the user namespace that they were made in and for
//! its maker in each above.

use rustc_hash::FxHashMap;
use standin::backend::NamespaceKind;
use standin::{Errno, Uid};

use super::super::{Maker, Namespaces};
use super::UserNs;

/// How many kinds there are, with those of children.
const KINDS: usize = 10;

/// The highest limit.
pub(crate) const MOST: u32 = i32::MAX.unsigned_abs();

/// How many of each kind a user namespace lets each of its users make.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Limits([u32; KINDS]);

impl Default for Limits {
    fn default() -> Self {
        Self([MOST; KINDS])
    }
}

impl Limits {
    /// The same for every kind.
    pub(crate) fn all(most: u32) -> Self {
        Self([most; KINDS])
    }

    pub(crate) fn get(&self, kind: NamespaceKind) -> u32 {
        self.0.get(kind as usize).copied().unwrap_or(MOST)
    }

    pub(crate) fn set(&mut self, kind: NamespaceKind, most: u32) {
        if let Some(slot) = self.0.get_mut(kind as usize) {
            *slot = most;
        }
    }
}

/// How many each user has in each user namespace.
pub(crate) type Counts = FxHashMap<(UserNs, Uid, NamespaceKind), u32>;

impl Namespaces {
    /// Who counts what a maker makes: it, and the maker of each user namespace that it is in.
    pub(crate) fn levels(&self, maker: Maker) -> impl Iterator<Item = Maker> {
        let above = |maker: &Maker| {
            let within = self.user(Some(maker.within?));
            Some(Maker { within: within.parent, user: within.owner })
        };
        std::iter::successors(Some(maker), above)
    }

    /// ENOSPC: one more is too many.
    pub(crate) fn check_room(&self, maker: Maker, kind: NamespaceKind) -> Result<(), Errno> {
        let is_full = |maker: Maker| {
            let made = self.counts.get(&(maker.within, maker.user, kind)).copied();
            made.unwrap_or_default() >= self.user(maker.within).limits.get(kind)
        };
        if self.levels(maker).any(is_full) { Err(Errno::ENOSPC) } else { Ok(()) }
    }

    pub(crate) fn count(&mut self, maker: Maker, kind: NamespaceKind) {
        for Maker { within, user } in self.levels(maker).collect::<Vec<_>>() {
            *self.counts.entry((within, user, kind)).or_default() += 1;
        }
    }

    pub(crate) fn uncount(&mut self, maker: Maker, kind: NamespaceKind) {
        for Maker { within, user } in self.levels(maker).collect::<Vec<_>>() {
            let key = (within, user, kind);
            if let Some(count) = self.counts.get_mut(&key) {
                *count -= 1;
                if *count == 0 {
                    self.counts.remove(&key);
                }
            }
        }
    }
}
