//! The rules of the house (ARCHITECTURE.md, "Who may use whom"), proved from manifests and sources.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use standin_tests::fixtures::workspace;
use standin_tests::sources::{Source, rust_files};
use toml::{Table, Value};

/// The folders of the packages.
const PACKAGES: [&str; 7] =
    ["core", "backend-linux", "backend-sim", "tests", "cli", "bench/peers", "bench/instructions"];
/// The modules of core that are libraries built on the trait alone.
const LIBRARIES: [&str; 6] = ["cgroup", "context", "service", "ipc", "engine", "transcript"];
/// Who may use whom among them.
const ALLOWED: [(&str, &str); 1] = [("service", "engine")];
/// What belongs to one operating system, or to the host that a test runs on.
const HOST: [&str; 14] = [
    "libc",
    "rustix",
    "linux_raw_sys",
    "std::env",
    "std::fs",
    "std::net",
    "std::os",
    "std::process",
    "std::path",
    "std::time::Instant",
    "std::time::SystemTime",
    "std::thread::sleep",
    "std::thread::spawn",
    "std::thread::scope",
];
/// The one file of the machine that knows the host, behind a feature that is off: it says that a program never comes back.
const WATCHDOG: &str = "backend-sim/src/watchdog.rs";
/// The most lines that a source file of ours may have.
const MAX_LINES: usize = 500;

fn read(path: &str) -> String {
    fs::read_to_string(workspace().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn manifest(package: &str) -> Table {
    let path = format!("{package}/Cargo.toml");
    read(&path).parse().unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn root() -> Table {
    read("Cargo.toml").parse().unwrap_or_else(|error| panic!("Cargo.toml: {error}"))
}

/// The packages of ours that a manifest names under one kind of dependency, for all targets together.
fn ours(package: &str, kind: &str) -> BTreeSet<String> {
    let manifest = manifest(package);
    let targets =
        manifest.get("target").and_then(Value::as_table).into_iter().flat_map(Table::values);
    let tables = targets.filter_map(Value::as_table).chain([&manifest]);
    let named = tables.filter_map(|table| table.get(kind)?.as_table()).flat_map(Table::keys);
    named.filter(|name| name.starts_with("standin")).cloned().collect()
}

/// Fails with every complaint, so that one run tells all.
#[track_caller]
fn none(what: &str, complaints: impl IntoIterator<Item = String>) {
    let complaints: Vec<String> = complaints.into_iter().collect();
    assert!(complaints.is_empty(), "{what}:\n  {}", complaints.join("\n  "));
}

/// Whether `path` is `part` or below it.
fn is_in(path: &str, part: &str) -> bool {
    path.strip_prefix(part).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// The sources of a package that end up in what others build: not its tests, examples and benches.
fn library(package: &str) -> Vec<Source> {
    rust_files(&format!("{package}/src"))
}

fn everything() -> Vec<Source> {
    PACKAGES.iter().flat_map(|package| rust_files(package)).collect()
}

#[test]
fn core_depends_on_no_crate_of_ours() {
    assert_eq!(ours("core", "dependencies"), BTreeSet::new());
    assert_eq!(ours("core", "build-dependencies"), BTreeSet::new());
    let for_doctests = ours("core", "dev-dependencies");
    assert!(for_doctests.iter().all(|name| name == "standin-sim"), "{for_doctests:?}");
}

#[test]
fn the_backends_depend_on_core_only() {
    for backend in ["backend-linux", "backend-sim"] {
        assert_eq!(ours(backend, "dependencies"), ["standin".to_owned()].into(), "{backend}");
        assert_eq!(ours(backend, "dev-dependencies"), BTreeSet::new(), "{backend}");
    }
}

#[test]
fn core_and_the_machine_name_nothing_of_an_operating_system() {
    let files = ["core", "backend-sim"].into_iter().flat_map(library);
    none(
        "they build for any target and behave alike on all",
        files.filter(|file| file.path != WATCHDOG).flat_map(|file| {
            let of_host = |path: &String| HOST.iter().any(|part| is_in(path, part));
            let named = file.paths().into_iter().filter(of_host).collect::<BTreeSet<_>>();
            named
                .into_iter()
                .map(move |path| format!("{} names {path}", file.path))
                .collect::<Vec<_>>()
        }),
    );
}

#[test]
fn what_knows_the_host_is_behind_its_feature() {
    let lib = read("backend-sim/src/lib.rs");
    assert!(lib.contains("#[cfg(feature = \"watchdog\")]\nmod watchdog;"), "it is always there");
    let manifest = manifest("backend-sim");
    let default = manifest.get("features").and_then(|features| features.get("default"));
    assert_eq!(default, Some(&Value::Array(Vec::new())));
}

#[test]
fn the_scan_of_the_sources_is_not_blind() {
    let named: Vec<String> = library("backend-linux").iter().flat_map(Source::paths).collect();
    for part in ["rustix", "standin::Failure"] {
        assert!(named.iter().any(|path| is_in(path, part)), "backend-linux names {part}");
    }
}

#[test]
fn core_and_the_machine_need_no_crate_of_an_operating_system() {
    for package in ["core", "backend-sim"] {
        let manifest = manifest(package);
        let needed =
            manifest.get("dependencies").and_then(Value::as_table).cloned().unwrap_or_default();
        none(
            package,
            HOST.iter()
                .filter(|name| needed.contains_key(**name))
                .map(|name| format!("needs {name}")),
        );
    }
}

#[test]
fn libraries_in_core_do_not_import_each_other() {
    let complaints = library("core").into_iter().flat_map(|file| {
        let inside = file.path.strip_prefix("core/src/").unwrap_or_default();
        let here = inside.split(['/', '.']).next().unwrap_or_default().to_owned();
        let paths = if here == "lib" { Vec::new() } else { file.paths() };
        let uses =
            |library: &str| paths.iter().any(|path| is_in(path, &format!("crate::{library}")));
        let used = LIBRARIES.into_iter().filter(|library| *library != here && uses(library));
        let wrong = used.filter(|library| !ALLOWED.contains(&(here.as_str(), library)));
        wrong.map(|library| format!("{} uses {library}", file.path)).collect::<Vec<_>>()
    });
    none("only `service` may use `engine`; the ground below them knows none", complaints);
}

#[test]
fn no_source_file_is_longer_than_500_lines() {
    let long = everything().into_iter().filter_map(|file| {
        let lines = file.text.lines().count();
        (lines > MAX_LINES).then(|| format!("{}: {lines}", file.path))
    });
    none("one concept a file", long);
}

#[test]
fn each_source_file_says_first_what_it_is() {
    let silent = everything().into_iter().filter(|file| !file.text.starts_with("//! "));
    none("a file begins with //!", silent.map(|file| file.path));
}

#[test]
fn nothing_lands_unfinished() {
    let marks = ["TODO", "FIXME", "XXX", "#[ignore"];
    // This file names them itself.
    let others = everything().into_iter().filter(|file| !file.path.ends_with("architecture.rs"));
    let complaints = others.flat_map(|file| {
        let found = marks.into_iter().filter(|mark| file.text.contains(mark));
        found.map(|mark| format!("{}: {mark}", file.path)).collect::<Vec<_>>()
    });
    none("finish it, or leave it out", complaints);
}

#[test]
fn every_manifest_takes_licence_edition_and_lints_from_the_workspace() {
    let inherits = |table: &Table, key: &str| {
        table.get(key).and_then(|value| value.get("workspace")).and_then(Value::as_bool)
            == Some(true)
    };
    for package in PACKAGES {
        let manifest = manifest(package);
        let table = manifest.get("package").and_then(Value::as_table).cloned().unwrap_or_default();
        for key in ["version", "edition", "rust-version", "license"] {
            assert!(inherits(&table, key), "{package}: {key}.workspace = true");
        }
        assert!(inherits(&manifest, "lints"), "{package}: lints.workspace = true");
        assert!(table.contains_key("description"), "{package} has a description");
    }
    let root = root();
    let shared = root.get("workspace").and_then(|workspace| workspace.get("package"));
    let shared = |key: &str| shared.and_then(|table| table.get(key)).and_then(Value::as_str);
    assert_eq!(shared("license"), Some("MIT OR Apache-2.0"));
    assert_eq!(shared("edition"), Some("2024"));
    assert!(shared("rust-version").is_some());
}

#[test]
fn both_licences_are_there_in_full() {
    let (mit, apache) = (read("LICENSE-MIT"), read("LICENSE-APACHE"));
    assert!(mit.starts_with("Copyright (c) 2026 The standin developers\n"));
    assert!(mit.contains("Permission is hereby granted, free of charge"));
    assert!(apache.contains("Version 2.0, January 2004"));
    assert!(apache.contains("END OF TERMS AND CONDITIONS"));
}

#[test]
fn the_workspace_hides_no_tests_and_asks_for_no_other_toolchain() {
    let root = root();
    let table = root.get("workspace").and_then(Value::as_table).cloned().unwrap_or_default();
    assert!(!table.contains_key("default-members"), "it would hide the tests of the other crates");
    let members = table.get("members").and_then(Value::as_array).cloned().unwrap_or_default();
    let members: Vec<&str> = members.iter().filter_map(Value::as_str).collect();
    assert_eq!(members, PACKAGES);
    for file in ["rust-toolchain", "rust-toolchain.toml"] {
        assert!(!workspace().join(file).exists(), "no toolchain can be downloaded for {file}");
    }
}

#[test]
fn a_library_is_no_benchmark_and_the_program_is_found_by_cargo_run() {
    for package in ["core", "backend-linux", "backend-sim", "tests"] {
        let manifest = manifest(package);
        let bench = manifest.get("lib").and_then(|lib| lib.get("bench")).and_then(Value::as_bool);
        assert_eq!(bench, Some(false), "{package}: [lib] bench = false");
    }
    let cli = manifest("cli");
    let run =
        cli.get("package").and_then(|package| package.get("default-run")).and_then(Value::as_str);
    assert_eq!(run, Some("standin"));
}

#[test]
fn a_lint_is_turned_off_only_where_it_says_why() {
    let complaints = everything().into_iter().flat_map(|file| {
        let attributes = file.text.match_indices("#[").chain(file.text.match_indices("#!["));
        let wrong = attributes.filter_map(|(at, mark)| {
            let rest = file.text.get(at + mark.len()..)?;
            let lowered = rest.starts_with("allow(") || rest.starts_with("expect(");
            let attribute = rest.split(")]").next()?;
            (lowered && !attribute.contains("reason"))
                .then(|| format!("{}: {attribute})", file.path))
        });
        wrong.collect::<Vec<_>>()
    });
    none("#[expect(..., reason = \"...\")]", complaints);
}

#[test]
fn a_foreign_dependency_has_one_version_for_the_whole_workspace() {
    let mut versions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in PACKAGES {
        let manifest = manifest(package);
        for kind in ["dependencies", "dev-dependencies"] {
            let table = manifest.get(kind).and_then(Value::as_table).cloned().unwrap_or_default();
            let foreign = table.into_iter().filter(|(name, _)| !name.starts_with("standin"));
            for (name, value) in foreign {
                let shared = value.get("workspace").and_then(Value::as_bool) == Some(true);
                let version =
                    if shared { "the workspace's".to_owned() } else { format!("{value:?}") };
                versions.entry(name).or_default().insert(version);
            }
        }
    }
    versions.retain(|_, versions| versions.len() > 1);
    assert_eq!(versions, BTreeMap::new());
}
