//! `standin check`.

mod common;

use common::{Ended, Folder, elements, named, run};

fn transcript(answer: &str) -> String {
    format!("machine kernel=6.12 layout=unified\ninit> mkdir /sys/fs/cgroup/a\n{answer}\n")
}

/// A folder with one file of each sort.
fn folder() -> Folder {
    let folder = Folder::new();
    folder.file("deep/down/good.transcript", transcript("ok"));
    folder.file("good.script", transcript("ok"));
    folder.file("bad.transcript", transcript("EEXIST"));
    folder.file("half.script", "machine\ninit> pid\n");
    folder.file("unmodelled.transcript", "machine\ninit> umount /\nok\n");
    folder.file("README.md", "not looked at");
    folder
}

#[test]
fn transcripts_are_found_below_and_counted() {
    let folder = folder();
    let Ended { status, out, err } = run(&["check", folder.name()]);
    assert_eq!((status, err.as_str()), (Some(1), ""));
    let end = "2 passed, 2 failed, 1 skipped\nnot modelled: 1 operation in 1 file\nskipped: 1 file: an operation has no answer: ";
    assert!(out.contains(end), "{out}");
    let difference = format!(
        "{}/bad.transcript:2: init> mkdir /sys/fs/cgroup/a\n  expected  EEXIST\n       got  ok\n",
        folder.name()
    );
    assert!(out.starts_with(&difference), "{out}");
}

#[test]
fn all_is_well_if_all_pass_or_are_skipped() {
    let folder = Folder::new();
    folder.file("a.transcript", transcript("ok"));
    folder.file("b.script", "machine\ninit> pid\n");
    let Ended { status, out, .. } = run(&["check", folder.name()]);
    assert_eq!(status, Some(0));
    assert!(out.starts_with("1 passed, 0 failed, 1 skipped\n"), "{out}");
}

#[test]
fn the_order_is_that_of_the_names_whoever_is_first() {
    let folder = Folder::new();
    for number in 0..40 {
        folder.file(&format!("{:02}/x.transcript", 39 - number), transcript("EEXIST"));
    }
    let first = run(&["check", folder.name()]).out;
    let places: Vec<&str> = first.lines().filter(|line| line.contains("x.transcript:2")).collect();
    assert_eq!(places.len(), 40);
    assert!(places.is_sorted());
    assert_eq!(run(&["check", folder.name()]).out, first);
}

#[test]
fn a_file_that_cannot_be_read_is_wrong_use_but_stops_nobody() {
    let folder = folder();
    folder.file("aaa.script", "nonsense\n");
    let Ended { status, out, err } = run(&["check", folder.name()]);
    assert_eq!(status, Some(2));
    assert!(out.contains("2 passed, 2 failed, 1 skipped, 1 error\n"), "{out}");
    assert!(err.contains("aaa.script:1:1: "), "{err}");
}

#[test]
fn a_directory_without_transcripts_is_wrong_use() {
    let folder = Folder::new();
    folder.file("README.md", "");
    let Ended { status, err, .. } = run(&["check", folder.name()]);
    assert_eq!(status, Some(2));
    assert!(err.contains("nothing to check") && err.contains(".transcript or .script"), "{err}");
}

#[test]
fn programs_read_json_and_build_servers_junit() {
    let folder = folder();
    let junit = format!("{}/out/junit.xml", folder.name());
    std::fs::create_dir(folder.path().join("out")).unwrap();
    let Ended { status, out, .. } = run(&["check", "--json", "--junit", &junit, folder.name()]);
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((status, &json["status"]), (Some(1), &1.into()));
    let results: Vec<&str> = json["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| file["result"].as_str().unwrap())
        .collect();
    assert_eq!(results, ["failed", "passed", "passed", "skipped", "failed"]);
    assert_eq!(json["summary"]["not_modelled_operations"], 1);
    let xml = std::fs::read_to_string(&junit).unwrap();
    for part in [
        "tests=\"5\" failures=\"2\" errors=\"0\" skipped=\"1\"",
        "name=\"bad.transcript\"",
        "<failure message=\"1 differ, 0 not modelled\">",
        "init&gt; mkdir /sys/fs/cgroup/a",
        "<skipped message=\"an operation has no answer",
    ] {
        assert!(xml.contains(part), "{part}\n{xml}");
    }
    let elements = elements(&junit);
    let suite = &elements.iter().find(|(name, _)| name == "testsuite").expect("it is there").1;
    for (count, element) in [
        ("tests", "testcase"),
        ("failures", "failure"),
        ("skipped", "skipped"),
        ("errors", "error"),
    ] {
        assert_eq!(suite[count], named(&elements, element).to_string(), "{xml}");
    }
    let Ended { status, err, .. } = run(&["check", "--junit", folder.name(), folder.name()]);
    assert!(status == Some(2) && err.contains("cannot be written"), "{err}");
}

#[test]
fn on_a_host_what_does_not_fit_is_skipped_with_its_reason() {
    let folder = Folder::new();
    folder.file("a.transcript", format!("# needs: vm\n{}", transcript("ok")));
    let Ended { status, out, err } = run(&["check", "--on", "host", folder.name()]);
    assert_eq!((status, err.as_str()), (Some(0), ""));
    assert!(out.starts_with("0 passed, 0 failed, 1 skipped\nskipped: 1 file: it "), "{out}");
    let file = format!("{}/a.transcript", folder.name());
    let Ended { status, err, .. } = run(&["run", "--on", "host", &file]);
    assert_eq!(status, Some(2));
    assert!(err.contains("not on this host: it "), "{err}");
}

#[test]
fn what_lists_beside_say_is_skipped_or_known_and_must_be_true() {
    let folder = folder();
    folder.file(
        "skips.toml",
        "[[skip]]\nid = 'root'\nreason = 'no umount of the root'\noperations = ['umount *']",
    );
    let row = |line: u32| {
        format!("[[difference]]\nfixture = 'bad'\nline = {line}\nclause = 'mkdir(2)'\nwhy = 'so'\n")
    };
    let above = folder.path().file_name().unwrap().to_str().unwrap();
    folder.file("ledger.toml", row(2).replace("bad", &format!("{above}/bad")));
    let Ended { status, out, err } = run(&["check", folder.name()]);
    assert_eq!((status, err.as_str()), (Some(0), ""));
    let end =
        "3 passed, 0 failed, 2 skipped\nknown: 1 difference\nskipped: 1 file: an operation has no";
    assert!(
        out.starts_with(end) && out.contains("skipped: 1 file: root: no umount of the root\n"),
        "{out}"
    );

    assert_eq!(run(&["check", "--bare", folder.name()]).status, Some(1));

    // A file is the same however it is named.
    let name = format!("{}/deep/../bad.transcript", folder.name());
    assert_eq!(run(&["check", &name]).status, Some(0));

    // The nearest list counts.
    folder.file("deep/ledger.toml", row(2).replace("bad", "down/good"));
    let Ended { status, out, .. } = run(&["check", folder.name()]);
    assert_eq!(status, Some(1));
    let idle =
        "good.transcript:2: ledger.toml says that it differs, and it does not\n2 passed, 1 failed";
    assert!(out.contains(idle), "{out}");

    folder.file("ledger.toml", "[[differences]]");
    let Ended { status, err, .. } = run(&["check", folder.name()]);
    assert_eq!(status, Some(2));
    assert!(err.contains("ledger.toml: ") && err.contains("--bare"), "{err}");
}
