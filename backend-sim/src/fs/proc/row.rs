//! The files of /proc by name: those of every process and thread, and those at the top. Data alone.
//!
//! Names, modes and order are the recorded ones (Debian's 6.1 and 6.12, a vendor's 6.18). What a file says is in the module
//! of its [`Content`]; [`Content::Unmodelled`] is there, can be listed, and answers `NotModelled` when it is opened.

use std::sync::LazyLock;

use rustc_hash::FxHashMap;
use standin::backend::FileKind;
use standin::id::Mode;

use super::small::Small;
use super::system::System;
use crate::cgroup::pressure::Resource;
use crate::namespace::user::Which;
use crate::profile::Release;

/// A row of one of the tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct RowId(u8);

/// A file, directory or link.
pub(super) struct Row {
    pub(super) name: &'static [u8],
    pub(super) kind: FileKind,
    pub(super) mode: Mode,
    pub(super) content: Content,
    of: Of,
    /// Who may open it, besides whom its mode lets.
    pub(super) guard: Guard,
    /// The first and the last kernel that has it.
    since: Release,
    until: Release,
}

/// Who may open a file of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Guard {
    None,
    /// Who may look into the process.
    Sight,
    /// The same, of what tells of its memory: nothing of one that has exited.
    Memory,
    /// The same, where that is an error. (6.1 finds nothing there when it is read.)
    WholeMemory,
    /// The same, but for 6.1, which finds the error when it is read.
    SumOfMemory,
    /// As what is whole, of those alone who may look into the process.
    RawMemory,
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
    /// What is only in a directory of these.
    Below(Place),
}

/// What stands behind a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// Nothing that is modelled.
    Unmodelled,
    /// A directory whose names are a place of the table.
    Below(Place),
    /// The links of descriptors.
    Descriptors,
    /// The files that tell of descriptors.
    DescriptorInfo,
    /// One of the short files of a process.
    Small(Small),
    /// A text about the whole system.
    System(System),
    /// The mounts with the names of what is mounted.
    MountStatistics,
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
    Environment,
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
    let (since, until) = (Release::V6_1, Release::V6_18);
    Row { name, kind, mode, content, of, guard: Guard::None, since, until }
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

/// What is in a directory of its own.
const fn below(place: Place, name: &'static [u8], shape: Shape, content: Content) -> Row {
    row(Of::Below(place), name, shape, content)
}

/// A short file of a process or thread.
const fn small(name: &'static [u8], shape: Shape, small: Small) -> Row {
    row(Of::Both, name, shape, Content::Small(small))
}

/// A text of /proc itself.
const fn system(name: &'static [u8], shape: Shape, system: System) -> Row {
    row(Of::Top, name, shape, Content::System(system))
}

const fn top(name: &'static [u8], shape: Shape) -> Row {
    row(Of::Top, name, shape, Content::Unmodelled)
}

const fn link(name: &'static [u8], content: Content) -> Row {
    row(Of::Top, name, LINK, content)
}

impl Content {
    /// Whether it is a list of the mounts.
    pub(super) const fn lists_mounts(self) -> bool {
        matches!(self, Self::Mounts | Self::MountTable | Self::MountStatistics)
    }

    /// Whether it tells of one of the process's namespaces, and of no other once it is open.
    pub(super) const fn is_of_namespace(self) -> bool {
        self.lists_mounts() || matches!(self, Self::IdMap(_) | Self::Setgroups)
    }
}

impl Guard {
    /// Whether it is of what tells of a process's memory.
    pub(super) const fn is_of_memory(self) -> bool {
        !matches!(self, Self::None | Self::Sight)
    }
}

impl Row {
    const fn guard(self, guard: Guard) -> Self {
        Self { guard, ..self }
    }

    const fn since(self, release: Release) -> Self {
        Self { since: release, ..self }
    }

    const fn until(self, release: Release) -> Self {
        Self { until: release, ..self }
    }
}

/// Every row: first those of processes and threads, then those of /proc itself, each part in the kernel's order.
const ROWS: &[Row] = &[
    process(b"task", dir(0o555), Content::Tasks),
    both(b"fd", dir(0o500), Content::Descriptors),
    process(b"map_files", dir(0o500), Content::Unmodelled),
    both(b"fdinfo", dir(0o555), Content::DescriptorInfo).guard(Guard::Sight),
    both(b"ns", dir(0o511), Content::Namespaces),
    both(b"net", dir(0o555), Content::Unmodelled),
    both(b"environ", file(0o400), Content::Environment).guard(Guard::WholeMemory),
    both(b"auxv", file(0o400), Content::Unmodelled).guard(Guard::WholeMemory),
    both(b"status", file(0o444), Content::Status),
    small(b"personality", file(0o400), Small::Personality),
    both(b"limits", file(0o444), Content::Limits),
    both(b"sched", file(0o644), Content::Unmodelled),
    process(b"autogroup", file(0o644), Content::Unmodelled),
    process(b"timens_offsets", file(0o644), Content::TimeOffsets),
    both(b"comm", file(0o644), Content::Comm),
    both(b"syscall", file(0o400), Content::Unmodelled),
    both(b"cmdline", file(0o444), Content::Command),
    both(b"stat", file(0o444), Content::Stat),
    both(b"statm", file(0o444), Content::Statm),
    both(b"maps", file(0o444), Content::Unmodelled).guard(Guard::Memory),
    thread(b"children", file(0o444), Content::Small(Small::Children)),
    both(b"numa_maps", file(0o444), Content::Unmodelled).guard(Guard::Memory),
    both(b"mem", file(0o600), Content::Unmodelled).guard(Guard::RawMemory),
    both(b"cwd", LINK, Content::Directory),
    both(b"root", LINK, Content::RootDirectory),
    both(b"exe", LINK, Content::Unmodelled),
    both(b"mounts", file(0o444), Content::MountTable),
    both(b"mountinfo", file(0o444), Content::Mounts),
    process(b"mountstats", file(0o400), Content::MountStatistics),
    both(b"clear_refs", file(0o200), Content::Unmodelled),
    both(b"smaps", file(0o444), Content::Unmodelled).guard(Guard::Memory),
    both(b"smaps_rollup", file(0o444), Content::Unmodelled).guard(Guard::SumOfMemory),
    both(b"pagemap", file(0o400), Content::Unmodelled),
    both(b"attr", dir(0o555), Content::Below(Place::Attributes)),
    small(b"wchan", file(0o444), Small::Wchan),
    both(b"stack", file(0o400), Content::Unmodelled),
    both(b"schedstat", file(0o444), Content::Unmodelled),
    both(b"cpuset", file(0o444), Content::Cpuset),
    both(b"cgroup", file(0o444), Content::Cgroup),
    small(b"cpu_resctrl_groups", file(0o444), Small::Same(b"res:\nmon:\n")).until(Release::V6_12),
    small(b"oom_score", file(0o444), Small::OomScore),
    small(b"oom_adj", file(0o644), Small::OomAdj),
    both(b"oom_score_adj", file(0o644), Content::OomAdjustment),
    small(b"loginuid", file(0o644), Small::LoginUid),
    small(b"sessionid", file(0o444), Small::SessionId),
    process(b"coredump_filter", file(0o644), Content::Small(Small::CoreFilter)),
    both(b"io", file(0o400), Content::Unmodelled),
    both(b"uid_map", file(0o644), Content::IdMap(Which::Users)),
    both(b"gid_map", file(0o644), Content::IdMap(Which::Groups)),
    both(b"projid_map", file(0o644), Content::IdMap(Which::Projects)),
    both(b"setgroups", file(0o644), Content::Setgroups),
    process(b"timers", file(0o444), Content::Small(Small::Same(b""))).until(Release::V6_12),
    process(b"timers", file(0o444), Content::Small(Small::Same(b"")))
        .guard(Guard::Sight)
        .since(Release::V6_18),
    process(b"timerslack_ns", file(0o666), Content::Small(Small::TimerSlack)),
    small(b"patch_state", file(0o400), Small::Same(b"-1\n")).until(Release::V6_12),
    both(b"arch_status", file(0o444), Content::Unmodelled),
    small(b"ksm_merging_pages", file(0o400), Small::Same(b"0\n")),
    both(b"ksm_stat", file(0o400), Content::Unmodelled),
    top(b"fb", file(0o444)).until(Release::V6_12),
    top(b"config.gz", file(0o444)).since(Release::V6_18),
    top(b"dma", file(0o444)).since(Release::V6_18),
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
    system(b"stat", file(0o444), System::Processors),
    top(b"iomem", file(0o444)),
    top(b"kcore", file(0o400)).until(Release::V6_12),
    top(b"locks", file(0o444)),
    system(b"swaps", file(0o444), System::Swaps),
    top(b"crypto", file(0o444)),
    top(b"driver", dir(0o555)),
    link(b"mounts", Content::LinkTo(b"self/mounts")),
    system(b"uptime", file(0o444), System::Uptime),
    top(b"vmstat", file(0o444)),
    row(Of::Top, b"cgroups", file(0o444), Content::Controllers),
    top(b"cmdline", file(0o444)),
    top(b"cpuinfo", file(0o444)),
    top(b"devices", file(0o444)),
    top(b"ioports", file(0o444)),
    system(b"loadavg", file(0o444), System::Load),
    system(b"meminfo", file(0o444), System::Memory),
    top(b"modules", file(0o444)).until(Release::V6_12),
    row(Of::Top, b"sysvipc", dir(0o555), Content::Below(Place::SystemV)),
    system(b"version", file(0o444), System::Version),
    top(b"consoles", file(0o444)),
    top(b"kallsyms", file(0o444)),
    row(Of::Top, b"pressure", dir(0o555), Content::Below(Place::Pressure)),
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
    system(b"execdomains", file(0o444), System::Same(b"0-0\tLinux           \t[kernel]\n")),
    system(b"filesystems", file(0o444), System::Filesystems),
    top(b"kpagecgroup", file(0o400)),
    top(b"vmallocinfo", file(0o400)),
    top(b"pagetypeinfo", file(0o400)),
    top(b"dynamic_debug", dir(0o555)).until(Release::V6_12),
    top(b"sysrq-trigger", file(0o200)).until(Release::V6_12),
    link(b"self", Content::OwnProcess),
    link(b"thread-self", Content::OwnThread),
    below(Place::Attributes, b"apparmor", dir(0o555), Content::Unmodelled).until(Release::V6_12),
    below(Place::Attributes, b"current", file(0o666), Content::Unmodelled),
    below(Place::Attributes, b"exec", file(0o666), Content::Unmodelled),
    below(Place::Attributes, b"fscreate", file(0o666), Content::Unmodelled),
    below(Place::Attributes, b"keycreate", file(0o666), Content::Unmodelled),
    below(Place::Attributes, b"prev", file(0o444), Content::Unmodelled),
    below(Place::Attributes, b"sockcreate", file(0o666), Content::Unmodelled),
    below(Place::Pressure, b"cpu", file(0o666), pressure(Resource::Cpu)),
    below(Place::Pressure, b"io", file(0o666), pressure(Resource::Io)),
    below(Place::Pressure, b"memory", file(0o666), pressure(Resource::Memory)),
    below(Place::SystemV, b"msg", file(0o444), same(MESSAGES)),
    below(Place::SystemV, b"sem", file(0o444), same(SEMAPHORES)),
    below(Place::SystemV, b"shm", file(0o444), same(SEGMENTS)),
];

const fn pressure(resource: Resource) -> Content {
    Content::System(System::Pressure(resource))
}

const fn same(text: &'static [u8]) -> Content {
    Content::System(System::Same(text))
}

/// The heads of the lists of /proc/sysvipc: nobody has made what would be in them (sysvipc(7)).
const MESSAGES: &[u8] = b"       key      msqid perms      cbytes       qnum lspid lrpid   uid   gid  cuid  cgid      stime      rtime      ctime\n";
const SEMAPHORES: &[u8] =
    b"       key      semid perms      nsems   uid   gid  cuid  cgid      otime      ctime\n";
const SEGMENTS: &[u8] = b"       key      shmid perms                  size  cpid  lpid nattch   uid   gid  cuid  cgid      atime      dtime      ctime                   rss                  swap\n";

/// Where a name is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Place {
    /// /proc
    Top,
    /// /proc/PID
    Process,
    /// /proc/PID/task/TID
    Thread,
    /// /proc/PID/attr
    Attributes,
    /// /proc/pressure
    Pressure,
    /// /proc/sysvipc
    SystemV,
}

impl Place {
    fn has(self, row: &Row, release: Release) -> bool {
        let here = match row.of {
            Of::Top => self == Self::Top,
            Of::Process => self == Self::Process,
            Of::Thread => self == Self::Thread,
            Of::Both => matches!(self, Self::Process | Self::Thread),
            Of::Below(place) => self == place,
        };
        here && (row.since..=row.until).contains(&release)
    }
}

type Names = FxHashMap<&'static [u8], Vec<RowId>>;

/// The rows by name. Few names are in more than one place.
static BY_NAME: LazyLock<Names> = LazyLock::new(|| {
    let mut names = Names::default();
    for (row, id) in ROWS.iter().zip(0..) {
        names.entry(row.name).or_default().push(RowId(id));
    }
    names
});

/// The names of all rows, in their order.
#[cfg(feature = "serde")]
pub(super) fn names() -> impl Iterator<Item = &'static [u8]> {
    ROWS.iter().map(|row| row.name)
}

/// The row with this name.
pub(super) fn find(place: Place, name: &[u8], release: Release) -> Option<RowId> {
    BY_NAME.get(name)?.iter().copied().find(|id| place.has(id.row(), release))
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

    /// The directory that it alone is in, if that is a row.
    pub(super) fn directory(self) -> Option<Self> {
        let Of::Below(place) = self.row().of else { return None };
        let above = ROWS.iter().position(|row| row.content == Content::Below(place))?;
        u8::try_from(above).ok().map(Self)
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
        let places = [Place::Top, Place::Process, Place::Thread];
        let below = [Place::Attributes, Place::Pressure, Place::SystemV];
        for place in places.into_iter().chain(below) {
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
