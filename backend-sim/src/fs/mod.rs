//! The virtual filesystem: names, mounts, open files, permissions. What a filesystem does with a name is in its own module:
//! [`tmpfs`] here, `cgroup::filesystem`, [`proc`].
//!
//! A [`Node`] is a file or directory of any filesystem; a [`Spot`] is a node as reached through a mount. Nodes of cgroup and
//! proc filesystems are not stored: they are named by the group or process and the row of their table.
//!
//! A path becomes a spot in [`walk`], step by step in [`lookup`] or from [`memory`], with the permissions that [`permission`] knows. What is
//! done with names is in [`open`], [`names`], [`rename`], [`attributes`], [`xattr`], [`mount`] and, with others for namespaces, [`tree`] and [`propagation`]; what is done with open files in
//! [`transfer`] (through [`serve`] where the text is made when it is read) and [`lock`]. [`descriptors`] is a process's table.

use std::sync::Arc;

use rustc_hash::FxHashMap;
use standin::backend::{AccessMode, FileKind, FilesystemType, MountFlags, OpenFlags};
use standin::id::{Bytes, Device, Gid, Inode, Mode, Moment, Uid};

use crate::cgroup::{CgroupKey, HierarchyId, RowId, filesystem};
use crate::counter::CounterKey;
use crate::kernel::Kernel;
use crate::namespace::Held;
use crate::namespace::mount::MountNsKey;
use crate::namespace::pid::{Inner, PidNsKey};
use crate::namespace::user::UserNs;
use crate::notify::{Notify, WatcherKey};
use crate::pipe::{PipeEnd, PipeKey};
use crate::socket::SocketKey;
use crate::stock::Stock;
use crate::table::{Key, Table};
use crate::task::{Opener, ProcessKey, ThreadKey};

pub(crate) mod attributes;
mod boot;
mod cached;
mod component;
pub(crate) mod content;
pub(crate) mod descriptors;
pub(crate) mod device;
pub(crate) mod lock;
pub(crate) mod lookup;
mod memory;
pub(crate) mod mount;
mod mount_options;
pub(crate) mod names;
pub(crate) mod open;
pub(crate) mod opened;
pub(crate) mod permission;
pub(crate) mod proc;
mod propagation;
pub(crate) mod rename;
pub(crate) mod serve;
pub(crate) mod tmpfs;
pub(crate) mod transfer;
pub(crate) mod tree;
pub(crate) mod walk;
pub(crate) mod xattr;

pub(crate) use descriptors::Descriptors;
pub(crate) use lock::Lockable;

/// A word of ours. (A name for the type, so that serde's derive does not take it for text that it may borrow.)
type Word = &'static str;

pub(crate) type MountKey = Key<Mount>;
pub(crate) type FileKey = Key<OpenFile>;
pub(crate) type RoomKey = Key<tmpfs::Room>;
pub(crate) type TmpKey = Key<tmpfs::TmpNode>;

/// Mounts, open files and the nodes of filesystems that store them.
#[derive(Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Vfs {
    pub(crate) mounts: Table<Mount>,
    /// What is counted for filesystems, each however often it is mounted.
    pub(crate) rooms: Table<tmpfs::Room>,
    /// Where `/` is for who has no mount namespace of its own.
    pub(crate) root: Spot,
    pub(crate) files: Table<OpenFile>,
    pub(crate) tmp: Table<tmpfs::TmpNode>,
    /// Mounts by what they cover.
    #[cfg_attr(feature = "serde", serde(with = "crate::written::map"))]
    pub(crate) covers: FxHashMap<Spot, MountKey>,
    /// How many of these cover a node that has no mark of its own (of cgroup2 or /proc).
    pub(crate) unmarked_covers: u32,
    /// Where paths led before.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub(crate) paths: memory::PathMemory,
    /// Who has locked what (flock(2)).
    pub(crate) locks: lock::Locks,
    /// Who watches what (inotify(7)).
    pub(crate) notify: Notify,
    /// What was written to settings of the whole machine (/proc/sys).
    pub(crate) settings: proc::sysctl::Settings,
    /// The minor number of the filesystem that was made last.
    pub(crate) last_minor: u32,
    /// How many mounts were made since the machine began.
    pub(crate) mounts_made: u64,
    /// The lowest number of a mount that was made after the first.
    pub(crate) first_mount: u32,
    /// Room for the text of a file that is made when it is read; kept for its memory.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub(crate) scratch: Vec<u8>,
}

/// A file or directory of some filesystem.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) enum Node {
    /// A node of a tmpfs, or of another filesystem that is nothing but names (sysfs).
    Tmp(TmpKey),
    /// A cgroup's directory.
    Cgroup(CgroupKey),
    /// A control file of a cgroup.
    Control(CgroupKey, RowId),
    /// A file or directory of /proc.
    Proc(proc::ProcNode),
}

/// A node as reached through a mount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Spot {
    pub(crate) mount: MountKey,
    pub(crate) node: Node,
}

/// Who can reach a mount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) enum Home {
    /// Who is in the first mount namespace.
    First,
    /// Who is in this one.
    Of(MountNsKey),
    /// Nobody but those who use it already.
    Nowhere,
}

/// A mounted filesystem.
#[derive(Clone, Copy)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Mount {
    pub(crate) kind: FilesystemType,
    pub(crate) root: Node,
    /// What it covers; `None` for the first.
    pub(crate) on: Option<Spot>,
    /// `READ_ONLY`, `NO_SUID`, `NO_DEV`, `NO_EXEC`, as the mount has them.
    pub(crate) flags: MountFlags,
    /// The filesystem itself is read-only, however it is mounted.
    pub(crate) read_only: bool,
    pub(crate) device: Device,
    /// Open files, working directories and mounts that keep it busy.
    pub(crate) users: u32,
    /// What a tmpfs may hold and holds.
    pub(crate) room: RoomKey,
    pub(crate) home: Home,
    /// The user namespace that the filesystem was mounted in: its ids are the only ones that it keeps.
    pub(crate) owner: UserNs,
    /// It was there before the namespace: it stays where it is, and keeps these flags.
    pub(crate) is_locked: bool,
    pub(crate) locked_flags: MountFlags,
    pub(crate) ties: propagation::Ties,
    /// Its number: the lowest that was free.
    pub(crate) number: u32,
    /// How many mounts were made before it.
    pub(crate) order: u64,
    /// The filesystem's type, which is what was mounted too.
    #[cfg_attr(feature = "serde", serde(with = "crate::written::word"))]
    pub(crate) name: Word,
    pub(crate) born: Born,
}

/// What a filesystem was mounted with and still tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) enum Born {
    /// Nothing.
    Plain,
    /// A v1 hierarchy.
    Hierarchy(HierarchyId),
    /// /proc of a nested PID namespace, which the mount holds.
    Proc(PidNsKey),
    /// The root of a tmpfs.
    Tmpfs(Mode, Uid, Gid),
}

/// What every node has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attributes {
    pub(crate) kind: FileKind,
    pub(crate) mode: Mode,
    pub(crate) owner: Uid,
    pub(crate) group: Gid,
    pub(crate) size: Bytes,
    pub(crate) links: u32,
    pub(crate) modified: Moment,
    pub(crate) inode: Inode,
}

/// A change of attributes; `None` leaves one.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct AttributeChange {
    pub(crate) mode: Option<Mode>,
    pub(crate) owner: Option<Uid>,
    pub(crate) group: Option<Gid>,
}

/// An open file description: what descriptors of one or several processes share.
#[derive(Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct OpenFile {
    /// What was opened; of a file that stands nowhere (a process handle) the root, which it does not keep.
    pub(crate) spot: Spot,
    pub(crate) access: AccessMode,
    pub(crate) flags: OpenFlags,
    pub(crate) offset: u64,
    /// Who opened it: what a cgroup file lets be written depends on it, not on the writer.
    pub(crate) opener: Opener,
    /// Descriptors that lead here, and maps that show it.
    pub(crate) descriptors: u32,
    /// What the object behind it is, besides its node.
    pub(crate) kind: OpenKind,
}

/// What stands behind an open file.
#[derive(Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) enum OpenKind {
    /// A file or directory of a filesystem.
    Node(serve::Served),
    /// A process handle, and the numbers of the process in nested PID namespaces.
    Process(ProcessKey, Option<Arc<Inner>>),
    /// A local socket.
    Socket(SocketKey),
    /// An end of a pipe.
    Pipe(PipeKey, PipeEnd),
    /// An event counter.
    Counter(CounterKey),
    /// A set of watches.
    Watcher(WatcherKey),
    /// A namespace handle.
    Namespace(Held),
}

impl Vfs {
    /// How much there is of each.
    pub(crate) fn take_stock(&self, all: &mut Stock) {
        all.table("mounts", &self.mounts);
        all.table("filesystems", &self.rooms);
        all.table("open files", &self.files);
        all.table("files of tmpfs", &self.tmp);
        all.map("covered directories", self.covers.len());
        self.locks.take_stock(all);
        self.notify.take_stock(all);
    }
}

impl OpenFile {
    /// Whether read(2) may be tried: neither write-only nor a place alone.
    pub(crate) const fn reads(&self) -> bool {
        matches!(self.access, AccessMode::Read | AccessMode::ReadWrite)
    }

    /// Whether write(2) may be tried.
    pub(crate) const fn writes(&self) -> bool {
        matches!(self.access, AccessMode::Write | AccessMode::ReadWrite)
    }

    /// Whether it stands in a filesystem.
    pub(crate) const fn is_named(&self) -> bool {
        matches!(self.kind, OpenKind::Node(_))
    }
}

/// An open file, a working directory or a mount begins to use a spot.
pub(crate) fn keep(kernel: &mut Kernel, spot: Spot) {
    kernel.vfs.mounts.at_mut(spot.mount).users += 1;
    match spot.node {
        Node::Tmp(key) => kernel.vfs.tmp.at_mut(key).users += 1,
        Node::Cgroup(_) | Node::Control(..) => filesystem::keep(kernel, spot.node),
        Node::Proc(_) => {}
    }
}

/// It ends to.
pub(crate) fn let_go(kernel: &mut Kernel, spot: Spot) {
    let mount = kernel.vfs.mounts.at_mut(spot.mount);
    mount.users -= 1;
    let is_last = mount.users == 0 && mount.home == Home::Nowhere;
    match spot.node {
        Node::Tmp(key) => tmpfs::let_go(&mut kernel.vfs, spot.mount, key),
        Node::Cgroup(_) | Node::Control(..) => filesystem::let_go(kernel, spot.node),
        Node::Proc(_) => {}
    }
    if is_last {
        tree::end_if_unused(kernel, spot.mount);
    }
}

/// What a node is.
pub(crate) fn kind(kernel: &Kernel, node: Node) -> FileKind {
    match node {
        Node::Tmp(key) => kernel.vfs.tmp.at(key).kind(),
        Node::Cgroup(_) => FileKind::Dir,
        Node::Control(..) => FileKind::File,
        Node::Proc(node) => proc::kind(node),
    }
}

/// A node's attributes, as this caller sees them.
pub(crate) fn attributes_of(kernel: &Kernel, caller: ThreadKey, node: Node) -> Attributes {
    match node {
        Node::Tmp(key) => kernel.vfs.tmp.at(key).attributes(),
        Node::Cgroup(_) | Node::Control(..) => filesystem::attributes(kernel, node),
        Node::Proc(node) => proc::attributes(kernel, caller, node),
    }
}

/// Whether a directory was removed, and is kept by those who still use it.
pub(crate) fn is_dead(kernel: &Kernel, node: Node) -> bool {
    match node {
        Node::Tmp(key) => kernel.vfs.tmp.at(key).links == 0,
        Node::Cgroup(_) | Node::Control(..) => !filesystem::alive(kernel, node),
        Node::Proc(node) => !proc::alive(kernel, node),
    }
}

/// The process of a thread.
pub(crate) fn process_of(kernel: &Kernel, thread: ThreadKey) -> ProcessKey {
    kernel.tasks.threads.at(thread).process
}
