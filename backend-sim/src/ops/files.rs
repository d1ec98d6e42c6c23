//! Operations of `Files`: each hands its arguments to the module of `fs` whose rule it is.

use standin::backend::{
    Access, FilesystemType, Listing, Lock, MountFlags, OpenOptions, Stat, WatchFlags,
};
use standin::id::{Bytes, Gid, Mode, Uid, WatchId};
use standin::path::Follow;
use standin::{KPath, KPathBuf};

use super::PlaceArg;
use super::operation::operation;
use crate::door::Operation;
use crate::fs::xattr::NewXattr;
use crate::fs::{attributes, lock, mount, names, open, rename, transfer, xattr};
use crate::kernel::Kernel;
use crate::notify::{self, Event};
use crate::schedule::{self, Footprint};
use crate::step::Step;
use crate::task::ThreadKey;
use crate::trace::{Parts, Show as _};

pub(crate) use crate::fs::transfer::Writing;

operation! {
    /// open(2), openat2(2): the number of the descriptor.
    Open<'a> { place: PlaceArg<'a>, options: OpenOptions } = "open" -> u32,
    touching |op, kernel, caller, answer| {
        schedule::of_open(kernel, caller, (op.place.path.as_bytes(), answer.copied()), &op.options)
    }: |op, kernel, caller| {
        open::open(kernel, caller, op.place, &op.options)
    };

    /// open(2) of a directory.
    OpenDir<'a> { place: PlaceArg<'a> } = "open_dir" -> u32: |op, kernel, caller| {
        open::open_dir(kernel, caller, op.place)
    };

    /// read(2), pread(2)
    Read<'a> { file: u32, buffer: &'a mut [u8], offset: Option<Bytes> } = "read" -> usize,
    touching |op, kernel, caller, _answer| { schedule::of_read(kernel, caller, op.file) }: |op, kernel, caller| {
        transfer::read(kernel, caller, op.file, op.buffer, op.offset)
    };

    /// getdents64(2)
    List { directory: u32 } = "list" -> Listing,
    touching |op, kernel, caller, _answer| { schedule::of_list(kernel, caller, op.directory) }: |op, kernel, caller| {
        transfer::list(kernel, caller, op.directory)
    };

    /// inotify_init1(2): the number of its descriptor.
    OpenWatcher { nonblocking: bool } = "watcher" -> u32: |op, kernel, caller| {
        notify::open(kernel, caller, op.nonblocking)
    };

    /// inotify_add_watch(2)
    AddWatch<'a> { watcher: u32, place: PlaceArg<'a>, events: WatchFlags } = "watch" -> WatchId:
    |op, kernel, caller| notify::watch::add(kernel, caller, op.watcher, op.place, op.events);

    /// inotify_rm_watch(2)
    RemoveWatch { watcher: u32, watch: WatchId } = "unwatch" -> (): |op, kernel, caller| {
        notify::watch::remove(kernel, caller, op.watcher, op.watch)
    };

    /// read(2) of all events.
    TakeEvents { watcher: u32 } = "watched" -> Vec<Event>: |op, kernel, caller| {
        notify::events(kernel, caller, op.watcher)
    };

    /// mkdir(2)
    Mkdir<'a> { place: PlaceArg<'a>, mode: Mode } = "mkdir" -> (): |op, kernel, caller| {
        names::mkdir(kernel, caller, op.place, op.mode)
    };

    /// rmdir(2)
    Rmdir<'a> { place: PlaceArg<'a> } = "rmdir" -> (): |op, kernel, caller| {
        names::rmdir(kernel, caller, op.place)
    };

    /// unlink(2)
    Unlink<'a> { place: PlaceArg<'a> } = "unlink" -> (): |op, kernel, caller| {
        names::unlink(kernel, caller, op.place)
    };

    /// link(2)
    Link<'a> { old: PlaceArg<'a>, new: PlaceArg<'a> } = "link" -> (): |op, kernel, caller| {
        names::link(kernel, caller, op.old, op.new)
    };

    /// symlink(2)
    Symlink<'a> { target: &'a KPath, place: PlaceArg<'a> } = "symlink" -> (): |op, kernel, caller| {
        names::symlink(kernel, caller, op.target, op.place)
    };

    /// readlink(2)
    Readlink<'a> { place: PlaceArg<'a> } = "readlink" -> Vec<u8>: |op, kernel, caller| {
        names::readlink(kernel, caller, op.place)
    };

    /// rename(2)
    Rename<'a> { old: PlaceArg<'a>, new: PlaceArg<'a> } = "rename" -> (): |op, kernel, caller| {
        rename::rename(kernel, caller, op.old, op.new)
    };

    /// truncate(2), ftruncate(2)
    Truncate<'a> { place: PlaceArg<'a>, length: Bytes } = "truncate" -> (): |op, kernel, caller| {
        attributes::truncate(kernel, caller, op.place, op.length)
    };

    /// fallocate(2)
    Fallocate { file: u32, offset: Bytes, length: Bytes } = "fallocate" -> (): |op, kernel, caller| {
        attributes::fallocate(kernel, caller, op.file, (op.offset, op.length))
    };

    /// fsync(2)
    Fsync { file: u32 } = "fsync" -> (): |op, kernel, caller| attributes::fsync(kernel, caller, op.file);

    /// flock(2)
    Flock { file: u32, lock: Lock } = "flock" -> (): |op, kernel, caller| {
        lock::flock(kernel, caller, op.file, op.lock)
    };

    /// stat(2), lstat(2), fstat(2)
    GetStat<'a> { place: PlaceArg<'a>, follow: Follow } = "stat" -> Stat,
    touching |op, kernel, _caller, _answer| { schedule::of_look(kernel, op.place.path.as_bytes()) }: |op, kernel, caller| {
        attributes::stat(kernel, caller, op.place, op.follow)
    };

    /// chmod(2)
    Chmod<'a> { place: PlaceArg<'a>, mode: Mode } = "chmod" -> (): |op, kernel, caller| {
        attributes::chmod(kernel, caller, op.place, op.mode)
    };

    /// chown(2), lchown(2)
    Chown<'a> { place: PlaceArg<'a>, owner: Option<Uid>, group: Option<Gid>, follow: Follow } = "chown" -> ():
    |op, kernel, caller| attributes::chown(kernel, caller, op.place, (op.owner, op.group), op.follow);

    /// faccessat2(2)
    CheckAccess<'a> { place: PlaceArg<'a>, access: Access } = "access" -> (),
    touching |op, kernel, _caller, _answer| { schedule::of_look(kernel, op.place.path.as_bytes()) }: |op, kernel, caller| {
        attributes::access(kernel, caller, op.place, op.access)
    };

    /// statfs(2)
    Statfs<'a> { place: PlaceArg<'a> } = "statfs" -> FilesystemType: |op, kernel, caller| {
        attributes::statfs(kernel, caller, op.place)
    };

    /// setxattr(2)
    SetXattr<'a> { place: PlaceArg<'a>, follow: Follow, new: NewXattr<'a> } = "set_xattr" -> ():
    |op, kernel, caller| xattr::set(kernel, caller, op.place, op.follow, op.new);

    /// getxattr(2)
    GetXattr<'a> { place: PlaceArg<'a>, follow: Follow, name: &'a KPath } = "get_xattr" -> Vec<u8>:
    |op, kernel, caller| xattr::get(kernel, caller, op.place, op.follow, op.name);

    /// listxattr(2)
    ListXattrs<'a> { place: PlaceArg<'a>, follow: Follow } = "list_xattrs" -> Vec<KPathBuf>:
    |op, kernel, caller| xattr::list(kernel, caller, op.place, op.follow);

    /// removexattr(2)
    RemoveXattr<'a> { place: PlaceArg<'a>, follow: Follow, name: &'a KPath } = "remove_xattr" -> ():
    |op, kernel, caller| xattr::remove(kernel, caller, op.place, op.follow, op.name);

    /// name_to_handle_at(2)
    FileHandle<'a> { place: PlaceArg<'a> } = "file_handle" -> Vec<u8>: |op, kernel, caller| {
        attributes::handle(kernel, caller, op.place)
    };

    /// mount(2)
    Mount<'a> { kind: &'a KPath, target: PlaceArg<'a>, flags: MountFlags, options: &'a KPath } = "mount" -> ():
    |op, kernel, caller| mount::mount(kernel, caller, op.target, op.kind, op.flags, op.options);

    /// umount2(2)
    Umount<'a> { target: PlaceArg<'a> } = "umount" -> (): |op, kernel, caller| {
        mount::umount(kernel, caller, op.target)
    };

    /// chdir(2), fchdir(2)
    Chdir<'a> { place: PlaceArg<'a> } = "chdir" -> (): |op, kernel, caller| {
        names::chdir(kernel, caller, op.place)
    };
}

/// write(2), pwrite(2)
pub(crate) struct Write<'a> {
    pub(crate) file: u32,
    pub(crate) bytes: &'a [u8],
    pub(crate) offset: Option<Bytes>,
    pub(crate) writing: Writing,
}

impl Operation for Write<'_> {
    type Answer = usize;
    const NAME: &'static str = "write";

    fn show(&self, parts: &mut Parts) {
        self.file.add("file", parts);
        self.bytes.add("bytes", parts);
        self.offset.add("offset", parts);
    }

    fn handle(&mut self, kernel: &mut Kernel, caller: ThreadKey) -> Step<usize> {
        let what = (self.bytes, self.offset);
        transfer::write(kernel, caller, self.file, what, &mut self.writing)
    }

    fn partial(&mut self, _kernel: &mut Kernel, _caller: ThreadKey) -> Option<usize> {
        self.writing.partial()
    }

    fn footprint(&self, kernel: &Kernel, caller: ThreadKey, _answer: Option<&usize>) -> Footprint {
        schedule::of_write(kernel, caller, self.file, (self.bytes.len(), self.offset))
    }
}
