//! Pipes (pipe(7)): pages of bytes between a reading and a writing end.
//!
//! A write of up to a page goes in one piece or not at all, and what fits behind the last bytes of a page is put there: so the
//! kernel keeps `PIPE_BUF`, and so it is done here. Neighbours: `fs::descriptors` (the open files that lead here),
//! `fs::transfer` (read(2) and write(2)).

use std::collections::VecDeque;

use standin::backend::{AccessMode, PollEvents, SocketFlags};
use standin::{Errno, Signal};

use crate::fs::{OpenKind, descriptors};
use crate::kernel::Kernel;
use crate::socket::open_flags;
use crate::step::{Step, Wait};
use crate::table::Key;
use crate::task::{ThreadKey, signal};
use crate::wait::Channel;

pub(crate) type PipeKey = Key<Pipe>;

/// Bytes of a page: `PIPE_BUF`.
const PAGE: usize = 4096;

/// Pages that a pipe holds: 64 KiB.
const PAGES: usize = 16;

/// A pipe.
#[derive(Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Pipe {
    pages: VecDeque<Page>,
    has_reader: bool,
    has_writer: bool,
}

/// Bytes, of which some were read; those behind them may still grow.
#[derive(Clone, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct Page {
    #[cfg_attr(feature = "serde", serde(with = "standin::written"))]
    bytes: Vec<u8>,
    read: usize,
}

/// An end of a pipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) enum PipeEnd {
    /// What is read from.
    Reading,
    /// What is written to.
    Writing,
}

impl Pipe {
    fn is_full(&self) -> bool {
        self.pages.len() >= PAGES
    }
}

/// pipe2(2): the numbers of the reading and the writing end.
///
/// # Errors
/// EMFILE.
pub(crate) fn open(kernel: &mut Kernel, caller: ThreadKey, flags: SocketFlags) -> Step<(u32, u32)> {
    descriptors::check_room(kernel, caller, 2)?;
    let pipe = Pipe { pages: VecDeque::new(), has_reader: true, has_writer: true };
    let key = kernel.pipes.insert(pipe);
    let mut install = |end, access| {
        let kind = OpenKind::Pipe(key, end);
        descriptors::install_opened(kernel, caller, kind, access, open_flags(flags))
    };
    Ok((
        install(PipeEnd::Reading, AccessMode::Read)?,
        install(PipeEnd::Writing, AccessMode::Write)?,
    ))
}

/// read(2): what is there, up to the buffer's end; nothing if nobody writes any more.
///
/// # Errors
/// EAGAIN.
pub(crate) fn read(
    kernel: &mut Kernel,
    key: PipeKey,
    nonblocking: bool,
    buffer: &mut [u8],
) -> Step<usize> {
    if buffer.is_empty() {
        return Ok(0);
    }
    let pipe = kernel.pipes.at_mut(key);
    let was_full = pipe.is_full();
    let mut length = 0;
    while let Some(page) = pipe.pages.front_mut() {
        let room = buffer.get_mut(length..).unwrap_or_default();
        let unread = page.bytes.get(page.read..).unwrap_or_default();
        let taken = unread.len().min(room.len());
        for (to, from) in room.iter_mut().zip(unread) {
            *to = *from;
        }
        length += taken;
        page.read += taken;
        if page.read < page.bytes.len() {
            break;
        }
        pipe.pages.pop_front();
    }
    if length == 0 && pipe.has_writer {
        return Err(if nonblocking {
            Errno::EAGAIN.into()
        } else {
            Wait::on(Channel::PipeInput(key)).into()
        });
    }
    if was_full && !pipe.is_full() {
        kernel.waits.wake(Channel::PipeOutput(key));
    }
    Ok(length)
}

/// write(2): all of it, waiting for room if need be; `written` is how much went before a wait.
///
/// # Errors
/// EPIPE, with SIGPIPE: nobody reads. EAGAIN: no room, unless something went.
pub(crate) fn write(
    kernel: &mut Kernel,
    caller: ThreadKey,
    (key, nonblocking): (PipeKey, bool),
    bytes: &[u8],
    written: &mut usize,
) -> Step<usize> {
    if bytes.is_empty() {
        return Ok(0);
    }
    let pipe = kernel.pipes.at_mut(key);
    if !pipe.has_reader {
        signal::send_thread(kernel, caller, Signal::PIPE);
        return if *written > 0 { Ok(*written) } else { Err(Errno::EPIPE.into()) };
    }
    let before = *written;
    if before == 0 {
        *written += pipe.append_to_last(bytes);
    }
    while *written < bytes.len() && !pipe.is_full() {
        let rest = bytes.get(*written..).unwrap_or_default();
        let part = rest.get(..PAGE).unwrap_or(rest);
        pipe.pages.push_back(Page { bytes: part.to_vec(), read: 0 });
        *written += part.len();
    }
    if *written > before {
        kernel.waits.wake(Channel::PipeInput(key));
    }
    if *written == bytes.len() || (nonblocking && *written > 0) {
        Ok(*written)
    } else if nonblocking {
        Err(Errno::EAGAIN.into())
    } else {
        Err(Wait::on(Channel::PipeOutput(key)).into())
    }
}

impl Pipe {
    /// Puts what does not fill whole pages behind the last bytes, if it fits there; how much that was.
    fn append_to_last(&mut self, bytes: &[u8]) -> usize {
        let odd = bytes.len() % PAGE;
        match (self.pages.back_mut(), bytes.get(..odd)) {
            (Some(page), Some(part)) if odd > 0 && page.bytes.len() + odd <= PAGE => {
                page.bytes.extend_from_slice(part);
                odd
            }
            _ => 0,
        }
    }
}

/// The last descriptor of an end was closed; with the second end the pipe is gone.
pub(crate) fn close(kernel: &mut Kernel, key: PipeKey, end: PipeEnd) {
    let pipe = kernel.pipes.at_mut(key);
    match end {
        PipeEnd::Reading => pipe.has_reader = false,
        PipeEnd::Writing => pipe.has_writer = false,
    }
    if !pipe.has_reader && !pipe.has_writer {
        kernel.pipes.remove(key);
    }
    kernel.waits.wake(Channel::PipeInput(key));
    kernel.waits.wake(Channel::PipeOutput(key));
}

/// What an end is ready for (poll(2)), and what tells when that changes.
pub(crate) fn poll(kernel: &Kernel, key: PipeKey, end: PipeEnd) -> (PollEvents, Channel) {
    let pipe = kernel.pipes.at(key);
    let mut ready = PollEvents::empty();
    match end {
        PipeEnd::Reading => {
            ready.set(PollEvents::INPUT, !pipe.pages.is_empty());
            ready.set(PollEvents::HANG_UP, !pipe.has_writer);
            (ready, Channel::PipeInput(key))
        }
        PipeEnd::Writing => {
            ready.set(PollEvents::OUTPUT, !pipe.is_full());
            ready.set(PollEvents::ERROR, !pipe.has_reader);
            (ready, Channel::PipeOutput(key))
        }
    }
}
