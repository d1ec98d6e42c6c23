//! The namespace that a file is of as long as it is open, whatever its process and who uses it do since: that of an id map of
//! /proc, of a list of mounts, of a setting; and the cgroup namespace of who opened a control file, if it is not the first one.
//!
//! A setting ends with its namespace; the others keep theirs (recorded). Neighbours: `fs::open`, which asks once, and
//! `fs::descriptors`, which lets it go.

use super::{FileKey, OpenKind};
use crate::kernel::Kernel;
use crate::namespace::{self, Held};
use crate::task::ThreadKey;

/// What an open file begins with.
#[derive(Default)]
pub(super) struct Beginning {
    /// The namespace that it is of, where it is one's.
    pub(super) namespace: Option<Held>,
    /// How often what it is about had changed, where that is news to who polls it.
    pub(super) seen: Option<u64>,
}

/// The cgroup namespace that a control file is of which somebody opens now.
pub(super) fn of_group(kernel: &Kernel, caller: ThreadKey) -> Option<Held> {
    let is_first = namespace::cgroup::is_first(kernel, caller);
    (!is_first).then(|| Held::Cgroup(namespace::of(kernel, caller).cgroup))
}

/// Whether an open file keeps its namespace.
const fn keeps(held: Held) -> bool {
    matches!(held, Held::User(_) | Held::Mount(_) | Held::Pid(_) | Held::Cgroup(_))
}

/// The file is open.
pub(super) fn keep(kernel: &mut Kernel, held: Option<Held>) {
    if let Some(held) = held.filter(|held| keeps(*held)) {
        kernel.namespaces.keep(held);
    }
}

/// It was closed.
pub(super) fn let_go(kernel: &mut Kernel, held: Option<Held>) {
    if let Some(held) = held.filter(|held| keeps(*held)) {
        namespace::release(kernel, held);
    }
}

/// The namespace that an open file keeps.
pub(crate) fn kept_by(kernel: &Kernel, file: FileKey) -> Option<Held> {
    namespace_of(kernel, file).filter(|held| keeps(*held))
}

/// The namespace that an open file is of.
pub(crate) fn namespace_of(kernel: &Kernel, file: FileKey) -> Option<Held> {
    match &kernel.vfs.files.at(file).kind {
        OpenKind::Node(served) => served.of,
        OpenKind::Process(..)
        | OpenKind::Namespace(_)
        | OpenKind::Socket(_)
        | OpenKind::Watcher(_)
        | OpenKind::Pipe(..)
        | OpenKind::Counter(_) => None,
    }
}
