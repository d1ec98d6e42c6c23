//! Bytes and words of shared memory, and what happens to a program that touches what is not there.
//!
//! Each access is one step of the kernel's, so every one is atomic and all are in one order.

use standin::id::Bytes;
use standin::{Errno, Signal};

use super::map::{self, Mapping};
use crate::cgroup::v1::memory_files;
use crate::fs::content::PAGE;
use crate::fs::{TmpKey, tmpfs};
use crate::kernel::Kernel;
use crate::step::Step;
use crate::task::{ThreadKey, signal};

const WORD: usize = size_of::<u32>();

/// Copies out of a map.
///
/// # Errors
/// EBADF, EFAULT: no such map, or beyond its end. Behind the last page of the file, or where the filesystem has no page left
/// for a hole, the caller gets SIGBUS.
pub(crate) fn read(
    kernel: &mut Kernel,
    caller: ThreadKey,
    map: u32,
    offset: Bytes,
    buffer: &mut [u8],
) -> Step<()> {
    let mapping = reach(kernel, caller, map, offset, buffer.len())?;
    let mut at = offset.0;
    let mut rest = buffer;
    while !rest.is_empty() {
        let (place, there) = part(mapping, at, rest.len());
        let Some(node) = touch(kernel, caller, mapping, place) else {
            return bus_error(kernel, caller);
        };
        let (now, behind) = std::mem::take(&mut rest).split_at_mut(there);
        if let Some(pages) = kernel.vfs.tmp.at(node).pages() {
            pages.peek(place, now);
        }
        at += there as u64;
        rest = behind;
    }
    Ok(())
}

/// Copies into a map.
///
/// # Errors
/// As [`read`]; what is before the page that is missing is written. The caller gets SIGSEGV if the file is open for reading
/// alone.
pub(crate) fn write(
    kernel: &mut Kernel,
    caller: ThreadKey,
    map: u32,
    offset: Bytes,
    bytes: &[u8],
) -> Step<()> {
    let mapping = reach(kernel, caller, map, offset, bytes.len())?;
    let mut at = offset.0;
    let mut rest = bytes;
    while !rest.is_empty() {
        if !writable(kernel, mapping) {
            return segmentation_fault(kernel, caller);
        }
        let (place, there) = part(mapping, at, rest.len());
        let Some(node) = touch(kernel, caller, mapping, place) else {
            return bus_error(kernel, caller);
        };
        let (part, behind) = rest.split_at(there);
        let now = kernel.clock.realtime();
        tmpfs::poke(&mut kernel.vfs, node, place, part, now);
        at += there as u64;
        rest = behind;
    }
    Ok(())
}

/// Loads a word.
///
/// # Errors
/// As [`read`]; EINVAL if it is not aligned.
pub(crate) fn load(kernel: &mut Kernel, caller: ThreadKey, map: u32, offset: Bytes) -> Step<u32> {
    let (mapping, place) = word(kernel, caller, map, offset)?;
    match touch(kernel, caller, mapping, place) {
        Some(node) => Ok(word_at(kernel, node, place)),
        None => bus_error(kernel, caller),
    }
}

/// Stores a word.
///
/// # Errors
/// As [`write`]; EINVAL if it is not aligned.
pub(crate) fn store(
    kernel: &mut Kernel,
    caller: ThreadKey,
    map: u32,
    offset: Bytes,
    value: u32,
) -> Step<()> {
    word(kernel, caller, map, offset)?;
    write(kernel, caller, map, offset, &value.to_ne_bytes())
}

/// Stores a word if it is what was expected; what it was. It is an access for writing either way.
///
/// # Errors
/// As [`store`].
pub(crate) fn compare_exchange(
    kernel: &mut Kernel,
    caller: ThreadKey,
    map: u32,
    offset: Bytes,
    expected: u32,
    value: u32,
) -> Step<u32> {
    let (mapping, place) = word(kernel, caller, map, offset)?;
    if !writable(kernel, mapping) {
        return segmentation_fault(kernel, caller);
    }
    let Some(node) = touch(kernel, caller, mapping, place) else {
        return bus_error(kernel, caller);
    };
    let was = word_at(kernel, node, place);
    if was == expected {
        let now = kernel.clock.realtime();
        tmpfs::poke(&mut kernel.vfs, node, place, &value.to_ne_bytes(), now);
    }
    Ok(was)
}

/// The map, if so many bytes at `offset` are in it.
fn reach(
    kernel: &Kernel,
    caller: ThreadKey,
    map: u32,
    offset: Bytes,
    length: usize,
) -> Result<Mapping, Errno> {
    let mapping = map::get(kernel, caller, map)?;
    let end = u64::try_from(length).ok().and_then(|length| offset.0.checked_add(length));
    if end.is_some_and(|end| end <= mapping.reach()) { Ok(mapping) } else { Err(Errno::EFAULT) }
}

/// An aligned word's map and place in the file. EINVAL if it is not aligned.
pub(super) fn word(
    kernel: &Kernel,
    caller: ThreadKey,
    map: u32,
    offset: Bytes,
) -> Result<(Mapping, u64), Errno> {
    let mapping = reach(kernel, caller, map, offset, WORD)?;
    if !offset.0.is_multiple_of(WORD as u64) {
        return Err(Errno::EINVAL);
    }
    Ok((mapping, mapping.place(offset.0).0))
}

/// What a place of the map holds.
pub(super) fn word_at(kernel: &Kernel, node: TmpKey, place: u64) -> u32 {
    let mut word = [0; WORD];
    if let Some(pages) = kernel.vfs.tmp.at(node).pages() {
        pages.peek(place, &mut word);
    }
    u32::from_ne_bytes(word)
}

/// Where in the file a place of the map is, and how many of `length` bytes are in the same page there.
fn part(mapping: Mapping, at: u64, length: usize) -> (u64, usize) {
    let (place, there) = mapping.place(at);
    let there = there.min(PAGE - place % PAGE);
    (place, usize::try_from(there).unwrap_or(usize::MAX).min(length))
}

/// The mapped file, the page around `place` being there from now on. `None` if it cannot be: the file is shorter, or the
/// filesystem full.
pub(super) fn touch(
    kernel: &mut Kernel,
    caller: ThreadKey,
    mapping: Mapping,
    place: u64,
) -> Option<TmpKey> {
    let node = map::node(kernel, mapping.file)?;
    let mount = kernel.vfs.files.at(mapping.file).spot.mount;
    let pages = kernel.vfs.tmp.at(node).pages()?;
    if place / PAGE >= pages.length().div_ceil(PAGE) {
        return None;
    }
    let needed = pages.pages_needed(place, 1);
    if needed > tmpfs::free_pages(&kernel.vfs, mount) {
        return None;
    }
    if needed > 0 {
        memory_files::pay(kernel, caller, node);
    }
    tmpfs::count_pages(&mut kernel.vfs, mount, node, |pages| pages.touch(place, 1));
    Some(node)
}

fn writable(kernel: &Kernel, mapping: Mapping) -> bool {
    kernel.vfs.files.at(mapping.file).writes()
}

fn bus_error<T>(kernel: &mut Kernel, caller: ThreadKey) -> Step<T> {
    signal::fault(kernel, caller, Signal::BUS)
}

fn segmentation_fault<T>(kernel: &mut Kernel, caller: ThreadKey) -> Step<T> {
    signal::fault(kernel, caller, Signal::SEGV)
}
