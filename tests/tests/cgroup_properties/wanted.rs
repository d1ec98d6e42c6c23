//! Generated groups that are wanted: one name in the hierarchies of some controllers, owners, modes and values.

use proptest::prelude::*;
use standin::cgroup::{Description, Modes, Owner, Owners, Subsystem};
use standin::{Controller, Gid, Mode, Uid};
use standin_sim::Layout;

use super::world::path;

/// What is wanted of a group; it prints short when a case fails.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) layout: Layout,
    pub(crate) group: &'static str,
    controllers: Vec<(Controller, bool)>,
    has_depth: bool,
    is_owned: bool,
    has_modes: bool,
}

/// Controllers, and the file that is written with its value in v1 and in v2. The freezer is none of v2's.
const VALUES: [(Controller, &str, &str, &str, &str); 4] = [
    (Controller::Pids, "pids.max", "5", "pids.max", "5"),
    (Controller::Memory, "memory.limit_in_bytes", "1048576", "memory.max", "1048576"),
    (Controller::Cpu, "cpu.shares", "512", "cpu.weight", "50"),
    (Controller::Freezer, "freezer.state", "FROZEN", "", ""),
];

pub(crate) fn layouts() -> impl Strategy<Value = Layout> {
    proptest::sample::select(&Layout::ALL[..])
}

/// In groups that are there and that are not.
pub(crate) fn wanted() -> impl Strategy<Value = Wanted> {
    in_groups(&["new", "new/a/b", "there", "there/a", "there/new", "there/a/new"])
}

pub(crate) fn in_groups(groups: &'static [&'static str]) -> impl Strategy<Value = Wanted> {
    let group = proptest::sample::select(groups);
    let some = proptest::sample::subsequence(VALUES.map(|row| row.0).to_vec(), 0..=4);
    let values = any::<[bool; 4]>();
    (layouts(), group, some.prop_shuffle(), values, any::<[bool; 3]>()).prop_map(
        |(layout, group, some, values, [has_depth, is_owned, has_modes])| {
            let all = some.into_iter().zip(values);
            let controllers: Vec<_> = all
                .filter(|(it, _)| layout != Layout::Unified || *it != Controller::Freezer)
                .collect();
            let has_depth = layout != Layout::Legacy && (has_depth || controllers.is_empty());
            let controllers = match (layout, controllers.is_empty()) {
                (Layout::Legacy, true) => vec![(Controller::Pids, true)],
                _ => controllers,
            };
            Wanted { layout, group, controllers, has_depth, is_owned, has_modes }
        },
    )
}

impl Wanted {
    pub(crate) fn description(&self) -> Description {
        let mut wanted = Description::new(path(self.group));
        if self.has_depth {
            wanted.add(Subsystem::Core).unwrap().add("cgroup.max.depth", 6).unwrap();
        }
        for (controller, has_value) in &self.controllers {
            let part = wanted.add(*controller).unwrap();
            if *has_value {
                let row = VALUES.iter().find(|row| row.0 == *controller).unwrap();
                let is_v2 = self.layout == Layout::Unified;
                let (file, value) = if is_v2 { (row.3, row.4) } else { (row.1, row.2) };
                part.add(file, value).unwrap();
            }
        }
        if self.is_owned {
            let owner = |number| Owner::from((Uid(number), Gid(number)));
            wanted.set_owners(Owners { control: owner(2001), members: owner(2002) });
        }
        if self.has_modes {
            let (directory, files) = (Some(Mode::new(0o750)), Some(Mode::new(0o466)));
            wanted.set_modes(Modes { directory, files, members: Some(Mode::new(0o660)) });
        }
        wanted
    }
}
