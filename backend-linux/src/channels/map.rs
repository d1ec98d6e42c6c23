//! Shared memory: mapped files, words that change at once, futexes.
//!
//! A map's number is its place in a table of this process. A file that another process cuts short
//! takes memory from under a map: touching it is SIGBUS, as for any program.

#![expect(unsafe_code, reason = "shared memory is reached through pointers")]

use std::ffi::c_void;
use std::ptr::{NonNull, null, null_mut};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use parking_lot::RwLock;
use rustix::mm::{MapFlags, ProtFlags, mmap, mmap_anonymous, munmap};
use standin::Errno;
use standin::backend::Deadline;
use standin::failure::{Failure, Result};
use standin::handle::{Descriptor, File, Map, Owner};
use standin::id::Bytes;

use crate::clock::timespec;
use crate::handle::{HERE, MAP_BIT, fd};
use crate::raw::{narrow, refused, syscall};

/// A mapping of this process; unmapped when the last call that uses it is done.
struct Mapping {
    start: NonNull<u8>,
    /// What can be reached, both copies of it.
    length: usize,
}

// SAFETY: the memory is shared with other processes anyway; it is reached by copies that promise
// no order, and by atomic words.
unsafe impl Send for Mapping {}
// SAFETY: as above.
unsafe impl Sync for Mapping {}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: made by `map` with this length, and nothing points into it any more.
        let _ = unsafe { munmap(self.start.as_ptr().cast(), self.length) };
    }
}

static MAPS: RwLock<Vec<Option<Arc<Mapping>>>> = RwLock::new(Vec::new());

pub(super) fn map(owner: Arc<dyn Owner>, file: &File, length: Bytes, twice: bool) -> Result<Map> {
    let file = fd(file.descriptor())?;
    let length = usize::try_from(length.0).map_err(|_| Errno::ENOMEM)?;
    let rights = rights(file)?;
    let whole = if twice { length.checked_mul(2).ok_or(Errno::ENOMEM)? } else { length };
    // SAFETY: the kernel chooses a free place, which nobody may touch yet.
    let start = unsafe {
        mmap_anonymous(null_mut(), whole, ProtFlags::empty(), MapFlags::PRIVATE).map_err(refused)?
    };
    let start = NonNull::new(start.cast::<u8>()).ok_or(Errno::ENOMEM)?;
    let mapping = Mapping { start, length: whole };
    for offset in (0..whole).step_by(length.max(1)) {
        let flags = MapFlags::SHARED | MapFlags::FIXED;
        // SAFETY: inside the place that was reserved for it above.
        unsafe {
            let at = start.as_ptr().add(offset).cast::<c_void>();
            mmap(at, length, rights, flags, file, 0).map_err(refused)?;
        }
    }
    let mut maps = MAPS.write();
    let slot = maps.iter().position(Option::is_none).unwrap_or(maps.len());
    let number = narrow(slot).ok().filter(|slot| *slot < MAP_BIT).ok_or(Errno::ENOMEM)?;
    match maps.get_mut(slot) {
        Some(free) => *free = Some(Arc::new(mapping)),
        None => maps.push(Some(Arc::new(mapping))),
    }
    Ok(Descriptor::new(owner, HERE, number | MAP_BIT).into())
}

/// What the file was opened for.
fn rights(file: std::os::fd::BorrowedFd<'_>) -> Result<ProtFlags> {
    use rustix::fs::{OFlags, fcntl_getfl};
    let flags = fcntl_getfl(file).map_err(refused)?;
    Ok(match flags & OFlags::RWMODE {
        OFlags::RDWR => ProtFlags::READ | ProtFlags::WRITE,
        OFlags::WRONLY => ProtFlags::WRITE,
        _ => ProtFlags::READ,
    })
}

/// Forgets a map; the memory goes with the last call that uses it.
pub(crate) fn unmap(number: u32) {
    if let Some(slot) = MAPS.write().get_mut(place(number)) {
        *slot = None;
    }
}

fn place(number: u32) -> usize {
    usize::try_from(number & !MAP_BIT).unwrap_or(usize::MAX)
}

fn mapping(map: &Map) -> Result<Arc<Mapping>> {
    let number = map.descriptor().number_in(HERE)?;
    if number & MAP_BIT == 0 {
        return Err(Errno::EBADF.into());
    }
    MAPS.read().get(place(number)).and_then(Clone::clone).ok_or(Failure::Errno(Errno::EBADF))
}

/// The address of `length` bytes at `offset`; EFAULT if they are not all in the map.
fn at(mapping: &Mapping, offset: Bytes, length: usize) -> Result<*mut u8> {
    let offset = usize::try_from(offset.0).map_err(|_| Errno::EFAULT)?;
    match offset.checked_add(length) {
        // SAFETY: inside the mapping.
        Some(end) if end <= mapping.length => Ok(unsafe { mapping.start.as_ptr().add(offset) }),
        _ => Err(Errno::EFAULT.into()),
    }
}

pub(super) fn read(map: &Map, offset: Bytes, buffer: &mut [u8]) -> Result<()> {
    let mapping = mapping(map)?;
    let from = at(&mapping, offset, buffer.len())?;
    // SAFETY: both ranges are there, and a buffer of ours is not in shared memory.
    unsafe { std::ptr::copy_nonoverlapping(from, buffer.as_mut_ptr(), buffer.len()) };
    Ok(())
}

pub(super) fn write(map: &Map, offset: Bytes, bytes: &[u8]) -> Result<()> {
    let mapping = mapping(map)?;
    let to = at(&mapping, offset, bytes.len())?;
    // SAFETY: both ranges are there, and bytes of ours are not in shared memory.
    unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), to, bytes.len()) };
    Ok(())
}

/// Does something with an aligned word; EINVAL if it is not aligned.
fn word<T>(map: &Map, offset: Bytes, with: impl FnOnce(&AtomicU32) -> T) -> Result<T> {
    let mapping = mapping(map)?;
    let word = at(&mapping, offset, size_of::<u32>())?.cast::<u32>();
    if !word.is_aligned() {
        return Err(Errno::EINVAL.into());
    }
    // SAFETY: aligned, inside the mapping, which lives until `with` is done.
    Ok(with(unsafe { AtomicU32::from_ptr(word) }))
}

pub(super) fn load(map: &Map, offset: Bytes) -> Result<u32> {
    word(map, offset, |word| word.load(Ordering::SeqCst))
}

pub(super) fn store(map: &Map, offset: Bytes, value: u32) -> Result<()> {
    word(map, offset, |word| word.store(value, Ordering::SeqCst))
}

pub(super) fn compare_exchange(map: &Map, offset: Bytes, expected: u32, value: u32) -> Result<u32> {
    word(map, offset, |word| {
        word.compare_exchange(expected, value, Ordering::SeqCst, Ordering::SeqCst)
            .unwrap_or_else(|was| was)
    })
}

/// The bitset form of the call, since its time is a moment of the monotonic clock.
pub(super) fn futex_wait(
    map: &Map,
    offset: Bytes,
    expected: u32,
    deadline: Deadline,
) -> Result<()> {
    let until = match deadline {
        Deadline::Now => Some(timespec(0)),
        Deadline::At(moment) => Some(timespec(moment.ns)),
        Deadline::Never => None,
    };
    let until = until.as_ref().map_or(null(), std::ptr::from_ref);
    let (operation, any) = (libc::FUTEX_WAIT_BITSET, u32::MAX);
    let unused = null::<u32>();
    // SAFETY: the word is in the mapping, the moment on the stack, until the call returns.
    word(map, offset, |word| unsafe {
        syscall!(libc::SYS_futex, word.as_ptr(), operation, expected, until, unused, any).map(drop)
    })?
}

pub(super) fn futex_wake(map: &Map, offset: Bytes, count: u32) -> Result<u32> {
    let count = i32::try_from(count).unwrap_or(i32::MAX);
    // SAFETY: the word is in the mapping until the call returns.
    let woken = word(map, offset, |word| unsafe {
        syscall!(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAKE, count)
    })??;
    narrow(woken)
}
