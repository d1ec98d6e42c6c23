//! The end of a group whose members fork, whose members stand still, and in which others are at work.

use std::sync::Mutex;

use standin::backend::{Deadline, Processes as _};
use standin::cgroup::{Creation, Deletion, Description, Group, Members, Rule};
use standin::layer::{Call, Layer, Layered};
use standin::{Controller, Failure, fs};
use standin_sim::{Layout, View};

use super::steps::Before;
use super::world::{World, boot, name_of, path};

/// Members of whom one forks before every call, up to a bound.
struct Forking(Mutex<Vec<View>>);

const MOST: usize = 300;

impl Layer for Forking {
    fn before(&self, _call: &Call) -> Result<(), Failure> {
        let mut all = self.0.lock().unwrap();
        if all.len() < MOST {
            let child = all.iter().rev().find_map(|member| member.fork().ok());
            all.extend(child);
        }
        Ok(())
    }
}

fn group(world: &World, controller: Controller, name: &str) -> Group {
    let hierarchy = world.hierarchies.with(&world.root, controller).unwrap();
    Creation::new(path(name)).create(&world.root, hierarchy).unwrap()
}

fn member(world: &World, group: &Group) -> View {
    let worker = world.root.fork().unwrap();
    group.attach(&world.root, worker.pid().unwrap()).unwrap();
    worker
}

#[test]
fn members_who_fork_faster_than_they_are_moved_keep_the_group_and_are_named_after_so_many_rounds() {
    for layout in Layout::ALL {
        let world = boot(layout);
        let group = group(&world, Controller::Pids, "busy");
        let forking = Forking(Mutex::new(vec![member(&world, &group)]));
        let busy = Layered::new(&world.root, forking);
        let moving = Deletion::new().members(Members::MoveUp).rounds(3);
        let refused = moving.delete(&busy, &group).unwrap_err();
        let Some(Rule::Occupied { processes, .. }) = refused.rule() else { panic!("{refused}") };
        assert!(!processes.is_empty(), "{refused}");
        // Without more of them it ends.
        moving.delete(&world.root, &group).unwrap();
        assert_eq!(world.machine.check(), Ok(()));
    }
}

#[test]
fn members_who_fork_are_killed_with_their_children_in_v2_and_in_a_frozen_group_too() {
    for is_frozen in [false, true] {
        let world = boot(Layout::Unified);
        let group = group(&world, Controller::Pids, "busy");
        let first = member(&world, &group);
        if is_frozen {
            assert!(group.freeze(&world.root, Deadline::Never).unwrap());
        }
        let all = if is_frozen { Vec::new() } else { vec![first] };
        let busy = Layered::new(&world.root, Forking(Mutex::new(all)));
        Deletion::new().members(Members::Kill).delete(&busy, &group).unwrap();
        assert!(!fs::exists(&world.root, "/sys/fs/cgroup/busy"));
        assert_eq!(world.machine.check(), Ok(()));
    }
}

/// A frozen process of v1 does not even die: it is told who keeps the group, and they die when it is thawed.
#[test]
fn a_frozen_group_of_v1_is_not_emptied_by_killing_and_it_ends_all_the_same() {
    let world = boot(Layout::Legacy);
    let group = group(&world, Controller::Freezer, "cold");
    let number = member(&world, &group).pid().unwrap();
    assert!(group.freeze(&world.root, Deadline::Never).unwrap());
    let killing = Deletion::new().members(Members::Kill).rounds(4);
    if let Err(refused) = killing.delete(&world.root, &group) {
        let left = Rule::Occupied { processes: vec![number], children: Vec::new() };
        assert_eq!(refused.rule(), Some(&left), "{refused}");
        group.thaw(&world.root).unwrap();
        killing.delete(&world.root, &group).unwrap();
    }
    assert!(!fs::exists(&world.root, "/sys/fs/cgroup/freezer/cold"));
}

/// What somebody does below a mount point.
type Rival = fn(&World, &str);

/// What others do in a group that is removed.
const RIVALS: [(&str, Rival); 5] = [
    ("removes a group below", |world, at| drop(fs::remove_dir(&world.root, format!("{at}/x/y")))),
    ("removes it", |world, at| {
        drop(fs::remove_dir(&world.root, format!("{at}/x/y")));
        drop(fs::remove_dir(&world.root, format!("{at}/x")));
    }),
    ("makes a group in it", |world, at| drop(fs::create_dir(&world.root, format!("{at}/x/z")))),
    ("puts a process in it", |world, at| {
        let number = world.root.fork().unwrap().pid().unwrap().0.to_string();
        drop(fs::write(&world.root, format!("{at}/x/y/cgroup.procs"), number));
    }),
    ("shares out the group above", |world, at| {
        drop(fs::write(&world.root, format!("{at}/cgroup.subtree_control"), "+memory"));
    }),
];

#[test]
fn whatever_another_does_between_any_two_calls_a_group_is_removed_or_the_refusal_says_why() {
    for layout in [Layout::Unified, Layout::Legacy] {
        for (members, rival) in [Members::Refuse, Members::MoveUp, Members::Kill]
            .into_iter()
            .flat_map(|members| RIVALS.map(|rival| (members, rival)))
        {
            for nth in 1.. {
                let world = boot(layout);
                let hierarchy = world.hierarchies.with(&world.root, Controller::Pids).unwrap();
                let at = hierarchy.mount_point().to_string();
                let top = group(&world, Controller::Pids, "x");
                let below = group(&world, Controller::Pids, "x/y");
                if members != Members::Refuse {
                    member(&world, &below);
                }
                let raced = Layered::new(
                    &world.root,
                    Before::call(nth, || {
                        rival.1(&world, &at);
                        Ok(())
                    }),
                );
                let how = Deletion::new().members(members).recursive().rounds(5);
                let told =
                    format!("{layout:?} {members:?}: somebody {} before call {nth}", rival.0);
                match how.delete(&raced, &top) {
                    Ok(()) => assert!(!fs::exists(&world.root, format!("{at}/x")), "{told}"),
                    Err(refused) => {
                        let rule = name_of(refused.rule());
                        let known = ["Occupied", "Vanished", "Missing", "SharesOut", "NoFile"];
                        assert!(known.contains(&rule.as_str()), "{told}: {refused}");
                        // And then it can be removed, if it is there.
                        if fs::exists(&world.root, format!("{at}/x")) {
                            let killing = Deletion::new().members(Members::Kill).recursive();
                            killing.delete(&world.root, &top).unwrap();
                        }
                    }
                }
                if !raced.layer().was_reached() {
                    break;
                }
            }
        }
    }
}

/// Even one that only shares out what threads can compete for takes nobody from a group below it.
#[test]
fn members_who_cannot_be_moved_up_keep_the_groups_below_too() {
    let world = boot(Layout::Unified);
    let hierarchy = world.hierarchies.unified().unwrap();
    let wanted = Creation::new(path("a/b/c")).with(Controller::Pids);
    wanted.create(&world.root, hierarchy).unwrap();
    let group = hierarchy.open(&world.root, &path("a/b")).unwrap();
    member(&world, &group);
    let before = world.picture();
    let moving = Deletion::new().members(Members::MoveUp).recursive();
    let refused = moving.delete(&world.root, &group).unwrap_err();
    assert_eq!(refused.rule(), Some(&Rule::SharesOut(Controller::Pids.into())), "{refused}");
    assert_eq!((refused.failure(), world.picture()), (None, before), "found beforehand");
}

#[test]
fn a_group_missing_in_one_hierarchy_is_told_and_those_in_the_others_are_gone() {
    let world = boot(Layout::Legacy);
    group(&world, Controller::Pids, "half");
    let mut half = Description::new(path("half"));
    for controller in [Controller::Memory, Controller::Pids] {
        half.add(controller).unwrap();
    }
    let refused = half.delete(&world.root, &world.hierarchies, &Deletion::new()).unwrap_err();
    assert_eq!((refused.rule(), refused.left()), (Some(&Rule::Missing), &[][..]));
    assert!(!fs::exists(&world.root, "/sys/fs/cgroup/pids/half"));
}
