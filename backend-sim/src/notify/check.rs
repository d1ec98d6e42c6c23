//! What of watches the machine does not know, found before anything changes.

use standin::Failure;
use standin::backend::FileKind;

use super::name::{holds_ambiguous, in_watched, is_ambiguous};
use crate::fs::tree::is_shown_at_first;
use crate::fs::{Mount, MountKey, Node, Spot, TmpKey, kind};
use crate::kernel::Kernel;

/// Whether it is known what is told when something is done with a file.
///
/// # Errors
/// `NotModelled`: it has several names, one of them in a watched directory, and which one was used is not remembered.
pub(crate) fn vet(kernel: &Kernel, node: Node) -> Result<(), Failure> {
    match node {
        Node::Tmp(key) if !kernel.vfs.notify.is_empty() && is_ambiguous(&kernel.vfs, key) => {
            Err(Failure::NotModelled("the watched name of a file that has several"))
        }
        Node::Tmp(_) | Node::Cgroup(_) | Node::Control(..) | Node::Proc(_) => Ok(()),
    }
}

/// The same of another name for a file, in a directory: open files would not know by which name they were opened.
pub(crate) fn vet_link(kernel: &Kernel, key: TmpKey, directory: TmpKey) -> Result<(), Failure> {
    let notify = &kernel.vfs.notify;
    let is_seen = notify.directories.contains(&directory) || in_watched(&kernel.vfs, key).is_some();
    if !notify.is_empty() && kernel.vfs.tmp.at(key).users > 0 && is_seen {
        return Err(Failure::NotModelled("another name for an open file in a watched directory"));
    }
    Ok(())
}

/// Whether it is known what a watch of this file is told.
pub(super) fn vet_watch(kernel: &Kernel, spot: Spot) -> Result<(), Failure> {
    match spot.node {
        Node::Tmp(key) if holds_ambiguous(&kernel.vfs, key) => {
            Err(Failure::NotModelled("a watch of a directory with an open file of several names"))
        }
        Node::Proc(_) if kind(kernel, spot.node) == FileKind::Dir => {
            Err(Failure::NotModelled("a watch of a directory of /proc"))
        }
        Node::Cgroup(_) | Node::Control(..)
            if kernel.vfs.mounts.iter().any(|(_, mount)| is_view(kernel, mount)) =>
        {
            Err(Failure::NotModelled("a watch of a group beside a mount of a namespace's groups"))
        }
        Node::Cgroup(_) | Node::Control(..) if !is_shown_at_first(kernel, spot.mount, &[]) => {
            Err(Failure::NotModelled("a watch of a hierarchy that only a namespace shows"))
        }
        Node::Tmp(_) | Node::Cgroup(_) | Node::Control(..) | Node::Proc(_) => Ok(()),
    }
}

/// Whether a mount shows a part of a hierarchy: its files are not those that other mounts show.
fn is_view(kernel: &Kernel, mount: &Mount) -> bool {
    match mount.root {
        Node::Cgroup(group) => kernel.cgroups.table.at(group).parent.is_some(),
        Node::Tmp(_) | Node::Control(..) | Node::Proc(_) => false,
    }
}

/// The same of a mount that shows a part of a hierarchy, while groups are watched.
pub(crate) fn vet_mount(kernel: &Kernel, root: Node) -> Result<(), Failure> {
    let Node::Cgroup(group) = root else { return Ok(()) };
    if kernel.vfs.notify.on_groups > 0 && kernel.cgroups.table.at(group).parent.is_some() {
        return Err(Failure::NotModelled("a mount of a namespace's groups beside watches"));
    }
    Ok(())
}

/// Whether it is known what the watches of a filesystem are told when mounts of it go.
pub(crate) fn vet_umount(
    kernel: &Kernel,
    mount: MountKey,
    leaving: &[MountKey],
) -> Result<(), Failure> {
    let is_watched = matches!(kernel.vfs.mounts.at(mount).root, Node::Cgroup(_))
        && kernel.vfs.notify.on_groups > 0;
    if is_watched && !is_shown_at_first(kernel, mount, leaving) {
        return Err(Failure::NotModelled("umount of a hierarchy beside watches of groups"));
    }
    Ok(())
}
