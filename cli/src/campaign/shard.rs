//! Which part of a campaign: `2/5` is the second of five. Its cases are each fifth, so that all parts have as much to do.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The variable by which an indexed Job of Kubernetes says which of its pods this is, from 0.
pub(crate) const INDEX: &str = "JOB_COMPLETION_INDEX";

/// One of several parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Shard {
    /// Which, from 1.
    pub(crate) index: u64,
    /// Of how many.
    pub(crate) count: u64,
}

impl Shard {
    /// Part `index` of `count`.
    pub(crate) fn new(index: u64, count: u64) -> Option<Self> {
        (1..=count).contains(&index).then_some(Self { index, count })
    }

    /// The number of its first case.
    pub(crate) const fn first(self) -> u64 {
        self.index - 1
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", self.index, self.count)
    }
}

/// What stands behind `--shard`: with the index, or without it where the environment has that.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Asked {
    /// `2/5`
    Whole(Shard),
    /// `/5`
    Count(u64),
}

impl FromStr for Asked {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!("{text:?} is no shard: one is I/N, I from 1 to N, or /N where {INDEX} is set")
        };
        let (index, count) = text.split_once('/').ok_or_else(wrong)?;
        let count: u64 = count.parse().map_err(|_| wrong())?;
        if index.is_empty() && count > 0 {
            return Ok(Self::Count(count));
        }
        let index = index.parse().map_err(|_| wrong())?;
        Shard::new(index, count).map(Self::Whole).ok_or_else(wrong)
    }
}

impl Asked {
    /// The shard, with what the environment says.
    ///
    /// # Errors
    /// If the index is missing there, or none of the shards has it.
    pub(crate) fn shard(self, environment: Option<&str>) -> Result<Shard, String> {
        match self {
            Self::Whole(shard) => Ok(shard),
            Self::Count(count) => {
                let index = environment.and_then(|index| index.parse::<u64>().ok());
                let index = index.and_then(|index| index.checked_add(1));
                index.and_then(|index| Shard::new(index, count)).ok_or_else(|| {
                    format!("--shard /{count} wants {INDEX} to be a number from 0 to {}", count - 1)
                })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Asked, Shard};

    fn shard(text: &str, environment: Option<&str>) -> Result<Shard, String> {
        text.parse::<Asked>()?.shard(environment)
    }

    #[test]
    fn a_shard_is_a_part_of_a_whole() {
        assert_eq!(shard("2/5", None), Ok(Shard { index: 2, count: 5 }));
        assert_eq!(shard("2/5", Some("0")), Ok(Shard { index: 2, count: 5 }));
        assert_eq!(shard("/5", Some("0")), Ok(Shard { index: 1, count: 5 }));
        assert_eq!(shard("/5", Some("4")), Ok(Shard { index: 5, count: 5 }));
    }

    #[test]
    fn anything_else_is_none() {
        for text in ["", "/", "3", "0/5", "6/5", "/0", "0/0", "a/5", "1/b", "-1/5", "1/2/3"] {
            assert!(shard(text, Some("0")).is_err(), "{text}");
        }
        for index in [None, Some("5"), Some("-1"), Some("x"), Some("18446744073709551615")] {
            assert!(shard("/5", index).is_err(), "{index:?}");
        }
    }
}
