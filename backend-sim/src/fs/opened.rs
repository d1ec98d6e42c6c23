//! The namespace that a file is of as long as it is open, whatever its process and who uses it do since: that of an id map of
//! /proc, of a list of mounts, of a setting; and the cgroup namespace of who opened a control file, if it is not the first one.
//!
//! A setting ends with its namespace; the others keep theirs (recorded). Neighbours: `fs::open`, which asks once, and
//! `fs::descriptors`, which lets it go.

use super::{FileKey, Node, OpenKind, proc};
use crate::kernel::Kernel;
use crate::namespace::{self, Held};
use crate::task::ThreadKey;

/// The namespace that a file is of which somebody opens now.
pub(super) fn namespace(kernel: &Kernel, caller: ThreadKey, node: Node) -> Option<Held> {
    match node {
        Node::Proc(node) => proc::namespace(kernel, caller, node),
        Node::Control(..) if !namespace::cgroup::is_first(kernel, caller) => {
            Some(Held::Cgroup(namespace::of(kernel, caller).cgroup))
        }
        Node::Control(..) | Node::Tmp(_) | Node::Cgroup(_) => None,
    }
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
