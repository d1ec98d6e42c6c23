//! `fixtures/fuzz.toml`: how much has been generated and compared, on which kernel, and what came of it.
//!
//! A row is a run: a subject, a seed and a share of its cases on one kernel. A run that is made again replaces its row, so that shares
//! that are played apart, on several machines, come together by adding up.

use std::fs;
use std::path::Path;

use standin::transcript::{Layout, Release};
use toml::{Table, Value};

use super::subject::Subject;
use crate::lab::LabError;

const HEAD: &str = "\
# Generated scripts, played on real kernels and on the machine: `standin-lab fuzz` writes this file.
#
# A row is a run: cases of a seed, those whose number leaves `share` when divided by `shares`. The generator makes the same
# scripts from a seed everywhere. `unsteady` ones are answered otherwise when the kernel plays them again; `lost` ones brought no answer.
";

/// What names a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// On which kernel.
    pub kernel: Release,
    /// With which hierarchies.
    pub layout: Layout,
    /// About what.
    pub subject: Subject,
    /// From which seed.
    pub seed: u64,
    /// Which share of the cases, from 0.
    pub share: u64,
    /// Of how many.
    pub shares: u64,
}

impl Key {
    /// Where what is kept of a kernel's answers belongs.
    #[must_use]
    pub fn path(&self) -> String {
        let Self { kernel, layout, subject, seed, .. } = self;
        let place = match layout {
            Layout::Unified => kernel.word().to_owned(),
            Layout::Legacy | Layout::Hybrid => format!("{}/{}", kernel.word(), layout.word()),
        };
        match subject {
            Subject::Cgroups => format!("{place}/{seed}"),
            Subject::Processes | Subject::Proc => format!("{place}/{}/{seed}", subject.word()),
        }
    }
}

/// What came of scripts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Cases of the seed, of all shares; the run has played its share.
    pub cases: u64,
    /// Scripts that were compared.
    pub scripts: u64,
    /// Operations of these.
    pub operations: u64,
    /// Scripts that the machine answers otherwise.
    pub differences: u64,
    /// Scripts that have an operation that the machine does not model.
    pub not_modelled: u64,
    /// Scripts that the kernel answers otherwise when it plays them again.
    pub unsteady: u64,
    /// Scripts that brought no answer.
    pub lost: u64,
}

/// A number of a [`Tally`]: its name, and where it is.
type Field = (&'static str, fn(&mut Tally) -> &mut u64);

const FIELDS: [Field; 7] = [
    ("cases", |tally| &mut tally.cases),
    ("scripts", |tally| &mut tally.scripts),
    ("operations", |tally| &mut tally.operations),
    ("differences", |tally| &mut tally.differences),
    ("not_modelled", |tally| &mut tally.not_modelled),
    ("unsteady", |tally| &mut tally.unsteady),
    ("lost", |tally| &mut tally.lost),
];

/// All runs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Total {
    /// In the order of their keys.
    runs: Vec<(Key, Tally)>,
}

impl Total {
    /// Reads the file; nothing is there before the first run.
    ///
    /// # Errors
    /// [`LabError::Setup`] if it is not what a run writes.
    pub fn load(path: &Path) -> Result<Self, LabError> {
        let wrong = |what: String| LabError::Setup(format!("{}: {what}", path.display()));
        match fs::read_to_string(path) {
            Ok(text) => Self::read(&text).map_err(wrong),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(wrong(error.to_string())),
        }
    }

    /// Reads the rows.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn read(text: &str) -> Result<Self, String> {
        let table: Table = text.parse().map_err(|error| format!("{error}"))?;
        let rows = table.get("run").and_then(Value::as_array).cloned().unwrap_or_default();
        let mut total = Self::default();
        for row in &rows {
            let (key, tally) = read_run(row)?;
            total.set(key, tally);
        }
        Ok(total)
    }

    /// Puts the row of a run; the one that it had goes.
    pub fn set(&mut self, key: Key, tally: Tally) {
        self.runs.retain(|(other, _)| *other != key);
        self.runs.push((key, tally));
        self.runs.sort_by_key(|(key, _)| *key);
    }

    /// Takes over the runs of another machine.
    pub fn merge(&mut self, other: &Self) {
        for (key, tally) in &other.runs {
            self.set(*key, *tally);
        }
    }

    /// All runs on a kernel and layout about a subject together; `cases` counts a seed's once for each share.
    #[must_use]
    pub fn of(&self, kernel: Release, layout: Layout, subject: Subject) -> Tally {
        let mut sum = Tally::default();
        let is_meant =
            |key: &Key| (key.kernel, key.layout, key.subject) == (kernel, layout, subject);
        for (_, tally) in self.runs.iter().filter(|(key, _)| is_meant(key)) {
            let mut tally = *tally;
            for (_, field) in FIELDS {
                *field(&mut sum) += *field(&mut tally);
            }
        }
        sum
    }

    /// Adds a run to the file, which others may be writing too.
    ///
    /// # Errors
    /// If it cannot be read or written.
    pub fn record(path: &Path, key: Key, tally: Tally) -> Result<(), LabError> {
        let failed =
            |error: std::io::Error| LabError::Failed(format!("{}: {error}", path.display()));
        let directory = path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(directory).map_err(failed)?;
        // Held until it is dropped.
        let turn = fs::File::open(directory).map_err(failed)?;
        turn.lock().map_err(failed)?;
        let mut total = Self::load(path)?;
        total.set(key, tally);
        let mut file = tempfile::Builder::new()
            .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644))
            .tempfile_in(directory)
            .map_err(failed)?;
        std::io::Write::write_all(&mut file, total.to_string().as_bytes()).map_err(failed)?;
        file.persist(path).map(drop).map_err(|error| failed(error.error))
    }
}

impl std::fmt::Display for Total {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(HEAD)?;
        for (key, tally) in &self.runs {
            let Key { kernel, layout, subject, seed, share, shares } = key;
            write!(out, "\n[[run]]\nkernel = \"{}\"\n", kernel.word())?;
            write!(out, "layout = \"{}\"\nsubject = \"{}\"\n", layout.word(), subject.word())?;
            writeln!(out, "seed = {seed}")?;
            write!(out, "share = {share}\nshares = {shares}\n")?;
            let mut tally = *tally;
            for (name, field) in FIELDS {
                writeln!(out, "{name} = {}", *field(&mut tally))?;
            }
        }
        Ok(())
    }
}

fn read_run(row: &Value) -> Result<(Key, Tally), String> {
    let number = |name: &str| {
        let number = row.get(name).and_then(Value::as_integer);
        let number = number.and_then(|number| u64::try_from(number).ok());
        number.ok_or_else(|| format!("each [[run]] has a number `{name}`"))
    };
    let word = |name: &str| row.get(name).and_then(Value::as_str).unwrap_or_default();
    let kernel = Release::ALL.iter().find(|kernel| kernel.word() == word("kernel"));
    let kernel = *kernel.ok_or_else(|| format!("`{}` is no kernel", word("kernel")))?;
    let layout = Layout::ALL.iter().find(|layout| layout.word() == word("layout"));
    let layout = *layout.ok_or_else(|| format!("`{}` is no layout", word("layout")))?;
    let subject = Subject::ALL.iter().find(|subject| subject.word() == word("subject"));
    let subject = *subject.ok_or_else(|| format!("`{}` is no subject", word("subject")))?;
    let (seed, share, shares) = (number("seed")?, number("share")?, number("shares")?);
    let mut tally = Tally::default();
    for (name, field) in FIELDS {
        *field(&mut tally) = number(name)?;
    }
    Ok((Key { kernel, layout, subject, seed, share, shares }, tally))
}
