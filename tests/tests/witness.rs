//! Somebody else's code as a witness: what tools did on real kernels and were answered, done again on the machine.
//!
//! Recorded by strace(1), so that no line of this project took part in what was asked: `fixtures/witness`, and
//! `standin-lab witness`, which makes it.

use std::fs;
use std::path::PathBuf;

use standin::fs::read_to_string;
use standin::transcript::parse;
use standin_sim::{Layout, Machine, Release};
use standin_tests::fixtures::{Fixture, fixture_path};
use standin_tests::lab::witness::procfs::mask::hidden;
use standin_tests::lab::witness::witnessed::Witnessed;
use standin_tests::replay;
use toml::{Table, Value};

/// Where there are recordings of a group, and the least number of their operations.
type Place = (&'static str, Release, Layout, usize);

/// Those of libcgroup's tools.
const LIBCGROUP: [Place; 5] = [
    ("libcgroup", Release::V6_1, Layout::Legacy, 1400),
    ("libcgroup", Release::V6_1, Layout::Hybrid, 1400),
    ("libcgroup", Release::V6_12, Layout::Legacy, 1100),
    ("libcgroup", Release::V6_12, Layout::Hybrid, 1600),
    ("libcgroup", Release::V6_18, Layout::Hybrid, 1000),
];
/// Those of tools that read /proc.
const PROCFS: [Place; 2] = [
    ("procfs", Release::V6_1, Layout::Unified, 1800),
    ("procfs", Release::V6_12, Layout::Unified, 1800),
];

fn folder((group, kernel, layout, _): Place) -> PathBuf {
    fixture_path("witness").join(group).join(kernel.name()).join(layout.name())
}

fn name((group, kernel, layout, _): Place) -> String {
    format!("{group}/{}/{}", kernel.name(), layout.name())
}

/// The recordings of one place.
fn recordings(place: Place) -> Vec<Fixture> {
    let entries = fs::read_dir(folder(place)).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "transcript"));
    paths.sort();
    let read = |path: &PathBuf| {
        let topic = path.file_stem().unwrap_or_default().to_string_lossy();
        Fixture::read(&format!("{}/{topic}", name(place)), path)
    };
    paths.iter().map(read).collect()
}

/// Checks every recording of places, and that there are as many operations as there shall be.
#[track_caller]
fn check(places: &[Place], replays: impl Fn(&Fixture) -> Result<(), String>) {
    let mut complaints = String::new();
    for place in places {
        let mut operations = 0;
        for fixture in recordings(*place) {
            operations += fixture.transcript.operations().count();
            complaints.extend(replays(&fixture).err());
        }
        println!("{}: {operations} operations", name(*place));
        if operations < place.3 {
            complaints.push_str(&format!("\n{}: only {operations} operations", name(*place)));
        }
    }
    assert!(complaints.is_empty(), "{complaints}");
}

#[test]
fn the_machine_answers_the_tools_of_libcgroup_as_the_kernel_did() {
    check(&LIBCGROUP, |fixture| replay::check(fixture, &[]));
}

#[test]
fn the_machine_answers_the_tools_that_read_proc_as_the_kernel_did() {
    check(&PROCFS, |fixture| {
        let report = replay::on_machine(&fixture.transcript)?;
        let told = hidden(&report.transcript.to_string());
        let told = parse(told.as_bytes()).map_err(|error| error.to_string())?;
        let both = fixture.transcript.operations().zip(told.operations());
        let differs = both.filter_map(|(recorded, told)| {
            let (recorded_answer, answer) = (recorded.answer.as_ref()?, told.answer.as_ref()?);
            let difference = recorded_answer.difference(answer)?;
            let at = format!("{}:{}", fixture.name, recorded.line());
            Some(format!("\n{at}: {}\n    {difference}", recorded.source()))
        });
        let complaints: String = differs.collect();
        if complaints.is_empty() { Ok(()) } else { Err(complaints) }
    });
}

/// Otherwise nobody could record it again.
#[test]
fn each_recording_is_of_a_session_and_has_its_commands() {
    for place in LIBCGROUP.into_iter().chain(PROCFS) {
        for fixture in recordings(place) {
            let session = Witnessed::named(fixture.topic());
            let commands = fixture.text.lines().filter_map(|line| line.strip_prefix("# $ "));
            let commands: Vec<&str> = commands.collect();
            assert_eq!(Some(&commands[..]), session.map(Witnessed::commands), "{}", fixture.name);
            assert_eq!(Some(place.0), session.map(Witnessed::group), "{}", fixture.name);
        }
    }
}

/// libcgroup looks for hierarchies here.
#[test]
fn the_machine_lists_the_mounted_hierarchies_as_the_kernel_did() {
    for place @ (_, kernel, layout, _) in LIBCGROUP {
        let expected = fs::read_to_string(folder(place).join("mounts")).unwrap();
        let machine = Machine::builder().kernel(kernel).layout(layout).build();
        let told = read_to_string(&machine.root(), "/proc/mounts").unwrap();
        let cgroups = told.lines().filter(|line| line.starts_with("cgroup"));
        let told = cgroups.collect::<Vec<_>>();
        assert_eq!(told, expected.lines().collect::<Vec<_>>(), "{}", name(place));
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
