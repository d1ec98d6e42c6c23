//! What is there before a case begins, by layout: where the groups of a case may be, and what they may be called.
//!
//! The names are few, so that operations meet. A neighbour of `belief`, which says which of them are there at a moment.

use crate::profile::Layout;

/// Places of groups: the roots of both versions, then six that a case makes and removes.
pub(super) const GROUPS: usize = 8;
/// The v2 root.
pub(super) const ROOT_V2: usize = 0;
/// The v1 root: of the hierarchy of `pids`, which every kernel has.
pub(super) const ROOT_V1: usize = 1;

/// A place that a group may have.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) path: &'static str,
    /// The place of its parent; its own, if it is a root.
    pub(super) parent: usize,
    pub(super) is_v1: bool,
}

const fn v2(path: &'static str, parent: usize) -> Place {
    Place { path, parent, is_v1: false }
}

const fn v1(path: &'static str, parent: usize) -> Place {
    Place { path, parent, is_v1: true }
}

const UNIFIED: [Place; GROUPS] = [
    v2("/sys/fs/cgroup", ROOT_V2),
    v1("", ROOT_V1),
    v2("/sys/fs/cgroup/a", ROOT_V2),
    v2("/sys/fs/cgroup/a/b", 2),
    v2("/sys/fs/cgroup/a/b/c", 3),
    v2("/sys/fs/cgroup/d", ROOT_V2),
    v2("/sys/fs/cgroup/d/e", 5),
    v2("/sys/fs/cgroup/f", ROOT_V2),
];

const LEGACY: [Place; GROUPS] = [
    v2("", ROOT_V2),
    v1("/sys/fs/cgroup/pids", ROOT_V1),
    v1("/sys/fs/cgroup/pids/a", ROOT_V1),
    v1("/sys/fs/cgroup/pids/a/b", 2),
    v1("/sys/fs/cgroup/pids/a/b/c", 3),
    v1("/sys/fs/cgroup/pids/d", ROOT_V1),
    v1("/sys/fs/cgroup/pids/d/e", 5),
    v1("/sys/fs/cgroup/pids/f", ROOT_V1),
];

const HYBRID: [Place; GROUPS] = [
    v2("/sys/fs/cgroup/unified", ROOT_V2),
    v1("/sys/fs/cgroup/pids", ROOT_V1),
    v2("/sys/fs/cgroup/unified/a", ROOT_V2),
    v2("/sys/fs/cgroup/unified/a/b", 2),
    v2("/sys/fs/cgroup/unified/a/b/c", 3),
    v1("/sys/fs/cgroup/pids/d", ROOT_V1),
    v1("/sys/fs/cgroup/pids/d/e", 5),
    v1("/sys/fs/cgroup/pids/f", ROOT_V1),
];

/// The places of groups in a layout.
pub(super) const fn places(layout: Layout) -> &'static [Place; GROUPS] {
    match layout {
        Layout::Unified => &UNIFIED,
        Layout::Legacy => &LEGACY,
        Layout::Hybrid => &HYBRID,
    }
}

/// Names of files, directories and links of a case, on the tmpfs at /mnt.
pub(super) const NODES: [&str; 6] = ["/mnt/a", "/mnt/b", "/mnt/c", "/mnt/d", "/mnt/e", "/mnt/f"];

/// The actors of a case; the first is there from the start.
pub(super) const ROLES: usize = 6;
/// Their labels.
pub(super) const LABELS: [&str; ROLES] = ["init", "p", "q", "r", "s", "t"];

/// Labels of descriptors that a process keeps.
pub(super) const DESCRIPTORS: [&str; 4] = ["f", "g", "h", "i"];

/// Abstract names of sockets.
pub(super) const SOCKETS: [&str; 4] = ["k", "l", "m", "n"];
