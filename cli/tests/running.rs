//! `standin run`.

mod common;

use std::path::Path;

use common::{Ended, Folder, end, run, standin};

/// A transcript of 6.12, unified, in which the last answer is `last`.
fn transcript(last: &str) -> String {
    format!(
        "machine kernel=6.12 layout=unified\n# a group\ninit> mkdir /sys/fs/cgroup/a\nok\n\n\
         init> read /sys/fs/cgroup/a/cgroup.events\n| populated 0\n| frozen 0\ninit> rmdir /sys/fs/cgroup/a\n{last}\n"
    )
}

/// The same without its answers.
fn script() -> String {
    let lines = transcript("ok");
    let kept = lines.lines().filter(|line| *line != "ok" && !line.starts_with("| "));
    kept.map(|line| format!("{line}\n"))
        .collect::<String>()
        .replace("kernel=6.12 layout=unified", "")
        .replace("machine ", "machine")
}

#[test]
fn first_steps_print_every_answer_and_nothing_unmodelled() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/first-steps.script");
    let Ended { status, out, err } = run(&["run", file.to_str().unwrap()]);
    assert_eq!((status, err.as_str()), (Some(0), ""), "{out}");
    for (operation, answer) in [
        ("init> write /sys/fs/cgroup/web/pids.max 2", "ENOENT open"),
        ("server> fork another", "EAGAIN"),
        ("init> read /sys/fs/cgroup/web/pids.current", "| 3"),
        ("server> proc guest cgroup", "| 0::/web"),
        ("init> rmdir /sys/fs/cgroup/web", "EBUSY"),
        ("init> write /sys/fs/cgroup/web/cgroup.subtree_control +memory", "ENOENT"),
        ("user> write /sys/fs/cgroup/web/pids.max max", "EACCES open"),
        ("user> mkdir /sys/fs/cgroup/mine", "EACCES"),
        ("init> status worker", "frozen"),
        ("worker> ppid", "blocked"),
        ("init> wait server", "killed KILL"),
    ] {
        assert!(out.contains(&format!("{operation}\n{answer}\n")), "{operation}: {answer}\n{out}");
    }
}

#[test]
fn a_script_becomes_a_transcript_for_the_kernel_that_it_ran_on() {
    let folder = Folder::new();
    let file = folder.file("a.script", script());
    let Ended { status, out, err } = run(&["run", &file]);
    assert_eq!((status, out.as_str(), err.as_str()), (Some(0), transcript("ok").as_str(), ""));
    let Ended { out, .. } = run(&["run", "--kernel", "6.1", &file]);
    assert_eq!(out, transcript("ok").replace("6.12", "6.1"));
}

#[test]
fn a_transcript_that_holds_is_printed_as_it_is() {
    let folder = Folder::new();
    let file = folder.file("a.transcript", transcript("ok"));
    let Ended { status, out, err } = run(&["run", &file, "--seed", "7"]);
    assert_eq!((status, out, err.as_str()), (Some(0), transcript("ok"), ""));
}

#[test]
fn a_difference_is_shown_with_its_line_and_fails() {
    let folder = Folder::new();
    let file = folder.file("a.transcript", transcript("EBUSY"));
    let Ended { status, out, err } = run(&["run", &file]);
    assert_eq!((status, out), (Some(1), transcript("ok")));
    assert_eq!(
        err,
        format!("{file}:9: init> rmdir /sys/fs/cgroup/a\n  expected  EBUSY\n       got  ok\n")
    );
}

#[test]
fn standard_input_is_a_script_too() {
    let Ended { status, out, .. } = end(standin(&["run", "-"]).write_stdin(script()));
    assert_eq!((status, out), (Some(0), transcript("ok")));
    let Ended { status, err, .. } = end(standin(&["run", "-"]).write_stdin("machine\ninit> x\n"));
    assert_eq!(status, Some(2));
    assert!(err.contains("<stdin>:2:7: "), "{err}");
}

#[test]
fn several_files_are_printed_in_their_order_under_their_names() {
    let folder = Folder::new();
    let (b, a) = (folder.file("b", script()), folder.file("a", script()));
    let Ended { status, out, .. } = run(&["run", &b, &a]);
    let expected = [&b, &a].map(|name| format!("# {name}\n{}", transcript("ok"))).concat();
    assert_eq!((status, out), (Some(0), expected));
}

#[test]
fn update_writes_the_answers_into_the_file() {
    let folder = Folder::new();
    let file = folder.file("a.transcript", transcript("EBUSY"));
    let Ended { status, out, err } = run(&["run", "--update", &file]);
    assert_eq!((status, out.as_str()), (Some(0), ""));
    assert_eq!(err, format!("{file}: updated, 1 answer changed\n"));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), transcript("ok"));
    let Ended { status, err, .. } = run(&["run", "--update", &file]);
    assert_eq!((status, err.as_str()), (Some(0), ""));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn what_is_not_modelled_fails_and_is_never_written_as_an_expectation() {
    let folder = Folder::new();
    let script = "machine\ninit> pid\ninit> umount /\n";
    let file = folder.file("a.script", script);
    let Ended { status, out, err } = run(&["run", &file]);
    assert_eq!(status, Some(1), "{out}");
    assert!(out.ends_with("init> umount /\nNotModelled umount\n"), "{out}");
    assert_eq!(err, format!("{file}:3: not modelled: 1 of 2 operations; this is the first\n"));
    assert_eq!(run(&["run", "--update", &file]).status, Some(1));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), script);
}

#[test]
fn programs_read_json() {
    let folder = Folder::new();
    let file = folder.file("a.transcript", transcript("EBUSY"));
    let Ended { status, out, .. } = run(&["run", "--json", &file]);
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((status, &json["status"]), (Some(1), &1.into()));
    let ran = &json["files"][0];
    assert_eq!(
        (&ran["file"], &ran["kernel"], &ran["operations"]),
        (&file.into(), &"6.12".into(), &3.into())
    );
    let difference = serde_json::json!([{
        "line": 9, "operation": "init> rmdir /sys/fs/cgroup/a", "expected": ["EBUSY"], "got": ["ok"]
    }]);
    assert_eq!((&ran["differences"], &ran["transcript"]), (&difference, &transcript("ok").into()));
    let wrong = folder.file("wrong", "machine\ninit> mkdri\n");
    let Ended { status, out, .. } = run(&["run", "--json", &wrong]);
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    let error = &json["files"][0]["error"];
    assert_eq!((status, &error["line"], &error["column"]), (Some(2), &2.into(), &7.into()));
}

#[test]
fn every_command_has_help() {
    for (command, word) in [
        ("run", "--update"),
        ("check", "--junit"),
        ("tree", "FILE"),
        ("ps", "--json"),
        ("doctor", "changes nothing"),
    ] {
        let Ended { status, out, err } = run(&[command, "--help"]);
        assert_eq!((status, err.as_str()), (Some(0), ""));
        assert!(out.contains(word) && out.contains("Usage: standin "), "{out}");
    }
    let Ended { status, out, .. } = run(&["--help"]);
    assert!(
        status == Some(0)
            && out
                .contains("Exit status: 0 all is well, 1 a difference or a failure, 2 wrong use.")
    );
    assert!(run(&["--version"]).out.starts_with("standin "));
}
