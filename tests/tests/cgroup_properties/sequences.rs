//! Whatever is made, changed, moved, loaded and removed, in whatever order: it is as a naive model says, and what the model
//! refuses is refused by the same rule and changes nothing.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use standin::backend::Processes as _;
use standin::cgroup::{Creation, Deletion, Description, Error, Existing, Members, Version};
use standin::{Controller, fs};
use standin_sim::{Layout, View};

use super::model::{Group, Tree, VALUES, Worker};
use super::world::{World, bare, name_of, path};

const GROUPS: [&str; 6] = ["a", "a/b", "a/b/c", "a/d", "e", "e/b"];
const CONTROLLERS: [Controller; 3] = [Controller::Pids, Controller::Memory, Controller::Cpu];
const WORKERS: Worker = 3;

/// A group's name, controllers and, for each of these, a value or none.
type Asked = (&'static str, Vec<(Controller, Option<u8>)>);

#[derive(Clone, Debug)]
enum Act {
    Make(Asked, Existing),
    Describe(Asked),
    Modify(Asked),
    Attach(Asked, Worker),
    Delete(Asked, Members, bool),
    Load(&'static str),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let group = || proptest::sample::select(&GROUPS[..]);
    let some = |fewest| {
        let some = proptest::sample::subsequence(CONTROLLERS.to_vec(), fewest..=2);
        (some, proptest::collection::vec(proptest::option::of(0..3_u8), 3))
            .prop_map(|(some, values)| some.into_iter().zip(values).collect())
    };
    let asked = || (group(), some(1));
    let existing =
        proptest::sample::select(&[Existing::Refuse, Existing::Change, Existing::Demand]);
    let members = proptest::sample::select(&[Members::Refuse, Members::MoveUp]);
    let act = prop_oneof![
        3 => (asked(), existing).prop_map(|(asked, existing)| Act::Make(asked, existing)),
        4 => asked().prop_map(Act::Describe),
        2 => asked().prop_map(Act::Modify),
        4 => (asked(), 0..WORKERS).prop_map(|(asked, worker)| Act::Attach(asked, worker)),
        2 => (asked(), members, any::<bool>()).prop_map(|(it, how, all)| Act::Delete(it, how, all)),
        1 => group().prop_map(Act::Load),
    ];
    proptest::collection::vec(act, 1..25)
}

/// The files and values of one hierarchy's kind.
fn row(is_v2: bool, controller: Controller) -> (&'static str, &'static str) {
    let row = VALUES.iter().find(|row| row.0 == controller).unwrap();
    if is_v2 { (row.3, row.4) } else { (row.1, row.2) }
}

fn value(controller: Controller, number: u8) -> String {
    let number = u32::from(number) + 1;
    let number = if controller == Controller::Memory { number << 20 } else { number * 100 };
    number.to_string()
}

/// The machine and the model side by side.
struct Pair {
    world: World,
    workers: Vec<View>,
    /// By the places where they are mounted.
    trees: BTreeMap<String, Tree>,
}

impl Pair {
    fn new(layout: Layout) -> Self {
        let world = bare(layout);
        let workers: Vec<View> = (0..WORKERS).map(|_| world.root.fork().unwrap()).collect();
        let mut trees = BTreeMap::new();
        for hierarchy in world.hierarchies.iter() {
            let is_v2 = hierarchy.version() == Version::V2;
            let all = hierarchy.controllers(&world.root).unwrap();
            let mut tree =
                Tree::new(is_v2, all.iter().filter(|it| CONTROLLERS.contains(it)).collect());
            tree.groups.get_mut("").unwrap().members = (0..WORKERS).collect();
            trees.insert(hierarchy.mount_point().to_string(), tree);
        }
        Self { world, workers, trees }
    }

    fn described(&self, (name, controllers): &Asked) -> Description {
        let mut described = Description::new(path(name));
        for (controller, number) in controllers {
            let is_v2 = self.trees[&self.place(*controller)].is_v2;
            let part = described.add(*controller).unwrap();
            if let Some(number) = number {
                part.add(row(is_v2, *controller).0, value(*controller, *number)).unwrap();
            }
        }
        described
    }

    fn place(&self, controller: Controller) -> String {
        let has = |tree: &&Tree| tree.controllers.contains(&controller);
        let of = self.trees.iter().find(|(_, tree)| has(tree));
        of.unwrap().0.clone()
    }

    /// What is asked of each hierarchy.
    fn by_place(
        &self,
        asked: &Asked,
    ) -> BTreeMap<String, (BTreeSet<Controller>, BTreeMap<Controller, String>)> {
        let mut all = BTreeMap::new();
        for (controller, number) in &asked.1 {
            let (set, values): &mut (BTreeSet<_>, BTreeMap<_, _>) =
                all.entry(self.place(*controller)).or_default();
            set.insert(*controller);
            values.extend(number.map(|number| (*controller, value(*controller, number))));
        }
        all
    }

    /// What the model says to it; it changes only if it says yes.
    fn expect(&mut self, act: &Act) -> Result<(), &'static str> {
        let mut trees = self.trees.clone();
        let (asked, existing) = match act {
            Act::Make(asked, existing) => (asked, *existing),
            Act::Describe(asked) => (asked, Existing::Change),
            Act::Modify(asked) | Act::Attach(asked, _) | Act::Delete(asked, ..) => {
                (asked, Existing::Demand)
            }
            Act::Load(name) => {
                let is_there = trees.values().any(|tree| tree.groups.contains_key(*name));
                return if is_there { Ok(()) } else { Err("Missing") };
            }
        };
        let name = asked.0;
        let parts = self.by_place(asked);
        let places: Vec<&String> = parts.keys().collect();
        match act {
            Act::Attach(_, worker) => {
                if places.iter().any(|it| !trees[*it].groups.contains_key(name)) {
                    return Err("Missing");
                }
                for place in places {
                    trees.get_mut(place).unwrap().attach(name, *worker)?;
                }
            }
            Act::Delete(_, members, all) => {
                // Each hierarchy by itself: what one refuses keeps no other from it.
                let mut refused = None;
                for (place, (set, _)) in &parts {
                    let mut tree = trees[place].clone();
                    match tree.delete(name, *members, *all) {
                        Ok(()) => drop(trees.insert(place.clone(), tree)),
                        Err(rule) => {
                            // The first that was described is the first that is told.
                            let at = asked.1.iter().position(|(it, _)| set.contains(it));
                            refused = refused.into_iter().chain([(at, rule)]).min();
                        }
                    }
                }
                self.trees = trees;
                return refused.map_or(Ok(()), |(_, rule)| Err(rule));
            }
            Act::Make(..) | Act::Describe(_) | Act::Modify(_) | Act::Load(_) => {
                if let Act::Modify(_) = act {
                    for (place, (set, _)) in &parts {
                        if !trees[place].groups.contains_key(name) {
                            return Err("Missing");
                        }
                        if !set.is_subset(&trees[place].has(name)) {
                            return Err("ControllerOff");
                        }
                    }
                }
                for (place, (set, _)) in &parts {
                    trees[place].plan(name, set, existing)?;
                }
                for (place, (set, values)) in &parts {
                    trees.get_mut(place).unwrap().create(name, set, values)?;
                }
            }
        }
        self.trees = trees;
        Ok(())
    }

    fn act(&self, act: &Act) -> Result<(), Error> {
        let (root, all) = (&self.world.root, &self.world.hierarchies);
        match act {
            Act::Make(asked, existing) => {
                let hierarchy = all.with(root, asked.1[0].0)?;
                let mut wanted = Creation::new(path(asked.0)).on_existing(*existing);
                for (controller, number) in &asked.1 {
                    wanted = wanted.with(*controller);
                    if let Some(number) = number {
                        let (file, _) = row(hierarchy.version() == Version::V2, *controller);
                        // What it said first does not matter: the last counts.
                        wanted = wanted
                            .set(file, row(hierarchy.version() == Version::V2, *controller).1)?;
                        wanted = wanted.set(file, value(*controller, *number))?;
                    }
                }
                wanted.create(root, hierarchy).map(drop)
            }
            Act::Describe(asked) => self.described(asked).create(root, all).map(drop),
            Act::Modify(asked) => self.described(asked).modify(root, all),
            Act::Attach(asked, worker) => {
                self.described(asked).attach(root, all, self.workers[*worker].pid().unwrap())
            }
            Act::Delete(asked, members, is_recursive) => {
                let how = Deletion::new().members(*members);
                let how = if *is_recursive { how.recursive() } else { how };
                self.described(asked).delete(root, all, &how)
            }
            Act::Load(name) => {
                let loaded = Description::load(root, all, &path(name))?;
                for tree in self.trees.values() {
                    let Some(group) = tree.groups.get(*name) else { continue };
                    for (controller, said) in &group.values {
                        let part = loaded.part(&(*controller).into()).unwrap();
                        let content = part.get(row(tree.is_v2, *controller).0).unwrap();
                        assert_eq!(content.text().unwrap(), said, "{name}");
                    }
                }
                Ok(())
            }
        }
    }

    /// Walks the files of every hierarchy: each group of the model is there, and no other.
    fn check(&self) -> Result<(), TestCaseError> {
        for (place, tree) in &self.trees {
            let mut left = vec![String::new()];
            let mut found = BTreeMap::new();
            while let Some(name) = left.pop() {
                let directory =
                    if name.is_empty() { place.clone() } else { format!("{place}/{name}") };
                for entry in fs::read_dir(&self.world.root, &directory).unwrap() {
                    if fs::is_dir(&self.world.root, entry.path().as_bytes()) {
                        let child = entry.file_name();
                        left.push(if name.is_empty() { child } else { format!("{name}/{child}") });
                    }
                }
                found.insert(name.clone(), self.read(tree.is_v2, &directory, &name));
            }
            let print = |groups: &BTreeMap<String, Group>| format!("{groups:#?}");
            prop_assert_eq!(print(&found), print(&tree.groups), "{}", place);
        }
        Ok(())
    }

    fn read(&self, is_v2: bool, directory: &str, name: &str) -> Group {
        let said =
            |file: &str| fs::read_to_string(&self.world.root, format!("{directory}/{file}")).ok();
        let mut group = Group::default();
        if is_v2 {
            let text = said("cgroup.subtree_control").unwrap();
            group.enabled = text.split_whitespace().filter_map(Controller::from_name).collect();
        }
        if !name.is_empty() {
            for controller in CONTROLLERS {
                let text = said(row(is_v2, controller).0);
                group.values.extend(text.map(|text| (controller, text.trim_end().to_owned())));
            }
        }
        let numbers = said("cgroup.procs").unwrap();
        let is_in =
            |worker: &View| numbers.lines().any(|it| it == worker.pid().unwrap().0.to_string());
        group.members = (0..WORKERS).filter(|number| is_in(&self.workers[*number])).collect();
        group
    }
}

proptest! {
    #![proptest_config(super::config(64))]

    #[test]
    fn whatever_is_done_in_whatever_order_is_there_as_a_naive_model_says(
        layout in super::wanted::layouts(),
        acts in acts(),
    ) {
        let mut pair = Pair::new(layout);
        for mut act in acts {
            // A creation is of one hierarchy, and so of one controller where each has its own.
            if let Act::Make(asked, _) = &mut act
                && layout != Layout::Unified
            {
                asked.1.truncate(1);
            }
            let expected = pair.expect(&act);
            let said = pair.act(&act);
            let rule = said.as_ref().err().map(|error| name_of(error.rule()));
            prop_assert_eq!(rule.as_deref(), expected.err(), "{:?}: {:?}", act, said);
            pair.check()?;
        }
        prop_assert_eq!(pair.world.machine.check(), Ok(()));
    }
}
