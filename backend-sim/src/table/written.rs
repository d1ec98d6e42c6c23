//! Tables and keys as data: a key is the text `INDEX.GENERATION`, a table its places in order, so that keys keep finding what
//! they found.

use std::fmt;
use std::marker::PhantomData;
use std::num::{NonZeroU32, NonZeroU64};

use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::ser::{Serialize, SerializeStruct, Serializer};

use super::{CHUNK, Chunk, Key, Seat, Slot, Table, chunk};

impl<T> Key<T> {
    fn parse(text: &str) -> Option<Self> {
        let (index, generation) = text.split_once('.')?;
        Self::of(index.parse().ok()?, generation.parse().ok()?)
    }

    /// The key of this place and generation, which is never 0.
    fn of(index: u32, generation: u32) -> Option<Self> {
        let number = NonZeroU64::new(u64::from(generation) << 32 | u64::from(index));
        Some(Self { number: number.filter(|_| generation > 0)?, of: PhantomData })
    }

    const fn generation(self) -> u64 {
        self.number.get() >> 32
    }
}

impl<T> Serialize for Key<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{}.{}", self.index(), self.generation()))
    }
}

impl<'de, T> Deserialize<'de> for Key<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(KeyText(PhantomData))
    }
}

struct KeyText<T>(PhantomData<fn() -> T>);

impl<T> Visitor<'_> for KeyText<T> {
    type Value = Key<T>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a key, as 3.1")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Key<T>, E> {
        Key::parse(text).ok_or_else(|| E::custom(format_args!("{text:?} is no key")))
    }
}

impl<T> Serialize for Seat<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(self.index())
    }
}

impl<'de, T> Deserialize<'de> for Seat<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let index = u32::deserialize(deserializer)?;
        let number = NonZeroU32::MIN.checked_add(index);
        let number = number.ok_or_else(|| D::Error::custom("no table has so many places"))?;
        Ok(Self { number, of: PhantomData })
    }
}

impl<T: Serialize> Serialize for Table<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let slots = self.chunks.iter().flat_map(|chunk| chunk.iter());
        // Behind these no place ever had a record.
        let places: Vec<_> = slots
            .take(usize::try_from(self.fresh).unwrap_or(usize::MAX))
            .map(|slot| (slot.key.generation(), slot.record.as_ref()))
            .collect();
        let mut table = serializer.serialize_struct("Table", 2)?;
        table.serialize_field("free", &self.free)?;
        table.serialize_field("places", &places)?;
        table.end()
    }
}

/// What stands in the text.
#[derive(serde::Deserialize)]
struct Written<T> {
    free: Vec<u32>,
    /// Each with the generation of its record, or of the next one that comes there.
    places: Vec<(u32, Option<T>)>,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Table<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Written { free, places } = Written::<T>::deserialize(deserializer)?;
        let fresh = u32::try_from(places.len())
            .map_err(|_| D::Error::custom("a table of more places than there can be"))?;
        let mut vacant = Vec::new();
        let mut slots = Vec::with_capacity(places.len().next_multiple_of(CHUNK as usize));
        for (index, (generation, record)) in (0..fresh).zip(places) {
            let key = Key::of(index, generation);
            let key =
                key.ok_or_else(|| D::Error::custom("a place of a table without a generation"))?;
            if record.is_none() {
                vacant.push(index);
            }
            slots.push(Slot { key, record });
        }
        let mut sorted = free.clone();
        sorted.sort_unstable();
        if sorted != vacant {
            return Err(D::Error::custom(
                "a table that does not know which of its places are free",
            ));
        }
        let len = slots.len() - free.len();
        // The last chunk is a whole one too.
        let places = fresh.next_multiple_of(CHUNK);
        slots.extend((fresh..places).map(|index| Slot { key: Key::first(index), record: None }));
        Ok(Self { chunks: in_chunks(slots), free, fresh, len })
    }
}

/// As many slots as some chunks have.
fn in_chunks<T>(slots: Vec<Slot<T>>) -> Vec<Chunk<T>> {
    let mut slots = slots.into_iter();
    let mut chunks = Vec::new();
    while slots.len() > 0 {
        chunks.push(chunk(slots.by_ref().take(CHUNK as usize).collect()));
    }
    chunks
}

#[cfg(test)]
mod tests {
    use crate::table::{Key, Table};

    #[test]
    fn a_table_that_was_read_finds_and_gives_out_the_same() {
        let mut table = Table::default();
        let keys: Vec<_> = (0..20).map(|n| table.insert(n)).collect();
        for gone in [3, 17, 5] {
            table.remove(keys[gone]);
        }
        let text = serde_json::to_string(&table).unwrap();
        let mut read: Table<i32> = serde_json::from_str(&text).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), text);
        assert!(keys.iter().all(|key| read.get(*key) == table.get(*key)));
        assert_eq!((read.len(), read.places()), (table.len(), table.places()));
        let next: Vec<_> = (0..9).map(|n| (read.insert(n), table.insert(n))).collect();
        assert!(next.iter().all(|(one, other)| one == other));
    }

    #[test]
    fn a_table_that_contradicts_itself_is_refused() {
        for text in [
            r#"{"free":[],"places":[[1,null]]}"#,
            r#"{"free":[0],"places":[[1,7]]}"#,
            r#"{"free":[0,0],"places":[[1,null]]}"#,
            r#"{"free":[4],"places":[[1,null]]}"#,
            r#"{"free":[],"places":[[0,7]]}"#,
        ] {
            assert!(serde_json::from_str::<Table<i32>>(text).is_err(), "{text}");
        }
        for text in [r#""1""#, r#""1.0""#, r#""-1.1""#, r#""4294967296.1""#, "1"] {
            assert!(serde_json::from_str::<Key<i32>>(text).is_err(), "{text}");
        }
    }
}
