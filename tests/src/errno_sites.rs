//! `fixtures/errno-sites.toml`: where the kernel's code gives an errno, and the line of a fixture that shows it.
//!
//! Its head describes the rows. `tests/sites.rs` proves that each line is there and says that errno; [`crate::coverage`] counts
//! them. Whether the machine answers a line follows from the fixture's skips, so no row says it.

use std::collections::BTreeSet;
use std::fmt::{self, Display};

use serde::Deserialize;
use standin::Errno;
use standin::transcript::{Operation, Release};

use crate::fixtures::Fixture;
use crate::lists::rows;

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
    /// A script could lead there, and none does yet.
    Later,
}

impl Obstacle {
    /// All of them, with the word of a row and what it says.
    pub const ALL: [(Self, &'static str, &'static str); 6] = [
        (Self::Memory, "memory", "the kernel would have to be out of memory"),
        (Self::Race, "race", "another call would have to get between two steps of this one"),
        (Self::Earlier, "earlier", "the same call refuses all of this before"),
        (Self::Caller, "caller", "no operation of the language leads there"),
        (Self::Build, "build", "the recorded kernels are built, started or equipped otherwise"),
        (Self::Later, "later", "a script could lead there, and none does yet"),
    ];
}

/// All rows, in the order of the file.
///
/// # Panics
/// If the file does not say what its head promises.
#[must_use]
pub fn all() -> Vec<Site> {
    rows("errno-sites.toml", read)
}

/// Reads the rows.
///
/// # Errors
/// What is wrong, in words.
pub fn read(text: &str) -> Result<Vec<Site>, String> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct List {
        site: Vec<Row>,
    }
    let List { site: rows } = toml::from_str(text).map_err(|error| error.to_string())?;
    let sites: Vec<Site> = rows.into_iter().map(Row::site).collect::<Result<_, _>>()?;
    let mut ids = BTreeSet::new();
    match sites.iter().find(|site| !ids.insert(&site.id)) {
        Some(twice) => Err(format!("{} is there twice", twice.id)),
        None => Ok(sites),
    }
}

/// A row as it stands in the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    id: String,
    file: String,
    errno: String,
    when: String,
    #[serde(default = "virtual_machines")]
    kernels: Vec<String>,
    shown: Option<Vec<String>>,
    unreached: Option<String>,
}

/// The kernels of a row that names none.
fn virtual_machines() -> Vec<String> {
    ["6.1", "6.12"].map(str::to_owned).to_vec()
}

impl Row {
    fn site(self) -> Result<Site, String> {
        let Self { id, file, errno, when, kernels, shown, unreached } = self;
        let broken = |key: &str| format!("{id}: `{key}` is not as the head says");
        if id.rsplit_once('.').is_none_or(|(_, ordinal)| ordinal.parse::<u32>().is_err()) {
            return Err(broken("id"));
        }
        let proof = match (shown, unreached) {
            (Some(lines), None) if !lines.is_empty() => {
                let lines = lines.iter().map(|line| Line::read(line));
                Proof::Shown(lines.collect::<Option<_>>().ok_or_else(|| broken("shown"))?)
            }
            (None, Some(word)) => {
                let known = Obstacle::ALL.into_iter().find(|(_, name, _)| *name == word);
                Proof::Unreached(known.ok_or_else(|| broken("unreached"))?.0)
            }
            _ => return Err(format!("{id}: a [[site]] is either `shown` or `unreached`")),
        };
        let release = |word: &String| Release::ALL.iter().copied().find(|it| it.word() == word);
        let kernels: Option<Vec<Release>> = kernels.iter().map(release).collect();
        let kernels =
            kernels.filter(|kernels| !kernels.is_empty()).ok_or_else(|| broken("kernels"))?;
        let errno = Errno::from_name(&errno).ok_or_else(|| broken("errno"))?;
        Ok(Site { id, file, errno, when, kernels, proof })
    }
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
            (format!("{ROW}shown = []"), "either `shown` or `unreached`"),
            (format!("{ROW}shown = ['a']"), "`shown`"),
            (format!("{ROW}unreached = 'tired'"), "`unreached`"),
            (format!("{whole}kernels = ['2.6']"), "`kernels`"),
            (format!("{whole}machine = 'skipped'"), "unknown field `machine`"),
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
