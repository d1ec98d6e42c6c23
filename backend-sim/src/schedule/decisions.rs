//! What was decided in a run: [`Decisions`].

use std::fmt;
use std::str::FromStr;

/// What was decided where more than one thing could have happened next, one byte each: 0 is what a machine does by default,
/// and each other number one of the alternatives (there is always one: numbers are taken modulo how many there are).
///
/// Decisions beyond the last are 0. They print as the places of those that are not: `3.1-10.2` is 1 behind three zeros, and 2
/// behind ten more.
///
/// ```
/// use standin_sim::Decisions;
///
/// let decisions = Decisions::new([0, 0, 0, 1, 0, 2, 0]);
/// assert_eq!(decisions.to_string(), "3.1-1.2");
/// assert_eq!("3.1-1.2".parse::<Decisions>().unwrap(), decisions);
/// assert_eq!(Decisions::default().to_string(), "0");
/// assert!("3.".parse::<Decisions>().is_err());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Decisions(Vec<u8>);

impl Decisions {
    /// These, without the zeros at the end.
    #[must_use]
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        let mut bytes = bytes.into();
        let length = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        bytes.truncate(length);
        Self(bytes)
    }

    /// One byte a decision, up to the last that is not 0.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    #[cfg(feature = "property")]
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

/// What a machine does by default.
const NOTHING: &str = "0";

impl fmt::Display for Decisions {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return out.write_str(NOTHING);
        }
        let mut zeros = 0_usize;
        let mut is_first = true;
        for byte in &self.0 {
            if *byte == 0 {
                zeros += 1;
                continue;
            }
            write!(out, "{}{zeros}.{byte}", if is_first { "" } else { "-" })?;
            (zeros, is_first) = (0, false);
        }
        Ok(())
    }
}

/// A text that no decisions print as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecisionsError {
    /// The part that is wrong.
    pub part: String,
}

impl fmt::Display for DecisionsError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:?} is no decision: one is ZEROS.BYTE, as 3.1", self.part)
    }
}

impl std::error::Error for DecisionsError {}

/// More zeros than this in a row are a mistake, or somebody who wants our memory.
const MOST_ZEROS: usize = 1 << 24;

impl FromStr for Decisions {
    type Err = DecisionsError;

    fn from_str(text: &str) -> Result<Self, DecisionsError> {
        if text == NOTHING {
            return Ok(Self::default());
        }
        let mut bytes = Vec::new();
        for part in text.split('-') {
            let wrong = || DecisionsError { part: part.to_owned() };
            let (zeros, byte) = part.split_once('.').ok_or_else(wrong)?;
            let zeros: usize = zeros.parse().map_err(|_| wrong())?;
            let byte: u8 = byte.parse().map_err(|_| wrong())?;
            if byte == 0 || zeros > MOST_ZEROS {
                return Err(wrong());
            }
            bytes.resize(bytes.len() + zeros, 0);
            bytes.push(byte);
        }
        Ok(Self(bytes))
    }
}
