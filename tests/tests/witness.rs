//! Somebody else's code as a witness: what libcgroup's tools did on real kernels and were answered, done again on the machine.
//!
//! Recorded by strace(1), so that no line of this project took part in what was asked: `fixtures/witness`, and
//! `standin-lab witness`, which makes it.

use std::fs;
use std::path::PathBuf;

use standin::fs::read_to_string;
use standin_sim::{Layout, Machine, Release};
use standin_tests::fixtures::{Fixture, fixture_path};
use standin_tests::lab::witness::session::SESSIONS;
use standin_tests::replay;
use toml::{Table, Value};

/// Where there are recordings, and the least number of their operations.
const PLACES: [(Release, Layout, usize); 5] = [
    (Release::V6_1, Layout::Legacy, 1400),
    (Release::V6_1, Layout::Hybrid, 1400),
    (Release::V6_12, Layout::Legacy, 1100),
    (Release::V6_12, Layout::Hybrid, 1600),
    (Release::V6_18, Layout::Hybrid, 1000),
];

fn folder(kernel: Release, layout: Layout) -> PathBuf {
    fixture_path("witness/libcgroup").join(kernel.name()).join(layout.name())
}

/// The recordings of one place.
fn recordings(kernel: Release, layout: Layout) -> Vec<Fixture> {
    let entries = fs::read_dir(folder(kernel, layout)).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "transcript"));
    paths.sort();
    let read = |path: &PathBuf| {
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        Fixture::read(&format!("{}/{}/{name}", kernel.name(), layout.name()), path)
    };
    paths.iter().map(read).collect()
}

#[test]
fn the_machine_answers_the_tools_of_libcgroup_as_the_kernel_did() {
    let mut complaints = String::new();
    for (kernel, layout, least) in PLACES {
        let mut operations = 0;
        for fixture in recordings(kernel, layout) {
            operations += fixture.transcript.operations().count();
            complaints.extend(replay::check(&fixture, &[]).err());
        }
        let place = format!("{}/{}", kernel.name(), layout.name());
        println!("{place}: {operations} operations");
        if operations < least {
            complaints.push_str(&format!("\n{place}: only {operations} operations"));
        }
    }
    assert!(complaints.is_empty(), "{complaints}");
}

/// Otherwise nobody could record it again.
#[test]
fn each_recording_is_of_a_session_and_has_its_commands() {
    for (kernel, layout, _) in PLACES {
        for fixture in recordings(kernel, layout) {
            let session = SESSIONS.iter().find(|session| session.name == fixture.topic());
            let commands = fixture.text.lines().filter_map(|line| line.strip_prefix("# $ "));
            let commands: Vec<&str> = commands.collect();
            assert_eq!(Some(&commands[..]), session.map(|it| it.commands), "{}", fixture.name);
        }
    }
}

/// libcgroup looks for hierarchies here.
#[test]
fn the_machine_lists_the_mounted_hierarchies_as_the_kernel_did() {
    for (kernel, layout, _) in PLACES {
        let expected = fs::read_to_string(folder(kernel, layout).join("mounts")).unwrap();
        let machine = Machine::builder().kernel(kernel).layout(layout).build();
        let told = read_to_string(&machine.root(), "/proc/mounts").unwrap();
        let cgroups = told.lines().filter(|line| line.starts_with("cgroup"));
        let place = format!("{}/{}", kernel.name(), layout.name());
        assert_eq!(cgroups.collect::<Vec<_>>(), expected.lines().collect::<Vec<_>>(), "{place}");
    }
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
