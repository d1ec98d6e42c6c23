//! The table of control files: one row a file, by controller. A row says where and since when the file exists, who may do
//! what with it, and what reading and writing it does; how is in the file of its subject.
//!
//! Facts: cgroup-v2.rst, and the directories of recorded kernels (6.1 and 6.12 as Debian builds them, a 6.18 host).

mod core;
mod cpu;
mod cpuset;
mod device;
pub(super) mod family;
mod hugetlb;
mod io;
mod memory;
mod pids;
mod pressure;
mod v1;

pub(super) use family::IDS_PER_GROUP;
use family::{FAMILIES, Family};
use standin::id::Mode;
use standin::{Controller, Errno, Failure};

use super::memory_events;
use super::pids::changes as pids_changes;
use super::setting::{self, Setting};
use super::{Cgroup, CgroupKey, Cgroups, Pids, RowId};
use crate::fs::FileKey;
use crate::kernel::Kernel;
use crate::profile::Release;
use crate::step::Step;
use crate::task::ThreadKey;

/// A control file.
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) class: Class,
    place: Place,
    since: Release,
    /// Its first permission bits, if what it is does not say them; and others from a release on.
    bits: Option<u16>,
    later_bits: Option<(Release, u16)>,
    pub(super) kind: Kind,
    /// Bytes of the longest text that it takes.
    pub(super) longest: usize,
    /// Whether it can be written at the border of a namespace (`Options::NS_DELEGATE`).
    pub(super) is_delegated: bool,
}

/// What a file takes unless its row says otherwise.
const PAGE: usize = 4096;

/// With what a file comes and goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) enum Class {
    /// In every group.
    Core,
    /// Hidden while cgroup.pressure is 0.
    Pressure,
    /// Where the controller is enabled.
    Of(Controller),
}

/// Which groups have a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Everywhere,
    NotOnRoot,
    RootAlone,
    /// In the root from this release on, elsewhere before.
    OnRootSince(Release),
}

/// What a file is. Its first permission bits follow: readable by all if it can be read, writable by the owner if it can be
/// written.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    /// Computed when it is read.
    Derived(Show),
    /// Read and written.
    Control(Show, Store),
    /// Only written.
    Command(Store),
    /// Only read, and always this: nothing that the machine does moves what it counts.
    Fixed(&'static str),
    /// A value that is kept until the controller is disabled.
    Stored(&'static Setting),
    /// The same; writing it does more.
    Acting(&'static Setting, Store),
    /// Computed when it is read, and from this release on written.
    WrittenSince(Release, Show, Store),
    /// Read and written; what it does is not modelled.
    Unmodelled,
}

/// What reads a file.
pub(super) type Show = fn(&Kernel, Target, &mut Vec<u8>) -> Step<()>;

/// What writes a file.
pub(super) type Store = fn(&mut Kernel, &Write<'_>) -> Step<()>;

/// Which file is read.
#[derive(Clone, Copy)]
pub(super) struct Target {
    /// Who reads.
    pub(super) reader: ThreadKey,
    /// Through which open file.
    pub(super) file: FileKey,
    pub(super) group: CgroupKey,
    pub(super) row: u16,
}

/// What is written where, and by whom.
pub(super) struct Write<'a> {
    pub(super) caller: ThreadKey,
    /// Through which open file: it knows its opener's credentials.
    pub(super) file: FileKey,
    pub(super) group: CgroupKey,
    pub(super) row: u16,
    /// Up to the first NUL.
    pub(super) bytes: &'a [u8],
}

/// The tables of v2 by controller, in the order of the files' rows.
const V2: [&[Row]; 11] = [
    core::ROWS,
    pressure::ROWS,
    cpuset::ROWS,
    cpu::ROWS,
    io::ROWS,
    memory::ROWS,
    hugetlb::ROWS,
    pids::ROWS,
    pids::LOCAL,
    device::ROWS,
    device::DMEM,
];

fn row(index: u16) -> Option<&'static Row> {
    let [v2, v1] = &FAMILIES;
    let family = if index < v1.first { v2 } else { v1 };
    family.rows.get(usize::from(index - family.first)).copied()
}

impl Row {
    const fn new(name: &'static str, class: Class, kind: Kind) -> Self {
        Self {
            name,
            class,
            place: Place::Everywhere,
            since: Release::V6_1,
            bits: None,
            later_bits: None,
            kind,
            longest: PAGE,
            is_delegated: false,
        }
    }

    const fn not_on_root(mut self) -> Self {
        self.place = Place::NotOnRoot;
        self
    }

    const fn on_root_alone(mut self) -> Self {
        self.place = Place::RootAlone;
        self
    }

    const fn since(mut self, release: Release) -> Self {
        self.since = release;
        self
    }

    const fn bits(mut self, bits: u16) -> Self {
        self.bits = Some(bits);
        self
    }

    const fn bits_since(mut self, since: Release, bits: u16) -> Self {
        self.later_bits = Some((since, bits));
        self
    }

    /// Also for who may write it in the root of a namespace that is a border of delegation.
    const fn delegated(mut self) -> Self {
        self.is_delegated = true;
        self
    }

    const fn up_to(mut self, bytes: usize) -> Self {
        self.longest = bytes;
        self
    }

    const fn on_root_since(mut self, release: Release) -> Self {
        self.place = Place::OnRootSince(release);
        self
    }

    /// Its permission bits when it is made.
    pub(super) fn mode(&self, release: Release) -> Mode {
        let later = self.later_bits.filter(|(since, _)| release >= *since).map(|(_, bits)| bits);
        let said = later.or(self.bits);
        Mode::new(said.unwrap_or_else(|| match self.kind {
            Kind::Derived(_) | Kind::Fixed(_) => 0o444,
            Kind::WrittenSince(since, ..) if release < since => 0o444,
            Kind::Control(..)
            | Kind::Stored(_)
            | Kind::Acting(..)
            | Kind::WrittenSince(..)
            | Kind::Unmodelled => 0o644,
            Kind::Command(_) => 0o200,
        }))
    }

    /// The setting that it is.
    const fn setting(&self) -> Option<&'static Setting> {
        match self.kind {
            Kind::Stored(setting) | Kind::Acting(setting, _) => Some(setting),
            Kind::Derived(_)
            | Kind::Control(..)
            | Kind::WrittenSince(..)
            | Kind::Command(_)
            | Kind::Fixed(_)
            | Kind::Unmodelled => None,
        }
    }

    /// Its name without its controller's.
    fn bare_name(&self) -> Option<&'static str> {
        match self.class {
            Class::Of(_) => self.name.split_once('.').map(|(_, name)| name),
            Class::Core | Class::Pressure => None,
        }
    }

    /// Whether the file belongs there, if its class is there.
    fn fits(&self, release: Release, on_root: bool) -> bool {
        let place = match self.place {
            Place::Everywhere => true,
            Place::NotOnRoot => !on_root,
            Place::RootAlone => on_root,
            Place::OnRootSince(since) => !on_root || since <= release,
        };
        place && self.since <= release
    }
}

/// Whether a group shows the files of a class.
fn shows(cgroups: &Cgroups, group: CgroupKey, class: Class) -> bool {
    match class {
        Class::Core => true,
        Class::Pressure => cgroups.table.at(group).pressure,
        Class::Of(controller) => cgroups.enabled(group).contains(controller),
    }
}

/// The file with this name in a group that was not removed.
pub(super) fn lookup(cgroups: &Cgroups, group: CgroupKey, name: &[u8]) -> Option<RowId> {
    let record = cgroups.table.at(group);
    let (index, row) = if has_prefixes(cgroups, record) {
        Family::of(record).named(name)?
    } else {
        unprefixed(record, name)?
    };
    if !row.fits(cgroups.release, record.parent.is_none()) || !shows(cgroups, group, row.class) {
        return None;
    }
    Some(RowId { row: index, incarnation: record.incarnation(row.class) })
}

/// Whether the names of files begin with their controller's.
fn has_prefixes(cgroups: &Cgroups, record: &Cgroup) -> bool {
    !record.hierarchy.is_v1() || !cgroups.hierarchy(record.hierarchy).options.noprefix
}

/// The row that has this name in a hierarchy without prefixes, which is one of the cpuset controller.
fn unprefixed(record: &Cgroup, name: &[u8]) -> Option<(u16, &'static Row)> {
    let family = Family::of(record);
    let prefixed = [Controller::Cpuset.v1_name().as_bytes(), b".", name].concat();
    let own = || family.named(name).filter(|(_, row)| matches!(row.class, Class::Core));
    family.named(&prefixed).or_else(own)
}

/// Whether a group has a file of this name that does not show.
pub(super) fn is_hidden(cgroups: &Cgroups, group: CgroupKey, name: &[u8]) -> bool {
    let record = cgroups.table.at(group);
    Family::of(record).named(name).is_some_and(|(_, row)| {
        let on_root = record.parent.is_none();
        row.class == Class::Pressure
            && row.fits(cgroups.release, on_root)
            && !shows(cgroups, group, row.class)
    })
}

/// Whether a file is still there.
pub(super) fn is_alive(cgroups: &Cgroups, group: CgroupKey, id: RowId) -> bool {
    let Some(record) = cgroups.table.get(group) else { return false };
    let Some(row) = row(id.row) else { return false };
    !record.removed
        && record.incarnation(row.class) == id.incarnation
        && shows(cgroups, group, row.class)
}

/// Every file that shows in a group, by name.
pub(super) fn list(
    cgroups: &Cgroups,
    group: CgroupKey,
) -> impl Iterator<Item = (u16, &'static str)> {
    let record = cgroups.table.at(group);
    let (on_root, release, pressure) = (record.parent.is_none(), cgroups.release, record.pressure);
    let enabled = cgroups.enabled(group);
    let prefixes = has_prefixes(cgroups, record);
    let rows = Family::of(record).all().filter(move |(_, row)| {
        let shown = match row.class {
            Class::Core => true,
            Class::Pressure => pressure,
            Class::Of(controller) => enabled.contains(controller),
        };
        shown && row.fits(release, on_root)
    });
    rows.map(move |(index, row)| {
        let bare = if prefixes { None } else { row.bare_name() };
        (index, bare.unwrap_or(row.name))
    })
}

/// The name of a v2 file of a controller, wherever that controller is enabled below the root.
pub(super) fn names_of(
    release: Release,
    controller: Controller,
) -> impl Iterator<Item = &'static str> {
    let [v2, _] = &FAMILIES;
    let rows = v2
        .rows
        .iter()
        .filter(move |row| row.class == Class::Of(controller) && row.fits(release, false));
    rows.map(|row| row.name)
}

/// Whether a file is one that a trigger may be written to.
pub(super) fn is_pressure(id: RowId) -> bool {
    of(id).is_some_and(|row| row.class == Class::Pressure)
}

/// The row of a file.
pub(super) fn of(id: RowId) -> Option<&'static Row> {
    row(id.row)
}

/// Whether a file is one of a v1 group.
pub(super) fn is_v1(id: RowId) -> bool {
    let [_, v1] = &FAMILIES;
    id.row >= v1.first
}

/// Whether a setting is one of this controller's.
pub(super) fn belongs(index: u16, controller: Controller) -> bool {
    row(index).is_some_and(|row| row.class == Class::Of(controller))
}

/// The setting of a row.
pub(super) fn setting_of(index: u16) -> Option<&'static Setting> {
    row(index)?.setting()
}

/// A setting that groups of this one's kind of hierarchy have, and its row.
pub(super) fn setting_named(record: &Cgroup, name: &[u8]) -> Option<(u16, &'static Setting)> {
    let (index, row) = Family::of(record).named(name)?;
    Some((index, row.setting()?))
}

/// Reads a file.
pub(super) fn read(kernel: &Kernel, target: Target, out: &mut Vec<u8>) -> Step<()> {
    let Some(row) = row(target.row) else { return Err(Errno::ENODEV.into()) };
    match row.kind {
        Kind::Derived(show) | Kind::Control(show, _) | Kind::WrittenSince(_, show, _) => {
            show(kernel, target, out)
        }
        Kind::Stored(setting) | Kind::Acting(setting, _) => {
            setting::show(kernel, target, setting, out);
            Ok(())
        }
        Kind::Fixed(text) => {
            out.extend_from_slice(text.as_bytes());
            Ok(())
        }
        Kind::Command(_) => Err(Errno::EINVAL.into()),
        Kind::Unmodelled => Err(Failure::NotModelled(row.name).into()),
    }
}

/// The settings of a group, as somebody could have written them, with what they are now: no lists, and no commands.
pub(super) fn settings(kernel: &Kernel, group: CgroupKey) -> Vec<(&'static str, String)> {
    let is_setting = |name: &str, index: u16| match row(index).map(|row| &row.kind) {
        Some(Kind::Stored(_) | Kind::Acting(..) | Kind::Control(..)) => {
            !["cgroup.procs", "cgroup.threads", "tasks"].contains(&name)
        }
        Some(Kind::Derived(_) | Kind::Command(_) | Kind::Fixed(_) | Kind::WrittenSince(..))
        | Some(Kind::Unmodelled)
        | None => false,
    };
    let files = list(&kernel.cgroups, group).filter(|(index, name)| is_setting(name, *index));
    let mut settings = Vec::new();
    for (index, name) in files {
        let mut text = Vec::new();
        let reader = kernel.tasks.first;
        let target = Target { reader, file: FileKey::nowhere(), group, row: index };
        if read(kernel, target, &mut text).is_ok() {
            settings.push((name, String::from_utf8_lossy(text.trim_ascii_end()).into_owned()));
        }
    }
    settings
}

/// Writes a file.
pub(super) fn write(kernel: &mut Kernel, write: &Write<'_>) -> Step<()> {
    let Some(row) = row(write.row) else { return Err(Errno::ENODEV.into()) };
    let release = kernel.cgroups.release;
    match row.kind {
        Kind::WrittenSince(since, ..) if release < since => Err(Errno::EINVAL.into()),
        Kind::Control(_, store)
        | Kind::Command(store)
        | Kind::Acting(_, store)
        | Kind::WrittenSince(_, _, store) => store(kernel, write),
        Kind::Stored(setting) => setting::store(kernel, write, setting),
        Kind::Derived(_) | Kind::Fixed(_) => Err(Errno::EINVAL.into()),
        Kind::Unmodelled => Err(Failure::NotModelled(row.name).into()),
    }
}

/// How often a file has changed, of those that say so.
pub(super) fn changes(cgroups: &Cgroups, group: CgroupKey, id: RowId) -> u64 {
    let (Some(record), Some(row)) = (cgroups.table.get(group), row(id.row)) else { return 0 };
    match row.name {
        "cgroup.events" => record.events,
        "pids.events" => pids_changes(cgroups, record),
        "memory.events" => memory_events::changes(record, |memory| &memory.all),
        "memory.events.local" => memory_events::changes(record, |memory| &memory.local),
        "cpuset.cpus.partition" => record.cpuset.as_ref().map_or(0, |cpuset| cpuset.changes()),
        "pids.events.local" => record.pids.as_ref().map_or(0, Pids::local_events),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::family::{FAMILIES, V1_COUNT, V2_COUNT};
    use super::{Class, V2, v1};
    use crate::profile::Release;

    #[test]
    fn every_row_is_found_by_its_name_and_no_name_stands_twice() {
        let mut all = 0;
        for family in &FAMILIES {
            let mut names = BTreeSet::new();
            for (index, row) in family.all() {
                assert!(names.insert(row.name), "{} stands twice", row.name);
                let found = family.named(row.name.as_bytes()).map(|(found, _)| found);
                assert_eq!(found, Some(index), "{}", row.name);
                assert_eq!(super::row(index).map(|row| row.name), Some(row.name));
            }
            all += names.len();
            for name in [
                "",
                "a",
                "cgroup",
                "cgroup.proc",
                "cgroup.procs2",
                "memory.events.locaX",
                "12345678",
            ] {
                assert!(family.named(name.as_bytes()).is_none(), "{name}");
            }
        }
        assert_eq!(all, V1_COUNT + V2_COUNT);
    }

    #[test]
    fn every_row_is_named_after_its_controller() {
        for (tables, name) in [
            (&V2[..], standin::Controller::name as fn(_) -> _),
            (&v1::TABLES[..], standin::Controller::v1_name),
        ] {
            for row in tables.iter().copied().flatten() {
                if let Class::Of(controller) = row.class {
                    let is_named = row.name.starts_with(&format!("{}.", name(controller)));
                    assert!(is_named || row.name == "cgroup.event_control", "{}", row.name);
                }
                let fits = |release| row.fits(release, true) || row.fits(release, false);
                assert!(Release::ALL.into_iter().any(fits), "{}", row.name);
            }
        }
    }
}
