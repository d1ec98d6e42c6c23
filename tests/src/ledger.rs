//! `fixtures/ledger.toml`: the known differences between the machine and real kernels.
//!
//! A row is one operation of one fixture. The format is described at the head of the file.

use std::fs;

use toml::{Table, Value};

use crate::fixtures::fixture_path;

/// One operation that the machine answers otherwise than the kernel did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// The fixture's name.
    pub fixture: String,
    /// The operation's line in it, from 1.
    pub line: usize,
    /// Where the rule is written that the machine does not follow.
    pub clause: String,
    /// What differs, and why it stays so.
    pub why: String,
}

/// All rows, in the order of the file.
///
/// # Panics
/// If the file does not say what its head promises.
#[must_use]
pub fn all() -> Vec<Known> {
    rows_of("ledger.toml")
}

/// What newer builds of a kernel answer otherwise than the recordings: `fixtures/lab.toml`, of the same form.
///
/// # Panics
/// As [`all`].
#[must_use]
pub fn of_newer_builds() -> Vec<Known> {
    rows_of("lab.toml")
}

fn rows_of(file: &str) -> Vec<Known> {
    let path = fixture_path(file);
    let text =
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    read(&text).unwrap_or_else(|complaint| panic!("fixtures/{file}: {complaint}"))
}

/// The lines of the fixture that are known to differ, in order.
#[must_use]
pub fn lines_of(ledger: &[Known], fixture: &str) -> Vec<usize> {
    let mut lines: Vec<usize> =
        ledger.iter().filter(|known| known.fixture == fixture).map(|known| known.line).collect();
    lines.sort_unstable();
    lines
}

/// Reads the rows.
///
/// # Errors
/// What is wrong, in words.
pub fn read(text: &str) -> Result<Vec<Known>, String> {
    let table: Table = text.parse().map_err(|error| format!("{error}"))?;
    if let Some(other) = table.keys().find(|key| *key != "difference") {
        return Err(format!("{other}: the only tables are [[difference]]"));
    }
    let rows = table.get("difference").and_then(Value::as_array).cloned().unwrap_or_default();
    rows.iter().map(row).collect()
}

fn row(value: &Value) -> Result<Known, String> {
    let missing = |key: &str| format!("each [[difference]] has `{key}`: {value:?}");
    let text = |key: &str| {
        let text = value.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
        text.map(str::to_owned).ok_or_else(|| missing(key))
    };
    let line = value.get("line").and_then(Value::as_integer);
    Ok(Known {
        fixture: text("fixture")?,
        line: line.and_then(|line| line.try_into().ok()).ok_or_else(|| missing("line"))?,
        clause: text("clause")?,
        why: text("why")?,
    })
}

#[cfg(test)]
mod tests {
    use super::{lines_of, read};

    #[test]
    fn a_row_names_fixture_line_clause_and_reason() {
        let row = "[[difference]]\nfixture = 'a'\nline = 7\nclause = 'c'\nwhy = 'w'\n";
        let ledger = read(&format!("{row}{row}")).unwrap();
        assert_eq!(lines_of(&ledger, "a"), [7, 7]);
        assert!(lines_of(&ledger, "b").is_empty());
        for key in ["fixture", "line", "clause", "why"] {
            let without: String = row
                .lines()
                .filter(|line| !line.starts_with(key))
                .map(|line| format!("{line}\n"))
                .collect();
            assert!(read(&without).unwrap_err().contains(key));
        }
    }
}
