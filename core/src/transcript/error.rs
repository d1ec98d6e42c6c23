//! Why a transcript could not be read.
//!
//! [`Complaint`] is what the lexer and the argument parsers say about one line; [`ParseError`] adds
//! where that line stands. Neither knows how an error is drawn: the program does that from the
//! numbers.

use std::fmt;

/// What is wrong in one line, and where in it. Offsets and lengths are in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Complaint {
    pub(super) at: usize,
    pub(super) len: usize,
    pub(super) message: String,
    pub(super) help: String,
}

impl Complaint {
    pub(super) fn new(
        at: usize,
        len: usize,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        Self { at, len, message: message.into(), help: help.into() }
    }

    /// The error of the line `number`, whose text is `line`: byte offsets become columns.
    pub(super) fn in_line(self, number: usize, line: &[u8]) -> ParseError {
        let before = line.get(..self.at.min(line.len())).unwrap_or(line);
        let rest = line.get(before.len()..).unwrap_or_default();
        let marked = rest.get(..self.len.min(rest.len())).unwrap_or(rest);
        ParseError {
            file: None,
            line: number,
            column: String::from_utf8_lossy(before).chars().count() + 1,
            width: String::from_utf8_lossy(marked).chars().count().max(1),
            message: self.message,
            help: self.help,
        }
    }
}

/// A transcript that cannot be read: where, what, and what would be right.
///
/// ```
/// let error = standin::transcript::parse(b"machine cpus=2\ninit> mkdri /a\n").unwrap_err();
/// assert_eq!((error.line, error.column, error.width), (2, 7, 5));
/// let text = error.in_file("a.script").to_string();
/// assert_eq!(text, "a.script:2:7: `mkdri` is not an operation; the nearest is mkdir: mkdir PATH [MODE]");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ParseError {
    /// The file as the caller named it.
    pub file: Option<String>,
    /// The line, from 1.
    pub line: usize,
    /// The character in the line, from 1.
    pub column: usize,
    /// How many characters are meant, at least 1.
    pub width: usize,
    /// What is wrong.
    pub message: String,
    /// What would be right; may be empty.
    pub help: String,
}

impl ParseError {
    /// The same error with the name of the file it is in.
    #[must_use]
    pub fn in_file(mut self, name: impl Into<String>) -> Self {
        self.file = Some(name.into());
        self
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.file {
            Some(file) => write!(f, "{file}:")?,
            None => write!(f, "line ")?,
        }
        write!(f, "{}:{}: {}", self.line, self.column, self.message)?;
        if !self.help.is_empty() {
            write!(f, "; {}", self.help)?;
        }
        Ok(())
    }
}
