//! Cases of the property kit: what their bytes make, how much of it succeeds, and that they can be written down.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::{BTreeMap, BTreeSet};

use arbitrary::{Arbitrary as _, Unstructured};
use proptest::prelude::{ProptestConfig as Config, Strategy as _};
use proptest::strategy::ValueTree as _;
use proptest::test_runner::RngAlgorithm::ChaCha;
use proptest::test_runner::{TestError, TestRng, TestRunner};
use standin::backend::Namespaces as _;
use standin::transcript::{Answer, Outcome, op_rows, parse};
use standin::{Backend, Errno, ExitCode, fs};
use standin_sim::property::{
    self, COUNTERS, Case, CaseError, Hierarchy, Play, Tally, operation_names,
};
use standin_tests::replay;

/// Random cases of 50 operations.
fn cases(count: u64) -> impl Iterator<Item = Case> {
    (0..count).map(|seed| Case::random(seed, 50))
}

/// What all operations of some cases came to.
fn total(count: u64) -> Tally {
    let mut all = Tally::default();
    for case in cases(count) {
        all.merge(&case.check(Play::alone).unwrap_or_else(|found| panic!("{found}")));
    }
    all
}

#[test]
fn most_operations_of_random_cases_succeed_and_the_others_fail_in_many_ways() {
    let all = total(500);
    assert!(all.succeeded * 100 >= all.operations * 85, "{all}\n{:?}", all.failed);
    assert!(all.unanswered * 100 <= all.operations, "{all}");
    assert!(all.failed.len() >= 20, "{all}\n{:?}", all.failed);
}

#[test]
fn every_operation_of_the_language_is_made_and_succeeds_more_often_than_not() {
    let mut by_name: BTreeMap<&str, (u64, u64)> = op_rows().map(|row| (row.name, (0, 0))).collect();
    for case in cases(1_000) {
        let played = case.check(|play| {
            while let Some((step, outcome)) = play.next() {
                let (made, refused) = by_name.entry(step.op.name()).or_default();
                *made += 1;
                *refused += u64::from(matches!(outcome, Some(Outcome::Failed { .. })));
            }
        });
        played.unwrap_or_else(|found| panic!("{found}"));
    }
    for (name, (made, refused)) in &by_name {
        assert!(*made >= 3, "{name} was made {made} times: {by_name:?}");
        // What `fill` prints is an errno.
        assert!(*name == "fill" || refused * 2 < *made, "{name}: {refused} of {made} were refused");
    }
    assert_eq!(operation_names().collect::<BTreeSet<_>>(), by_name.into_keys().collect());
}

#[test]
fn every_kernel_and_layout_occurs_in_every_size() {
    let lines: BTreeSet<String> = (0..2_000).map(|seed| Case::random(seed, 0).script()).collect();
    // Three kernels in three layouts, with four numbers of processors and four sizes of memory.
    assert_eq!(lines.len(), 3 * 3 * 4 * 4, "{lines:?}");
}

#[test]
fn a_seed_is_always_the_same_case_and_a_case_always_the_same_run() {
    for (one, other) in cases(200).zip(cases(100)) {
        assert_eq!(one, other);
        let runs = [one, other].map(|case| {
            let mut text = String::new();
            case.check(|play| {
                while let Some((step, outcome)) = play.next() {
                    text.push_str(&format!("{step}\n{outcome:?}\n"));
                }
                text.push_str(&play.machine().look().tree());
            })
            .unwrap_or_else(|found| panic!("{found}"));
            text
        });
        assert_eq!(runs[0], runs[1]);
    }
    assert_ne!(Case::random(1, 50), Case::random(2, 50));
}

#[test]
fn the_rules_between_the_parts_of_the_kernel_hold_after_each_operation_of_a_case() {
    for case in cases(100) {
        let held = case.check(|play| {
            while let Some((step, _)) = play.next() {
                if let Err(broken) = play.machine().check() {
                    panic!("after {step}: {broken}");
                }
            }
        });
        held.unwrap_or_else(|found| panic!("{found}"));
    }
}

#[test]
fn any_bytes_are_a_case() {
    for byte in 0..=u8::MAX {
        let case = Case::new(vec![byte; 416]);
        case.check(Play::alone).unwrap_or_else(|found| panic!("{found}"));
    }
    assert_eq!(Case::new([0; 64]), Case::default());
    assert_eq!(Case::default().operations().count(), 0);
    assert!(Case::default().faults().is_empty());
}

#[test]
fn a_case_is_read_back_from_its_line() {
    for case in cases(500) {
        assert_eq!(case.to_string().parse(), Ok(case));
    }
    assert_eq!(Case::default().to_string().parse(), Ok(Case::default()));
}

#[test]
fn a_line_of_another_version_or_a_part_of_one_is_refused_with_its_reason() {
    let line = Case::random(1, 5).to_string();
    let older = line.replace("standin-case-1:", "standin-case-0:");
    let error = older.parse::<Case>().unwrap_err();
    assert_eq!(error, CaseError::Version { written: "0".to_owned(), reads: 1 });
    assert!(error.to_string().contains("version 0"), "{error}");
    assert!(error.to_string().contains("reads version 1"), "{error}");
    for cut in 0..line.len() {
        assert!(line.get(..cut).unwrap().parse::<Case>().is_err(), "{cut} bytes of {line}");
    }
    assert!(line.replace('a', "b").parse::<Case>().is_err());
    assert!("standin-case-1:z99999999999.:0000".parse::<Case>().is_err());
}

#[test]
fn the_script_of_a_case_is_read_back_and_runs_on_the_stage_of_transcripts() {
    let (mut agree, mut all) = (0, 0);
    for case in cases(60) {
        let text = case.script();
        let script = parse(text.as_bytes()).unwrap_or_else(|error| panic!("{text}{error}"));
        let mut answers = Vec::new();
        case.check(|play| {
            while let Some((_, outcome)) = play.next() {
                answers.push(match outcome {
                    Some(Outcome::Failed { errno, .. }) => Some(errno.to_string()),
                    _ => None,
                });
            }
        })
        .unwrap_or_else(|found| panic!("{found}"));
        let report = replay::on_machine(&script).unwrap();
        for (operation, ours) in report.transcript.operations().zip(answers) {
            let status = operation.answer.as_ref().and_then(Answer::as_status).unwrap_or_default();
            let errno = status.split(' ').next().filter(|word| word.starts_with('E'));
            all += 1;
            agree += u32::from(ours.as_deref() == errno);
        }
    }
    assert!(agree * 1000 >= all * 995, "{agree} of {all} answers agree");
}

/// A manager that takes for granted that its group is not there yet.
fn careless(kernel: &dyn Backend, _: &[Vec<u8>]) -> ExitCode {
    fs::create_dir(kernel, "/sys/fs/cgroup/a").unwrap();
    ExitCode::SUCCESS
}

#[test]
fn proptest_shrinks_operations_order_and_faults_of_a_case_together() {
    let config = Config { cases: 5_000, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(ChaCha));
    let failed = runner.run(&property::cases(10..20), |case| {
        case.check(|play| {
            play.machine().program("/bin/manager", careless);
            play.beside(&["/bin/manager"]).unwrap();
            // A fault is another reason than the one that is looked for.
            assert!(case.faults().is_empty());
        })?;
        Ok(())
    });
    let Err(TestError::Fail(_, smallest)) = failed else { panic!("{failed:?}") };
    // Either one fault and nothing else, or one operation that comes before the manager and nothing else.
    let (operations, faults) = (smallest.operations().count(), smallest.faults().len());
    assert_eq!(operations + faults, 1, "{}", smallest.script());
    let decisions = smallest.decisions();
    let changed = decisions.as_bytes().iter().filter(|byte| **byte != 0).count();
    assert!(changed <= operations, "{decisions}");
}

#[test]
fn profiles_and_fault_plans_are_of_every_kind() {
    let mut runner = TestRunner::deterministic();
    let (mut kinds, mut plans) = (BTreeSet::new(), BTreeSet::new());
    for _ in 0..500 {
        let builder = property::profiles().new_tree(&mut runner).unwrap().current();
        kinds.insert(builder.build().root().uname().unwrap().release);
        let plan = property::fault_plans().new_tree(&mut runner).unwrap().current();
        plans.insert(plan.len());
    }
    assert_eq!(kinds.len(), 3, "{kinds:?}");
    assert!(plans.contains(&3), "{plans:?}");
}

#[test]
fn what_a_fuzzer_gives_is_a_case_byte_by_byte() {
    let bytes: Vec<u8> = (1..=200).collect();
    let case = Case::arbitrary(&mut Unstructured::new(&bytes)).unwrap();
    assert_eq!(case.as_bytes(), bytes);
    assert!(Case::arbitrary(&mut Unstructured::new(&[])).unwrap().as_bytes().is_empty());
    let planned = Hierarchy::arbitrary(&mut Unstructured::new(&bytes)).unwrap();
    assert_eq!(planned.paths().count(), 32);
}

#[test]
fn each_pair_of_operation_and_errno_has_a_counter_of_its_own() {
    let errnos = (1..=133).map(Errno::from_raw);
    let pairs = operation_names().flat_map(|name| errnos.clone().map(move |it| (name, it)));
    let counters: Vec<usize> =
        pairs.map(|(name, errno)| property::counter(name, errno).unwrap()).collect();
    assert!(counters.iter().all(|counter| *counter < COUNTERS));
    assert_eq!(counters.iter().collect::<BTreeSet<_>>().len(), counters.len());
    assert_eq!(property::counter("nothing", Errno::EPERM), None);

    let refused = |operation: &str| {
        let reached = total(200).counters().collect::<Vec<_>>();
        let errnos = [Errno::ENOENT, Errno::EEXIST, Errno::EACCES];
        let own = errnos.map(|errno| property::counter(operation, errno).unwrap());
        reached.iter().filter(|(counter, _)| own.contains(counter)).count()
    };
    assert!(refused("mkdir") >= 2, "refused for two reasons, in two counters");
}
