//! What a path leads to, as an actor would find it: a control file, a file of the host, a place of its own.
//!
//! The walk is made by the runner, in the actor's root and working directory. It changes nothing; nobody hears of it.

#![expect(unsafe_code, reason = "open_by_handle_at(2) has no wrapper")]

use std::io;
use std::os::fd::{AsFd, AsRawFd as _, FromRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;

use rustix::fs::{
    AtFlags, CWD, FileType, Mode, OFlags, ResolveFlags, Stat, fstat, fstatfs, major, minor, open,
    openat2, readlink, statat,
};
use standin::path::KPath;

use super::host::Host;

/// Magic numbers of statfs(2).
mod magic {
    pub(super) const CGROUP: u64 = 0x0027_e0eb;
    pub(super) const CGROUP2: u64 = 0x6367_7270;
    pub(super) const PROC: u64 = 0x9fa0;
    pub(super) const TMPFS: u64 = 0x0102_1994;
}

/// What kind of filesystem something is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Soil {
    /// A hierarchy.
    Group,
    /// /proc.
    Proc,
    /// A tmpfs that the host does not have.
    Own,
    /// Any other: the host's.
    Host,
}

/// Something that is there.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) soil: Soil,
    /// Its path on the host; of a group in the hierarchy's first mount.
    pub(super) path: Vec<u8>,
    pub(super) kind: FileType,
    pub(super) stat: Stat,
}

/// Where something may come to be.
#[derive(Clone, Debug)]
pub(super) struct Spot {
    pub(super) parent: Found,
    /// The path that it would have.
    pub(super) path: Vec<u8>,
    /// What is there already.
    pub(super) occupied: Option<FileType>,
}

/// A process's way of finding paths.
#[derive(Debug)]
pub(super) struct Ground<'a> {
    host: &'a Host,
    root: OwnedFd,
    /// Its working directory by name.
    directory: Vec<u8>,
}

impl<'a> Ground<'a> {
    /// As the task with this directory in /proc.
    ///
    /// # Errors
    /// If it is gone.
    pub(super) fn of(host: &'a Host, task: &str) -> io::Result<Self> {
        let root = open(format!("{task}/root"), OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
        let directory = readlink(format!("{task}/cwd"), Vec::new())?.into_bytes();
        Ok(Self { host, root, directory })
    }

    /// What a path leads to; nothing if it leads nowhere.
    pub(super) fn find(&self, path: &KPath, follows: bool) -> Option<Found> {
        let opened = self.walk(&self.absolute(path.as_bytes()), follows)?;
        self.describe(&opened)
    }

    /// Where a path would make something; nothing if its directory is not there.
    pub(super) fn spot(&self, path: &KPath) -> Option<Spot> {
        let name = path.file_name();
        if name.is_empty() || name == b"." || name == b".." {
            return None;
        }
        let whole = self.absolute(path.as_bytes());
        let trimmed = whole.trim_ascii_end_matches(b'/');
        let parent = trimmed.get(..trimmed.len().checked_sub(name.len())?)?;
        let opened = self.walk(parent, true)?;
        let parent = self.describe(&opened)?;
        let path = [parent.path.as_slice(), b"/", name].concat();
        let there = statat(&opened, name, AtFlags::SYMLINK_NOFOLLOW).ok();
        let occupied = there.map(|stat| FileType::from_raw_mode(stat.st_mode));
        Some(Spot { parent, path, occupied })
    }

    fn absolute(&self, path: &[u8]) -> Vec<u8> {
        if path.first() == Some(&b'/') {
            path.to_vec()
        } else {
            [self.directory.as_slice(), b"/", path].concat()
        }
    }

    fn walk(&self, path: &[u8], follows: bool) -> Option<OwnedFd> {
        let mut flags = OFlags::PATH | OFlags::CLOEXEC;
        flags.set(OFlags::NOFOLLOW, !follows);
        openat2(&self.root, path, flags, Mode::empty(), ResolveFlags::IN_ROOT).ok()
    }

    fn describe(&self, opened: &OwnedFd) -> Option<Found> {
        let stat = fstat(opened).ok()?;
        let kind = FileType::from_raw_mode(stat.st_mode);
        let device = (major(stat.st_dev), minor(stat.st_dev));
        let magic = fstatfs(opened).ok()?.f_type.cast_unsigned();
        let soil = match magic {
            magic::CGROUP | magic::CGROUP2 => Soil::Group,
            magic::PROC => Soil::Proc,
            magic::TMPFS if !self.host.knows(device) => Soil::Own,
            _ => Soil::Host,
        };
        let path = match (soil, self.host.hierarchy(device)) {
            (Soil::Group, Some(hierarchy)) => {
                let mount = hierarchy.point.as_slice();
                name_of(&open_by_id(mount, stat.st_ino).ok()?)?
            }
            _ => name_of(opened)?,
        };
        Some(Found { soil, path, kind, stat })
    }
}

/// The path that a descriptor has.
fn name_of(opened: impl AsFd) -> Option<Vec<u8>> {
    let link = format!("/proc/self/fd/{}", opened.as_fd().as_raw_fd());
    readlink(link, Vec::new()).ok().map(|name| name.into_bytes())
}

/// The kernel's `struct file_handle` for a file of a hierarchy: its inode number.
#[repr(C)]
struct GroupHandle {
    length: u32,
    kind: i32,
    id: [u8; 8],
}

/// `FILEID_KERNFS`
const KERNFS: i32 = 0xfe;

/// A file of a hierarchy that is mounted there, by its inode number.
fn open_by_id(mount: &[u8], inode: u64) -> io::Result<OwnedFd> {
    let mount = std::ffi::OsStr::from_bytes(mount);
    let directory =
        rustix::fs::openat(CWD, mount, OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    let mut handle = GroupHandle { length: 8, kind: KERNFS, id: inode.to_ne_bytes() };
    let flags = libc::O_PATH | libc::O_CLOEXEC;
    // SAFETY: the handle has the kernel's layout, and as many bytes as it says.
    let opened = unsafe {
        libc::syscall(libc::SYS_open_by_handle_at, directory.as_raw_fd(), &raw mut handle, flags)
    };
    let opened = i32::try_from(opened).ok().filter(|number| *number >= 0);
    let opened = opened.ok_or_else(io::Error::last_os_error)?;
    // SAFETY: the kernel has just made it for us.
    Ok(unsafe { OwnedFd::from_raw_fd(opened) })
}

trait TrimEnd {
    fn trim_ascii_end_matches(&self, byte: u8) -> &[u8];
}

impl TrimEnd for Vec<u8> {
    fn trim_ascii_end_matches(&self, byte: u8) -> &[u8] {
        let kept = self.iter().rposition(|it| *it != byte).map_or(0, |at| at + 1);
        self.get(..kept).unwrap_or_default()
    }
}
