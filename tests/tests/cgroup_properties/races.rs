//! Somebody else acts between two calls of ours, before each of them in turn: what fails says why, and what we did is taken
//! back but for what the error names.

use std::collections::BTreeSet;

use standin::backend::{Files as _, MountFlags, Processes as _};
use standin::cgroup::{Created, Creation, Existing, Hierarchy, Modes, Result};
use standin::layer::Layered;
use standin::path::Place;
use standin::{Backend, Controller, ControllerSet, KPath, Mode, fs};
use standin_sim::Layout;

use super::steps::Before;
use super::world::{Picture, World, boot, changed, left, name_of, path};

/// What a rival does, with a view of its own; whether it works is its own business.
type Rival = fn(&World);

fn at(world: &World) -> String {
    world.hierarchies.with(&world.root, Controller::Pids).unwrap().mount_point().to_string()
}

fn write(world: &World, file: &str, text: &str) {
    fs::write(&world.root, format!("{}/{file}", at(world)), text).ok();
}

fn rmdir(world: &World, group: &str) {
    fs::remove_dir(&world.root, format!("{}/{group}", at(world))).ok();
}

fn mkdir(world: &World, group: &str) {
    fs::create_dir(&world.root, format!("{}/{group}", at(world))).ok();
}

fn attach(world: &World, group: &str) {
    let worker = world.root.fork().unwrap().pid().unwrap();
    write(world, &format!("{group}/cgroup.procs"), &worker.0.to_string());
}

/// A process that is in the group has children there.
fn fork_inside(world: &World, group: &str) {
    let worker = world.root.fork().unwrap();
    let file = format!("{}/{group}/cgroup.procs", at(world));
    if fs::write(&worker, file, "0").is_ok() {
        worker.fork().unwrap();
        worker.fork().unwrap();
    }
}

const RIVALS: [(&str, Rival); 16] = [
    ("removes the group", |world| rmdir(world, "there/x")),
    ("removes a group above", |world| {
        rmdir(world, "there/x");
        rmdir(world, "there/a/below");
        rmdir(world, "there/a");
        rmdir(world, "there");
    }),
    ("removes one below", |world| rmdir(world, "there/x/y")),
    ("makes the group", |world| mkdir(world, "there/x")),
    ("makes one below", |world| mkdir(world, "there/x/y")),
    ("makes the group anew", |world| {
        rmdir(world, "there/x/y");
        rmdir(world, "there/x");
        mkdir(world, "there/x");
    }),
    ("enables a controller above", |world| {
        write(world, "cgroup.subtree_control", "+memory");
    }),
    ("enables another above", |world| write(world, "there/cgroup.subtree_control", "+cpu")),
    ("disables a controller above", |world| {
        write(world, "there/x/cgroup.subtree_control", "-pids");
        write(world, "there/a/cgroup.subtree_control", "-pids");
        write(world, "there/cgroup.subtree_control", "-pids");
    }),
    ("disables one that is wanted", |world| {
        write(world, "there/cgroup.subtree_control", "-memory");
        write(world, "cgroup.subtree_control", "-memory");
    }),
    ("attaches a process", |world| attach(world, "there/x")),
    ("attaches a process above", |world| attach(world, "there")),
    ("attaches a process below", |world| attach(world, "there/x/y")),
    ("forks in the group", |world| fork_inside(world, "there/x")),
    ("unmounts the hierarchy", |world| {
        let place = at(world);
        world.root.umount(Place::cwd(KPath::new(&place).unwrap())).ok();
    }),
    ("mounts over the hierarchy and away again", |world| {
        let place = at(world);
        let [kind, at, none] = ["tmpfs", &place, ""].map(|text| KPath::new(text).unwrap());
        world.root.mount(kind, Place::cwd(at), MountFlags::empty(), none).unwrap();
        fs::create_dir(&world.root, format!("{place}/there")).unwrap();
        world.root.umount(Place::cwd(at)).unwrap();
    }),
];

fn wanted(group: &str, existing: Existing, is_v1: bool) -> Creation {
    let both = [Controller::Pids, Controller::Memory].into_iter();
    let all: ControllerSet = both.take(if is_v1 { 1 } else { 2 }).collect();
    Creation::new(path(group))
        .on_existing(existing)
        .with(all)
        .allowing(Modes { directory: Some(Mode::new(0o700)), ..Modes::default() })
        .set("pids.max", 5)
        .unwrap()
}

fn run(kernel: &dyn Backend, hierarchy: &Hierarchy, wanted: &Creation) -> Result<Created> {
    wanted.plan(kernel, hierarchy)?.apply(kernel)
}

/// What differs from what was there, and from what is there if the rival acts alone: in the group where both do.
fn ours(world: &World, alone: &[Picture]) -> BTreeSet<String> {
    let now = world.picture();
    let differ = alone.iter().map(|picture| changed(&world.mounts(), picture, &now));
    differ.reduce(|all, other| all.intersection(&other).cloned().collect()).unwrap()
}

/// Lets each rival act before each call in turn. By these rules, at least, something is refused.
#[track_caller]
fn check(layout: Layout, group: &str, existing: Existing, expected: &[&str]) {
    let mut refusals = BTreeSet::new();
    let wanted = wanted(group, existing, layout == Layout::Legacy);
    for (does, rival) in RIVALS {
        let twin = boot(layout);
        let mut alone = vec![twin.picture()];
        rival(&twin);
        alone.push(twin.picture());
        for nth in 1.. {
            let world = boot(layout);
            let hierarchy = world.hierarchies.with(&world.root, Controller::Pids).unwrap();
            let raced = Layered::new(
                &world.root,
                Before::call(nth, || {
                    rival(&world);
                    Ok(())
                }),
            );
            let done = run(&raced, hierarchy, &wanted);
            let was_reached = raced.layer().was_reached();
            let (error, is_left) = match done {
                Err(error) => (Some(error), None),
                Ok(created) => {
                    let error = created.undo(&world.root).err();
                    let first = error.as_ref().and_then(|error| error.group());
                    let first = first.map(ToString::to_string);
                    (error, first)
                }
            };
            let mut named: Vec<String> = is_left.into_iter().collect();
            if let Some(error) = &error {
                assert!(error.errno().is_some() || error.rule().is_some(), "{error}");
                refusals.insert(name_of(error.rule()));
                named.extend(left(error));
            }
            // What the rival made in what is left is not ours to take back.
            let is_named = |it: &String| {
                let below = |above: &String| it.starts_with(&format!("{above}/"));
                named.iter().any(|name| name == it || below(name))
            };
            let unnamed: Vec<_> =
                ours(&world, &alone).into_iter().filter(|it| !is_named(it)).collect();
            assert!(
                unnamed.is_empty(),
                "{layout:?} {group}: somebody {does} before call {nth}: {unnamed:?} {error:?}"
            );
            if !was_reached {
                assert_eq!(world.machine.check(), Ok(()));
                break;
            }
        }
    }
    for rule in expected {
        assert!(refusals.contains(*rule), "nobody was refused by {rule}: {refusals:?}");
    }
}

#[test]
fn what_a_rival_does_while_groups_are_made_leaves_nothing_of_ours_that_is_not_named() {
    let rules = ["Vanished", "Missing", "InternalProcesses", "ControllerOff"];
    check(Layout::Unified, "there/x/y", Existing::Change, &rules);
}

#[test]
fn what_a_rival_does_while_a_group_is_changed_leaves_nothing_of_ours_that_is_not_named() {
    check(Layout::Unified, "there/a", Existing::Demand, &["Vanished", "Missing", "ControllerOff"]);
}

#[test]
fn what_a_rival_does_in_v1_leaves_nothing_of_ours_that_is_not_named() {
    check(Layout::Legacy, "there/x", Existing::Refuse, &["Taken", "Missing"]);
}

#[test]
fn two_that_want_the_same_group_changed_or_made_both_get_it_wherever_they_meet() {
    for layout in Layout::ALL {
        let wanted = wanted("new/x", Existing::Change, layout != Layout::Unified);
        for nth in 1.. {
            let world = boot(layout);
            let hierarchy = world.hierarchies.with(&world.root, Controller::Pids).unwrap();
            let raced = Layered::new(
                &world.root,
                Before::call(nth, || {
                    wanted.create(&world.root, hierarchy).unwrap();
                    Ok(())
                }),
            );
            let group = wanted.create(&raced, hierarchy).unwrap();
            let said = fs::read_to_string(&world.root, format!("{}/new/x/pids.max", at(&world)));
            assert_eq!((group.path(), said.unwrap().as_str()), (&path("new/x"), "5\n"));
            if !raced.layer().was_reached() {
                break;
            }
        }
    }
}
