//! rename(2).

use standin::Errno;
use standin::backend::{Access, FileKind, FilesystemType};

use super::lookup::{is_mount_point, look_up};
use super::permission::{AsDirectory, check, check_change, check_removal, check_writable};
use super::walk::{Last, parent};
use super::{Node, Spot, kind, tmpfs, tree};
use crate::cgroup::v1;
use crate::kernel::Kernel;
use crate::notify;
use crate::ops::PlaceArg;
use crate::step::Step;
use crate::task::ThreadKey;

/// Gives a file another name, in place of what has that name.
///
/// # Errors
/// As the kernel finds them: EXDEV (two mounts), EBUSY (no plain names), EROFS, ENOENT, ENOTDIR (a slash behind what is no
/// directory), EINVAL (into itself), ENOTEMPTY (onto a directory above it), the permission of both directories, EISDIR
/// and ENOTDIR, EPERM (a filesystem without renaming), EBUSY (a mount), ENOTEMPTY.
pub(crate) fn rename(
    kernel: &mut Kernel,
    caller: ThreadKey,
    old: PlaceArg<'_>,
    new: PlaceArg<'_>,
) -> Step<()> {
    let from = parent(kernel, caller, old)?;
    let to = parent(kernel, caller, new)?;
    if from.directory.mount != to.directory.mount {
        return Err(Errno::EXDEV.into());
    }
    let (Last::Name(old_name), Last::Name(new_name)) = (from.last, to.last) else {
        return Err(Errno::EBUSY.into());
    };
    let (from, to) = (from.directory, to.directory);
    check_writable(kernel, from.mount)?;
    let source = look_up(kernel, caller, from, old_name.bytes())?.ok_or(Errno::ENOENT)?;
    let target = look_up(kernel, caller, to, new_name.bytes())?;
    let is_dir = kind(kernel, source) == FileKind::Dir;
    if !is_dir && (old_name.slash || new_name.slash) {
        return Err(Errno::ENOTDIR.into());
    }
    if from.node != to.node {
        if is_dir && is_above(kernel, source, to.node) {
            return Err(Errno::EINVAL.into());
        }
        if target.is_some_and(|target| is_above(kernel, target, from.node)) {
            return Err(Errno::ENOTEMPTY.into());
        }
    }
    if target == Some(source) {
        return Ok(());
    }
    let as_directory = if is_dir { AsDirectory::Yes } else { AsDirectory::No };
    check_removal(kernel, caller, from, source, as_directory)?;
    match target {
        Some(target) => check_removal(kernel, caller, to, target, as_directory)?,
        None => check_change(kernel, caller, to)?,
    }
    let mount = from.mount;
    if is_dir && from.node != to.node {
        check(kernel, caller, Spot { mount, node: source }, Access::WRITE)?;
    }
    for node in [Some(source), target].into_iter().flatten() {
        if is_mount_point(kernel, caller, node) {
            return Err(Errno::EBUSY.into());
        }
    }
    if let (Node::Cgroup(from), Node::Cgroup(to)) = (from.node, to.node) {
        let is_taken = target.is_some();
        v1::rename::rename(kernel, from, source, to, new_name.bytes(), is_taken)?;
        let (from, to) = (Node::Cgroup(from), Node::Cgroup(to));
        let names = ((from, old_name.bytes()), (to, new_name.bytes()));
        notify::moved(kernel, names.0, names.1, (source, None));
        return Ok(());
    }
    let (Node::Tmp(old), Node::Tmp(new)) = (from.node, to.node) else {
        return Err(Errno::EPERM.into());
    };
    if kernel.vfs.mounts.at(mount).kind != FilesystemType::TMPFS {
        return Err(Errno::EPERM.into());
    }
    if let Some(Node::Tmp(target)) = target
        && !kernel.vfs.tmp.at(target).names().is_none_or(tmpfs::Directory::is_empty)
    {
        return Err(Errno::ENOTEMPTY.into());
    }
    let now = kernel.clock.realtime();
    // What is replaced stays until all of it is told.
    let replaced = target.map(|node| Spot { mount, node });
    if let Some(replaced) = replaced {
        super::keep(kernel, replaced);
        tmpfs::remove(&mut kernel.vfs, mount, new, new_name.bytes(), now);
    }
    tmpfs::rename(&mut kernel.vfs, (old, old_name.bytes()), (new, new_name.bytes()), now);
    let names = ((from.node, old_name.bytes()), (to.node, new_name.bytes()));
    notify::moved(kernel, names.0, names.1, (source, target));
    if let Some(replaced) = replaced {
        tree::detach_from(kernel, replaced.node);
        super::let_go(kernel, replaced);
    }
    Ok(())
}

/// Whether `above` is `below` or a directory over it, within one filesystem.
fn is_above(kernel: &Kernel, above: Node, below: Node) -> bool {
    let mut at = below;
    loop {
        if at == above {
            return true;
        }
        let next = match at {
            Node::Tmp(key) => Node::Tmp(tmpfs::parent(&kernel.vfs, key)),
            Node::Cgroup(group) => {
                Node::Cgroup(kernel.cgroups.table.at(group).parent.unwrap_or(group))
            }
            Node::Control(group, _) => Node::Cgroup(group),
            Node::Proc(node) => Node::Proc(super::proc::parent(kernel, node)),
        };
        if next == at {
            return false;
        }
        at = next;
    }
}
