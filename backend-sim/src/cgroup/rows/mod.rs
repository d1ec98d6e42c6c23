//! The table of control files: one row a file, by controller. A row says where and since when the file exists, who may do
//! what with it, and what reading and writing it does; how is in the file of its subject.
//!
//! Facts: cgroup-v2.rst, and the directories of recorded kernels (6.1 and 6.12 as Debian builds them, a 6.18 host).

mod core;
mod cpu;
mod cpuset;
mod device;
mod hugetlb;
mod io;
mod memory;
mod pids;
mod pressure;

use standin::id::Mode;
use standin::{Controller, Errno, Failure};

use super::memory_events;
use super::setting::{self, Setting};
use super::{CgroupKey, Cgroups, Pids, RowId};
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
    pub(super) kind: Kind,
    /// Bytes of the longest text that it takes.
    pub(super) longest: usize,
}

/// What a file takes unless its row says otherwise.
const PAGE: usize = 4096;

/// With what a file comes and goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

/// The tables by controller, in the order of the files' rows.
const TABLES: [&[Row]; 9] = [
    core::ROWS,
    pressure::ROWS,
    cpuset::ROWS,
    cpu::ROWS,
    io::ROWS,
    memory::ROWS,
    hugetlb::ROWS,
    pids::ROWS,
    device::ROWS,
];

const fn count() -> usize {
    let mut rows = 0;
    let mut rest: &[&[Row]] = &TABLES;
    while let [first, behind @ ..] = rest {
        rows += first.len();
        rest = behind;
    }
    rows
}

const COUNT: usize = count();

/// Inode numbers that a group and its files take: the directory's own, which is the group's id, and one a row.
pub(super) const IDS_PER_GROUP: u64 = COUNT as u64 + 1;

static ROWS: [&Row; COUNT] = flatten();

#[expect(
    clippy::indexing_slicing,
    reason = "evaluated when this is compiled: a wrong index is an error then"
)]
const fn flatten() -> [&'static Row; COUNT] {
    let first: &'static [Row] = TABLES[0];
    let mut rows = [&first[0]; COUNT];
    let (mut table, mut at) = (0, 0);
    while table < TABLES.len() {
        let part: &'static [Row] = TABLES[table];
        let mut index = 0;
        while index < part.len() {
            rows[at] = &part[index];
            at += 1;
            index += 1;
        }
        table += 1;
    }
    rows
}

/// Places of the name table: a power of two, more than twice the rows.
const PLACES: usize = 256;

/// No row.
const NONE: u8 = u8::MAX;

/// Rows by the hash of their name; a row whose place is taken stands in the next free one.
static BY_NAME: [u8; PLACES] = by_name();

#[expect(
    clippy::indexing_slicing,
    reason = "evaluated when this is compiled: a wrong index is an error then"
)]
#[expect(clippy::cast_possible_truncation, reason = "the assertion says that it fits")]
const fn by_name() -> [u8; PLACES] {
    assert!(COUNT < NONE as usize && COUNT * 2 < PLACES);
    let rows = flatten();
    let mut places = [NONE; PLACES];
    let mut row = 0;
    while row < COUNT {
        let mut place = hash(rows[row].name.as_bytes());
        while places[place] != NONE {
            place = (place + 1) % PLACES;
        }
        places[place] = row as u8;
        row += 1;
    }
    places
}

/// A place of the name table: by length, first and last bytes.
const fn hash(name: &[u8]) -> usize {
    let (first, last) = match (name.first_chunk::<8>(), name.last_chunk::<8>()) {
        (Some(first), Some(last)) => (u64::from_le_bytes(*first), u64::from_le_bytes(*last)),
        _ => match (name.first_chunk::<4>(), name.last_chunk::<4>()) {
            (Some(first), Some(last)) => {
                (u32::from_le_bytes(*first) as u64, u32::from_le_bytes(*last) as u64)
            }
            _ => (0, 0),
        },
    };
    let mixed = (first ^ last.rotate_left(23))
        .wrapping_add(name.len() as u64)
        .wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 56) as usize
}

fn row(index: u16) -> Option<&'static Row> {
    ROWS.get(usize::from(index)).copied()
}

/// The row with this name, in whatever kernel.
fn named(name: &[u8]) -> Option<(u16, &'static Row)> {
    let mut place = hash(name);
    loop {
        let index = u16::from(*BY_NAME.get(place)?);
        if index == u16::from(NONE) {
            return None;
        }
        let row = row(index)?;
        if row.name.as_bytes() == name {
            return Some((index, row));
        }
        place = (place + 1) % PLACES;
    }
}

impl Row {
    const fn new(name: &'static str, class: Class, kind: Kind) -> Self {
        Self { name, class, place: Place::Everywhere, since: Release::V6_1, kind, longest: PAGE }
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
        Mode::new(match self.kind {
            Kind::Derived(_) | Kind::Fixed(_) => 0o444,
            Kind::WrittenSince(since, ..) if release < since => 0o444,
            Kind::Control(..)
            | Kind::Stored(_)
            | Kind::Acting(..)
            | Kind::WrittenSince(..)
            | Kind::Unmodelled => 0o644,
            Kind::Command(_) => 0o200,
        })
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
    let (index, row) = named(name)?;
    let record = cgroups.table.at(group);
    if !row.fits(cgroups.release, record.parent.is_none()) || !shows(cgroups, group, row.class) {
        return None;
    }
    Some(RowId { row: index, incarnation: record.incarnation(row.class) })
}

/// Whether a group has a file of this name that does not show.
pub(super) fn is_hidden(cgroups: &Cgroups, group: CgroupKey, name: &[u8]) -> bool {
    named(name).is_some_and(|(_, row)| {
        let on_root = cgroups.table.at(group).parent.is_none();
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

/// Every file that shows in a group.
pub(super) fn list(
    cgroups: &Cgroups,
    group: CgroupKey,
) -> impl Iterator<Item = (u16, &'static Row)> {
    let record = cgroups.table.at(group);
    let (on_root, release, pressure) = (record.parent.is_none(), cgroups.release, record.pressure);
    let enabled = cgroups.enabled(group);
    (0..).zip(ROWS.iter().copied()).filter(move |(_, row)| {
        let shown = match row.class {
            Class::Core => true,
            Class::Pressure => pressure,
            Class::Of(controller) => enabled.contains(controller),
        };
        shown && row.fits(release, on_root)
    })
}

/// The name of a file of a controller, wherever that controller is enabled below the root.
pub(super) fn names_of(
    release: Release,
    controller: Controller,
) -> impl Iterator<Item = &'static str> {
    let rows = ROWS
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

/// Whether a setting is one of this controller's.
pub(super) fn belongs(index: u16, controller: Controller) -> bool {
    row(index).is_some_and(|row| row.class == Class::Of(controller))
}

/// The setting of a row.
pub(super) fn setting_of(index: u16) -> Option<&'static Setting> {
    row(index)?.setting()
}

/// A setting and its row.
pub(super) fn setting_named(name: &[u8]) -> Option<(u16, &'static Setting)> {
    let (index, row) = named(name)?;
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
        "pids.events" => record.pids.as_ref().map_or(0, |pids| pids.events(cgroups.release)),
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

    use super::{COUNT, Class, ROWS, TABLES, named};
    use crate::profile::Release;

    #[test]
    fn every_row_is_found_by_its_name_and_no_name_stands_twice() {
        let mut names = BTreeSet::new();
        for (index, row) in (0..).zip(ROWS.iter()) {
            assert!(names.insert(row.name), "{} stands twice", row.name);
            assert_eq!(
                named(row.name.as_bytes()).map(|(found, _)| found),
                Some(index),
                "{}",
                row.name
            );
        }
        assert_eq!(names.len(), COUNT);
        for name in
            ["", "a", "cgroup", "cgroup.proc", "cgroup.procs2", "memory.events.locaX", "12345678"]
        {
            assert!(named(name.as_bytes()).is_none(), "{name}");
        }
    }

    #[test]
    fn every_row_is_named_after_its_controller() {
        for row in TABLES.into_iter().flatten() {
            if let Class::Of(controller) = row.class {
                assert!(row.name.starts_with(&format!("{controller}.")), "{}", row.name);
            }
            assert!(
                row.fits(Release::V6_18, true) || row.fits(Release::V6_18, false),
                "{}",
                row.name
            );
        }
    }
}
