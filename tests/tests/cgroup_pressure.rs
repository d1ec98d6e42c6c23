//! The cgroup library where processes wait: what is told of it, and who is woken, on the machine and on the running kernel.

#![expect(clippy::unwrap_used, reason = "what does not work is what a test is to show")]

use std::time::Duration;

use standin::backend::{Backend, Deadline, Processes as _, Spawn, WaitOptions};
use standin::cgroup::{
    Creation, Deletion, Group, GroupPath, Hierarchies, Members, Pressure, Resource, Rule, Share,
    Stall, Threshold,
};
use standin::id::{Bytes, Uid};
use standin::{Controller, Errno, Failure, KPath};
use standin_linux::Linux;
use standin_sim::{Layout, Machine, View};

const ALL: [Resource; 3] = [Resource::Cpu, Resource::Memory, Resource::Io];

fn create(kernel: &dyn Backend, name: &str) -> Group {
    let hierarchies = Hierarchies::find(kernel).unwrap();
    let creation = Creation::new(GroupPath::new(name).unwrap());
    creation.create(kernel, hierarchies.unified().unwrap()).unwrap()
}

fn boot() -> (Machine, View, Group) {
    let machine = Machine::builder().build();
    let root = machine.root();
    let group = create(&root, "a");
    (machine, root, group)
}

fn threshold(stall_ms: u64, window_ms: u64) -> Threshold {
    let (stall, window) = (Duration::from_millis(stall_ms), Duration::from_millis(window_ms));
    Threshold { share: Share::Some, stall, window }
}

fn soon(kernel: &dyn Backend, after: Duration) -> Deadline {
    Deadline::At(kernel.monotonic().unwrap().after(after))
}

#[test]
fn nobody_in_a_group_waits_for_nothing() {
    let (machine, root, group) = boot();
    for resource in ALL {
        let none = Pressure { some: Some(Stall::default()), full: Some(Stall::default()) };
        assert_eq!(group.pressure(&root, resource).unwrap(), none);
        let trigger = group.trigger(&root, resource, threshold(150, 1000)).unwrap();
        let deadline = soon(&root, Duration::from_secs(3));
        assert!(!trigger.wait(&root, deadline).unwrap());
    }
    let refused = group.pressure(&root, Resource::Irq).unwrap_err();
    assert_eq!(refused.rule(), Some(&Rule::NoFile));
    machine.finish().unwrap();
}

#[test]
fn a_window_that_is_not_watched_is_refused_and_the_error_says_which_are() {
    let (machine, root, group) = boot();
    for (stall, window) in [(0, 1000), (1500, 1000), (1, 10_001)] {
        let refused = group.trigger(&root, Resource::Cpu, threshold(stall, window)).unwrap_err();
        assert_eq!((refused.errno(), refused.rule()), (Some(Errno::EINVAL), Some(&Rule::Window)));
    }
    let fine = Threshold { stall: Duration::from_nanos(1500), ..threshold(1, 1000) };
    let refused = group.trigger(&root, Resource::Cpu, fine).unwrap_err();
    assert_eq!((refused.errno(), refused.rule()), (None, Some(&Rule::Window)), "never rounded");
    machine.finish().unwrap();
}

#[test]
fn two_may_watch_one_group_and_each_ends_by_itself() {
    let (_machine, root, group) = boot();
    let first = group.trigger(&root, Resource::Memory, threshold(150, 1000)).unwrap();
    let second = group.trigger(&root, Resource::Memory, threshold(150, 1000)).unwrap();
    drop(first);
    assert!(!second.wait(&root, Deadline::Now).unwrap());
}

#[test]
fn pressure_that_is_switched_off_is_told_apart_from_a_kernel_without_it() {
    let (_machine, root, group) = boot();
    let trigger = group.trigger(&root, Resource::Io, threshold(150, 1000)).unwrap();
    group.set(&root, "cgroup.pressure", false).unwrap();
    let reading = group.pressure(&root, Resource::Io).unwrap_err();
    let setting = group.trigger(&root, Resource::Io, threshold(150, 1000)).unwrap_err();
    for refused in [reading, setting] {
        assert_eq!(refused.rule(), Some(&Rule::PressureOff), "{refused}");
    }
    assert_eq!(trigger.wait(&root, Deadline::Never).unwrap_err().rule(), Some(&Rule::Vanished));

    let machine = Machine::builder().layout(Layout::Legacy).build();
    let root = machine.root();
    let hierarchies = Hierarchies::find(&root).unwrap();
    let pids = hierarchies.with(&root, Controller::Pids).unwrap();
    let group = Creation::new(GroupPath::new("a").unwrap()).create(&root, pids).unwrap();
    let refused = group.pressure(&root, Resource::Memory).unwrap_err();
    assert_eq!(refused.rule(), Some(&Rule::NoFile), "v1 counts none for groups: {refused}");
}

#[test]
fn a_group_that_is_removed_wakes_who_watches_it() {
    let (_machine, root, group) = boot();
    let trigger = group.trigger(&root, Resource::Memory, threshold(150, 1000)).unwrap();
    group.delete(&root).unwrap();
    assert_eq!(trigger.wait(&root, Deadline::Never).unwrap_err().rule(), Some(&Rule::Vanished));
    let refused = group.pressure(&root, Resource::Memory).unwrap_err();
    assert_eq!(refused.rule(), Some(&Rule::Vanished));
}

#[test]
fn what_the_machine_does_not_know_of_pressure_it_says_aloud() {
    let machine = Machine::builder().allow_unmodelled().build();
    let root = machine.root();
    let hierarchies = Hierarchies::find(&root).unwrap();
    let creation = Creation::new(GroupPath::new("a").unwrap()).with(Controller::Memory);
    let creation = creation.set("memory.high", 1 << 20).unwrap();
    let group = creation.create(&root, hierarchies.unified().unwrap()).unwrap();
    let worker = root.fork().unwrap();
    group.attach(&root, worker.pid().unwrap()).unwrap();
    worker.use_memory(Bytes(4 << 20)).unwrap();
    let refused = group.pressure(&root, Resource::Memory).unwrap_err();
    assert!(matches!(refused.failure(), Some(Failure::NotModelled(_))), "{refused}");
    assert_eq!(refused.rule(), None, "it is no kernel's refusal");
}

/// Removes the group also when the test fails.
struct Cleaned<'a>(&'a Linux, Group);

impl Drop for Cleaned<'_> {
    fn drop(&mut self) {
        let deletion = Deletion::new().members(Members::Kill).recursive();
        if let Err(error) = deletion.delete(self.0, &self.1) {
            println!("left behind: {error}");
        }
    }
}

#[test]
fn on_the_running_kernel_a_trigger_wakes_when_processes_wait_for_processors() {
    let kernel = Linux::here();
    if kernel.credentials().unwrap().user.effective != Uid::ROOT {
        return println!("skipped: needs root");
    }
    let hierarchies = Hierarchies::find(&kernel).unwrap();
    let Ok(unified) = hierarchies.unified() else {
        return println!("skipped: no cgroup2 is mounted");
    };
    let name = format!("standin-pressure-{}", kernel.pid().unwrap());
    let creation = Creation::new(GroupPath::new(name).unwrap());
    let group = Cleaned(&kernel, creation.create(&kernel, unified).unwrap());
    let group = &group.1;
    // A window for callers without CAP_SYS_RESOURCE too.
    let trigger = match group.trigger(&kernel, Resource::Cpu, threshold(10, 2000)) {
        Err(refused) if matches!(refused.rule(), Some(Rule::PressureOff | Rule::NoFile)) => {
            return println!("skipped: this kernel counts no pressure: {refused}");
        }
        trigger => trigger.unwrap(),
    };
    assert!(!trigger.wait(&kernel, Deadline::Now).unwrap(), "nobody is in the group");
    let refused = group.trigger(&kernel, Resource::Cpu, threshold(2000, 1000)).unwrap_err();
    assert_eq!(refused.rule(), Some(&Rule::Window));

    // More than there are processors, so that some wait for the others.
    let count = std::thread::available_parallelism().unwrap().get() + 1;
    let shell = KPath::new("/bin/sh").unwrap();
    let arguments: [&[u8]; 3] = [b"sh", b"-c", b"while :; do :; done"];
    let born = Spawn::new(shell, &arguments).into_cgroup(group.directory());
    let workers: Vec<_> = (0..count).map(|_| kernel.spawn(&born).unwrap()).collect();
    let woken = trigger.wait(&kernel, soon(&kernel, Duration::from_secs(30)));
    let some = group.pressure(&kernel, Resource::Cpu).unwrap().some;
    group.kill(&kernel).unwrap();
    for worker in &workers {
        kernel.wait(worker, WaitOptions::default()).unwrap();
    }
    assert!(woken.unwrap());
    assert!(some.unwrap().total > Duration::from_millis(10));
}
