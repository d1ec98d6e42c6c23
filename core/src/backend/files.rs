//! Files: cgroup, cgroup2 and proc filesystems, and the ordinary files that libraries keep.

use std::fmt;

use bitflags::bitflags;

use super::{Listing, OpenOptions};

use crate::handle::{Descriptor, Dir, File, Watcher};
use crate::id::{Bytes, CgroupId, Device, Gid, Inode, Mode, Moment, Uid, WatchId};
use crate::path::{Follow, KPath, KPathBuf, Place};

super::operations! {
    /// Operations on names and open files.
    pub trait Files {
        /// open(2), openat2(2): opens or makes a file. A control file is opened only if the opener may use it; what it
        /// may write is decided by the credentials at open (cgroup-v2.rst, Delegation Containment).
        ///
        /// Errno: ENOENT (no such name), EACCES (search, read, write or, in a cgroup directory, creation), EISDIR (a
        /// directory opened for writing), EEXIST, ENOTDIR, ELOOP, ENAMETOOLONG, EMFILE, ENODEV.
        fn open(&self, place: Place<'_>, options: &OpenOptions) -> File;

        /// open(2) with `O_DIRECTORY | O_RDONLY`: a directory to list, to start paths from and to be born in.
        ///
        /// Errno: as [`open`](Files::open), and ENOTDIR.
        fn open_dir(&self, place: Place<'_>) -> Dir;

        /// read(2) at the file's own offset. 0 is the end.
        ///
        /// Errno: EBADF (not open for reading), EISDIR, ENODEV (its cgroup is gone), EAGAIN, EINTR.
        fn read(&self, file: &File, buffer: &mut [u8]) -> usize;

        /// write(2) at the file's own offset; a control file takes each write as one whole value.
        ///
        /// Errno: EBADF, EINVAL and ERANGE (the value), EBUSY, EOPNOTSUPP and ESRCH (the rule that stands in the way),
        /// EACCES (what the opener may not move), ENODEV (its cgroup is gone), ENOSPC, EFBIG.
        fn write(&self, file: &File, bytes: &[u8]) -> usize;

        /// pread(2).
        fn pread(&self, file: &File, buffer: &mut [u8], offset: Bytes) -> usize;

        /// pwrite(2). Control files ignore the offset. On a descriptor open for reading only, cgroup files answer EBADF
        /// after ESPIPE was ruled out.
        fn pwrite(&self, file: &File, bytes: &[u8], offset: Bytes) -> usize;

        /// getdents64(2) to the end: names without `.` and `..`, in the kernel's order. A removed directory is empty.
        fn list(&self, directory: &Dir) -> Listing;

        /// mkdir(2); in a cgroup filesystem, a new cgroup.
        ///
        /// Errno: EEXIST, EACCES, ENOENT, EAGAIN (cgroup.max.depth or cgroup.max.descendants), EINVAL (a newline in a
        /// cgroup's name), ENAMETOOLONG, EROFS.
        fn mkdir(&self, place: Place<'_>, mode: Mode) -> ();

        /// rmdir(2); in a cgroup filesystem, the end of a cgroup: of members, zombies do not count.
        ///
        /// Errno: EBUSY (live members or child groups), ENOTEMPTY (other filesystems), ENOTDIR, ENOENT, EACCES, EPERM.
        fn rmdir(&self, place: Place<'_>) -> ();

        /// unlink(2).
        fn unlink(&self, place: Place<'_>) -> ();

        /// link(2): `new` becomes another name of `old`.
        fn link(&self, old: Place<'_>, new: Place<'_>) -> ();

        /// symlink(2): makes a link that leads to `target`.
        fn symlink(&self, target: &KPath, place: Place<'_>) -> ();

        /// readlink(2).
        fn readlink(&self, place: Place<'_>) -> KPathBuf;

        /// rename(2). Cgroup2 directories cannot be renamed: EPERM.
        fn rename(&self, old: Place<'_>, new: Place<'_>) -> ();

        /// truncate(2), ftruncate(2) with [`Place::of`].
        fn truncate(&self, place: Place<'_>, length: Bytes) -> ();

        /// fallocate(2) with mode 0.
        fn fallocate(&self, file: &File, offset: Bytes, length: Bytes) -> ();

        /// fsync(2).
        fn fsync(&self, file: &File) -> ();

        /// flock(2). Blocks while another open file holds a lock that conflicts, unless [`Lock::nonblocking`] says
        /// EAGAIN.
        fn flock(&self, descriptor: &Descriptor, lock: Lock) -> ();

        /// stat(2), lstat(2), fstat(2).
        fn stat(&self, place: Place<'_>, follow: Follow) -> Stat;

        /// chmod(2).
        fn chmod(&self, place: Place<'_>, mode: Mode) -> ();

        /// chown(2), lchown(2); `None` leaves an owner.
        fn chown(&self, place: Place<'_>, owner: Option<Uid>, group: Option<Gid>, follow: Follow) -> ();

        /// faccessat2(2) with `AT_EACCESS`: may the caller, as it is now, do this? EACCES or EROFS if not.
        fn access(&self, place: Place<'_>, access: Access) -> ();

        /// statfs(2): which filesystem a name stands on.
        fn statfs(&self, place: Place<'_>) -> FilesystemType;

        /// setxattr(2), lsetxattr(2).
        ///
        /// Errno: EOPNOTSUPP (a name space that the filesystem does not keep), ENODATA and EEXIST (see [`XattrMode`]),
        /// EPERM, EACCES, ERANGE (name), E2BIG and ENOSPC (value).
        fn set_xattr(&self, place: Place<'_>, follow: Follow, name: &KPath, value: &[u8], mode: XattrMode) -> ();

        /// getxattr(2), lgetxattr(2): the whole value.
        fn get_xattr(&self, place: Place<'_>, follow: Follow, name: &KPath) -> Vec<u8>;

        /// listxattr(2), llistxattr(2): the names that the caller may see, in the kernel's order.
        fn list_xattrs(&self, place: Place<'_>, follow: Follow) -> Vec<KPathBuf>;

        /// removexattr(2), lremovexattr(2).
        fn remove_xattr(&self, place: Place<'_>, follow: Follow, name: &KPath) -> ();

        /// name_to_handle_at(2): bytes that stand for the file itself, whatever its name; of a cgroup, its id.
        fn file_handle(&self, place: Place<'_>) -> Vec<u8>;

        /// inotify_init1(2).
        fn watcher(&self, nonblocking: bool) -> Watcher;

        /// inotify_add_watch(2).
        fn watch(&self, watcher: &Watcher, place: Place<'_>, events: WatchFlags) -> WatchId;

        /// inotify_rm_watch(2).
        fn unwatch(&self, watcher: &Watcher, watch: WatchId) -> ();

        /// read(2) of all that is queued; blocks while nothing is, unless the watcher does not block: EAGAIN.
        fn watched(&self, watcher: &Watcher) -> Vec<WatchEvent>;

        /// mount(2).
        fn mount(&self, kind: &KPath, target: Place<'_>, flags: MountFlags, options: &KPath) -> ();

        /// umount2(2) without flags. EBUSY while a file, working directory or mount keeps it.
        fn umount(&self, target: Place<'_>) -> ();

        /// chdir(2), fchdir(2) with [`Place::of`].
        fn chdir(&self, place: Place<'_>) -> ();
    }
}

/// What a name stands for (inode(7)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FileKind {
    /// A regular file; a control file too.
    File,
    /// A directory; a cgroup too.
    Dir,
    /// A symbolic link.
    Link,
    /// A named pipe.
    Fifo,
    /// A local socket.
    Socket,
    /// A character device.
    Character,
    /// A block device.
    Block,
    /// Anything else that a handle may stand for.
    Other,
}

impl fmt::Display for FileKind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::File => "file",
            Self::Dir => "dir",
            Self::Link => "link",
            Self::Fifo => "fifo",
            Self::Socket => "socket",
            Self::Character => "char",
            Self::Block => "block",
            Self::Other => "other",
        })
    }
}

/// What stat(2) tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stat {
    /// What it is.
    pub kind: FileKind,
    /// Permission bits.
    pub mode: Mode,
    /// Owner.
    pub owner: Uid,
    /// Group.
    pub group: Gid,
    /// Length.
    pub size: Bytes,
    /// Number of names.
    pub links: u32,
    /// Last change of the content, on the realtime clock.
    pub modified: Moment,
    /// Which filesystem.
    pub device: Device,
    /// Which file of it.
    pub inode: Inode,
}

impl Stat {
    /// The cgroup's id, if this is the directory of a cgroup: the inode number (cgroup-v2.rst). What `Stat` cannot
    /// know is whether it is one: ask [`Files::statfs`].
    #[must_use]
    pub const fn cgroup_id(&self) -> CgroupId {
        CgroupId(self.inode.0)
    }
}

/// The type of a filesystem: `f_type` of statfs(2).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct FilesystemType(pub u64);

impl FilesystemType {
    /// A v1 hierarchy.
    pub const CGROUP: Self = Self(0x0027_e0eb);
    /// The v2 hierarchy.
    pub const CGROUP2: Self = Self(0x6367_7270);
    /// /proc
    pub const PROC: Self = Self(0x9fa0);
    /// A tmpfs.
    pub const TMPFS: Self = Self(0x0102_1994);
    /// /sys
    pub const SYSFS: Self = Self(0x6265_6572);

    /// The name that mount(8) gives it, if it is one of these.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        match self {
            Self::CGROUP => Some("cgroup"),
            Self::CGROUP2 => Some("cgroup2"),
            Self::PROC => Some("proc"),
            Self::TMPFS => Some("tmpfs"),
            Self::SYSFS => Some("sysfs"),
            _ => None,
        }
    }
}

bitflags! {
    /// What access(2) asks for; nothing asked is "does it exist".
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub struct Access: u32 {
        /// `X_OK`
        const EXECUTE = 1;
        /// `W_OK`
        const WRITE = 2;
        /// `R_OK`
        const READ = 4;
    }
}

/// Whether an extended attribute must be new or old.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum XattrMode {
    /// Either.
    #[default]
    Set,
    /// `XATTR_CREATE`: EEXIST if it is there.
    Create,
    /// `XATTR_REPLACE`: ENODATA if it is not.
    Replace,
}

/// What flock(2) does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lock {
    /// `LOCK_SH`
    Shared {
        /// EAGAIN instead of waiting.
        nonblocking: bool,
    },
    /// `LOCK_EX`
    Exclusive {
        /// EAGAIN instead of waiting.
        nonblocking: bool,
    },
    /// `LOCK_UN`
    Unlock,
}

impl Lock {
    /// Whether it answers EAGAIN instead of waiting.
    #[must_use]
    pub const fn nonblocking(self) -> bool {
        match self {
            Self::Shared { nonblocking } | Self::Exclusive { nonblocking } => nonblocking,
            Self::Unlock => true,
        }
    }
}

bitflags! {
    /// Events to watch for, and what happened (inotify(7)); the numbers are inotify's.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
    pub struct WatchFlags: u32 {
        /// `IN_ACCESS`
        const ACCESS = 0x1;
        /// `IN_MODIFY`
        const MODIFY = 0x2;
        /// `IN_ATTRIB`
        const ATTRIB = 0x4;
        /// `IN_CLOSE_WRITE`
        const CLOSE_WRITE = 0x8;
        /// `IN_CLOSE_NOWRITE`
        const CLOSE_NOWRITE = 0x10;
        /// `IN_OPEN`
        const OPEN = 0x20;
        /// `IN_MOVED_FROM`
        const MOVED_FROM = 0x40;
        /// `IN_MOVED_TO`
        const MOVED_TO = 0x80;
        /// `IN_CREATE`
        const CREATE = 0x100;
        /// `IN_DELETE`
        const DELETE = 0x200;
        /// `IN_DELETE_SELF`
        const DELETE_SELF = 0x400;
        /// `IN_MOVE_SELF`
        const MOVE_SELF = 0x800;
        /// `IN_UNMOUNT`
        const UNMOUNT = 0x2000;
        /// `IN_Q_OVERFLOW`
        const QUEUE_OVERFLOW = 0x4000;
        /// `IN_IGNORED`
        const IGNORED = 0x8000;
        /// `IN_ONLYDIR`
        const ONLY_DIR = 0x0100_0000;
        /// `IN_DONT_FOLLOW`
        const DONT_FOLLOW = 0x0200_0000;
        /// `IN_MASK_CREATE`
        const MASK_CREATE = 0x1000_0000;
        /// `IN_MASK_ADD`
        const MASK_ADD = 0x2000_0000;
        /// `IN_ISDIR`
        const IS_DIR = 0x4000_0000;
        /// `IN_ONESHOT`
        const ONESHOT = 0x8000_0000;
    }
}

/// Something that a watched file did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatchEvent {
    /// Which watch saw it.
    pub watch: WatchId,
    /// What happened.
    pub flags: WatchFlags,
    /// Joins the two halves of a rename; 0 if there is nothing to join.
    pub cookie: u32,
    /// The name in the watched directory, if it is about one.
    pub name: Option<KPathBuf>,
}

bitflags! {
    /// Flags of mount(2).
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
    pub struct MountFlags: u64 {
        /// `MS_RDONLY`
        const READ_ONLY = 1;
        /// `MS_NOSUID`
        const NO_SUID = 2;
        /// `MS_NODEV`
        const NO_DEV = 4;
        /// `MS_NOEXEC`
        const NO_EXEC = 8;
        /// `MS_REMOUNT`
        const REMOUNT = 32;
        /// `MS_BIND`
        const BIND = 4096;
        /// `MS_REC`
        const RECURSIVE = 16384;
        /// `MS_PRIVATE`
        const PRIVATE = 1 << 18;
        /// `MS_SLAVE`
        const SLAVE = 1 << 19;
        /// `MS_SHARED`
        const SHARED = 1 << 20;
    }
}
