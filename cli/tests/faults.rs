//! `standin run --faults`.

mod common;

use common::{Ended, Folder, run};

const SCRIPT: &str = "machine kernel=6.12 layout=unified
init> fork p
ok
p> mkdir /sys/fs/cgroup/a
ok
init> mkdir /sys/fs/cgroup/b
ok
";

const PLAN: &str = "standin-faults-1: mkdir fails ENOSPC of=p; any dies of=nobody; end";

#[test]
fn what_is_planned_goes_wrong_and_is_told() {
    let folder = Folder::new();
    let file = folder.file("a.transcript", SCRIPT);
    let Ended { status, out, err } = run(&["run", "--faults", PLAN, &file]);
    // Another answer was expected.
    assert_eq!(status, Some(1), "{err}");
    assert!(out.contains("p> mkdir /sys/fs/cgroup/a\nENOSPC\n"), "{out}");
    assert!(out.ends_with("init> mkdir /sys/fs/cgroup/b\nok\n"), "{out}");
    assert!(err.contains("a.transcript: fault: p: mkdir(\"/sys/fs/cgroup/a\""), "{err}");
    assert!(err.contains("a.transcript: fault 2 never happened: any dies of=nobody\n"), "{err}");
    let Ended { out, .. } = run(&["run", "--json", "--faults", PLAN, &file]);
    let json: serde_json::Value = serde_json::from_str(&out).expect("it is JSON");
    let told = json["files"][0]["faults"].as_array().expect("they are told");
    assert_eq!(told.len(), 1, "{json}");
}

#[test]
fn a_plan_may_stand_in_a_file_a_line_a_fault() {
    let folder = Folder::new();
    let script = folder.file("a.script", SCRIPT.replace("\nok", ""));
    let plan = "# p finds no room\nstandin-faults-1:\nmkdir fails ENOSPC of=p\nend\n";
    let plan = folder.file("a.faults", plan);
    let Ended { status, out, err } = run(&["run", "--faults", &plan, &script]);
    assert_eq!(status, Some(0), "{err}");
    assert!(out.contains("p> mkdir /sys/fs/cgroup/a\nENOSPC\n"), "{out}");
}

#[test]
fn what_is_no_plan_is_wrong_use_and_says_why() {
    let folder = Folder::new();
    let script = folder.file("a.script", SCRIPT);
    let cut = folder.file("cut.faults", "standin-faults-1:\nmkdir fails ENOSPC of=p\n");
    let other = folder.file("other.faults", "mkdir fails ENOSPC\n");
    let nowhere = format!("{}/nowhere.faults", folder.name());
    for (plan, said) in [
        (cut.as_str(), "not whole"),
        (&other, "is no fault plan"),
        (&nowhere, "cannot be read"),
        ("standin-faults-2: any dies; end", "version 2"),
        ("standin-faults-2: any dies; end", "version 1"),
        ("standin-faults-0: any dies; end", "version 0"),
        ("standin-faults-1: mkdri fails ENOSPC; end", "\"mkdri\""),
        ("standin-faults-1: mkdir fails ENOPE; end", "\"ENOPE\""),
        ("standin-faults-1: mkdir fails ENOSPC", "end"),
    ] {
        let Ended { status, out, err } = run(&["run", "--faults", plan, &script]);
        assert_eq!((status, out.as_str()), (Some(2), ""), "{plan}: {err}");
        assert!(err.contains(said), "{plan}: {err}");
    }
    for other in [["--on", "host"].as_slice(), &["--update"]] {
        let all = [&["run", "--faults", PLAN, &script], other].concat();
        assert_eq!(run(&all).status, Some(2), "{other:?}");
    }
}

#[test]
fn the_help_says_how_a_plan_is_written() {
    let Ended { status, out, .. } = run(&["run", "--help"]);
    assert_eq!(status, Some(0));
    for part in ["--faults <PLAN|FILE>", "standin-faults-1: mkdir fails ENOSPC", "once-in=N seed=N"]
    {
        assert!(out.contains(part), "{part}\n{out}");
    }
}
