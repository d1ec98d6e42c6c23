//! Extended attributes (xattr(7)): who may use which name, and where they are kept.
//!
//! tmpfs and cgroup2 keep `user`, `trusted` and `security` attributes in a store of this module's; /sys keeps the last two,
//! /proc nothing. `user` attributes of a tmpfs came with 6.6. cgroup2 bounds `user` attributes, since any owner may set them.

use std::collections::BTreeMap;

use standin::backend::{Access, FileKind, FilesystemType, WatchFlags, XattrMode};
use standin::path::Follow;
use standin::{Capability, Errno, Failure, KPath, KPathBuf};

use super::attributes::spot_of;
use super::permission::{STICKY, check, check_writable, is_immutable, owns};
use super::{Node, Spot, attributes_of, kind};
use crate::cgroup::filesystem;
use crate::kernel::Kernel;
use crate::notify;
use crate::ops::PlaceArg;
use crate::profile::Release;
use crate::step::Step;
use crate::task::ThreadKey;

/// The longest name (`XATTR_NAME_MAX`).
const NAME_LENGTH: usize = 255;
/// The longest value (`XATTR_SIZE_MAX`), and the longest list.
const VALUE_LENGTH: usize = 65536;
/// Most `user` attributes of a file of cgroup2, and most bytes of their values (fs/kernfs).
const CGROUP_USER_COUNT: usize = 128;
const CGROUP_USER_SIZE: usize = 128 << 10;

/// The attributes of one file, by name.
#[derive(Clone, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Xattrs {
    #[cfg_attr(feature = "serde", serde(with = "crate::written::names"))]
    values: BTreeMap<Box<[u8]>, Box<[u8]>>,
}

impl Xattrs {
    /// Takes one away; whether it was there.
    pub(crate) fn remove(&mut self, name: &[u8]) -> bool {
        self.values.remove(name).is_some()
    }

    /// Count and bytes of the values whose names start so.
    fn usage(&self, prefix: &[u8]) -> (usize, usize) {
        let values = self.values.iter().filter(|(name, _)| name.starts_with(prefix));
        values.fold((0, 0), |(count, size), (_, value)| (count + 1, size + value.len()))
    }
}

/// The first part of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Space {
    User,
    Trusted,
    Security,
    System,
    /// None that Linux knows.
    Other,
}

const SPACES: [(&[u8], Space); 4] = [
    (b"user.", Space::User),
    (b"trusted.", Space::Trusted),
    (b"security.", Space::Security),
    (b"system.", Space::System),
];

const FILE_CAPABILITIES: &[u8] = b"security.capability";
const LABEL: &[u8] = b"security.selinux";
const ACCESS_LISTS: [&[u8]; 2] = [b"system.posix_acl_access", b"system.posix_acl_default"];

/// The space of a name, and whether something stands behind the dot.
fn space(name: &[u8]) -> (Space, bool) {
    let known =
        SPACES.iter().find_map(|(prefix, space)| Some((*space, name.strip_prefix(*prefix)?)));
    known.map_or((Space::Other, true), |(space, rest)| (space, !rest.is_empty()))
}

/// Reading, or setting and removing.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    Read,
    Change,
}

/// What is done to a name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Change {
    Set,
    Remove,
}

/// ERANGE: an empty name, or one that is too long.
fn check_name(name: &KPath) -> Result<(), Errno> {
    if (1..=NAME_LENGTH).contains(&name.as_bytes().len()) { Ok(()) } else { Err(Errno::ERANGE) }
}

/// Where names and values are looked at before the path: since 6.13, when all of these calls came to share one way in.
fn is_checked_first(kernel: &Kernel) -> bool {
    kernel.profile.release >= Release::V6_18
}

/// Whether the space lets the caller use a name of this file.
fn check_space(
    kernel: &Kernel,
    caller: ThreadKey,
    spot: Spot,
    name: &[u8],
    how: Use,
) -> Result<(), Errno> {
    let credentials = kernel.credentials(caller);
    let hidden = if how == Use::Change { Errno::EPERM } else { Errno::ENODATA };
    if how == Use::Change && is_immutable(spot.node) {
        return Err(Errno::EPERM);
    }
    match space(name).0 {
        Space::Security | Space::System => return Ok(()),
        Space::Trusted if credentials.capable(Capability::SYS_ADMIN) => return Ok(()),
        Space::Trusted => return Err(hidden),
        Space::User => {
            let file = attributes_of(kernel, caller, spot.node);
            match file.kind {
                FileKind::File => {}
                FileKind::Dir => {
                    if how == Use::Change
                        && file.mode.bits() & STICKY != 0
                        && !owns(kernel.rights(caller), &file)
                    {
                        return Err(Errno::EPERM);
                    }
                }
                FileKind::Link
                | FileKind::Fifo
                | FileKind::Socket
                | FileKind::Character
                | FileKind::Block
                | FileKind::Other => return Err(hidden),
            }
        }
        Space::Other => {}
    }
    check(kernel, caller, spot, if how == Use::Change { Access::WRITE } else { Access::READ })
}

/// Whether the caller may change a `security` attribute: with `CAP_SYS_ADMIN`, capabilities with `CAP_SETFCAP`. On 6.1 as
/// Debian boots it, with the bpf security module, anybody may. The recorded 6.18 has SELinux without a policy, which lets
/// owners label their files.
fn check_security(
    kernel: &Kernel,
    caller: ThreadKey,
    spot: Spot,
    name: &[u8],
    how: Change,
) -> Result<(), Errno> {
    if space(name).0 != Space::Security || kernel.profile.release == Release::V6_1 {
        return Ok(());
    }
    let credentials = kernel.credentials(caller);
    if name == LABEL && kernel.profile.release >= Release::V6_18 {
        let file = attributes_of(kernel, caller, spot.node);
        return if owns(kernel.rights(caller), &file) { Ok(()) } else { Err(Errno::EPERM) };
    }
    let needed = match name == FILE_CAPABILITIES {
        true if how == Change::Remove => Capability::SETFCAP,
        // Asked for where the value is looked at.
        true => return Ok(()),
        false => Capability::SYS_ADMIN,
    };
    if credentials.capable(needed) { Ok(()) } else { Err(Errno::EPERM) }
}

/// Whether the filesystem keeps attributes of this name: EOPNOTSUPP if not, EINVAL if there is nothing behind the dot.
fn check_kept(kernel: &Kernel, spot: Spot, name: &[u8]) -> Result<(), Errno> {
    let (space, has_rest) = space(name);
    let kind = kernel.vfs.mounts.at(spot.mount).kind;
    let kept = match space {
        Space::User if kind == FilesystemType::TMPFS => kernel.profile.release >= Release::V6_12,
        Space::User => matches!(kind, FilesystemType::CGROUP | FilesystemType::CGROUP2),
        Space::Trusted | Space::Security => kind != FilesystemType::PROC,
        Space::System | Space::Other => false,
    };
    match (kept, has_rest) {
        (false, _) => Err(Errno::EOPNOTSUPP),
        (true, false) => Err(Errno::EINVAL),
        (true, true) => Ok(()),
    }
}

fn store(kernel: &Kernel, node: Node) -> Option<&Xattrs> {
    match node {
        Node::Tmp(key) => kernel.vfs.tmp.at(key).xattrs.as_deref(),
        Node::Cgroup(_) | Node::Control(..) => filesystem::xattrs(kernel, node),
        Node::Proc(_) => None,
    }
}

fn store_mut(kernel: &mut Kernel, node: Node) -> Result<&mut Xattrs, Errno> {
    match node {
        Node::Tmp(key) => Ok(kernel.vfs.tmp.at_mut(key).xattrs.get_or_insert_default()),
        Node::Cgroup(_) | Node::Control(..) => Ok(filesystem::xattrs_mut(kernel, node)),
        Node::Proc(_) => Err(Errno::EOPNOTSUPP),
    }
}

/// What setxattr(2) takes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NewXattr<'a> {
    pub(crate) name: &'a KPath,
    pub(crate) value: &'a [u8],
    pub(crate) mode: XattrMode,
}

/// setxattr(2), lsetxattr(2), fsetxattr(2)
pub(crate) fn set(
    kernel: &mut Kernel,
    caller: ThreadKey,
    place: PlaceArg<'_>,
    follow: Follow,
    new: NewXattr<'_>,
) -> Step<()> {
    let check_argument = || {
        check_name(new.name)?;
        if new.value.len() > VALUE_LENGTH { Err(Errno::E2BIG) } else { Ok(()) }
    };
    if is_checked_first(kernel) {
        check_argument()?;
    }
    let spot = spot_of(kernel, caller, place, follow)?;
    check_writable(kernel, spot.mount)?;
    check_argument()?;
    let name = new.name.as_bytes();
    if ACCESS_LISTS.contains(&name) {
        return set_access_list(kernel, spot, new.value);
    }
    if name == FILE_CAPABILITIES && !new.value.is_empty() {
        check_file_capabilities(kernel, caller, new.value)?;
    }
    check_space(kernel, caller, spot, name, Use::Change)?;
    check_security(kernel, caller, spot, name, Change::Set)?;
    check_kept(kernel, spot, name)?;
    notify::vet(kernel, spot.node)?;
    let bounded = space(name).0 == Space::User && !matches!(spot.node, Node::Tmp(_));
    let store = store_mut(kernel, spot.node)?;
    if bounded {
        let (count, size) = store.usage(b"user.");
        // What it replaces is counted too.
        if count + 1 > CGROUP_USER_COUNT || size + new.value.len() > CGROUP_USER_SIZE {
            return Err(Errno::ENOSPC.into());
        }
    }
    match (new.mode, store.values.contains_key(name)) {
        (XattrMode::Create, true) => return Err(Errno::EEXIST.into()),
        (XattrMode::Replace, false) => return Err(Errno::ENODATA.into()),
        (XattrMode::Create | XattrMode::Set | XattrMode::Replace, _) => {}
    }
    store.values.insert(name.into(), new.value.into());
    notify::happened(kernel, spot.node, WatchFlags::ATTRIB);
    Ok(())
}

/// Only files and directories of a tmpfs have POSIX access lists.
fn keeps_access_lists(kernel: &Kernel, spot: Spot) -> bool {
    kernel.vfs.mounts.at(spot.mount).kind == FilesystemType::TMPFS
        && kind(kernel, spot.node) != FileKind::Link
}

/// A POSIX access list: a value that is none is EINVAL, and, before 6.2 where there are none, EOPNOTSUPP.
fn set_access_list(kernel: &Kernel, spot: Spot, value: &[u8]) -> Step<()> {
    const VERSION: [u8; 4] = [2, 0, 0, 0];
    let keeps = keeps_access_lists(kernel, spot);
    if kernel.profile.release == Release::V6_1 && !keeps {
        return Err(Errno::EOPNOTSUPP.into());
    }
    let has_entries = value.strip_prefix(&VERSION).is_some_and(|entries| entries.len() % 8 == 0);
    if !value.is_empty() && !has_entries {
        let unknown =
            value.len() >= VERSION.len() && value.get(..VERSION.len()) != Some(&VERSION[..]);
        return Err(if unknown { Errno::EOPNOTSUPP } else { Errno::EINVAL }.into());
    }
    if keeps {
        return Err(Failure::NotModelled("POSIX access lists").into());
    }
    Err(Errno::EOPNOTSUPP.into())
}

/// The value of `security.capability`: EINVAL if it is none, EPERM without `CAP_SETFCAP` (capabilities(7)).
fn check_file_capabilities(kernel: &Kernel, caller: ThreadKey, value: &[u8]) -> Result<(), Errno> {
    let version = value.get(3).copied().unwrap_or_default();
    match (version, value.len()) {
        (2, 20) | (3, 24) => {}
        _ => return Err(Errno::EINVAL),
    }
    if kernel.credentials(caller).capable(Capability::SETFCAP) { Ok(()) } else { Err(Errno::EPERM) }
}

/// getxattr(2), lgetxattr(2), fgetxattr(2)
pub(crate) fn get(
    kernel: &Kernel,
    caller: ThreadKey,
    place: PlaceArg<'_>,
    follow: Follow,
    name: &KPath,
) -> Step<Vec<u8>> {
    if is_checked_first(kernel) {
        check_name(name)?;
    }
    let spot = spot_of(kernel, caller, place, follow)?;
    check_name(name)?;
    let name = name.as_bytes();
    if ACCESS_LISTS.contains(&name) {
        return Err(if keeps_access_lists(kernel, spot) {
            Errno::ENODATA
        } else {
            Errno::EOPNOTSUPP
        }
        .into());
    }
    check_space(kernel, caller, spot, name, Use::Read)?;
    check_kept(kernel, spot, name)?;
    let value = store(kernel, spot.node).and_then(|store| store.values.get(name));
    value.map(|value| value.to_vec()).ok_or_else(|| Errno::ENODATA.into())
}

/// listxattr(2), llistxattr(2), flistxattr(2): `trusted` ones are shown to who has `CAP_SYS_ADMIN`.
pub(crate) fn list(
    kernel: &Kernel,
    caller: ThreadKey,
    place: PlaceArg<'_>,
    follow: Follow,
) -> Step<Vec<KPathBuf>> {
    let spot = spot_of(kernel, caller, place, follow)?;
    let sees_trusted = kernel.credentials(caller).capable(Capability::SYS_ADMIN);
    let names: Vec<KPathBuf> = store(kernel, spot.node)
        .into_iter()
        .flat_map(|store| store.values.keys())
        .filter(|name| sees_trusted || space(name).0 != Space::Trusted)
        .filter_map(|name| KPathBuf::new(name.to_vec()).ok())
        .collect();
    let length: usize = names.iter().map(|name| name.as_bytes().len() + 1).sum();
    if length > VALUE_LENGTH { Err(Errno::E2BIG.into()) } else { Ok(names) }
}

/// removexattr(2), lremovexattr(2), fremovexattr(2)
pub(crate) fn remove(
    kernel: &mut Kernel,
    caller: ThreadKey,
    place: PlaceArg<'_>,
    follow: Follow,
    name: &KPath,
) -> Step<()> {
    if is_checked_first(kernel) {
        check_name(name)?;
    }
    let spot = spot_of(kernel, caller, place, follow)?;
    check_writable(kernel, spot.mount)?;
    check_name(name)?;
    let name = name.as_bytes();
    if ACCESS_LISTS.contains(&name) {
        return remove_access_list(kernel, caller, spot);
    }
    check_space(kernel, caller, spot, name, Use::Change)?;
    check_security(kernel, caller, spot, name, Change::Remove)?;
    check_kept(kernel, spot, name)?;
    notify::vet(kernel, spot.node)?;
    if store(kernel, spot.node).is_none() || !store_mut(kernel, spot.node)?.remove(name) {
        return Err(Errno::ENODATA.into());
    }
    notify::happened(kernel, spot.node, WatchFlags::ATTRIB);
    Ok(())
}

/// No file has an access list, so there is nothing to remove, for who may; that is no error.
fn remove_access_list(kernel: &Kernel, caller: ThreadKey, spot: Spot) -> Step<()> {
    if !keeps_access_lists(kernel, spot) {
        return Err(Errno::EOPNOTSUPP.into());
    }
    let file = attributes_of(kernel, caller, spot.node);
    if owns(kernel.rights(caller), &file) { Ok(()) } else { Err(Errno::EPERM.into()) }
}
