//! The `Files` trait of a view: handles become numbers of the process's table, numbers become handles.

use standin::backend::{
    Access, Files, FilesystemType, Listing, Lock, MountFlags, OpenOptions, Stat, WatchEvent,
    WatchFlags, XattrMode,
};
use standin::handle::{Descriptor, Dir, File, Watcher};
use standin::id::{Bytes, Gid, Mode, Uid, WatchId};
use standin::path::Follow;
use standin::{Errno, Failure, KPath, KPathBuf, Place};

use crate::fs::xattr::NewXattr;
use crate::ops::files;
use crate::view::View;

type Result<T> = std::result::Result<T, Failure>;

impl View {
    fn descriptor(&self, handle: &Descriptor) -> Result<u32> {
        handle.number_in(self.scope())
    }

    fn file(&self, file: &File) -> Result<u32> {
        self.descriptor(file.descriptor())
    }

    fn put(&self, file: &File, bytes: &[u8], offset: Option<Bytes>) -> Result<usize> {
        let (file, writing) = (self.file(file)?, files::Writing::default());
        self.carry(files::Write { file, bytes, offset, writing })
    }
}

impl Files for View {
    fn open(&self, place: Place<'_>, options: &OpenOptions) -> Result<File> {
        let place = self.place(place)?;
        Ok(self.handle(self.carry(files::Open { place, options: *options })?).into())
    }

    fn open_dir(&self, place: Place<'_>) -> Result<Dir> {
        let place = self.place(place)?;
        Ok(self.handle(self.carry(files::OpenDir { place })?).into())
    }

    fn read(&self, file: &File, buffer: &mut [u8]) -> Result<usize> {
        self.carry(files::Read { file: self.file(file)?, buffer, offset: None })
    }

    fn write(&self, file: &File, bytes: &[u8]) -> Result<usize> {
        self.put(file, bytes, None)
    }

    fn pread(&self, file: &File, buffer: &mut [u8], offset: Bytes) -> Result<usize> {
        self.carry(files::Read { file: self.file(file)?, buffer, offset: Some(offset) })
    }

    fn pwrite(&self, file: &File, bytes: &[u8], offset: Bytes) -> Result<usize> {
        self.put(file, bytes, Some(offset))
    }

    fn list(&self, directory: &Dir) -> Result<Listing> {
        self.carry(files::List { directory: self.descriptor(directory.descriptor())? })
    }

    fn mkdir(&self, place: Place<'_>, mode: Mode) -> Result<()> {
        self.carry(files::Mkdir { place: self.place(place)?, mode })
    }

    fn rmdir(&self, place: Place<'_>) -> Result<()> {
        self.carry(files::Rmdir { place: self.place(place)? })
    }

    fn unlink(&self, place: Place<'_>) -> Result<()> {
        self.carry(files::Unlink { place: self.place(place)? })
    }

    fn link(&self, old: Place<'_>, new: Place<'_>) -> Result<()> {
        self.carry(files::Link { old: self.place(old)?, new: self.place(new)? })
    }

    fn symlink(&self, target: &KPath, place: Place<'_>) -> Result<()> {
        self.carry(files::Symlink { target, place: self.place(place)? })
    }

    fn readlink(&self, place: Place<'_>) -> Result<KPathBuf> {
        let target = self.carry(files::Readlink { place: self.place(place)? })?;
        // A target was a path once, so no byte of it is NUL.
        KPathBuf::new(target).map_err(|_| Errno::EINVAL.into())
    }

    fn rename(&self, old: Place<'_>, new: Place<'_>) -> Result<()> {
        self.carry(files::Rename { old: self.place(old)?, new: self.place(new)? })
    }

    fn truncate(&self, place: Place<'_>, length: Bytes) -> Result<()> {
        self.carry(files::Truncate { place: self.place(place)?, length })
    }

    fn fallocate(&self, file: &File, offset: Bytes, length: Bytes) -> Result<()> {
        self.carry(files::Fallocate { file: self.file(file)?, offset, length })
    }

    fn fsync(&self, file: &File) -> Result<()> {
        self.carry(files::Fsync { file: self.file(file)? })
    }

    fn flock(&self, descriptor: &Descriptor, lock: Lock) -> Result<()> {
        self.carry(files::Flock { file: self.descriptor(descriptor)?, lock })
    }

    fn stat(&self, place: Place<'_>, follow: Follow) -> Result<Stat> {
        self.carry(files::GetStat { place: self.place(place)?, follow })
    }

    fn chmod(&self, place: Place<'_>, mode: Mode) -> Result<()> {
        self.carry(files::Chmod { place: self.place(place)?, mode })
    }

    fn chown(
        &self,
        place: Place<'_>,
        owner: Option<Uid>,
        group: Option<Gid>,
        follow: Follow,
    ) -> Result<()> {
        self.carry(files::Chown { place: self.place(place)?, owner, group, follow })
    }

    fn access(&self, place: Place<'_>, access: Access) -> Result<()> {
        self.carry(files::CheckAccess { place: self.place(place)?, access })
    }

    fn statfs(&self, place: Place<'_>) -> Result<FilesystemType> {
        self.carry(files::Statfs { place: self.place(place)? })
    }

    fn set_xattr(
        &self,
        place: Place<'_>,
        follow: Follow,
        name: &KPath,
        value: &[u8],
        mode: XattrMode,
    ) -> Result<()> {
        let new = NewXattr { name, value, mode };
        self.carry(files::SetXattr { place: self.place(place)?, follow, new })
    }

    fn get_xattr(&self, place: Place<'_>, follow: Follow, name: &KPath) -> Result<Vec<u8>> {
        self.carry(files::GetXattr { place: self.place(place)?, follow, name })
    }

    fn list_xattrs(&self, place: Place<'_>, follow: Follow) -> Result<Vec<KPathBuf>> {
        self.carry(files::ListXattrs { place: self.place(place)?, follow })
    }

    fn remove_xattr(&self, place: Place<'_>, follow: Follow, name: &KPath) -> Result<()> {
        self.carry(files::RemoveXattr { place: self.place(place)?, follow, name })
    }

    fn file_handle(&self, place: Place<'_>) -> Result<Vec<u8>> {
        self.carry(files::FileHandle { place: self.place(place)? })
    }

    fn watcher(&self, nonblocking: bool) -> Result<Watcher> {
        Ok(self.handle(self.carry(files::OpenWatcher { nonblocking })?).into())
    }

    fn watch(&self, watcher: &Watcher, place: Place<'_>, events: WatchFlags) -> Result<WatchId> {
        let watcher = self.descriptor(watcher.descriptor())?;
        self.carry(files::AddWatch { watcher, place: self.place(place)?, events })
    }

    fn unwatch(&self, watcher: &Watcher, watch: WatchId) -> Result<()> {
        let watcher = self.descriptor(watcher.descriptor())?;
        self.carry(files::RemoveWatch { watcher, watch })
    }

    fn watched(&self, watcher: &Watcher) -> Result<Vec<WatchEvent>> {
        let watcher = self.descriptor(watcher.descriptor())?;
        let events = self.carry(files::TakeEvents { watcher })?;
        let told = events.into_iter().map(|event| WatchEvent {
            watch: WatchId(event.watch),
            flags: event.flags,
            cookie: event.cookie,
            // A name was part of a path once, so no byte of it is NUL.
            name: event.name.and_then(|name| KPathBuf::new(name.into_vec()).ok()),
        });
        Ok(told.collect())
    }

    fn mount(
        &self,
        kind: &KPath,
        target: Place<'_>,
        flags: MountFlags,
        options: &KPath,
    ) -> Result<()> {
        self.carry(files::Mount { kind, target: self.place(target)?, flags, options })
    }

    fn umount(&self, target: Place<'_>) -> Result<()> {
        self.carry(files::Umount { target: self.place(target)? })
    }

    fn chdir(&self, place: Place<'_>) -> Result<()> {
        self.carry(files::Chdir { place: self.place(place)? })
    }
}
