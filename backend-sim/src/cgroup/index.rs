//! Finding a child group by its name: one hash table for all hierarchies. Nobody sees its order.
//!
//! The groups of a bucket are a chain that runs through their records, so the table itself is plain numbers, which a snapshot
//! copies in one go: a general hash table would be copied entry by entry.

use std::hash::Hasher;

use rustc_hash::FxHasher;

use super::{Cgroup, CgroupKey};
use crate::table::{Seat, Table};

/// Buckets at least, once there is a group.
const FEWEST: usize = 8;

/// Children by parent and name.
#[derive(Clone, Default)]
pub(super) struct Index {
    /// Of each bucket the group that came last. There are a power of two, and none before the first group.
    buckets: Vec<Option<Seat<Cgroup>>>,
    len: usize,
}

fn hash(parent: CgroupKey, name: &[u8]) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write_u64(parent.number());
    hasher.write(name);
    hasher.finish()
}

fn hash_of(group: &Cgroup) -> u64 {
    group.parent.map_or(0, |parent| hash(parent, &group.name))
}

impl Index {
    /// The child with this name.
    pub(super) fn find(
        &self,
        table: &Table<Cgroup>,
        parent: CgroupKey,
        name: &[u8],
    ) -> Option<CgroupKey> {
        let mut next = *self.buckets.get(self.bucket(hash(parent, name)))?;
        while let Some(seat) = next {
            let (key, group) = table.sitting(seat);
            if group.parent == Some(parent) && *group.name == *name {
                return Some(key);
            }
            next = group.alike;
        }
        None
    }

    /// Adds a group that has its parent and name.
    pub(super) fn insert(&mut self, table: &mut Table<Cgroup>, key: CgroupKey) {
        if self.len == self.buckets.len() {
            self.grow(table);
        }
        self.len += 1;
        self.chain(table, key.seat());
    }

    /// Takes a group out.
    pub(super) fn remove(&mut self, table: &mut Table<Cgroup>, key: CgroupKey) {
        let group = table.at(key);
        let (bucket, behind) = (self.bucket(hash_of(group)), group.alike);
        let Some(first) = self.buckets.get_mut(bucket) else { return };
        if *first == Some(key.seat()) {
            *first = behind;
            self.len -= 1;
            return;
        }
        let mut next = *first;
        while let Some(seat) = next {
            next = table.sitting(seat).1.alike;
            if next == Some(key.seat()) {
                table.sitting_mut(seat).alike = behind;
                self.len -= 1;
            }
        }
    }

    /// Of these groups: all that are in a directory.
    #[cfg(feature = "serde")]
    pub(super) fn of(table: &mut Table<Cgroup>) -> Self {
        let is_named = |group: &Cgroup| !group.removed && group.parent.is_some();
        let named: Vec<CgroupKey> =
            table.iter().filter(|(_, group)| is_named(group)).map(|(key, _)| key).collect();
        let mut index = Self::default();
        for key in named {
            index.insert(table, key);
        }
        index
    }

    /// How many groups it knows.
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    fn bucket(&self, hash: u64) -> usize {
        let last = (self.buckets.len() as u64).wrapping_sub(1);
        usize::try_from(hash & last).unwrap_or(usize::MAX)
    }

    /// Puts a group in front of its bucket's others.
    fn chain(&mut self, table: &mut Table<Cgroup>, seat: Seat<Cgroup>) {
        let bucket = self.bucket(hash_of(table.sitting(seat).1));
        if let Some(first) = self.buckets.get_mut(bucket) {
            table.sitting_mut(seat).alike = first.replace(seat);
        }
    }

    #[cold]
    fn grow(&mut self, table: &mut Table<Cgroup>) {
        let buckets = vec![None; (self.buckets.len() * 2).max(FEWEST)];
        for first in std::mem::replace(&mut self.buckets, buckets) {
            let mut next = first;
            while let Some(seat) = next {
                next = table.sitting(seat).1.alike;
                self.chain(table, seat);
            }
        }
    }
}
