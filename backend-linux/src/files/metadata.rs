//! What is known of a file, and changed without opening it.

#![expect(unsafe_code, reason = "faccessat2(2) and fchownat(2) with every id the kernel takes")]

use std::os::fd::{AsFd as _, AsRawFd as _};

use rustix::fs::{self as sys, AtFlags, FileType, OFlags};
use standin::backend::{Access, FilesystemType, Stat};
use standin::failure::Result;
use standin::id::{Bytes, Device, Gid, Inode, Mode, Moment, Uid};
use standin::path::{Follow, Place, Resolve};
use standin::{Errno, Failure};

use super::names::kind_of;
use crate::path::{BENEATH, Name, Object, c_string, is_itself, proc_path, start};
use crate::raw::{refused, syscall};

/// "This id stays", in chown(2).
const UNCHANGED: u32 = u32::MAX;

fn flags(object: &Object<'_>, follow: Follow) -> AtFlags {
    match (object.itself, follow) {
        (true, _) => AtFlags::EMPTY_PATH,
        (false, Follow::Link) => AtFlags::empty(),
        (false, Follow::No) => AtFlags::SYMLINK_NOFOLLOW,
    }
}

pub(super) fn stat(place: &Place<'_>, follow: Follow) -> Result<Stat> {
    let object = Object::new(place, follow)?;
    let told = if object.itself {
        sys::fstat(object.base())
    } else {
        sys::statat(object.base(), object.path, flags(&object, follow))
    };
    let told = told.map_err(refused)?;
    Ok(Stat {
        kind: kind_of(FileType::from_raw_mode(told.st_mode)),
        mode: Mode::new(u16::try_from(told.st_mode & 0o7777).unwrap_or(0)),
        owner: Uid(told.st_uid),
        group: Gid(told.st_gid),
        size: Bytes(u64::try_from(told.st_size).unwrap_or(0)),
        links: u32::try_from(told.st_nlink).unwrap_or(u32::MAX),
        modified: moment(told.st_mtime, told.st_mtime_nsec),
        device: Device(told.st_dev),
        inode: Inode(told.st_ino),
    })
}

/// A time before 1970 is the clock's zero.
fn moment<S: TryInto<u64>, N: TryInto<u64>>(seconds: S, nanoseconds: N) -> Moment {
    let seconds: u64 = seconds.try_into().unwrap_or(0);
    let nanoseconds: u64 = nanoseconds.try_into().unwrap_or(0);
    Moment { ns: seconds.saturating_mul(1_000_000_000).saturating_add(nanoseconds) }
}

pub(super) fn chmod(place: &Place<'_>, mode: Mode) -> Result<()> {
    let object = Object::new(place, Follow::Link)?;
    let mode = sys::Mode::from_raw_mode(mode.bits().into());
    if !object.itself {
        return sys::chmodat(object.base(), object.path, mode, AtFlags::empty()).map_err(refused);
    }
    match sys::fchmod(object.base(), mode) {
        // fchmod(2) takes no O_PATH descriptor; its name in /proc leads to the object.
        Err(rustix::io::Errno::BADF) => {
            sys::chmod(proc_path(object.base()).as_slice(), mode).map_err(refused)
        }
        other => other.map_err(refused),
    }
}

pub(super) fn chown(
    place: &Place<'_>,
    owner: Option<Uid>,
    group: Option<Gid>,
    follow: Follow,
) -> Result<()> {
    let object = Object::new(place, follow)?;
    let path = c_string(object.path)?;
    let owner = owner.map_or(UNCHANGED, |uid| uid.0);
    let group = group.map_or(UNCHANGED, |gid| gid.0);
    let flags = flags(&object, follow).bits();
    // SAFETY: fchownat(2) with an open descriptor and a path that lives until it returns.
    unsafe {
        let base = object.base().as_raw_fd();
        syscall!(libc::SYS_fchownat, base, path.as_ptr(), owner, group, flags)?;
    }
    Ok(())
}

pub(super) fn access(place: &Place<'_>, access: Access) -> Result<()> {
    let object = Object::new(place, Follow::Link)?;
    let path = c_string(object.path)?;
    let flags = AtFlags::EACCESS.bits() | flags(&object, Follow::Link).bits();
    // SAFETY: faccessat2(2) with an open descriptor and a path that lives until it returns.
    unsafe {
        let base = object.base().as_raw_fd();
        syscall!(libc::SYS_faccessat2, base, path.as_ptr(), access.bits(), flags)?;
    }
    Ok(())
}

/// The most bytes of a file handle (`MAX_HANDLE_SZ`).
const HANDLE_BYTES: usize = 128;

/// The kernel's `struct file_handle`, with room for the longest.
#[repr(C)]
struct Handle {
    length: u32,
    kind: i32,
    bytes: [u8; HANDLE_BYTES],
}

/// The content of the handle, without its type.
pub(super) fn file_handle(place: &Place<'_>) -> Result<Vec<u8>> {
    let object = Object::new(place, Follow::No)?;
    let path = c_string(object.path)?;
    let flags = if object.itself { AtFlags::EMPTY_PATH.bits() } else { 0 };
    let room = u32::try_from(HANDLE_BYTES).unwrap_or(0);
    let mut handle = Handle { length: room, kind: 0, bytes: [0; HANDLE_BYTES] };
    let mut mount: i32 = 0;
    let (base, to) = (object.base().as_raw_fd(), &raw mut handle);
    let call = libc::SYS_name_to_handle_at;
    // SAFETY: the kernel fills at most the length that stands in the structure, and a number.
    unsafe { syscall!(call, base, path.as_ptr(), to, &raw mut mount, flags)? };
    let length = usize::try_from(handle.length).unwrap_or(0);
    Ok(handle.bytes.get(..length).unwrap_or(&handle.bytes).to_vec())
}

pub(super) fn statfs(place: &Place<'_>) -> Result<FilesystemType> {
    let told = match Name::new(place, Follow::Link)? {
        Name::Path(path) => sys::statfs(path.as_ref()),
        Name::Held(held) => sys::fstatfs(held),
        Name::Found(found) => sys::fstatfs(found.as_fd()),
    };
    let number = told.map_err(refused)?.f_type;
    u64::try_from(number).map(FilesystemType).map_err(|_| Errno::EOVERFLOW.into())
}

pub(super) fn truncate(place: &Place<'_>, length: Bytes) -> Result<()> {
    if is_itself(place) {
        return sys::ftruncate(start(place)?, length.0).map_err(refused);
    }
    if place.resolve == Resolve::Beneath {
        // There is no openat2(2) for truncate(2): open for writing, with the same refusals.
        let flags = OFlags::WRONLY | OFlags::CLOEXEC;
        let file =
            sys::openat2(start(place)?, place.path.as_bytes(), flags, sys::Mode::empty(), BENEATH)
                .map_err(refused)?;
        return sys::ftruncate(file, length.0).map_err(refused);
    }
    let name = Name::new(place, Follow::Link)?;
    let path = c_string(&name.path().0)?;
    let length = i64::try_from(length.0).map_err(|_| Failure::Errno(Errno::EINVAL))?;
    // SAFETY: truncate(2) with a path that lives until it returns.
    unsafe { syscall!(libc::SYS_truncate, path.as_ptr(), length)? };
    Ok(())
}
