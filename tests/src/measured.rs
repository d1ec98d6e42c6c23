//! `fixtures/measured.toml`: what real kernels measured where the machine has a model of its own.
//!
//! A row is a number that a script reads, or the ratio of two. The format is described at the head of the file;
//! `tests/models.rs` runs the scripts on the machine and compares.

use std::collections::BTreeMap;
use std::fs;

use standin::transcript::{Answer, Item, Transcript, parse};
use toml::{Table, Value};

use crate::fixtures::fixture_path;
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
    let path = fixture_path("measured.toml");
    let text =
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    read(&text).unwrap_or_else(|complaint| panic!("fixtures/measured.toml: {complaint}"))
}

/// Reads the rows.
///
/// # Errors
/// What is wrong, in words.
pub fn read(text: &str) -> Result<Vec<Measured>, String> {
    let table: Table = text.parse().map_err(|error| format!("{error}"))?;
    if let Some(other) = table.keys().find(|key| !["measured", "scenario"].contains(&key.as_str()))
    {
        return Err(format!("{other}: the only tables are [scenario] and [[measured]]"));
    }
    let scenarios = table.get("scenario").and_then(Value::as_table).cloned().unwrap_or_default();
    let rows = table.get("measured").and_then(Value::as_array).cloned().unwrap_or_default();
    let rows: Vec<Measured> =
        rows.iter().map(|value| row(value, &scenarios)).collect::<Result<_, _>>()?;
    let is_used = |name: &str| rows_name(table.get("measured"), name);
    match scenarios.keys().find(|name| !is_used(name)) {
        Some(idle) => Err(format!("no row is about the scenario {idle}")),
        None => Ok(rows),
    }
}

fn rows_name(rows: Option<&Value>, scenario: &str) -> bool {
    let rows = rows.and_then(Value::as_array);
    let named = |row: &Value| row.get("scenario").and_then(Value::as_str) == Some(scenario);
    rows.is_some_and(|rows| rows.iter().any(named))
}

fn row(value: &Value, scenarios: &Table) -> Result<Measured, String> {
    let missing = |key: &str| format!("each [[measured]] has `{key}`: {value:?}");
    let text = |key: &str| {
        let text = value.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
        text.map(str::to_owned).ok_or_else(|| missing(key))
    };
    let list = |key: &str| {
        let list = value.get(key).and_then(Value::as_array).filter(|list| !list.is_empty());
        list.ok_or_else(|| missing(key))
    };
    let kernel = text("kernel")?;
    let script = scenarios.get(&text("scenario")?).and_then(Value::as_str);
    let (machine, rest) = script
        .and_then(|script| script.trim_start().split_once('\n'))
        .ok_or_else(|| missing("scenario"))?;
    let names = list("value")?.iter().map(|name| name.as_str().map(str::to_owned));
    let real = list("real")?.iter().map(number);
    Ok(Measured {
        name: text("name")?,
        script: format!("{machine} kernel={kernel} layout=unified\n{rest}"),
        kernel,
        value: names.collect::<Option<_>>().ok_or_else(|| missing("value"))?,
        real: real.collect::<Option<_>>().ok_or_else(|| missing("real"))?,
        tolerance: value.get("tolerance").and_then(number).ok_or_else(|| missing("tolerance"))?,
        why: text("why")?,
    })
}

#[expect(clippy::cast_precision_loss, reason = "numbers in the file are small")]
fn number(value: &Value) -> Option<f64> {
    value.as_float().or_else(|| value.as_integer().map(|integer| integer as f64))
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
