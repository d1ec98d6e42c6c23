//! What a fixture that was played again has come to, beside what it says.
//!
//! A difference that a newer build of the same kernel made is known (`fixtures/lab.toml`); every other one is to be looked
//! into.

use standin::transcript::parse;
use standin_cli::ledger::{Known, lines_of};

use super::record::{Answer, difference};

/// How a fixture stands to what was played.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Byte for byte.
    Same,
    /// It differs where it is known to.
    Known,
    /// It differs: where.
    Differs(String),
    /// It was not played: why.
    NotPlayed(String),
    /// It was begun and came to nothing: why.
    Lost(String),
}

impl Verdict {
    /// Judges a fixture by its name (`KERNEL/LAYOUT/NAME`), its text and what was played.
    #[must_use]
    pub fn of(name: &str, fixture: &str, answer: &Answer, known: &[Known]) -> Self {
        let played = match answer {
            Answer::Transcript(played) => played,
            Answer::Refused(why) => return Self::NotPlayed(why.clone()),
            Answer::Lost(why) => return Self::Lost(why.clone()),
        };
        let Some(text) = difference(fixture, played) else { return Self::Same };
        let known = lines_of(known, name);
        match differing_lines(fixture, played) {
            Some(lines) if lines.iter().all(|line| known.contains(line)) => Self::Known,
            _ => Self::Differs(text),
        }
    }

    /// What there is to say about it; nothing if all is well.
    #[must_use]
    pub fn complaint(&self) -> Option<String> {
        match self {
            Self::Same | Self::Known => None,
            Self::Differs(what) => Some(format!("the fixture differs: {what}")),
            Self::NotPlayed(why) => Some(format!("not played: {why}")),
            Self::Lost(why) => Some(why.clone()),
        }
    }
}

/// The lines of the operations that are answered otherwise; nothing if more differs than answers.
fn differing_lines(fixture: &str, played: &str) -> Option<Vec<usize>> {
    let (fixture, played) = (parse(fixture.as_bytes()).ok()?, parse(played.as_bytes()).ok()?);
    if fixture.operations().count() != played.operations().count() {
        return None;
    }
    let pairs = || fixture.operations().zip(played.operations());
    if pairs().any(|(one, other)| one.source() != other.source()) {
        return None;
    }
    let others = pairs().filter(|(one, other)| one.answer != other.answer);
    Some(others.map(|(one, _)| one.line()).collect())
}
