//! /proc/PID/fd and /proc/PID/fdinfo: a link and a file for each descriptor (proc_pid_fd(5), proc_pid_fdinfo(5)).
//!
//! The descriptors 0, 1 and 2 that nobody put there are those of every process: what is behind them is not modelled.

use standin::backend::{AccessMode, FileKind, Listing, OpenFlags};
use standin::id::Mode;
use standin::{Errno, Failure};

use super::row::{Content, RowId};
use super::{ProcNode, inode, path, text};
use crate::fs::{FileKey, OpenFile, OpenKind, Spot, attributes_of};
use crate::kernel::Kernel;
use crate::step::Step;
use crate::task::{self, ThreadKey};

/// The numbers that a process has without anything modelled behind them.
const STANDARD: u32 = 3;

/// What is in the directory.
pub(super) fn kind(id: RowId) -> FileKind {
    if id.row().content == Content::Descriptors { FileKind::Link } else { FileKind::File }
}

/// The open file behind a number of a process.
fn file(kernel: &Kernel, thread: ThreadKey, number: u32) -> Option<FileKey> {
    let record = kernel.tasks.threads.get(thread).filter(|record| !record.exited)?;
    kernel.tasks.processes.get(record.process)?.descriptors.get(number)
}

/// Whether a node is of a descriptor that is open, or of none.
pub(super) fn is_open(kernel: &Kernel, node: ProcNode) -> bool {
    match node {
        ProcNode::Descriptor(thread, _, number) => {
            number < STANDARD && kernel.tasks.is_alive(thread)
                || file(kernel, thread, number).is_some()
        }
        ProcNode::Root
        | ProcNode::Top(_)
        | ProcNode::Process(_)
        | ProcNode::Tasks(_)
        | ProcNode::Thread(_)
        | ProcNode::OfProcess(..)
        | ProcNode::OfThread(..)
        | ProcNode::Namespace(..)
        | ProcNode::Setting(_) => true,
    }
}

/// What stands behind a name.
pub(super) fn find(kernel: &Kernel, thread: ThreadKey, id: RowId, name: &[u8]) -> Option<ProcNode> {
    let number = match name {
        b"0" => 0,
        name => super::directory::number(name)?,
    };
    let node = ProcNode::Descriptor(thread, id, number);
    is_open(kernel, node).then_some(node)
}

/// All of them.
pub(super) fn list(kernel: &Kernel, thread: ThreadKey, id: RowId, listing: &mut Listing) {
    let Some(record) = kernel.tasks.threads.get(thread).filter(|record| !record.exited) else {
        return;
    };
    let Some(process) = kernel.tasks.processes.get(record.process) else { return };
    let opened = process.descriptors.iter().map(|(number, _)| number);
    for number in (0..STANDARD).chain(opened.filter(|number| *number >= STANDARD)) {
        let mut name = Vec::with_capacity(4);
        text::decimal(&mut name, number.into());
        listing.push(&name, kind(id), inode(ProcNode::Descriptor(thread, id, number)));
    }
}

/// A link's permission bits say how the file is open; those of a file that tells of it are fixed.
pub(super) fn mode(kernel: &Kernel, thread: ThreadKey, id: RowId, number: u32) -> Mode {
    if kind(id) == FileKind::File {
        return Mode::new(0o444);
    }
    let access = file(kernel, thread, number).map(|file| kernel.vfs.files.at(file).access);
    Mode::new(match access {
        Some(AccessMode::Read) => 0o500,
        Some(AccessMode::Write) => 0o300,
        Some(AccessMode::ReadWrite) | None => 0o700,
        Some(AccessMode::Path) => 0,
    })
}

/// The open file of a link, if the caller may look into the process.
fn reach(kernel: &Kernel, caller: ThreadKey, thread: ThreadKey, number: u32) -> Step<FileKey> {
    kernel.tasks.threads.get(thread).ok_or(Errno::ENOENT)?;
    if !task::may_look_into(kernel, caller, thread) {
        return Err(Errno::EACCES.into());
    }
    match file(kernel, thread, number) {
        Some(file) => Ok(file),
        None if number < STANDARD && kernel.tasks.is_alive(thread) => Err(unmodelled()),
        None => Err(Errno::ENOENT.into()),
    }
}

fn unmodelled() -> crate::step::Stop {
    Failure::NotModelled("what a descriptor of every process leads to").into()
}

/// What a link prints: a path, or the kind of what has none.
///
/// # Errors
/// ENOENT: closed. EACCES: the caller may not look into the process.
pub(super) fn readlink(
    kernel: &Kernel,
    caller: ThreadKey,
    (thread, number): (ThreadKey, u32),
) -> Step<Vec<u8>> {
    let file = kernel.vfs.files.at(reach(kernel, caller, thread, number)?);
    let mut text = Vec::new();
    match &file.kind {
        OpenKind::Node(_) => path::add(kernel, file.spot, &mut text)?,
        OpenKind::Counter(_) => text.extend_from_slice(b"anon_inode:[eventfd]"),
        OpenKind::Watcher(_) => text.extend_from_slice(b"anon_inode:inotify"),
        OpenKind::Process(..)
        | OpenKind::Namespace(_)
        | OpenKind::Socket(_)
        | OpenKind::Pipe(..) => {
            return Err(Failure::NotModelled("the number of a file without a name").into());
        }
    }
    Ok(text)
}

/// Where a link leads.
///
/// # Errors
/// As for [`readlink`]. `NotModelled`: to what stands in no filesystem.
pub(super) fn jump(
    kernel: &Kernel,
    caller: ThreadKey,
    (thread, number): (ThreadKey, u32),
) -> Step<Spot> {
    let file = kernel.vfs.files.at(reach(kernel, caller, thread, number)?);
    if file.is_named() {
        Ok(file.spot)
    } else {
        Err(Failure::NotModelled("a path through a descriptor without a name").into())
    }
}

/// The flag of a descriptor among those of its file.
const CLOSE_ON_EXEC: u32 = 0o2_000_000;

/// Flags as open(2) has them on x86-64.
fn flags(file: &OpenFile) -> u32 {
    const LARGE: u32 = 0o100_000;
    let rows = [
        (OpenFlags::APPEND, 0o2000),
        (OpenFlags::NONBLOCKING, 0o4000),
        (OpenFlags::DIRECTORY, 0o200_000),
        (OpenFlags::NO_FOLLOW, 0o400_000),
    ];
    let access = match file.access {
        AccessMode::Read => 0,
        AccessMode::Write => 1,
        AccessMode::ReadWrite => 2,
        AccessMode::Path => 0o10_000_000,
    };
    let large = if file.is_named() && file.access != AccessMode::Path { LARGE } else { 0 };
    let set = rows.iter().filter(|(flag, _)| file.flags.contains(*flag));
    set.fold(access | large, |bits, (_, bit)| bits | bit)
}

/// Tells of a descriptor's open file: position, flags, mount and inode.
///
/// # Errors
/// ENOENT: closed. EACCES: the caller may not look into the process. `NotModelled`: what stands in no filesystem.
pub(super) fn info(
    kernel: &Kernel,
    caller: ThreadKey,
    (thread, number): (ThreadKey, u32),
    out: &mut Vec<u8>,
) -> Step<()> {
    let key = reach(kernel, caller, thread, number)?;
    let file = kernel.vfs.files.at(key);
    if !file.is_named() {
        return Err(Failure::NotModelled("fdinfo of a file without a name").into());
    }
    if kernel.vfs.locks.has(file.spot.node, key) {
        return Err(Failure::NotModelled("fdinfo of a file with a lock").into());
    }
    let process = kernel.tasks.processes.at(kernel.tasks.process_of(thread));
    let closes = !process.descriptors.is_inherited(number);
    let flags = flags(file) | if closes { CLOSE_ON_EXEC } else { 0 };
    let mount = kernel.vfs.mounts.at(file.spot.mount).number;
    let inode = attributes_of(kernel, caller, file.spot.node).inode;
    out.extend_from_slice(
        format!(
            "pos:\t{}\nflags:\t0{:o}\nmnt_id:\t{mount}\nino:\t{}\n",
            file.offset, flags, inode.0
        )
        .as_bytes(),
    );
    Ok(())
}
