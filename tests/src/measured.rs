//! `fixtures/measured.toml`: what real kernels measured where the machine has a model of its own.
//!
//! A row is a number that a script reads, or the ratio of two. The format is described at the head of the file;
//! `tests/models.rs` runs the scripts on the machine and compares.

use std::collections::BTreeMap;

use serde::Deserialize;
use standin::transcript::{Answer, Item, Transcript, parse};

use crate::lists::rows;
use crate::replay;

/// What stands before the name of the next operation's number.
const NAME: &str = "#= ";

/// One comparison.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// What is compared.
    pub name: String,
    /// On which kernel it was measured.
    pub kernel: String,
    /// The script, as the machine runs it.
    pub script: String,
    /// The number's name in the script, and that of the number it is a part of.
    pub value: Vec<String>,
    /// What the real kernel had.
    pub real: Vec<f64>,
    /// How far the machine may be from the nearest of them.
    pub tolerance: f64,
    /// Why they differ, and why so far is near enough.
    pub why: String,
}

/// All rows, in the order of the file.
///
/// # Panics
/// If the file does not say what its head promises.
#[must_use]
pub fn all() -> Vec<Measured> {
    rows("measured.toml", read)
}

/// Reads the rows.
///
/// # Errors
/// What is wrong, in words.
pub fn read(text: &str) -> Result<Vec<Measured>, String> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct List {
        scenario: BTreeMap<String, String>,
        measured: Vec<Row>,
    }
    let List { scenario: scenarios, measured: rows } =
        toml::from_str(text).map_err(|error| error.to_string())?;
    match scenarios.keys().find(|name| !rows.iter().any(|row| row.scenario == **name)) {
        Some(idle) => Err(format!("no row is about the scenario {idle}")),
        None => rows.into_iter().map(|row| row.measured(&scenarios)).collect(),
    }
}

/// A row as it stands in the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    name: String,
    kernel: String,
    scenario: String,
    value: Vec<String>,
    real: Vec<f64>,
    tolerance: f64,
    why: String,
}

impl Row {
    fn measured(self, scenarios: &BTreeMap<String, String>) -> Result<Measured, String> {
        let Self { name, kernel, scenario, value, real, tolerance, why } = self;
        if name.is_empty() || value.is_empty() || real.is_empty() || why.is_empty() {
            return Err(format!("{name}: a [[measured]] has a name, values, and says why"));
        }
        let script =
            scenarios.get(&scenario).and_then(|script| script.trim_start().split_once('\n'));
        let (machine, rest) =
            script.ok_or_else(|| format!("{name}: there is no [scenario] {scenario}"))?;
        let script = format!("{machine} kernel={kernel} layout=unified\n{rest}");
        Ok(Measured { name, kernel, script, value, real, tolerance, why })
    }
}

impl Measured {
    /// The value that the machine has.
    ///
    /// # Errors
    /// What is wrong with the script, or kept it from its end.
    pub fn on_machine(&self) -> Result<f64, String> {
        let script = parse(self.script.as_bytes()).map_err(|error| error.to_string())?;
        self.of(&replay::on_machine(&script)?.transcript)
    }

    /// The value that a transcript of the script holds.
    ///
    /// # Errors
    /// If it lacks a number that is named.
    pub fn of(&self, transcript: &Transcript) -> Result<f64, String> {
        let numbers = numbers(transcript);
        let find = |name: &String| {
            numbers
                .get(name)
                .copied()
                .ok_or_else(|| format!("no number {name}: {numbers:?}\n{transcript}"))
        };
        let values: Vec<f64> = self.value.iter().map(find).collect::<Result<_, _>>()?;
        match values.as_slice() {
            [value] => Ok(*value),
            [part, whole] => Ok(part / whole),
            _ => Err(format!("{}: one number, or two", self.name)),
        }
    }

    /// How far a value is from the nearest of the real ones.
    #[must_use]
    pub fn distance(&self, value: f64) -> f64 {
        self.real.iter().map(|real| (real - value).abs()).fold(f64::INFINITY, f64::min)
    }
}

/// The numbers of a transcript by name.
#[must_use]
pub fn numbers(transcript: &Transcript) -> BTreeMap<String, f64> {
    let mut numbers = BTreeMap::new();
    let mut name = None;
    for item in transcript.items() {
        match item {
            Item::Comment(text) => name = text.strip_prefix(NAME).map(str::to_owned),
            Item::Operation(operation) => {
                let number = operation.answer.as_ref().and_then(meaning);
                if let (Some(name), Some(number)) = (name.take(), number) {
                    numbers.insert(name, number);
                }
            }
        }
    }
    numbers
}

fn meaning(answer: &Answer) -> Option<f64> {
    match answer.lines().next()? {
        "true" => Some(1.0),
        "false" => Some(0.0),
        text => text.strip_prefix("| ").unwrap_or(text).parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::read;

    const TEXT: &str = "[scenario]\ns = '''\nmachine cpus=1\n#= all\ninit> clock monotonic\n'''\n\
        [[measured]]\nname = 'n'\nkernel = '6.12'\nscenario = 's'\nvalue = ['all']\nreal = [1, 0.5]\n\
        tolerance = 0.25\nwhy = 'w'\n";

    #[test]
    fn a_row_has_a_script_that_reads_its_numbers() {
        let rows = read(TEXT).unwrap();
        let [row] = rows.as_slice() else { panic!("{rows:?}") };
        assert_eq!(
            row.script,
            "machine cpus=1 kernel=6.12 layout=unified\n#= all\ninit> clock monotonic\n"
        );
        assert!((row.on_machine().unwrap()).abs() < f64::EPSILON);
        assert!((row.distance(0.75) - 0.25).abs() < 1e-9);
    }

    #[test]
    fn a_row_lacks_nothing_and_no_scenario_is_idle() {
        for key in ["name", "kernel", "scenario", "value", "real", "tolerance", "why"] {
            let kept = |line: &&str| !line.starts_with(&format!("{key} ="));
            let without: String =
                TEXT.lines().filter(kept).map(|line| format!("{line}\n")).collect();
            assert!(read(&without).unwrap_err().contains(key), "{key}");
        }
        let idle = TEXT.replace("s = '''", "other = 'x\\n'\ns = '''");
        assert!(read(&idle).unwrap_err().contains("other"));
    }
}
