//! Reading events (read(2); inotify(7), Reading events from an inotify file descriptor).

use standin::backend::FileKind;
use standin::{Errno, Failure};

use super::{Event, WatcherKey};
use crate::fs::{OpenKind, descriptors, kind};
use crate::kernel::Kernel;
use crate::step::{Step, Stop, Wait};
use crate::task::ThreadKey;
use crate::wait::Channel;

/// Length of an event without a name; names are filled up to a multiple of it.
const HEADER: usize = 16;

impl Event {
    /// Its bytes: watch, flags, cookie, length of the name, and the name with at least one NUL.
    fn bytes(&self) -> Vec<u8> {
        let name = self.name.as_deref().unwrap_or_default();
        let length = if name.is_empty() { 0 } else { (name.len() + 1).next_multiple_of(HEADER) };
        let words = [
            self.watch.cast_unsigned(),
            self.flags.bits(),
            self.cookie,
            u32::try_from(length).unwrap_or(u32::MAX),
        ];
        let mut bytes: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
        bytes.extend_from_slice(name);
        bytes.resize(HEADER + length, 0);
        bytes
    }
}

/// read(2): as many events as fit.
///
/// # Errors
/// EINVAL: not even the first. EAGAIN.
pub(crate) fn read(
    kernel: &mut Kernel,
    key: WatcherKey,
    nonblocking: bool,
    buffer: &mut [u8],
) -> Step<usize> {
    let queue = &mut kernel.vfs.notify.table.at_mut(key).queue;
    let mut length = 0;
    while let Some(event) = queue.front() {
        let bytes = event.bytes();
        let Some(room) = buffer.get_mut(length..length + bytes.len()) else {
            return if length == 0 { Err(Errno::EINVAL.into()) } else { Ok(length) };
        };
        room.copy_from_slice(&bytes);
        length += bytes.len();
        queue.pop_front();
    }
    if length == 0 { Err(nothing(key, nonblocking)) } else { Ok(length) }
}

/// All events that are there.
///
/// # Errors
/// EBADF. EISDIR. EAGAIN. `NotModelled`: no watcher, but something that can be read.
pub(crate) fn events(kernel: &mut Kernel, caller: ThreadKey, number: u32) -> Step<Vec<Event>> {
    let (_, file) = descriptors::look(kernel, caller, number)?;
    let nonblocking = file.flags.contains(standin::backend::OpenFlags::NONBLOCKING);
    let OpenKind::Watcher(key) = file.kind else {
        if !file.reads() {
            return Err(Errno::EBADF.into());
        }
        if file.is_named() && kind(kernel, file.spot.node) == FileKind::Dir {
            return Err(Errno::EISDIR.into());
        }
        return Err(Failure::NotModelled("events of what is no watcher").into());
    };
    let events: Vec<Event> = kernel.vfs.notify.table.at_mut(key).queue.drain(..).collect();
    if events.is_empty() { Err(nothing(key, nonblocking)) } else { Ok(events) }
}

fn nothing(key: WatcherKey, nonblocking: bool) -> Stop {
    if nonblocking { Errno::EAGAIN.into() } else { Wait::on(Channel::Watcher(key)).into() }
}
