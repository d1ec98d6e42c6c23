//! The numbers of namespaces that are made after boot: the lowest that is free.

use std::collections::BTreeSet;

/// The first number that a booted kernel gives (recorded on 6.1 and 6.12; those below are files of /proc).
const LOWEST: u32 = 4_026_532_114;

/// Which numbers are in use.
#[derive(Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Numbers {
    /// Everything from here on is free,
    next: u32,
    /// and of what is below, these.
    free: BTreeSet<u32>,
}

impl Default for Numbers {
    fn default() -> Self {
        Self { next: LOWEST, free: BTreeSet::new() }
    }
}

impl Numbers {
    pub(super) fn take(&mut self) -> u32 {
        self.free.pop_first().unwrap_or_else(|| {
            let number = self.next;
            self.next = number.wrapping_add(1);
            number
        })
    }

    pub(super) fn give_back(&mut self, number: u32) {
        self.free.insert(number);
    }
}
