//! Bytes in and out of open files: read(2), write(2), pread(2), pwrite(2), and the names in a directory.

use standin::backend::{
    AccessMode, FileKind, Listing, Message, OpenFlags, Receive, RlimitResource, SendFlags,
    WatchFlags,
};
use standin::id::Bytes;
use standin::{Errno, Signal};

use super::attributes::{drop_privileges, vet_content};
use super::content::PAGE;
use super::proc::{ProcNode, sysctl};
use super::tmpfs::Content;
use super::{
    FileKey, Node, OpenFile, OpenKind, TmpKey, descriptors, device, is_dead, kind, proc,
    process_of, serve, tmpfs,
};
use crate::cgroup::filesystem;
use crate::cgroup::v1::memory_files;
use crate::counter;
use crate::kernel::Kernel;
use crate::notify;
use crate::pipe;
use crate::profile::Release;
use crate::socket::receive::{Receiving, receive};
use crate::socket::send::{Sending, send};
use crate::step::Step;
use crate::task::{ThreadKey, signal};

/// How far a file may reach (`MAX_LFS_FILESIZE`).
pub(super) const FILE_LENGTH: u64 = 0x7fff_ffff_ffff_ffff;

/// The most that one call transfers (`MAX_RW_COUNT`).
const CALL_LENGTH: usize = 0x7fff_f000;

/// read(2), and pread(2) if an offset is given.
///
/// # Errors
/// EBADF: not open, or not for reading. EISDIR. EINVAL: nothing that is read. And what the file says.
pub(crate) fn read(
    kernel: &mut Kernel,
    caller: ThreadKey,
    number: u32,
    buffer: &mut [u8],
    offset: Option<Bytes>,
) -> Step<usize> {
    let (key, file, at) = begin(kernel, caller, number, offset, Direction::In)?;
    if !file.reads() {
        return Err(Errno::EBADF.into());
    }
    let end = buffer.len().min(most(kernel, caller, &file.kind));
    let buffer = buffer.get_mut(..end).unwrap_or_default();
    match file.kind {
        OpenKind::Node(_) => {}
        OpenKind::Process(..) | OpenKind::Namespace(_) => return Err(Errno::EINVAL.into()),
        OpenKind::Socket(_) if buffer.is_empty() => return Ok(0),
        OpenKind::Socket(_) => {
            let into = (buffer, Receive::default());
            let received = receive(kernel, caller, number, into, &mut Receiving::default())?;
            return Ok(received.length);
        }
        OpenKind::Pipe(pipe, _) => {
            return pipe::read(kernel, pipe, file.flags.contains(OpenFlags::NONBLOCKING), buffer);
        }
        OpenKind::Counter(counter) => {
            let nonblocking = file.flags.contains(OpenFlags::NONBLOCKING);
            return counter::read(kernel, counter, nonblocking, buffer);
        }
        OpenKind::Watcher(watcher) => {
            let nonblocking = file.flags.contains(OpenFlags::NONBLOCKING);
            return notify::read(kernel, watcher, nonblocking, buffer);
        }
    }
    let spot = file.spot;
    let node = spot.node;
    let length = match node {
        Node::Control(..) => serve::read(kernel, caller, (key, spot), at, buffer)?,
        Node::Proc(ProcNode::Setting(id)) => sysctl::read(kernel, caller, id, at, buffer)?,
        Node::Proc(of) if proc::kind(of) == FileKind::File => {
            serve::read(kernel, caller, (key, spot), at, buffer)?
        }
        Node::Tmp(node) => match &kernel.vfs.tmp.at(node).content {
            Content::File(pages) => pages.read(at, buffer),
            Content::Device(device) => device::read(*device, buffer)?,
            Content::Dir(_) | Content::Link(_) | Content::Socket(_) => {
                return Err(Errno::EISDIR.into());
            }
        },
        Node::Cgroup(_) | Node::Proc(_) => return Err(Errno::EISDIR.into()),
    };
    advance(kernel, key, offset, at, length);
    tell(kernel, node, length, WatchFlags::ACCESS);
    Ok(length)
}

/// Tells who watches the file that bytes were transferred.
fn tell(kernel: &mut Kernel, node: Node, length: usize, what: WatchFlags) {
    if length > 0 {
        notify::happened(kernel, node, what);
    }
}

/// How much one call transfers at most: less than the kernel would, where a fault says so of what may be short.
fn most(kernel: &Kernel, caller: ThreadKey, kind: &OpenKind) -> usize {
    match kind {
        OpenKind::Node(_) | OpenKind::Socket(_) | OpenKind::Pipe(..) => {
            kernel.faults.most_transferred(caller).unwrap_or(CALL_LENGTH)
        }
        OpenKind::Process(..)
        | OpenKind::Counter(_)
        | OpenKind::Watcher(_)
        | OpenKind::Namespace(_) => CALL_LENGTH,
    }
}

/// write(2), and pwrite(2) if an offset is given.
///
/// # Errors
/// EBADF: not open, or not for writing. EINVAL: nothing that is written. And what the file says.
pub(crate) fn write(
    kernel: &mut Kernel,
    caller: ThreadKey,
    number: u32,
    (bytes, offset): (&[u8], Option<Bytes>),
    writing: &mut Writing,
) -> Step<usize> {
    let (key, file, at) = begin(kernel, caller, number, offset, Direction::Out)?;
    if !file.writes() {
        return Err(Errno::EBADF.into());
    }
    let bytes = bytes.get(..most(kernel, caller, &file.kind)).unwrap_or(bytes);
    match file.kind {
        OpenKind::Node(_) => {}
        OpenKind::Process(..) | OpenKind::Namespace(_) => return Err(Errno::EINVAL.into()),
        OpenKind::Socket(_) => {
            let message = Message { bytes, ..Message::default() };
            let how = (&message, &[][..], SendFlags::SIGNAL);
            return send(kernel, caller, number, how, &mut writing.sending);
        }
        OpenKind::Pipe(pipe, _) => {
            let pipe = (pipe, file.flags.contains(OpenFlags::NONBLOCKING));
            return pipe::write(kernel, caller, pipe, bytes, &mut writing.piped);
        }
        OpenKind::Counter(counter) => {
            let nonblocking = file.flags.contains(OpenFlags::NONBLOCKING);
            return counter::write(kernel, counter, nonblocking, bytes);
        }
        OpenKind::Watcher(_) => return Err(Errno::EBADF.into()),
    }
    let node = file.spot.node;
    let (at, length) = match node {
        Node::Control(..) => (at, filesystem::write(kernel, caller, (key, node), bytes)?),
        Node::Proc(ProcNode::Setting(id)) => (at, sysctl::write(kernel, caller, id, at, bytes)?),
        Node::Proc(_) => (at, proc::write(kernel, caller, key, at, bytes)?),
        Node::Tmp(node) => match kernel.vfs.tmp.at(node).device() {
            Some(device) => (at, device::write(device, bytes)?),
            None => write_pages(kernel, caller, key, node, at, bytes)?,
        },
        Node::Cgroup(_) => return Err(Errno::EBADF.into()),
    };
    advance(kernel, key, offset, at, length);
    tell(kernel, node, length, WatchFlags::MODIFY);
    Ok(length)
}

/// How far a write has come that waits for room.
#[derive(Debug, Default)]
pub(crate) struct Writing {
    sending: Sending,
    piped: usize,
}

impl Writing {
    /// What a signal leaves of it: the answer, if something went.
    pub(crate) fn partial(&self) -> Option<usize> {
        self.sending.partial().or((self.piped > 0).then_some(self.piped))
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    In,
    Out,
}

/// The open file, and where the transfer starts.
fn begin(
    kernel: &Kernel,
    caller: ThreadKey,
    number: u32,
    offset: Option<Bytes>,
    direction: Direction,
) -> Step<(FileKey, &OpenFile, u64)> {
    if offset.is_some_and(|offset| offset.0 > FILE_LENGTH) {
        return Err(Errno::EINVAL.into());
    }
    let (key, file) = descriptors::look(kernel, caller, number)?;
    if offset.is_some() && refuses_offset(kernel, file, direction) {
        return Err(Errno::ESPIPE.into());
    }
    Ok((key, file, offset.map_or(file.offset, |offset| offset.0)))
}

/// Whether pread(2) or pwrite(2) finds no place in it. Files whose text is made when they are read take no offset for
/// writing, which is found before it is asked whether they are open for it; only cgroup files open for writing do.
fn refuses_offset(kernel: &Kernel, file: &OpenFile, direction: Direction) -> bool {
    match (&file.kind, file.spot.node) {
        // Before 6.9 a process handle was no file of any filesystem.
        (OpenKind::Process(..), _) => kernel.profile.release < Release::V6_12,
        (
            OpenKind::Socket(_) | OpenKind::Pipe(..) | OpenKind::Counter(_) | OpenKind::Watcher(_),
            _,
        ) => true,
        (OpenKind::Node(_), Node::Control(..)) => direction == Direction::Out && !file.writes(),
        (OpenKind::Node(_), Node::Proc(node)) => {
            direction == Direction::Out
                && proc::kind(node) == FileKind::File
                && !proc::takes_offset(node)
        }
        (OpenKind::Namespace(_), _) | (OpenKind::Node(_), Node::Tmp(_) | Node::Cgroup(_)) => false,
    }
}

/// Moves the file's own offset behind what was transferred from there.
fn advance(kernel: &mut Kernel, key: FileKey, given: Option<Bytes>, at: u64, length: usize) {
    // The writer may have killed itself, and the file with it.
    if given.is_none()
        && let Some(file) = kernel.vfs.files.get_mut(key)
    {
        file.offset = at.saturating_add(length as u64);
    }
}

/// Where the bytes went, and how many.
fn write_pages(
    kernel: &mut Kernel,
    caller: ThreadKey,
    key: FileKey,
    node: TmpKey,
    at: u64,
    bytes: &[u8],
) -> Step<(u64, usize)> {
    if bytes.is_empty() {
        return Ok((at, 0));
    }
    let file = kernel.vfs.files.at(key);
    let mount = file.spot.mount;
    let length = kernel.vfs.tmp.at(node).pages().map_or(0, super::content::Pages::length);
    let at = if file.flags.contains(OpenFlags::APPEND) { length } else { at };
    let most = most_to_write(kernel, caller, at)?;
    let bytes = bytes.get(..usize::try_from(most).unwrap_or(usize::MAX)).unwrap_or(bytes);
    vet_content(kernel, caller, Node::Tmp(node))?;
    drop_privileges(kernel, caller, Node::Tmp(node));
    let bytes = what_fits(kernel, mount, node, at, bytes)?;
    if kernel.vfs.tmp.at(node).pages().is_some_and(|pages| pages.pages_needed(at, bytes.len()) > 0)
    {
        memory_files::pay(kernel, caller, node);
    }
    let now = kernel.clock.realtime();
    tmpfs::change_pages(&mut kernel.vfs, mount, node, now, |pages| pages.write(at, bytes));
    Ok((at, bytes.len()))
}

/// How much may be written from an offset on; EFBIG, and SIGXFSZ for the writer, if nothing (getrlimit(2)).
fn most_to_write(kernel: &mut Kernel, caller: ThreadKey, at: u64) -> Step<u64> {
    let process = process_of(kernel, caller);
    let limit = kernel.soft_limit(process, RlimitResource::FileSize);
    if limit.is_some_and(|limit| at >= limit) {
        signal::send_thread(kernel, caller, Signal::XFSZ);
        return Err(Errno::EFBIG.into());
    }
    if at >= FILE_LENGTH {
        return Err(Errno::EFBIG.into());
    }
    Ok(limit.unwrap_or(FILE_LENGTH).min(FILE_LENGTH) - at)
}

/// The part of a write for which the filesystem has pages; ENOSPC if for nothing.
fn what_fits<'a>(
    kernel: &Kernel,
    mount: super::MountKey,
    node: TmpKey,
    at: u64,
    bytes: &'a [u8],
) -> Result<&'a [u8], Errno> {
    let free = tmpfs::free_pages(&kernel.vfs, mount);
    let Some(pages) = kernel.vfs.tmp.at(node).pages() else { return Err(Errno::EISDIR) };
    if pages.pages_needed(at, bytes.len()) <= free {
        return Ok(bytes);
    }
    // Page by page, as the kernel does it.
    let page = usize::try_from(PAGE).unwrap_or(usize::MAX);
    let first = page - usize::try_from(at % PAGE).unwrap_or_default();
    let mut fits = 0;
    let mut end = first;
    while pages.pages_needed(at, end.min(bytes.len())) <= free && fits < bytes.len() {
        fits = end.min(bytes.len());
        end += page;
    }
    match bytes.get(..fits) {
        Some(part) if !part.is_empty() => Ok(part),
        Some(_) | None => Err(Errno::ENOSPC),
    }
}

/// getdents64(2) to the end: names without `.` and `..`, in the kernel's order. A removed directory is empty.
///
/// # Errors
/// EBADF: not open, or a place alone. ENOTDIR.
pub(crate) fn list(kernel: &mut Kernel, caller: ThreadKey, number: u32) -> Step<Listing> {
    let file = kernel.vfs.files.at(descriptors::get(kernel, caller, number)?);
    if file.access == AccessMode::Path {
        return Err(Errno::EBADF.into());
    }
    let super::Spot { mount, node } = file.spot;
    if !file.is_named() || kind(kernel, node) != FileKind::Dir {
        return Err(Errno::ENOTDIR.into());
    }
    // The last of at least two calls finds the end.
    notify::happened(kernel, node, WatchFlags::ACCESS);
    notify::happened(kernel, node, WatchFlags::ACCESS);
    let mut listing = Listing::with_capacity(64);
    if is_dead(kernel, node) {
        return Ok(listing);
    }
    match node {
        Node::Tmp(key) => {
            let names = kernel.vfs.tmp.at(key).names().map(tmpfs::Directory::newest_first);
            for (name, key) in names.unwrap_or_default() {
                let node = kernel.vfs.tmp.at(key);
                listing.push(name, node.kind(), standin::id::Inode(node.inode));
            }
        }
        Node::Cgroup(group) => filesystem::list(kernel, group, &mut listing),
        Node::Proc(node) => proc::list(kernel, caller, (mount, node), &mut listing)?,
        Node::Control(..) => {}
    }
    Ok(listing)
}
