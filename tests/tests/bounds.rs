//! The bounds of a run: reaching one is a failure of its own type that names it, and no errno that a program would take for the
//! kernel's.

use std::time::Duration;

use standin::backend::{Clock as _, Deadline, Processes as _, WaitStatus};
use standin::{ExitCode, Failure, fs};
use standin_sim::{Decisions, Limits, Machine, Search};

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
fn calls_are_bounded_for_who_never_stops() {
    let machine = bounded(Limits { operations: 1_000, ..Limits::default() });
    machine.program("/bin/spins", |kernel, _| {
        loop {
            if let Err(failure) = kernel.pid() {
                assert_eq!(failure, Failure::LimitReached("operations"));
                return ExitCode::SUCCESS;
            }
        }
    });
    let ended = machine.run("/bin/spins", &[]);
    assert_eq!(ended, Err(Failure::LimitReached("operations")), "exit and wait are calls too");
}

#[test]
fn a_program_that_calls_for_ever_is_named() {
    let scenario = |machine: &Machine| {
        machine.program("/bin/spins", |kernel, _| {
            loop {
                let _ = kernel.pid();
            }
        });
        machine.run("/bin/spins", &[]).unwrap();
    };
    let limits = Limits { operations: 1_000, ..Limits::default() };
    let found = Search::given(Decisions::default()).on(Machine::builder().limits(limits));
    let found = found.check(scenario).unwrap_err();
    let message = found.message();
    assert!(
        message.starts_with("the program /bin/spins panicked: thread 4 calls pid"),
        "{message}"
    );
}

/// Says to this program, started again, that it is to loop.
const LOOPS: &str = "STANDIN_TEST_LOOPS";

#[test]
fn a_program_that_never_makes_a_call_is_named_and_ends_the_process() {
    if std::env::var_os(LOOPS).is_some() {
        let machine = Machine::builder().watchdog(Duration::from_millis(300));
        let _ = Search::given("1.1".parse().unwrap()).on(machine).check(|machine| {
            machine.program("/bin/spins", |kernel, _| {
                kernel.pid().unwrap();
                loop {
                    std::hint::spin_loop();
                }
            });
            machine.run_together(&[&["/bin/spins"], &["/bin/true"]]).unwrap();
        });
        unreachable!("the watchdog ends the process");
    }
    let name = "a_program_that_never_makes_a_call_is_named_and_ends_the_process";
    let ended = std::process::Command::new(std::env::current_exe().unwrap())
        .args([name, "--exact", "--nocapture"])
        .env(LOOPS, "")
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&ended.stderr);
    assert!(!ended.status.success(), "{told}");
    assert!(told.contains("has run for 300ms of the host's time without making a call"), "{told}");
    assert!(told.contains("(spins), the program /bin/spins\n  its last call: pid() = "), "{told}");
    assert!(told.contains("\n  replay: standin-1:6.12-unified-"), "{told}");
}

#[test]
fn a_program_that_makes_calls_or_waits_is_no_matter_of_the_watchdog() {
    let machine = Machine::builder().watchdog(Duration::from_millis(100)).build();
    machine.program("/bin/works", |kernel, _| {
        let begun = std::time::Instant::now();
        while begun.elapsed() < Duration::from_millis(400) {
            kernel.pid().unwrap();
        }
        ExitCode::SUCCESS
    });
    let ended = machine.run_together(&[&["/bin/works"], &["/bin/sleep", "10"]]).unwrap();
    assert_eq!(ended, [WaitStatus::Exited(0); 2]);
    // And nothing at all is done on the machine.
    std::thread::sleep(Duration::from_millis(300));
    machine.check().unwrap();
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
