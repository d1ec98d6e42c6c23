//! What is done with a kept descriptor of any kind: open, read, write, poll, dup, close.

use std::cell::Cell;

use super::{Act, Performed};
use crate::backend::{Interest, OpenOptions, PollEvents};
use crate::errno::Errno;
use crate::failure;
use crate::handle::File;
use crate::id::Bytes;
use crate::path::KPath;
use crate::transcript::actor::Facts;
use crate::transcript::op::{OpenMode, PollEvent};
use crate::transcript::outcome::Outcome;
use crate::transcript::value::Label;

/// How much is read at once.
const CHUNK_BYTES: usize = 16 * 1024;

thread_local! {
    /// What is read into. It is kept, since to fill one with zeros costs more than most reads.
    static CHUNK: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// The files whose lines are processes or threads (spec, Normalisation).
const LISTINGS: [&[u8]; 3] = [b"cgroup.procs", b"cgroup.threads", b"tasks"];

/// Whether a file of this name lists processes.
pub(super) fn names_processes(path: &KPath) -> bool {
    LISTINGS.contains(&path.file_name())
}

/// Reads until nothing more comes; `read` gets a buffer and how much there is already.
pub(super) fn read_all(
    mut read: impl FnMut(&mut [u8], Bytes) -> failure::Result<usize>,
) -> failure::Result<Vec<u8>> {
    let mut text = Vec::new();
    // A read may wait, and others read meanwhile: they find none, and make their own.
    let mut chunk = CHUNK.take();
    chunk.resize(CHUNK_BYTES, 0);
    let ended = loop {
        let offset = Bytes(u64::try_from(text.len()).unwrap_or(u64::MAX));
        match read(&mut chunk, offset).map(|length| chunk.get(..length)) {
            Ok(None | Some([])) => break Ok(text),
            Ok(Some(more)) => text.extend_from_slice(more),
            Err(failure) => break Err(failure),
        }
    };
    CHUNK.set(chunk);
    ended
}

pub(super) fn open(act: &Act<'_>, fd: &Label, path: &KPath, mode: OpenMode) -> Performed {
    act.actor.close(fd);
    let options = match mode {
        OpenMode::Read => OpenOptions::read(),
        OpenMode::Write => OpenOptions::write(),
        OpenMode::ReadWrite => OpenOptions::read_write(),
    };
    let file = act.kernel.open(path.into(), &options)?;
    act.actor.keep(fd, file, Facts { listing: names_processes(path), ..Facts::default() });
    Ok(Outcome::ok())
}

pub(super) fn read(act: &Act<'_>, fd: &Label) -> Performed {
    let file: File = act.handle(fd);
    let text = read_all(|buffer, offset| act.kernel.pread(&file, buffer, offset))?;
    Ok(if act.actor.facts(fd).listing { Outcome::listing(text) } else { Outcome::text(text) })
}

pub(super) fn write(act: &Act<'_>, fd: &Label, bytes: &[u8]) -> Performed {
    act.kernel.pwrite(&act.handle(fd), bytes, Bytes(0))?;
    Ok(Outcome::ok())
}

pub(super) fn close(act: &Act<'_>, fd: &Label) -> Performed {
    if act.actor.close(fd) { Ok(Outcome::ok()) } else { Err(Errno::EBADF.into()) }
}

pub(super) fn poll_priority(act: &Act<'_>, fd: &Label, timeout_ms: i32) -> Performed {
    let ready = wait_for(act, fd, PollEvents::PRIORITY, timeout_ms)?;
    Ok(Outcome::status(if ready.is_empty() { "timeout" } else { "ready" }))
}

pub(super) fn poll(act: &Act<'_>, fd: &Label, events: &[PollEvent], timeout_ms: i32) -> Performed {
    let events = events.iter().copied().map(PollEvents::from).collect();
    let ready = wait_for(act, fd, events, timeout_ms)?;
    let words = PollEvent::ALL.iter().filter(|&&event| ready.contains(event.into()));
    let words: Vec<&str> = words.map(|event| event.word()).collect();
    Ok(Outcome::status(if words.is_empty() { "timeout".to_owned() } else { words.join(",") }))
}

/// poll(2) of one descriptor; -1 is never ready.
fn wait_for(
    act: &Act<'_>,
    fd: &Label,
    events: PollEvents,
    timeout_ms: i32,
) -> failure::Result<PollEvents> {
    let deadline = act.deadline(timeout_ms)?;
    let descriptor = act.actor.find(fd);
    let interests: Vec<Interest<'_>> =
        descriptor.iter().map(|handle| Interest { handle, events }).collect();
    Ok(act.kernel.poll(&interests, deadline)?.first().copied().unwrap_or_default())
}

pub(super) fn duplicate(act: &Act<'_>, fd: &Label, new: &Label) -> Performed {
    act.actor.close(new);
    let facts = act.actor.facts(fd);
    let copy = act.kernel.duplicate(&act.handle(fd))?;
    act.actor.keep(new, copy, facts);
    Ok(Outcome::ok())
}

impl From<PollEvent> for PollEvents {
    fn from(event: PollEvent) -> Self {
        match event {
            PollEvent::In => Self::INPUT,
            PollEvent::Pri => Self::PRIORITY,
            PollEvent::Out => Self::OUTPUT,
            PollEvent::Err => Self::ERROR,
            PollEvent::Hup => Self::HANG_UP,
            PollEvent::Nval => Self::INVALID,
            PollEvent::Rdhup => Self::READ_HANG_UP,
        }
    }
}
