//! A table of records under keys that are never mistaken for one another.
//!
//! Records live in small chunks that the table owns outright, so that a snapshot can share a chunk instead of copying the
//! whole (see ARCHITECTURE.md, State). A key carries a generation: one of a removed record finds nothing, also after its
//! place was given to another.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::num::NonZeroU32;

/// Records a chunk. Small, because a shared chunk is copied whole at its first change.
const CHUNK: usize = 32;

/// Names a record of a [`Table<T>`].
pub(crate) struct Key<T> {
    index: u32,
    /// Never 0, so that an `Option` of a key is no larger than the key.
    generation: NonZeroU32,
    of: PhantomData<fn() -> T>,
}

impl<T> Key<T> {
    /// A number that no other live or removed record of this table has.
    pub(crate) const fn number(self) -> u64 {
        (self.generation.get() as u64) << 32 | self.index as u64
    }
}

impl<T> Clone for Key<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Key<T> {}

impl<T> PartialEq for Key<T> {
    fn eq(&self, other: &Self) -> bool {
        self.number() == other.number()
    }
}

impl<T> Eq for Key<T> {}

impl<T> PartialOrd for Key<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Key<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.number().cmp(&other.number())
    }
}

impl<T> Hash for Key<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.number().hash(state);
    }
}

impl<T> fmt::Debug for Key<T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}.{}", self.index, self.generation)
    }
}

struct Slot<T> {
    generation: NonZeroU32,
    record: Option<T>,
}

/// A table of records.
pub(crate) struct Table<T> {
    chunks: Vec<Box<[Slot<T>]>>,
    free: Vec<u32>,
    len: usize,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { chunks: Vec::new(), free: Vec::new(), len: 0 }
    }
}

impl<T> Table<T> {
    /// How many records there are.
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    fn slot(&self, key: Key<T>) -> Option<&Slot<T>> {
        let index = key.index as usize;
        self.chunks.get(index / CHUNK)?.get(index % CHUNK)
    }

    fn slot_mut(&mut self, index: u32) -> Option<&mut Slot<T>> {
        let index = index as usize;
        self.chunks.get_mut(index / CHUNK)?.get_mut(index % CHUNK)
    }

    /// The record, unless it was removed.
    pub(crate) fn get(&self, key: Key<T>) -> Option<&T> {
        let slot = self.slot(key)?;
        if slot.generation == key.generation { slot.record.as_ref() } else { None }
    }

    /// The record, unless it was removed.
    pub(crate) fn get_mut(&mut self, key: Key<T>) -> Option<&mut T> {
        let slot = self.slot_mut(key.index)?;
        if slot.generation == key.generation { slot.record.as_mut() } else { None }
    }

    /// The record that must be there: a key that a live record holds leads to a live record.
    #[track_caller]
    pub(crate) fn at(&self, key: Key<T>) -> &T {
        match self.get(key) {
            Some(record) => record,
            None => panic!(
                "no {} {key:?}: a live record named one that was removed",
                std::any::type_name::<T>()
            ),
        }
    }

    /// The record that must be there.
    #[track_caller]
    pub(crate) fn at_mut(&mut self, key: Key<T>) -> &mut T {
        match self.get_mut(key) {
            Some(record) => record,
            None => panic!(
                "no {} {key:?}: a live record named one that was removed",
                std::any::type_name::<T>()
            ),
        }
    }

    /// Adds a record.
    pub(crate) fn insert(&mut self, record: T) -> Key<T> {
        self.insert_with(|_| record)
    }

    /// Adds a record that knows its own key.
    pub(crate) fn insert_with(&mut self, make: impl FnOnce(Key<T>) -> T) -> Key<T> {
        if self.free.is_empty() {
            self.grow();
        }
        let index = self.free.pop().unwrap_or_default();
        let Some(slot) = self.slot_mut(index) else {
            unreachable!("the free list names slot {index}")
        };
        let key = Key { index, generation: slot.generation, of: PhantomData };
        slot.record = Some(make(key));
        self.len += 1;
        key
    }

    fn grow(&mut self) {
        let start = self.chunks.len() * CHUNK;
        self.chunks
            .push((0..CHUNK).map(|_| Slot { generation: NonZeroU32::MIN, record: None }).collect());
        let Ok(start) = u32::try_from(start) else { panic!("a table of 2^32 records is full") };
        // The lowest index is given out first.
        self.free
            .extend((0..CHUNK).rev().filter_map(|place| Some(start + u32::try_from(place).ok()?)));
    }

    /// Removes a record; `None` if it was removed before.
    pub(crate) fn remove(&mut self, key: Key<T>) -> Option<T> {
        let slot = self.slot_mut(key.index)?;
        if slot.generation != key.generation {
            return None;
        }
        let record = slot.record.take()?;
        slot.generation = slot.generation.checked_add(1).unwrap_or(NonZeroU32::MIN);
        self.free.push(key.index);
        self.len -= 1;
        Some(record)
    }

    /// Every record, in an order that depends on nothing but the table's history.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Key<T>, &T)> {
        self.chunks.iter().flatten().zip(0..).filter_map(|(slot, index)| {
            let key = Key { index, generation: slot.generation, of: PhantomData };
            Some((key, slot.record.as_ref()?))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Table;

    #[test]
    fn a_key_of_a_removed_record_finds_nothing_even_when_its_place_is_taken() {
        let mut table = Table::default();
        let old = table.insert("a");
        assert_eq!(table.remove(old), Some("a"));
        let new = table.insert("b");
        assert_eq!(table.get(old), None);
        assert_eq!(table.remove(old), None);
        assert_eq!(table.get(new), Some(&"b"));
        assert_eq!(table.len(), 1);
    }

    #[test]
    fn records_keep_their_keys_over_many_chunks() {
        let mut table = Table::default();
        let keys: Vec<_> = (0..1000).map(|n| table.insert(n)).collect();
        assert!(keys.iter().zip(0..1000).all(|(key, n)| *table.at(*key) == n));
        assert_eq!(table.iter().map(|(_, n)| *n).sum::<i32>(), 499_500);
    }
}
