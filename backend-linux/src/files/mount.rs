//! Mounts and the working directory.

#![expect(unsafe_code, reason = "mount(2) with its arguments as they are")]

use rustix::mount::UnmountFlags;
use rustix::process as sys;
use standin::backend::MountFlags;
use standin::failure::Result;
use standin::path::{Follow, KPath, Place};

use crate::path::{Name, c_string};
use crate::raw::{refused, syscall};

/// The name of the type is the source too, as mount(8) shows it; with `BIND` it is what is bound.
pub(super) fn mount(
    kind: &KPath,
    target: &Place<'_>,
    flags: MountFlags,
    options: &KPath,
) -> Result<()> {
    let kind = c_string(kind.as_bytes())?;
    let name = Name::new(target, Follow::Link)?;
    let target = c_string(&name.path().0)?;
    let options = c_string(options.as_bytes())?;
    let (kind, target, options) = (kind.as_ptr(), target.as_ptr(), options.as_ptr());
    // SAFETY: mount(2) with strings that live until it returns.
    unsafe { syscall!(libc::SYS_mount, kind, target, kind, flags.bits(), options)? };
    Ok(())
}

pub(super) fn umount(target: &Place<'_>) -> Result<()> {
    let name = Name::new(target, Follow::Link)?;
    rustix::mount::unmount(name.path().0.as_ref(), UnmountFlags::empty()).map_err(refused)
}

pub(super) fn chdir(place: &Place<'_>) -> Result<()> {
    let done = match Name::new(place, Follow::Link)? {
        Name::Path(path) => sys::chdir(path.as_ref()),
        Name::Held(held) => sys::fchdir(held),
        Name::Found(found) => sys::fchdir(found),
    };
    done.map_err(refused)
}
