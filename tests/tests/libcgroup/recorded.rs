//! The file `expected`: what came of each scenario on a real kernel. With `STANDIN_UPDATE=1` it is written anew.
//!
//! A scenario has a line for each call and what it came to, then a picture of the groups; behind `libcgroup:` stands, where the
//! C library does otherwise, what it does not do (`-`) and does instead (`+`).

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

use crate::scenario::Scenario;

const FILE: &str = "tests/libcgroup/expected";
const BESIDE: &str = "libcgroup:";

/// What came of a scenario, line by line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Record {
    /// With ours.
    pub(crate) ours: Vec<String>,
    /// What is otherwise with the C library.
    pub(crate) difference: Vec<String>,
}

/// Whether the file is to be written.
pub(crate) fn is_update() -> bool {
    env::var_os("STANDIN_UPDATE").is_some_and(|value| value == "1")
}

/// All of them, by label.
pub(crate) fn read() -> BTreeMap<String, Record> {
    let mut all: BTreeMap<String, Record> = BTreeMap::new();
    let (mut label, mut is_beside) = (String::new(), false);
    for line in fs::read_to_string(path()).unwrap_or_default().lines() {
        if let Some(next) = line.strip_prefix("= ") {
            (label, is_beside) = (next.to_owned(), false);
        } else if line == BESIDE {
            is_beside = true;
        } else if !line.is_empty() && !line.starts_with('#') {
            let record = all.entry(label.clone()).or_default();
            let lines = if is_beside { &mut record.difference } else { &mut record.ours };
            lines.push(line.to_owned());
        }
    }
    all
}

/// Writes those of all scenarios, in their order.
pub(crate) fn write(all: &BTreeMap<String, Record>, scenarios: &[Scenario]) {
    let mut text = "# Recorded by main.rs on a real kernel: see recorded.rs.\n".to_owned();
    for Scenario { label, .. } in scenarios {
        let Some(Record { ours, difference }) = all.get(label) else { continue };
        writeln!(text, "\n= {label}\n{}", ours.join("\n")).unwrap();
        if !difference.is_empty() {
            writeln!(text, "{BESIDE}\n{}", difference.join("\n")).unwrap();
        }
    }
    fs::write(path(), text).unwrap();
}

/// What has to go from one list and come to make the other, without regard to order.
pub(crate) fn difference(from: &[String], to: &[String]) -> Vec<String> {
    let gone = from.iter().filter(|line| !to.contains(line)).map(|line| format!("- {line}"));
    let come = to.iter().filter(|line| !from.contains(line)).map(|line| format!("+ {line}"));
    gone.chain(come).collect()
}

fn path() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(FILE)
}
