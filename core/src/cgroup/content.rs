//! What a control file says: [`Content`], read in the formats that cgroup-v2.rst names.
//!
//! Everything is read strictly: a number is a whole line of digits, and what does not fit its type is an error, never a
//! rounded value.

use std::fmt;
use std::str::FromStr;

use super::error::{Action, Error, Result};
use super::name::{FileName, GroupPath};
use super::rule::Rule;
use super::value::Limit;

/// How much of a text a message shows.
const SHOWN: usize = 64;

/// Keys and what stands behind them, in the file's order.
type Named<'a, V> = Vec<(&'a str, V)>;

/// The text of a control file, and where it was read.
///
/// ```
/// # use standin::cgroup::{GroupPath, Hierarchies, Limit};
/// # let machine = standin_sim::Machine::builder().build();
/// # let kernel = machine.root();
/// # let hierarchies = Hierarchies::find(&kernel).unwrap();
/// # let root = hierarchies.unified().unwrap().open(&kernel, &GroupPath::root()).unwrap();
/// assert_eq!(root.get(&kernel, "cgroup.max.depth").unwrap().limit().unwrap(), Limit::Max);
/// let stat = root.get(&kernel, "cgroup.stat").unwrap();
/// assert_eq!(stat.entry::<u64>("nr_descendants").unwrap(), Some(0));
/// assert!(stat.number::<u64>().is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    group: GroupPath,
    file: FileName,
    bytes: Vec<u8>,
}

impl Content {
    pub(super) fn new(group: &GroupPath, file: &FileName, bytes: Vec<u8>) -> Self {
        Self { group: group.clone(), file: file.clone(), bytes }
    }

    /// The bytes as they were read, the last newline too.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The text without its last newline.
    ///
    /// # Errors
    /// [`Rule::NotA`] if it is no UTF-8.
    pub fn text(&self) -> Result<&str> {
        let text = std::str::from_utf8(&self.bytes).map_err(|_| self.is_not("UTF-8"))?;
        Ok(text.strip_suffix('\n').unwrap_or(text))
    }

    /// The one number in it.
    ///
    /// # Errors
    /// [`Rule::NotA`] if something else is in it, or a number that does not fit.
    pub fn number<N: FromStr>(&self) -> Result<N> {
        self.parse(self.text()?, "one number that fits")
    }

    /// The one number in it, or `max`.
    ///
    /// # Errors
    /// [`Rule::NotA`] if something else is in it.
    pub fn limit(&self) -> Result<Limit> {
        match self.text()? {
            "max" => Ok(Limit::Max),
            text => Ok(Limit::At(self.parse(text, "a number or \"max\"")?)),
        }
    }

    /// `1` or `0`.
    ///
    /// # Errors
    /// [`Rule::NotA`] if something else is in it.
    pub fn flag(&self) -> Result<bool> {
        match self.text()? {
            "1" => Ok(true),
            "0" => Ok(false),
            _ => Err(self.is_not("1 or 0")),
        }
    }

    /// The words of a file of one line.
    ///
    /// # Errors
    /// [`Rule::NotA`] if it is no UTF-8.
    pub fn words(&self) -> Result<Vec<&str>> {
        Ok(self.text()?.split_ascii_whitespace().collect())
    }

    /// A number for each line.
    ///
    /// # Errors
    /// [`Rule::NotA`] if a line is something else, or does not fit.
    pub fn numbers<N: FromStr>(&self) -> Result<Vec<N>> {
        let lines = self.text()?.lines();
        lines.map(|line| self.parse(line, "a number for each line")).collect()
    }

    /// The value of a key, in a file of lines with a key and a value each; `None` if no line has the key.
    ///
    /// # Errors
    /// [`Rule::NotA`] if the value is of another type.
    pub fn entry<V: FromStr>(&self, key: &str) -> Result<Option<V>> {
        let mut lines = self.text()?.lines();
        let value = lines.find_map(|line| line.strip_prefix(key)?.strip_prefix(' '));
        value.map(|value| self.parse(value, "a value of this type")).transpose()
    }

    /// The keys and values of a file of lines with a key and a value each, in its order (cgroup-v2.rst, "Flat keyed").
    ///
    /// # Errors
    /// [`Rule::NotA`] if a line is something else, or a value does not fit.
    pub fn entries<V: FromStr>(&self) -> Result<Named<'_, V>> {
        const WANTED: &str = "a key and a value in each line";
        let lines = self.text()?.lines();
        lines
            .map(|line| {
                let (key, value) = line.split_once(' ').ok_or_else(|| self.is_not(WANTED))?;
                Ok((key, self.parse(value, WANTED)?))
            })
            .collect()
    }

    /// The keys of a file of lines with a key and any number of `NAME=VALUE` each, in its order (cgroup-v2.rst, "Nested
    /// keyed"). Lines that begin with a `NAME=VALUE`, as v1 has them, have an empty key.
    ///
    /// ```
    /// # use standin::cgroup::{GroupPath, Hierarchies};
    /// # let machine = standin_sim::Machine::builder().build();
    /// # let kernel = machine.root();
    /// # let hierarchies = Hierarchies::find(&kernel).unwrap();
    /// # let root = hierarchies.unified().unwrap().open(&kernel, &GroupPath::root()).unwrap();
    /// let stat = root.get(&kernel, "memory.numa_stat").unwrap();
    /// let rows = stat.table::<u64>().unwrap();
    /// assert_eq!((rows[0].0, rows[0].1[0].0), ("anon", "N0"));
    /// ```
    ///
    /// # Errors
    /// [`Rule::NotA`] if a line is something else, or a value does not fit.
    pub fn table<V: FromStr>(&self) -> Result<Named<'_, Named<'_, V>>> {
        const WANTED: &str = "a key and values with names in each line";
        let row = |line| {
            let (key, pairs) = match str::split_once(line, ' ') {
                Some((key, pairs)) if !key.contains('=') => (key, pairs),
                None if !line.contains('=') => (line, ""),
                _ => ("", line),
            };
            let pairs = pairs.split_ascii_whitespace().map(|pair| {
                let (name, value) = pair.split_once('=').ok_or_else(|| self.is_not(WANTED))?;
                Ok((name, self.parse(value, WANTED)?))
            });
            Ok((key, pairs.collect::<Result<_>>()?))
        };
        self.text()?.lines().map(row).collect()
    }

    /// The numbers of a file of one line.
    ///
    /// # Errors
    /// [`Rule::NotA`] if a word is something else, or does not fit.
    pub fn row<N: FromStr>(&self) -> Result<Vec<N>> {
        self.words()?.into_iter().map(|word| self.parse(word, "numbers in one line")).collect()
    }

    fn parse<V: FromStr>(&self, text: &str, wanted: &'static str) -> Result<V> {
        // FromStr takes a plus sign, which no kernel prints.
        let plain = (!text.starts_with('+')).then(|| text.parse().ok());
        plain.flatten().ok_or_else(|| self.is_not(wanted))
    }

    /// The error of a text that is something else.
    pub(super) fn is_not(&self, wanted: &'static str) -> Error {
        let shown = String::from_utf8_lossy(self.bytes.get(..SHOWN).unwrap_or(&self.bytes));
        let found = shown.into_owned() + if self.bytes.len() > SHOWN { "…" } else { "" };
        let rule = Rule::NotA { wanted, found };
        Error::found(Action::Read, rule).on(&self.group).in_file(&self.file)
    }
}

impl fmt::Display for Content {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&String::from_utf8_lossy(&self.bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::Content;
    use crate::cgroup::{FileName, GroupPath, Limit};

    fn content(text: &str) -> Content {
        let (group, file) = (GroupPath::new("a").unwrap(), FileName::new("pids.max").unwrap());
        Content::new(&group, &file, text.as_bytes().to_vec())
    }

    #[test]
    fn a_number_is_a_whole_text_and_never_rounded() {
        assert_eq!(content("12\n").number::<u64>().unwrap(), 12);
        assert_eq!(content("-1\n").number::<i64>().unwrap(), -1);
        let wrong =
            ["", "\n", "12abc", " 12", "+5", "1.9", "0x10", "1 2", "max", "99999999999999999999"];
        for text in wrong {
            assert!(content(text).number::<u64>().is_err(), "{text:?}");
        }
        assert!(content("4294967296\n").number::<u32>().is_err());
        assert!(content("-1\n").number::<u64>().is_err());
    }

    #[test]
    fn a_limit_is_a_number_or_max_and_a_flag_is_one_or_zero() {
        assert_eq!(content("max\n").limit().unwrap(), Limit::Max);
        assert_eq!(content("7\n").limit().unwrap(), Limit::At(7));
        assert!(content("maximum\n").limit().is_err());
        assert!(content("1\n").flag().unwrap() && !content("0\n").flag().unwrap());
        assert!(content("4294967296\n").flag().is_err());
    }

    #[test]
    fn keys_are_whole_words_and_lines_are_all_read() {
        let stat = content("usage_usec 5\nusage 6\n");
        assert_eq!(stat.entry::<u64>("usage").unwrap(), Some(6));
        assert_eq!(stat.entry::<u64>("use").unwrap(), None);
        assert!(stat.entry::<bool>("usage").is_err());
        assert_eq!(content("3\n1\n").numbers::<u32>().unwrap(), [3, 1]);
        assert_eq!(content("").numbers::<u32>().unwrap(), Vec::<u32>::new());
        assert_eq!(content("cpu io\n").words().unwrap(), ["cpu", "io"]);
    }

    #[test]
    fn every_key_is_reachable_in_its_order_and_no_line_is_passed_over() {
        let flat = content("usage_usec 5\nnew_key 6\n");
        assert_eq!(flat.entries::<u64>().unwrap(), [("usage_usec", 5), ("new_key", 6)]);
        assert_eq!(content("").entries::<u64>().unwrap(), []);
        for wrong in ["a 1\nb\n", "a 1\n\nb 2\n", "a 1 2\n", "a -1\n", "a  1\n"] {
            assert!(content(wrong).entries::<u64>().is_err(), "{wrong:?}");
        }
        let nested = content("8:0 rbytes=5 wbytes=6\n259:0 \n8:16\ntotal=7 N0=8\n");
        let expected = [
            ("8:0", vec![("rbytes", 5), ("wbytes", 6)]),
            ("259:0", vec![]),
            ("8:16", vec![]),
            ("", vec![("total", 7), ("N0", 8)]),
        ];
        assert_eq!(nested.table::<u64>().unwrap(), expected);
        for wrong in ["8:0 rbytes\n", "8:0 rbytes=x\n", "8:0 rbytes=5 6\n"] {
            assert!(content(wrong).table::<u64>().is_err(), "{wrong:?}");
        }
        assert_eq!(content("3 1 4 \n").row::<u32>().unwrap(), [3, 1, 4]);
        assert!(content("3 x\n").row::<u32>().is_err());
        assert_eq!(content("max 100000\n").words().unwrap(), ["max", "100000"]);
    }

    #[test]
    fn what_is_something_else_is_named_with_its_place() {
        let refused = content("max\n").number::<u64>().unwrap_err();
        assert_eq!(
            refused.to_string(),
            "read pids.max of /a: \"max\\n\" is not one number that fits"
        );
    }
}
