//! sendmsg(2) and recvmsg(2) with what travels beside the bytes: descriptors, credentials, a
//! process handle.

#![expect(unsafe_code, reason = "message headers and control buffers are read and filled as bytes")]

use std::os::fd::AsRawFd as _;
use std::ptr::{null, null_mut};

use standin::Errno;
use standin::backend::{Address, Message, Receive, Received, SendFlags};
use standin::failure::Result;
use standin::handle::Socket;

use super::address::Raw;
use super::options::credentials;
use super::sockets::{made, number};
use crate::handle::fd;
use crate::view::Linux;

/// `SCM_PIDFD` (Linux 6.5)
const SCM_PIDFD: libc::c_int = 4;

/// The most descriptors in one message (`SCM_MAX_FD`); more is EINVAL.
const MOST_DESCRIPTORS: usize = 253;

/// Control messages begin at multiples of this.
const ALIGN: usize = size_of::<usize>();

/// Length of a control message's header: length, level, type.
const HEADER_BYTES: usize = size_of::<libc::cmsghdr>();

/// A header without content.
fn header() -> libc::msghdr {
    // SAFETY: numbers and pointers, for which zero is a value.
    unsafe { std::mem::zeroed() }
}

/// A buffer for control messages, aligned as they are.
#[derive(Default)]
struct Control {
    words: Vec<usize>,
    length: usize,
}

impl Control {
    /// Room for messages with contents of these lengths. The last may be cut: what the kernel has
    /// no room for it says by `MSG_CTRUNC`.
    fn room(contents: impl Iterator<Item = usize>) -> Self {
        let length: usize = contents.map(space).sum();
        Self { words: vec![0; length / ALIGN], length }
    }

    /// Adds a message with this content.
    fn push(&mut self, kind: libc::c_int, content: &[u8]) {
        let length = HEADER_BYTES + content.len();
        let mut bytes = Vec::with_capacity(space(content.len()));
        bytes.extend_from_slice(&length.to_ne_bytes());
        bytes.extend_from_slice(&libc::SOL_SOCKET.to_ne_bytes());
        bytes.extend_from_slice(&kind.to_ne_bytes());
        bytes.extend_from_slice(content);
        bytes.resize(space(content.len()), 0);
        for word in bytes.as_chunks::<ALIGN>().0 {
            self.words.push(usize::from_ne_bytes(*word));
        }
        self.length = self.words.len() * ALIGN;
    }

    fn as_mut_ptr(&mut self) -> *mut libc::c_void {
        if self.length == 0 { null_mut() } else { self.words.as_mut_ptr().cast() }
    }

    /// The messages in the first `length` bytes: kind and content.
    fn messages(&self, length: usize) -> Vec<(libc::c_int, Vec<u8>)> {
        let bytes: Vec<u8> =
            self.words.iter().flat_map(|word| word.to_ne_bytes()).take(length).collect();
        let mut rest = bytes.as_slice();
        let mut messages = Vec::new();
        while let Some((kind, content, behind)) = split_message(rest) {
            messages.push((kind, content.to_vec()));
            rest = behind;
        }
        messages
    }
}

/// A content's message with its header, up to where the next one begins.
const fn space(content: usize) -> usize {
    (HEADER_BYTES + content).next_multiple_of(ALIGN)
}

fn split_message(bytes: &[u8]) -> Option<(libc::c_int, &[u8], &[u8])> {
    let (header, _) = bytes.split_at_checked(HEADER_BYTES)?;
    let (length, kinds) = header.split_first_chunk::<ALIGN>()?;
    let (_, kind) = kinds.split_last_chunk::<4>()?;
    let length = usize::from_ne_bytes(*length);
    let content = bytes.get(HEADER_BYTES..length.min(bytes.len()))?;
    let behind = bytes.get(length.next_multiple_of(ALIGN)..).unwrap_or_default();
    Some((libc::c_int::from_ne_bytes(*kind), content, behind))
}

pub(super) fn send(socket: &Socket, message: &Message<'_>, flags: SendFlags) -> Result<usize> {
    if message.descriptors.len() > MOST_DESCRIPTORS {
        return Err(Errno::EINVAL.into());
    }
    let mut control = Control::default();
    if !message.descriptors.is_empty() {
        let mut numbers = Vec::with_capacity(message.descriptors.len() * 4);
        for descriptor in message.descriptors {
            numbers.extend_from_slice(&fd(descriptor)?.as_raw_fd().to_ne_bytes());
        }
        control.push(libc::SCM_RIGHTS, &numbers);
    }
    if let Some(who) = message.credentials {
        let words = [who.pid.0, who.uid.0, who.gid.0].map(u32::to_ne_bytes);
        control.push(libc::SCM_CREDENTIALS, words.as_flattened());
    }
    let to = message.to.map(Raw::new).transpose()?;
    let bytes = message.bytes;
    let mut vector = libc::iovec { iov_base: bytes.as_ptr() as *mut _, iov_len: bytes.len() };
    let mut header = header();
    header.msg_iov = &raw mut vector;
    header.msg_iovlen = 1;
    header.msg_name = to.as_ref().map_or(null(), Raw::as_ptr) as *mut _;
    header.msg_namelen = to.as_ref().map_or(0, |to| to.length);
    header.msg_control = control.as_mut_ptr();
    header.msg_controllen = control.length;
    let mut how = 0;
    if flags.contains(SendFlags::NONBLOCKING) {
        how |= libc::MSG_DONTWAIT;
    }
    if !flags.contains(SendFlags::SIGNAL) {
        how |= libc::MSG_NOSIGNAL;
    }
    // SAFETY: what the header points to lives until the call returns; it is only read.
    let sent = unsafe { libc::sendmsg(number(socket)?, &raw const header, how) };
    usize::try_from(sent).map_err(|_| crate::raw::last())
}

pub(super) fn receive(
    view: &Linux,
    socket: &Socket,
    buffer: &mut [u8],
    receive: Receive,
) -> Result<Received> {
    let wanted = [
        receive.credentials.then_some(size_of::<libc::ucred>()),
        (receive.descriptors > 0).then_some(receive.descriptors.min(MOST_DESCRIPTORS) * 4),
        receive.process.then_some(4),
    ];
    let mut control = Control::room(wanted.into_iter().flatten());
    let mut from = Raw::room();
    let mut vector = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
    let mut header = header();
    header.msg_iov = &raw mut vector;
    header.msg_iovlen = 1;
    header.msg_name = from.as_mut_ptr().cast();
    header.msg_namelen = from.length;
    header.msg_control = control.as_mut_ptr();
    header.msg_controllen = control.length;
    let mut how = libc::MSG_CMSG_CLOEXEC;
    for (wanted, flag) in [
        (receive.peek, libc::MSG_PEEK),
        (receive.wait_all, libc::MSG_WAITALL),
        (receive.nonblocking, libc::MSG_DONTWAIT),
    ] {
        if wanted {
            how |= flag;
        }
    }
    // SAFETY: the kernel fills buffers of the lengths that stand beside them.
    let length = unsafe { libc::recvmsg(number(socket)?, &raw mut header, how) };
    let length = usize::try_from(length).map_err(|_| crate::raw::last())?;
    from.length = header.msg_namelen;
    let mut received = Received {
        length,
        from: Some(from.address()).filter(|from| *from != Address::Unnamed),
        truncated: header.msg_flags & libc::MSG_TRUNC != 0,
        control_truncated: header.msg_flags & libc::MSG_CTRUNC != 0,
        ..Received::default()
    };
    for (kind, content) in control.messages(header.msg_controllen) {
        take(view, &mut received, kind, &content)?;
    }
    Ok(received)
}

/// Puts one control message where it belongs.
fn take(view: &Linux, received: &mut Received, kind: libc::c_int, content: &[u8]) -> Result<()> {
    let numbers = content.as_chunks::<4>().0.iter().map(|word| i32::from_ne_bytes(*word));
    let numbers: Vec<i32> = numbers.collect();
    match (kind, numbers.as_slice()) {
        (libc::SCM_RIGHTS, numbers) => {
            for number in numbers {
                received.descriptors.push(view.give(made(*number)?));
            }
        }
        (libc::SCM_CREDENTIALS, [pid, uid, gid]) => {
            let (uid, gid) = (uid.cast_unsigned(), gid.cast_unsigned());
            received.credentials = Some(credentials(libc::ucred { pid: *pid, uid, gid }));
        }
        // A negative number is the errno for which there is no handle.
        (SCM_PIDFD, [number]) if *number < 0 => {
            received.process = Some(Err(Errno::from_raw(-number)));
        }
        (SCM_PIDFD, [number]) => received.process = Some(Ok(view.give(made(*number)?))),
        _ => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Control, space};

    #[test]
    fn control_messages_are_read_as_they_were_written() {
        let mut control = Control::default();
        control.push(1, &[1, 2, 3, 4]);
        control.push(2, &[5; 12]);
        assert_eq!(control.length, space(4) + space(12));
        let messages = control.messages(control.length);
        assert_eq!(messages, [(1, vec![1, 2, 3, 4]), (2, vec![5; 12])]);
    }

    #[test]
    fn a_cut_control_message_ends_where_the_buffer_does() {
        let mut control = Control::default();
        control.push(1, &[7; 8]);
        assert_eq!(control.messages(20), [(1, vec![7; 4])]);
        assert_eq!(control.messages(8), []);
    }
}
