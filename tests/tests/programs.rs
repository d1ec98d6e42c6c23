//! Programs: closures that run as processes of a machine, one at a time, each until it blocks.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use standin::backend::{Clock, Deadline, Processes, Spawn, WaitOptions, WaitStatus};
use standin::{Backend, Errno, ExitCode, Failure, KPath, Signal, fs};
use standin_sim::{Machine, View};

fn path(text: &str) -> &KPath {
    KPath::new(text).expect("no NUL")
}

fn sleep(kernel: &dyn Backend, time: Duration) -> Result<(), Failure> {
    kernel.poll(&[], Deadline::At(kernel.monotonic()?.after(time))).map(drop)
}

#[test]
fn a_program_s_exit_code_is_what_its_parent_waits_for() {
    let machine = Machine::builder().build();
    machine
        .program("/bin/seven", |_, arguments| ExitCode(if arguments.len() == 2 { 7 } else { 1 }));
    assert_eq!(machine.run("/bin/seven", &["x"]), Ok(WaitStatus::Exited(7)));
    assert_eq!(machine.run("/bin/true", &[]), Ok(WaitStatus::Exited(0)));
    assert_eq!(machine.run("/bin/false", &[]), Ok(WaitStatus::Exited(1)));
    assert_eq!(machine.run("/bin/nothing", &[]), Err(Errno::ENOENT.into()));
}

#[test]
fn a_thread_of_the_host_sleeps_to_its_end_while_another_one_waits_for_that() {
    let machine = Machine::builder().build();
    let before = machine.root().monotonic().unwrap();
    let child = machine.root().fork().unwrap();
    let slept = std::thread::scope(|scope| {
        let sleeper = scope.spawn(|| sleep(&child, Duration::from_secs(3600)));
        sleeper.join().unwrap()
    });
    assert_eq!(slept, Ok(()));
    assert_eq!(machine.root().monotonic().unwrap().ns - before.ns, 3_600_000_000_000);
}

#[test]
fn an_hour_of_sleep_takes_no_time_and_moves_the_clock() {
    let machine = Machine::builder().build();
    let before = machine.root().monotonic().unwrap();
    assert_eq!(machine.run("/bin/sleep", &["3600"]), Ok(WaitStatus::Exited(0)));
    let after = machine.root().monotonic().unwrap();
    assert_eq!(after.ns - before.ns, 3_600_000_000_000);
}

#[test]
fn a_program_sees_its_own_group_and_parent() {
    let machine = Machine::builder().build();
    let root = machine.root();
    fs::create_dir(&root, "/sys/fs/cgroup/a").unwrap();
    machine.program("/bin/look", |kernel, _| {
        fs::write(kernel, "/sys/fs/cgroup/a/cgroup.procs", "0").unwrap();
        let own = fs::read_to_string(kernel, "/proc/self/cgroup").unwrap();
        ExitCode(i32::from(own != "0::/a\n" || kernel.parent().unwrap().0 == 1))
    });
    assert_eq!(machine.run("/bin/look", &[]), Ok(WaitStatus::Exited(0)));
    assert_eq!(fs::remove_dir(&root, "/sys/fs/cgroup/a"), Ok(()));
}

/// Writes down what its owner's calls say while the stack is unwound.
struct Repair<'a> {
    kernel: &'a dyn Backend,
    answers: Arc<Mutex<Vec<Option<Failure>>>>,
}

impl Drop for Repair<'_> {
    fn drop(&mut self) {
        let answer = fs::remove_dir(self.kernel, "/sys/fs/cgroup/half").err();
        self.answers.lock().expect("no panic").push(answer.map(|error| error.failure().clone()));
    }
}

#[test]
fn clean_up_code_of_a_killed_program_repairs_nothing() {
    let machine = Machine::builder().build();
    let answers = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&answers);
    machine.program("/bin/half", move |kernel, _| {
        fs::create_dir(kernel, "/sys/fs/cgroup/half").unwrap();
        let _repair = Repair { kernel, answers: Arc::clone(&noted) };
        let _ = sleep(kernel, Duration::from_secs(1_000));
        ExitCode::SUCCESS
    });
    let root = machine.root();
    let child = root.spawn(&Spawn::new(path("/bin/half"), &[b"half"])).unwrap();
    machine.settle();
    root.signal(&child, Some(Signal::KILL)).unwrap();
    assert_eq!(
        root.wait(&child, WaitOptions::default()),
        Ok(Some(WaitStatus::Killed(Signal::KILL)))
    );
    machine.settle();
    assert_eq!(*answers.lock().unwrap(), [Some(Failure::CallerDied)]);
    assert_eq!(machine.look().cgroups(), ["/half"]);
}

#[test]
fn what_stands_behind_an_exit_is_not_carried_out() {
    let machine = Machine::builder().build();
    machine.program("/bin/early", |kernel, _| {
        let _ = kernel.exit(ExitCode(3));
        fs::create_dir(kernel, "/sys/fs/cgroup/late").unwrap();
        ExitCode::SUCCESS
    });
    assert_eq!(machine.run("/bin/early", &[]), Ok(WaitStatus::Exited(3)));
    assert!(machine.look().cgroups().is_empty());
}

#[test]
fn a_wait_that_can_never_end_is_a_deadlock_with_a_picture() {
    let machine = Machine::builder().build();
    let (root, child) = (machine.root(), machine.root().fork().unwrap());
    let handle = root.open_pid(child.pid().unwrap()).unwrap();
    let Err(Failure::Deadlock(picture)) = root.wait(&handle, WaitOptions::default()) else {
        panic!("the child has no program and will never exit")
    };
    assert!(picture.contains("waits in wait for a child"), "{picture}");
}

#[test]
fn a_program_s_own_panic_fails_the_test_and_names_the_program() {
    let machine = Machine::builder().build();
    machine.program("/bin/careless", |_, _| panic!("no such luck"));
    let panic = catch_unwind(AssertUnwindSafe(|| machine.run("/bin/careless", &[]))).unwrap_err();
    let text = panic.downcast_ref::<String>().expect("a message");
    assert!(text.contains("/bin/careless") && text.contains("no such luck"), "{text}");
}

#[test]
fn programs_take_turns_where_they_block_in_the_order_in_which_they_can_go_on() {
    let machine = Machine::builder().build();
    let order = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&order);
    machine.program("/bin/turns", move |kernel, arguments| {
        for turn in 0..3 {
            noted.lock().unwrap().push((arguments[1].clone(), turn));
            sleep(kernel, Duration::from_millis(10)).unwrap();
        }
        ExitCode::SUCCESS
    });
    let root = machine.root();
    let spawn =
        |name: &[u8]| root.spawn(&Spawn::new(path("/bin/turns"), &[b"turns", name])).unwrap();
    let children = [spawn(b"a"), spawn(b"b")];
    for child in &children {
        root.wait(child, WaitOptions::default()).unwrap();
    }
    let seen: Vec<String> = order
        .lock()
        .unwrap()
        .iter()
        .map(|(name, turn)| format!("{}{turn}", String::from_utf8_lossy(name)))
        .collect();
    assert_eq!(seen, ["a0", "b0", "a1", "b1", "a2", "b2"]);
}

#[test]
fn two_threads_of_the_host_may_call_one_machine() {
    let machine = Machine::builder().build();
    let (waiter, worker): (View, View) = (machine.root(), machine.root().fork().unwrap());
    let handle = waiter.open_pid(worker.pid().unwrap()).unwrap();
    let made = AtomicU32::new(0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for n in 0..100 {
                fs::create_dir(&worker, format!("/sys/fs/cgroup/{n}")).unwrap();
                made.fetch_add(1, Ordering::Relaxed);
            }
            let _ = worker.exit(ExitCode(5));
        });
        let status = waiter.wait(&handle, WaitOptions::default());
        assert_eq!(status, Ok(Some(WaitStatus::Exited(5))));
    });
    assert_eq!(made.load(Ordering::Relaxed), 100);
    machine.check().unwrap();
}

#[test]
fn a_thread_that_ends_leaves_its_process_alive_until_the_last_one_ends() {
    let machine = Machine::builder().build();
    let root = machine.root();
    let first = root.fork().unwrap();
    let second = first.spawn_thread().unwrap();
    let number = first.pid().unwrap();
    let handle = root.open_pid(number).unwrap();
    let now = WaitOptions { nonblocking: true, ..WaitOptions::default() };
    assert_eq!(first.exit_thread(ExitCode(1)), Err(Failure::CallerDied));
    assert_eq!(root.wait(&handle, now), Ok(None));
    assert_eq!(second.pid(), Ok(number));
    assert_eq!(second.exit_thread(ExitCode(2)), Err(Failure::CallerDied));
    assert_eq!(root.wait(&handle, now), Ok(Some(WaitStatus::Exited(2))));
}

#[test]
fn who_kills_is_told_so_before_what_comes_of_that_end_reaches_it() {
    // Seen on real kernels nearly always; how often not is their luck, so no recording holds it.
    let machine = Machine::builder().build();
    let root = machine.root();
    let parent = root.fork().unwrap();
    let child = parent.fork().unwrap();
    child.set_parent_death_signal(Some(Signal::USR2)).unwrap();
    let held = child.open_pid(parent.pid().unwrap()).unwrap();
    assert_eq!(child.signal(&held, Some(Signal::KILL)), Ok(()));
    assert_eq!(child.pid(), Err(Failure::CallerDied));
    machine.check().unwrap();
}
