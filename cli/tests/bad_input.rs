//! Whatever the input is: a clear sentence with file and line, exit status 2, no panic, no hang.

mod common;

use common::{Ended, Folder, end, run, standin};

/// A script that cannot be used: its name, what is in it, and what must be said.
struct Bad {
    content: Vec<u8>,
    place: &'static str,
    says: &'static str,
    help: &'static str,
}

fn bad(
    content: impl AsRef<[u8]>,
    place: &'static str,
    says: &'static str,
    help: &'static str,
) -> Bad {
    Bad { content: content.as_ref().to_vec(), place, says, help }
}

#[track_caller]
fn check(bad: &Bad) {
    check_with(&["run", "check", "tree", "ps"], bad);
}

#[track_caller]
fn check_with(commands: &[&str], bad: &Bad) {
    let folder = Folder::new();
    let file = folder.file("bad.script", &bad.content);
    for &command in commands {
        let Ended { status, out, err } = run(&[command, &file]);
        assert_eq!(status, Some(2), "{command}: {err}");
        let place = format!("{file}{}", bad.place);
        for part in [place.as_str(), bad.says, bad.help] {
            assert!(err.contains(part), "{command}: {part:?} is missing in\n{err}");
        }
        assert!(err.len() < 4096 && !err.contains("panic"), "{command}: {err}");
        assert!(command == "check" || out.is_empty(), "{command}: {out}");
    }
}

#[test]
fn an_unknown_operation_is_named_with_the_nearest_one() {
    check(&bad(
        "machine\ninit> mkdri /a\n",
        ":2:7: ",
        "`mkdri` is not an operation",
        "mkdir PATH [MODE]",
    ));
}

#[test]
fn a_script_without_a_machine_line_is_told_how_one_looks() {
    check(&bad(
        "init> mkdir /a\n",
        ":1:",
        "machine line",
        "machine [kernel=6.12] [layout=unified]",
    ));
    check(&bad("", ":1:1: ", "there is no machine line", "machine [kernel=6.12]"));
}

#[test]
fn a_missing_argument_is_told_with_the_usage() {
    check(&bad("machine\n\n# a comment\ninit> write /a\n", ":4:", "", "write PATH DATA"));
}

#[test]
fn an_unknown_kernel_is_told_which_there_are() {
    check(&bad("machine kernel=2.6\n", ":1:", "2.6", "6.1, 6.12 or 6.18"));
}

#[test]
fn broken_utf8_is_told_with_its_column() {
    check(&bad(b"machine\ninit> mkdir /\xff\n", ":2:14: ", "this is not UTF-8", r"\xNN"));
}

#[test]
fn a_binary_file_is_refused() {
    check(&bad(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0>\0\x01\0\0\0\xf0\xff", ":1:", "", ""));
    check(&bad(vec![0; 1 << 16], ":1:", "", ""));
}

#[test]
fn a_nul_in_a_path_is_refused() {
    check(&bad("machine\ninit> mkdir \"/a\\0b\"\n", ":2:", "", ""));
}

#[test]
fn a_line_of_100_megabytes_is_refused() {
    check_with(
        &["run"],
        &bad(vec![b'x'; 100 << 20], ":1:1: ", "the input is too long", "at most 67108864 bytes"),
    );
}

#[test]
fn a_line_of_2_megabytes_is_refused() {
    let mut content = b"machine\ninit> mkdir /".to_vec();
    content.resize(2 << 20, b'a');
    check(&bad(content, ":2:", "the line is too long", "at most 1048576 bytes"));
}

#[test]
fn a_million_actors_are_refused_at_the_first_that_is_too_many() {
    let forks: String = (0..999_999).map(|number| format!("init> fork p{number}\n")).collect();
    check_with(
        &["run"],
        &bad(format!("machine\n{forks}"), ":8002:1: ", "too many actors", "at most 8000 actors"),
    );
}

#[test]
fn a_sleep_beyond_the_machines_time_is_refused() {
    let folder = Folder::new();
    let file =
        folder.file("long.script", format!("machine\ninit> sleep {}\n", u64::MAX / 1_000_000));
    let Ended { status, err, .. } = run(&["run", &file]);
    assert!(matches!(status, Some(0 | 2)), "{status:?}: {err}");
}

#[test]
fn the_machine_line_of_a_file_may_not_contradict_the_options() {
    let folder = Folder::new();
    let file = folder.file("a.script", "# head\nmachine kernel=6.1 layout=unified\ninit> pid\n");
    for (option, value, said) in
        [("--kernel", "6.18", "kernel 6.1,"), ("--layout", "hybrid", "layout unified,")]
    {
        let Ended { status, out, err } = run(&["run", option, value, &file]);
        assert_eq!((status, out.as_str()), (Some(2), ""), "{err}");
        for part in [
            format!("{file}:2:1: "),
            said.to_owned(),
            format!("{option} {value}"),
            "leave out".to_owned(),
        ] {
            assert!(err.contains(&part), "{part}\n{err}");
        }
    }
    assert_eq!(run(&["run", "--kernel", "6.1", "--layout", "unified", &file]).status, Some(0));
}

#[test]
fn files_that_cannot_be_read_are_named() {
    let folder = Folder::new();
    let missing = format!("{}/nowhere.script", folder.name());
    for command in ["run", "check", "tree", "ps"] {
        let Ended { status, err, .. } = run(&[command, &missing]);
        assert_eq!(status, Some(2), "{err}");
        assert!(err.contains(&missing) && err.contains("No such file"), "{err}");
    }
    let Ended { status, err, .. } = run(&["run", folder.name()]);
    assert_eq!(status, Some(2));
    assert!(err.contains("this is a directory") && err.contains("standin check DIR"), "{err}");
}

#[test]
fn a_name_with_control_characters_does_not_reach_the_terminal() {
    let folder = Folder::new();
    let file = folder.file("a\u{1b}[2Jb\n.script", "machine\ninit> nonsense\n");
    let Ended { status, err, .. } = run(&["run", &file]);
    assert_eq!(status, Some(2));
    assert!(!err.contains('\u{1b}') && err.contains(r"\u{1b}[2Jb"), "{err:?}");
}

#[test]
fn nothing_runs_if_one_of_the_files_is_wrong() {
    let folder = Folder::new();
    let good = folder.file("good.script", "machine\ninit> pid\n");
    let bad = folder.file("bad.script", "machine\ninit> nonsense\n");
    let Ended { status, out, err } = run(&["run", &good, &bad]);
    assert_eq!((status, out.as_str()), (Some(2), ""), "{err}");
    assert!(err.contains("bad.script:2:7"), "{err}");
}

#[test]
fn wrong_arguments_are_wrong_use() {
    for arguments in [
        &["frob"][..],
        &["run"],
        &["check"],
        &["run", "--kernel", "2.4", "x"],
        &["run", "--on", "moon", "x"],
        &["run", "--seed", "many", "x"],
        &["tree", "--on", "host", "x.script"],
        &["ps", "--kernel", "6.12"],
    ] {
        let Ended { status, out, err } = run(arguments);
        assert_eq!((status, out.as_str()), (Some(2), ""), "{arguments:?}: {err}");
        assert!(!err.is_empty());
    }
    assert_eq!(end(standin(&["run", "--update", "-"]).write_stdin("machine\n")).status, Some(2));
}

#[test]
fn odd_paths_in_a_script_are_the_kernels_business() {
    let folder = Folder::new();
    let script = "machine\ninit> mkdir /mnt/../mnt/./a\ninit> mkdir \"/mnt/a\\nb\"\ninit> rmdir /mnt/a/../..\ninit> mkdir \"\"\ninit> read relative\n";
    let Ended { status, out, err } = run(&["run", &folder.file("odd.script", script)]);
    assert_eq!(status, Some(0), "{out}{err}");
    assert_eq!(out.lines().filter(|line| !line.starts_with("init>")).count(), 6, "{out}");
}

#[test]
fn an_actor_that_is_still_blocked_at_the_end_is_no_error() {
    let folder = Folder::new();
    let script = "machine\ninit> mkdir /sys/fs/cgroup/a\ninit> fork p into=/sys/fs/cgroup/a\n\
                  init> write /sys/fs/cgroup/a/cgroup.freeze 1\np> pid\n";
    let file = folder.file("blocked.script", script);
    let Ended { status, out, err } = run(&["run", &file]);
    assert_eq!((status, err.as_str()), (Some(0), ""));
    assert!(out.ends_with("p> pid\nblocked\n"), "{out}");
    assert_eq!(run(&["tree", &file]).status, Some(0));
}

#[test]
fn output_that_nobody_reads_is_no_error() {
    use std::process::{Command, Stdio};
    let folder = Folder::new();
    let script = format!("machine\n{}", "init> read /proc/self/status\n".repeat(2000));
    let file = folder.file("long.script", script);
    for arguments in [&["run", file.as_str()][..], &["run", "--json", &file], &["ps"], &["--help"]]
    {
        let mut child = Command::new(env!("CARGO_BIN_EXE_standin"));
        child.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = child.spawn().unwrap();
        drop(child.stdout.take());
        let ended = child.wait_with_output().unwrap();
        let err = String::from_utf8_lossy(&ended.stderr);
        assert!(
            matches!(ended.status.code(), Some(0 | 1)) && !err.contains("defect"),
            "{arguments:?}: {err}"
        );
    }
}

#[test]
fn output_that_cannot_be_written_is_a_failure() {
    use std::process::{Command, Stdio};
    let Ok(full) = std::fs::File::options().write(true).open("/dev/full") else { return };
    let folder = Folder::new();
    let file = folder.file("a.script", "machine\ninit> pid\n");
    let mut command = Command::new(env!("CARGO_BIN_EXE_standin"));
    let ended = command
        .args(["run", &file])
        .stdout(Stdio::from(full))
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    assert_eq!(ended.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&ended.stderr).contains("cannot write to standard output"));
}
