//! Who may do what with a file: permission bits, owners and the capabilities that stand above them (path_resolution(7),
//! capabilities(7)).

use standin::backend::{Access, AccessMode, FileKind, MountFlags};
use standin::{Capability, Errno, Gid};

use super::proc::sysctl;
use super::{Attributes, MountKey, Node, Spot, attributes_of, device, kind, proc};
use crate::kernel::Kernel;
use crate::task::{Credentials, Rights, ThreadKey};

pub(crate) const SET_USER_ID: u16 = 0o4000;
pub(crate) const SET_GROUP_ID: u16 = 0o2000;
pub(crate) const STICKY: u16 = 0o1000;
const GROUP_EXECUTE: u16 = 0o010;
const ANY_EXECUTE: u16 = 0o111;

/// What an access mode asks of a file's permission bits.
pub(crate) const fn asked(access: AccessMode) -> Access {
    match access {
        AccessMode::Read => Access::READ,
        AccessMode::Write => Access::WRITE,
        AccessMode::ReadWrite => Access::READ.union(Access::WRITE),
        AccessMode::Path => Access::empty(),
    }
}

/// Whether the permission bits or a capability allow it.
pub(crate) fn allows(rights: Rights<'_>, file: &Attributes, access: Access) -> bool {
    let asked = u16::try_from(access.bits() & 7).unwrap_or(7);
    let mode = file.mode.bits();
    let granted = if rights.user == file.owner {
        mode >> 6
    } else if rights.in_group(file.group) {
        mode >> 3
    } else {
        mode
    };
    if asked & !granted == 0 {
        return true;
    }
    let able = |capability| rights.capable_over(file, capability);
    if file.kind == FileKind::Dir {
        return (!access.contains(Access::WRITE) && able(Capability::DAC_READ_SEARCH))
            || able(Capability::DAC_OVERRIDE);
    }
    (access == Access::READ && able(Capability::DAC_READ_SEARCH))
        || ((!access.contains(Access::EXECUTE) || mode & ANY_EXECUTE != 0)
            && able(Capability::DAC_OVERRIDE))
}

/// EACCES unless the caller may use the file so; EROFS and EPERM where nobody may write, EPERM of a device that its group denies.
pub(crate) fn check(
    kernel: &Kernel,
    caller: ThreadKey,
    spot: Spot,
    access: Access,
) -> Result<(), Errno> {
    check_file(kernel, caller, spot, access)?;
    device::check(kernel, caller, spot.node, access)
}

fn check_file(kernel: &Kernel, caller: ThreadKey, spot: Spot, access: Access) -> Result<(), Errno> {
    if access.contains(Access::WRITE) {
        if kernel.vfs.mounts.at(spot.mount).read_only {
            return Err(Errno::EROFS);
        }
        if is_immutable(spot.node) {
            return Err(Errno::EPERM);
        }
    }
    let credentials = kernel.credentials(caller);
    if let Node::Proc(node) = spot.node {
        proc::check_entered(kernel, caller, spot.mount, node)?;
        if access.contains(Access::EXECUTE) {
            proc::check_search(kernel, caller, node)?;
        }
    }
    if let Node::Proc(node) = spot.node
        && let Some(mode) = proc::mode_of_setting(node)
    {
        let meant = (proc::setting(node), &sysctl::Meant::of(kernel, caller));
        let allows = sysctl::allows(kernel, caller, meant, mode, access);
        return if allows { Ok(()) } else { Err(Errno::EACCES) };
    }
    // The usual case: bits that no answer depends on are not looked up.
    if credentials.capable(Capability::DAC_OVERRIDE)
        && (!access.contains(Access::EXECUTE) || kind(kernel, spot.node) == FileKind::Dir)
    {
        return Ok(());
    }
    check_bits(kernel, caller, spot.node, access)
}

/// What a node's bits say, and what is a process's own whatever they say.
fn check_bits(kernel: &Kernel, caller: ThreadKey, node: Node, access: Access) -> Result<(), Errno> {
    let file = attributes_of(kernel, caller, node);
    let is_own = || matches!(node, Node::Proc(node) if proc::is_own(kernel, caller, node));
    let allows = allows(kernel.rights(caller), &file, access) || is_own();
    if allows { Ok(()) } else { Err(Errno::EACCES) }
}

/// Whether every directory may be searched, whatever its permission bits.
pub(crate) const fn searches_everywhere(credentials: &Credentials) -> bool {
    credentials.capable(Capability::DAC_OVERRIDE)
        || credentials.capable(Capability::DAC_READ_SEARCH)
}

/// Whether a directory may be searched for a name, by who may not search everywhere.
pub(crate) fn check_search(
    kernel: &Kernel,
    caller: ThreadKey,
    directory: Spot,
) -> Result<(), Errno> {
    check_bits(kernel, caller, directory.node, Access::EXECUTE)
}

/// Whether names may be made and removed in a directory.
pub(crate) fn check_change(
    kernel: &Kernel,
    caller: ThreadKey,
    directory: Spot,
) -> Result<(), Errno> {
    check(kernel, caller, directory, Access::WRITE | Access::EXECUTE)
}

/// Whether a name may be made in a directory: EOVERFLOW if the caller is nobody in the user namespace that the filesystem was mounted
/// in.
pub(crate) fn check_creation(
    kernel: &Kernel,
    caller: ThreadKey,
    directory: Spot,
) -> Result<(), Errno> {
    if let Some(owner) = kernel.vfs.mounts.at(directory.mount).owner {
        let own = kernel.credentials(caller);
        let owner = kernel.namespaces.user(Some(owner));
        if !owner.maps(own.user.filesystem, own.group.filesystem) {
            return Err(Errno::EOVERFLOW);
        }
    }
    check_change(kernel, caller, directory)
}

/// Whether a name may be removed from a directory: EACCES, EPERM (sticky), ENOTDIR or EISDIR, in this order.
pub(crate) fn check_removal(
    kernel: &Kernel,
    caller: ThreadKey,
    directory: Spot,
    victim: Node,
    as_directory: AsDirectory,
) -> Result<(), Errno> {
    check_change(kernel, caller, directory)?;
    let credentials = kernel.credentials(caller);
    if !credentials.capable(Capability::FOWNER) {
        let above = attributes_of(kernel, caller, directory.node);
        let own = credentials.user.filesystem;
        if above.mode.bits() & STICKY != 0 && own != above.owner {
            let file = attributes_of(kernel, caller, victim);
            if own != file.owner && !kernel.rights(caller).capable_over(&file, Capability::FOWNER) {
                return Err(Errno::EPERM);
            }
        }
    }
    match (as_directory, kind(kernel, victim) == FileKind::Dir) {
        (AsDirectory::Yes, false) => Err(Errno::ENOTDIR),
        (AsDirectory::No, true) => Err(Errno::EISDIR),
        (AsDirectory::Yes, true) | (AsDirectory::No, false) => Ok(()),
    }
}

/// Whether a name is removed as that of a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AsDirectory {
    Yes,
    No,
}

/// Whether nobody may change it, root included: a process's directory in /proc.
pub(crate) fn is_immutable(node: Node) -> bool {
    match node {
        Node::Proc(node) => proc::is_immutable(node),
        Node::Tmp(_) | Node::Cgroup(_) | Node::Control(..) => false,
    }
}

/// EROFS if nothing may be changed through this mount.
pub(crate) fn check_writable(kernel: &Kernel, mount: MountKey) -> Result<(), Errno> {
    let mount = kernel.vfs.mounts.at(mount);
    if mount.read_only || mount.flags.contains(MountFlags::READ_ONLY) {
        Err(Errno::EROFS)
    } else {
        Ok(())
    }
}

/// Whether the file is the caller's, or might as well be.
pub(crate) fn owns(rights: Rights<'_>, file: &Attributes) -> bool {
    rights.user == file.owner || rights.capable_over_owner(file, Capability::FOWNER)
}

/// Whether the set-group-id bit may be given to a file that is of this group, or about to be.
pub(crate) fn may_set_group_id(rights: Rights<'_>, file: &Attributes, group: Gid) -> bool {
    rights.in_group(group) || rights.capable_over(file, Capability::FSETID)
}

/// The bits that a change of owner or content takes from a file that is no directory; none if it has neither.
pub(crate) fn lost_privileges(rights: Rights<'_>, file: &Attributes) -> u16 {
    let mode = file.mode.bits();
    let group_goes = mode & GROUP_EXECUTE != 0 || !may_set_group_id(rights, file, file.group);
    mode & if group_goes { SET_USER_ID | SET_GROUP_ID } else { SET_USER_ID }
}

/// Whether a set-id program stands here, as far as hard links are concerned (proc(5), protected_hardlinks).
pub(crate) const fn is_set_id_program(mode: u16) -> bool {
    mode & SET_USER_ID != 0 || mode & (SET_GROUP_ID | GROUP_EXECUTE) == SET_GROUP_ID | GROUP_EXECUTE
}
