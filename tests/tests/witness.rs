//! Somebody else's code as a witness: what libcgroup's tools did on a real kernel and were answered, done again on the machine.
//!
//! Recorded by strace(1), so that no line of this project took part: `fixtures/witness`.

use std::fs;

use standin::fs::read_to_string;
use standin_sim::{Layout, Machine, Release};
use standin_tests::fixtures::{Fixture, fixture_path};
use standin_tests::replay;
use toml::{Table, Value};

/// The names of the recordings.
fn names() -> Vec<String> {
    let entries = fs::read_dir(fixture_path("witness/libcgroup")).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let mut names: Vec<String> =
        names.filter_map(|name| name.strip_suffix(".transcript").map(str::to_owned)).collect();
    names.sort();
    names
}

#[test]
fn the_machine_answers_the_tools_of_libcgroup_as_the_kernel_did() {
    let mut complaints = String::new();
    let mut operations = 0;
    for name in names() {
        let path = fixture_path("witness/libcgroup").join(format!("{name}.transcript"));
        let fixture = Fixture::read(&name, &path);
        operations += fixture.transcript.operations().count();
        complaints.extend(replay::check(&fixture, &[]).err());
    }
    assert!(complaints.is_empty(), "{complaints}");
    assert!(operations > 900, "{operations}");
}

/// libcgroup looks for hierarchies here.
#[test]
fn the_machine_lists_the_mounted_hierarchies_as_the_kernel_did() {
    let machine = Machine::builder().kernel(Release::V6_18).layout(Layout::Hybrid).build();
    let told = read_to_string(&machine.root(), "/proc/mounts").unwrap();
    let cgroups = told.lines().filter(|line| line.starts_with("cgroup"));
    let expected = fs::read_to_string(fixture_path("witness/libcgroup/mounts")).unwrap();
    assert_eq!(cgroups.collect::<Vec<_>>(), expected.lines().collect::<Vec<_>>());
}

#[test]
fn what_is_left_out_of_the_recordings_has_a_reason() {
    let text = fs::read_to_string(fixture_path("witness/left_out.toml")).unwrap();
    let table: Table = text.parse().unwrap();
    let rows = table.get("left_out").and_then(Value::as_array).unwrap();
    for row in rows {
        let said = |name: &str| row.get(name).and_then(Value::as_str).unwrap_or_default().len();
        assert!(said("what") > 0 && said("why") > 10, "{row:?}");
    }
}
