//! tmpfs: a filesystem that is nothing but memory (mm/shmem.c, tmpfs(5)).
//!
//! Nodes live in one table for all mounts; each belongs to one mount, which counts what it holds in its [`Room`]. /sys is
//! kept here too: as directories that nobody may change. Permission is the business of `names` and `open`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use standin::Errno;
use standin::backend::FileKind;
use standin::id::{Bytes, Gid, Inode, Mode, Moment, Uid};

use super::content::{PAGE, Pages};
use super::device::Device;
use super::proc::Hiding;
use super::xattr::Xattrs;
use super::{Attributes, MountKey, TmpKey, Vfs};
use crate::cgroup::v1::memory_files::Payer;
use crate::notify;
use crate::socket::SocketKey;

/// The longest name.
pub(crate) const NAME_LENGTH: usize = 255;

/// What the size of a directory grows by with each name.
const ENTRY_SIZE: u64 = 20;

/// A file, directory or link.
#[derive(Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct TmpNode {
    pub(crate) mode: Mode,
    pub(crate) owner: Uid,
    pub(crate) group: Gid,
    /// Names that lead here, as stat(2) counts them; 0 once it was removed.
    pub(crate) links: u32,
    pub(crate) inode: u64,
    pub(crate) modified: Moment,
    /// Open files, working directories and mounts that use it.
    pub(crate) users: u32,
    /// Mounts that cover it.
    pub(crate) covered: u32,
    pub(crate) xattrs: Option<Box<Xattrs>>,
    pub(crate) content: Content,
}

/// What is in a node.
#[derive(Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) enum Content {
    /// Shared with machines in which the same names stand there.
    Dir(Arc<Directory>),
    File(Box<Pages>),
    Link(Box<[u8]>),
    /// A name of a local socket, which may be closed.
    Socket(SocketKey),
    Device(Device),
}

/// The names in a directory.
#[derive(Clone, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Directory {
    /// The directory above; `None` for the root of a mount.
    pub(crate) parent: Option<TmpKey>,
    #[cfg_attr(feature = "serde", serde(with = "crate::written::names"))]
    entries: BTreeMap<Box<[u8]>, Entry>,
    /// The number of the last entry made.
    last: u64,
}

/// A name, by when it was made.
#[derive(Clone, Copy)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct Entry {
    number: u64,
    node: TmpKey,
}

/// What a tmpfs may hold and holds.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Room {
    /// Most pages; 0 is no bound.
    pub(crate) most_pages: u64,
    /// Most nodes; 0 is no bound.
    pub(crate) most_nodes: u64,
    pub(crate) pages: u64,
    pub(crate) nodes: u64,
    pub(crate) last_inode: u64,
    /// How often the filesystem is mounted.
    pub(crate) mounts: u32,
    /// What it hides, if it is a /proc.
    pub(crate) hiding: Hiding,
}

impl Vfs {
    /// What a mount's filesystem holds.
    pub(crate) fn room(&self, mount: MountKey) -> &Room {
        self.rooms.at(self.mounts.at(mount).room)
    }

    pub(crate) fn room_mut(&mut self, mount: MountKey) -> &mut Room {
        self.rooms.at_mut(self.mounts.at(mount).room)
    }
}

impl Room {
    /// What a tmpfs may hold if nothing is said: half of the memory, and a node for each page of it (tmpfs(5)).
    pub(crate) const fn half_of(memory: Bytes) -> Self {
        let pages = memory.0 / PAGE / 2;
        Self {
            most_pages: pages,
            most_nodes: pages,
            pages: 0,
            nodes: 1,
            last_inode: 1,
            mounts: 1,
            hiding: Hiding::NONE,
        }
    }
}

impl Content {
    /// An empty file.
    pub(crate) fn file() -> Self {
        Self::File(Box::default())
    }

    /// No names yet.
    pub(crate) fn directory(parent: Option<TmpKey>) -> Self {
        Self::Dir(Arc::new(Directory { parent, ..Directory::default() }))
    }
}

impl TmpNode {
    /// A node of root's.
    pub(crate) fn new(content: Content, mode: Mode, now: Moment) -> Self {
        let links = if matches!(content, Content::Dir(_)) { 2 } else { 1 };
        Self {
            mode,
            owner: Uid::ROOT,
            group: Gid::ROOT,
            links,
            inode: 1,
            modified: now,
            users: 0,
            covered: 0,
            xattrs: None,
            content,
        }
    }

    /// An empty directory of root's.
    pub(crate) fn directory(mode: Mode, parent: Option<TmpKey>, now: Moment) -> Self {
        Self::new(Content::directory(parent), mode, now)
    }

    pub(crate) const fn kind(&self) -> FileKind {
        match self.content {
            Content::Dir(_) => FileKind::Dir,
            Content::File(_) => FileKind::File,
            Content::Link(_) => FileKind::Link,
            Content::Socket(_) => FileKind::Socket,
            Content::Device(device) => device.file_kind(),
        }
    }

    pub(crate) fn attributes(&self) -> Attributes {
        let size = match &self.content {
            Content::Dir(directory) => {
                ENTRY_SIZE * (2 + u64::try_from(directory.entries.len()).unwrap_or_default())
            }
            Content::File(pages) => pages.length(),
            Content::Link(target) => u64::try_from(target.len()).unwrap_or_default(),
            Content::Socket(_) | Content::Device(_) => 0,
        };
        Attributes {
            kind: self.kind(),
            mode: self.mode,
            owner: self.owner,
            group: self.group,
            size: Bytes(size),
            links: self.links,
            modified: self.modified,
            inode: Inode(self.inode),
        }
    }

    /// The names in it, if it is a directory.
    pub(crate) fn names(&self) -> Option<&Directory> {
        match &self.content {
            Content::Dir(directory) => Some(directory),
            Content::File(_) | Content::Link(_) | Content::Socket(_) | Content::Device(_) => None,
        }
    }

    fn names_mut(&mut self) -> Option<&mut Directory> {
        match &mut self.content {
            Content::Dir(directory) => Some(Arc::make_mut(directory)),
            Content::File(_) | Content::Link(_) | Content::Socket(_) | Content::Device(_) => None,
        }
    }

    /// The socket that it is a name of, if it is one.
    pub(crate) const fn socket(&self) -> Option<SocketKey> {
        match self.content {
            Content::Socket(socket) => Some(socket),
            Content::Dir(_) | Content::File(_) | Content::Link(_) | Content::Device(_) => None,
        }
    }

    /// The device that it is, if it is one.
    pub(crate) const fn device(&self) -> Option<Device> {
        match self.content {
            Content::Device(device) => Some(device),
            Content::Dir(_) | Content::File(_) | Content::Link(_) | Content::Socket(_) => None,
        }
    }

    /// The bytes in it, if it is a regular file.
    pub(crate) const fn pages(&self) -> Option<&Pages> {
        match &self.content {
            Content::File(pages) => Some(pages),
            Content::Dir(_) | Content::Link(_) | Content::Socket(_) | Content::Device(_) => None,
        }
    }
}

impl Directory {
    pub(crate) fn get(&self, name: &[u8]) -> Option<TmpKey> {
        self.entries.get(name).map(|entry| entry.node)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The name of a node in it.
    pub(crate) fn name_of(&self, node: TmpKey) -> Option<&[u8]> {
        self.entries.iter().find(|(_, entry)| entry.node == node).map(|(name, _)| &**name)
    }

    /// Names and nodes, the newest first, as the kernels list them.
    pub(crate) fn newest_first(&self) -> Vec<(&[u8], TmpKey)> {
        let mut all: Vec<(&Box<[u8]>, &Entry)> = self.entries.iter().collect();
        all.sort_unstable_by_key(|(_, entry)| std::cmp::Reverse(entry.number));
        all.into_iter().map(|(name, entry)| (&**name, entry.node)).collect()
    }

    fn insert(&mut self, name: &[u8], node: TmpKey) {
        self.last += 1;
        self.entries.insert(name.into(), Entry { number: self.last, node });
    }
}

/// Whether one more node fits: ENOSPC if not.
pub(crate) fn room_for_node(vfs: &Vfs, mount: MountKey) -> Result<(), Errno> {
    let room = vfs.room(mount);
    if room.most_nodes != 0 && room.nodes >= room.most_nodes { Err(Errno::ENOSPC) } else { Ok(()) }
}

/// Puts a new node under a free name.
pub(crate) fn add(
    vfs: &mut Vfs,
    mount: MountKey,
    directory: TmpKey,
    name: &[u8],
    mut node: TmpNode,
) -> TmpKey {
    let room = vfs.room_mut(mount);
    room.nodes += 1;
    // A filesystem that was made with an empty room (sysfs) begins here.
    room.last_inode = room.last_inode.max(1) + 1;
    node.inode = room.last_inode;
    let is_dir = node.kind() == FileKind::Dir;
    let modified = node.modified;
    let key = vfs.tmp.insert(node);
    let above = vfs.tmp.at_mut(directory);
    above.modified = modified;
    above.links += u32::from(is_dir);
    if let Some(names) = above.names_mut() {
        names.insert(name, key);
    }
    key
}

/// Gives a file one more name.
pub(crate) fn link(
    vfs: &mut Vfs,
    mount: MountKey,
    directory: TmpKey,
    name: &[u8],
    node: TmpKey,
    now: Moment,
) {
    // Another name counts as a node (tmpfs(5), nr_inodes).
    vfs.room_mut(mount).nodes += 1;
    vfs.tmp.at_mut(node).links += 1;
    let above = vfs.tmp.at_mut(directory);
    above.modified = now;
    if let Some(names) = above.names_mut() {
        names.insert(name, node);
    }
}

/// Takes a name away; the node goes with its last name and user. A directory is empty.
pub(crate) fn remove(vfs: &mut Vfs, mount: MountKey, directory: TmpKey, name: &[u8], now: Moment) {
    let above = vfs.tmp.at_mut(directory);
    above.modified = now;
    let Some(entry) = above.names_mut().and_then(|names| names.entries.remove(name)) else {
        return;
    };
    let node = vfs.tmp.at_mut(entry.node);
    if node.kind() == FileKind::Dir {
        node.links = 0;
        vfs.paths.forget();
        vfs.tmp.at_mut(directory).links -= 1;
        note_lost(vfs, directory, name, entry.node);
        free_if_unused(vfs, mount, entry.node);
        return;
    }
    node.links -= 1;
    if node.links > 0 {
        vfs.room_mut(mount).nodes -= 1;
    }
    note_lost(vfs, directory, name, entry.node);
    free_if_unused(vfs, mount, entry.node);
}

/// A node that is used and has no name is still known by its last one.
fn note_lost(vfs: &mut Vfs, directory: TmpKey, name: &[u8], node: TmpKey) {
    let record = vfs.tmp.at(node);
    if record.links == 0 && record.users > 0 {
        notify::lost(vfs, node, directory, name);
    }
}

/// Moves a node to another name, which is free.
pub(crate) fn rename(
    vfs: &mut Vfs,
    (old, old_name): (TmpKey, &[u8]),
    (new, new_name): (TmpKey, &[u8]),
    now: Moment,
) {
    let from = vfs.tmp.at_mut(old);
    from.modified = now;
    let Some(entry) = from.names_mut().and_then(|names| names.entries.remove(old_name)) else {
        return;
    };
    let moved = vfs.tmp.at_mut(entry.node);
    let is_dir = moved.kind() == FileKind::Dir;
    if let Some(names) = moved.names_mut() {
        names.parent = Some(new);
    }
    if is_dir {
        vfs.paths.forget();
    }
    vfs.tmp.at_mut(old).links -= u32::from(is_dir);
    let to = vfs.tmp.at_mut(new);
    to.links += u32::from(is_dir);
    to.modified = now;
    if let Some(names) = to.names_mut() {
        names.insert(new_name, entry.node);
    }
}

/// A user of a node has gone.
pub(crate) fn let_go(vfs: &mut Vfs, mount: MountKey, key: TmpKey) {
    let node = vfs.tmp.at_mut(key);
    node.users -= 1;
    if node.users == 0 && node.links == 0 {
        free_if_unused(vfs, mount, key);
    }
}

fn free_if_unused(vfs: &mut Vfs, mount: MountKey, key: TmpKey) {
    let node = vfs.tmp.at(key);
    if node.links > 0 || node.users > 0 {
        return;
    }
    let pages = node.pages().map_or(0, Pages::page_count);
    notify::gone(vfs, key);
    vfs.tmp.remove(key);
    let room = vfs.room_mut(mount);
    room.nodes -= 1;
    room.pages -= pages;
}

/// All nodes of a filesystem; a file with two names comes once.
pub(crate) fn all_below(vfs: &Vfs, root: TmpKey) -> Vec<TmpKey> {
    let mut all = BTreeSet::new();
    let mut left = vec![root];
    while let Some(key) = left.pop() {
        if all.insert(key)
            && let Some(directory) = vfs.tmp.at(key).names()
        {
            left.extend(directory.entries.values().map(|entry| entry.node));
        }
    }
    all.into_iter().collect()
}

/// Frees all of a filesystem whose mount nobody uses any more.
pub(crate) fn free_all(vfs: &mut Vfs, root: TmpKey) {
    let mut left = vec![root];
    while let Some(key) = left.pop() {
        // A file with two names comes twice.
        let Some(node) = vfs.tmp.remove(key) else { continue };
        if let Content::Dir(directory) = node.content {
            left.extend(directory.entries.values().map(|entry| entry.node));
        }
    }
}

/// Changes a regular file's bytes, and counts the pages that come and go.
pub(crate) fn change_pages(
    vfs: &mut Vfs,
    mount: MountKey,
    key: TmpKey,
    now: Moment,
    change: impl FnOnce(&mut Pages),
) {
    vfs.tmp.at_mut(key).modified = now;
    count_pages(vfs, mount, key, change);
}

/// The same for who only touches memory: the file counts as unchanged.
pub(crate) fn count_pages(
    vfs: &mut Vfs,
    mount: MountKey,
    key: TmpKey,
    change: impl FnOnce(&mut Pages),
) {
    let Content::File(pages) = &mut vfs.tmp.at_mut(key).content else { return };
    let before = pages.page_count();
    change(pages);
    let after = pages.page_count();
    let room = vfs.room_mut(mount);
    room.pages = room.pages + after - before;
}

/// From now on a file's pages are somebody's memory.
pub(crate) fn set_payer(vfs: &mut Vfs, key: TmpKey, payer: Payer) {
    if let Content::File(pages) = &mut vfs.tmp.at_mut(key).content {
        pages.payer = Some(payer);
    }
}

/// Puts bytes into pages that are there, through a map: the file is as long as it was. Every such write counts as a change of
/// the file; Linux sees only the first to each page.
pub(crate) fn poke(vfs: &mut Vfs, key: TmpKey, offset: u64, bytes: &[u8], now: Moment) {
    let node = vfs.tmp.at_mut(key);
    node.modified = now;
    if let Content::File(pages) = &mut node.content {
        pages.poke(offset, bytes);
    }
}

/// How many more pages fit.
pub(crate) fn free_pages(vfs: &Vfs, mount: MountKey) -> u64 {
    let room = vfs.room(mount);
    if room.most_pages == 0 { u64::MAX } else { room.most_pages.saturating_sub(room.pages) }
}

/// The directory above; a mount's root is its own.
pub(crate) fn parent(vfs: &Vfs, key: TmpKey) -> TmpKey {
    vfs.tmp.at(key).names().and_then(|names| names.parent).unwrap_or(key)
}
