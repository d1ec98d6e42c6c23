//! How the words of an operation become typed arguments, and typed arguments words.
//!
//! A [`Value`] is one word; an [`Argument`] is whatever part of the line a field of an operation
//! takes: a word, a word if there is one left, the rest, or a set of options. The tables in `op`
//! are built of fields whose types do this.

use super::error::Complaint;
use super::word::{Word, shown};

/// What is wrong with one word, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) message: String,
    pub(super) help: String,
}

impl Wrong {
    /// `word` is not `noun`; right would be `help`.
    pub(super) fn not(word: &[u8], noun: &str, help: impl Into<String>) -> Self {
        Self { message: format!("`{}` is not {noun}", shown(word)), help: help.into() }
    }

    fn at(self, word: &Word) -> Complaint {
        Complaint::new(word.at, word.len, self.message, self.help)
    }
}

/// One word that means something.
pub(super) trait Value: Sized {
    /// The value that `word` spells.
    fn read(word: &[u8]) -> Result<Self, Wrong>;
    /// The bytes of the word; [`Value::read`] gives the value back.
    fn spell(&self) -> Vec<u8>;
}

/// A part of an operation's words.
pub(super) trait Argument: Sized {
    /// Takes this argument's words from the front of those that are left.
    fn take(words: &mut Words<'_>) -> Result<Self, Complaint>;
    /// Appends the words.
    fn put(&self, out: &mut Vec<Vec<u8>>);
}

impl<T: Value> Argument for T {
    fn take(words: &mut Words<'_>) -> Result<Self, Complaint> {
        let word = words.next()?;
        T::read(&word.bytes).map_err(|wrong| wrong.at(word))
    }

    fn put(&self, out: &mut Vec<Vec<u8>>) {
        out.push(self.spell());
    }
}

/// A word if there is one left.
impl<T: Value> Argument for Option<T> {
    fn take(words: &mut Words<'_>) -> Result<Self, Complaint> {
        words.peek().is_some().then(|| T::take(words)).transpose()
    }

    fn put(&self, out: &mut Vec<Vec<u8>>) {
        out.extend(self.iter().map(Value::spell));
    }
}

/// All words that are left, none too.
impl<T: Value> Argument for Vec<T> {
    fn take(words: &mut Words<'_>) -> Result<Self, Complaint> {
        let mut values = Self::new();
        while words.peek().is_some() {
            values.push(T::take(words)?);
        }
        Ok(values)
    }

    fn put(&self, out: &mut Vec<Vec<u8>>) {
        out.extend(self.iter().map(Value::spell));
    }
}

/// The words of one operation that have not been taken yet.
pub(super) struct Words<'a> {
    left: std::slice::Iter<'a, Word>,
    /// Where a missing word would stand.
    end: usize,
    usage: String,
}

impl<'a> Words<'a> {
    /// `words` behind the operation's name; `end` is the line's length, `usage` how the operation
    /// is written.
    pub(super) fn new(words: &'a [Word], end: usize, usage: String) -> Self {
        Self { left: words.iter(), end, usage }
    }

    pub(super) fn peek(&self) -> Option<&'a Word> {
        self.left.as_slice().first()
    }

    /// How many words are left.
    pub(super) fn len(&self) -> usize {
        self.left.len()
    }

    /// The next word.
    pub(super) fn next(&mut self) -> Result<&'a Word, Complaint> {
        let missing = || Complaint::new(self.end, 1, "a word is missing", self.usage.as_str());
        self.left.next().ok_or_else(missing)
    }

    /// The next word as `key` or `key=value`, if there is one.
    pub(super) fn option(&mut self) -> Option<OptionWord<'a>> {
        let word = self.left.next()?;
        let mut parts = word.bytes.splitn(2, |&byte| byte == b'=');
        let key = std::str::from_utf8(parts.next().unwrap_or_default()).unwrap_or("");
        Some(OptionWord { word, key, value: parts.next(), usage: self.usage.clone() })
    }

    /// Nothing may be left.
    pub(super) fn finish(mut self) -> Result<(), Complaint> {
        let Some(word) = self.left.next() else { return Ok(()) };
        let message = format!("`{}` is a word too many", shown(&word.bytes));
        Err(Complaint::new(word.at, word.len, message, self.usage))
    }

    /// A complaint about the word `word`, with the usage as help.
    pub(super) fn complain(&self, word: &Word, message: impl Into<String>) -> Complaint {
        Complaint::new(word.at, word.len, message, self.usage.as_str())
    }
}

/// A word that is one of an operation's options, `key` or `key=value`.
pub(super) struct OptionWord<'a> {
    word: &'a Word,
    pub(super) key: &'a str,
    value: Option<&'a [u8]>,
    usage: String,
}

impl OptionWord<'_> {
    /// `key=value` sets `slot`, once.
    pub(super) fn set<T: Value>(self, slot: &mut Option<T>) -> Result<(), Complaint> {
        let Some(value) = self.value else {
            return Err(self.complain(format!("`{}` needs a value", self.key)));
        };
        if slot.is_some() {
            return Err(self.complain(format!("`{}` stands here twice", self.key)));
        }
        *slot = Some(T::read(value).map_err(|wrong| wrong.at(self.word))?);
        Ok(())
    }

    /// `key` sets `slot`, once.
    pub(super) fn flag(self, slot: &mut bool) -> Result<(), Complaint> {
        if self.value.is_some() {
            return Err(self.complain(format!("`{}` takes no value", self.key)));
        }
        if *slot {
            return Err(self.complain(format!("`{}` stands here twice", self.key)));
        }
        *slot = true;
        Ok(())
    }

    /// The operation has no such option.
    pub(super) fn unknown(self) -> Complaint {
        self.complain(format!("`{}` is not an option here", shown(&self.word.bytes)))
    }

    fn complain(&self, message: String) -> Complaint {
        Complaint::new(self.word.at, self.word.len, message, self.usage.as_str())
    }
}

/// The word `key=value`.
pub(super) fn spell_option(key: &str, value: &impl Value) -> Vec<u8> {
    let mut word = key.as_bytes().to_vec();
    word.push(b'=');
    word.extend(value.spell());
    word
}
