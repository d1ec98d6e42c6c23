//! COVERAGE.md: what of Linux the machine answers, and how much of it recordings hold it to.
//!
//! Everything in it is counted: fixtures and their skips, the language's own list of operations, and the control files that
//! a machine's directories list. `tests/coverage.rs` proves that the file in the tree is what is made here.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use standin::transcript::{Operation, Theme, Transcript, op_rows};
use standin::{Backend, Controller, fs};
use standin_cli::ledger;
use standin_cli::skips::{self, Skip};
use standin_sim::{Machine, Release};

use crate::errno_sites::{self, Line, Obstacle, Proof};
use crate::fixtures::{Fixture, cached};
use crate::lists;

const HEAD: &str = "# Coverage

What of Linux the machine answers, and what proves it. This file is generated:
`STANDIN_UPDATE=1 cargo test -p standin-tests --test coverage` writes it anew.

*recorded*: a recording of a real kernel shows it, and the machine answers the same bytes. *documented only*: the machine
answers, from the documents and the sources alone. *not modelled*: the machine says `NotModelled`, and the test that met it
fails.
";

/// The kernels' cgroup2 root.
const ROOT: &str = "/sys/fs/cgroup";

/// What the file says now.
#[must_use]
pub fn text() -> String {
    let (skips, fixtures) = (lists::skips(), cached());
    let is_run = |fixture: &&Fixture| skips::first(&skips, &fixture.transcript).is_none();
    let run: Vec<&Fixture> = fixtures.iter().filter(is_run).collect();
    let reproduced = reproduced(&run);
    let mut out = HEAD.to_owned();
    put_fixtures(&mut out, &run);
    put_skips(&mut out, &skips);
    put_operations(&mut out, &run);
    put_control_files(&mut out, &reproduced);
    put_errno_sites(&mut out, &reproduced);
    out
}

/// The operations that the machine answers as recorded: those of the fixtures that run, but for what the ledger names.
fn reproduced<'a>(run: &[&'a Fixture]) -> Vec<(&'a Fixture, &'a Operation)> {
    let ledger = lists::ledger();
    let mut reproduced = Vec::new();
    for fixture in run {
        let known = ledger::lines_of(&ledger, &fixture.name);
        let operations = fixture.transcript.operations();
        let same = operations.filter(|operation| !known.contains(&operation.line()));
        reproduced.extend(same.map(|operation| (*fixture, operation)));
    }
    reproduced
}

fn put_fixtures(out: &mut String, run: &[&Fixture]) {
    let mut rows: BTreeMap<&str, (usize, usize, usize)> = BTreeMap::new();
    let place = |fixture: &'static Fixture| fixture.name.rsplit_once('/').unwrap_or_default().0;
    for fixture in cached() {
        let row = rows.entry(place(fixture)).or_default();
        row.0 += 1;
        if run.iter().any(|other| other.name == fixture.name) {
            row.1 += 1;
            row.2 += fixture.transcript.operations().count();
        }
    }
    put(
        out,
        "\n## Recordings\n\n| kernel/layout | recorded | reproduced | operations of these |\n|---|---|---|---|\n",
    );
    for (place, (all, same, operations)) in rows {
        let _ = writeln!(out, "| {place} | {all} | {same} | {operations} |");
    }
    let _ = writeln!(
        out,
        "\nKnown differences inside of these (fixtures/ledger.toml): {}.",
        lists::ledger().len()
    );
}

fn put_skips(out: &mut String, skips: &[Skip]) {
    put(
        out,
        "\nThe others wait (fixtures/skips.toml):\n\n| for | recordings | reason |\n|---|---|---|\n",
    );
    for skip in skips {
        let is_first = |transcript: &Transcript| {
            skips::first(skips, transcript).is_some_and(|first| first.id == skip.id)
        };
        let count = cached().iter().filter(|fixture| is_first(&fixture.transcript)).count();
        let _ = writeln!(out, "| {} | {count} | {} |", skip.id, skip.reason);
    }
}

fn put_operations(out: &mut String, run: &[&Fixture]) {
    put(
        out,
        "\n## Operations\n\nHow often each occurs in a recording that the machine reproduces.\n",
    );
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for operation in run.iter().flat_map(|fixture| fixture.transcript.operations()) {
        *counts.entry(operation.op().name()).or_default() += 1;
    }
    let mut theme: Option<Theme> = None;
    for row in op_rows() {
        if theme != Some(row.theme) {
            theme = Some(row.theme);
            let _ = writeln!(out, "\n| {:?} | reproduced |\n|---|---|", row.theme);
        }
        let count = counts.get(row.name).map_or_else(|| "none".to_owned(), usize::to_string);
        let _ = writeln!(out, "| `{}` | {count} |", row.usage().replace('|', "\\|"));
    }
}

fn put_control_files(out: &mut String, reproduced: &[(&Fixture, &Operation)]) {
    put(
        out,
        "\n## Control files of cgroup2

A file is *recorded* if one is read or written in a recording of that release; *not modelled* if the machine does not read it.

| file | 6.1 | 6.12 | 6.18 |\n|---|---|---|---|\n",
    );
    let mut table: BTreeMap<String, BTreeMap<&str, &str>> = BTreeMap::new();
    for release in Release::ALL {
        let recorded = recorded_files(reproduced, release);
        for (file, is_modelled) in files(release) {
            let word = match (is_modelled, recorded.contains(&file)) {
                (false, _) => "not modelled",
                (true, true) => "recorded",
                (true, false) => "documented only",
            };
            table.entry(file).or_default().insert(release.name(), word);
        }
    }
    for (file, by) in table {
        let words: Vec<&str> =
            Release::ALL.iter().map(|release| *by.get(release.name()).unwrap_or(&"")).collect();
        let _ = writeln!(out, "| {file} | {} |", words.join(" | "));
    }
}

/// The files of the root and of a group that has every controller; whether reading them is modelled.
fn files(release: Release) -> BTreeMap<String, bool> {
    let machine = Machine::builder().kernel(release).allow_unmodelled().build();
    let root = machine.root();
    for controller in Controller::ALL {
        // Which there are differs; those that are not are refused.
        let _ =
            fs::write(&root, format!("{ROOT}/cgroup.subtree_control"), format!("+{controller}"));
    }
    let group = format!("{ROOT}/group");
    fs::create_dir(&root, &group).unwrap_or_else(|error| panic!("{error}"));
    let mut files = BTreeMap::new();
    for directory in [ROOT, &group] {
        for name in control_files(&root, directory) {
            let is_modelled = !matches!(
                fs::read(&root, format!("{directory}/{name}")),
                Err(error) if error.errno().is_none()
            );
            files.entry(name).and_modify(|all| *all &= is_modelled).or_insert(is_modelled);
        }
    }
    files
}

fn control_files(kernel: &dyn Backend, directory: &str) -> Vec<String> {
    let entries = fs::read_dir(kernel, directory).unwrap_or_else(|error| panic!("{error}"));
    let names = entries.into_iter().map(|entry| entry.file_name());
    names.filter(|name| name.contains('.')).collect()
}

/// The control files that operations read or write.
fn recorded_files(reproduced: &[(&Fixture, &Operation)], release: Release) -> BTreeSet<String> {
    let of_release = reproduced
        .iter()
        .filter(|(fixture, _)| fixture.name.split('/').next() == Some(release.name()));
    of_release.filter_map(|(_, operation)| transferred_file(operation)).collect()
}

/// The last part of the path of cgroup2 that an operation reads or writes; `None` if no such file is there.
fn transferred_file(operation: &Operation) -> Option<String> {
    const TRANSFERS: [&str; 6] = ["read", "read~", "write", "key", "test", "open"];
    let status = operation.answer.as_ref()?.as_status().unwrap_or_default();
    if status.starts_with("ENOENT") || !TRANSFERS.contains(&operation.op().name()) {
        return None;
    }
    let path =
        operation.op().arguments().into_iter().find(|word| word.starts_with(ROOT.as_bytes()))?;
    let name = std::str::from_utf8(path.rsplit(|byte| *byte == b'/').next()?).ok()?.to_owned();
    name.contains('.').then_some(name)
}

fn put_errno_sites(out: &mut String, reproduced: &[(&Fixture, &Operation)]) {
    put(
        out,
        "\n## Errno sites\n
The places in the kernel's code that give an errno (fixtures/errno-sites.toml): how many a recording shows, and of how many of
these the machine reproduces one.

| file | sites | shown | reproduced | not reached | shown, percent |\n|---|---|---|---|---|---|\n",
    );
    let lines: BTreeSet<(&str, usize)> = reproduced
        .iter()
        .map(|(fixture, operation)| (fixture.name.as_str(), operation.line()))
        .collect();
    let is_reproduced = |line: &Line| lines.contains(&(line.fixture.as_str(), line.line));
    let sites = errno_sites::all();
    let mut files: Vec<(&str, [usize; 3])> = Vec::new();
    let mut obstacles: BTreeMap<Obstacle, usize> = BTreeMap::new();
    for site in &sites {
        if files.last().is_none_or(|(file, _)| *file != site.file) {
            files.push((&site.file, [0; 3]));
        }
        let Some((_, [all, shown, same])) = files.last_mut() else { continue };
        *all += 1;
        match &site.proof {
            Proof::Unreached(obstacle) => *obstacles.entry(*obstacle).or_default() += 1,
            Proof::Shown(lines) => {
                *shown += 1;
                *same += usize::from(lines.iter().any(&is_reproduced));
            }
        }
    }
    for (file, [all, shown, same]) in files {
        let (unreached, percent) = (all - shown, shown * 100 / all);
        let _ = writeln!(out, "| {file} | {all} | {shown} | {same} | {unreached} | {percent} |");
    }
    put(out, "\n| not reached, because | sites |\n|---|---|\n");
    for (obstacle, _, reason) in Obstacle::ALL {
        let _ = writeln!(out, "| {reason} | {} |", obstacles.get(&obstacle).unwrap_or(&0));
    }
}

fn put(out: &mut String, text: &str) {
    out.push_str(text);
}
