//! What a file is, whose, how long, and who may do what with it: stat(2), chmod(2), chown(2), access(2), truncate(2),
//! fallocate(2), statfs(2), fsync(2).

use standin::backend::{
    Access, AccessMode, FileKind, FilesystemType, RlimitResource, Stat, WatchFlags,
};
use standin::id::{Bytes, Gid, Mode, Uid};
use standin::path::Follow;
use standin::{Capability, Errno, Failure, Signal};

use super::permission::{
    SET_GROUP_ID, check, check_writable, is_immutable, lost_privileges, may_set_group_id, owns,
};
use super::transfer::FILE_LENGTH;
use super::walk::{Object, forbids_programs, object};
use super::{
    AttributeChange, Attributes, FileKey, MountKey, Node, OpenKind, Spot, TmpKey, attributes_of,
    descriptors, kind, proc, process_of, tmpfs,
};
use crate::cgroup::filesystem;
use crate::cgroup::v1::memory_files;
use crate::kernel::Kernel;
use crate::notify;
use crate::ops::PlaceArg;
use crate::step::Step;
use crate::task::{Rights, ThreadKey, signal};

/// The attribute that holds a program's capabilities (capabilities(7)).
const FILE_CAPABILITIES: &[u8] = b"security.capability";

/// The spot that a place or an open file stands for. A descriptor that is a place alone will do (`AT_EMPTY_PATH`).
pub(crate) fn spot_of(
    kernel: &Kernel,
    caller: ThreadKey,
    place: PlaceArg<'_>,
    follow: Follow,
) -> Step<Spot> {
    match object(kernel, caller, place, follow)? {
        Object::Spot(spot) => Ok(spot),
        Object::File(key) => {
            let file = kernel.vfs.files.at(key);
            if !file.is_named() {
                return Err(
                    Failure::NotModelled("attributes of what stands in no filesystem").into()
                );
            }
            Ok(file.spot)
        }
    }
}

/// stat(2), lstat(2), fstat(2)
pub(crate) fn stat(
    kernel: &Kernel,
    caller: ThreadKey,
    place: PlaceArg<'_>,
    follow: Follow,
) -> Step<Stat> {
    let spot = spot_of(kernel, caller, place, follow)?;
    if let Node::Proc(node) = spot.node {
        proc::check_seen(kernel, caller, spot.mount, node)?;
    }
    let file = attributes_of(kernel, caller, spot.node);
    let (all, reader) = (&kernel.namespaces, kernel.credentials(caller).namespace);
    Ok(Stat {
        kind: file.kind,
        mode: file.mode,
        owner: all.told_user(reader, file.owner),
        group: all.told_group(reader, file.group),
        size: file.size,
        links: file.links,
        modified: file.modified,
        device: kernel.vfs.mounts.at(spot.mount).device,
        inode: file.inode,
    })
}

/// statfs(2)
pub(crate) fn statfs(
    kernel: &Kernel,
    caller: ThreadKey,
    place: PlaceArg<'_>,
) -> Step<FilesystemType> {
    let spot = spot_of(kernel, caller, place, Follow::Link)?;
    Ok(kernel.vfs.mounts.at(spot.mount).kind)
}

/// name_to_handle_at(2): in a hierarchy the number of the group or file, of a tmpfs what tells all files of the machine apart.
/// A link at the end is not followed.
///
/// # Errors
/// EOPNOTSUPP: /proc and /sys keep no numbers.
pub(crate) fn handle(kernel: &Kernel, caller: ThreadKey, place: PlaceArg<'_>) -> Step<Vec<u8>> {
    let spot = spot_of(kernel, caller, place, Follow::No)?;
    let mount = kernel.vfs.mounts.at(spot.mount);
    let inode = attributes_of(kernel, caller, spot.node).inode.0.to_ne_bytes();
    match mount.kind {
        FilesystemType::CGROUP | FilesystemType::CGROUP2 => Ok(inode.to_vec()),
        FilesystemType::TMPFS => Ok([inode, mount.device.0.to_ne_bytes()].concat()),
        _ => Err(Errno::EOPNOTSUPP.into()),
    }
}

/// chmod(2). EPERM for who is neither owner nor has `CAP_FOWNER`; the set-group-id bit is dropped for who is not in the
/// file's group.
pub(crate) fn chmod(
    kernel: &mut Kernel,
    caller: ThreadKey,
    place: PlaceArg<'_>,
    mode: Mode,
) -> Step<()> {
    let spot = spot_of(kernel, caller, place, Follow::Link)?;
    check_writable(kernel, spot.mount)?;
    if kind(kernel, spot.node) == FileKind::Link {
        return Err(Errno::EOPNOTSUPP.into());
    }
    change(kernel, caller, spot, AttributeChange { mode: Some(mode), ..AttributeChange::default() })
}

/// chown(2), lchown(2). EPERM without `CAP_CHOWN`, but an owner may give a file to a group of its own. Set-id bits go. EINVAL: nobody
/// in the caller's user namespace.
pub(crate) fn chown(
    kernel: &mut Kernel,
    caller: ThreadKey,
    place: PlaceArg<'_>,
    (owner, group): (Option<Uid>, Option<Gid>),
    follow: Follow,
) -> Step<()> {
    let spot = spot_of(kernel, caller, place, follow)?;
    check_writable(kernel, spot.mount)?;
    let (all, by) = (&kernel.namespaces, kernel.credentials(caller).namespace);
    let owner = owner.map(|id| all.meant_user(by, id).ok_or(Errno::EINVAL)).transpose()?;
    let group = group.map(|id| all.meant_group(by, id).ok_or(Errno::EINVAL)).transpose()?;
    let file = attributes_of(kernel, caller, spot.node);
    let mut wanted = AttributeChange { mode: None, owner, group };
    if file.kind != FileKind::Dir {
        let lost = lost_privileges(kernel.rights(caller), &file);
        if lost != 0 {
            wanted.mode = Some(Mode::new(file.mode.bits() & !lost));
        }
    }
    change(kernel, caller, spot, wanted)?;
    if let Node::Tmp(key) = spot.node
        && file.kind != FileKind::Dir
    {
        drop_file_capabilities(kernel, key);
    }
    Ok(())
}

/// Changes attributes if the caller may.
fn change(kernel: &mut Kernel, caller: ThreadKey, spot: Spot, wanted: AttributeChange) -> Step<()> {
    let mut wanted = wanted;
    if wanted.mode.is_none() && wanted.owner.is_none() && wanted.group.is_none() {
        return Ok(());
    }
    if is_immutable(spot.node) {
        return Err(Errno::EPERM.into());
    }
    let file = attributes_of(kernel, caller, spot.node);
    let rights = kernel.rights(caller);
    if let Some(owner) = kernel.vfs.mounts.at(spot.mount).owner {
        // Ids of others are not taken; a file keeps the one that it has.
        let all = kernel.namespaces.user(Some(owner));
        if wanted.owner.is_some_and(|user| !all.maps_user(user))
            || wanted.group.is_some_and(|group| !all.maps_group(group))
        {
            return Err(Errno::EOVERFLOW.into());
        }
    }
    if !may_change_owner(rights, &file, wanted) {
        return Err(Errno::EPERM.into());
    }
    if let Some(mode) = wanted.mode {
        if !owns(rights, &file) {
            return Err(Errno::EPERM.into());
        }
        if !may_set_group_id(rights, &file, wanted.group.unwrap_or(file.group)) {
            wanted.mode = Some(Mode::new(mode.bits() & !SET_GROUP_ID));
        }
    }
    notify::vet(kernel, spot.node)?;
    match spot.node {
        Node::Tmp(key) => {
            let node = kernel.vfs.tmp.at_mut(key);
            node.mode = wanted.mode.unwrap_or(node.mode);
            node.owner = wanted.owner.unwrap_or(node.owner);
            node.group = wanted.group.unwrap_or(node.group);
        }
        Node::Cgroup(_) | Node::Control(..) => filesystem::change(kernel, spot.node, wanted),
        Node::Proc(node) => proc::change(kernel, caller, node, wanted)?,
    }
    notify::happened(kernel, spot.node, WatchFlags::ATTRIB);
    Ok(())
}

fn may_change_owner(rights: Rights<'_>, file: &Attributes, wanted: AttributeChange) -> bool {
    if rights.capable_over(file, Capability::CHOWN) {
        return true;
    }
    let own = rights.user == file.owner;
    wanted.owner.is_none_or(|owner| own && owner == file.owner)
        && wanted.group.is_none_or(|group| own && (group == file.group || rights.in_group(group)))
}

/// A program whose content or owner changes is no privileged one any more.
fn drop_file_capabilities(kernel: &mut Kernel, key: TmpKey) {
    if let Some(xattrs) = &mut kernel.vfs.tmp.at_mut(key).xattrs {
        xattrs.remove(FILE_CAPABILITIES);
    }
}

/// What a change of content takes from a regular file: set-id bits, unless the caller has `CAP_FSETID`, and capabilities.
pub(super) fn drop_privileges(kernel: &mut Kernel, caller: ThreadKey, node: Node) {
    let credentials = kernel.credentials(caller);
    if !credentials.capable(Capability::FSETID) {
        let file = attributes_of(kernel, caller, node);
        let lost = lost_privileges(kernel.rights(caller), &file);
        let mode = Mode::new(file.mode.bits() & !lost);
        match node {
            Node::Tmp(key) => kernel.vfs.tmp.at_mut(key).mode = mode,
            Node::Control(..) if lost != 0 => {
                let change = AttributeChange { mode: Some(mode), ..AttributeChange::default() };
                filesystem::change(kernel, node, change);
            }
            Node::Control(..) | Node::Cgroup(_) | Node::Proc(_) => {}
        }
    }
    if let Node::Tmp(key) = node {
        drop_file_capabilities(kernel, key);
    }
}

/// Whether it is known what a change of content tells who watches the file.
///
/// # Errors
/// `NotModelled`: it would take set-id bits, which is told too.
pub(super) fn vet_content(kernel: &Kernel, caller: ThreadKey, node: Node) -> Result<(), Failure> {
    notify::vet(kernel, node)?;
    let credentials = kernel.credentials(caller);
    if !kernel.vfs.notify.is_empty()
        && !credentials.capable(Capability::FSETID)
        && lost_privileges(kernel.rights(caller), &attributes_of(kernel, caller, node)) != 0
    {
        return Err(Failure::NotModelled("the loss of set-id bits beside watches"));
    }
    Ok(())
}

/// faccessat2(2) with `AT_EACCESS`
pub(crate) fn access(
    kernel: &Kernel,
    caller: ThreadKey,
    place: PlaceArg<'_>,
    access: Access,
) -> Step<()> {
    let spot = spot_of(kernel, caller, place, Follow::Link)?;
    let is_file = kind(kernel, spot.node) == FileKind::File;
    if access.contains(Access::EXECUTE) && is_file && forbids_programs(kernel, spot) {
        return Err(Errno::EACCES.into());
    }
    check(kernel, caller, spot, access)?;
    if access.contains(Access::WRITE) {
        check_writable(kernel, spot.mount)?;
    }
    Ok(())
}

/// truncate(2), and ftruncate(2) of an open file.
pub(crate) fn truncate(
    kernel: &mut Kernel,
    caller: ThreadKey,
    place: PlaceArg<'_>,
    length: Bytes,
) -> Step<()> {
    if length.0 > FILE_LENGTH {
        return Err(Errno::EINVAL.into());
    }
    let spot = match object(kernel, caller, place, Follow::Link)? {
        Object::Spot(spot) => {
            match kind(kernel, spot.node) {
                FileKind::Dir => return Err(Errno::EISDIR.into()),
                FileKind::File => {}
                FileKind::Link
                | FileKind::Fifo
                | FileKind::Socket
                | FileKind::Character
                | FileKind::Block
                | FileKind::Other => return Err(Errno::EINVAL.into()),
            }
            check_writable(kernel, spot.mount)?;
            check(kernel, caller, spot, Access::WRITE)?;
            spot
        }
        Object::File(key) => open_for_writing(kernel, key)?,
    };
    vet_content(kernel, caller, spot.node)?;
    let Node::Tmp(key) = spot.node else {
        drop_privileges(kernel, caller, spot.node);
        notify::happened(kernel, spot.node, WatchFlags::MODIFY);
        return Ok(());
    };
    let before = kernel.vfs.tmp.at(key).attributes().size;
    if length > before {
        check_length(kernel, caller, length.0)?;
    }
    set_length(kernel, caller, spot.mount, key, length.0);
    notify::happened(kernel, spot.node, WatchFlags::MODIFY);
    Ok(())
}

/// The spot of a regular file that is open for writing; EINVAL if it is not.
fn open_for_writing(kernel: &Kernel, key: FileKey) -> Result<Spot, Errno> {
    let file = kernel.vfs.files.at(key);
    if file.access == AccessMode::Path {
        return Err(Errno::EBADF);
    }
    let is_file = file.is_named() && kind(kernel, file.spot.node) == FileKind::File;
    if is_file && file.writes() { Ok(file.spot) } else { Err(Errno::EINVAL) }
}

/// Whether the caller may make a file this long; EFBIG, and SIGXFSZ, if its limit forbids it.
fn check_length(kernel: &mut Kernel, caller: ThreadKey, length: u64) -> Step<()> {
    let process = process_of(kernel, caller);
    if kernel.soft_limit(process, RlimitResource::FileSize).is_some_and(|limit| length > limit) {
        signal::send_thread(kernel, caller, Signal::XFSZ);
        return Err(Errno::EFBIG.into());
    }
    Ok(())
}

fn set_length(kernel: &mut Kernel, caller: ThreadKey, mount: MountKey, key: TmpKey, length: u64) {
    drop_privileges(kernel, caller, Node::Tmp(key));
    let now = kernel.clock.realtime();
    tmpfs::change_pages(&mut kernel.vfs, mount, key, now, |pages| pages.set_length(length));
}

/// Empties a file that is opened with `O_TRUNC`.
pub(super) fn empty(kernel: &mut Kernel, caller: ThreadKey, spot: Spot) {
    match spot.node {
        Node::Tmp(key) if kernel.vfs.tmp.at(key).kind() == FileKind::File => {
            set_length(kernel, caller, spot.mount, key, 0);
        }
        // It has no length, but it is treated so.
        Node::Control(..) => drop_privileges(kernel, caller, spot.node),
        Node::Tmp(_) | Node::Cgroup(_) | Node::Proc(_) => {}
    }
}

/// fallocate(2) with mode 0.
pub(crate) fn fallocate(
    kernel: &mut Kernel,
    caller: ThreadKey,
    number: u32,
    (offset, length): (Bytes, Bytes),
) -> Step<()> {
    let key = descriptors::get_opened(kernel, caller, number)?;
    if length.0 == 0 || length.0 > FILE_LENGTH || offset.0 > FILE_LENGTH {
        return Err(Errno::EINVAL.into());
    }
    let file = kernel.vfs.files.at(key);
    if !file.writes() {
        return Err(Errno::EBADF.into());
    }
    if !file.is_named() {
        let is_pipe = matches!(file.kind, OpenKind::Pipe(..));
        return Err(if is_pipe { Errno::ESPIPE } else { Errno::ENODEV }.into());
    }
    let end = offset.0.saturating_add(length.0);
    if end > FILE_LENGTH {
        return Err(Errno::EFBIG.into());
    }
    let spot = file.spot;
    let Node::Tmp(node) = spot.node else { return Err(Errno::EOPNOTSUPP.into()) };
    if Bytes(end) > kernel.vfs.tmp.at(node).attributes().size {
        check_length(kernel, caller, end)?;
    }
    let needed = kernel.vfs.tmp.at(node).pages().map_or(0, |pages| {
        pages.pages_needed(offset.0, usize::try_from(length.0).unwrap_or(usize::MAX))
    });
    if needed > tmpfs::free_pages(&kernel.vfs, spot.mount) {
        return Err(Errno::ENOSPC.into());
    }
    vet_content(kernel, caller, spot.node)?;
    drop_privileges(kernel, caller, spot.node);
    if needed > 0 {
        memory_files::pay(kernel, caller, node);
    }
    let now = kernel.clock.realtime();
    tmpfs::change_pages(&mut kernel.vfs, spot.mount, node, now, |pages| {
        pages.fill(offset.0, length.0)
    });
    notify::happened(kernel, spot.node, WatchFlags::MODIFY);
    Ok(())
}

/// fsync(2). EINVAL for what cannot be: /proc, a cgroup's directory, a process handle.
pub(crate) fn fsync(kernel: &Kernel, caller: ThreadKey, number: u32) -> Step<()> {
    let file = kernel.vfs.files.at(descriptors::get_opened(kernel, caller, number)?);
    let keeps = match file.spot.node {
        Node::Tmp(_) => kernel.vfs.mounts.at(file.spot.mount).kind == FilesystemType::TMPFS,
        Node::Control(..) => true,
        Node::Cgroup(_) | Node::Proc(_) => false,
    };
    if keeps && file.is_named() { Ok(()) } else { Err(Errno::EINVAL.into()) }
}
