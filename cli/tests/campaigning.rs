//! `standin campaign`.

mod common;

use std::collections::BTreeSet;
use std::path::Path;

use common::{Ended, Folder, end, run, shards_reach_alike, standin};

const SCRIPT: &str = "machine kernel=6.12 layout=unified
# answers are not looked at
init> mkdir /sys/fs/cgroup/a
EEXIST
init> mkdir /sys/fs/cgroup/a
init> fork p into=/sys/fs/cgroup/a
p> read /sys/fs/cgroup/a/cgroup.procs
init> rmdir /sys/fs/cgroup/a
init> open f /sys/fs/cgroup/a/cgroup.events r
p> exit 3
init> wait p
init> rmdir /sys/fs/cgroup/a
init> fread f
";

const OTHER: &str = "machine kernel=6.1 layout=unified
init> fork u uid=1000
u> mkdir /sys/fs/cgroup/b
u> kill init KILL
u> read /proc/self/status
";

/// Two scripts to begin with.
fn scripts() -> Folder {
    let folder = Folder::new();
    folder.file("one.transcript", SCRIPT);
    folder.file("deep/two.script", OTHER);
    folder
}

#[track_caller]
fn campaign(scripts: &Folder, corpus: &Folder, shard: &str, cases: &str) -> Ended {
    let corpus = corpus.name();
    run(&["campaign", "--corpus", corpus, "--shard", shard, "--cases", cases, scripts.name()])
}

/// The files of a directory, with what is in them.
fn files(directory: &Path) -> BTreeSet<(String, String)> {
    let entries = std::fs::read_dir(directory).expect("it is there");
    entries
        .map(|entry| entry.expect("it can be read"))
        .map(|entry| {
            let text = std::fs::read_to_string(entry.path()).expect("it is text");
            (entry.file_name().to_string_lossy().into_owned(), text)
        })
        .collect()
}

#[test]
fn scripts_that_reach_something_new_are_kept_and_nothing_breaks() {
    let (scripts, corpus) = (scripts(), Folder::new());
    let Ended { status, out, err } = campaign(&scripts, &corpus, "1/1", "120");
    assert_eq!((status, err.as_str()), (Some(0), ""), "{out}");
    assert!(out.starts_with("shard 1/1: 120 cases, "), "{out}");
    assert!(out.contains(" broken\n") && out.contains("; 0 broken\n"), "{out}");
    let kept = files(&corpus.path().join("kept"));
    assert!(kept.len() > 2, "{kept:?}");
    // Those that were given come first, without their answers.
    let first = kept.iter().find(|(name, _)| name == "case-0.script").expect("it was new");
    assert!(first.1.contains("init> mkdir") || first.1.contains("u> mkdir"), "{first:?}");
    assert!(kept.iter().all(|(_, text)| !text.contains("\nEEXIST\n")), "{kept:?}");
    let state = std::fs::read_to_string(corpus.path().join("shard-1-of-1.json")).unwrap();
    for pair in ["mkdir EEXIST", "rmdir EBUSY", "mkdir EACCES", "kill EPERM", "fread ENODEV"] {
        assert!(state.contains(&format!("\"{pair}\"")), "{pair} is not in {state}");
    }
}

#[test]
fn a_shard_that_was_interrupted_comes_to_the_same() {
    let scripts = scripts();
    let (whole, halves) = (Folder::new(), Folder::new());
    campaign(&scripts, &whole, "2/2", "90");
    campaign(&scripts, &halves, "2/2", "40");
    let Ended { status, .. } = campaign(&scripts, &halves, "2/2", "90");
    assert_eq!(status, Some(0));
    for part in ["kept", "broken"] {
        assert_eq!(files(&whole.path().join(part)), files(&halves.path().join(part)));
    }
    let state = |folder: &Folder| {
        std::fs::read_to_string(folder.path().join("shard-2-of-2.json")).expect("it is there")
    };
    assert_eq!(state(&whole), state(&halves));
    // And has nothing left to do.
    let Ended { out, .. } = campaign(&scripts, &halves, "2/2", "90");
    assert!(out.starts_with("shard 2/2: 45 cases, "), "{out}");
}

#[test]
fn shards_together_reach_what_one_does_with_fewer_scripts_than_they_kept() {
    let (scripts, one, parts, into) = (scripts(), Folder::new(), Folder::new(), Folder::new());
    campaign(&scripts, &one, "1/1", "90");
    for shard in ["1/3", "2/3", "3/3"] {
        campaign(&scripts, &parts, shard, "90");
    }
    shards_reach_alike(&one, &parts, &into);
    assert!(!files(&into.path().join("kept")).is_empty());
}

#[test]
fn a_shard_that_is_missing_or_not_done_is_told_of() {
    let (scripts, corpus, into) = (scripts(), Folder::new(), Folder::new());
    campaign(&scripts, &corpus, "1/3", "30");
    let Ended { status, out, .. } =
        run(&["campaign", "merge", corpus.name(), "--into", into.name()]);
    assert_eq!(status, Some(1));
    assert!(out.contains("missing: shard 2/3 is not here\nmissing: shard 3/3 is not here\n"));
}

#[test]
fn an_indexed_job_says_which_shard_it_is() {
    let (scripts, corpus) = (scripts(), Folder::new());
    let arguments =
        ["campaign", "--corpus", corpus.name(), "--shard", "/4", "--cases", "8", scripts.name()];
    let told = end(standin(&arguments).env("JOB_COMPLETION_INDEX", "2"));
    assert!(told.out.starts_with("shard 3/4: 2 cases"), "{told:?}");
    let untold = end(standin(&arguments).env_remove("JOB_COMPLETION_INDEX"));
    assert_eq!(untold.status, Some(2));
    assert!(untold.err.contains("JOB_COMPLETION_INDEX"), "{untold:?}");
}

#[test]
fn a_state_that_is_cut_older_newer_or_of_another_campaign_is_refused() {
    let (scripts, corpus) = (scripts(), Folder::new());
    campaign(&scripts, &corpus, "1/1", "4");
    let path = corpus.path().join("shard-1-of-1.json");
    let state = std::fs::read_to_string(&path).expect("it is there");
    let refused = |text: &str, told: &[&str]| {
        std::fs::write(&path, text).expect("it can be written");
        let Ended { status, out, err } = campaign(&scripts, &corpus, "1/1", "4");
        assert_eq!((status, out.as_str()), (Some(2), ""), "{err}");
        for told in told {
            assert!(err.replace("\n  ", " ").contains(told), "{err}");
        }
    };
    let half: String = state.chars().take(state.len() / 2).collect();
    refused(&half, &["not whole"]);
    let newer = state.replacen("\"standin_campaign\": 2", "\"standin_campaign\": 3", 1);
    refused(&newer, &["format 3", "format 2"]);
    let older = state.replacen("\"version\": \"", "\"version\": \"0.0.", 1);
    refused(&older, &["standin 0.0."]);
    let other = state.replacen("with seed 1", "with seed 9", 1);
    refused(&other, &["with seed 9"]);
}

#[test]
fn what_cannot_be_used_is_wrong_use() {
    let (scripts, corpus) = (scripts(), Folder::new());
    for shard in ["0/2", "3/2", "x", "1/0"] {
        assert_eq!(campaign(&scripts, &corpus, shard, "1").status, Some(2), "{shard}");
    }
    let broken = Folder::new();
    broken.file("a.script", "machine\ninit> fly\n");
    assert_eq!(campaign(&broken, &corpus, "1/1", "1").status, Some(2));
    assert_eq!(run(&["campaign", scripts.name()]).status, Some(2), "without a corpus");
    let nothing = run(&["campaign", "merge", scripts.name(), "--into", corpus.name()]);
    assert_eq!(nothing.status, Some(2));
    assert!(nothing.err.contains("no shard is here"), "{nothing:?}");
}
