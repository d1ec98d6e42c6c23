//! Snapshots: what a restored machine answers, what it shares with the one it was taken of, and when none can be taken.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::time::Duration;

use standin::backend::{
    Channels, Clock, Deadline, Files, OpenOptions, Processes, Spawn, WaitStatus,
};
use standin::handle::File;
use standin::{Errno, ExitCode, Failure, KPath, Pid, Place, fs};
use standin_cli::skips;
use standin_sim::{LivePrograms, Machine, Snapshot};
use standin_tests::changing::Changing;
use standin_tests::{fixtures, lists, replay};

const GROUP: &str = "/sys/fs/cgroup/web";

fn path(text: &str) -> &KPath {
    KPath::new(text).unwrap()
}

fn restored(stage: &standin_sim::Stage) -> Option<standin_sim::Stage> {
    stage.restored().ok()
}

#[test]
fn a_restored_machine_answers_as_the_original_would_have() {
    let skips = lists::skips();
    let all = fixtures::cached().iter();
    let played = all.filter(|fixture| skips::first(&skips, &fixture.transcript).is_none());
    let (mut changed, mut complaints) = (0, Vec::new());
    for (turn, fixture) in played.enumerate() {
        let script = &fixture.transcript;
        let mut alone =
            Changing::new(standin_sim::Stage::new(&script.machine), usize::MAX, restored);
        let whole = replay::on(script, &mut alone).unwrap();
        let requests = whole.transcript.to_string().matches("> ").count();
        // In the middle, and of every other one at a place that wanders over the fixtures.
        let left = if turn % 2 == 0 { requests / 2 } else { turn % requests.max(1) };
        let mut stage = Changing::new(standin_sim::Stage::new(&script.machine), left, restored);
        let report = replay::on(script, &mut stage).unwrap();
        changed += usize::from(stage.has_changed());
        let is_alike = report.transcript.to_string() == whole.transcript.to_string();
        if !is_alike || stage.checked != alone.checked {
            complaints.push(format!("{} from request {left} on", fixture.name));
        }
    }
    assert!(complaints.is_empty(), "{} differ: {complaints:#?}", complaints.len());
    assert!(changed > 1_000, "snapshots were taken in {changed} runs");
}

#[test]
fn machines_of_one_snapshot_do_not_see_each_other() {
    let machine = Machine::builder().build();
    fs::create_dir(&machine.root(), GROUP).unwrap();
    let snapshot = machine.snapshot().unwrap();
    let restored: Vec<Machine> = (0..100).map(|_| snapshot.machine()).collect();
    for (number, one) in restored.iter().enumerate() {
        let most = (number + 1).to_string();
        fs::write(&one.root(), format!("{GROUP}/cgroup.max.descendants"), most).unwrap();
        fs::create_dir(&one.root(), format!("{GROUP}/{number}")).unwrap();
    }
    fs::remove_dir(&machine.root(), GROUP).unwrap();
    for (number, one) in restored.iter().enumerate() {
        let file = format!("{GROUP}/cgroup.max.descendants");
        let most = fs::read_to_string(&one.root(), file).unwrap();
        assert_eq!(most, format!("{}\n", number + 1));
        assert_eq!(one.look().cgroups(), ["/web".to_owned(), format!("/web/{number}")]);
        one.check().unwrap();
    }
    assert_eq!(snapshot.machine().look().cgroups(), ["/web"]);
    assert_eq!(machine.look().cgroups(), [""; 0]);
}

#[test]
fn handles_and_views_stay_those_of_the_machine_they_were_made_on() {
    let machine = Machine::builder().build();
    let root = machine.root();
    fs::create_dir(&root, GROUP).unwrap();
    let depth = format!("{GROUP}/cgroup.max.depth");
    let file = root.open(Place::cwd(path(&depth)), &OpenOptions::read_write()).unwrap();
    let restored = machine.snapshot().unwrap().machine();
    let there = restored.root();
    assert_eq!(there.write(&file, b"1"), Err(Failure::Errno(Errno::EBADF)));
    // The process that goes on has the same descriptor, open at the same file.
    let same = File::from(there.inherited(file.descriptor().number()).unwrap());
    there.write(&same, b"7").unwrap();
    root.write(&file, b"3").unwrap();
    assert_eq!(fs::read_to_string(&there, &depth).unwrap(), "7\n");
    assert_eq!(fs::read_to_string(&root, &depth).unwrap(), "3\n");
    drop(file);
    there.write(&same, b"8").unwrap();
}

#[test]
fn processes_and_the_clock_are_what_they_were() {
    let machine = Machine::builder().build();
    let user = machine.user(1000);
    fs::create_dir(&machine.root(), GROUP).unwrap();
    let pid = user.pid().unwrap();
    fs::write(&machine.root(), format!("{GROUP}/cgroup.procs"), pid.to_string()).unwrap();
    let later = machine.root().monotonic().unwrap().after(Duration::from_secs(5));
    machine.root().poll(&[], Deadline::At(later)).unwrap();
    let restored = machine.snapshot().unwrap().machine();
    let process = restored.process(pid).unwrap();
    assert_eq!(process.pid(), Ok(pid));
    assert_eq!(restored.root().monotonic(), Ok(later));
    assert_eq!(restored.look().processes(), machine.look().processes());
    let refused = fs::create_dir(&process, format!("{GROUP}/mine")).unwrap_err();
    assert_eq!(refused.errno(), Some(Errno::EACCES));
    let next = [&machine, &restored].map(|machine| machine.user(0).pid());
    assert_eq!(next[0], next[1], "the number that is given out next");
    assert!(restored.process(Pid(4_000_000)).is_none());
}

#[test]
fn no_snapshot_is_taken_while_a_program_has_not_ended() {
    let machine = Machine::builder().build();
    let root = machine.root();
    let sleep = root.spawn(&Spawn::new(path("/bin/sleep"), &[b"sleep", b"10"])).unwrap();
    // One that has not begun has no stack.
    let begins = machine.snapshot().unwrap().machine();
    machine.settle();
    let live: LivePrograms = machine.snapshot().unwrap_err();
    assert_eq!((live.waiting.len(), live.running), (1, 0));
    assert_eq!(live.waiting[0].1, "sleep");
    assert!(live.to_string().contains("sleep waits in poll"), "{live}");
    root.signal(&sleep, Some(standin::Signal::KILL)).unwrap();
    machine.settle();
    machine.snapshot().unwrap();
    // And there it sleeps to its end.
    begins.settle();
    assert!(begins.snapshot().is_err());
    let later = begins.root().monotonic().unwrap().after(Duration::from_secs(11));
    begins.root().poll(&[], Deadline::At(later)).unwrap();
    begins.snapshot().unwrap();
}

#[test]
fn a_program_cannot_take_a_snapshot_of_its_own_machine() {
    let machine = Machine::builder().build();
    let told = std::sync::Arc::new(std::sync::Mutex::new(None));
    let (inside, tells) = (machine.clone(), std::sync::Arc::clone(&told));
    machine.program("/bin/looks", move |_, _| {
        *tells.lock().unwrap() = inside.snapshot().err();
        ExitCode::SUCCESS
    });
    machine.run("/bin/looks", &[]).unwrap();
    let live = told.lock().unwrap().take().unwrap();
    assert_eq!(live.running, 1, "{live}");
    machine.snapshot().unwrap();
    // The program holds a handle of its machine: without it the machine would end here, and does not.
    machine.program("/bin/looks", |_, _| ExitCode::SUCCESS);
}

#[test]
fn a_restored_machine_has_the_programs_of_the_first() {
    let machine = Machine::builder().build();
    machine.program("/bin/make", |kernel, arguments| {
        let name = String::from_utf8_lossy(&arguments[1]).into_owned();
        fs::create_dir(kernel, format!("/sys/fs/cgroup/{name}")).unwrap();
        ExitCode(3)
    });
    let snapshot: Snapshot = machine.snapshot().unwrap();
    drop(machine);
    for name in ["a", "b"] {
        let machine = snapshot.machine();
        assert_eq!(machine.run("/bin/make", &[name]), Ok(WaitStatus::Exited(3)));
        assert_eq!(machine.look().cgroups(), [format!("/{name}")]);
    }
}

#[test]
fn snapshots_may_be_shared_between_threads() {
    fn is_send_and_sync<T: Send + Sync>() {}
    is_send_and_sync::<Snapshot>();
    let machine = Machine::builder().build();
    let snapshot = machine.snapshot().unwrap();
    std::thread::scope(|scope| {
        for number in 0..8 {
            let snapshot = &snapshot;
            scope.spawn(move || {
                for turn in 0..100 {
                    let machine = snapshot.machine();
                    let name = format!("/sys/fs/cgroup/{number}-{turn}");
                    fs::create_dir(&machine.root(), &name).unwrap();
                    assert_eq!(machine.look().cgroups().len(), 1);
                    machine.check().unwrap();
                }
            });
        }
    });
    assert_eq!(machine.look().cgroups(), [""; 0]);
}
