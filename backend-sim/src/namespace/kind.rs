//! The kinds of namespaces: how /proc names them, and the numbers of the first ones.

use standin::backend::NamespaceKind;

use crate::profile::Release;

/// A namespace of a process, as a link in /proc/PID/ns.
pub(crate) struct Kind {
    pub(crate) kind: NamespaceKind,
    /// The link's name.
    pub(crate) name: &'static [u8],
    /// What stands before the number that the link leads to.
    pub(crate) called: &'static [u8],
    /// The number of the first one (recorded).
    first: u32,
    /// The same on 6.18, which has fixed numbers for all kinds.
    first_of_6_18: u32,
}

const fn kind(kind: NamespaceKind, name: &'static [u8], called: &'static [u8], first: u32) -> Kind {
    Kind { kind, name, called, first, first_of_6_18: first }
}

impl Kind {
    const fn since_6_18(self, first_of_6_18: u32) -> Self {
        Self { first_of_6_18, ..self }
    }
}

/// Every link of /proc/PID/ns, in the kernel's order.
pub(crate) const KINDS: [Kind; 10] = [
    kind(NamespaceKind::Net, b"net", b"net", 4_026_531_840).since_6_18(4_026_531_833),
    kind(NamespaceKind::Uts, b"uts", b"uts", 4_026_531_838),
    kind(NamespaceKind::Ipc, b"ipc", b"ipc", 4_026_531_839),
    kind(NamespaceKind::Pid, b"pid", b"pid", 4_026_531_836),
    kind(NamespaceKind::PidForChildren, b"pid_for_children", b"pid", 4_026_531_836),
    kind(NamespaceKind::User, b"user", b"user", 4_026_531_837),
    kind(NamespaceKind::Mount, b"mnt", b"mnt", 4_026_531_841).since_6_18(4_026_531_832),
    kind(NamespaceKind::Cgroup, b"cgroup", b"cgroup", 4_026_531_835),
    kind(NamespaceKind::Time, b"time", b"time", 4_026_531_834),
    kind(NamespaceKind::TimeForChildren, b"time_for_children", b"time", 4_026_531_834),
];

/// The number of the first namespace of a kind.
pub(super) fn first_number(kind: NamespaceKind, release: Release) -> u32 {
    let Some(row) = KINDS.iter().find(|row| row.kind == kind) else {
        unreachable!("{kind:?} has a row")
    };
    if release >= Release::V6_18 { row.first_of_6_18 } else { row.first }
}
