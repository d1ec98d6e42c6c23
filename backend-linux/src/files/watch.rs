//! Watches (inotify(7)).

use std::os::fd::{BorrowedFd, OwnedFd};

use rustix::fs::inotify::{self, CreateFlags};
use standin::backend::{WatchEvent, WatchFlags};
use standin::failure::Result;
use standin::handle::Watcher;
use standin::id::WatchId;
use standin::path::{Follow, KPathBuf, Place};

use crate::handle::fd;
use crate::path::Name;
use crate::raw::refused;

/// Room for one read: hundreds of events, and more than the longest one.
const READ_BYTES: usize = 64 * 1024;

/// Length of an event without its name: watch, mask, cookie, length of the name, each 4 bytes.
const HEADER_BYTES: usize = 16;

pub(super) fn watcher(nonblocking: bool) -> Result<OwnedFd> {
    let mut flags = CreateFlags::CLOEXEC;
    flags.set(CreateFlags::NONBLOCK, nonblocking);
    inotify::init(flags).map_err(refused)
}

pub(super) fn watch(watcher: &Watcher, place: &Place<'_>, events: WatchFlags) -> Result<WatchId> {
    let follow = if events.contains(WatchFlags::DONT_FOLLOW) { Follow::No } else { Follow::Link };
    let name = Name::new(place, follow)?;
    let (path, is_proc_link) = name.path();
    // The link of /proc stands for the object: it is followed, whatever was asked of the object.
    let events = if is_proc_link { events - WatchFlags::DONT_FOLLOW } else { events };
    let flags = inotify::WatchFlags::from_bits_retain(events.bits());
    let watcher = fd(watcher.descriptor())?;
    inotify::add_watch(watcher, path.as_ref(), flags).map(WatchId).map_err(refused)
}

pub(super) fn unwatch(watcher: &Watcher, watch: WatchId) -> Result<()> {
    inotify::remove_watch(fd(watcher.descriptor())?, watch.0).map_err(refused)
}

pub(super) fn watched(watcher: &Watcher) -> Result<Vec<WatchEvent>> {
    let watcher = fd(watcher.descriptor())?;
    let mut events = Vec::new();
    let mut room = vec![0; READ_BYTES];
    loop {
        let length = rustix::io::read(watcher, &mut room).map_err(refused)?;
        let mut rest = room.get(..length).unwrap_or_default();
        while let Some((event, behind)) = parse(rest) {
            events.push(event);
            rest = behind;
        }
        if !has_more(watcher) {
            return Ok(events);
        }
    }
}

/// Whether a read would find another event.
fn has_more(watcher: BorrowedFd<'_>) -> bool {
    rustix::io::ioctl_fionread(watcher).is_ok_and(|bytes| bytes > 0)
}

/// The first event, and what is behind it.
fn parse(bytes: &[u8]) -> Option<(WatchEvent, &[u8])> {
    let (header, rest) = bytes.split_at_checked(HEADER_BYTES)?;
    let word = |at: usize| {
        let bytes = header.get(at * 4..at * 4 + 4)?;
        Some(u32::from_ne_bytes(bytes.try_into().ok()?))
    };
    let (name, rest) = rest.split_at_checked(usize::try_from(word(3)?).ok()?)?;
    let name = name.split(|byte| *byte == 0).next().filter(|name| !name.is_empty());
    let event = WatchEvent {
        watch: WatchId(word(0)?.cast_signed()),
        flags: WatchFlags::from_bits_retain(word(1)?),
        cookie: word(2)?,
        name: name.and_then(|name| KPathBuf::new(name).ok()),
    };
    Some((event, rest))
}
