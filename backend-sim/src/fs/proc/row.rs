//! The files of /proc by name: those of every process and thread, and those at the top. Data alone.
//!
//! Names, modes and order are the recorded ones (Debian's 6.1 and 6.12, a vendor's 6.18). What a file says is in the module
//! of its [`Content`]; [`Content::Unmodelled`] is there, can be listed, and answers `NotModelled` when it is opened.

use std::sync::LazyLock;

use rustc_hash::FxHashMap;
use standin::backend::FileKind;
use standin::id::Mode;

use crate::namespace::user::Which;
use crate::profile::Release;

/// A row of one of the tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct RowId(u8);

/// A file, directory or link.
pub(super) struct Row {
    pub(super) name: &'static [u8],
    pub(super) kind: FileKind,
    pub(super) mode: Mode,
    pub(super) content: Content,
    of: Of,
    /// The last kernel that has it.
    until: Release,
}

/// Whose directory has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Of {
    /// /proc
    Top,
    /// /proc/PID alone.
    Process,
    /// /proc/PID/task/TID alone.
    Thread,
    /// Both.
    Both,
}

/// What stands behind a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// Nothing that is modelled.
    Unmodelled,
    /// The directory of a process's threads.
    Tasks,
    /// The directory of a thread's namespaces.
    Namespaces,
    /// /proc/sys
    Settings,
    Status,
    Stat,
    Statm,
    Cgroup,
    Cpuset,
    /// The controllers (/proc/cgroups).
    Controllers,
    Comm,
    Command,
    Limits,
    /// uid_map and its like.
    IdMap(Which),
    Setgroups,
    /// The offsets of the time namespace for children.
    TimeOffsets,
    OomAdjustment,
    /// The mounts (mountinfo).
    Mounts,
    /// The mounts, shorter (mounts).
    MountTable,
    /// The working directory.
    Directory,
    RootDirectory,
    /// A link with this text.
    LinkTo(&'static [u8]),
    /// The caller's process.
    OwnProcess,
    /// The caller's thread.
    OwnThread,
}

type Shape = (FileKind, Mode);

const fn dir(mode: u16) -> Shape {
    (FileKind::Dir, Mode::new(mode))
}

const fn file(mode: u16) -> Shape {
    (FileKind::File, Mode::new(mode))
}

const LINK: Shape = (FileKind::Link, Mode::new(0o777));

const fn row(of: Of, name: &'static [u8], (kind, mode): Shape, content: Content) -> Row {
    Row { name, kind, mode, content, of, until: Release::V6_18 }
}

const fn process(name: &'static [u8], shape: Shape, content: Content) -> Row {
    row(Of::Process, name, shape, content)
}

const fn thread(name: &'static [u8], shape: Shape, content: Content) -> Row {
    row(Of::Thread, name, shape, content)
}

const fn both(name: &'static [u8], shape: Shape, content: Content) -> Row {
    row(Of::Both, name, shape, content)
}

const fn top(name: &'static [u8], shape: Shape) -> Row {
    row(Of::Top, name, shape, Content::Unmodelled)
}

const fn link(name: &'static [u8], content: Content) -> Row {
    row(Of::Top, name, LINK, content)
}

impl Row {
    const fn until(self, release: Release) -> Self {
        Self { until: release, ..self }
    }
}

/// Every row: first those of processes and threads, then those of /proc itself, each part in the kernel's order.
const ROWS: &[Row] = &[
    process(b"task", dir(0o555), Content::Tasks),
    both(b"fd", dir(0o500), Content::Unmodelled),
    process(b"map_files", dir(0o500), Content::Unmodelled),
    both(b"fdinfo", dir(0o555), Content::Unmodelled),
    both(b"ns", dir(0o511), Content::Namespaces),
    both(b"net", dir(0o555), Content::Unmodelled),
    both(b"environ", file(0o400), Content::Unmodelled),
    both(b"auxv", file(0o400), Content::Unmodelled),
    both(b"status", file(0o444), Content::Status),
    both(b"personality", file(0o400), Content::Unmodelled),
    both(b"limits", file(0o444), Content::Limits),
    both(b"sched", file(0o644), Content::Unmodelled),
    process(b"autogroup", file(0o644), Content::Unmodelled),
    process(b"timens_offsets", file(0o644), Content::TimeOffsets),
    both(b"comm", file(0o644), Content::Comm),
    both(b"syscall", file(0o400), Content::Unmodelled),
    both(b"cmdline", file(0o444), Content::Command),
    both(b"stat", file(0o444), Content::Stat),
    both(b"statm", file(0o444), Content::Statm),
    both(b"maps", file(0o444), Content::Unmodelled),
    thread(b"children", file(0o444), Content::Unmodelled),
    both(b"numa_maps", file(0o444), Content::Unmodelled),
    both(b"mem", file(0o600), Content::Unmodelled),
    both(b"cwd", LINK, Content::Directory),
    both(b"root", LINK, Content::RootDirectory),
    both(b"exe", LINK, Content::Unmodelled),
    both(b"mounts", file(0o444), Content::MountTable),
    both(b"mountinfo", file(0o444), Content::Mounts),
    process(b"mountstats", file(0o400), Content::Unmodelled),
    both(b"clear_refs", file(0o200), Content::Unmodelled),
    both(b"smaps", file(0o444), Content::Unmodelled),
    both(b"smaps_rollup", file(0o444), Content::Unmodelled),
    both(b"pagemap", file(0o400), Content::Unmodelled),
    both(b"attr", dir(0o555), Content::Unmodelled),
    both(b"wchan", file(0o444), Content::Unmodelled),
    both(b"stack", file(0o400), Content::Unmodelled),
    both(b"schedstat", file(0o444), Content::Unmodelled),
    both(b"cpuset", file(0o444), Content::Cpuset),
    both(b"cgroup", file(0o444), Content::Cgroup),
    both(b"cpu_resctrl_groups", file(0o444), Content::Unmodelled).until(Release::V6_12),
    both(b"oom_score", file(0o444), Content::Unmodelled),
    both(b"oom_adj", file(0o644), Content::Unmodelled),
    both(b"oom_score_adj", file(0o644), Content::OomAdjustment),
    both(b"loginuid", file(0o644), Content::Unmodelled),
    both(b"sessionid", file(0o444), Content::Unmodelled),
    process(b"coredump_filter", file(0o644), Content::Unmodelled),
    both(b"io", file(0o400), Content::Unmodelled),
    both(b"uid_map", file(0o644), Content::IdMap(Which::Users)),
    both(b"gid_map", file(0o644), Content::IdMap(Which::Groups)),
    both(b"projid_map", file(0o644), Content::IdMap(Which::Projects)),
    both(b"setgroups", file(0o644), Content::Setgroups),
    process(b"timers", file(0o444), Content::Unmodelled),
    process(b"timerslack_ns", file(0o666), Content::Unmodelled),
    both(b"patch_state", file(0o400), Content::Unmodelled).until(Release::V6_12),
    both(b"arch_status", file(0o444), Content::Unmodelled),
    both(b"ksm_merging_pages", file(0o400), Content::Unmodelled),
    both(b"ksm_stat", file(0o400), Content::Unmodelled),
    top(b"fb", file(0o444)).until(Release::V6_12),
    top(b"fs", dir(0o555)),
    top(b"bus", dir(0o555)),
    top(b"irq", dir(0o555)),
    link(b"net", Content::LinkTo(b"self/net")),
    row(Of::Top, b"sys", dir(0o555), Content::Settings),
    top(b"tty", dir(0o555)),
    top(b"acpi", dir(0o555)),
    top(b"keys", file(0o444)),
    top(b"kmsg", file(0o400)),
    top(b"misc", file(0o444)),
    top(b"mtrr", file(0o644)),
    top(b"stat", file(0o444)),
    top(b"iomem", file(0o444)),
    top(b"kcore", file(0o400)).until(Release::V6_12),
    top(b"locks", file(0o444)),
    top(b"swaps", file(0o444)),
    top(b"crypto", file(0o444)),
    top(b"driver", dir(0o555)),
    link(b"mounts", Content::LinkTo(b"self/mounts")),
    top(b"uptime", file(0o444)),
    top(b"vmstat", file(0o444)),
    row(Of::Top, b"cgroups", file(0o444), Content::Controllers),
    top(b"cmdline", file(0o444)),
    top(b"cpuinfo", file(0o444)),
    top(b"devices", file(0o444)),
    top(b"ioports", file(0o444)),
    top(b"loadavg", file(0o444)),
    top(b"meminfo", file(0o444)),
    top(b"modules", file(0o444)).until(Release::V6_12),
    top(b"sysvipc", dir(0o555)),
    top(b"version", file(0o444)),
    top(b"consoles", file(0o444)),
    top(b"kallsyms", file(0o444)),
    top(b"pressure", dir(0o555)),
    top(b"slabinfo", file(0o400)),
    top(b"softirqs", file(0o444)),
    top(b"zoneinfo", file(0o444)),
    top(b"buddyinfo", file(0o444)),
    top(b"diskstats", file(0o444)),
    top(b"key-users", file(0o444)),
    top(b"schedstat", file(0o444)).until(Release::V6_12),
    top(b"interrupts", file(0o444)),
    top(b"kpagecount", file(0o400)),
    top(b"kpageflags", file(0o400)),
    top(b"partitions", file(0o444)),
    top(b"timer_list", file(0o400)),
    top(b"execdomains", file(0o444)),
    top(b"filesystems", file(0o444)),
    top(b"kpagecgroup", file(0o400)),
    top(b"vmallocinfo", file(0o400)),
    top(b"pagetypeinfo", file(0o400)),
    top(b"dynamic_debug", dir(0o555)).until(Release::V6_12),
    top(b"sysrq-trigger", file(0o200)).until(Release::V6_12),
    link(b"self", Content::OwnProcess),
    link(b"thread-self", Content::OwnThread),
];

/// Where a name is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// /proc
    Top,
    /// /proc/PID
    Process,
    /// /proc/PID/task/TID
    Thread,
}

impl Place {
    fn has(self, row: &Row, release: Release) -> bool {
        let here = match row.of {
            Of::Top => self == Self::Top,
            Of::Process => self == Self::Process,
            Of::Thread => self == Self::Thread,
            Of::Both => self != Self::Top,
        };
        here && release <= row.until
    }
}

type Names = FxHashMap<&'static [u8], RowId>;

/// The rows by name: of processes and threads, and of the top.
static BY_NAME: LazyLock<[Names; 2]> = LazyLock::new(|| {
    let mut names = [Names::default(), Names::default()];
    let [below, top] = &mut names;
    for (row, id) in ROWS.iter().zip(0..) {
        let names = if row.of == Of::Top { &mut *top } else { &mut *below };
        names.insert(row.name, RowId(id));
    }
    names
});

/// The row with this name.
pub(super) fn find(place: Place, name: &[u8], release: Release) -> Option<RowId> {
    let [below, top] = &*BY_NAME;
    let id = *if place == Place::Top { top } else { below }.get(name)?;
    place.has(id.row(), release).then_some(id)
}

/// Every row of a place.
pub(super) fn all(place: Place, release: Release) -> impl Iterator<Item = (RowId, &'static Row)> {
    let rows = ROWS.iter().zip(0..).map(|(row, id)| (RowId(id), row));
    rows.filter(move |(_, row)| place.has(row, release))
}

impl RowId {
    /// What it names.
    pub(super) fn row(self) -> &'static Row {
        match ROWS.get(usize::from(self.0)) {
            Some(row) => row,
            None => panic!("no row {} of /proc", self.0),
        }
    }

    /// Its number.
    pub(super) const fn number(self) -> u8 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{Place, ROWS, all, find};
    use crate::profile::Release;

    #[test]
    fn every_row_is_found_where_it_is_and_by_its_name_alone() {
        for place in [Place::Top, Place::Process, Place::Thread] {
            for release in Release::ALL {
                let names: BTreeSet<_> = all(place, release).map(|(_, row)| row.name).collect();
                assert_eq!(names.len(), all(place, release).count(), "{place:?}: a name twice");
                for (id, row) in all(place, release) {
                    assert_eq!(find(place, row.name, release), Some(id));
                }
            }
        }
        assert!(ROWS.len() < 256);
    }

    #[test]
    fn a_thread_has_its_children_and_a_process_its_threads() {
        let release = Release::V6_12;
        assert!(find(Place::Thread, b"children", release).is_some());
        assert!(find(Place::Process, b"children", release).is_none());
        assert!(find(Place::Process, b"task", release).is_some());
        assert!(find(Place::Thread, b"task", release).is_none());
    }
}
