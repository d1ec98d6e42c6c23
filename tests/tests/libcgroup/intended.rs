//! The table of differences that are meant: `intended.toml`.

use std::collections::BTreeSet;
use std::fmt;

use serde::Deserialize;

use crate::scenario::Scenario;

/// Why ours does something else.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Row {
    /// Of the scenarios that show it.
    labels: Vec<String>,
    /// What is kept away from, by its number in the list of libcgroup's hazards.
    hazard: String,
    /// What ours guarantees.
    why: String,
}

impl fmt::Display for Row {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.hazard, self.why)
    }
}

/// All rows.
#[derive(Deserialize)]
pub(crate) struct Intended {
    intended: Vec<Row>,
}

impl Intended {
    /// The table; each of its labels is one of a scenario, and stands there once.
    pub(crate) fn read(scenarios: &[Scenario]) -> Self {
        let table: Self = toml::from_str(include_str!("intended.toml")).unwrap();
        let mut known = BTreeSet::new();
        for label in table.intended.iter().flat_map(|row| &row.labels) {
            assert!(known.insert(label), "{label} has two reasons");
            assert!(scenarios.iter().any(|it| it.label == *label), "{label} is no scenario");
        }
        table
    }

    /// The row of a scenario.
    pub(crate) fn of(&self, label: &str) -> Option<&Row> {
        self.intended.iter().find(|row| row.labels.iter().any(|it| it == label))
    }
}
