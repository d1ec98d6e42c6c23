//! Orders of programs, faults and crashes: what a search finds, and that its line finds it again.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a program that fails is what a search looks for"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use standin::backend::WaitStatus::{self, Killed};
use standin::backend::{Deadline, Lock, OpenOptions, SocketFlags, Spawn, WaitOptions};
use standin::{Backend, ExitCode, KPath, Place, Signal, fs};
use standin_sim::{Builder, Decisions, Fault, Machine, ReplayError, Search};

const GROUP: &str = "/sys/fs/cgroup/web";

/// Looks first and makes then: another may come in between.
fn look_and_make(kernel: &dyn Backend, _: &[Vec<u8>]) -> ExitCode {
    if !fs::exists(kernel, GROUP) {
        fs::create_dir(kernel, GROUP).unwrap();
    }
    ExitCode::SUCCESS
}

/// Makes, and is content with what is there.
fn make_or_have(kernel: &dyn Backend, _: &[Vec<u8>]) -> ExitCode {
    match fs::create_dir(kernel, GROUP) {
        Err(error) if error.errno() != Some(standin::Errno::EEXIST) => panic!("{error}"),
        _ => ExitCode::SUCCESS,
    }
}

fn two_of(program: fn(&dyn Backend, &[Vec<u8>]) -> ExitCode) -> impl Fn(&Machine) {
    move |machine| {
        machine.program("/bin/ensure", program);
        machine.run_together(&[&["/bin/ensure"], &["/bin/ensure"]]).unwrap();
        assert!(fs::exists(&machine.root(), GROUP));
    }
}

#[test]
fn the_default_order_does_not_show_what_others_do() {
    let found = Search::given(Decisions::default()).check(two_of(look_and_make));
    assert_eq!(found.unwrap().runs, 1);
}

#[test]
fn each_way_of_searching_finds_the_race_and_its_line_finds_it_again() {
    for search in [Search::random(1), Search::priorities(1, 2), Search::exhaustive(1)] {
        let found = search.check(two_of(look_and_make)).unwrap_err();
        assert!(found.message().contains("EEXIST"), "{found}");
        let decided = found.decisions().as_bytes().iter().filter(|byte| **byte != 0).count();
        assert!((1..=2).contains(&decided), "{found}");
        for _ in 0..100 {
            let again = Search::replay(found.line(), Machine::builder()).unwrap();
            let again = again.check(two_of(look_and_make)).unwrap_err();
            assert_eq!((again.message(), again.line()), (found.message(), found.line()));
        }
    }
}

#[test]
fn what_does_not_race_passes_in_every_order() {
    let report = Search::exhaustive(3).check(two_of(make_or_have)).unwrap();
    assert!(report.is_complete && report.runs > 3, "{report:?}");
    Search::random(7).runs(100).check(two_of(make_or_have)).unwrap();
}

#[test]
fn an_exhaustive_search_runs_every_order_once() {
    // Two programs of four steps each: the start, two calls, the exit. 8! / (4! 4!) orders.
    let orders = std::sync::Mutex::new(std::collections::BTreeSet::new());
    let scenario = |machine: &Machine| {
        for name in ["a", "b"] {
            machine.program(&format!("/bin/{name}"), move |kernel, _| {
                for call in 1..3 {
                    fs::create_dir(kernel, format!("/mnt/{name}{call}")).unwrap();
                }
                ExitCode::SUCCESS
            });
        }
        machine.run_together(&[&["/bin/a"], &["/bin/b"]]).unwrap();
        let made = fs::read_dir(&machine.root(), "/mnt").unwrap();
        assert_eq!(made.len(), 4);
        let mut inodes: Vec<_> = made
            .iter()
            .map(|entry| {
                let path = format!("/mnt/{}", entry.file_name());
                (fs::metadata(&machine.root(), &path).unwrap().inode, path)
            })
            .collect();
        inodes.sort();
        let order: Vec<String> = inodes.into_iter().map(|(_, path)| path).collect();
        orders.lock().unwrap().insert(order);
    };
    let report = Search::exhaustive(10).check(scenario).unwrap();
    assert_eq!(orders.into_inner().unwrap().len(), 6, "two mkdirs each: 4! / (2! 2!)");
    assert_eq!(report.runs, 70, "{report:?}");
}

/// Makes two sleepers, one with a child of its own, ends both by signals, and waits for them.
fn kill_sleepers(kernel: &dyn Backend, _: &[Vec<u8>]) -> ExitCode {
    let parent = Spawn::new(KPath::new("/bin/parent").unwrap(), &[b"parent"]);
    let sleeper = Spawn::new(KPath::new("/bin/sleep").unwrap(), &[b"sleep", b"3600"]);
    let both = [kernel.spawn(&parent).unwrap(), kernel.spawn(&sleeper).unwrap()];
    for (child, signal) in both.iter().zip([Signal::TERM, Signal::KILL]) {
        kernel.signal(child, Some(Signal::STOP)).unwrap();
        kernel.signal(child, Some(signal)).unwrap();
        kernel.signal(child, Some(Signal::CONT)).unwrap();
        assert_eq!(kernel.wait(child, WaitOptions::default()).unwrap(), Some(Killed(signal)));
    }
    ExitCode::SUCCESS
}

#[test]
fn who_is_killed_may_be_there_for_a_while_and_ends_by_the_rules() {
    let lingered = Arc::new(AtomicU32::new(0));
    let count = || lingered.load(Ordering::Relaxed);
    let scenario = |machine: &Machine| {
        machine.program("/bin/parent", |kernel, _| {
            let child = Spawn::new(KPath::new("/bin/sleep").unwrap(), &[b"sleep", b"3600"]);
            let child = kernel.spawn(&child).unwrap();
            kernel.wait(&child, WaitOptions::default()).unwrap();
            ExitCode::SUCCESS
        });
        machine.program("/bin/killer", kill_sleepers);
        let lingered = Arc::clone(&lingered);
        machine.program("/bin/other", move |kernel, _| {
            let child = Spawn::new(KPath::new("/bin/sleep").unwrap(), &[b"sleep", b"1"]);
            let child = kernel.spawn(&child).unwrap();
            kernel.signal(&child, Some(Signal::KILL)).unwrap();
            let nonblocking = WaitOptions { nonblocking: true, ..WaitOptions::default() };
            if kernel.wait(&child, nonblocking).unwrap().is_none() {
                lingered.fetch_add(1, Ordering::Relaxed);
            }
            ExitCode::SUCCESS
        });
        machine.run_together(&[&["/bin/killer"], &["/bin/other"]]).unwrap();
        machine.check().unwrap();
    };
    Search::given(Decisions::default()).check(scenario).unwrap();
    assert_eq!(count(), 0);
    Search::random(3).runs(300).check(scenario).unwrap();
    Search::priorities(3, 2).runs(300).check(scenario).unwrap();
    assert!(count() > 50, "{} of 600", count());
}

#[test]
fn a_line_that_cannot_be_run_says_why() {
    let found = Search::exhaustive(1).check(two_of(look_and_make)).unwrap_err();
    let line = found.line();
    let refused = |line: &str, machine| Search::replay(line, machine).unwrap_err();
    let cut = line.strip_suffix(|_: char| true).unwrap();
    assert!(matches!(refused(cut, Machine::builder()), ReplayError::Malformed { .. }));
    let newer = line.replacen("standin-1", "standin-2", 1);
    let error = refused(&newer, Machine::builder());
    assert!(
        matches!(&error, ReplayError::Version { written, reads: 1 } if written == "2"),
        "{error}"
    );
    let error = refused(line, Machine::builder().processors(7));
    assert!(matches!(error, ReplayError::Machine { .. }), "{error}");
    assert!(matches!(refused("", Machine::builder()), ReplayError::Malformed { .. }));
}

/// A supervisor that makes a group for its worker and forgets what it made if it dies before the worker is in it.
fn supervisor(kernel: &dyn Backend, _: &[Vec<u8>]) -> ExitCode {
    fs::create_dir(kernel, GROUP).unwrap();
    fs::write(kernel, format!("{GROUP}/cgroup.procs"), "0").unwrap();
    fs::write(kernel, "/sys/fs/cgroup/cgroup.procs", "0").unwrap();
    fs::remove_dir(kernel, GROUP).unwrap();
    ExitCode::SUCCESS
}

#[test]
fn a_crash_at_each_call_in_turn_shows_what_is_left_behind() {
    let scenario = |machine: &Machine| {
        machine.program("/bin/supervisor", supervisor);
        machine.run("/bin/supervisor", &[]).unwrap();
        assert_eq!(machine.look().cgroups(), [""; 0], "a group was left behind");
    };
    let crashing =
        Machine::builder().fault(Fault::dies().of("/bin/supervisor").at_most(1).perhaps());
    let found = Search::exhaustive(0).on(crashing.clone()).check(scenario).unwrap_err();
    assert!(found.message().contains("a group was left behind"), "{found}");
    let again = Search::replay(found.line(), crashing).unwrap().check(scenario).unwrap_err();
    assert_eq!(again.line(), found.line());
}

#[test]
fn a_crash_is_a_kill_and_each_call_is_tried_once() {
    let ends = std::sync::Mutex::new(Vec::new());
    let scenario = |machine: &Machine| {
        machine.program("/bin/supervisor", supervisor);
        ends.lock().unwrap().push(machine.run("/bin/supervisor", &[]).unwrap());
    };
    let crashing =
        Machine::builder().fault(Fault::dies().of("/bin/supervisor").at_most(1).perhaps());
    let report = Search::exhaustive(0).on(crashing).check(scenario).unwrap();
    let ends = ends.into_inner().unwrap();
    let (ended, killed): (Vec<WaitStatus>, Vec<WaitStatus>) =
        ends.iter().copied().partition(|end| *end == WaitStatus::Exited(0));
    assert_eq!(ended.len(), 1, "the run without a crash");
    assert!(killed.iter().all(|end| *end == WaitStatus::Killed(Signal::KILL)));
    assert_eq!(report.runs, ends.len() as u64);
    assert!(killed.len() > 4, "{ends:?}");
}

#[test]
fn the_same_seed_runs_the_same_orders() {
    let runs = |seed| {
        let mut orders = Vec::new();
        for _ in 0..2 {
            let order = std::sync::Mutex::new(Vec::new());
            let scenario = |machine: &Machine| {
                for name in ["a", "b", "c"] {
                    machine.program(&format!("/bin/{name}"), move |kernel, _| {
                        for _ in 0..5 {
                            let said = fs::read_to_string(kernel, "/mnt/said").unwrap_or_default();
                            fs::write(kernel, "/mnt/said", format!("{said}{name}")).unwrap();
                        }
                        let _ = kernel.pid();
                        ExitCode::SUCCESS
                    });
                }
                machine.run_together(&[&["/bin/a"], &["/bin/b"], &["/bin/c"]]).unwrap();
                order
                    .lock()
                    .unwrap()
                    .push(fs::read_to_string(&machine.root(), "/mnt/said").unwrap());
            };
            Search::random(seed).runs(50).check(scenario).unwrap();
            orders.push(order.into_inner().unwrap());
        }
        orders
    };
    let [one, other] = &runs(1)[..] else { panic!() };
    assert_eq!(one, other);
    let distinct: std::collections::BTreeSet<_> = one.iter().collect();
    assert!(distinct.len() > 25, "{distinct:?}");
    assert_ne!(&runs(2)[0], one);
}

#[test]
fn a_transfer_may_be_short_and_what_is_left_is_transferred_by_the_next() {
    let short = [Fault::shortens("write", 3).nth(1), Fault::shortens("read", 0)];
    let machine = short.into_iter().fold(Machine::builder(), Builder::fault).build();
    machine.program("/bin/writer", |kernel, _| {
        let place = Place::cwd(KPath::new("/mnt/log").unwrap());
        let file = kernel.open(place, &OpenOptions::read_write().create()).unwrap();
        assert_eq!(kernel.write(&file, b"a line"), Ok(3));
        assert_eq!(kernel.write(&file, b"ine"), Ok(3));
        let (out, into) = kernel.pipe(SocketFlags::empty()).unwrap();
        kernel.write(&into, b"xy").unwrap();
        let mut buffer = [0; 8];
        for byte in *b"xy" {
            assert_eq!(kernel.read(&out, &mut buffer), Ok(1), "one byte at least");
            assert_eq!(buffer[0], byte);
        }
        ExitCode::SUCCESS
    });
    assert_eq!(machine.run("/bin/writer", &[]), Ok(WaitStatus::Exited(0)));
    assert_eq!(fs::read_to_string(&machine.root(), "/mnt/log").unwrap(), "a line");
}

#[test]
fn chance_chooses_the_same_calls_for_the_same_seed() {
    let refused = |seed| {
        let fault = Fault::fails("mkdir", standin::Errno::ENOSPC).once_in(4, seed);
        let machine = Machine::builder().fault(fault).build();
        machine.program("/bin/maker", |kernel, _| {
            for number in 0..200 {
                let _ = fs::create_dir(kernel, format!("/sys/fs/cgroup/{number}"));
            }
            ExitCode::SUCCESS
        });
        machine.run("/bin/maker", &[]).unwrap();
        200 - machine.look().cgroups().len()
    };
    let [first, again, other] = [1, 1, 2].map(refused);
    assert_eq!(first, again);
    assert!((20..80).contains(&first) && (20..80).contains(&other), "{first} and {other} of 200");
}

#[test]
fn a_program_dies_in_the_calls_that_are_named() {
    let fault = Fault::dies().in_calls("mkdir").on("*/second");
    let machine = Machine::builder().fault(fault).build();
    machine.program("/bin/maker", |kernel, _| {
        for name in ["first", "second", "third"] {
            fs::create_dir(kernel, format!("/sys/fs/cgroup/{name}")).unwrap();
        }
        ExitCode::SUCCESS
    });
    assert_eq!(machine.run("/bin/maker", &[]), Ok(WaitStatus::Killed(Signal::KILL)));
    assert_eq!(machine.look().cgroups(), ["/first"]);
}

#[test]
fn who_holds_a_lock_is_in_the_picture_of_who_waits_for_it() {
    let machine = Machine::builder().build();
    let program = |kernel: &dyn Backend, _: &[Vec<u8>]| {
        let place = Place::cwd(KPath::new("/mnt/lock").unwrap());
        let file = kernel.open(place, &OpenOptions::read_write().create()).unwrap();
        kernel.flock(file.descriptor(), Lock::Exclusive { nonblocking: false }).unwrap();
        kernel.poll(&[], Deadline::Never).unwrap();
        ExitCode::SUCCESS
    };
    machine.program("/bin/keeper", program);
    machine.program("/bin/second", program);
    let keeper = machine.launch(&["/bin/keeper"]).unwrap();
    machine.settle();
    machine.launch(&["/bin/second"]).unwrap();
    machine.settle();
    let picture = machine.look().waiting();
    let wanted = format!("second waits in flock for a lock that {keeper} keeper has\n");
    assert!(picture.contains(&wanted), "{picture}");
}
