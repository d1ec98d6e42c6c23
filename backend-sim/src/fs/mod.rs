//! The virtual filesystem: names, mounts, open files, permissions. What a filesystem does with a name is in its own module:
//! [`tmpfs`] here, `cgroup::filesystem`, [`proc`].
//!
//! A [`Node`] is a file or directory of any filesystem; a [`Spot`] is a node as reached through a mount. Nodes of cgroup and
//! proc filesystems are not stored: they are named by the group or process and the row of their table.

use rustc_hash::FxHashMap;
use standin::backend::{AccessMode, FileKind, FilesystemType, MountFlags, OpenFlags};
use standin::id::{Bytes, Device, Gid, Inode, Mode, Moment, Uid};

use crate::cgroup::{CgroupKey, RowId};
use crate::profile::Profile;
use crate::table::{Key, Table};
use crate::task::{Credentials, ProcessKey};

pub(crate) type MountKey = Key<Mount>;
pub(crate) type FileKey = Key<OpenFile>;
pub(crate) type TmpKey = Key<tmpfs::TmpNode>;

/// Mounts, open files and the nodes of filesystems that store them.
pub(crate) struct Vfs {
    pub(crate) mounts: Table<Mount>,
    /// The mount that `/` starts from.
    pub(crate) root: Spot,
    pub(crate) files: Table<OpenFile>,
    pub(crate) tmp: Table<tmpfs::TmpNode>,
    /// Mounts by what they cover.
    pub(crate) covers: FxHashMap<Spot, MountKey>,
}

/// A file or directory of some filesystem.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Node {
    /// A node of a tmpfs.
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
pub(crate) struct Spot {
    pub(crate) mount: MountKey,
    pub(crate) node: Node,
}

/// A mounted filesystem.
pub(crate) struct Mount {
    pub(crate) kind: FilesystemType,
    pub(crate) root: Node,
    /// What it covers; `None` for the first.
    pub(crate) on: Option<Spot>,
    pub(crate) flags: MountFlags,
    pub(crate) device: Device,
    /// Open files, working directories and mounts that keep it busy.
    pub(crate) users: u32,
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
pub(crate) struct OpenFile {
    pub(crate) spot: Spot,
    pub(crate) access: AccessMode,
    pub(crate) flags: OpenFlags,
    pub(crate) offset: u64,
    /// Who opened it: what a cgroup file lets be written depends on it, not on the writer.
    pub(crate) opener: Credentials,
    /// Descriptors that lead here.
    pub(crate) descriptors: u32,
    /// What the object behind it is, besides its node.
    pub(crate) kind: OpenKind,
}

/// What stands behind an open file.
pub(crate) enum OpenKind {
    /// A file or directory of a filesystem. `seen` is the count of changes that the last read from the start saw
    /// (`None`: never read), for priority polls.
    Node { seen: Option<u64>, served: Option<u64> },
    /// A process handle.
    Process(ProcessKey),
}

/// A process's descriptors, by number.
#[derive(Clone, Default)]
pub(crate) struct Descriptors {
    pub(crate) slots: Vec<Option<FileKey>>,
}

pub(crate) mod descriptors;
pub(crate) mod proc;
pub(crate) mod tmpfs;

impl Vfs {
    /// The mounts of a machine that has just booted.
    pub(crate) fn boot(profile: &Profile, cgroup_root: CgroupKey) -> Self {
        let _ = profile;
        let mut mounts = Table::default();
        let mount = mounts.insert(Mount {
            kind: FilesystemType::CGROUP2,
            root: Node::Cgroup(cgroup_root),
            on: None,
            flags: MountFlags::empty(),
            device: Device(1),
            users: 0,
        });
        let root = Spot { mount, node: Node::Cgroup(cgroup_root) };
        Self { mounts, root, files: Table::default(), tmp: Table::default(), covers: FxHashMap::default() }
    }
}
