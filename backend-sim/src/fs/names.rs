//! Making and removing names: mkdir(2), rmdir(2), unlink(2), link(2), symlink(2).
//!
//! Each finds its refusals in the kernel's order: the path, the name that is there already or is not, a filesystem that
//! cannot be written, the directory's permission, and last what the filesystem itself does not do.

use standin::backend::{Access, FileKind, FilesystemType, WatchFlags};
use standin::id::Mode;
use standin::path::Follow;
use standin::{Errno, Failure, KPath};

use super::lookup::{is_mount_point, look_up};
use super::permission::{
    AsDirectory, SET_GROUP_ID, check, check_creation, check_removal, check_writable,
    is_set_id_program, may_set_group_id, owns,
};
use super::tmpfs::{self, Content, TmpNode};
use super::walk::{Last, Name, Object, check_path, object, parent};
use super::{Node, Spot, TmpKey, attributes_of, kind, tree};
use crate::cgroup::filesystem;
use crate::kernel::Kernel;
use crate::notify;
use crate::ops::PlaceArg;
use crate::socket::SocketKey;
use crate::step::Step;
use crate::task::{ThreadKey, footing};

const DIRECTORY_BITS: u16 = 0o1777;
const GROUP_EXECUTE: u16 = 0o010;

/// A name that is free.
struct Free<'a> {
    directory: Spot,
    name: Name<'a>,
}

/// Finds a free name, in a directory that may be written to as far as its mount goes.
fn free_name<'a>(
    kernel: &Kernel,
    caller: ThreadKey,
    place: PlaceArg<'a>,
    as_directory: AsDirectory,
) -> Step<Free<'a>> {
    let found = parent(kernel, caller, place)?;
    let Last::Name(name) = found.last else { return Err(Errno::EEXIST.into()) };
    let directory = found.directory;
    if look_up(kernel, caller, directory, name.bytes())?.is_some() {
        return Err(Errno::EEXIST.into());
    }
    if name.slash && as_directory == AsDirectory::No {
        return Err(Errno::ENOENT.into());
    }
    check_writable(kernel, directory.mount)?;
    Ok(Free { directory, name })
}

/// The directory of a tmpfs that a spot is; EPERM where no such thing is made.
fn tmp_directory(kernel: &Kernel, directory: Spot) -> Result<TmpKey, Errno> {
    match directory.node {
        Node::Tmp(key) if kernel.vfs.mounts.at(directory.mount).kind == FilesystemType::TMPFS => {
            Ok(key)
        }
        Node::Tmp(_) | Node::Cgroup(_) | Node::Control(..) | Node::Proc(_) => Err(Errno::EPERM),
    }
}

/// Mode bits less the caller's umask.
pub(super) fn masked(kernel: &Kernel, caller: ThreadKey, mode: Mode) -> Mode {
    let mask = footing::umask(kernel, caller);
    Mode::new(mode.bits() & !(mask.bits() & 0o777))
}

/// Puts a new node of the caller's into a directory of a tmpfs. A set-group-id directory gives its group.
fn make(
    kernel: &mut Kernel,
    caller: ThreadKey,
    directory: Spot,
    name: &[u8],
    content: Content,
    mode: Mode,
) -> Step<TmpKey> {
    let above = tmp_directory(kernel, directory)?;
    tmpfs::room_for_node(&kernel.vfs, directory.mount)?;
    let now = kernel.clock.realtime();
    let credentials = kernel.credentials(caller);
    let of = kernel.vfs.tmp.at(above);
    let mut bits = mode.bits();
    let mut group = credentials.group.filesystem;
    if of.mode.bits() & SET_GROUP_ID != 0 {
        group = of.group;
        if matches!(content, Content::Dir(_)) {
            bits |= SET_GROUP_ID;
        } else if bits & (SET_GROUP_ID | GROUP_EXECUTE) == SET_GROUP_ID | GROUP_EXECUTE
            && !may_set_group_id(kernel.rights(caller), &of.attributes(), group)
        {
            bits &= !SET_GROUP_ID;
        }
    }
    let mut node = TmpNode::new(content, Mode::new(bits), now);
    node.owner = credentials.user.filesystem;
    node.group = group;
    let file = node.kind();
    let key = tmpfs::add(&mut kernel.vfs, directory.mount, above, name, node);
    notify::created(kernel, directory.node, name, file);
    Ok(key)
}

/// Makes an empty file; permission was checked, and that the name is free.
pub(super) fn make_file(
    kernel: &mut Kernel,
    caller: ThreadKey,
    directory: Spot,
    name: &[u8],
    mode: Mode,
) -> Step<Node> {
    make(kernel, caller, directory, name, Content::file(), mode).map(Node::Tmp)
}

/// mknod(2) of a socket file, as bind(2) does it: where it stands.
pub(crate) fn make_socket(
    kernel: &mut Kernel,
    caller: ThreadKey,
    place: PlaceArg<'_>,
    mode: Mode,
    socket: SocketKey,
) -> Step<Spot> {
    let Free { directory, name } = free_name(kernel, caller, place, AsDirectory::No)?;
    check_creation(kernel, caller, directory)?;
    let mode = masked(kernel, caller, mode);
    let node = make(kernel, caller, directory, name.bytes(), Content::Socket(socket), mode)?;
    Ok(Spot { mount: directory.mount, node: Node::Tmp(node) })
}

/// mkdir(2)
pub(crate) fn mkdir(
    kernel: &mut Kernel,
    caller: ThreadKey,
    place: PlaceArg<'_>,
    mode: Mode,
) -> Step<()> {
    let Free { directory, name } = free_name(kernel, caller, place, AsDirectory::Yes)?;
    check_creation(kernel, caller, directory)?;
    let mode = Mode::new(masked(kernel, caller, mode).bits() & DIRECTORY_BITS);
    if let Node::Cgroup(group) = directory.node {
        filesystem::mkdir(kernel, caller, group, name.bytes(), mode)?;
        notify::created(kernel, directory.node, name.bytes(), FileKind::Dir);
        return Ok(());
    }
    let above = tmp_directory(kernel, directory)?;
    let names = Content::directory(Some(above));
    make(kernel, caller, directory, name.bytes(), names, mode)?;
    Ok(())
}

/// symlink(2)
pub(crate) fn symlink(
    kernel: &mut Kernel,
    caller: ThreadKey,
    target: &KPath,
    place: PlaceArg<'_>,
) -> Step<()> {
    check_path(target.as_bytes())?;
    let Free { directory, name } = free_name(kernel, caller, place, AsDirectory::No)?;
    check_creation(kernel, caller, directory)?;
    let link = Content::Link(target.as_bytes().into());
    make(kernel, caller, directory, name.bytes(), link, Mode::new(0o777))?;
    Ok(())
}

/// link(2): a link at the end of `old` is not followed.
pub(crate) fn link(
    kernel: &mut Kernel,
    caller: ThreadKey,
    old: PlaceArg<'_>,
    new: PlaceArg<'_>,
) -> Step<()> {
    let source = match object(kernel, caller, old, Follow::No)? {
        Object::Spot(spot) => spot,
        Object::File(_) => return Err(Failure::NotModelled("link of an open file").into()),
    };
    let Free { directory, name } = free_name(kernel, caller, new, AsDirectory::No)?;
    if source.mount != directory.mount {
        return Err(Errno::EXDEV.into());
    }
    check_linkable(kernel, caller, source)?;
    check_creation(kernel, caller, directory)?;
    let above = tmp_directory(kernel, directory)?;
    let Node::Tmp(key) = source.node else { return Err(Errno::EPERM.into()) };
    let links = kernel.vfs.tmp.at(key).links;
    if kind(kernel, source.node) == FileKind::Dir {
        return Err(Errno::EPERM.into());
    }
    if links == 0 {
        return Err(Errno::ENOENT.into());
    }
    tmpfs::room_for_node(&kernel.vfs, directory.mount)?;
    notify::vet_link(kernel, key, above)?;
    let now = kernel.clock.realtime();
    tmpfs::link(&mut kernel.vfs, directory.mount, above, name.bytes(), key, now);
    notify::happened_inside(kernel, source.node, WatchFlags::ATTRIB);
    notify::created(kernel, directory.node, name.bytes(), kind(kernel, source.node));
    Ok(())
}

/// Whether the caller may make another name of a file that is not its own (proc(5), protected_hardlinks, which all
/// recorded kernels have on): only of what it could read and write anyway, and of no set-id program.
fn check_linkable(kernel: &Kernel, caller: ThreadKey, source: Spot) -> Result<(), Errno> {
    let file = attributes_of(kernel, caller, source.node);
    if owns(kernel.rights(caller), &file) {
        return Ok(());
    }
    let safe = file.kind == FileKind::File
        && !is_set_id_program(file.mode.bits())
        && check(kernel, caller, source, Access::READ | Access::WRITE).is_ok();
    if safe { Ok(()) } else { Err(Errno::EPERM) }
}

/// rmdir(2)
pub(crate) fn rmdir(kernel: &mut Kernel, caller: ThreadKey, place: PlaceArg<'_>) -> Step<()> {
    let found = parent(kernel, caller, place)?;
    let name = match found.last {
        Last::Root => return Err(Errno::EBUSY.into()),
        Last::Dot => return Err(Errno::EINVAL.into()),
        Last::DotDot => return Err(Errno::ENOTEMPTY.into()),
        Last::Name(name) => name,
    };
    let directory = found.directory;
    check_writable(kernel, directory.mount)?;
    let node = look_up(kernel, caller, directory, name.bytes())?.ok_or(Errno::ENOENT)?;
    check_removal(kernel, caller, directory, node, AsDirectory::Yes)?;
    if matches!(node, Node::Proc(_)) {
        return Err(Errno::EPERM.into());
    }
    if is_mount_point(kernel, caller, node) {
        return Err(Errno::EBUSY.into());
    }
    if let Node::Cgroup(group) = node {
        filesystem::rmdir(kernel, caller, group)?;
        notify::removed(kernel, directory.node, name.bytes(), FileKind::Dir);
        return Ok(());
    }
    let above = tmp_directory(kernel, directory)?;
    if let Node::Tmp(key) = node
        && !kernel.vfs.tmp.at(key).names().is_none_or(tmpfs::Directory::is_empty)
    {
        return Err(Errno::ENOTEMPTY.into());
    }
    let now = kernel.clock.realtime();
    tmpfs::remove(&mut kernel.vfs, directory.mount, above, name.bytes(), now);
    notify::removed(kernel, directory.node, name.bytes(), FileKind::Dir);
    tree::detach_from(kernel, node);
    Ok(())
}

/// unlink(2)
pub(crate) fn unlink(kernel: &mut Kernel, caller: ThreadKey, place: PlaceArg<'_>) -> Step<()> {
    let found = parent(kernel, caller, place)?;
    let Last::Name(name) = found.last else { return Err(Errno::EISDIR.into()) };
    let directory = found.directory;
    check_writable(kernel, directory.mount)?;
    let node = look_up(kernel, caller, directory, name.bytes())?.ok_or(Errno::ENOENT)?;
    if name.slash {
        let is_dir = kind(kernel, node) == FileKind::Dir;
        return Err(if is_dir { Errno::EISDIR } else { Errno::ENOTDIR }.into());
    }
    check_removal(kernel, caller, directory, node, AsDirectory::No)?;
    let above = tmp_directory(kernel, directory)?;
    if is_mount_point(kernel, caller, node) {
        return Err(Errno::EBUSY.into());
    }
    let (now, file) = (kernel.clock.realtime(), kind(kernel, node));
    notify::happened_inside(kernel, node, WatchFlags::ATTRIB);
    tmpfs::remove(&mut kernel.vfs, directory.mount, above, name.bytes(), now);
    notify::removed(kernel, directory.node, name.bytes(), file);
    tree::detach_from(kernel, node);
    Ok(())
}

/// readlink(2)
pub(crate) fn readlink(kernel: &Kernel, caller: ThreadKey, place: PlaceArg<'_>) -> Step<Vec<u8>> {
    let spot = match object(kernel, caller, place, Follow::No)? {
        Object::Spot(spot) => spot,
        Object::File(file) => {
            let file = kernel.vfs.files.at(file);
            // An empty path is ENOENT unless the descriptor is a link, opened as a place.
            if !file.is_named() || kind(kernel, file.spot.node) != FileKind::Link {
                return Err(Errno::ENOENT.into());
            }
            file.spot
        }
    };
    match spot.node {
        Node::Tmp(key) => match &kernel.vfs.tmp.at(key).content {
            Content::Link(target) => Ok(target.to_vec()),
            Content::Dir(_) | Content::File(_) | Content::Socket(_) | Content::Device(_) => {
                Err(Errno::EINVAL.into())
            }
        },
        Node::Proc(node) if kind(kernel, spot.node) == FileKind::Link => {
            super::proc::readlink(kernel, caller, (spot.mount, node))
        }
        Node::Proc(_) | Node::Cgroup(_) | Node::Control(..) => Err(Errno::EINVAL.into()),
    }
}

/// chdir(2), fchdir(2)
pub(crate) fn chdir(kernel: &mut Kernel, caller: ThreadKey, place: PlaceArg<'_>) -> Step<()> {
    let spot = match object(kernel, caller, place, Follow::Link)? {
        Object::Spot(spot) => spot,
        Object::File(_) => {
            super::descriptors::directory(kernel, caller, place.at.unwrap_or_default())?
        }
    };
    if kind(kernel, spot.node) != FileKind::Dir {
        return Err(Errno::ENOTDIR.into());
    }
    check(kernel, caller, spot, Access::EXECUTE)?;
    footing::stand_in(kernel, caller, spot);
    Ok(())
}
