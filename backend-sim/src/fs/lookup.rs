//! One step of a path: the node behind a name in a directory, and what is mounted over it.

use standin::Errno;
use standin::backend::FilesystemType;

use super::{MountKey, Node, Spot, is_dead, proc, tmpfs};
use crate::cgroup::filesystem;
use crate::kernel::Kernel;
use crate::task::ThreadKey;

/// The node with this name in a directory. ENOENT in /proc, which never says "free"; ENAMETOOLONG in a tmpfs.
pub(crate) fn look_up(
    kernel: &Kernel,
    caller: ThreadKey,
    directory: Spot,
    name: &[u8],
) -> Result<Option<Node>, Errno> {
    match directory.node {
        Node::Tmp(key) => {
            let found = kernel.vfs.tmp.at(key).names().and_then(|names| names.get(name));
            if found.is_none() && is_dead(kernel, directory.node) {
                return Err(Errno::ENOENT);
            }
            let long = name.len() > tmpfs::NAME_LENGTH;
            if long && kernel.vfs.mounts.at(directory.mount).kind == FilesystemType::TMPFS {
                return Err(Errno::ENAMETOOLONG);
            }
            Ok(found.map(Node::Tmp))
        }
        Node::Cgroup(group) => {
            if !filesystem::alive(kernel, directory.node) {
                return Err(Errno::ENOENT);
            }
            Ok(filesystem::lookup(kernel, group, name))
        }
        Node::Proc(node) => match proc::lookup(kernel, caller, node, name) {
            Some(found) => Ok(Some(found)),
            None => Err(Errno::ENOENT),
        },
        Node::Control(..) => Err(Errno::ENOTDIR),
    }
}

/// Up through mounts that cover a spot, to the one on top.
pub(crate) fn uncovered(kernel: &Kernel, spot: Spot) -> Spot {
    let mut spot = spot;
    while let Some(key) = cover(kernel, spot) {
        spot = Spot { mount: key, node: kernel.vfs.mounts.at(key).root };
    }
    spot
}

/// The mount that covers a spot.
pub(crate) fn cover(kernel: &Kernel, spot: Spot) -> Option<MountKey> {
    let covered = match spot.node {
        Node::Tmp(key) => kernel.vfs.tmp.at(key).covered > 0,
        Node::Cgroup(_) | Node::Control(..) | Node::Proc(_) => kernel.vfs.unmarked_covers > 0,
    };
    if covered { kernel.vfs.covers.get(&spot).copied() } else { None }
}
