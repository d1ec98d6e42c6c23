//! The same script gives the same bytes: twice, in any company, on any thread.

use std::thread;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use standin::transcript::{Transcript, parse};
use standin_cli::skips;
use standin_sim::{Machine, Stage, View};
use standin_tests::{fixtures, generate, lists, replay};

/// The fixtures that the machine is held to.
fn recorded() -> Vec<Transcript> {
    let skips = lists::skips();
    let all = fixtures::all().into_iter().map(|fixture| fixture.transcript);
    all.filter(|script| skips::first(&skips, script).is_none()).collect()
}

/// Scripts of 60 random operations, always the same ones.
fn random(count: usize) -> Vec<Transcript> {
    let mut runner = TestRunner::deterministic();
    let scripts = generate::scripts(60..61);
    let script = |_| scripts.new_tree(&mut runner).expect("a script needs nothing").current();
    let texts = (0..count).map(script);
    texts.map(|text| parse(text.as_bytes()).expect("a generated script is a script")).collect()
}

/// What the machine prints, or why it printed nothing.
fn print(script: &Transcript) -> String {
    replay::on_machine(script).map_or_else(|error| error, |report| report.transcript.to_string())
}

fn print_all(scripts: &[Transcript]) -> Vec<String> {
    scripts.iter().map(print).collect()
}

#[test]
fn a_script_gives_the_same_bytes_twice() {
    for script in recorded().iter().chain(&random(100)) {
        assert_eq!(print(script), print(script));
    }
}

#[test]
fn scripts_give_the_same_bytes_in_any_order() {
    let mut scripts = recorded();
    let forward = print_all(&scripts);
    scripts.reverse();
    let mut backward = print_all(&scripts);
    backward.reverse();
    assert_eq!(forward, backward);
}

#[test]
fn machines_in_different_threads_do_not_influence_each_other() {
    let (left, right) = (recorded(), random(100));
    let (alone_left, alone_right) = (print_all(&left), print_all(&right));
    thread::scope(|scope| {
        let first = scope.spawn(|| print_all(&left));
        let second = scope.spawn(|| print_all(&right));
        assert_eq!(first.join().expect("no panic"), alone_left);
        assert_eq!(second.join().expect("no panic"), alone_right);
    });
}

#[test]
fn machines_that_take_turns_in_one_thread_do_not_influence_each_other() {
    for pair in recorded().windows(2) {
        let [first, second] = pair else { continue };
        let (mut one, mut other) = (Stage::new(&first.machine), Stage::new(&second.machine));
        let other_printed =
            replay::on(second, &mut other).map(|report| report.transcript.to_string());
        let one_printed = replay::on(first, &mut one).map(|report| report.transcript.to_string());
        assert_eq!(one_printed.unwrap_or_else(|error| error), print(first));
        assert_eq!(other_printed.unwrap_or_else(|error| error), print(second));
    }
}

#[test]
fn a_machine_and_its_views_may_be_sent_to_and_shared_between_threads() {
    fn is_send_and_sync<T: Send + Sync>() {}
    is_send_and_sync::<Machine>();
    is_send_and_sync::<View>();
}
