//! A machine with groups on it, and what is there as its files tell it.

use std::collections::{BTreeMap, BTreeSet};

use standin::backend::FileKind;
use standin::cgroup::{Error, GroupPath, Hierarchies, Hierarchy, Rule, Version};
use standin::path::{Follow, Place};
use standin::{Backend, Errno, KPath, fs};
use standin_sim::{Layout, Machine, Release, View};

/// Every entry below the mount points: who owns it, who may do what with it and, of a setting, what it says.
pub(crate) type Picture = BTreeMap<String, String>;

/// Files that say what was set; the others count, or tell of others.
const SETTINGS: [&str; 13] = [
    "cgroup.subtree_control",
    "cgroup.max.depth",
    "cgroup.freeze",
    "cgroup.procs",
    "tasks",
    "pids.max",
    "memory.max",
    "memory.limit_in_bytes",
    "cpu.weight",
    "cpu.shares",
    "freezer.state",
    "cpuset.cpus",
    "cpuset.mems",
];

pub(crate) struct World {
    pub(crate) machine: Machine,
    pub(crate) root: View,
    pub(crate) hierarchies: Hierarchies,
}

/// With a group `there` and one in it, which have values, and one `beside` them.
pub(crate) fn boot(layout: Layout) -> World {
    let world = bare(layout);
    let pids = if layout == Layout::Unified { "/sys/fs/cgroup" } else { "/sys/fs/cgroup/pids" };
    for (group, value) in
        [("there", "max"), ("there/a", "7"), ("there/a/below", "3"), ("beside", "9")]
    {
        let path = format!("{pids}/{group}");
        if layout == Layout::Unified {
            let above = path.rsplit_once('/').unwrap().0;
            fs::write(&world.root, format!("{above}/cgroup.subtree_control"), "+pids").unwrap();
        }
        fs::create_dir(&world.root, &path).unwrap();
        fs::write(&world.root, format!("{path}/pids.max"), value).unwrap();
    }
    world
}

/// Without any groups.
pub(crate) fn bare(layout: Layout) -> World {
    // Later kernels of this distribution have no memory controller in v1.
    let release = if layout == Layout::Unified { Release::V6_12 } else { Release::V6_1 };
    let machine = Machine::builder().kernel(release).layout(layout).build();
    let root = machine.root();
    let hierarchies = Hierarchies::find(&root).unwrap();
    World { machine, root, hierarchies }
}

pub(crate) fn path(text: &str) -> GroupPath {
    GroupPath::new(text).unwrap()
}

impl World {
    /// Where the hierarchies are that tests work in: v2, and a few of v1.
    pub(crate) fn mounts(&self) -> Vec<String> {
        const V1: [&str; 6] = ["pids", "memory", "cpu", "freezer", "cpuset", "hugetlb"];
        let all = self.hierarchies.iter();
        let is_used = |hierarchy: &&Hierarchy| {
            let name = hierarchy.mount_point().file_name();
            hierarchy.version() == Version::V2 || V1.iter().any(|it| it.as_bytes() == name)
        };
        all.filter(is_used).map(|hierarchy| hierarchy.mount_point().to_string()).collect()
    }

    pub(crate) fn picture(&self) -> Picture {
        let mut picture = Picture::new();
        for mount in self.mounts() {
            look(&self.root, &mount, &mount, &mut picture);
        }
        picture
    }
}

/// Adds a directory and what is in it. Who is in a root is left out: it is no group that anybody made.
fn look(kernel: &dyn Backend, mount: &str, directory: &str, picture: &mut Picture) {
    picture.insert(directory.to_owned(), attributes(kernel, directory));
    for entry in fs::read_dir(kernel, directory).unwrap() {
        let (name, path) = (entry.file_name(), format!("{directory}/{}", entry.file_name()));
        if entry.file_type() == FileKind::Dir {
            look(kernel, mount, &path, picture);
            continue;
        }
        let lists_everybody = directory == mount && ["cgroup.procs", "tasks"].contains(&&*name);
        let is_setting = SETTINGS.contains(&&*name) && !lists_everybody;
        let said = fs::read_to_string(kernel, &path).ok().filter(|_| is_setting);
        picture.insert(path.clone(), format!("{} {said:?}", attributes(kernel, &path)));
    }
}

fn attributes(kernel: &dyn Backend, path: &str) -> String {
    let stat = kernel.stat(Place::cwd(KPath::new(path).unwrap()), Follow::No).unwrap();
    format!("{} {}:{}", stat.mode, stat.owner.0, stat.group.0)
}

/// The groups in which the pictures differ, as paths in their hierarchies. Files that come and go with a controller say
/// nothing: it is the group above that says so.
pub(crate) fn changed(mounts: &[String], before: &Picture, after: &Picture) -> BTreeSet<String> {
    let is_group = |picture: &Picture, name: &str| {
        mounts.iter().any(|mount| mount == name)
            || picture.contains_key(&format!("{name}/cgroup.procs"))
    };
    let mut groups = BTreeSet::new();
    for entry in before.keys().chain(after.keys()) {
        let (one, other) = (before.get(entry), after.get(entry));
        if one == other {
            continue;
        }
        let comes_or_goes = one.is_none() || other.is_none();
        let directory = entry.rsplit_once('/').unwrap().0;
        let of = if is_group(before, entry) || is_group(after, entry) { entry } else { directory };
        if comes_or_goes && is_group(before, of) && is_group(after, of) {
            continue;
        }
        let mount = mounts.iter().filter(|mount| of.starts_with(*mount)).max_by_key(|it| it.len());
        let group = of.strip_prefix(mount.unwrap().as_str()).unwrap();
        groups.insert(if group.is_empty() { "/".to_owned() } else { group.to_owned() });
    }
    groups
}

/// The groups that an error says are left otherwise than they were.
pub(crate) fn left(error: &Error) -> BTreeSet<String> {
    let all = error.left().iter();
    all.flat_map(|left| self::left(left).into_iter().chain(left.group().map(|it| it.to_string())))
        .collect()
}

/// The name of a rule, without what it says; none is empty.
pub(crate) fn name_of(rule: Option<&Rule>) -> String {
    let text = rule.map(|rule| format!("{rule:?}")).unwrap_or_default();
    text.split([' ', '(', '{']).next().unwrap_or_default().to_owned()
}

/// A file was not there, as may be, and the look that would have told why was the call that did not work.
pub(crate) fn is_unexplained(error: &Error) -> bool {
    error.errno() == Some(Errno::ENOENT) && error.rule().is_none()
}
