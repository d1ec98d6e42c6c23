//! Closed sets of words: `stream|dgram|seqpacket` and the like, a row a set.

use super::argument::{Value, Wrong};

/// Declares enums of which each variant is one word.
macro_rules! choices {
    ($($(#[$meta:meta])* $vis:vis $name:ident is $noun:literal { $($variant:ident = $word:literal),+ $(,)? })+) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        $vis enum $name {
            $(#[doc = concat!("`", $word, "`")] $variant,)+
        }

        impl $name {
            /// All of them, in the order of the spec.
            $vis const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word for it.
            #[must_use]
            $vis const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.word())
            }
        }

        impl $crate::transcript::argument::Value for $name {
            fn read(word: &[u8]) -> Result<Self, $crate::transcript::argument::Wrong> {
                $crate::transcript::choice::read(word, $noun, Self::ALL, Self::word)
            }

            fn spell(&self) -> Vec<u8> {
                self.word().as_bytes().to_vec()
            }
        }
    )+};
}
pub(super) use choices;

/// The one of `all` whose word is `word`.
pub(super) fn read<T: Copy>(
    word: &[u8],
    noun: &str,
    all: &[T],
    word_of: fn(T) -> &'static str,
) -> Result<T, Wrong> {
    let found = all.iter().copied().find(|&one| word_of(one).as_bytes() == word);
    found.ok_or_else(|| Wrong::not(word, noun, either(all.iter().map(|&one| word_of(one)))))
}

/// `a, b or c`.
pub(super) fn either(words: impl Iterator<Item = &'static str>) -> String {
    let words: Vec<&str> = words.collect();
    match words.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        Some((last, _)) => (*last).to_owned(),
        None => String::new(),
    }
}

/// Values separated by commas, at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List<T>(pub Vec<T>);

impl<T: Value> Value for List<T> {
    fn read(word: &[u8]) -> Result<Self, Wrong> {
        word.split(|&byte| byte == b',').map(T::read).collect::<Result<_, _>>().map(Self)
    }

    fn spell(&self) -> Vec<u8> {
        let words: Vec<Vec<u8>> = self.0.iter().map(Value::spell).collect();
        words.join(&b',')
    }
}

/// Values separated by commas, or the word `none`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListOrNone<T>(pub Vec<T>);

impl<T: Value> Value for ListOrNone<T> {
    fn read(word: &[u8]) -> Result<Self, Wrong> {
        if word == b"none" {
            return Ok(Self(Vec::new()));
        }
        match List::read(word) {
            Ok(List(values)) => Ok(Self(values)),
            Err(Wrong { message, help }) => {
                Err(Wrong { message, help: format!("{help}, or none") })
            }
        }
    }

    fn spell(&self) -> Vec<u8> {
        if self.0.is_empty() {
            return b"none".to_vec();
        }
        let words: Vec<Vec<u8>> = self.0.iter().map(Value::spell).collect();
        words.join(&b',')
    }
}

choices! {
    /// On or off.
    pub Switch is "a switch" { On = "on", Off = "off" }

    /// `nonblock`: the call or the descriptor does not wait.
    pub Nonblock is "an option here" { Nonblock = "nonblock" }
}
