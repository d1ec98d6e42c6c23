//! Names in directories: made, removed, moved, listed.

use rustix::fs::{self as sys, AtFlags, FileType, RawDir, SeekFrom};
use standin::backend::{FileKind, Listing};
use standin::failure::Result;
use standin::handle::Dir;
use standin::id::{Inode, Mode};
use standin::path::{Follow, KPath, KPathBuf, Place};

use crate::handle::fd;
use crate::path::{Object, Spot};
use crate::raw::refused;

/// Room for the entries of one getdents64(2): a cgroup's files with all controllers in one go.
const LIST_BYTES: usize = 32 * 1024;

pub(super) fn mkdir(place: &Place<'_>, mode: Mode) -> Result<()> {
    let spot = Spot::new(place)?;
    let mode = sys::Mode::from_raw_mode(mode.bits().into());
    sys::mkdirat(spot.directory(), spot.path, mode).map_err(refused)
}

pub(super) fn rmdir(place: &Place<'_>) -> Result<()> {
    let spot = Spot::new(place)?;
    sys::unlinkat(spot.directory(), spot.path, AtFlags::REMOVEDIR).map_err(refused)
}

pub(super) fn unlink(place: &Place<'_>) -> Result<()> {
    let spot = Spot::new(place)?;
    sys::unlinkat(spot.directory(), spot.path, AtFlags::empty()).map_err(refused)
}

pub(super) fn link(old: &Place<'_>, new: &Place<'_>) -> Result<()> {
    let (old, new) = (Object::new(old, Follow::No)?, Spot::new(new)?);
    let flags = if old.itself { AtFlags::EMPTY_PATH } else { AtFlags::empty() };
    sys::linkat(old.base(), old.path, new.directory(), new.path, flags).map_err(refused)
}

pub(super) fn symlink(target: &KPath, place: &Place<'_>) -> Result<()> {
    let spot = Spot::new(place)?;
    sys::symlinkat(target.as_bytes(), spot.directory(), spot.path).map_err(refused)
}

pub(super) fn readlink(place: &Place<'_>) -> Result<KPathBuf> {
    let object = Object::new(place, Follow::No)?;
    let target = sys::readlinkat(object.base(), object.path, Vec::new()).map_err(refused)?;
    KPathBuf::new(target.into_bytes()).map_err(|_| standin::Errno::EINVAL.into())
}

pub(super) fn rename(old: &Place<'_>, new: &Place<'_>) -> Result<()> {
    let (old, new) = (Spot::new(old)?, Spot::new(new)?);
    sys::renameat(old.directory(), old.path, new.directory(), new.path).map_err(refused)
}

/// From the start, wherever an earlier listing of the same open directory ended.
pub(super) fn list(directory: &Dir) -> Result<Listing> {
    let directory = fd(directory.descriptor())?;
    sys::seek(directory, SeekFrom::Start(0)).map_err(refused)?;
    let mut room = Vec::with_capacity(LIST_BYTES);
    let mut entries = RawDir::new(directory, room.spare_capacity_mut());
    let mut listing = Listing::with_capacity(64);
    while let Some(entry) = entries.next() {
        let entry = match entry {
            // The directory was removed: for readdir(3) that is its end.
            Err(rustix::io::Errno::NOENT) => break,
            entry => entry.map_err(refused)?,
        };
        let name = entry.file_name().to_bytes();
        if name == b"." || name == b".." {
            continue;
        }
        let mut kind = kind_of(entry.file_type());
        if kind == FileKind::Other {
            // A filesystem that does not keep the type with the name.
            kind = sys::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW)
                .map_or(kind, |stat| kind_of(FileType::from_raw_mode(stat.st_mode)));
        }
        listing.push(name, kind, Inode(entry.ino()));
    }
    Ok(listing)
}

/// The kind of file, in our words.
pub(super) const fn kind_of(kind: FileType) -> FileKind {
    match kind {
        FileType::RegularFile => FileKind::File,
        FileType::Directory => FileKind::Dir,
        FileType::Symlink => FileKind::Link,
        FileType::Fifo => FileKind::Fifo,
        FileType::Socket => FileKind::Socket,
        FileType::CharacterDevice => FileKind::Character,
        FileType::BlockDevice => FileKind::Block,
        FileType::Unknown => FileKind::Other,
    }
}
