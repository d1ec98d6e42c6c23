//! Cgroups as `tree` shows them: hierarchies, their groups, how many processes are in each, and what differs from a new
//! group's settings.
//!
//! Which files are worth a word is a table; reading is the same for every kernel.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;
use standin::backend::{Backend, FileKind};
use standin::fs;

use crate::error::visible;
use crate::report::count;

/// Where groups are mounted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Mount {
    /// The directory.
    pub(crate) point: String,
    /// Which generation.
    pub(crate) kind: Kind,
    /// v1: the controllers and names of its options.
    pub(crate) options: Vec<String>,
    /// Whether it is mounted read-only.
    pub(crate) read_only: bool,
}

/// The generation of a hierarchy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// v1
    Cgroup,
    /// v2
    Cgroup2,
}

/// A mounted hierarchy with all its groups.
#[derive(Debug, Serialize)]
pub(crate) struct Hierarchy {
    pub(crate) mount: String,
    pub(crate) kind: Kind,
    pub(crate) controllers: Vec<String>,
    pub(crate) root: Group,
}

/// A group.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Group {
    pub(crate) name: String,
    /// Processes (of a threaded group: threads) in the group itself; none if that cannot be read.
    pub(crate) processes: Option<usize>,
    /// Settings that are not a new group's.
    pub(crate) settings: BTreeMap<&'static str, String>,
    pub(crate) groups: Vec<Self>,
}

/// A control file that is worth a word when it holds something else than usual.
struct Setting {
    file: &'static str,
    usual: &'static [&'static str],
}

const fn setting(file: &'static str, usual: &'static [&'static str]) -> Setting {
    Setting { file, usual }
}

/// v1: the largest number of bytes that is a whole number of pages.
const V1_UNLIMITED: &[&str] = &["9223372036854771712"];

const V2: &[Setting] = &[
    setting("cgroup.freeze", &["0"]),
    setting("cgroup.max.depth", &["max"]),
    setting("cgroup.max.descendants", &["max"]),
    setting("cgroup.type", &["domain"]),
    setting("cpu.max", &["max 100000"]),
    setting("cpu.weight", &["100"]),
    setting("cpuset.cpus", &[""]),
    setting("cpuset.mems", &[""]),
    setting("io.max", &[""]),
    setting("io.weight", &["default 100"]),
    setting("memory.high", &["max"]),
    setting("memory.low", &["0"]),
    setting("memory.max", &["max"]),
    setting("memory.min", &["0"]),
    setting("memory.swap.max", &["max"]),
    setting("pids.max", &["max"]),
];

const V1: &[Setting] = &[
    setting("cpu.cfs_quota_us", &["-1"]),
    setting("cpu.shares", &["1024"]),
    setting("freezer.state", &["THAWED"]),
    setting("memory.limit_in_bytes", V1_UNLIMITED),
    setting("memory.soft_limit_in_bytes", V1_UNLIMITED),
    setting("memory.memsw.limit_in_bytes", V1_UNLIMITED),
    setting("pids.max", &["max"]),
];

/// The cgroup mounts that a process sees, each hierarchy once.
///
/// # Errors
/// If /proc/self/mountinfo cannot be read.
pub(crate) fn mounts(kernel: &dyn Backend) -> fs::Result<Vec<Mount>> {
    let text = fs::read(kernel, "/proc/self/mountinfo")?;
    let mut seen = std::collections::BTreeSet::new();
    let lines = String::from_utf8_lossy(&text).into_owned();
    Ok(lines
        .lines()
        .filter_map(mount)
        .filter(|(device, _)| seen.insert(device.clone()))
        .map(|(_, mount)| mount)
        .collect())
}

/// A line of mountinfo (proc_pid_mountinfo(5)), if it is one of cgroups: device and mount.
fn mount(line: &str) -> Option<(String, Mount)> {
    let (before, behind) = line.split_once(" - ")?;
    let mut before = before.split(' ').skip(2);
    let (device, _root, point, flags) =
        (before.next()?, before.next()?, before.next()?, before.next()?);
    let mut behind = behind.split(' ');
    let kind = match behind.next()? {
        "cgroup" => Kind::Cgroup,
        "cgroup2" => Kind::Cgroup2,
        _ => return None,
    };
    let general = ["rw", "ro", "xattr", "noprefix", "clone_children"];
    let options =
        behind.nth(1)?.split(',').filter(|word| kind == Kind::Cgroup && !general.contains(word));
    let options =
        options.filter(|word| !word.starts_with("release_agent=")).map(str::to_owned).collect();
    let read_only = flags.split(',').any(|flag| flag == "ro");
    Some((device.to_owned(), Mount { point: from_octal(point), kind, options, read_only }))
}

/// Undoes the `\040` of mountinfo.
fn from_octal(word: &str) -> String {
    [(r"\040", " "), (r"\011", "\t"), (r"\012", "\n"), (r"\134", r"\")]
        .iter()
        .fold(word.to_owned(), |word, (code, character)| word.replace(code, character))
}

/// Everything below a mount.
pub(crate) fn hierarchy(kernel: &dyn Backend, mount: &Mount) -> Hierarchy {
    let controllers = match mount.kind {
        Kind::Cgroup => mount.options.clone(),
        Kind::Cgroup2 => controllers(kernel, &mount.point),
    };
    let root = group(kernel, mount.kind, "/", mount.point.as_bytes());
    Hierarchy { mount: mount.point.clone(), kind: mount.kind, controllers, root }
}

/// The controllers that a v2 group has.
pub(crate) fn controllers(kernel: &dyn Backend, group: &str) -> Vec<String> {
    let text =
        fs::read_to_string(kernel, format!("{group}/cgroup.controllers")).unwrap_or_default();
    text.split_ascii_whitespace().map(str::to_owned).collect()
}

/// A group and those below it. What is gone or refused by the time it is looked at is left out.
fn group(kernel: &dyn Backend, kind: Kind, name: &str, path: &[u8]) -> Group {
    let mut group = Group { name: name.to_owned(), ..Group::default() };
    let mut entries = fs::read_dir(kernel, path).unwrap_or_default();
    entries.sort_by_key(fs::DirEntry::file_name);
    let file = |name: &str| [path, b"/", name.as_bytes()].concat();
    let lines =
        |name: &str| fs::read_to_string(kernel, file(name)).map(|text| text.lines().count()).ok();
    // Of a threaded group only the threads can be listed.
    group.processes = lines("cgroup.procs").or_else(|| lines("cgroup.threads"));
    let rows = match kind {
        Kind::Cgroup => V1,
        Kind::Cgroup2 => V2,
    };
    for entry in &entries {
        if entry.file_type() == FileKind::Dir {
            let below = self::group(kernel, kind, &entry.file_name(), entry.path().as_bytes());
            group.groups.push(below);
        } else if let Some(row) = rows.iter().find(|row| row.file == entry.file_name())
            && let Ok(text) = fs::read_to_string(kernel, entry.path())
            && !row.usual.contains(&text.trim_end())
        {
            group.settings.insert(row.file, text.trim_end().to_owned());
        }
    }
    group
}

impl Hierarchy {
    /// As a tree, each line with its end.
    pub(crate) fn draw(&self) -> String {
        let kind = match self.kind {
            Kind::Cgroup => "cgroup",
            Kind::Cgroup2 => "cgroup2",
        };
        let mut text = format!("{} ({kind}", visible(&self.mount));
        if !self.controllers.is_empty() {
            let _ = write!(text, ": {}", visible(&self.controllers.join(" ")));
        }
        text.push(')');
        self.root.facts(&mut text);
        self.root.branches("", &mut text);
        text
    }
}

impl Group {
    /// What is to be said of the group, and the end of its line.
    fn facts(&self, text: &mut String) {
        match self.processes {
            Some(0) | None => {}
            Some(processes) => {
                let _ = write!(text, "  {}", count(processes, "process"));
            }
        }
        for (file, value) in &self.settings {
            let _ = write!(text, "  {file}={}", visible(value).replace('\n', "; "));
        }
        text.push('\n');
    }

    fn branches(&self, indent: &str, text: &mut String) {
        for (index, below) in self.groups.iter().enumerate() {
            let is_last = index + 1 == self.groups.len();
            let (corner, line) = if is_last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
            let _ = write!(text, "{indent}{corner}{}", visible(&below.name));
            below.facts(text);
            below.branches(&format!("{indent}{line}"), text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, Mount, V1, V2, hierarchy, mount};
    use standin::fs;

    #[test]
    fn a_line_of_mountinfo_tells_generation_place_and_controllers() {
        let line = "32 31 0:29 / /sys/fs/a\\040b rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct,name=x";
        let options = ["cpu", "cpuacct", "name=x"].map(str::to_owned).to_vec();
        let v1 = Mount {
            point: "/sys/fs/a b".to_owned(),
            kind: Kind::Cgroup,
            options,
            read_only: false,
        };
        assert_eq!(mount(line), Some(("0:29".to_owned(), v1)));
        let (_, v2) = mount("41 31 0:38 / /sys/fs/cgroup ro - cgroup2 none rw,nsdelegate").unwrap();
        assert!(v2.kind == Kind::Cgroup2 && v2.options.is_empty() && v2.read_only);
        for other in ["31 23 0:28 / /sys rw - tmpfs tmpfs rw", "", " - ", "1 2 3 - cgroup"] {
            assert_eq!(mount(other), None, "{other}");
        }
    }

    #[test]
    fn settings_are_sorted_and_stand_once() {
        for rows in [V1, V2] {
            let mut names: Vec<&str> = rows.iter().map(|row| row.file).collect();
            names.dedup();
            assert_eq!(names.len(), rows.len());
        }
    }

    #[test]
    fn a_tree_shows_processes_and_what_was_set() {
        let machine = standin_sim::Machine::builder().build();
        let root = machine.root();
        fs::write(&root, "/sys/fs/cgroup/cgroup.subtree_control", "+pids").unwrap();
        for group in ["a", "a/b", "c"] {
            fs::create_dir(&root, format!("/sys/fs/cgroup/{group}")).unwrap();
        }
        fs::write(&root, "/sys/fs/cgroup/a/pids.max", "5").unwrap();
        fs::write(&root, "/sys/fs/cgroup/c/cgroup.procs", "0").unwrap();
        let options = Vec::new();
        let mount = Mount {
            point: "/sys/fs/cgroup".to_owned(),
            kind: Kind::Cgroup2,
            options,
            read_only: false,
        };
        let drawn = hierarchy(&root, &mount).draw();
        let lines: Vec<&str> = drawn.lines().skip(1).collect();
        assert_eq!(lines, ["├─ a  pids.max=5", "│  └─ b", "└─ c  1 process"], "{drawn}");
        machine.finish().unwrap();
    }
}
