//! Under which name a directory knows a file.
//!
//! Open files remember no name: it is looked for in the directories that are watched. A file that is open and has lost its
//! last name is still known by that one.

use crate::cgroup::filesystem;
use crate::fs::{Node, TmpKey, Vfs, tmpfs};
use crate::kernel::Kernel;

/// A name in a directory.
#[derive(Clone)]
pub(super) struct Known {
    pub(super) directory: Node,
    pub(super) name: Box<[u8]>,
}

/// The name of a file in a watched directory.
pub(super) fn of(kernel: &Kernel, node: Node) -> Option<Known> {
    match node {
        Node::Tmp(key) => {
            let (directory, name) = in_watched(&kernel.vfs, key)
                .or_else(|| kernel.vfs.notify.lost.get(&key).cloned())?;
            Some(Known { directory: Node::Tmp(directory), name })
        }
        Node::Cgroup(group) => {
            let record = kernel.cgroups.table.at(group);
            Some(Known { directory: Node::Cgroup(record.parent?), name: record.name.clone() })
        }
        Node::Control(group, _) => {
            let name = filesystem::name_of(node)?.as_bytes().into();
            Some(Known { directory: Node::Cgroup(group), name })
        }
        // No directory of /proc is watched.
        Node::Proc(_) => None,
    }
}

/// The watched directory that a node stands in, and its name there.
pub(super) fn in_watched(vfs: &Vfs, key: TmpKey) -> Option<(TmpKey, Box<[u8]>)> {
    vfs.notify.directories.iter().find_map(|directory| {
        let names = vfs.tmp.at(*directory).names()?;
        names.name_of(key).map(|name| (*directory, name.into()))
    })
}

/// A node has lost its last name, and is open.
pub(crate) fn lost(vfs: &mut Vfs, key: TmpKey, directory: TmpKey, name: &[u8]) {
    vfs.notify.lost.insert(key, (directory, name.into()));
}

/// The last name of a node that is open and has none any more, and the directory that it was in.
pub(crate) fn last(vfs: &Vfs, key: TmpKey) -> Option<(TmpKey, &[u8])> {
    let (directory, name) = vfs.notify.lost.get(&key)?;
    vfs.tmp.get(*directory)?;
    Some((*directory, name))
}

/// Whether a node is known by several names, of which one at least is in a watched directory.
pub(super) fn is_ambiguous(vfs: &Vfs, key: TmpKey) -> bool {
    let node = vfs.tmp.at(key);
    node.links > 1
        && node.kind() != standin::backend::FileKind::Dir
        && in_watched(vfs, key).is_some()
}

/// Whether a directory holds an open file that has several names.
pub(super) fn holds_ambiguous(vfs: &Vfs, directory: TmpKey) -> bool {
    let names = vfs.tmp.at(directory).names().map(tmpfs::Directory::newest_first);
    names.unwrap_or_default().iter().any(|(_, key)| {
        let node = vfs.tmp.at(*key);
        node.users > 0 && node.links > 1 && node.kind() != standin::backend::FileKind::Dir
    })
}
