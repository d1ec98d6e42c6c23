//! Opening, and what is done with an open file.

use std::os::fd::OwnedFd;

use rustix::fs::{self as sys, FallocateFlags, FlockOperation, OFlags, ResolveFlags};
use standin::backend::{AccessMode, Lock, OpenFlags, OpenOptions};
use standin::failure::Result;
use standin::handle::{Descriptor, File};
use standin::id::Bytes;
use standin::path::{Place, Resolve};

use crate::handle::fd;
use crate::path::{BENEATH, is_itself, is_name, proc_path, start};
use crate::raw::refused;

/// Our flags and those of open(2).
const OPEN: [(OpenFlags, OFlags); 7] = [
    (OpenFlags::CREATE, OFlags::CREATE),
    (OpenFlags::EXCLUSIVE, OFlags::EXCL),
    (OpenFlags::TRUNCATE, OFlags::TRUNC),
    (OpenFlags::APPEND, OFlags::APPEND),
    (OpenFlags::DIRECTORY, OFlags::DIRECTORY),
    (OpenFlags::NO_FOLLOW, OFlags::NOFOLLOW),
    (OpenFlags::NONBLOCKING, OFlags::NONBLOCK),
];

/// Our flags and those of openat2(2).
const RESOLVE: [(OpenFlags, ResolveFlags); 6] = [
    (OpenFlags::NO_CROSSING, ResolveFlags::NO_XDEV),
    (OpenFlags::NO_MAGIC_LINKS, ResolveFlags::NO_MAGICLINKS),
    (OpenFlags::NO_SYMLINKS, ResolveFlags::NO_SYMLINKS),
    (OpenFlags::BENEATH, ResolveFlags::BENEATH),
    (OpenFlags::IN_ROOT, ResolveFlags::IN_ROOT),
    (OpenFlags::CACHED, ResolveFlags::CACHED),
];

/// openat(2), or openat2(2) where the path is bounded. An open object itself is opened anew by the
/// name that /proc has for it.
pub(super) fn open(place: &Place<'_>, options: &OpenOptions) -> Result<OwnedFd> {
    let access = match options.access {
        AccessMode::Read => OFlags::RDONLY,
        AccessMode::Write => OFlags::WRONLY,
        AccessMode::ReadWrite => OFlags::RDWR,
        AccessMode::Path => OFlags::PATH,
    };
    let given = |(ours, _): &&(OpenFlags, OFlags)| options.flags.contains(*ours);
    let flags = OPEN.iter().filter(given).fold(access | OFlags::CLOEXEC, |all, row| all | row.1);
    // openat2(2) refuses a mode where nothing is made.
    let mode = if flags.contains(OFlags::CREATE) { options.mode.bits() } else { 0 };
    let mode = sys::Mode::from_raw_mode(mode.into());
    open_with(place, flags, resolve_flags(place.resolve, options.flags), mode)
}

fn resolve_flags(resolve: Resolve, flags: OpenFlags) -> ResolveFlags {
    let base = match resolve {
        Resolve::Kernel => ResolveFlags::empty(),
        Resolve::Beneath => BENEATH,
    };
    let given = |(ours, _): &&(OpenFlags, ResolveFlags)| flags.contains(*ours);
    RESOLVE.iter().filter(given).fold(base, |all, row| all | row.1)
}

fn open_with(
    place: &Place<'_>,
    flags: OFlags,
    resolve: ResolveFlags,
    mode: sys::Mode,
) -> Result<OwnedFd> {
    let there = start(place)?;
    if is_itself(place) {
        return sys::open(proc_path(there).as_slice(), flags, mode).map_err(refused);
    }
    let path = place.path.as_bytes();
    // A name that is not followed leads nowhere else, and openat(2) is the faster call. What is said of a link to a directory
    // differs, and a place alone may be a link.
    let is_bounded =
        resolve == BENEATH && is_name(path) && !flags.intersects(OFlags::DIRECTORY | OFlags::PATH);
    let opened = if is_bounded {
        sys::openat(there, path, flags | OFlags::NOFOLLOW, mode)
    } else if resolve.is_empty() && !flags.contains(OFlags::PATH) {
        // (Of a place alone openat(2) would overlook flags that do not go with it.)
        sys::openat(there, path, flags, mode)
    } else {
        sys::openat2(there, path, flags, mode, resolve)
    };
    opened.map_err(refused)
}

pub(super) fn open_dir(place: &Place<'_>) -> Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let resolve = resolve_flags(place.resolve, OpenFlags::empty());
    open_with(place, flags, resolve, sys::Mode::empty())
}

pub(super) fn read(file: &File, buffer: &mut [u8]) -> Result<usize> {
    rustix::io::read(fd(file.descriptor())?, buffer).map_err(refused)
}

pub(super) fn write(file: &File, bytes: &[u8]) -> Result<usize> {
    rustix::io::write(fd(file.descriptor())?, bytes).map_err(refused)
}

pub(super) fn pread(file: &File, buffer: &mut [u8], offset: Bytes) -> Result<usize> {
    rustix::io::pread(fd(file.descriptor())?, buffer, offset.0).map_err(refused)
}

pub(super) fn pwrite(file: &File, bytes: &[u8], offset: Bytes) -> Result<usize> {
    rustix::io::pwrite(fd(file.descriptor())?, bytes, offset.0).map_err(refused)
}

pub(super) fn fallocate(file: &File, offset: Bytes, length: Bytes) -> Result<()> {
    let file = fd(file.descriptor())?;
    sys::fallocate(file, FallocateFlags::empty(), offset.0, length.0).map_err(refused)
}

pub(super) fn fsync(file: &File) -> Result<()> {
    sys::fsync(fd(file.descriptor())?).map_err(refused)
}

pub(super) fn flock(descriptor: &Descriptor, lock: Lock) -> Result<()> {
    let operation = match lock {
        Lock::Shared { nonblocking: false } => FlockOperation::LockShared,
        Lock::Shared { nonblocking: true } => FlockOperation::NonBlockingLockShared,
        Lock::Exclusive { nonblocking: false } => FlockOperation::LockExclusive,
        Lock::Exclusive { nonblocking: true } => FlockOperation::NonBlockingLockExclusive,
        Lock::Unlock => FlockOperation::Unlock,
    };
    sys::flock(fd(descriptor)?, operation).map_err(refused)
}
