//! Who dies between two calls leaves the beginning of the plan and nothing else, and the same again completes it.

use proptest::prelude::*;
use standin::backend::Processes as _;
use standin::cgroup::{Deletion, Hierarchies};
use standin::layer::{Call, Layer, Layered};
use standin::{Backend, Failure, Pid, Signal, fs};

use super::steps::{Before, Changes};
use super::wanted::{Wanted, in_groups, wanted};
use super::world::{Picture, World, boot, is_unexplained};

fn kill(kernel: &dyn Backend, process: Pid) -> Result<(), Failure> {
    let handle = kernel.open_pid(process)?;
    kernel.signal(&handle, Some(Signal::KILL))
}

/// A picture before each change, and the last one.
struct Film<'a> {
    world: &'a World,
    changes: Changes,
    pictures: std::sync::Mutex<Vec<Picture>>,
}

impl Layer for Film<'_> {
    fn after(&self, call: &Call, failure: Option<&Failure>) {
        let made = self.changes.made().len();
        self.changes.after(call, failure);
        if self.changes.made().len() > made {
            self.pictures.lock().unwrap().push(self.world.picture());
        }
    }
}

/// Makes all of it: the changes in their order, and the picture before them and after each.
fn film(world: &World, wanted: &Wanted) -> (Vec<(&'static str, String)>, Vec<Picture>) {
    let pictures = std::sync::Mutex::new(vec![world.picture()]);
    let film = Film { world, changes: Changes::default(), pictures };
    let layered = Layered::new(&world.root, film);
    wanted.description().create(&layered, &world.hierarchies).unwrap();
    let layer = layered.layer();
    (layer.changes.made(), layer.pictures.lock().unwrap().clone())
}

/// The changes that a plan's lines say, in their order; those that give and allow are one, of any number of calls.
fn told(plan: &str) -> Vec<(&'static str, String)> {
    let mut all = Vec::new();
    for line in plan.lines() {
        let (verb, rest) = line.split_once(' ').unwrap();
        match verb {
            "enable" => {
                let controllers = rest.split_once(" in ").unwrap().0;
                let words: Vec<_> =
                    controllers.split_whitespace().map(|word| format!("+{word}")).collect();
                all.push(("write", words.join(" ")));
            }
            "create" => all.push(("mkdir", rest.rsplit_once('/').unwrap().1.to_owned())),
            "write" => all.push(("write", rest.split_once(": ").unwrap().1.to_owned())),
            "give" | "allow" => all.push(("give", String::new())),
            _ => {}
        }
    }
    all.dedup_by(|one, other| one.0 == "give" && other.0 == "give");
    all
}

proptest! {
    #![proptest_config(super::config(3))]

    #[test]
    fn what_a_plan_says_is_what_is_done_in_this_order_and_no_more(wanted in wanted()) {
        let world = boot(wanted.layout);
        let plan = wanted.description().plan(&world.root, &world.hierarchies).unwrap().to_string();
        let (mut changes, _) = film(&world, &wanted);
        let mut told = told(&plan);
        for change in &mut changes {
            if ["chmod", "chown"].contains(&change.0) {
                *change = ("give", String::new());
            }
        }
        changes.dedup_by(|one, other| one.0 == "give" && other.0 == "give");
        if !changes.iter().any(|change| change.0 == "give") {
            told.retain(|change| change.0 != "give");
        }
        prop_assert_eq!(changes, told, "{}", plan);
    }

    #[test]
    fn who_dies_at_any_call_leaves_the_beginning_of_the_plan_and_the_same_again_completes_it(
        wanted in wanted(),
    ) {
        let twin = boot(wanted.layout);
        let (_, pictures) = film(&twin, &wanted);
        let (mut nth, mut deaths, mut reached) = (0, 0, std::collections::BTreeSet::new());
        loop {
            nth += 1;
            let world = boot(wanted.layout);
            let caller = world.root.fork().unwrap();
            let pid = caller.pid().unwrap();
            let hierarchies = Hierarchies::find(&caller).unwrap();
            let mortal = Layered::new(&caller, Before::call(nth, || kill(&world.root, pid)));
            let ended = wanted.description().create(&mortal, &hierarchies);
            let left = world.picture();
            if !mortal.layer().was_reached() {
                prop_assert!(ended.is_ok());
                break;
            }
            deaths += 1;
            let error = ended.unwrap_err();
            let has_died = error.failure() == Some(&Failure::CallerDied);
            prop_assert!(has_died || is_unexplained(&error), "call {nth}: {error}");
            let there = pictures.iter().rposition(|picture| *picture == left);
            prop_assert!(there.is_some(), "call {nth} leaves what is no beginning: {left:#?}");
            reached.extend(there);

            wanted.description().create(&world.root, &world.hierarchies).unwrap();
            prop_assert_eq!(Some(&world.picture()), pictures.last(), "call {}, again", nth);
        }
        prop_assert!(deaths > 0 && reached.len() + 1 >= pictures.len(), "{deaths} {reached:?}");
    }

    #[test]
    fn what_a_death_leaves_of_a_new_group_can_be_removed(
        wanted in in_groups(&["new", "new/a/b", "there/new"]),
    ) {
        for nth in 1.. {
            let world = boot(wanted.layout);
            let before = world.picture();
            let caller = world.root.fork().unwrap();
            let pid = caller.pid().unwrap();
            let hierarchies = Hierarchies::find(&caller).unwrap();
            let mortal = Layered::new(&caller, Before::call(nth, || kill(&world.root, pid)));
            let ended = wanted.description().create(&mortal, &hierarchies);
            if let Err(error) = &ended {
                let has_died = error.failure() == Some(&Failure::CallerDied);
                prop_assert!(has_died || is_unexplained(error), "call {nth}: {error}");
            }
            for hierarchy in world.hierarchies.iter() {
                let is_there = before.contains_key(&format!("{}/there", hierarchy.mount_point()));
                let new = match wanted.group {
                    "there/new" if is_there => "there/new",
                    "there/new" => "there",
                    _ => "new",
                };
                if let Ok(group) = hierarchy.open(&world.root, &super::world::path(new)) {
                    Deletion::new().recursive().delete(&world.root, &group).unwrap();
                }
            }
            // Who enabled a controller nobody knows any more: what is on is on, and is switched off by hand.
            let mut on: Vec<_> =
                before.iter().filter(|(name, _)| name.ends_with("subtree_control")).collect();
            on.reverse();
            for (file, _) in on {
                for controller in ["memory", "cpu", "pids"] {
                    let was_on = before[file].contains(controller);
                    if !was_on {
                        fs::write(&world.root, file, format!("-{controller}")).ok();
                    }
                }
            }
            prop_assert_eq!(world.picture(), before, "call {}", nth);
            if ended.is_ok() {
                break;
            }
        }
    }
}
