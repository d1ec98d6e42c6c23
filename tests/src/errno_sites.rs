//! `fixtures/errno-sites.toml`: where the kernel's code gives an errno, and the line of a fixture that shows it.
//!
//! Its head describes the rows. `tests/sites.rs` proves that each line is there and says that errno; [`crate::coverage`] counts
//! them. Whether the machine answers a line follows from the fixture's skips, so no row says it.

use std::collections::BTreeSet;
use std::fmt::{self, Display};
use std::fs;

use standin::Errno;
use standin::transcript::{Operation, Release};
use toml::{Table, Value};

use crate::fixtures::{Fixture, fixture_path};

/// One place of the kernel's code that gives an errno.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// The function, and which of its explicit errnos this is: `cgroup_mkdir.2`.
    pub id: String,
    /// The source file, from the kernel's folder.
    pub file: String,
    /// What it gives.
    pub errno: Errno,
    /// When it does, in our words.
    pub when: String,
    /// The releases that have it.
    pub kernels: Vec<Release>,
    /// What shows it, or why nothing does.
    pub proof: Proof,
}

/// What shows a site, or why nothing does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// These lines of fixtures.
    Shown(Vec<Line>),
    /// No script leads there.
    Unreached(Obstacle),
}

/// A line of a fixture.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Line {
    /// The fixture's name.
    pub fixture: String,
    /// The operation's line in it, from 1.
    pub line: usize,
}

impl Line {
    /// The operation on this line.
    ///
    /// # Errors
    /// What is wrong with the line, in words.
    pub fn operation<'a>(&self, fixtures: &'a [Fixture]) -> Result<&'a Operation, String> {
        let fixture = fixtures.iter().find(|fixture| fixture.name == self.fixture);
        let fixture = fixture.ok_or_else(|| format!("{self}: there is no such fixture"))?;
        let mut operations = fixture.transcript.operations();
        let operation = operations.find(|operation| operation.line() == self.line);
        operation.ok_or_else(|| format!("{self}: no operation stands there"))
    }

    fn read(text: &str) -> Option<Self> {
        let (fixture, line) = text.rsplit_once(':')?;
        Some(Self { fixture: fixture.to_owned(), line: line.parse().ok()? })
    }
}

impl Display for Line {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}", self.fixture, self.line)
    }
}

/// Why no script leads to a site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Obstacle {
    /// The kernel would have to be out of memory.
    Memory,
    /// Another call would have to get between two steps of this one.
    Race,
    /// The same call refuses all of this before.
    Earlier,
    /// No operation of the language leads there.
    Caller,
    /// The kernels that were recorded are built, started or equipped otherwise.
    Build,
    /// It is about v1 hierarchies, which come later.
    V1,
    /// A script could lead there, and none does yet.
    Later,
}

impl Obstacle {
    /// All of them, with the word of a row and what it says.
    pub const ALL: [(Self, &'static str, &'static str); 7] = [
        (Self::Memory, "memory", "the kernel would have to be out of memory"),
        (Self::Race, "race", "another call would have to get between two steps of this one"),
        (Self::Earlier, "earlier", "the same call refuses all of this before"),
        (Self::Caller, "caller", "no operation of the language leads there"),
        (Self::Build, "build", "the recorded kernels are built, started or equipped otherwise"),
        (Self::V1, "v1", "it is about v1 hierarchies, which come later"),
        (Self::Later, "later", "a script could lead there, and none does yet"),
    ];
}

/// All rows, in the order of the file.
///
/// # Panics
/// If the file does not say what its head promises.
#[must_use]
pub fn all() -> Vec<Site> {
    let path = fixture_path("errno-sites.toml");
    let text =
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    read(&text).unwrap_or_else(|complaint| panic!("fixtures/errno-sites.toml: {complaint}"))
}

/// Reads the rows.
///
/// # Errors
/// What is wrong, in words.
pub fn read(text: &str) -> Result<Vec<Site>, String> {
    let table: Table = text.parse().map_err(|error| format!("{error}"))?;
    if let Some(other) = table.keys().find(|key| *key != "site") {
        return Err(format!("{other}: the only tables are [[site]]"));
    }
    let rows = table.get("site").and_then(Value::as_array).cloned().unwrap_or_default();
    let sites: Vec<Site> = rows.iter().map(site).collect::<Result<_, _>>()?;
    let mut ids = BTreeSet::new();
    match sites.iter().find(|site| !ids.insert(&site.id)) {
        Some(twice) => Err(format!("{} is there twice", twice.id)),
        None => Ok(sites),
    }
}

fn site(value: &Value) -> Result<Site, String> {
    const KEYS: [&str; 7] = ["id", "file", "errno", "when", "kernels", "shown", "unreached"];
    let table = value.as_table().ok_or("a [[site]] is a table")?;
    let broken = |key: &str| format!("`{key}` is missing or not as the head says: {table:?}");
    if let Some(other) = table.keys().find(|key| !KEYS.contains(&key.as_str())) {
        return Err(format!("`{other}` is none of {}", KEYS.join(", ")));
    }
    let word = |key: &str| {
        let word = table.get(key).and_then(Value::as_str).filter(|word| !word.is_empty());
        word.ok_or_else(|| broken(key))
    };
    let words = |key: &str| {
        let words = table.get(key).and_then(Value::as_array).filter(|words| !words.is_empty());
        let words = words.ok_or_else(|| broken(key))?.iter().map(Value::as_str);
        words.map(|word| word.ok_or_else(|| broken(key))).collect::<Result<Vec<_>, _>>()
    };
    let obstacle = |word: &str| {
        let row = Obstacle::ALL.into_iter().find(|(_, name, _)| *name == word);
        row.map(|(obstacle, ..)| obstacle).ok_or_else(|| broken("unreached"))
    };
    let line = |text: &str| Line::read(text).ok_or_else(|| broken("shown"));
    let proof = match (table.contains_key("shown"), table.contains_key("unreached")) {
        (true, false) => {
            Proof::Shown(words("shown")?.into_iter().map(line).collect::<Result<_, _>>()?)
        }
        (false, true) => Proof::Unreached(obstacle(word("unreached")?)?),
        (true, true) | (false, false) => {
            return Err(format!("a [[site]] is either `shown` or `unreached`: {table:?}"));
        }
    };
    let kernel = |word: &str| {
        let known = Release::ALL.iter().copied().find(|release| release.word() == word);
        known.ok_or_else(|| broken("kernels"))
    };
    let kernels = match table.contains_key("kernels") {
        true => words("kernels")?.into_iter().map(kernel).collect::<Result<_, _>>()?,
        false => vec![kernel("6.1")?, kernel("6.12")?],
    };
    let id = word("id")?.to_owned();
    if id.rsplit_once('.').is_none_or(|(_, ordinal)| ordinal.parse::<u32>().is_err()) {
        return Err(broken("id"));
    }
    Ok(Site {
        id,
        file: word("file")?.to_owned(),
        errno: Errno::from_name(word("errno")?).ok_or_else(|| broken("errno"))?,
        when: word("when")?.to_owned(),
        kernels,
        proof,
    })
}

#[cfg(test)]
mod tests {
    use super::{Line, Obstacle, Proof, read};

    const ROW: &str = "[[site]]\nid = 'f.1'\nfile = 'f.c'\nerrno = 'EBUSY'\nwhen = 'so'\n";

    #[test]
    fn a_row_says_where_what_when_and_by_which_line() {
        let sites = read(&format!("{ROW}shown = ['6.1/unified/a:7']")).unwrap();
        let line = Line { fixture: "6.1/unified/a".to_owned(), line: 7 };
        assert_eq!(sites.first().unwrap().proof, Proof::Shown(vec![line]));
    }

    #[test]
    fn each_obstacle_has_a_word() {
        for (obstacle, word, _) in Obstacle::ALL {
            let sites = read(&format!("{ROW}unreached = '{word}'")).unwrap();
            assert_eq!(sites.first().unwrap().proof, Proof::Unreached(obstacle));
        }
    }

    #[test]
    fn a_row_that_is_incomplete_or_there_twice_is_refused() {
        let whole = format!("{ROW}unreached = 'race'\n");
        for (text, complaint) in [
            (ROW.to_owned(), "either `shown` or `unreached`"),
            (format!("{whole}shown = ['a:1']"), "either `shown` or `unreached`"),
            (format!("{ROW}shown = []"), "`shown`"),
            (format!("{ROW}shown = ['a']"), "`shown`"),
            (format!("{ROW}unreached = 'tired'"), "`unreached`"),
            (format!("{whole}kernels = ['2.6']"), "`kernels`"),
            (format!("{whole}machine = 'skipped'"), "`machine` is none of"),
            (whole.replace("f.1", "f"), "`id`"),
            (whole.replace("EBUSY", "EBUSH"), "`errno`"),
            (whole.replace("when = 'so'\n", ""), "`when`"),
            (format!("{whole}{whole}"), "f.1 is there twice"),
        ] {
            let got = read(&text).unwrap_err();
            assert!(got.contains(complaint), "{text}: {got}");
        }
    }
}
