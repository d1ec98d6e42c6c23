//! A process's maps: making them, and how long they last.

use standin::backend::{AccessMode, FileKind, RlimitResource};
use standin::id::Bytes;
use standin::{Errno, Failure};

use crate::fs::content::PAGE;
use crate::fs::proc::ProcNode;
use crate::fs::{self, FileKey, Node, TmpKey, descriptors, process_of};
use crate::kernel::Kernel;
use crate::step::Step;
use crate::task::{More, ProcessKey, ThreadKey};

/// What tells the number of a map from that of a descriptor, which is never so high.
const MAP_BIT: u32 = 1 << 31;

/// The longest map that surely finds room. Where between this and the end of the addresses it ends depends on where the
/// program stands in them.
const ADDRESSES: u64 = 1 << 46;

/// The maps of a process, by number.
#[derive(Clone, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Maps(Vec<Option<Mapping>>);

/// A map.
#[derive(Clone, Copy)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Mapping {
    /// What was mapped: the open file, which lives as long as the map.
    pub(super) file: FileKey,
    /// How much of it.
    pub(super) length: u64,
    /// It stands there a second time, right behind itself.
    twice: bool,
}

impl Mapping {
    /// How much memory it is.
    pub(super) const fn reach(&self) -> u64 {
        if self.twice { self.length * 2 } else { self.length }
    }

    /// Where in the file a place of the map is, and how far it goes on from there.
    pub(super) const fn place(&self, offset: u64) -> (u64, u64) {
        let at = if offset < self.length { offset } else { offset - self.length };
        (at, self.length - at)
    }
}

/// mmap(2) with `MAP_SHARED`, from the file's start: the number of the map.
///
/// # Errors
/// EBADF: not open, or a place alone. ENOMEM: longer than a process can address. EINVAL: no length, or one that is no whole
/// page if the map is to stand twice. EACCES: not open for reading. ENODEV: no file of a tmpfs; EIO for one of /proc itself.
pub(crate) fn map(
    kernel: &mut Kernel,
    caller: ThreadKey,
    number: u32,
    length: Bytes,
    twice: bool,
) -> Step<u32> {
    let key = descriptors::get(kernel, caller, number)?;
    let mapping = Mapping { file: key, length: length.0, twice };
    if length.0 > ADDRESSES || mapping.reach() > ADDRESSES {
        return Err(Errno::ENOMEM.into());
    }
    if length.0 == 0 {
        return Err(Errno::EINVAL.into());
    }
    let file = kernel.vfs.files.at(key);
    if file.access == AccessMode::Path {
        return Err(Errno::EBADF.into());
    }
    if !file.reads() {
        return Err(Errno::EACCES.into());
    }
    if node(kernel, key).is_none() {
        // Files of /proc itself have a call for it, which refuses.
        let is_proc = matches!(file.spot.node, Node::Proc(ProcNode::Top(_)));
        let is_file = fs::kind(kernel, file.spot.node) == FileKind::File;
        return Err(if is_proc && is_file { Errno::EIO } else { Errno::ENODEV }.into());
    }
    if twice && !length.0.is_multiple_of(PAGE) {
        return Err(Errno::EINVAL.into());
    }
    let process = process_of(kernel, caller);
    if kernel.soft_limit(process, RlimitResource::AddressSpace).is_some() {
        return Err(Failure::NotModelled("a map under RLIMIT_AS").into());
    }
    let Maps(maps) = &mut kernel.tasks.processes.at_mut(process).more_mut().maps;
    let slot = maps.iter().position(Option::is_none).unwrap_or(maps.len());
    if slot >= kernel.profile.limits.open_files {
        return Err(Failure::LimitReached("maps of a process").into());
    }
    let number = u32::try_from(slot).map_err(|_| Errno::ENOMEM)? | MAP_BIT;
    match maps.get_mut(slot) {
        Some(free) => *free = Some(mapping),
        None => maps.push(Some(mapping)),
    }
    kernel.vfs.files.at_mut(key).descriptors += 1;
    Ok(number)
}

/// The file of a tmpfs that an open file is; `None` for everything else, which has no memory to share.
pub(super) fn node(kernel: &Kernel, key: FileKey) -> Option<TmpKey> {
    let file = kernel.vfs.files.at(key);
    match file.spot.node {
        Node::Tmp(node) if file.is_named() && kernel.vfs.tmp.at(node).pages().is_some() => {
            Some(node)
        }
        Node::Tmp(_) | Node::Cgroup(_) | Node::Control(..) | Node::Proc(_) => None,
    }
}

/// A map of the caller's. EBADF if it has none under this number.
pub(super) fn get(kernel: &Kernel, caller: ThreadKey, number: u32) -> Result<Mapping, Errno> {
    let process = kernel.process(caller);
    let slot = usize::try_from(number & !MAP_BIT).ok().filter(|_| number & MAP_BIT != 0);
    let Maps(maps) = &process.more.as_ref().ok_or(Errno::EBADF)?.maps;
    slot.and_then(|slot| maps.get(slot).copied().flatten()).ok_or(Errno::EBADF)
}

/// munmap(2) of a whole map, if the number is one's; whether it is. Nothing happens if the process is gone.
pub(crate) fn unmap(kernel: &mut Kernel, process: ProcessKey, number: u32) -> bool {
    if number & MAP_BIT == 0 {
        return false;
    }
    let slot = usize::try_from(number & !MAP_BIT).unwrap_or(usize::MAX);
    let process = kernel.tasks.processes.get_mut(process);
    let more = process.and_then(|process| process.more.as_deref_mut());
    if let Some(mapping) = more.and_then(|more| more.maps.0.get_mut(slot)).and_then(Option::take) {
        descriptors::release(kernel, mapping.file);
    }
    true
}

/// A child has the maps of its parent.
pub(crate) fn inherit(kernel: &mut Kernel, more: &More) {
    for mapping in more.maps.0.iter().flatten() {
        kernel.vfs.files.at_mut(mapping.file).descriptors += 1;
    }
}

/// All maps of a process go: it is dead, or another program.
pub(crate) fn forget(kernel: &mut Kernel, process: ProcessKey) {
    let Some(more) = &mut kernel.tasks.processes.at_mut(process).more else { return };
    for mapping in std::mem::take(&mut more.maps).0.into_iter().flatten() {
        descriptors::release(kernel, mapping.file);
    }
}
