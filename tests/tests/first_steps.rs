//! The script that the README shows first: it must be a pleasant read on any host, with every operation answered.

use std::fs;

use standin::transcript::{Theme, op_rows, parse};
use standin_tests::fixtures::fixture_path;
use standin_tests::replay;

#[test]
fn the_first_steps_run_on_the_machine_and_show_what_linux_refuses() {
    let text = fs::read(fixture_path("first-steps.script")).expect("the script is there");
    let script = parse(&text).expect("a script");
    let report = replay::on_machine(&script).expect("the run ends");
    assert_eq!(report.not_modelled, 0);
    let printed = report.transcript.to_string();
    println!("{printed}");
    for answer in [
        "ENOENT open",
        "ENOENT",
        "EINVAL",
        "EAGAIN",
        "EBUSY",
        "EACCES",
        "blocked",
        "frozen",
        "zombie",
        "gone",
        "killed KILL",
    ] {
        assert!(printed.lines().any(|line| line == answer), "nothing in it answers {answer}");
    }
}

#[test]
fn the_first_steps_are_short_and_use_files_and_processes_only() {
    let text = fs::read(fixture_path("first-steps.script")).expect("the script is there");
    let script = parse(&text).expect("a script");
    assert!((20..=35).contains(&script.operations().count()));
    for operation in script.operations() {
        let name = operation.op().name();
        let theme = op_rows().find(|row| row.name == name).map(|row| row.theme);
        assert!(matches!(theme, Some(Theme::Files | Theme::Processes)), "{name}");
    }
}
