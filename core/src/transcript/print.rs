//! Document to text. What was read prints as it was; parsing what is printed gives the document
//! again.

use std::fmt;

use super::script::{Item, Operation, Transcript};

impl fmt::Display for Transcript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.head.iter().try_for_each(|comment| writeln!(f, "{comment}"))?;
        writeln!(f, "{}", self.machine)?;
        self.items.iter().try_for_each(|item| match item {
            Item::Comment(comment) => writeln!(f, "{comment}"),
            Item::Operation(operation) => operation.fmt(f),
        })
    }
}

/// The operation line and its answer, each line with its end.
impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.source)?;
        self.answer.iter().try_for_each(|answer| writeln!(f, "{answer}"))
    }
}
