//! Generated scripts for real kernels: that they are the same everywhere and can be read, that differences become small, and
//! that runs add up. No virtual machine is needed.

use std::collections::BTreeSet;

use standin::transcript::{FileOp, Layout, Op, ProcessOp, Release, Transcript, op_rows, parse};
use standin_tests::lab::fuzz::{
    Key, LEFT_OUT, LEFT_OUT_OF_PROCESSES, LEFT_OUT_WITH_V1, OPERATIONS, Shrinking, Subject, Tally,
    Total, script, script_about, script_in,
};
use standin_tests::lab::record::Place;
use standin_tests::replay;

/// Cases that are looked at.
const CASES: u64 = 400;

/// Cases with v1 that are looked at, in each of its places.
const CASES_WITH_V1: u64 = 100;

#[test]
fn a_case_is_the_same_script_whenever_it_is_made_and_no_other_case_is() {
    let mut seen = BTreeSet::new();
    for seed in [1, 2] {
        for case in 0..CASES {
            let text = script(seed, case).to_string();
            assert_eq!(text, script(seed, case).to_string());
            assert!(seen.insert(text), "seed {seed}, case {case}");
        }
    }
}

/// The generator makes the same scripts for everybody: answers that were kept stay good, and a share is a share. A change of
/// the generator changes this line, knowingly.
#[test]
fn the_scripts_of_a_seed_are_these() {
    let sum = (0..CASES).fold(0_u64, |sum, case| {
        script(1, case)
            .to_string()
            .bytes()
            .fold(sum, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)))
    });
    assert_eq!(sum, SUM);
}

const SUM: u64 = 933_860_045_045_750_083;

#[test]
fn every_script_has_the_same_size_and_can_be_read_again() {
    for case in 0..CASES {
        let script = script(3, case);
        assert_eq!(script.operations().count(), OPERATIONS, "{script}");
        assert_eq!(parse(script.to_string().as_bytes()).unwrap(), script);
        // One that could not be made leaves its name to the next.
        let made: BTreeSet<_> = script
            .operations()
            .filter_map(|operation| {
                let Op::Processes(
                    ProcessOp::Fork { child, .. } | ProcessOp::Thread { thread: child },
                ) = operation.op()
                else {
                    return None;
                };
                Some(child)
            })
            .collect();
        assert!(made.len() < 6, "{script}");
    }
}

/// How many operations answer otherwise than with what they are for.
#[derive(Debug, Default)]
struct Idle {
    blocked: usize,
    gone: usize,
    absent: usize,
    all: usize,
}

impl Idle {
    /// Counts what the machine answers to a script.
    fn count(&mut self, script: &Transcript) {
        let report = replay::on_machine(script).unwrap_or_else(|error| panic!("{error}\n{script}"));
        for operation in report.transcript.operations() {
            let answer = operation.answer.as_ref().and_then(|answer| answer.as_status());
            self.blocked += usize::from(answer == Some("blocked"));
            self.gone += usize::from(answer == Some("gone"));
            self.absent += usize::from(answer.is_some_and(|answer| answer.starts_with("ENOENT")));
            self.all += 1;
        }
    }

    fn is_rare(&self) -> bool {
        self.blocked * 100 < self.all && self.gone * 20 < self.all
    }
}

#[test]
fn hardly_an_operation_waits_until_somebody_gives_up() {
    let mut idle = Idle::default();
    for case in 0..CASES {
        idle.count(&script(4, case));
    }
    assert!(idle.is_rare(), "{idle:?}");
}

/// Layouts with v1, on each kernel of the lab.
const WITH_V1: [Place; 4] = [
    Place { kernel: Release::V6_1, layout: Layout::Legacy },
    Place { kernel: Release::V6_1, layout: Layout::Hybrid },
    Place { kernel: Release::V6_12, layout: Layout::Legacy },
    Place { kernel: Release::V6_12, layout: Layout::Hybrid },
];

#[test]
fn a_case_with_v1_is_the_same_script_whenever_it_is_made_and_can_be_read_again() {
    for place in WITH_V1 {
        let mut seen = BTreeSet::new();
        for case in 0..CASES_WITH_V1 {
            let script = script_in(place, 1, case);
            assert_eq!(script.operations().count(), OPERATIONS, "{place}\n{script}");
            assert_eq!(parse(script.to_string().as_bytes()).unwrap(), script);
            assert_eq!(script_in(place, 1, case), script);
            assert!(seen.insert(script.to_string()), "{place}, case {case}");
        }
    }
}

/// Names of hierarchies that files or directories below /sys/fs/cgroup are of.
fn hierarchies(script: &Transcript) -> BTreeSet<String> {
    let said: Vec<String> =
        script.operations().map(|operation| operation.op().to_string()).collect();
    let words = said.iter().flat_map(|said| said.split(' '));
    let below = words.filter_map(|word| word.strip_prefix("/sys/fs/cgroup/"));
    below.filter_map(|below| below.split('/').next()).map(str::to_owned).collect()
}

#[test]
fn scripts_with_v1_come_to_every_hierarchy_of_their_layout_and_to_no_other() {
    for place in WITH_V1 {
        let mut met = BTreeSet::new();
        let mut mounts = 0;
        for case in 0..CASES_WITH_V1 {
            let script = script_in(place, 2, case);
            met.extend(hierarchies(&script));
            mounts += script
                .operations()
                .filter(|one| matches!(one.op(), Op::Files(FileOp::Mount { .. })))
                .count();
        }
        let has_all = place.kernel == Release::V6_1;
        let is_hybrid = place.layout == Layout::Hybrid;
        assert_eq!(met.len(), 12 + 2 * usize::from(has_all) + usize::from(is_hybrid), "{met:?}");
        assert_eq!(met.contains("memory"), has_all);
        assert_eq!(met.contains("unified"), is_hybrid);
        assert!(mounts > 5, "{mounts}");
    }
}

#[test]
fn hardly_an_operation_with_v1_waits_and_most_find_what_they_name() {
    for place in WITH_V1 {
        let mut idle = Idle::default();
        for case in 0..CASES_WITH_V1 {
            let mut script = script_in(place, 4, case);
            script.machine.kernel = Some(place.kernel);
            script.machine.layout = Some(place.layout);
            idle.count(&script);
        }
        assert!(idle.is_rare() && idle.absent * 6 < idle.all, "{place}: {idle:?}");
    }
}

/// Where scripts about processes are looked at.
const UNIFIED: Place = Place { kernel: Release::V6_12, layout: Layout::Unified };

fn about_processes(seed: u64, case: u64) -> Transcript {
    script_about(Subject::Processes, UNIFIED, seed, case)
}

#[test]
fn a_case_about_processes_is_the_same_script_whenever_it_is_made_and_can_be_read_again() {
    let mut seen = BTreeSet::new();
    for subject in [Subject::Processes, Subject::Proc] {
        for case in 0..CASES {
            let script = script_about(subject, UNIFIED, 1, case);
            assert_eq!(script.operations().count(), OPERATIONS, "{script}");
            assert_eq!(parse(script.to_string().as_bytes()).unwrap(), script);
            assert_eq!(script_about(subject, UNIFIED, 1, case), script);
            assert!(seen.insert(script.to_string()), "{} {case}", subject.word());
        }
    }
}

/// Of these there are no cases: of the first two because of where scripts are played, of the others because they are what the
/// other subject is about.
const NOT_ABOUT_PROCESSES: [&str; 10] =
    ["reboot", "exec", "key", "test", "read~", "pollpri", "alloc", "release", "burn", "sleep"];

#[test]
fn scripts_about_processes_come_to_every_operation() {
    let mut met = BTreeSet::new();
    for case in 0..4 * CASES {
        met.extend(about_processes(2, case).operations().map(|one| one.op().name()));
    }
    for row in op_rows() {
        assert!(met.contains(row.name) != NOT_ABOUT_PROCESSES.contains(&row.name), "{}", row.name);
    }
}

#[test]
fn scripts_about_proc_look_at_what_they_change() {
    let (mut reads, mut changes) = (0, 0);
    for case in 0..CASES {
        let text = script_about(Subject::Proc, UNIFIED, 2, case).to_string();
        let lines = text.lines().filter(|line| line.contains("/proc/") || line.contains("> proc "));
        let (written, read): (Vec<&str>, Vec<&str>) =
            lines.partition(|line| line.contains("> write "));
        changes += written.len();
        reads += read.len();
    }
    assert!(changes > 50 && reads > 4 * changes, "{reads} {changes}");
}

#[test]
fn hardly_an_operation_about_processes_waits_or_finds_nobody() {
    let mut idle = Idle::default();
    for case in 0..CASES {
        idle.count(&about_processes(4, case));
    }
    assert!(idle.blocked * 25 < idle.all && idle.gone * 30 < idle.all, "{idle:?}");
    assert!(idle.absent * 8 < idle.all, "{idle:?}");
}

#[test]
fn what_is_left_out_has_a_reason() {
    for (pattern, why) in LEFT_OUT.iter().chain(LEFT_OUT_WITH_V1).chain(LEFT_OUT_OF_PROCESSES) {
        assert!(!pattern.is_empty() && why.len() > 10, "{pattern}");
    }
}

/// Shrinks a script that differs where all of `needed` stand before its last operation; also how many rounds it took.
fn shrunk(length: u32, needed: &[u32]) -> (Vec<u32>, usize) {
    let mut shrinking = Shrinking::new((0..length).collect(), length);
    let mut rounds = 0;
    while !shrinking.is_done() {
        let candidates = shrinking.candidates();
        assert!(candidates.iter().all(|candidate| candidate.last() == Some(&length)));
        let verdicts: Vec<bool> = candidates
            .iter()
            .map(|candidate| needed.iter().all(|one| candidate.contains(one)))
            .collect();
        shrinking.learn(&verdicts);
        rounds += 1;
        assert!(rounds < 100, "it goes on for ever");
    }
    (shrinking.smallest(), rounds)
}

#[test]
fn a_difference_becomes_as_small_as_it_can_in_few_rounds() {
    for needed in [&[][..], &[3], &[0, 28], &[5, 6, 7], &[0, 9, 18, 27], &[1, 3, 5, 7, 9, 11]] {
        let (smallest, rounds) = shrunk(29, needed);
        assert_eq!(smallest, [needed, &[29]].concat());
        assert!(rounds <= 25, "{needed:?}: {rounds} rounds");
    }
    assert_eq!(shrunk(0, &[]).0, [0]);
    assert_eq!(shrunk(1, &[0]).0, [0, 1]);
}

/// Where each of two can go, but not both: one of them stays.
#[test]
fn operations_that_stand_in_for_each_other_do_not_all_go() {
    let mut shrinking = Shrinking::new(vec![1, 2, 3, 4], 5);
    while !shrinking.is_done() {
        let is_enough = |candidate: &Vec<i32>| candidate.contains(&2) || candidate.contains(&4);
        let verdicts: Vec<bool> = shrinking.candidates().iter().map(is_enough).collect();
        shrinking.learn(&verdicts);
    }
    assert_eq!(shrinking.smallest().len(), 2);
}

const fn key(kernel: Release, share: u64) -> Key {
    Key { kernel, layout: Layout::Unified, subject: Subject::Cgroups, seed: 7, share, shares: 2 }
}

fn tally(scripts: u64, differences: u64) -> Tally {
    Tally { cases: 20, scripts, operations: scripts * 30, differences, ..Tally::default() }
}

#[test]
fn runs_of_shares_add_up_and_a_run_that_is_made_again_replaces_the_old_one() {
    let mut here = Total::default();
    here.set(key(Release::V6_12, 0), tally(10, 3));
    let mut there = Total::default();
    there.set(key(Release::V6_12, 1), tally(9, 1));
    there.set(key(Release::V6_1, 1), tally(5, 0));
    here.merge(&there);
    here.set(key(Release::V6_12, 0), tally(10, 0));
    let sum = here.of(Release::V6_12, Layout::Unified, Subject::Cgroups);
    assert_eq!((sum.scripts, sum.operations, sum.differences), (19, 570, 1));
    assert_eq!(here.of(Release::V6_1, Layout::Unified, Subject::Cgroups).scripts, 5);
    let hybrid = Key { layout: Layout::Hybrid, ..key(Release::V6_12, 0) };
    here.set(hybrid, tally(2, 0));
    assert_eq!(here.of(Release::V6_12, Layout::Unified, Subject::Cgroups), sum);
    assert_eq!(here.of(Release::V6_12, Layout::Hybrid, Subject::Cgroups).scripts, 2);
    let processes = Key { subject: Subject::Processes, ..key(Release::V6_12, 0) };
    here.set(processes, tally(3, 0));
    assert_eq!(here.of(Release::V6_12, Layout::Unified, Subject::Cgroups), sum);
    assert_eq!(here.of(Release::V6_12, Layout::Unified, Subject::Processes).scripts, 3);
    assert_eq!(processes.path(), "6.12/processes/7");
    assert_eq!(hybrid.path(), "6.12/hybrid/7");
    assert_eq!(key(Release::V6_1, 0).path(), "6.1/7");
    assert_eq!(Total::read(&here.to_string()).unwrap(), here);
}

#[test]
fn runs_are_recorded_one_after_another_in_the_same_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("fuzz.toml");
    Total::record(&path, key(Release::V6_12, 0), tally(10, 3)).unwrap();
    Total::record(&path, key(Release::V6_12, 1), tally(9, 1)).unwrap();
    assert_eq!(
        Total::load(&path).unwrap().of(Release::V6_12, Layout::Unified, Subject::Cgroups).scripts,
        19
    );
    std::fs::write(&path, "[[run]]\nkernel = '5.4'\n").unwrap();
    let refused =
        Total::record(&path, key(Release::V6_12, 1), tally(9, 1)).unwrap_err().to_string();
    assert!(refused.contains("fuzz.toml") && refused.contains("5.4"), "{refused}");
}
