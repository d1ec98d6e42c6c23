//! A table of records under keys that are never mistaken for one another.
//!
//! Records live in small chunks, each a [`Part`]: the table owns it outright until the table is cloned, as a snapshot does. A key
//! carries a generation: one of a removed record finds nothing, also after its place was given to another.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::num::{NonZeroU32, NonZeroU64};
use std::sync::Arc;

use crate::part::Part;

#[cfg(feature = "serde")]
mod written;

/// Records a chunk. Small, because a shared chunk is copied whole at its first change.
const CHUNK: u32 = 8;

/// Names a record of a [`Table<T>`].
pub(crate) struct Key<T> {
    /// The record's index, and above it its generation, which is never 0: so an `Option` of a key is no larger than the key.
    /// One number, because keys are compared and handed on more than anything else in the machine.
    number: NonZeroU64,
    of: PhantomData<fn() -> T>,
}

impl<T> Key<T> {
    /// The first key of a place.
    const fn first(index: u32) -> Self {
        Self {
            number: NonZeroU64::MIN.saturating_add(u32::MAX as u64 + index as u64),
            of: PhantomData,
        }
    }

    /// A key of no record.
    pub(crate) const fn nowhere() -> Self {
        Self { number: NonZeroU64::MAX, of: PhantomData }
    }

    /// The key of the next record in the same place.
    fn successor(self) -> Self {
        let next = self.number.checked_add(1 << 32);
        Self { number: next.unwrap_or(Self::first(self.index()).number), of: PhantomData }
    }

    /// Its place in the table, which a later record may have too.
    pub(crate) const fn index(self) -> u32 {
        let [a, b, c, d, ..] = self.number.get().to_le_bytes();
        u32::from_le_bytes([a, b, c, d])
    }

    pub(crate) const fn seat(self) -> Seat<T> {
        Seat { number: NonZeroU32::MIN.saturating_add(self.index()), of: PhantomData }
    }

    /// A number that no other live or removed record of this table has.
    pub(crate) const fn number(self) -> u64 {
        self.number.get()
    }
}

/// The place of a live record: half of a key, for lists, which a record leaves before it is removed.
pub(crate) struct Seat<T> {
    /// One more than the index. (No table has 2^32 records.)
    number: NonZeroU32,
    of: PhantomData<fn() -> T>,
}

impl<T> Seat<T> {
    const fn index(self) -> u32 {
        self.number.get() - 1
    }
}

impl<T> Clone for Seat<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Seat<T> {}

impl<T> PartialEq for Seat<T> {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

impl<T> Eq for Seat<T> {}

impl<T> Clone for Key<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Key<T> {}

impl<T> PartialEq for Key<T> {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
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
        self.number.cmp(&other.number)
    }
}

impl<T> Hash for Key<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.number.get().hash(state);
    }
}

impl<T> fmt::Debug for Key<T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}.{}", self.index(), self.number.get() >> 32)
    }
}

#[derive(Clone)]
struct Slot<T> {
    /// Of the record, or of the next one that comes here.
    key: Key<T>,
    record: Option<T>,
}

/// Some records, of one table or of several.
type Chunk<T> = Part<[Slot<T>; CHUNK as usize]>;

/// A table of records. A clone shares what neither changes.
#[derive(Clone)]
pub(crate) struct Table<T> {
    chunks: Vec<Chunk<T>>,
    /// Places of removed records: the one that was given up last is given out first.
    free: Vec<u32>,
    /// The first place that never had a record, and all behind it.
    fresh: u32,
    len: usize,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { chunks: Vec::new(), free: Vec::new(), fresh: 0, len: 0 }
    }
}

impl<T> Table<T> {
    /// How many records there are.
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    /// How many places there are, taken and free.
    pub(crate) const fn places(&self) -> usize {
        self.chunks.len() * CHUNK as usize
    }

    #[inline]
    fn slot(&self, index: u32) -> Option<&Slot<T>> {
        self.chunks.get((index / CHUNK) as usize)?.get((index % CHUNK) as usize)
    }

    /// The record in a seat, and its key.
    #[inline]
    #[track_caller]
    pub(crate) fn sitting(&self, seat: Seat<T>) -> (Key<T>, &T) {
        match self.slot(seat.index()) {
            Some(Slot { key, record: Some(record) }) => (*key, record),
            _ => missing(Key::<T>::first(seat.index())),
        }
    }

    /// The key of the record in a seat.
    #[track_caller]
    pub(crate) fn key(&self, seat: Seat<T>) -> Key<T> {
        self.sitting(seat).0
    }

    /// The record, unless it was removed.
    #[inline]
    pub(crate) fn get(&self, key: Key<T>) -> Option<&T> {
        let slot = self.slot(key.index())?;
        if slot.key == key { slot.record.as_ref() } else { None }
    }

    /// The record that must be there: a key that a live record holds leads to a live record.
    #[inline]
    #[track_caller]
    pub(crate) fn at(&self, key: Key<T>) -> &T {
        match self.get(key) {
            Some(record) => record,
            None => missing(key),
        }
    }

    /// Every record, in an order that depends on nothing but the table's history.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Key<T>, &T)> {
        let slots = self.chunks.iter().flat_map(|chunk| chunk.iter());
        slots.filter_map(|slot| Some((slot.key, slot.record.as_ref()?)))
    }
}

impl<T: Clone> Table<T> {
    #[inline]
    fn slot_mut(&mut self, index: u32) -> Option<&mut Slot<T>> {
        let chunk = self.chunks.get_mut((index / CHUNK) as usize)?;
        chunk.get_mut((index % CHUNK) as usize)
    }

    /// The record, unless it was removed.
    #[inline]
    pub(crate) fn get_mut(&mut self, key: Key<T>) -> Option<&mut T> {
        let slot = self.slot_mut(key.index())?;
        if slot.key == key { slot.record.as_mut() } else { None }
    }

    /// The record that must be there.
    #[inline]
    #[track_caller]
    pub(crate) fn at_mut(&mut self, key: Key<T>) -> &mut T {
        match self.get_mut(key) {
            Some(record) => record,
            None => missing(key),
        }
    }

    /// The record in a seat.
    #[inline]
    #[track_caller]
    pub(crate) fn sitting_mut(&mut self, seat: Seat<T>) -> &mut T {
        match self.slot_mut(seat.index()) {
            Some(Slot { record: Some(record), .. }) => record,
            _ => missing(Key::<T>::first(seat.index())),
        }
    }

    /// Adds a record.
    #[inline]
    pub(crate) fn insert(&mut self, record: T) -> Key<T> {
        self.insert_with(|_| record)
    }

    /// Adds a record that knows its own key.
    #[inline]
    pub(crate) fn insert_with(&mut self, make: impl FnOnce(Key<T>) -> T) -> Key<T> {
        let index = self.free.pop().unwrap_or_else(|| self.next_fresh());
        let Some(slot) = self.slot_mut(index) else { unreachable!("there is no slot {index}") };
        let key = slot.key;
        slot.record = Some(make(key));
        self.len += 1;
        key
    }

    /// The lowest place that never had a record.
    #[cold]
    fn next_fresh(&mut self) -> u32 {
        let index = self.fresh;
        let Some(next) = index.checked_add(1) else { panic!("a table of 2^32 records is full") };
        self.fresh = next;
        if index.is_multiple_of(CHUNK) {
            let places = index..index.saturating_add(CHUNK);
            let slots: Arc<[Slot<T>]> =
                places.map(|index| Slot { key: Key::first(index), record: None }).collect();
            self.chunks.push(chunk(slots));
        }
        index
    }

    /// Removes a record; `None` if it was removed before.
    #[inline]
    pub(crate) fn remove(&mut self, key: Key<T>) -> Option<T> {
        let record = self.vacate(key)?.take()?;
        self.len -= 1;
        self.free.push(key.index());
        Some(record)
    }

    /// Removes a record that must be there and that nobody wants to have: it is not moved.
    #[track_caller]
    pub(crate) fn discard(&mut self, key: Key<T>) {
        match self.vacate(key) {
            Some(record) => *record = None,
            None => missing(key),
        }
        self.len -= 1;
        self.free.push(key.index());
    }

    /// The place of a record, which its key finds no more.
    fn vacate(&mut self, key: Key<T>) -> Option<&mut Option<T>> {
        let slot = self.slot_mut(key.index()).filter(|slot| slot.key == key)?;
        slot.key = key.successor();
        Some(&mut slot.record)
    }
}

/// These slots as a chunk.
fn chunk<T>(slots: Arc<[Slot<T>]>) -> Chunk<T> {
    let Ok(slots) = <Arc<[Slot<T>; CHUNK as usize]>>::try_from(slots) else {
        unreachable!("as many as a chunk has")
    };
    slots.into()
}

/// A record that must be there is not.
#[cold]
#[inline(never)]
#[track_caller]
fn missing<T>(key: Key<T>) -> ! {
    panic!("no {} {key:?}: a live record named one that was removed", std::any::type_name::<T>())
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

    #[test]
    fn tables_that_share_their_chunks_do_not_see_each_others_changes() {
        let mut table = Table::default();
        let keys: Vec<_> = (0..20).map(|n| table.insert(n)).collect();
        let (first, last) = (keys[0], keys[19]);
        let mut copy = table.clone();
        *table.at_mut(first) = 100;
        copy.remove(last);
        let made = (table.insert(7), copy.insert(8));
        assert_eq!((*table.at(first), *copy.at(first)), (100, 0));
        assert_eq!((table.get(last), copy.get(last)), (Some(&19), None));
        assert_eq!((*table.at(made.0), *copy.at(made.1)), (7, 8));
        let again = copy.clone();
        drop(table);
        *copy.at_mut(first) = 5;
        assert_eq!((*copy.at(first), *again.at(first)), (5, 0));
    }
}
