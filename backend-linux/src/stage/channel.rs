//! The line between the runner and an actor: requests one way, answers the other, and descriptors beside them.
//!
//! A message is a length, a byte that says what it is, and content; one that brings a descriptor is followed by a single
//! byte that carries it, so that it is taken apart only when both are there. The runner never waits here ([`Desk`]); an
//! actor does nothing else ([`receive`], [`answer`]). Who may be told what, and when, is `cast` and `settle`'s business.

use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::Errno as Refusal;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, send, sendmsg,
};
use standin::id::Tid;
use standin::transcript::{Outcome, Request, Trouble};

/// A length and what the message is.
const HEADER_BYTES: usize = 5;

/// The longest content. A file that an actor reads may be long; beyond this something is broken.
const MOST_BYTES: usize = 64 << 20;

/// How much is taken at once: most answers are short.
const CHUNK_BYTES: usize = 4 << 10;

/// What a message is.
mod kind {
    pub(super) const REQUEST: u8 = 0;
    pub(super) const REQUEST_WITH_HANDLE: u8 = 1;
    pub(super) const OUTCOME: u8 = 2;
    pub(super) const CHILD: u8 = 3;
    pub(super) const THREAD: u8 = 4;
}

/// The other end is gone, or says what no end says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Gone;

/// What an actor says.
#[derive(Debug)]
pub(super) enum Answer {
    Outcome(Outcome),
    /// It has made a child, here held.
    Child(OwnedFd),
    /// It has made a thread: its number in the actor's pid namespace.
    Thread(Tid),
}

/// What an actor is told.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) request: Request,
    /// A handle of a process follows: [`take_handle`].
    pub(super) brings_handle: bool,
}

/// The next call, waited for. Signals that are counted do not end the wait.
pub(super) fn receive(channel: BorrowedFd<'_>) -> Result<Call, Gone> {
    let mut header = [0; HEADER_BYTES];
    fill(channel, &mut header)?;
    let (length, what) = split(header)?;
    let mut content = vec![0; length];
    fill(channel, &mut content)?;
    let brings_handle = match what {
        kind::REQUEST => false,
        kind::REQUEST_WITH_HANDLE => true,
        _ => return Err(Gone),
    };
    Ok(Call { request: Request::from_bytes(&content).map_err(|_| Gone)?, brings_handle })
}

/// The handle that a call brought: under the lowest free number. `None` if there is no number free.
pub(super) fn take_handle(channel: BorrowedFd<'_>) -> Result<Option<OwnedFd>, Gone> {
    loop {
        let mut byte = [0];
        match take(channel, &mut byte, RecvFlags::CMSG_CLOEXEC) {
            Ok((0, ..)) => return Err(Gone),
            Ok((_, handle, _)) => return Ok(handle),
            Err(Refusal::INTR) => {}
            Err(_) => return Err(Gone),
        }
    }
}

/// Says what came of a call.
pub(super) fn answer(channel: BorrowedFd<'_>, answer: &Answer) -> Result<(), Gone> {
    match answer {
        Answer::Outcome(outcome) => say(channel, kind::OUTCOME, &outcome.to_bytes(), None),
        Answer::Child(handle) => say(channel, kind::CHILD, &[], Some(handle.as_fd())),
        Answer::Thread(tid) => say(channel, kind::THREAD, &tid.0.to_le_bytes(), None),
    }
}

/// The runner's end.
#[derive(Debug)]
pub(super) struct Desk {
    socket: OwnedFd,
    /// What has come of the next message.
    ahead: Vec<u8>,
    /// What came beside it.
    handle: Option<OwnedFd>,
}

impl Desk {
    pub(super) const fn new(socket: OwnedFd) -> Self {
        Self { socket, ahead: Vec::new(), handle: None }
    }

    /// Hands a request over, and the process that it is aimed at. The socket has room for every line of a script.
    pub(super) fn call(
        &self,
        request: &Request,
        handle: Option<BorrowedFd<'_>>,
    ) -> Result<(), Trouble> {
        let what = if handle.is_some() { kind::REQUEST_WITH_HANDLE } else { kind::REQUEST };
        say(self.socket.as_fd(), what, &request.to_bytes(), handle)
            .map_err(|Gone| Trouble("an actor's line is broken".to_owned()))
    }

    /// The answer, if all of it has come.
    pub(super) fn hear(&mut self) -> Result<Option<Answer>, Trouble> {
        let broken = |Gone| Trouble("an actor's answer is broken".to_owned());
        loop {
            if let Some(answer) = self.whole().map_err(broken)? {
                return Ok(Some(answer));
            }
            let mut chunk = [0; CHUNK_BYTES];
            let flags = RecvFlags::CMSG_CLOEXEC | RecvFlags::DONTWAIT;
            match take(self.socket.as_fd(), &mut chunk, flags) {
                Ok((0, ..)) | Err(Refusal::AGAIN) => return Ok(None),
                Ok((length, handle, _)) => {
                    self.ahead.extend_from_slice(chunk.get(..length).unwrap_or_default());
                    self.handle = handle.or(self.handle.take());
                }
                Err(Refusal::INTR) => {}
                Err(errno) => return Err(Trouble(format!("an actor's line: {errno}"))),
            }
        }
    }

    fn whole(&mut self) -> Result<Option<Answer>, Gone> {
        let Some((header, behind)) = self.ahead.split_first_chunk::<HEADER_BYTES>() else {
            return Ok(None);
        };
        let (length, what) = split(*header)?;
        let trailer = usize::from(what == kind::CHILD);
        let Some(content) = behind.get(..length).filter(|_| behind.len() >= length + trailer)
        else {
            return Ok(None);
        };
        let answer = match what {
            kind::OUTCOME => Answer::Outcome(Outcome::from_bytes(content).map_err(|_| Gone)?),
            kind::CHILD => Answer::Child(self.handle.take().ok_or(Gone)?),
            kind::THREAD => {
                Answer::Thread(Tid(u32::from_le_bytes(content.try_into().map_err(|_| Gone)?)))
            }
            _ => return Err(Gone),
        };
        self.ahead.drain(..HEADER_BYTES + length + trailer);
        Ok(Some(answer))
    }
}

impl AsFd for Desk {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

fn split(header: [u8; HEADER_BYTES]) -> Result<(usize, u8), Gone> {
    let [a, b, c, d, what] = header;
    let length = usize::try_from(u32::from_le_bytes([a, b, c, d])).map_err(|_| Gone)?;
    if length > MOST_BYTES { Err(Gone) } else { Ok((length, what)) }
}

/// Sends a message, and behind it a descriptor.
fn say(
    socket: BorrowedFd<'_>,
    what: u8,
    content: &[u8],
    beside: Option<BorrowedFd<'_>>,
) -> Result<(), Gone> {
    let length = u32::try_from(content.len()).map_err(|_| Gone)?;
    let mut message = Vec::with_capacity(HEADER_BYTES + content.len());
    message.extend_from_slice(&length.to_le_bytes());
    message.push(what);
    message.extend_from_slice(content);
    let mut rest = message.as_slice();
    while !rest.is_empty() {
        match send(socket, rest, SendFlags::NOSIGNAL) {
            Ok(sent) => rest = rest.get(sent..).ok_or(Gone)?,
            Err(Refusal::INTR) => {}
            Err(_) => return Err(Gone),
        }
    }
    beside.map_or(Ok(()), |descriptor| give(socket, &[descriptor]))
}

/// Sends descriptors with a single byte.
pub(super) fn give(socket: BorrowedFd<'_>, descriptors: &[BorrowedFd<'_>]) -> Result<(), Gone> {
    let mut space = vec![MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_BESIDE))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !control.push(SendAncillaryMessage::ScmRights(descriptors)) {
        return Err(Gone);
    }
    loop {
        match sendmsg(socket, &[IoSlice::new(&[0])], &mut control, SendFlags::NOSIGNAL) {
            Ok(_) => return Ok(()),
            Err(Refusal::INTR) => {}
            Err(_) => return Err(Gone),
        }
    }
}

/// How many descriptors go beside one byte.
pub(super) const MOST_BESIDE: usize = 200;

/// Takes the descriptors that stand beside the next byte.
pub(super) fn take_all(socket: BorrowedFd<'_>) -> Result<Vec<OwnedFd>, Gone> {
    let mut space = vec![MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_BESIDE))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut byte = [0];
    let mut into = [IoSliceMut::new(&mut byte)];
    match recvmsg(socket, &mut into, &mut control, RecvFlags::CMSG_CLOEXEC) {
        Ok(told) if told.bytes == 1 && !told.flags.contains(ReturnFlags::CTRUNC) => {
            Ok(rights(&mut control))
        }
        _ => Err(Gone),
    }
}

/// One recvmsg(2) with room for one descriptor.
fn take(
    socket: BorrowedFd<'_>,
    into: &mut [u8],
    flags: RecvFlags,
) -> Result<(usize, Option<OwnedFd>, ReturnFlags), Refusal> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let told = recvmsg(socket, &mut [IoSliceMut::new(into)], &mut control, flags)?;
    Ok((told.bytes, rights(&mut control).pop(), told.flags))
}

fn rights(control: &mut RecvAncillaryBuffer<'_>) -> Vec<OwnedFd> {
    let mut descriptors = Vec::new();
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(some) = message {
            descriptors.extend(some);
        }
    }
    descriptors
}

/// Reads exactly as many bytes: what comes beside later ones stays there.
fn fill(socket: BorrowedFd<'_>, mut rest: &mut [u8]) -> Result<(), Gone> {
    while !rest.is_empty() {
        match rustix::io::read(socket, &mut *rest) {
            Ok(0) => return Err(Gone),
            Ok(length) => rest = rest.get_mut(length..).ok_or(Gone)?,
            Err(Refusal::INTR) => {}
            Err(_) => return Err(Gone),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
    use standin::transcript::ActorId;

    fn line() -> (Desk, OwnedFd) {
        let (kind, flags) = (SocketType::STREAM, SocketFlags::CLOEXEC);
        let (ours, theirs) = socketpair(AddressFamily::UNIX, kind, flags, None).unwrap();
        (Desk::new(ours), theirs)
    }

    #[test]
    fn a_request_arrives_with_the_handle_that_it_brings() {
        let (desk, actor) = line();
        let request = Request::Thread { thread: ActorId(7) };
        desk.call(&request, Some(actor.as_fd())).unwrap();
        desk.call(&request, None).unwrap();
        let call = receive(actor.as_fd()).unwrap();
        assert_eq!(call.request, request);
        assert!(call.brings_handle && take_handle(actor.as_fd()).unwrap().is_some());
        assert!(!receive(actor.as_fd()).unwrap().brings_handle);
    }

    #[test]
    fn an_answer_is_heard_when_all_of_it_has_come() {
        let (mut desk, actor) = line();
        assert!(desk.hear().unwrap().is_none());
        let long = Outcome::text(vec![b'x'; 3 * CHUNK_BYTES]);
        let far = std::thread::spawn(move || {
            answer(actor.as_fd(), &Answer::Outcome(long)).unwrap();
            answer(actor.as_fd(), &Answer::Child(actor.try_clone().unwrap())).unwrap();
            answer(actor.as_fd(), &Answer::Thread(Tid(5))).unwrap();
        });
        let mut heard = Vec::new();
        while heard.len() < 3 {
            heard.extend(desk.hear().unwrap());
        }
        far.join().unwrap();
        assert!(matches!(heard[0], Answer::Outcome(Outcome::Printed { .. })));
        assert!(matches!(heard[1], Answer::Child(_)));
        assert!(matches!(heard[2], Answer::Thread(Tid(5))));
    }

    #[test]
    fn an_actor_sees_the_end_of_its_runner() {
        let (desk, actor) = line();
        drop(desk);
        assert_eq!(receive(actor.as_fd()).unwrap_err(), Gone);
    }
}
