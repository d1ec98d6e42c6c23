//! Messages: sending and receiving, with descriptors and credentials.

use super::socket::{address, credentials, print, whose};
use super::{Act, Performed};
use crate::backend::{self, Message, PeerCredentials, Receive, SendFlags};
use crate::handle::{Descriptor, Socket};
use crate::id::{Gid, Uid};
use crate::transcript::actor::Facts;
use crate::transcript::op::{RecvOptions, SendOptions, SocketType};
use crate::transcript::outcome::{Form, Outcome, Part};
use crate::transcript::value::{Label, Size};
use crate::transcript::word::print_data;

/// Most that `recv` asks for (spec, `recv`).
const MAX_RECEIVED_BYTES: usize = 64 * 1024;
/// Most that one sending of `fill` offers: more than any socket buffer takes.
const MAX_FILLED_BYTES: usize = 4 << 20;
/// Most sendings of one `fill`: more than fit, whatever the buffer's size.
const MAX_FILLINGS: u32 = 1 << 20;
/// Most descriptors offered in one message: more than the kernel takes in one (SCM_MAX_FD is 253).
const MAX_DESCRIPTORS: usize = 1024;

pub(super) fn send(act: &Act<'_>, fd: &Label, data: &[u8], options: &SendOptions) -> Performed {
    let to = options.to.as_ref().map(address);
    let handles: Vec<(Descriptor, u32)> = options
        .fds
        .iter()
        .flat_map(|fds| &fds.0)
        .map(|copies| (act.handle(&copies.fd), copies.times))
        .collect();
    let descriptors: Vec<&Descriptor> = handles
        .iter()
        .flat_map(|(handle, times)| (0..*times).map(move |_| handle))
        .take(MAX_DESCRIPTORS)
        .collect();
    let credentials = options.cred.as_ref().map(|cred| PeerCredentials {
        pid: act.number(&cred.actor),
        uid: Uid(cred.uid.0),
        gid: Gid(cred.gid.0),
    });
    let message = Message { bytes: data, to: to.as_ref(), descriptors: &descriptors, credentials };
    let asked = [(options.nonblock, SendFlags::NONBLOCKING), (options.sigpipe, SendFlags::SIGNAL)];
    let flags = asked.into_iter().filter(|(on, _)| *on).map(|(_, flag)| flag).collect();
    let sent = act.kernel.send(&act.handle(fd), &message, flags)?;
    Ok(if sent < data.len() { Outcome::status(format!("short {sent}")) } else { Outcome::ok() })
}

pub(super) fn fill(act: &Act<'_>, fd: &Label, size: Size) -> Performed {
    let size = usize::try_from(size.0).unwrap_or(MAX_FILLED_BYTES).min(MAX_FILLED_BYTES);
    let bytes = vec![b'x'; size];
    let socket: Socket = act.handle(fd);
    let message = Message { bytes: &bytes, ..Message::default() };
    for _ in 0..MAX_FILLINGS {
        act.kernel.send(&socket, &message, SendFlags::NONBLOCKING)?;
    }
    Err(Outcome::Broken(format!("{MAX_FILLINGS} sendings did not fill the socket")))
}

pub(super) fn receive(act: &Act<'_>, fd: &Label, size: Size, options: &RecvOptions) -> Performed {
    let size = usize::try_from(size.0).unwrap_or(MAX_RECEIVED_BYTES).min(MAX_RECEIVED_BYTES);
    let mut buffer = vec![0; size];
    let labels: &[Label] = options.fds.as_ref().map_or(&[], |fds| &fds.0);
    labels.iter().filter(|label| *label != fd).for_each(|label| {
        act.actor.close(label);
    });
    let room = Receive {
        peek: options.peek,
        wait_all: options.waitall,
        nonblocking: options.nonblock,
        descriptors: labels.len(),
        credentials: options.cred,
        process: options.pidfd,
    };
    let socket: Socket = act.handle(fd);
    let kind = act.actor.facts(fd).socket;
    let received = act.kernel.receive(&socket, &mut buffer, room)?;
    let data = buffer.get(..received.length).unwrap_or(&buffer);
    let mut parts = Vec::new();
    let mut line = |line: String| parts.push(Part::Bytes(format!("{line}\n").into_bytes()));
    // What was not made here is taken for a stream.
    let ends = kind != Some(SocketType::Dgram);
    line(if data.is_empty() && ends { "end".to_owned() } else { print_data(data) });
    if let Some(from) = received.from.as_ref().filter(|from| **from != backend::Address::Unnamed) {
        line(format!("from {}", print(from)));
    }
    if let Some(sender) = &received.credentials {
        parts.push(Part::Bytes(b"cred ".to_vec()));
        parts.extend(credentials(sender));
        parts.push(Part::Bytes(b"\n".to_vec()));
    }
    parts.extend(keep(act, labels, received.descriptors));
    if let Some(process) = &received.process {
        parts.push(Part::Bytes(b"pidfd ".to_vec()));
        match process {
            Ok(process) => parts.push(whose(act, process)?),
            Err(errno) => parts.push(Part::Bytes(errno.to_string().into_bytes())),
        }
        parts.push(Part::Bytes(b"\n".to_vec()));
    }
    let marks = [(received.truncated, "trunc\n"), (received.control_truncated, "ctrunc\n")];
    let marks = marks.into_iter().filter(|(on, _)| *on);
    parts.extend(marks.map(|(_, mark)| Part::Bytes(mark.as_bytes().to_vec())));
    Ok(Outcome::Printed { form: Form::Text, parts })
}

/// Keeps what came under the labels, and prints which were filled.
fn keep(act: &Act<'_>, labels: &[Label], descriptors: Vec<Descriptor>) -> Option<Part> {
    if descriptors.is_empty() {
        return None;
    }
    let mut text = "fds".to_owned();
    for (label, descriptor) in labels.iter().zip(descriptors) {
        act.actor.keep(label, descriptor, Facts::default());
        text.push_str(&format!(" {label}"));
    }
    text.push('\n');
    Some(Part::Bytes(text.into_bytes()))
}
