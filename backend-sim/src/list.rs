//! Lists threaded through the records of a table: adding, removing and moving cost the same however long the list is.

use crate::table::{Key, Seat, Table};

/// The ends of a list. Lists and links name records by seats, since who leaves a table leaves its lists before: processes,
/// of which a machine may have a million, are in several.
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(bound = ""))]
pub(crate) struct List<T> {
    first: Option<Seat<T>>,
    last: Option<Seat<T>>,
    len: u32,
}

/// A record's neighbours in a list.
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(bound = ""))]
pub(crate) struct Links<T> {
    previous: Option<Seat<T>>,
    next: Option<Seat<T>>,
}

impl<T> Default for List<T> {
    fn default() -> Self {
        Self { first: None, last: None, len: 0 }
    }
}

impl<T> Default for Links<T> {
    fn default() -> Self {
        Self { previous: None, next: None }
    }
}

impl<T> Clone for List<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for List<T> {}

impl<T> Clone for Links<T> {
    fn clone(&self) -> Self {
        Self { previous: self.previous, next: self.next }
    }
}

/// Which links of a record a list uses.
pub(crate) type LinksOf<T> = fn(&mut T) -> &mut Links<T>;

impl<T> List<T> {
    pub(crate) const fn len(&self) -> u32 {
        self.len
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(crate) fn first(&self, table: &Table<T>) -> Option<Key<T>> {
        self.first.map(|seat| table.key(seat))
    }

    /// The list of one record, whose links say that it is alone.
    pub(crate) const fn of(key: Key<T>) -> Self {
        Self { first: Some(key.seat()), last: Some(key.seat()), len: 1 }
    }

    /// Puts a record that is in no such list behind the last.
    pub(crate) fn push(&mut self, table: &mut Table<T>, key: Key<T>, links: LinksOf<T>)
    where
        T: Clone,
    {
        let seam = self.extend(key);
        seam.sew(table, key, links);
    }

    /// Takes a record out that is in this list.
    pub(crate) fn remove(&mut self, table: &mut Table<T>, key: Key<T>, links: LinksOf<T>)
    where
        T: Clone,
    {
        let gap = unlink(table, key, links);
        self.close(&gap);
    }

    /// The half of [`push`](Self::push) that concerns the list: for lists that stand in a record of the same table.
    pub(crate) fn extend(&mut self, key: Key<T>) -> Seam<T> {
        let last = self.last.replace(key.seat());
        if last.is_none() {
            self.first = Some(key.seat());
        }
        self.len += 1;
        Seam { last }
    }

    /// The half of [`remove`](Self::remove) that concerns the list.
    pub(crate) fn close(&mut self, gap: &Gap<T>) {
        let Gap(Links { previous, next }) = *gap;
        if previous.is_none() {
            self.first = next;
        }
        if next.is_none() {
            self.last = previous;
        }
        self.len -= 1;
    }
}

/// Where a list was made longer; the records are still to be told.
#[must_use = "the records do not know each other yet"]
pub(crate) struct Seam<T> {
    last: Option<Seat<T>>,
}

impl<T: Clone> Seam<T> {
    /// Puts the record that the list was told of behind the one that was last before.
    pub(crate) fn sew(self, table: &mut Table<T>, key: Key<T>, links: LinksOf<T>) {
        *links(table.at_mut(key)) = Links { previous: self.last, next: None };
        if let Some(last) = self.last {
            links(table.sitting_mut(last)).next = Some(key.seat());
        }
    }
}

/// Where a record was taken out; the list is still to be told.
#[must_use = "the list still counts the record"]
pub(crate) struct Gap<T>(Links<T>);

/// Makes a record's neighbours each other's; its list is told with [`List::close`].
pub(crate) fn unlink<T: Clone>(table: &mut Table<T>, key: Key<T>, links: LinksOf<T>) -> Gap<T> {
    let Links { previous, next } = std::mem::take(links(table.at_mut(key)));
    if let Some(previous) = previous {
        links(table.sitting_mut(previous)).next = next;
    }
    if let Some(next) = next {
        links(table.sitting_mut(next)).previous = previous;
    }
    Gap(Links { previous, next })
}

impl<T> Links<T> {
    /// The record behind this one.
    pub(crate) fn next(&self, table: &Table<T>) -> Option<Key<T>> {
        self.next.map(|seat| table.key(seat))
    }

    pub(crate) const fn is_last(&self) -> bool {
        self.next.is_none()
    }
}

/// The records of a list, first to last.
pub(crate) fn iterate<T>(
    table: &Table<T>,
    list: List<T>,
    links: fn(&T) -> &Links<T>,
) -> impl Iterator<Item = (Key<T>, &T)> {
    let mut next = list.first;
    std::iter::from_fn(move || {
        let (key, record) = table.sitting(next?);
        next = links(record).next;
        Some((key, record))
    })
}

#[cfg(test)]
mod tests {
    use super::{Links, List, iterate};
    use crate::table::Table;

    #[derive(Clone)]
    struct Item {
        name: char,
        links: Links<Item>,
    }

    #[test]
    fn a_list_keeps_its_order_through_removals_at_both_ends_and_inside() {
        let mut table = Table::default();
        let mut list = List::default();
        let keys: Vec<_> = "abcde"
            .chars()
            .map(|name| {
                let key = table.insert(Item { name, links: Links::default() });
                list.push(&mut table, key, |item| &mut item.links);
                key
            })
            .collect();
        for index in [0, 2, 4] {
            list.remove(&mut table, keys[index], |item| &mut item.links);
        }
        list.push(&mut table, keys[0], |item| &mut item.links);
        let names: String =
            iterate(&table, list, |item| &item.links).map(|(_, item)| item.name).collect();
        assert_eq!(names, "bda");
        assert_eq!(list.len(), 3);
    }
}
