//! Bytes to and from a socket, without blocking; and waiting, until a deadline.

use std::time::Duration;

use crate::backend::{Backend, Deadline, Interest, Message, PollEvents, Receive, SendFlags};
use crate::errno::Errno;
use crate::failure::{Failure, Result};
use crate::handle::Socket;
use crate::id::Moment;

/// What became of a transfer.
pub(super) enum Moved {
    /// So many bytes went or came; none came where the stream ends.
    Bytes(usize),
    /// None can, now.
    Later,
    /// The other end is gone.
    Gone,
}

pub(super) fn send(kernel: &dyn Backend, socket: &Socket, bytes: &[u8]) -> Result<Moved> {
    let message = Message { bytes, ..Message::default() };
    moved(kernel.send(socket, &message, SendFlags::NONBLOCKING))
}

pub(super) fn receive(kernel: &dyn Backend, socket: &Socket, buffer: &mut [u8]) -> Result<Moved> {
    let how = Receive { nonblocking: true, ..Receive::default() };
    moved(kernel.receive(socket, buffer, how).map(|received| received.length))
}

fn moved(transfer: Result<usize>) -> Result<Moved> {
    match transfer {
        Ok(length) => Ok(Moved::Bytes(length)),
        Err(Failure::Errno(Errno::EAGAIN | Errno::EINTR)) => Ok(Moved::Later),
        Err(Failure::Errno(Errno::EPIPE | Errno::ECONNRESET)) => Ok(Moved::Gone),
        Err(failure) => Err(failure),
    }
}

/// Waits until it may be worth while to try again; `false` if the deadline came first.
pub(super) fn wait(
    kernel: &dyn Backend,
    interest: Interest<'_>,
    deadline: Deadline,
) -> Result<bool> {
    match kernel.poll(&[interest], deadline) {
        Ok(ready) => Ok(ready.iter().any(|events| !events.is_empty())),
        Err(failure) if failure.is(Errno::EINTR) => Ok(!is_over(kernel, deadline)?),
        Err(failure) => Err(failure),
    }
}

/// Waits this long; `false` if the deadline came first.
pub(super) fn pause(kernel: &dyn Backend, time: Duration, deadline: Deadline) -> Result<bool> {
    let until = kernel.monotonic()?.after(time);
    match kernel.poll(&[], earlier(deadline, Some(until))) {
        Err(failure) if !failure.is(Errno::EINTR) => Err(failure),
        _ => Ok(!is_over(kernel, deadline)?),
    }
}

/// What can be waited for on a socket.
pub(super) fn interest(socket: &Socket, events: PollEvents) -> Interest<'_> {
    Interest { handle: socket.descriptor(), events }
}

/// The first of the two.
pub(super) fn earlier(deadline: Deadline, moment: Option<Moment>) -> Deadline {
    match (deadline, moment) {
        (Deadline::Never, Some(moment)) => Deadline::At(moment),
        (Deadline::At(one), Some(other)) => Deadline::At(one.min(other)),
        (deadline, _) => deadline,
    }
}

fn is_over(kernel: &dyn Backend, deadline: Deadline) -> Result<bool> {
    Ok(match deadline {
        Deadline::Now => true,
        Deadline::At(moment) => kernel.monotonic()? >= moment,
        Deadline::Never => false,
    })
}
