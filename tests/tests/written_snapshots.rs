//! Snapshots as text: a machine that is read answers as the one that was written, the same state is the same text, and no text is
//! taken that is not whole, of this version, and a state that a machine can be in.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use proptest::prelude::{any, prop_assert, proptest};
use proptest::sample::Index;
use standin::backend::{Spawn, WaitStatus};
use standin::transcript::{Transcript, parse};
use standin::{Backend, ExitCode, KPath, fs};
use standin_cli::skips;
use standin_sim::{Fault, Layout, Machine, Release, Search, Snapshot, SnapshotError, Stage};
use standin_tests::changing::Changing;
use standin_tests::{fixtures, generate, lists, replay};

fn read_again(machine: &Machine) -> Option<Machine> {
    let text = machine.snapshot().ok()?.to_json();
    let read = Snapshot::from_json(text.as_bytes()).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(read.to_json(), text, "what is read is what was written");
    Some(read.machine())
}

/// Each so many-th recording is played: a text is long, and the state of each kind is in several recordings.
const FIXTURES_A_RUN: usize = 7;

fn moved(stage: &Stage) -> Option<Stage> {
    Some(stage.moved_to(read_again(stage.machine())?))
}

/// Plays a script to its end, and again with a machine in the middle that was written and read; whether there was one, and
/// whether both answered alike.
fn both_ways(script: &Transcript, turn: usize) -> (bool, bool) {
    let mut alone = Changing::new(Stage::new(&script.machine), usize::MAX, moved);
    let Ok(whole) = replay::on(script, &mut alone) else { return (false, true) };
    let whole = whole.transcript.to_string();
    let requests = whole.matches("> ").count();
    let left = if turn.is_multiple_of(2) { requests / 2 } else { turn % requests.max(1) };
    let mut stage = Changing::new(Stage::new(&script.machine), left, moved);
    let report = replay::on(script, &mut stage).unwrap();
    let alike = report.transcript.to_string() == whole && stage.checked == alone.checked;
    (stage.has_changed(), alike)
}

#[test]
fn a_machine_that_was_read_answers_recorded_scripts_as_the_first_would_have() {
    let skips = lists::skips();
    let all = fixtures::cached().iter();
    let played = all.filter(|fixture| skips::first(&skips, &fixture.transcript).is_none());
    let (mut changed, mut differ) = (0, Vec::new());
    for (turn, fixture) in played.step_by(FIXTURES_A_RUN).enumerate() {
        let (has_changed, alike) = both_ways(&fixture.transcript, turn);
        changed += usize::from(has_changed);
        if !alike {
            differ.push(&fixture.name);
        }
    }
    assert!(differ.is_empty(), "{} differ: {differ:#?}", differ.len());
    assert!(changed > 500, "snapshots were read in {changed} runs");
}

proptest! {
    #![proptest_config(generate::config())]

    #[test]
    fn a_machine_that_was_read_answers_generated_scripts_as_the_first_would_have(
        text in generate::scripts(2..60),
        turn in any::<u16>(),
    ) {
        let script = parse(text.as_bytes()).unwrap();
        let (_, alike) = both_ways(&script, turn.into());
        prop_assert!(alike, "{text}");
    }
}

/// A machine with something of most kinds.
fn furnished() -> Machine {
    let machine = Machine::builder().layout(Layout::Hybrid).trace().build();
    let script = parse(
        b"machine kernel=6.12 layout=hybrid\n\
        init> mkdir /sys/fs/cgroup/unified/a\n\
        init> mkdir /sys/fs/cgroup/pids/b\n\
        init> write /sys/fs/cgroup/pids/b/pids.max 7\n\
        init> fork p into=/sys/fs/cgroup/unified/a\n\
        init> write /sys/fs/cgroup/pids/b/cgroup.procs $p\n\
        p> unshare uts,pid\n\
        init> mount tmpfs /mnt\n\
        init> create /mnt/f\n\
        init> write /mnt/f text\n\
        init> open f /mnt/f rw\n\
        init> rmdir /sys/fs/cgroup/unified\n",
    );
    let mut stage = Stage::on(machine.clone());
    replay::on(&script.unwrap(), &mut stage).unwrap();
    machine
}

#[test]
fn the_same_state_is_the_same_text_each_time() {
    let texts: Vec<String> = (0..3).map(|_| furnished().snapshot().unwrap().to_json()).collect();
    assert!(texts.windows(2).all(|pair| pair[0] == pair[1]));
    let machine = furnished();
    let restored = machine.snapshot().unwrap().machine();
    assert_eq!(restored.snapshot().unwrap().to_json(), texts[0]);
    assert_eq!(read_again(&machine).unwrap().trace(), machine.trace());
    assert_eq!(read_again(&machine).unwrap().inventory(), machine.inventory());
}

#[test]
fn a_text_that_is_cut_anywhere_is_refused() {
    let text = furnished().snapshot().unwrap().to_json();
    let text = text.trim_end().as_bytes();
    for end in 0..text.len() {
        let refused = Snapshot::from_json(&text[..end]).unwrap_err();
        assert!(
            matches!(refused, SnapshotError::Foreign | SnapshotError::Length { .. }),
            "cut at {end}: {refused}"
        );
    }
    Snapshot::from_json(text).unwrap();
}

/// FNV-1a, as the first line has it.
fn digest(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |digest, byte| {
        (digest ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// A text with this state, and a first line that is right for it.
fn with_state(text: &str, state: &str) -> String {
    let (first, old) = text.trim_end().split_once('\n').unwrap();
    let first = first.replace(&old.len().to_string(), &state.len().to_string());
    let (old, new) = (digest(old.as_bytes()), digest(state.as_bytes()));
    format!("{}\n{state}\n", first.replace(&format!("{old:016x}"), &format!("{new:016x}")))
}

proptest! {
    #![proptest_config(generate::config())]

    #[test]
    fn a_text_with_a_changed_byte_is_refused(at in any::<Index>(), bit in 0..8_u32) {
        static TEXT: std::sync::LazyLock<String> =
            std::sync::LazyLock::new(|| furnished().snapshot().unwrap().to_json());
        let mut text = TEXT.trim_end().as_bytes().to_vec();
        let at = at.index(text.len());
        text[at] ^= 1 << bit;
        prop_assert!(Snapshot::from_json(&text).is_err(), "byte {at}");
    }
}

#[test]
fn a_state_that_breaks_a_rule_is_refused_though_its_digest_is_right() {
    let text = furnished().snapshot().unwrap().to_json();
    let (_, state) = text.trim_end().split_once('\n').unwrap();
    assert_eq!(with_state(&text, state), text);
    for (is, wrong) in [
        (r#""descendants":1"#, r#""descendants":2"#),
        (r#""headless":[]"#, r#""headless":7"#),
        (r#""dead":0"#, r#""dead":1"#),
        (r#""init":"0.1""#, r#""init":"77.1""#),
        (r#""threads":{"first":0"#, r#""threads":{"first":70"#),
        (r#""release":"V6_12""#, r#""release":"V7_99""#),
    ] {
        let changed = state.replacen(is, wrong, 1);
        assert_ne!(changed, state, "{is}");
        let refused = Snapshot::from_json(with_state(&text, &changed).as_bytes()).unwrap_err();
        assert!(matches!(refused, SnapshotError::Invalid { .. }), "{is}: {refused}");
    }
}

#[test]
fn a_text_of_another_version_is_refused_with_both_versions() {
    let text = Machine::builder().build().snapshot().unwrap().to_json();
    let older = text.replacen(r#""standin_snapshot":1"#, r#""standin_snapshot":0"#, 1);
    let newer = r#"{"standin_snapshot":2,"version":"9.8.7","sections":[]}"#.to_owned() + "\n...";
    let other = text.replacen(r#""version":"0."#, r#""version":"5."#, 1);
    let rows = text.replacen(r#""tables":""#, r#""tables":"x"#, 1);
    for (text, written) in [
        (older, "format 0 of"),
        (newer, "2 of standin-sim 9.8.7"),
        (other, " 5."),
        (rows, "(tables x"),
    ] {
        let refused = Snapshot::from_json(text.as_bytes()).unwrap_err();
        let SnapshotError::Version { written: told, .. } = &refused else { panic!("{refused}") };
        assert!(told.contains(written), "{told}");
        assert!(refused.to_string().contains("reads format 1 of standin-sim "), "{refused}");
    }
}

#[test]
fn what_is_no_snapshot_is_refused() {
    let foreign: [&[u8]; 6] =
        [b"", b"\n", b"{}\n{}\n", b"[1]\n", b"\xff\xfe\n\0", b"standin-1:6.12-unified-0:0:0000\n"];
    for text in foreign {
        assert_eq!(Snapshot::from_json(text).unwrap_err(), SnapshotError::Foreign);
    }
}

#[test]
fn a_snapshot_of_another_machine_is_refused_with_both_names() {
    let text = Machine::builder().kernel(Release::V6_1).build().snapshot().unwrap().to_json();
    let refused = Machine::builder().processors(8).resume(text.as_bytes()).unwrap_err();
    let refused = refused.to_string();
    assert!(refused.contains("machine 6.1-unified-") && refused.contains("not 6.12-unified-"));
    Machine::builder().kernel(Release::V6_1).resume(text.as_bytes()).unwrap();
}

/// Makes a group and ends with 3.
fn manager(kernel: &dyn Backend, _: &[Vec<u8>]) -> ExitCode {
    fs::create_dir(kernel, "/sys/fs/cgroup/made").unwrap();
    ExitCode(3)
}

#[test]
fn programs_are_kept_by_path_and_told_again() {
    let machine = Machine::builder().build();
    machine.program("/bin/manager", manager);
    // One that was started and has not begun goes on where it is told again.
    let path = KPath::new("/bin/manager").unwrap();
    let root = machine.root();
    standin::backend::Processes::spawn(&root, &Spawn::new(path, &[b"manager"])).unwrap();
    let text = machine.snapshot().unwrap().to_json();
    let told = Snapshot::from_json(text.as_bytes()).unwrap().machine();
    told.program("/bin/manager", manager);
    told.settle();
    assert_eq!(told.look().cgroups(), ["/made"]);
    fs::remove_dir(&told.root(), "/sys/fs/cgroup/made").unwrap();
    assert_eq!(told.run("/bin/manager", &[]), Ok(WaitStatus::Exited(3)));

    let untold = Snapshot::from_json(text.as_bytes()).unwrap().machine();
    let panic =
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| untold.settle())).unwrap_err();
    let message = panic.downcast_ref::<String>().unwrap();
    assert!(message.starts_with("the program /bin/manager panicked: it was in the snapshot"));
}

#[test]
fn a_snapshot_within_other_data_is_its_text() {
    let machine = furnished();
    let snapshot = machine.snapshot().unwrap();
    let data = serde_json::to_string(&("kept", &snapshot)).unwrap();
    let (word, read): (String, Snapshot) = serde_json::from_str(&data).unwrap();
    assert_eq!((word.as_str(), read.to_json()), ("kept", snapshot.to_json()));
    let cut = data.replacen("cgroups", "cgroup", 1);
    let refused = serde_json::from_str::<(String, Snapshot)>(&cut).unwrap_err();
    assert!(refused.to_string().starts_with("the snapshot is not whole"), "{refused}");
}

#[test]
fn what_decides_the_order_and_what_goes_wrong_is_in_the_text() {
    let scenario = |machine: &Machine| {
        let read = read_again(machine).unwrap();
        for machine in [machine, &read] {
            machine.program("/bin/manager", |kernel, _| {
                for name in ["a", "b", "c"] {
                    let _ = fs::create_dir(kernel, format!("/sys/fs/cgroup/{name}"));
                }
                ExitCode::SUCCESS
            });
            machine.run_together(&[&["/bin/manager"], &["/bin/manager"]]).unwrap();
        }
        assert_eq!(machine.look().cgroups(), read.look().cgroups());
    };
    let fault = Fault::fails("mkdir", standin::Errno::ENOSPC).perhaps();
    for search in [Search::random(7).runs(20), Search::priorities(7, 3).runs(20)] {
        search.on(Machine::builder().fault(fault.clone())).check(scenario).unwrap();
    }
}
