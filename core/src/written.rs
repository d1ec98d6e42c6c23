//! Bytes as text, for serde: `#[serde(with = "standin::written")]` on a field of bytes that mostly are text.
//!
//! What is printable ASCII stands as it is; a backslash, quotes and all else are escaped as [`u8::escape_ascii`] does it, so that
//! any bytes can be read back. This module knows no format. It also reads what is more than its parts: paths and signals.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::ser::{Serialize, Serializer};

use crate::{KPathBuf, Signal};

/// Writes bytes as text.
///
/// # Errors
/// Those of the serializer.
pub fn serialize<T, S>(bytes: &T, serializer: S) -> Result<S::Ok, S::Error>
where
    T: AsRef<[u8]> + ?Sized,
    S: Serializer,
{
    serializer.collect_str(&bytes.as_ref().escape_ascii())
}

/// Reads bytes from text.
///
/// # Errors
/// Those of the deserializer; an escape that there is not; bytes that the type does not take.
pub fn deserialize<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: TryFrom<Vec<u8>, Error: fmt::Display>,
    D: Deserializer<'de>,
{
    T::try_from(deserializer.deserialize_str(Text)?).map_err(D::Error::custom)
}

struct Text;

impl Visitor<'_> for Text {
    type Value = Vec<u8>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("bytes as text, those that are not printable escaped")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Vec<u8>, E> {
        unescape(text).ok_or_else(|| E::custom(format_args!("{text:?} has an unknown escape")))
    }
}

/// The bytes that a text stands for; nothing if it has an escape that [`u8::escape_ascii`] never writes.
///
/// ```
/// use standin::written::unescape;
/// assert_eq!(unescape("a\\n\\xff").unwrap(), b"a\n\xff");
/// assert_eq!(unescape("\\q"), None);
/// ```
#[must_use]
pub fn unescape(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'\\' => match rest.next()? {
                b'n' => b'\n',
                b'r' => b'\r',
                b't' => b'\t',
                b'x' => {
                    let mut digit = || char::from(rest.next()?).to_digit(16);
                    u8::try_from(digit()? * 16 + digit()?).ok()?
                }
                same @ (b'\\' | b'\'' | b'"') => same,
                _ => return None,
            },
            plain => plain,
        });
    }
    Some(bytes)
}

impl Serialize for KPathBuf {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize(self, serializer)
    }
}

impl<'de> Deserialize<'de> for KPathBuf {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserialize(deserializer)
    }
}

impl Serialize for Signal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i32(self.number())
    }
}

impl<'de> Deserialize<'de> for Signal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = i32::deserialize(deserializer)?;
        Self::new(number)
            .ok_or_else(|| D::Error::custom(format_args!("there is no signal {number}")))
    }
}

#[cfg(test)]
mod tests {
    use super::unescape;

    #[test]
    fn every_byte_is_read_back() {
        let all: Vec<u8> = (0..=u8::MAX).collect();
        let text = all.escape_ascii().to_string();
        assert!(text.is_ascii());
        assert_eq!(unescape(&text), Some(all));
    }

    #[test]
    fn an_escape_that_is_cut_off_or_unknown_is_refused() {
        for text in ["\\", "\\x", "\\x1", "\\xg0", "\\0"] {
            assert_eq!(unescape(text), None, "{text}");
        }
    }
}
