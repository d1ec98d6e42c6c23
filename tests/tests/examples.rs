//! The examples of the machine: each careless program is found in as many runs as the README's table says, its line runs the
//! failure again every time, and the careful one passes as many.

#![expect(clippy::unwrap_used, reason = "what is not found fails the test")]

use standin_sim::property::Case;
use standin_sim::{Builder, Found, Machine, Report, Search};
use standin_tests::fixtures::workspace;

#[path = "../../backend-sim/examples/crash_leaves_a_group.rs"]
mod crash_leaves_a_group;
#[path = "../../backend-sim/examples/fork_against_rmdir.rs"]
mod fork_against_rmdir;
#[path = "../../backend-sim/examples/freeze_with_a_lock.rs"]
mod freeze_with_a_lock;
#[path = "../../backend-sim/examples/kill_against_fork.rs"]
mod kill_against_fork;
#[path = "../../backend-sim/examples/killed_group_is_busy.rs"]
mod killed_group_is_busy;
#[path = "../../backend-sim/examples/others_make_the_group.rs"]
mod others_make_the_group;
#[path = "../../backend-sim/examples/pid_reuse_against_kill.rs"]
mod pid_reuse_against_kill;
#[path = "../../backend-sim/examples/two_managers.rs"]
mod two_managers;

/// Runs what a line tells of 100 times.
#[track_caller]
fn replays(found: &Found, replay: impl Fn(&str) -> Result<Report, Found>) {
    for _ in 0..100 {
        let again = replay(found.line()).unwrap_err();
        assert_eq!((again.message(), again.line()), (found.message(), found.line()));
    }
}

/// Holds the README's row of an example against the runs that it took to find the failure, and those that passed.
#[track_caller]
fn is_documented(example: &str, runs: u64, passing: u64) {
    let readme = std::fs::read_to_string(workspace().join("README.md")).unwrap();
    let begin = format!("| `{example}`");
    let row = readme.lines().find(|line| line.starts_with(&begin)).unwrap();
    let numbers = format!(" | {runs} | {passing} | ");
    assert!(row.contains(&numbers), "{row}\nit took {runs} runs, and {passing} passed");
}

/// Finds the careless scenario's failure, with these words in it.
#[track_caller]
fn check(
    example: &str,
    search: &Search,
    machine: impl Fn() -> Builder,
    [careless, careful]: [fn(&Machine); 2],
    words: &str,
) {
    let found = search.check(careless).unwrap_err();
    assert!(found.message().contains(words), "{found}");
    replays(&found, |line| Search::replay(line, machine()).unwrap().check(careless));
    is_documented(example, found.runs(), search.check(careful).unwrap().runs);
}

#[test]
fn a_member_that_forks_keeps_its_group_from_being_removed() {
    use fork_against_rmdir::{careful, careless, machine, main, search};
    check("fork_against_rmdir", &search(), machine, [careless, careful], "EBUSY");
    main();
}

#[test]
fn a_member_that_forks_is_missed_by_who_kills_one_by_one() {
    use kill_against_fork::{careful, careless, machine, main, search};
    check(
        "kill_against_fork",
        &search(),
        machine,
        [careless, careful],
        "somebody in the group was not killed",
    );
    main();
}

#[test]
fn a_group_is_busy_until_the_killed_have_ended() {
    use killed_group_is_busy::{careful, careless, machine, main, search};
    check("killed_group_is_busy", &search(), machine, [careless, careful], "EBUSY");
    main();
}

#[test]
fn a_number_is_a_stranger_s_when_its_process_is_gone() {
    use pid_reuse_against_kill::{careful, careless, machine, main, search};
    check(
        "pid_reuse_against_kill",
        &search(),
        machine,
        [careless, careful],
        "a stranger was killed",
    );
    main();
}

#[test]
fn a_manager_that_writes_all_of_subtree_control_undoes_another_s_change() {
    use two_managers::{careful, careless, machine, main, search};
    check("two_managers", &search(), machine, [careless, careful], "EACCES");
    main();
}

#[test]
fn a_worker_that_is_frozen_with_a_lock_is_waited_for_for_ever() {
    use freeze_with_a_lock::{careful, careless, machine, main, search};
    check(
        "freeze_with_a_lock",
        &search(),
        machine,
        [careless, careful],
        "waits in flock for a lock",
    );
    main();
}

#[test]
fn a_supervisor_that_dies_leaves_a_group_unless_the_next_one_clears_up() {
    use crash_leaves_a_group::{careful, careless, check, main, sweep};
    let found = sweep().check(careless, check).unwrap_err();
    assert!(found.message().contains("a group was left behind"), "{found}");
    assert!(found.faults()[0].starts_with("/bin/supervisor dies before rmdir("), "{found}");
    replays(&found, |line| sweep().replay(line).unwrap().check(careless, check));
    let report = sweep().deaths(2).check(careful, check).unwrap();
    assert!(report.is_complete, "{report:?}");
    is_documented("crash_leaves_a_group", found.runs(), report.runs);
    main();
}

#[test]
fn a_manager_that_others_come_before_fails_in_a_case_of_one_operation() {
    use others_make_the_group::{careful, careless, main, property, search};
    let found = search(careless, 2_000).unwrap();
    assert!(found.message().contains("EEXIST"), "{found}");
    assert_eq!(found.case().operations().count(), 1, "{found}");
    for _ in 0..100 {
        let again: Case = found.line().parse().unwrap();
        let again = again.check(property(careless)).unwrap_err();
        assert_eq!((again.message(), again.line()), (found.message(), found.line()));
    }
    assert_eq!(search(careful, 200), None);
    is_documented("others_make_the_group", found.cases(), 200);
    main();
}
