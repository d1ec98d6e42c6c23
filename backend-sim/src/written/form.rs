//! Parts of the state that serde would not write the same twice, or cannot read back.

/// Maps as lists of pairs in the order of their keys: a hash table has none, and not every key is a text.
pub(crate) mod map {
    use serde::de::{Deserialize, Deserializer};
    use serde::ser::Serializer;

    pub(crate) fn serialize<'a, M, K, V, S>(map: &'a M, serializer: S) -> Result<S::Ok, S::Error>
    where
        &'a M: IntoIterator<Item = (&'a K, &'a V)>,
        K: serde::Serialize + Ord + 'a,
        V: serde::Serialize + 'a,
        S: Serializer,
    {
        let mut pairs: Vec<(&K, &V)> = map.into_iter().collect();
        pairs.sort_by_key(|(key, _)| *key);
        serializer.collect_seq(pairs)
    }

    pub(crate) fn deserialize<'de, M, K, V, D>(deserializer: D) -> Result<M, D::Error>
    where
        M: IntoIterator<Item = (K, V)> + FromIterator<(K, V)>,
        K: Deserialize<'de>,
        V: Deserialize<'de>,
        D: Deserializer<'de>,
    {
        Ok(Vec::deserialize(deserializer)?.into_iter().collect())
    }
}

/// Maps whose keys are names of files: bytes that mostly are text.
pub(crate) mod names {
    use std::collections::BTreeMap;

    use serde::de::{Deserialize, Deserializer, Error as _};
    use serde::ser::Serializer;
    use standin::written::unescape;

    pub(crate) fn serialize<V, S>(
        map: &BTreeMap<Box<[u8]>, V>,
        serializer: S,
    ) -> Result<S::Ok, S::Error>
    where
        V: serde::Serialize,
        S: Serializer,
    {
        serializer
            .collect_map(map.iter().map(|(name, value)| (name.escape_ascii().to_string(), value)))
    }

    pub(crate) fn deserialize<'de, V, D>(
        deserializer: D,
    ) -> Result<BTreeMap<Box<[u8]>, V>, D::Error>
    where
        V: Deserialize<'de>,
        D: Deserializer<'de>,
    {
        let texts = BTreeMap::<String, V>::deserialize(deserializer)?;
        let name = |(text, value): (String, V)| {
            let name = unescape(&text)
                .ok_or_else(|| D::Error::custom(format_args!("{text:?} has an unknown escape")))?;
            Ok((name.into_boxed_slice(), value))
        };
        texts.into_iter().map(name).collect()
    }
}

/// Words of this crate's own text, of which there are few.
pub(crate) mod word {
    use std::collections::BTreeSet;

    use parking_lot::Mutex;
    use serde::de::{Deserialize, Deserializer};
    use serde::ser::Serializer;

    /// Each word that was read, once: it is never given back, as those that were compiled are not.
    static KNOWN: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());

    pub(crate) fn of(text: String) -> &'static str {
        let mut known = KNOWN.lock();
        if let Some(word) = known.get(text.as_str()) {
            return word;
        }
        let word: &'static str = Box::leak(text.into_boxed_str());
        known.insert(word);
        word
    }

    pub(crate) fn serialize<S: Serializer>(word: &str, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(word)
    }

    pub(crate) fn deserialize<'de, D>(deserializer: D) -> Result<&'static str, D::Error>
    where
        D: Deserializer<'de>,
    {
        String::deserialize(deserializer).map(of)
    }
}

/// Words, each with something.
pub(crate) mod words {
    use serde::de::{Deserialize, Deserializer};
    use serde::ser::Serializer;

    pub(crate) fn serialize<T, S>(
        all: &[(&'static str, T)],
        serializer: S,
    ) -> Result<S::Ok, S::Error>
    where
        T: serde::Serialize,
        S: Serializer,
    {
        serializer.collect_seq(all)
    }

    pub(crate) fn deserialize<'de, T, D>(
        deserializer: D,
    ) -> Result<Vec<(&'static str, T)>, D::Error>
    where
        T: Deserialize<'de>,
        D: Deserializer<'de>,
    {
        let all = Vec::<(String, T)>::deserialize(deserializer)?;
        Ok(all.into_iter().map(|(text, with)| (super::word::of(text), with)).collect())
    }
}

/// What came of a call.
pub(crate) mod outcome {
    use serde::de::{Deserialize, Deserializer};
    use serde::ser::{Serialize, Serializer};
    use standin::{Errno, Failure};

    use super::word;

    #[derive(serde::Serialize, serde::Deserialize)]
    enum Outcome {
        Answer(String),
        Errno(Errno),
        NotModelled(String),
        Unsupported(String),
        Deadlock(String),
        CallerDied,
        LimitReached(String),
    }

    pub(crate) fn serialize<S: Serializer>(
        outcome: &Result<String, Failure>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let outcome = match outcome {
            Ok(answer) => Outcome::Answer(answer.clone()),
            Err(Failure::Errno(errno)) => Outcome::Errno(*errno),
            Err(Failure::NotModelled(what)) => Outcome::NotModelled((*what).to_owned()),
            Err(Failure::Unsupported(what)) => Outcome::Unsupported((*what).to_owned()),
            Err(Failure::Deadlock(picture)) => Outcome::Deadlock(picture.to_string()),
            Err(Failure::CallerDied) => Outcome::CallerDied,
            Err(Failure::LimitReached(what)) => Outcome::LimitReached((*what).to_owned()),
            Err(other) => {
                return Err(serde::ser::Error::custom(format_args!("{other:?} has no text")));
            }
        };
        outcome.serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D>(deserializer: D) -> Result<Result<String, Failure>, D::Error>
    where
        D: Deserializer<'de>,
    {
        Ok(Err(match Outcome::deserialize(deserializer)? {
            Outcome::Answer(answer) => return Ok(Ok(answer)),
            Outcome::Errno(errno) => Failure::Errno(errno),
            Outcome::NotModelled(what) => Failure::NotModelled(word::of(what)),
            Outcome::Unsupported(what) => Failure::Unsupported(word::of(what)),
            Outcome::Deadlock(picture) => Failure::Deadlock(picture.into()),
            Outcome::CallerDied => Failure::CallerDied,
            Outcome::LimitReached(what) => Failure::LimitReached(word::of(what)),
        }))
    }
}

/// Values beside a table, in their order.
mod beside {
    use serde::de::{Deserialize, Deserializer};
    use serde::ser::{Serialize, Serializer};

    use crate::beside::Beside;

    impl<T, V: Serialize> Serialize for Beside<T, V> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            self.values().serialize(serializer)
        }
    }

    impl<'de, T, V: Deserialize<'de>> Deserialize<'de> for Beside<T, V> {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            Vec::deserialize(deserializer).map(Self::of)
        }
    }
}
