//! The files of v2 and those of v1, each family with a table of its names: one name stands for different files in the two.

use super::{Row, V2, v1};
use crate::cgroup::Cgroup;

pub(super) const V2_COUNT: usize = count(&V2);

pub(super) const V1_COUNT: usize = count(&v1::TABLES);

/// Inode numbers that a group and its files take: the directory's own, which is the group's id, and one a row.
pub(in crate::cgroup) const IDS_PER_GROUP: u64 = (V2_COUNT + V1_COUNT) as u64 + 1;

static V2_ROWS: [&Row; V2_COUNT] = flatten(&V2);

static V1_ROWS: [&Row; V1_COUNT] = flatten(&v1::TABLES);

static V2_NAMES: [u8; PLACES] = by_name(&V2_ROWS);

static V1_NAMES: [u8; PLACES] = by_name(&V1_ROWS);

const fn count(tables: &[&[Row]]) -> usize {
    let mut rows = 0;
    let mut rest = tables;
    while let [first, behind @ ..] = rest {
        rows += first.len();
        rest = behind;
    }
    rows
}

#[expect(
    clippy::indexing_slicing,
    reason = "evaluated when this is compiled: a wrong index is an error then"
)]
const fn flatten<const COUNT: usize>(tables: &[&'static [Row]]) -> [&'static Row; COUNT] {
    let first: &'static [Row] = tables[0];
    let mut rows = [&first[0]; COUNT];
    let (mut table, mut at) = (0, 0);
    while table < tables.len() {
        let part: &'static [Row] = tables[table];
        let mut index = 0;
        while index < part.len() {
            rows[at] = &part[index];
            at += 1;
            index += 1;
        }
        table += 1;
    }
    rows
}

/// Places of a name table: a power of two, more than one and a half times the rows.
const PLACES: usize = 256;

/// No row.
const NONE: u8 = u8::MAX;

/// Rows by the hash of their name; a row whose place is taken stands in the next free one.
#[expect(
    clippy::indexing_slicing,
    reason = "evaluated when this is compiled: a wrong index is an error then"
)]
#[expect(clippy::cast_possible_truncation, reason = "the assertion says that it fits")]
const fn by_name(rows: &[&Row]) -> [u8; PLACES] {
    assert!(rows.len() < NONE as usize && rows.len() * 3 < PLACES * 2);
    let mut places = [NONE; PLACES];
    let mut row = 0;
    while row < rows.len() {
        let mut place = hash(rows[row].name.as_bytes());
        while places[place] != NONE {
            place = (place + 1) % PLACES;
        }
        places[place] = row as u8;
        row += 1;
    }
    places
}

/// A place of a name table: by length, first and last bytes.
const fn hash(name: &[u8]) -> usize {
    let (first, last) = match (name.first_chunk::<8>(), name.last_chunk::<8>()) {
        (Some(first), Some(last)) => (u64::from_le_bytes(*first), u64::from_le_bytes(*last)),
        _ => match (name.first_chunk::<4>(), name.last_chunk::<4>()) {
            (Some(first), Some(last)) => {
                (u32::from_le_bytes(*first) as u64, u32::from_le_bytes(*last) as u64)
            }
            _ => (0, 0),
        },
    };
    let mixed = (first ^ last.rotate_left(23))
        .wrapping_add(name.len() as u64)
        .wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 56) as usize
}

/// The files of v2 or those of v1. A row's index says of which family it is: those of v1 stand behind those of v2.
pub(super) struct Family {
    pub(super) rows: &'static [&'static Row],
    names: &'static [u8; PLACES],
    pub(super) first: u16,
}

#[expect(clippy::cast_possible_truncation, reason = "`by_name` asserts that rows are few")]
pub(super) static FAMILIES: [Family; 2] = [
    Family { rows: &V2_ROWS, names: &V2_NAMES, first: 0 },
    Family { rows: &V1_ROWS, names: &V1_NAMES, first: V2_COUNT as u16 },
];

/// The names of all rows, in their order.
#[cfg(feature = "serde")]
pub(crate) fn names() -> impl Iterator<Item = &'static [u8]> {
    FAMILIES.iter().flat_map(|family| family.rows.iter().map(|row| row.name.as_bytes()))
}

impl Family {
    pub(super) fn of(record: &Cgroup) -> &'static Self {
        let [v2, v1] = &FAMILIES;
        if record.hierarchy.is_v1() { v1 } else { v2 }
    }

    /// The row with this name, in whatever kernel.
    pub(super) fn named(&self, name: &[u8]) -> Option<(u16, &'static Row)> {
        let mut place = hash(name);
        loop {
            let index = *self.names.get(place)?;
            if index == NONE {
                return None;
            }
            let row = *self.rows.get(usize::from(index))?;
            if row.name.as_bytes() == name {
                return Some((self.first + u16::from(index), row));
            }
            place = (place + 1) % PLACES;
        }
    }

    /// Every row.
    pub(super) fn all(&self) -> impl Iterator<Item = (u16, &'static Row)> + use<> {
        (self.first..).zip(self.rows.iter().copied())
    }
}
