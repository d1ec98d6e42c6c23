//! Finding a child group by its name: one hash table for the whole hierarchy, of keys alone. Nobody sees its order.

use std::hash::Hasher;

use hashbrown::HashTable;
use rustc_hash::FxHasher;

use super::{Cgroup, CgroupKey};
use crate::table::Table;

/// Children by parent and name.
#[derive(Clone, Default)]
pub(super) struct Index {
    keys: HashTable<CgroupKey>,
}

fn hash(parent: CgroupKey, name: &[u8]) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write_u64(parent.number());
    hasher.write(name);
    hasher.finish()
}

fn hash_of(table: &Table<Cgroup>, key: CgroupKey) -> u64 {
    let group = table.at(key);
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
        let is_it = |key: &CgroupKey| {
            let group = table.at(*key);
            group.parent == Some(parent) && *group.name == *name
        };
        self.keys.find(hash(parent, name), is_it).copied()
    }

    /// Adds a group that has its parent and name.
    pub(super) fn insert(&mut self, table: &Table<Cgroup>, key: CgroupKey) {
        self.keys.insert_unique(hash_of(table, key), key, |key| hash_of(table, *key));
    }

    /// Takes a group out.
    pub(super) fn remove(&mut self, table: &Table<Cgroup>, key: CgroupKey) {
        if let Ok(entry) = self.keys.find_entry(hash_of(table, key), |other| *other == key) {
            entry.remove();
        }
    }

    /// Of these groups: all that are in a directory.
    #[cfg(feature = "serde")]
    pub(super) fn of(table: &Table<Cgroup>) -> Self {
        let mut index = Self::default();
        for (key, _) in table.iter().filter(|(_, group)| !group.removed && group.parent.is_some()) {
            index.insert(table, key);
        }
        index
    }

    /// How many groups it knows.
    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }
}
