//! A case in one line: which version of the format, the bytes, and a check.

use std::fmt;

use crate::digest;

/// What a line begins with; the number changes when the same bytes mean another case.
const NAME: &str = "standin-case";
const VERSION: u32 = 1;
/// More operations of nothing in a row than this are a mistake.
const MOST_ZEROS: usize = 1 << 16;

/// Why a line is no case.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CaseError {
    /// It is none, or a part of one.
    Malformed {
        /// The line.
        line: String,
    },
    /// It was written by an older or newer version of this library, to which the bytes mean something else.
    Version {
        /// The version that wrote it.
        written: String,
        /// The version that reads it.
        reads: u32,
    },
}

impl fmt::Display for CaseError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed { line } => {
                write!(out, "{line:?} is no whole case: one is {NAME}-{VERSION}:BYTES:CHECK")
            }
            Self::Version { written, reads } => write!(
                out,
                "the case was written by version {written} of the format, and this library reads version {reads}"
            ),
        }
    }
}

impl std::error::Error for CaseError {}

/// Bytes in hexadecimal; a run of zeros is `z`, how many there are, and a dot.
pub(super) fn print(bytes: &[u8], out: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut text = format!("{NAME}-{VERSION}:");
    let mut rest = bytes;
    while let Some((first, behind)) = rest.split_first() {
        let zeros = rest.iter().take_while(|byte| **byte == 0).count();
        if zeros > 2 {
            text.push_str(&format!("z{zeros}."));
            rest = rest.get(zeros..).unwrap_or_default();
        } else {
            text.push_str(&format!("{first:02x}"));
            rest = behind;
        }
    }
    let check = digest::of(text.as_bytes()) & 0xffff;
    write!(out, "{text}:{check:04x}")
}

/// The bytes of a line.
pub(super) fn parse(line: &str) -> Result<Vec<u8>, CaseError> {
    let line = line.trim();
    let malformed = || CaseError::Malformed { line: line.to_owned() };
    let versioned = line.strip_prefix(NAME).and_then(|rest| rest.strip_prefix('-'));
    let (version, rest) = versioned.and_then(|it| it.split_once(':')).ok_or_else(malformed)?;
    if version != VERSION.to_string() {
        return Err(CaseError::Version { written: version.to_owned(), reads: VERSION });
    }
    let (text, check) = line.rsplit_once(':').ok_or_else(malformed)?;
    let (mut digits, _) = rest.rsplit_once(':').ok_or_else(malformed)?;
    let check = u64::from_str_radix(check, 16).map_err(|_| malformed())?;
    if check != digest::of(text.as_bytes()) & 0xffff {
        return Err(malformed());
    }
    let mut bytes = Vec::new();
    while !digits.is_empty() {
        if let Some(run) = digits.strip_prefix('z') {
            let (zeros, behind) = run.split_once('.').ok_or_else(malformed)?;
            let zeros: usize = zeros.parse().map_err(|_| malformed())?;
            if zeros > MOST_ZEROS {
                return Err(malformed());
            }
            bytes.resize(bytes.len() + zeros, 0);
            digits = behind;
        } else {
            let (byte, behind) = digits.split_at_checked(2).ok_or_else(malformed)?;
            bytes.push(u8::from_str_radix(byte, 16).map_err(|_| malformed())?);
            digits = behind;
        }
    }
    Ok(bytes)
}
