//! Waiting, freezing, killing and watching, while others remove the group, put somebody in, or refuse a call.

use std::time::Duration;

use standin::backend::{Clock as _, Deadline, Processes as _};
use standin::cgroup::{Creation, Group, Result};
use standin::layer::Layered;
use standin::{Backend, Controller, Errno, Pid, Signal, fs};
use standin_sim::{Layout, View};

use super::steps::Before;
use super::world::{World, bare, path};

/// Whether it came before the deadline.
type Act = fn(&dyn Backend, &Group, Deadline) -> Result<bool>;
/// What somebody does with the process, and with the group at a path.
type Rival = fn(&World, &View, &str);

/// What is done with a group.
const ACTS: [(&str, Act); 4] = [
    ("wait_empty", |kernel, group, deadline| group.wait_empty(kernel, deadline)),
    ("freeze", |kernel, group, deadline| group.freeze(kernel, deadline)),
    ("kill", |kernel, group, deadline| {
        group.kill(kernel).and_then(|()| group.wait_empty(kernel, deadline))
    }),
    ("watch", |kernel, group, deadline| {
        if group.hierarchy().version() == standin::cgroup::Version::V1 {
            return group.events(kernel).map(|events| !events.populated);
        }
        let watch = group.watch(kernel)?;
        Ok(!watch.now(kernel)?.populated || watch.changes(kernel, deadline)?)
    }),
];

fn at(layout: Layout) -> &'static str {
    if layout == Layout::Unified { "/sys/fs/cgroup/x" } else { "/sys/fs/cgroup/freezer/x" }
}

fn start(layout: Layout) -> (World, Group, View) {
    let world = bare(layout);
    let controller = if layout == Layout::Unified { Controller::Pids } else { Controller::Freezer };
    let hierarchy = world.hierarchies.with(&world.root, controller).unwrap();
    let group = Creation::new(path("x")).create(&world.root, hierarchy).unwrap();
    let worker = world.root.fork().unwrap();
    group.attach(&world.root, worker.pid().unwrap()).unwrap();
    (world, group, worker)
}

fn soon(world: &World) -> Deadline {
    Deadline::At(world.root.monotonic().unwrap().after(Duration::from_millis(5)))
}

/// Ends who is in a group. One who stands still cannot be asked for its number.
fn kill(world: &World, at: &str) {
    let listed = fs::read_to_string(&world.root, format!("{at}/cgroup.procs")).unwrap_or_default();
    for number in listed.lines() {
        let handle = world.root.open_pid(Pid(number.parse().unwrap())).unwrap();
        world.root.signal(&handle, Some(Signal::KILL)).ok();
    }
}

/// What another does meanwhile.
const RIVALS: [(&str, Rival); 4] = [
    ("ends the process", |world, _, at| kill(world, at)),
    ("ends the process and removes the group", |world, _, at| {
        kill(world, at);
        fs::remove_dir(&world.root, at).ok();
    }),
    ("puts another process in", |world, _, at| {
        let number = world.root.fork().unwrap().pid().unwrap().0.to_string();
        fs::write(&world.root, format!("{at}/cgroup.procs"), number).ok();
    }),
    // Who stands still forks no more.
    ("lets the process fork", |world, worker, at| {
        let says = |file: &str, text: &str| {
            fs::read_to_string(&world.root, format!("{at}/{file}")).is_ok_and(|it| it == text)
        };
        if says("cgroup.freeze", "0\n") || says("freezer.state", "THAWED\n") {
            worker.fork().ok();
        }
    }),
];

#[test]
fn whatever_another_does_meanwhile_it_ends_with_an_answer_or_says_why() {
    for layout in [Layout::Unified, Layout::Legacy] {
        for ((name, act), (does, rival)) in
            ACTS.into_iter().flat_map(|act| RIVALS.map(|rival| (act, rival)))
        {
            for nth in 1.. {
                let (world, group, worker) = start(layout);
                let raced = Layered::new(
                    &world.root,
                    Before::call(nth, || {
                        rival(&world, &worker, at(layout));
                        Ok(())
                    }),
                );
                let told = format!("{layout:?}: {name}, and somebody {does} before call {nth}");
                match act(&raced, &group, soon(&world)) {
                    Ok(is_done) => {
                        let empty = || group.processes(&world.root).unwrap().is_empty();
                        let was_ended = does == "ends the process" && raced.layer().was_reached();
                        if name == "wait_empty" && is_done && fs::exists(&world.root, at(layout)) {
                            assert!(was_ended && empty(), "{told}");
                        }
                    }
                    Err(error) => {
                        assert!(error.rule().is_some(), "{told}: {error}");
                        assert!(!fs::exists(&world.root, at(layout)), "{told}: {error}");
                    }
                }
                assert_eq!(world.machine.check(), Ok(()), "{told}");
                if !raced.layer().was_reached() || nth > 60 {
                    break;
                }
            }
        }
    }
}

#[test]
fn a_call_that_is_refused_ends_the_wait_with_its_errno() {
    for layout in [Layout::Unified, Layout::Legacy] {
        for (name, act) in ACTS {
            let mut refused = 0;
            for nth in 1..30 {
                let (world, group, _worker) = start(layout);
                let faulty =
                    Layered::new(&world.root, Before::call(nth, || Err(Errno::EIO.into())));
                match act(&faulty, &group, soon(&world)) {
                    Ok(_) => assert!(!faulty.layer().was_reached(), "{layout:?} {name} {nth}"),
                    Err(error) => {
                        refused += 1;
                        assert_eq!(error.errno(), Some(Errno::EIO), "{error}");
                    }
                }
            }
            assert!(refused > 2, "{layout:?} {name}: {refused}");
        }
    }
}
