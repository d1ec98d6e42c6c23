//! `standin tree`, `ps` and `doctor`.

mod common;

use common::{Ended, Folder, run};

const SCRIPT: &str = "machine
init> write /sys/fs/cgroup/cgroup.subtree_control +pids
init> mkdir /sys/fs/cgroup/web
init> mkdir /sys/fs/cgroup/web/inner
init> write /sys/fs/cgroup/web/pids.max 3
init> fork server into=/sys/fs/cgroup/web
server> fork worker
worker> exit 3
init> write /sys/fs/cgroup/web/cgroup.freeze 1
server> pid
";

#[test]
fn a_tree_shows_the_machine_as_the_script_left_it() {
    let folder = Folder::new();
    let file = folder.file("a.script", SCRIPT);
    let Ended { status, out, err } = run(&["tree", &file]);
    assert_eq!((status, err.as_str()), (Some(0), ""));
    let expected = "└─ web  1 process  cgroup.freeze=1  pids.max=3\n   └─ inner\n";
    assert!(out.starts_with("/sys/fs/cgroup (cgroup2: ") && out.ends_with(expected), "{out}");
}

#[test]
fn ps_shows_who_is_where_and_in_what_state() {
    let folder = Folder::new();
    let file = folder.file("a.script", SCRIPT);
    let Ended { status, out, .. } = run(&["ps", &file]);
    assert_eq!(status, Some(0));
    let rows: Vec<Vec<&str>> = out.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[0], ["PID", "PPID", "STATE", "CGROUP", "NAME"]);
    let states: Vec<[&str; 2]> = rows[1..].iter().map(|row| [row[2], row[3]]).collect();
    assert_eq!(
        states,
        [["running", "/"], ["running", "/"], ["frozen", "/web"], ["zombie", "/web"]],
        "{out}"
    );
    assert!(out.lines().nth(3).unwrap().ends_with(" init <server>"), "{out}");
    let json: serde_json::Value = serde_json::from_str(&run(&["ps", "--json", &file]).out).unwrap();
    assert_eq!(
        (&json["processes"][2]["cgroup"], &json["processes"][3]["actor"]),
        (&"/web".into(), &"worker".into())
    );
}

#[test]
fn a_new_machine_can_be_looked_at() {
    let Ended { status, out, .. } = run(&["tree", "--on", "sim", "--kernel", "6.18"]);
    assert_eq!(status, Some(0));
    assert!(out.lines().count() == 1 && out.contains("pids") && out.contains("dmem"), "{out}");
    assert_eq!(run(&["ps", "--on", "sim"]).out.lines().count(), 3);
}

#[test]
fn this_host_is_shown_to_anybody() {
    let Ended { status, out, .. } = run(&["ps"]);
    assert!(status == Some(0) && out.contains("standin"), "{out}");
    let json: serde_json::Value = serde_json::from_str(&run(&["ps", "--json"]).out).unwrap();
    let own = std::process::id();
    assert!(
        json["processes"].as_array().unwrap().iter().any(|process| process["pid"] == own),
        "{own}"
    );
    let Ended { status, out, .. } = run(&["tree"]);
    assert!(status == Some(0) && !out.is_empty());
    assert!(serde_json::from_str::<serde_json::Value>(&run(&["tree", "--json"]).out).is_ok());
}

#[test]
fn doctor_works_everywhere_and_says_that_the_machine_does() {
    let Ended { status, out, err } = run(&["doctor"]);
    assert_eq!((status, err.as_str()), (Some(0), ""));
    assert!(out.starts_with("yes simulated kernel"), "{out}");
    for topic in [
        "root",
        "cgroup layout",
        "user namespaces",
        "birth in a cgroup",
        "process handles",
        "bounded paths",
        "virtual machines",
    ] {
        assert!(out.contains(topic), "{topic}\n{out}");
    }
    let json: serde_json::Value = serde_json::from_str(&run(&["doctor", "--json"]).out).unwrap();
    assert_eq!(json["findings"][0]["works"], "yes");
}
