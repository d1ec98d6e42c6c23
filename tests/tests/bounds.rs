//! The bounds of a run: reaching one is a failure of its own type that names it, and no errno that a program would take for the
//! kernel's.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::time::Duration;

use standin::backend::{Clock as _, Deadline, Processes as _};
use standin::{Failure, fs};
use standin_sim::{Limits, Machine, Search};

fn bounded(limits: Limits) -> Machine {
    Machine::builder().limits(limits).build()
}

/// Does something until it fails, within 100 times.
#[track_caller]
fn until_it_fails<T>(mut again: impl FnMut(usize) -> Result<T, Failure>) -> Failure {
    let mut kept = Vec::new();
    for time in 0..100 {
        match again(time) {
            Ok(made) => kept.push(made),
            Err(failure) => return failure,
        }
    }
    panic!("no bound was reached")
}

#[test]
fn groups_are_bounded() {
    let machine = bounded(Limits { cgroups: 10, ..Limits::default() });
    let root = machine.root();
    let failure = until_it_fails(|time| {
        fs::create_dir(&root, format!("/sys/fs/cgroup/{time}"))
            .map_err(|error| error.failure().clone())
    });
    assert_eq!(failure, Failure::LimitReached("cgroups"));
    assert_eq!(failure.errno(), None);
}

#[test]
fn processes_and_threads_are_bounded_together() {
    let machine = bounded(Limits { threads: 10, ..Limits::default() });
    let root = machine.root();
    let failure =
        until_it_fails(|time| if time % 2 == 0 { root.fork() } else { root.spawn_thread() });
    assert_eq!(failure, Failure::LimitReached("threads"));
}

#[test]
fn open_files_are_bounded() {
    let machine = bounded(Limits { open_files: 10, ..Limits::default() });
    let root = machine.root();
    let own = root.pid().unwrap();
    let failure = until_it_fails(|_| root.open_pid(own));
    assert_eq!(failure, Failure::LimitReached("open files"));
}

#[test]
fn virtual_time_is_bounded() {
    let machine = bounded(Limits { seconds: 60, ..Limits::default() });
    let root = machine.root();
    let sleep = |seconds| {
        let until = root.monotonic()?.after(Duration::from_secs(seconds));
        root.poll(&[], Deadline::At(until)).map(drop)
    };
    assert_eq!(sleep(30), Ok(()));
    assert_eq!(sleep(3_600), Err(Failure::LimitReached("virtual time")));
}

#[test]
fn a_panic_of_a_program_is_told_with_the_line_that_runs_it_again() {
    let scenario = |machine: &Machine| {
        machine.program("/bin/careless", |_, _| panic!("no such luck"));
        machine.run("/bin/careless", &[]).unwrap();
    };
    let found = Search::random(1).check(scenario).unwrap_err();
    assert_eq!(found.message(), "the program /bin/careless panicked: no such luck");
    let told = found.to_string();
    assert!(told.ends_with(&format!("replay: {}", found.line())), "{told}");
}
