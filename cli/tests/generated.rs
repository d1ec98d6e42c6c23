//! `standin campaign --generated`: cases of the property kit.

mod common;

use std::collections::BTreeMap;
use std::path::Path;

use common::{Ended, Folder, elements, named, run, shards_reach_alike};

#[track_caller]
fn campaign(corpus: &Folder, more: &[&str]) -> Ended {
    let usual = ["campaign", "--generated", "--operations", "20", "--corpus", corpus.name()];
    run(&[&usual, more].concat())
}

/// The files of a directory, with what is in them.
fn files(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(directory).expect("it is there");
    entries
        .map(|entry| entry.expect("it can be read"))
        .map(|entry| {
            let bytes = std::fs::read(entry.path()).expect("it can be read");
            (entry.file_name().to_string_lossy().into_owned(), bytes)
        })
        .collect()
}

/// All that a shard left behind.
fn left(corpus: &Folder, state: &str) -> [BTreeMap<String, Vec<u8>>; 3] {
    let state = std::fs::read(corpus.path().join(state)).expect("it is there");
    let [kept, broken] = ["kept", "broken"].map(|part| files(&corpus.path().join(part)));
    [kept, broken, BTreeMap::from([("state".to_owned(), state)])]
}

#[test]
fn cases_that_reach_something_new_are_kept_and_nothing_breaks() {
    let corpus = Folder::new();
    let Ended { status, out, err } = campaign(&corpus, &["--cases", "40"]);
    assert_eq!((status, err.as_str()), (Some(0), ""), "{out}");
    assert!(out.starts_with("shard 1/1: 40 cases, ") && out.contains("; 0 broken\n"), "{out}");
    let kept = files(&corpus.path().join("kept"));
    assert!(kept.len() > 5 && kept.len() < 40, "{:?}", kept.keys());
    let state = std::fs::read_to_string(corpus.path().join("shard-1-of-1.json")).unwrap();
    for pair in ["mkdir ok", "mkdir EEXIST", "write ok", "fork ok"] {
        assert!(state.contains(&format!("\"{pair}\"")), "{pair} is not in {state}");
    }
}

#[test]
fn the_same_seed_and_shard_are_the_same_corpus_interrupted_or_not() {
    let [one, same, halves, other] = [(); 4].map(|()| Folder::new());
    campaign(&one, &["--cases", "40", "--shard", "2/2"]);
    campaign(&same, &["--cases", "40", "--shard", "2/2"]);
    campaign(&halves, &["--cases", "14", "--shard", "2/2"]);
    campaign(&halves, &["--cases", "40", "--shard", "2/2"]);
    campaign(&other, &["--cases", "40", "--shard", "2/2", "--seed", "2"]);
    let left = |corpus: &Folder| left(corpus, "shard-2-of-2.json");
    assert_eq!(left(&one), left(&same));
    assert_eq!(left(&one), left(&halves));
    assert_ne!(left(&one)[0], left(&other)[0]);
    // Its state is another campaign's for other cases.
    let Ended { status, err, .. } = campaign(&one, &["--shard", "2/2", "--operations=21"]);
    assert_eq!(status, Some(2), "{err}");
    let Ended { status, err, .. } = campaign(&one, &["--shard", "2/2", "--seed", "2"]);
    assert_eq!(status, Some(2));
    assert!(err.contains("with seed 1") && err.contains("with seed 2"), "{err}");
}

#[test]
fn shards_together_reach_what_one_does_and_a_campaign_begins_with_what_they_kept() {
    let [one, parts, into, more] = [(); 4].map(|()| Folder::new());
    campaign(&one, &["--cases", "40"]);
    for shard in ["1/3", "2/3", "3/3"] {
        campaign(&parts, &["--cases", "40", "--shard", shard]);
    }
    let alone = shards_reach_alike(&one, &parts, &into);

    let kept = into.path().join("kept");
    let count = files(&kept).len().to_string();
    let from = kept.to_str().expect("it was made of text").to_owned();
    let Ended { status, out, .. } = campaign(&more, &["--cases", &count, "--json", &from]);
    assert_eq!(status, Some(0));
    let begun: serde_json::Value = serde_json::from_str(&out).expect("it is JSON");
    assert!(begun["reached"].as_u64() >= alone["reached"].as_array().map(|it| it.len() as u64));
}

#[test]
fn shards_of_two_campaigns_are_not_put_together() {
    let [one, other, into] = [(); 3].map(|()| Folder::new());
    campaign(&one, &["--cases", "2"]);
    campaign(&other, &["--cases", "2", "--seed", "2"]);
    let merged = run(&["campaign", "merge", one.name(), other.name(), "--into", into.name()]);
    assert_eq!(merged.status, Some(2));
    assert!(merged.err.contains("two campaigns"), "{}", merged.err);
}

#[test]
fn build_servers_read_what_a_campaign_came_to() {
    let [corpus, into] = [(); 2].map(|()| Folder::new());
    let junit = format!("{}/junit.xml", corpus.name());
    campaign(&corpus, &["--cases", "6", "--shard", "1/2", "--junit", &junit]);
    let read = elements(&junit);
    assert_eq!((named(&read, "testcase"), named(&read, "failure")), (1, 0), "{read:?}");
    assert!(
        read.iter().any(|(_, it)| it
            .get("name")
            .is_some_and(|name| name.starts_with("shard 1/2: 3 cases, "))),
        "{read:?}"
    );
    let merged =
        run(&["campaign", "merge", corpus.name(), "--into", into.name(), "--junit", &junit]);
    assert_eq!(merged.status, Some(1), "a shard is missing");
    let read = elements(&junit);
    assert_eq!((named(&read, "testcase"), named(&read, "failure")), (2, 1), "{read:?}");
    assert!(
        read.iter()
            .any(|(_, it)| it.get("name").is_some_and(|name| name == "shard 2/2 is not here")),
        "{read:?}"
    );
}

#[test]
fn a_case_is_played_again_from_its_line_and_from_its_bytes() {
    let folder = Folder::new();
    // A machine as it is by default, no fault, and one operation: the first of the table.
    let mut bytes = vec![0; 16];
    bytes.push(1);
    let file = folder.file("a.bytes", &bytes);
    let Ended { status, out, err } = run(&["campaign", "replay", &file]);
    assert_eq!((status, err.as_str()), (Some(0), ""), "{out}");
    assert!(out.contains("\ninit> mkdir /sys/fs/cgroup/a\n# all held; "), "{out}");
    let line = out.lines().next().and_then(|first| first.strip_prefix("# ")).expect("its line");
    assert_eq!(run(&["campaign", "replay", line]).out, out);
    let text = folder.file("a.line", format!("{line}\n"));
    assert_eq!(run(&["campaign", "replay", &text]).out, out);
}

#[test]
fn what_is_no_case_is_wrong_use_and_says_why() {
    let corpus = Folder::new();
    for (case, said) in [
        ("standin-case-1:z16.01", "no whole case"),
        ("standin-case-0:z16.01:2b3c", "version 0"),
        ("standin-case-9:z16.01:2b3c", "version 1"),
        ("/nowhere/a.bytes", "cannot be read"),
    ] {
        let Ended { status, out, err } = run(&["campaign", "replay", case]);
        assert_eq!((status, out.as_str()), (Some(2), ""), "{case}: {err}");
        assert!(err.replace("\n  ", " ").contains(said), "{case}: {err}");
    }
    let older = corpus.file("cases/old", "standin-case-0:z16.01:2b3c\n");
    assert_eq!(campaign(&corpus, &["--cases", "2", &older]).status, Some(2));
    assert_eq!(run(&["campaign", "--corpus", corpus.name()]).status, Some(2), "no scripts");
}
