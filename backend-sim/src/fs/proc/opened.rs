//! The namespace that a file of /proc is of as long as it is open, whatever its process and who reads it do since: that of an id
//! map, of a list of mounts, of a setting.
//!
//! Id maps and lists of mounts keep their namespace; a setting's ends nevertheless, and the setting with it (recorded).
//! Neighbours: `fs::open`, which asks once, and `fs::descriptors`, which lets it go.

use super::row::Content;
use super::{ProcNode, lists_mounts, sysctl};
use crate::fs::{FileKey, OpenKind};
use crate::kernel::Kernel;
use crate::namespace::{self, Held};
use crate::task::ThreadKey;

/// The namespace that a file is of which somebody opens now.
pub(crate) fn namespace(kernel: &Kernel, caller: ThreadKey, node: ProcNode) -> Option<Held> {
    if let ProcNode::Setting(id) = node {
        return sysctl::namespace(kernel, caller, id);
    }
    let thread = node.thread()?;
    if lists_mounts(node) {
        Some(Held::Mount(namespace::of(kernel, thread).mount))
    } else if matches!(node.content(), Content::IdMap(_) | Content::Setgroups) {
        Some(Held::User(kernel.tasks.threads.get(thread)?.credentials.namespace))
    } else {
        None
    }
}

/// Whether an open file keeps its namespace.
const fn keeps(held: Held) -> bool {
    matches!(held, Held::User(_) | Held::Mount(_) | Held::Pid(_))
}

/// The file is open.
pub(crate) fn keep(kernel: &mut Kernel, held: Option<Held>) {
    if let Some(held) = held.filter(|held| keeps(*held)) {
        kernel.namespaces.keep(held);
    }
}

/// It was closed.
pub(crate) fn let_go(kernel: &mut Kernel, held: Option<Held>) {
    if let Some(held) = held.filter(|held| keeps(*held)) {
        namespace::release(kernel, held);
    }
}

/// The namespace that an open file keeps.
pub(crate) fn kept_by(kernel: &Kernel, file: FileKey) -> Option<Held> {
    namespace_of(kernel, file).filter(|held| keeps(*held))
}

/// The namespace that an open file is of.
pub(super) fn namespace_of(kernel: &Kernel, file: FileKey) -> Option<Held> {
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
