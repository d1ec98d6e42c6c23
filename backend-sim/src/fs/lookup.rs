//! One step of a path: the node behind a name in a directory, and what is mounted over it.

use standin::Errno;
use standin::backend::FilesystemType;

use super::{MountKey, Node, Spot, is_dead, proc, tmpfs, tree};
use crate::cgroup::{events, filesystem};
use crate::kernel::Kernel;
use crate::step::Step;
use crate::task::ThreadKey;

/// The node with this name in a directory. ENOENT in /proc, which never says "free"; ENAMETOOLONG in a tmpfs.
pub(crate) fn look_up(
    kernel: &Kernel,
    caller: ThreadKey,
    directory: Spot,
    name: &[u8],
) -> Step<Option<Node>> {
    match directory.node {
        Node::Tmp(key) => {
            let found = kernel.vfs.tmp.at(key).names().and_then(|names| names.get(name));
            if found.is_none() && is_dead(kernel, directory.node) {
                return Err(Errno::ENOENT.into());
            }
            let long = name.len() > tmpfs::NAME_LENGTH;
            if long && kernel.vfs.mounts.at(directory.mount).kind == FilesystemType::TMPFS {
                return Err(Errno::ENAMETOOLONG.into());
            }
            Ok(found.map(Node::Tmp))
        }
        Node::Cgroup(group) => {
            if !filesystem::alive(kernel, directory.node) {
                return Err(Errno::ENOENT.into());
            }
            events::look_up(&kernel.cgroups, group, name);
            Ok(filesystem::lookup(kernel, group, name))
        }
        Node::Proc(node) => proc::lookup(kernel, caller, (directory.mount, node), name).map(Some),
        Node::Control(..) => Err(Errno::ENOTDIR.into()),
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

/// Whether something is mounted on a node in the caller's namespace, through whatever mount it is reached there
/// (`is_local_mountpoint`).
pub(crate) fn is_mount_point(kernel: &Kernel, caller: ThreadKey, node: Node) -> bool {
    let covered = match node {
        Node::Tmp(key) => kernel.vfs.tmp.at(key).covered > 0,
        Node::Cgroup(_) | Node::Control(..) | Node::Proc(_) => kernel.vfs.unmarked_covers > 0,
    };
    if !covered {
        return false;
    }
    let home = tree::home(kernel, caller);
    let is_here =
        |(spot, mount): (&Spot, &MountKey)| spot.node == node && kernel.home_of(*mount) == home;
    kernel.vfs.covers.iter().any(is_here)
}
