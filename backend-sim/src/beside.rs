//! Values that a few records of a table have besides, found by the record's key.
//!
//! A value takes its room only while it is there, and finding it takes neither hashing nor a search. Whoever looks at all of
//! them sees an order that depends on what was done alone, never on a hash.

use crate::table::Key;

/// At most one value for each record of a [`Table<T>`](crate::table::Table).
#[derive(Clone)]
pub(crate) struct Beside<T, V> {
    /// By a record's index: its value's place among the values, from 1; 0 if it has none.
    places: Vec<u32>,
    values: Vec<(Key<T>, V)>,
}

impl<T, V> Default for Beside<T, V> {
    fn default() -> Self {
        Self { places: Vec::new(), values: Vec::new() }
    }
}

impl<T, V> Beside<T, V> {
    #[inline]
    pub(crate) const fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    pub(crate) const fn len(&self) -> usize {
        self.values.len()
    }

    #[inline]
    fn place(&self, key: Key<T>) -> Option<usize> {
        let place = (*self.places.get(key.index() as usize)? as usize).checked_sub(1)?;
        (self.values.get(place)?.0 == key).then_some(place)
    }

    #[inline]
    pub(crate) fn get(&self, key: Key<T>) -> Option<&V> {
        self.values.get(self.place(key)?).map(|(_, value)| value)
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, key: Key<T>) -> Option<&mut V> {
        let place = self.place(key)?;
        self.values.get_mut(place).map(|(_, value)| value)
    }

    /// Gives a record a value; it has none. What a removed record left behind in this place goes.
    pub(crate) fn insert(&mut self, key: Key<T>, value: V) {
        let index = key.index() as usize;
        if let Some(&stale) = self.places.get(index)
            && let Some((old, _)) =
                (stale as usize).checked_sub(1).and_then(|at| self.values.get(at))
        {
            self.remove(*old);
        }
        if self.places.len() <= index {
            self.places.resize(index + 1, 0);
        }
        self.values.push((key, value));
        self.point(key, self.values.len());
    }

    fn point(&mut self, key: Key<T>, place: usize) {
        if let Some(slot) = self.places.get_mut(key.index() as usize) {
            *slot = u32::try_from(place).unwrap_or(u32::MAX);
        }
    }

    pub(crate) fn remove(&mut self, key: Key<T>) -> Option<V> {
        let place = self.place(key)?;
        let (_, value) = self.values.swap_remove(place);
        self.point(key, 0);
        if let Some((moved, _)) = self.values.get(place) {
            self.point(*moved, place + 1);
        }
        Some(value)
    }

    /// The keys of all records that have a value.
    pub(crate) fn keys(&self) -> impl Iterator<Item = Key<T>> {
        self.values.iter().map(|(key, _)| *key)
    }

    /// All values, of the keys that have one, in an order that this keeps.
    #[cfg(feature = "serde")]
    pub(crate) fn values(&self) -> &[(Key<T>, V)] {
        &self.values
    }

    /// With these values, at most one of a place.
    #[cfg(feature = "serde")]
    pub(crate) fn of(values: Vec<(Key<T>, V)>) -> Self {
        let mut beside = Self::default();
        for (key, value) in values {
            beside.insert(key, value);
        }
        beside
    }

    /// All values with their keys.
    pub(crate) fn into_values(self) -> Vec<(Key<T>, V)> {
        self.values
    }
}

#[cfg(test)]
mod tests {
    use super::Beside;
    use crate::table::Table;

    #[test]
    fn each_record_finds_its_own_value_whatever_was_removed() {
        let mut table = Table::default();
        let [a, b, c] = ["a", "b", "c"].map(|name| table.insert(name));
        let mut beside = Beside::default();
        for (key, value) in [(a, 1), (b, 2), (c, 3)] {
            beside.insert(key, value);
        }
        assert_eq!(beside.remove(a), Some(1));
        assert_eq!((beside.get(a), beside.get(b), beside.get(c)), (None, Some(&2), Some(&3)));
        assert_eq!((beside.remove(a), beside.len()), (None, 2));
    }

    #[test]
    fn a_record_in_the_place_of_a_removed_one_has_no_value_of_it() {
        let mut table = Table::default();
        let old = table.insert("old");
        let mut beside = Beside::default();
        beside.insert(old, 1);
        table.remove(old);
        let new = table.insert("new");
        assert_eq!(beside.get(new), None);
        beside.insert(new, 2);
        assert_eq!((beside.get(old), beside.get(new), beside.len()), (None, Some(&2), 1));
    }
}
