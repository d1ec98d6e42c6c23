//! The scalar arguments: labels, paths, data, modes, ids, sizes, numbers. Each reads one word and
//! spells it again.

use std::sync::Arc;

use super::argument::{Value, Wrong};
use crate::id::Mode;
use crate::path::KPathBuf;

/// Longest label, in bytes.
pub const MAX_LABEL_BYTES: usize = 64;

/// The name of an actor, a descriptor, a watch or a handle: a letter or `_`, then letters, digits,
/// `_`, `-` and `.`.
///
/// ```
/// use standin::transcript::Label;
/// assert_eq!(Label::new("p1").unwrap().as_str(), "p1");
/// assert!(Label::new("1p").is_none());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Label(Arc<str>);

impl Label {
    /// The label `name`, or `None` if it is no label.
    #[must_use]
    pub fn new(name: &str) -> Option<Self> {
        let first = name.bytes().next()?;
        let fits = name.len() <= MAX_LABEL_BYTES && (first.is_ascii_alphabetic() || first == b'_');
        (fits && name.bytes().all(Self::may_hold)).then(|| Self(name.into()))
    }

    /// The label's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The actor that every machine starts with.
    #[must_use]
    pub fn init() -> Self {
        Self("init".into())
    }

    /// May a label hold this byte (behind its first)?
    pub(super) fn may_hold(byte: u8) -> bool {
        byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
    }
}

impl std::fmt::Display for Label {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl Value for Label {
    fn read(word: &[u8]) -> Result<Self, Wrong> {
        let label = std::str::from_utf8(word).ok().and_then(Self::new);
        label.ok_or_else(|| {
            Wrong::not(word, "a label", "a letter, then letters, digits, _ - and ., at most 64")
        })
    }

    fn spell(&self) -> Vec<u8> {
        self.0.as_bytes().to_vec()
    }
}

/// An actor, or `0`: the caller itself, or nothing, as the operation says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// `0`.
    Zero,
    /// The process of this actor.
    Actor(Label),
}

impl Value for Who {
    fn read(word: &[u8]) -> Result<Self, Wrong> {
        if word == b"0" {
            return Ok(Self::Zero);
        }
        let help = "an actor's label or 0";
        Label::read(word).map(Self::Actor).map_err(|_| Wrong::not(word, "an actor or 0", help))
    }

    fn spell(&self) -> Vec<u8> {
        match self {
            Self::Zero => b"0".to_vec(),
            Self::Actor(label) => label.spell(),
        }
    }
}

/// A path, or another string that the kernel reads up to its first NUL (the name of an extended
/// attribute).
impl Value for KPathBuf {
    fn read(word: &[u8]) -> Result<Self, Wrong> {
        let help = "any bytes but NUL: a kernel reads it up to its first NUL";
        Self::new(word).map_err(|_| Wrong::not(word, "a path or name", help))
    }

    fn spell(&self) -> Vec<u8> {
        self.as_bytes().to_vec()
    }
}

/// Bytes that the operation writes, sends or compares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Data(pub Vec<u8>);

/// A piece of [`Data`]: some of it stands for a number that is known only when it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Bytes as they are.
    Bytes(&'a [u8]),
    /// `<LABEL>`: the pid of that actor. The second field is the piece as it was written.
    Pid(Label, &'a [u8]),
    /// `<fd:LABEL>`: the number of that descriptor. The second field is the piece as it was
    /// written.
    Descriptor(Label, &'a [u8]),
}

impl Data {
    /// The data cut at its `<LABEL>` and `<fd:LABEL>` pieces (spec, `write`). What only looks like
    /// one is bytes.
    ///
    /// ```
    /// use standin::transcript::{Data, Label, Piece};
    /// let data = Data(b"<fd:e> <p>\n".to_vec());
    /// let (e, p) = (Label::new("e").unwrap(), Label::new("p").unwrap());
    /// assert_eq!(data.pieces(), [
    ///     Piece::Descriptor(e, b"<fd:e>"), Piece::Bytes(b" "), Piece::Pid(p, b"<p>"), Piece::Bytes(b"\n"),
    /// ]);
    /// ```
    #[must_use]
    pub fn pieces(&self) -> Vec<Piece<'_>> {
        let mut pieces = Vec::new();
        let mut rest = self.0.as_slice();
        // The bytes of `rest` before this offset are known to be plain.
        let mut plain = 0;
        while let Some((before, marked, left)) = Self::next_mark(rest, plain) {
            let Some(piece) = Self::piece(marked) else {
                plain = before.len() + 1;
                continue;
            };
            if !before.is_empty() {
                pieces.push(Piece::Bytes(before));
            }
            pieces.push(piece);
            (rest, plain) = (left, 0);
        }
        if !rest.is_empty() {
            pieces.push(Piece::Bytes(rest));
        }
        pieces
    }

    /// What stands before, in and behind the first `<...>` of `bytes` that begins at `from` or
    /// later.
    fn next_mark(bytes: &[u8], from: usize) -> Option<(&[u8], &[u8], &[u8])> {
        let start = from + bytes.get(from..)?.iter().position(|&byte| byte == b'<')?;
        let (before, behind) = bytes.split_at_checked(start)?;
        // No label is longer, so the search for the end is bounded; what has no end there is looked
        // at as one byte.
        let longest = MAX_LABEL_BYTES + "<fd:>".len();
        let len =
            behind.iter().take(longest).position(|&byte| byte == b'>').map_or(1, |end| end + 1);
        let (marked, left) = behind.split_at_checked(len)?;
        Some((before, marked, left))
    }

    fn piece(marked: &[u8]) -> Option<Piece<'_>> {
        let name = std::str::from_utf8(marked).ok()?.strip_prefix('<')?.strip_suffix('>')?;
        match name.strip_prefix("fd:") {
            Some(name) => Some(Piece::Descriptor(Label::new(name)?, marked)),
            None => Some(Piece::Pid(Label::new(name)?, marked)),
        }
    }
}

impl Value for Data {
    fn read(word: &[u8]) -> Result<Self, Wrong> {
        Ok(Self(word.to_vec()))
    }

    fn spell(&self) -> Vec<u8> {
        self.0.clone()
    }
}

impl Value for Mode {
    fn read(word: &[u8]) -> Result<Self, Wrong> {
        let digits = std::str::from_utf8(word).ok().filter(|text| !text.starts_with('+'));
        let bits = digits.and_then(|digits| u16::from_str_radix(digits, 8).ok());
        let mode = bits.filter(|bits| *bits <= 0o7777).map(Self::new);
        mode.ok_or_else(|| Wrong::not(word, "a mode", "octal digits up to 7777, such as 0755"))
    }

    fn spell(&self) -> Vec<u8> {
        self.to_string().into_bytes()
    }
}

/// A user or group id as a system call takes it; `-1` (4294967295) is the one that means "leave
/// it".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Id(pub u32);

impl Value for Id {
    fn read(word: &[u8]) -> Result<Self, Wrong> {
        if word == b"-1" {
            return Ok(Self(u32::MAX));
        }
        number(word).map(Self).ok_or_else(|| Wrong::not(word, "an id", "0 to 4294967295, or -1"))
    }

    fn spell(&self) -> Vec<u8> {
        if self.0 == u32::MAX { b"-1".to_vec() } else { self.0.spell() }
    }
}

/// `UID:GID`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    /// The user.
    pub uid: Id,
    /// The group.
    pub gid: Id,
}

impl Value for Owner {
    fn read(word: &[u8]) -> Result<Self, Wrong> {
        let mut parts = word.splitn(2, |&byte| byte == b':');
        let (Some(uid), Some(gid)) = (parts.next(), parts.next()) else {
            return Err(Wrong::not(word, "an owner", "UID:GID, such as 1000:1000"));
        };
        Ok(Self { uid: Id::read(uid)?, gid: Id::read(gid)? })
    }

    fn spell(&self) -> Vec<u8> {
        [self.uid.spell(), self.gid.spell()].join(&b':')
    }
}

/// A size in bytes, written with K, M or G where it divides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(pub u64);

const UNITS: [(u8, u32); 3] = [(b'G', 30), (b'M', 20), (b'K', 10)];

impl Value for Size {
    fn read(word: &[u8]) -> Result<Self, Wrong> {
        let unit = UNITS.iter().find(|(letter, _)| word.last() == Some(letter));
        let (digits, shift) = match (unit, word.split_last()) {
            (Some((_, shift)), Some((_, digits))) => (digits, *shift),
            _ => (word, 0),
        };
        let bytes = number::<u64>(digits).and_then(|size| size.checked_mul(1 << shift));
        let help = "a number of bytes, K, M or G behind it, such as 16M";
        bytes.map(Self).ok_or_else(|| Wrong::not(word, "a size", help))
    }

    fn spell(&self) -> Vec<u8> {
        let unit = UNITS.iter().find(|(_, shift)| self.0 != 0 && self.0.trailing_zeros() >= *shift);
        match unit {
            Some((letter, shift)) => {
                format!("{}{}", self.0 >> shift, char::from(*letter)).into_bytes()
            }
            None => self.0.spell(),
        }
    }
}

impl std::fmt::Display for Size {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.spell()))
    }
}

/// The number in decimal that `word` is, without a plus sign.
pub(super) fn number<T: std::str::FromStr>(word: &[u8]) -> Option<T> {
    let text = std::str::from_utf8(word).ok().filter(|text| !text.starts_with('+'))?;
    text.parse().ok()
}

macro_rules! whole_numbers {
    ($($number:ident)+) => {$(
        impl Value for $number {
            fn read(word: &[u8]) -> Result<Self, Wrong> {
                let help = || format!("a whole number, {} to {}", $number::MIN, $number::MAX);
                number(word).ok_or_else(|| Wrong::not(word, "such a number", help()))
            }

            fn spell(&self) -> Vec<u8> {
                self.to_string().into_bytes()
            }
        }
    )+};
}
whole_numbers! { u32 u64 i32 i64 i128 }

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn reads<T: Value + PartialEq + std::fmt::Debug>(word: &str, value: &T) {
        assert_eq!(T::read(word.as_bytes()).as_ref(), Ok(value), "{word}");
        assert_eq!(T::read(&value.spell()).as_ref(), Ok(value), "{word} spelled again");
    }

    #[track_caller]
    fn refuses<T: Value>(words: &[&str]) {
        for word in words {
            assert!(T::read(word.as_bytes()).is_err(), "{word}");
        }
    }

    #[test]
    fn a_label_is_short_and_never_a_number() {
        reads("p", &Label::new("p").unwrap());
        reads("memory.events-2_x", &Label::new("memory.events-2_x").unwrap());
        refuses::<Label>(&["", "1", "-a", "a b", "ü", "<p>", "a:b", &"a".repeat(65)]);
        reads("0", &Who::Zero);
        refuses::<Who>(&["1", "00", ""]);
    }

    #[test]
    fn a_path_is_any_bytes_but_nul() {
        reads("", &KPathBuf::new("").unwrap());
        reads("../a/./b", &KPathBuf::new("../a/./b").unwrap());
        refuses::<KPathBuf>(&["a\0", "\0"]);
    }

    #[test]
    fn sizes_and_modes_and_ids_are_bounded() {
        reads("16M", &Size(16 << 20));
        reads("17179869183G", &Size(17_179_869_183 << 30));
        reads("18446744073709551615", &Size(u64::MAX));
        refuses::<Size>(&["", "K", "-1", "+1", "1k", "1.5M", "17179869184G", "0x10", "1 K"]);
        reads("0000", &Mode::new(0));
        reads("07777", &Mode::new(0o7777));
        refuses::<Mode>(&["", "8", "10000", "+7", "-1", "u+x"]);
        reads("-1", &Id(u32::MAX));
        reads("4294967295", &Id(u32::MAX));
        refuses::<Id>(&["-2", "4294967296", "root", ""]);
        reads("-1:7", &Owner { uid: Id(u32::MAX), gid: Id(7) });
        refuses::<Owner>(&["1", "1:", ":1", "1:2:3"]);
    }

    #[test]
    fn a_size_is_spelled_with_the_largest_unit_that_divides_it() {
        for (size, word) in
            [(0, "0"), (1000, "1000"), (1024, "1K"), (1 << 30, "1G"), (3 << 20, "3M")]
        {
            assert_eq!(Size(size).to_string(), word);
        }
    }

    #[test]
    fn marks_in_data_are_pids_and_descriptors_and_all_else_is_bytes() {
        let pieces = |text: &str| {
            let data = Data(text.as_bytes().to_vec());
            data.pieces()
                .iter()
                .map(|piece| match piece {
                    Piece::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
                    Piece::Pid(label, _) => format!("pid {label}"),
                    Piece::Descriptor(label, _) => format!("fd {label}"),
                })
                .collect::<Vec<_>>()
        };
        assert_eq!(pieces("<p>"), ["pid p"]);
        assert_eq!(pieces("a<p><fd:e>b"), ["a", "pid p", "fd e", "b"]);
        assert_eq!(pieces("<<p>>"), ["<", "pid p", ">"]);
        assert_eq!(pieces("<1> <fd:> <"), ["<1> <fd:> <"]);
        assert!(pieces("").is_empty());
        assert_eq!(pieces(&"<".repeat(100_000)).len(), 1);
    }
}
