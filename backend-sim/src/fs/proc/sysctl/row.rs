//! A row of the table of settings, and how rows are found.

use std::ops::RangeInclusive;
use std::sync::LazyLock;

use rustc_hash::FxHashMap;
use standin::backend::NamespaceKind;
use standin::id::Mode;

use super::SettingId;
use super::{files, kernel, memory, network};
use crate::namespace::uts::Which;
use crate::notify::setting::Limit;
use crate::profile::Release;

/// A file or directory below /proc/sys.
pub(super) struct Row {
    /// The directory that it is in, from /proc/sys; empty for /proc/sys itself.
    pub(super) at: &'static str,
    pub(super) name: &'static str,
    pub(super) mode: Mode,
    pub(super) setting: Setting,
    pub(super) of: Of,
    since: Release,
    until: Release,
}

/// Whose a setting is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    /// The machine's.
    Machine,
    /// The reader's network namespace's.
    Net,
    /// The machine's, and seen in the first network namespace alone.
    FirstNet,
    /// The machine's, and seen in all other network namespaces.
    OtherNets,
    /// The reader's IPC namespace's.
    Ipc,
}

/// What a setting is.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Setting {
    Directory(Names),
    Name(Which),
    System,
    Release,
    Build,
    Hardware,
    Swappiness,
    /// How many threads there may be.
    Threads,
    /// How many namespaces of a kind the caller's user namespace lets a user have (namespaces(7)).
    Limit(NamespaceKind),
    Watching(Limit),
    /// The number that a process was given last in the reader's PID namespace.
    LastNumber,
    /// One more than the highest number that a process has there.
    NumberEnd,
    /// A text that stays.
    Fixed(&'static str),
    Number(Number),
    /// A number of 64 bits without sign; the machine behaves alike whatever it is.
    Long(u64),
    /// Numbers with a tab between them; the machine behaves alike whatever they are.
    Numbers(&'static [i64]),
    /// The same, and the last of them is from 0 to this one.
    NumbersTo(&'static [i64], i64),
    /// A line of at most so many bytes; the machine behaves alike whatever it is.
    Text(&'static str, usize),
    Unmodelled,
}

/// A number of 32 bits.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Number {
    /// What it is at first.
    pub(super) first: i64,
    /// What it can be.
    pub(super) range: RangeInclusive<i64>,
    /// What it can be as far as the machine knows what follows.
    pub(super) known: RangeInclusive<i64>,
}

/// Whether all names of a directory are in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Names {
    All,
    Some,
}

impl Names {
    /// Whether what has no row is not there.
    pub(super) fn are_all(self) -> bool {
        self == Self::All
    }
}

/// All numbers of 32 bits.
pub(super) const INT: RangeInclusive<i64> = -0x8000_0000..=0x7fff_ffff;
/// Those that are not negative.
pub(super) const NATURAL: RangeInclusive<i64> = 0..=0x7fff_ffff;

const fn row(at: &'static str, name: &'static str, mode: u16, setting: Setting) -> Row {
    Row {
        at,
        name,
        mode: Mode::new(mode),
        setting,
        of: Of::Machine,
        since: Release::V6_1,
        until: Release::V6_18,
    }
}

pub(super) const fn dir(at: &'static str, name: &'static str, names: Names) -> Row {
    row(at, name, 0o555, Setting::Directory(names))
}

/// A setting that is only read.
pub(super) const fn shown(at: &'static str, name: &'static str, setting: Setting) -> Row {
    row(at, name, 0o444, setting)
}

/// A setting of its own kind.
pub(super) const fn special(at: &'static str, name: &'static str, setting: Setting) -> Row {
    row(at, name, 0o644, setting)
}

/// A number that changes nothing that the machine does.
pub(super) const fn number(
    at: &'static str,
    name: &'static str,
    first: i64,
    range: RangeInclusive<i64>,
) -> Row {
    let known = *range.start()..=*range.end();
    special(at, name, Setting::Number(Number { first, range, known }))
}

/// A number of which the machine knows what it does as long as it is one of these.
pub(super) const fn bound(
    at: &'static str,
    name: &'static str,
    first: i64,
    range: RangeInclusive<i64>,
    known: RangeInclusive<i64>,
) -> Row {
    special(at, name, Setting::Number(Number { first, range, known }))
}

/// One that is there and is not modelled.
pub(super) const fn other(at: &'static str, name: &'static str, mode: u16) -> Row {
    row(at, name, mode, Setting::Unmodelled)
}

impl Row {
    pub(super) const fn of(self, of: Of) -> Self {
        Self { of, ..self }
    }

    pub(super) const fn mode(self, mode: u16) -> Self {
        Self { mode: Mode::new(mode), ..self }
    }

    pub(super) const fn since(self, since: Release) -> Self {
        Self { since, ..self }
    }

    pub(super) const fn until(self, until: Release) -> Self {
        Self { until, ..self }
    }

    /// Whether a kernel has it.
    pub(super) fn is_in(&self, release: Release) -> bool {
        (self.since..=self.until).contains(&release)
    }
}

/// /proc/sys itself, and what of the directories is smaller than a file of its own.
const TOP: &[Row] = &[
    dir("", "abi", Names::Some),
    dir("", "crypto", Names::Some).until(Release::V6_12),
    dir("", "debug", Names::Some),
    dir("", "dev", Names::Some),
    dir("", "fs", Names::Some),
    dir("", "kernel", Names::Some),
    dir("", "net", Names::Some),
    dir("", "user", Names::All),
    dir("", "vm", Names::Some),
    other("user", "max_fanotify_groups", 0o644),
    other("user", "max_fanotify_marks", 0o644),
    other("user", "max_inotify_instances", 0o644),
    other("user", "max_inotify_watches", 0o644),
    limit("max_cgroup_namespaces", NamespaceKind::Cgroup),
    limit("max_ipc_namespaces", NamespaceKind::Ipc),
    limit("max_mnt_namespaces", NamespaceKind::Mount),
    limit("max_net_namespaces", NamespaceKind::Net),
    limit("max_pid_namespaces", NamespaceKind::Pid),
    limit("max_time_namespaces", NamespaceKind::Time),
    limit("max_user_namespaces", NamespaceKind::User),
    limit("max_uts_namespaces", NamespaceKind::Uts),
];

const fn limit(name: &'static str, kind: NamespaceKind) -> Row {
    special("user", name, Setting::Limit(kind))
}

/// All rows.
static ROWS: LazyLock<Vec<&'static Row>> = LazyLock::new(|| {
    [TOP, kernel::ROWS, files::ROWS, memory::ROWS, network::ROWS].into_iter().flatten().collect()
});

/// The rows of a directory by name: of one name there may be several, for different readers or kernels.
type ByName = FxHashMap<&'static [u8], Vec<SettingId>>;
type Found = (FxHashMap<Option<SettingId>, ByName>, Vec<Option<SettingId>>);

/// Rows by directory and name, and the directory of each.
static FOUND: LazyLock<Found> = LazyLock::new(|| {
    let ids = || ROWS.iter().zip(0..).map(|(row, id)| (SettingId(id), *row));
    let by_path = |path: &str| {
        ids().find_map(|(id, row)| {
            let own = if row.at.is_empty() {
                row.name.to_owned()
            } else {
                format!("{}/{}", row.at, row.name)
            };
            (own == path).then_some(id)
        })
    };
    let mut found: FxHashMap<Option<SettingId>, ByName> = FxHashMap::default();
    let mut above = Vec::new();
    for (id, row) in ids() {
        let directory = by_path(row.at);
        above.push(directory);
        found.entry(directory).or_default().entry(row.name.as_bytes()).or_default().push(id);
    }
    (found, above)
});

/// The rows that have this name in a directory, of all kernels.
pub(super) fn named(above: Option<SettingId>, name: &[u8]) -> &'static [SettingId] {
    let (found, _) = &*FOUND;
    let inside = found.get(&above);
    inside.and_then(|inside| inside.get(name)).map_or(&[], Vec::as_slice)
}

/// The row of the machine with this name in the directory with this path.
pub(super) fn at(directory: &str, name: &str, release: Release) -> Option<SettingId> {
    let mut rows = ROWS.iter();
    let place =
        rows.position(|row| row.at == directory && row.name == name && row.is_in(release))?;
    Some(SettingId(u16::try_from(place).ok()?))
}

/// The names of all rows, in their order.
#[cfg(feature = "serde")]
pub(in crate::fs::proc) fn names() -> impl Iterator<Item = &'static [u8]> {
    ROWS.iter().map(|row| row.name.as_bytes())
}

/// All rows of a directory.
pub(super) fn inside(above: Option<SettingId>) -> impl Iterator<Item = SettingId> {
    let (_, directories) = &*FOUND;
    directories.iter().zip(0..).filter(move |(at, _)| **at == above).map(|(_, id)| SettingId(id))
}

impl SettingId {
    pub(super) fn row(self) -> &'static Row {
        match ROWS.get(usize::from(self.0)) {
            Some(row) => row,
            None => panic!("no row {} of /proc/sys", self.0),
        }
    }

    /// The directory that it is in; none for what is in /proc/sys itself.
    pub(in crate::fs::proc) fn above(self) -> Option<Self> {
        let (_, above) = &*FOUND;
        above.get(usize::from(self.0)).copied().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::{ROWS, Setting, SettingId, named};
    use crate::profile::Release;

    #[test]
    fn every_row_is_in_a_directory_and_is_found_by_its_name() {
        for (row, id) in ROWS.iter().zip(0..) {
            let id = SettingId(id);
            assert_eq!(id.above().is_none(), row.at.is_empty(), "{}/{}", row.at, row.name);
            assert!(
                id.above().is_none_or(|above| matches!(above.row().setting, Setting::Directory(_)))
            );
            assert!(named(id.above(), row.name.as_bytes()).contains(&id));
        }
    }

    #[test]
    fn a_kernel_has_a_setting_once_for_each_reader() {
        for (row, id) in ROWS.iter().zip(0..) {
            let others = named(SettingId(id).above(), row.name.as_bytes());
            for release in Release::ALL.into_iter().filter(|release| row.is_in(*release)) {
                let same = others.iter().map(|id| id.row());
                let same = same.filter(|other| other.is_in(release) && other.of == row.of);
                assert_eq!(same.count(), 1, "{}/{} of {release:?}", row.at, row.name);
            }
        }
    }

    #[test]
    fn what_a_number_is_at_first_is_what_it_can_be() {
        for row in ROWS.iter() {
            if let Setting::Number(number) = &row.setting {
                let is_in =
                    number.range.contains(&number.first) && number.known.contains(&number.first);
                assert!(is_in, "{}/{}", row.at, row.name);
            }
        }
    }
}
