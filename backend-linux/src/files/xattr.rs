//! Extended attributes.
//!
//! The calls take a path or a descriptor, none takes both (before Linux 6.13): a place at a handle
//! goes by its name in /proc, an open object by itself.

use std::os::fd::BorrowedFd;

use rustix::fs::{self as sys, XattrFlags};
use rustix::io::Errno as Refusal;
use standin::backend::XattrMode;
use standin::failure::Result;
use standin::path::{Follow, KPath, KPathBuf, Place};

use crate::path::Name;
use crate::raw::refused;

/// The first guess at a length: most values and lists are far shorter.
const GUESS_BYTES: usize = 1024;

/// The largest value and the longest list that Linux keeps (xattr(7)).
const MOST_BYTES: usize = 64 * 1024;

/// Which of the three calls of one name is meant.
enum Call<'a> {
    Follow(&'a [u8]),
    Link(&'a [u8]),
    Held(BorrowedFd<'a>),
}

fn call<T>(
    place: &Place<'_>,
    follow: Follow,
    run: impl FnOnce(Call<'_>) -> rustix::io::Result<T>,
) -> Result<T> {
    let name = Name::new(place, follow)?;
    if let Name::Held(held) = &name {
        return run(Call::Held(*held)).map_err(refused);
    }
    let (path, is_proc_link) = name.path();
    let run_on = match follow {
        Follow::No if !is_proc_link => Call::Link(&path),
        Follow::No | Follow::Link => Call::Follow(&path),
    };
    run(run_on).map_err(refused)
}

pub(super) fn set(
    place: &Place<'_>,
    follow: Follow,
    name: &KPath,
    value: &[u8],
    mode: XattrMode,
) -> Result<()> {
    let flags = match mode {
        XattrMode::Set => XattrFlags::empty(),
        XattrMode::Create => XattrFlags::CREATE,
        XattrMode::Replace => XattrFlags::REPLACE,
    };
    let name = name.as_bytes();
    call(place, follow, |call| match call {
        Call::Follow(path) => sys::setxattr(path, name, value, flags),
        Call::Link(path) => sys::lsetxattr(path, name, value, flags),
        Call::Held(held) => sys::fsetxattr(held, name, value, flags),
    })
}

/// Asks with a small buffer first and with the largest then: the value may change between two
/// calls, so its length is never asked for.
fn growing(
    mut ask: impl FnMut(&mut [u8]) -> rustix::io::Result<usize>,
) -> rustix::io::Result<Vec<u8>> {
    let mut room = vec![0; GUESS_BYTES];
    let length = match ask(&mut room) {
        Err(Refusal::RANGE) => {
            room.resize(MOST_BYTES, 0);
            ask(&mut room)?
        }
        other => other?,
    };
    room.truncate(length);
    Ok(room)
}

pub(super) fn get(place: &Place<'_>, follow: Follow, name: &KPath) -> Result<Vec<u8>> {
    let name = name.as_bytes();
    call(place, follow, |call| {
        growing(|room| match call {
            Call::Follow(path) => sys::getxattr(path, name, room),
            Call::Link(path) => sys::lgetxattr(path, name, room),
            Call::Held(held) => sys::fgetxattr(held, name, room),
        })
    })
}

pub(super) fn list(place: &Place<'_>, follow: Follow) -> Result<Vec<KPathBuf>> {
    let names = call(place, follow, |call| {
        growing(|room| match call {
            Call::Follow(path) => sys::listxattr(path, room),
            Call::Link(path) => sys::llistxattr(path, room),
            Call::Held(held) => sys::flistxattr(held, room),
        })
    })?;
    let names = names.split(|byte| *byte == 0).filter(|name| !name.is_empty());
    Ok(names.filter_map(|name| KPathBuf::new(name).ok()).collect())
}

pub(super) fn remove(place: &Place<'_>, follow: Follow, name: &KPath) -> Result<()> {
    let name = name.as_bytes();
    call(place, follow, |call| match call {
        Call::Follow(path) => sys::removexattr(path, name),
        Call::Link(path) => sys::lremovexattr(path, name),
        Call::Held(held) => sys::fremovexattr(held, name),
    })
}
