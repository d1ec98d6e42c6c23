//! The groups of scenarios on any backend: what is there beforehand, a picture of what is there afterwards, and the end.

use std::collections::{BTreeMap, BTreeSet};

use standin::cgroup::{Deletion, Group, GroupName, GroupPath, Hierarchies, Members};
use standin::path::{Follow, Place};
use standin::{Backend, Controller, Gid, KPath, Uid, fs};

use crate::scenario::Given;

const CGROUPS: &str = "/sys/fs/cgroup";
/// The groups of scenarios, in any hierarchy.
const TOPS: [&str; 2] = ["standin-d", "standin-e"];
/// The controllers of scenarios, and where they are expected.
pub(crate) const HIERARCHIES: [(Controller, &str); 9] = [
    (Controller::Pids, "/sys/fs/cgroup/pids"),
    (Controller::Cpu, "/sys/fs/cgroup/cpu"),
    (Controller::Cpuacct, "/sys/fs/cgroup/cpuacct"),
    (Controller::Cpuset, "/sys/fs/cgroup/cpuset"),
    (Controller::Memory, "/sys/fs/cgroup/memory"),
    (Controller::Freezer, "/sys/fs/cgroup/freezer"),
    (Controller::Devices, "/sys/fs/cgroup/devices"),
    (Controller::Io, "/sys/fs/cgroup/blkio"),
    (SHARED, "/sys/fs/cgroup/unified"),
];
/// The controller of v2, which scenarios enable in its root.
const SHARED: Controller = Controller::Hugetlb;
/// A group of v2 that is there as long as its root may enable more than it did beforehand.
const SIGN: &str = "standin-sign";
/// Files that tell what a group was given.
const SETTINGS: [&str; 14] = [
    "pids.max",
    "cpu.shares",
    "cpu.cfs_period_us",
    "cpu.cfs_quota_us",
    "cpuset.cpus",
    "cpuset.mems",
    "freezer.state",
    "memory.limit_in_bytes",
    "notify_on_release",
    "devices.list",
    "hugetlb.2MB.max",
    "cgroup.type",
    "cgroup.subtree_control",
    "cgroup.freeze",
];
/// A file that one build of the host's kernel has and another has not.
const OF_ONE_BUILD: &str = "memory.shown_ram_in_bytes";
/// Files that tell who is in a group.
const LISTS: [&str; 2] = ["tasks", "cgroup.threads"];

/// Processes of a scenario by their labels; they idle as long as they are held.
type Processes = BTreeMap<String, Box<dyn Backend>>;

/// What is there; it ends with this value.
pub(crate) struct Scene<'a> {
    kernel: &'a dyn Backend,
    processes: Processes,
}

fn at(path: &str) -> String {
    format!("{CGROUPS}/{path}")
}

impl<'a> Scene<'a> {
    /// Makes what is given; `born` makes a process. What a run that was killed left behind goes first.
    pub(crate) fn set(
        kernel: &'a dyn Backend,
        given: &[Given],
        born: &dyn Fn() -> Box<dyn Backend>,
    ) -> Self {
        clear(kernel);
        if !root_of_v2(kernel).enabled(kernel).unwrap().contains(SHARED) {
            fs::create_dir(kernel, at(&format!("unified/{SIGN}"))).unwrap();
        }
        let mut scene = Self { kernel, processes: Processes::new() };
        for given in given {
            match given {
                Given::Group { path } => fs::create_dir(kernel, at(path)).unwrap(),
                Given::Written { path, text } => fs::write(kernel, at(path), text).unwrap(),
                Given::Owned { path, user, group } => {
                    let path = at(path);
                    let place = Place::cwd(KPath::new(&path).unwrap());
                    kernel.chown(place, Some(Uid(*user)), Some(Gid(*group)), Follow::No).unwrap();
                }
                Given::Process { label, path } => {
                    let process = born();
                    let number = process.pid().unwrap().to_string();
                    fs::write(kernel, format!("{}/cgroup.procs", at(path)), number).unwrap();
                    scene.processes.insert(label.clone(), process);
                }
            }
        }
        scene
    }

    /// A text with a label for each number of a process, in whatever order they were.
    pub(crate) fn labelled(&self, text: &str) -> String {
        let number = |word: &str| word.strip_prefix('<')?.strip_suffix('>')?.parse().ok();
        let (numbers, words): (Vec<&str>, Vec<&str>) =
            text.split(' ').partition(|word| number(word).is_some());
        let mut labels: Vec<String> =
            numbers.into_iter().filter_map(number).map(|number| self.label(number)).collect();
        labels.sort_unstable();
        words.into_iter().map(str::to_owned).chain(labels).collect::<Vec<String>>().join(" ")
    }

    fn label(&self, number: u32) -> String {
        let mut processes = self.processes.iter();
        let found = processes.find(|(_, process)| process.pid().is_ok_and(|pid| pid.0 == number));
        format!("<{}>", found.map_or("other", |(label, _)| label))
    }

    /// Every group of the scenario: who owns it and its files, who may do what with them, what they say, and who is where.
    pub(crate) fn picture(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for hierarchy in hierarchies(self.kernel).iter() {
            for top in TOPS {
                self.picture_of(&format!("{}/{top}", hierarchy.mount_point()), &mut lines);
            }
        }
        if root_of_v2(self.kernel).enabled(self.kernel).unwrap().contains(SHARED) {
            lines.push(format!("the root of v2 shares out {SHARED}"));
        }
        for (label, process) in &self.processes {
            let path = format!("/proc/{}/cgroup", process.pid().unwrap());
            let said = fs::read_to_string(self.kernel, path).unwrap();
            let mut places: Vec<&str> = said
                .lines()
                .filter(|place| place.contains("/standin-"))
                .filter_map(|place| place.split_once(':').map(|(_, place)| place))
                .collect();
            places.sort_unstable();
            lines.push(format!("<{label}> is in {places:?}"));
        }
        lines
    }

    fn picture_of(&self, directory: &str, lines: &mut Vec<String>) {
        let Ok(entries) = fs::read_dir(self.kernel, directory) else { return };
        let attributes = |path: &str| {
            let path = KPath::new(path).unwrap();
            let stat = self.kernel.stat(Place::cwd(path), Follow::No).unwrap();
            format!("{} {}:{}", stat.mode, stat.owner.0, stat.group.0)
        };
        lines.push(format!("{directory}/ {}", attributes(directory)));
        let names: BTreeSet<String> = entries
            .iter()
            .map(|entry| entry.file_name())
            .filter(|name| name != OF_ONE_BUILD)
            .collect();
        let mut alike: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        let mut below = Vec::new();
        for name in &names {
            let path = format!("{directory}/{name}");
            if fs::read_dir(self.kernel, &path).is_ok() {
                below.push(path);
                continue;
            }
            alike.entry(attributes(&path)).or_default().push(name);
            let said = || fs::read_to_string(self.kernel, &path).unwrap_or_default();
            if SETTINGS.contains(&name.as_str()) {
                lines.push(format!("  {name} {:?}", said()));
            } else if LISTS.contains(&name.as_str()) {
                let list = said();
                let numbers = list.lines().filter_map(|line| line.parse().ok());
                let labels: BTreeSet<String> = numbers.map(|number| self.label(number)).collect();
                lines.push(format!("  {name} {labels:?}"));
            }
        }
        for (attributes, names) in alike {
            lines.push(format!("  {attributes} {}", names.join(" ")));
        }
        for path in below {
            self.picture_of(&path, lines);
        }
    }
}

impl Drop for Scene<'_> {
    fn drop(&mut self) {
        clear(self.kernel);
    }
}

fn hierarchies(kernel: &dyn Backend) -> Hierarchies {
    Hierarchies::find(kernel).unwrap()
}

fn root_of_v2(kernel: &dyn Backend) -> Group {
    hierarchies(kernel).unified().unwrap().open(kernel, &GroupPath::root()).unwrap()
}

/// Removes the groups of scenarios and who is in them, and has the root of v2 as it was.
fn clear(kernel: &dyn Backend) {
    let how = Deletion::new().members(Members::Kill).recursive();
    for hierarchy in hierarchies(kernel).iter() {
        for top in TOPS {
            let Ok(group) = hierarchy.open(kernel, &GroupPath::new(top).unwrap()) else { continue };
            // Only those of a freezer can be frozen.
            let _ = group.thaw(kernel);
            how.delete(kernel, &group).unwrap();
        }
    }
    let root = root_of_v2(kernel);
    if let Ok(sign) = root.child(kernel, &GroupName::new(SIGN).unwrap()) {
        root.disable(kernel, SHARED).unwrap();
        sign.delete(kernel).unwrap();
    }
}
