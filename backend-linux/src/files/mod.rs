//! [`Files`] on the running kernel: each operation is the system call it is named after.

mod metadata;
mod mount;
mod names;
mod open;
mod watch;
mod xattr;

use standin::backend::{
    Access, Files, FilesystemType, Listing, Lock, MountFlags, OpenOptions, Stat, WatchEvent,
    WatchFlags, XattrMode,
};
use standin::failure::Result;
use standin::handle::{Descriptor, Dir, File, Watcher};
use standin::id::{Bytes, Gid, Mode, Uid, WatchId};
use standin::path::{Follow, KPath, KPathBuf, Place};

use crate::view::Linux;

impl Files for Linux {
    fn open(&self, place: Place<'_>, options: &OpenOptions) -> Result<File> {
        Ok(self.give(open::open(&place, options)?))
    }

    fn open_dir(&self, place: Place<'_>) -> Result<Dir> {
        Ok(self.give(open::open_dir(&place)?))
    }

    fn read(&self, file: &File, buffer: &mut [u8]) -> Result<usize> {
        open::read(file, buffer)
    }

    fn write(&self, file: &File, bytes: &[u8]) -> Result<usize> {
        open::write(file, bytes)
    }

    fn pread(&self, file: &File, buffer: &mut [u8], offset: Bytes) -> Result<usize> {
        open::pread(file, buffer, offset)
    }

    fn pwrite(&self, file: &File, bytes: &[u8], offset: Bytes) -> Result<usize> {
        open::pwrite(file, bytes, offset)
    }

    fn list(&self, directory: &Dir) -> Result<Listing> {
        names::list(directory)
    }

    fn mkdir(&self, place: Place<'_>, mode: Mode) -> Result<()> {
        names::mkdir(&place, mode)
    }

    fn rmdir(&self, place: Place<'_>) -> Result<()> {
        names::rmdir(&place)
    }

    fn unlink(&self, place: Place<'_>) -> Result<()> {
        names::unlink(&place)
    }

    fn link(&self, old: Place<'_>, new: Place<'_>) -> Result<()> {
        names::link(&old, &new)
    }

    fn symlink(&self, target: &KPath, place: Place<'_>) -> Result<()> {
        names::symlink(target, &place)
    }

    fn readlink(&self, place: Place<'_>) -> Result<KPathBuf> {
        names::readlink(&place)
    }

    fn rename(&self, old: Place<'_>, new: Place<'_>) -> Result<()> {
        names::rename(&old, &new)
    }

    fn truncate(&self, place: Place<'_>, length: Bytes) -> Result<()> {
        metadata::truncate(&place, length)
    }

    fn fallocate(&self, file: &File, offset: Bytes, length: Bytes) -> Result<()> {
        open::fallocate(file, offset, length)
    }

    fn fsync(&self, file: &File) -> Result<()> {
        open::fsync(file)
    }

    fn flock(&self, descriptor: &Descriptor, lock: Lock) -> Result<()> {
        open::flock(descriptor, lock)
    }

    fn stat(&self, place: Place<'_>, follow: Follow) -> Result<Stat> {
        metadata::stat(&place, follow)
    }

    fn file_handle(&self, place: Place<'_>) -> Result<Vec<u8>> {
        metadata::file_handle(&place)
    }

    fn chmod(&self, place: Place<'_>, mode: Mode) -> Result<()> {
        metadata::chmod(&place, mode)
    }

    fn chown(
        &self,
        place: Place<'_>,
        owner: Option<Uid>,
        group: Option<Gid>,
        follow: Follow,
    ) -> Result<()> {
        metadata::chown(&place, owner, group, follow)
    }

    fn access(&self, place: Place<'_>, access: Access) -> Result<()> {
        metadata::access(&place, access)
    }

    fn statfs(&self, place: Place<'_>) -> Result<FilesystemType> {
        metadata::statfs(&place)
    }

    fn set_xattr(
        &self,
        place: Place<'_>,
        follow: Follow,
        name: &KPath,
        value: &[u8],
        mode: XattrMode,
    ) -> Result<()> {
        xattr::set(&place, follow, name, value, mode)
    }

    fn get_xattr(&self, place: Place<'_>, follow: Follow, name: &KPath) -> Result<Vec<u8>> {
        xattr::get(&place, follow, name)
    }

    fn list_xattrs(&self, place: Place<'_>, follow: Follow) -> Result<Vec<KPathBuf>> {
        xattr::list(&place, follow)
    }

    fn remove_xattr(&self, place: Place<'_>, follow: Follow, name: &KPath) -> Result<()> {
        xattr::remove(&place, follow, name)
    }

    fn watcher(&self, nonblocking: bool) -> Result<Watcher> {
        Ok(self.give(watch::watcher(nonblocking)?))
    }

    fn watch(&self, watcher: &Watcher, place: Place<'_>, events: WatchFlags) -> Result<WatchId> {
        watch::watch(watcher, &place, events)
    }

    fn unwatch(&self, watcher: &Watcher, watch: WatchId) -> Result<()> {
        watch::unwatch(watcher, watch)
    }

    fn watched(&self, watcher: &Watcher) -> Result<Vec<WatchEvent>> {
        watch::watched(watcher)
    }

    fn mount(
        &self,
        kind: &KPath,
        target: Place<'_>,
        flags: MountFlags,
        options: &KPath,
    ) -> Result<()> {
        mount::mount(kind, &target, flags, options)
    }

    fn umount(&self, target: Place<'_>) -> Result<()> {
        mount::umount(&target)
    }

    fn chdir(&self, place: Place<'_>) -> Result<()> {
        self.may_change_itself(
            "chdir would move every thread of the program; use places at a handle, or Linux::agent",
        )?;
        mount::chdir(&place)
    }
}
