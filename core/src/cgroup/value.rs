//! What is written to a control file: [`Value`], and the [`Limit`] that many files hold.
//!
//! A value is one line and one write. It carries no newline and no NUL, so what the kernel understands is what was
//! given: it would stop reading at a NUL without saying so, and which lines of several took effect nobody could tell.

use std::convert::Infallible;
use std::fmt;

/// One line for a control file.
///
/// ```
/// use standin::cgroup::{Limit, Value};
/// assert_eq!(Value::from(5).as_bytes(), b"5");
/// assert_eq!(Value::from(Limit::Max).as_bytes(), b"max");
/// assert_eq!(Value::try_from("10000 100000").unwrap().as_bytes(), b"10000 100000");
/// assert!(Value::try_from("1\n2").is_err());
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Value(Vec<u8>);

/// Why a text is no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ValueError {
    /// A newline: each line is a write of its own.
    #[error(
        "a value is one line, and this one has a newline at byte {at}: write each line by itself"
    )]
    Newline {
        /// Where it stands.
        at: usize,
    },
    /// A NUL, which the kernel takes for the end.
    #[error(
        "a value holds no NUL byte, and this one has one at byte {at}: the kernel would read no further"
    )]
    Nul {
        /// Where it stands.
        at: usize,
    },
}

impl From<Infallible> for ValueError {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

impl Value {
    /// Takes bytes as a value. None at all are a value too: an empty line.
    ///
    /// # Errors
    /// [`ValueError`] if a newline or a NUL is among them.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Result<Self, ValueError> {
        let bytes = bytes.into();
        match bytes.iter().position(|byte| matches!(byte, b'\n' | 0)) {
            None => Ok(Self(bytes)),
            Some(at) if bytes.get(at) == Some(&0) => Err(ValueError::Nul { at }),
            Some(at) => Err(ValueError::Newline { at }),
        }
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// What goes to the kernel. A write of nothing is no write, so an empty line is sent as one.
    pub(super) fn line(&self) -> &[u8] {
        if self.0.is_empty() { b"\n" } else { &self.0 }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&String::from_utf8_lossy(&self.0))
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:?}", String::from_utf8_lossy(&self.0))
    }
}

macro_rules! numbers {
    ($($number:ty)*) => {$(
        impl From<$number> for Value {
            fn from(number: $number) -> Self {
                Self(number.to_string().into_bytes())
            }
        }
    )*};
}

numbers! { u32 u64 usize i32 i64 Limit }

impl From<bool> for Value {
    /// `1` or `0`.
    fn from(flag: bool) -> Self {
        Self::from(u32::from(flag))
    }
}

impl TryFrom<&str> for Value {
    type Error = ValueError;

    fn try_from(text: &str) -> Result<Self, ValueError> {
        Self::new(text)
    }
}

impl TryFrom<String> for Value {
    type Error = ValueError;

    fn try_from(text: String) -> Result<Self, ValueError> {
        Self::new(text)
    }
}

/// What a limit file holds: a number in the file's own unit, or `max` for none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Limit {
    /// So much and no more.
    At(u64),
    /// No limit.
    Max,
}

impl Limit {
    /// The number, if there is one.
    #[must_use]
    pub const fn at(self) -> Option<u64> {
        match self {
            Self::At(number) => Some(number),
            Self::Max => None,
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(number) => write!(out, "{number}"),
            Self::Max => out.write_str("max"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Limit, Value, ValueError};

    #[test]
    fn a_value_keeps_its_bytes_whatever_their_number() {
        let long = vec![b'7'; 100_000];
        assert_eq!(Value::new(long.clone()).unwrap().as_bytes(), long);
        assert_eq!(Value::new("").unwrap().line(), b"\n", "an empty line is a write");
    }

    #[test]
    fn a_newline_or_a_nul_is_refused_with_its_place() {
        assert_eq!(Value::new("10\n20"), Err(ValueError::Newline { at: 2 }));
        assert_eq!(Value::new("5\n"), Err(ValueError::Newline { at: 1 }));
        assert_eq!(Value::new("5\0 6"), Err(ValueError::Nul { at: 1 }));
    }

    #[test]
    fn numbers_flags_and_limits_are_written_as_the_kernel_reads_them() {
        let text = |value: Value| value.to_string();
        assert_eq!(text(u64::MAX.into()), "18446744073709551615");
        assert_eq!(text((-5_i64).into()), "-5");
        assert_eq!(text(true.into()), "1");
        assert_eq!(text(Limit::At(4096).into()), "4096");
        assert!(Limit::At(u64::MAX) < Limit::Max);
    }
}
