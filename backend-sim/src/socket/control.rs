//! What arrives beside a message's bytes, put into the room that the receiver has for it (cmsg(3)).
//!
//! The kernel fills the room from its start: credentials, descriptors, a handle of the sender. So what there is room for
//! depends on what came before, whatever the receiver wanted the room for; and since contents are rounded up, there may be
//! room for one descriptor more than was asked for.

use standin::backend::{PeerCredentials, Receive};
use standin::{Errno, Failure};

use super::identity::Identity;
use super::{SocketKey, rights};
use crate::fs::{FileKey, descriptors};
use crate::kernel::Kernel;
use crate::step::Step;
use crate::task::ThreadKey;

/// Length of the header before each content.
const HEADER: usize = 16;

/// Contents begin at multiples of this.
const ALIGNMENT: usize = 8;

/// Bytes of credentials, and of a descriptor's number.
const CREDENTIALS: usize = 12;
const NUMBER: usize = 4;

/// The most descriptors that anybody makes room for (`SCM_MAX_FD`).
const MOST_FILES: usize = 253;

/// What came beside the bytes.
#[derive(Clone, Debug, Default)]
pub(super) struct Beside {
    /// Open files, held by whoever has this.
    pub(super) files: Vec<FileKey>,
    /// Who sent the bytes, if the receiver wants to be told; nobody, if that was not noted.
    pub(super) sender: Option<Option<Identity>>,
}

/// What the receiver is given of it.
#[derive(Debug, Default)]
pub(crate) struct Given {
    pub(crate) credentials: Option<PeerCredentials>,
    /// Numbers of new descriptors.
    pub(crate) numbers: Vec<u32>,
    /// The number of a handle of the sender, or why there is none.
    pub(crate) process: Option<Result<u32, Errno>>,
    /// Something did not fit (`MSG_CTRUNC`).
    pub(crate) truncated: bool,
}

/// The room that is left.
struct Room(usize);

impl Room {
    fn new(how: Receive) -> Self {
        let wanted = [
            how.credentials.then_some(CREDENTIALS),
            (how.descriptors > 0).then_some(how.descriptors.min(MOST_FILES) * NUMBER),
            how.process.then_some(NUMBER),
        ];
        Self(wanted.into_iter().flatten().map(space).sum())
    }

    /// Whether a content fits. What does not uses the room up, if so much as its header fits.
    fn put(&mut self, content: usize) -> bool {
        let fits = self.0 >= HEADER + content;
        if self.0 >= HEADER {
            self.0 -= space(content).min(self.0);
        }
        fits
    }
}

/// A content with its header, up to where the next one begins.
const fn space(content: usize) -> usize {
    (HEADER + content).next_multiple_of(ALIGNMENT)
}

/// Whether the machine knows what a receiver is given: refused while nothing has changed.
///
/// # Errors
/// `NotModelled`, `LimitReached`.
pub(super) fn check(
    kernel: &Kernel,
    socket: SocketKey,
    sender: Option<&Identity>,
    how: Receive,
) -> Result<(), Failure> {
    if !how.process || !kernel.sockets.at(socket).passes_process {
        return Ok(());
    }
    if kernel.vfs.files.len() >= kernel.profile.limits.open_files {
        return Err(Failure::LimitReached("open files"));
    }
    match sender {
        Some(sender) => sender.check_process(kernel.profile.release),
        None => Ok(()),
    }
}

/// Gives the receiver what there is room for, and lets go of the rest.
pub(super) fn give(
    kernel: &mut Kernel,
    caller: ThreadKey,
    socket: SocketKey,
    beside: Beside,
    how: Receive,
) -> Step<Given> {
    let Beside { mut files, sender } = beside;
    let mut room = Room::new(how);
    let mut given = Given::default();
    let own = kernel.sockets.at(socket);
    let (passes_credentials, passes_process) = (own.passes_credentials, own.passes_process);
    if let Some(sender) = sender.as_ref().filter(|_| passes_credentials) {
        if room.put(CREDENTIALS) {
            given.credentials = Some(Identity::sender(kernel, caller, sender.as_ref()));
        } else {
            given.truncated = true;
        }
    }
    if !files.is_empty() {
        let most = room.0.saturating_sub(HEADER) / NUMBER;
        let rest = files.split_off(files.len().min(most));
        let mut unplaced = Vec::new();
        for file in files {
            match descriptors::receive(kernel, caller, file) {
                Ok(number) if unplaced.is_empty() => given.numbers.push(number),
                Ok(_) | Err(_) => unplaced.push(file),
            }
        }
        given.truncated |= !rest.is_empty() || !unplaced.is_empty();
        if !given.numbers.is_empty() {
            room.put(given.numbers.len() * NUMBER);
        }
        unplaced.extend(rest);
        rights::let_go(kernel, unplaced);
    }
    if let Some(sender) = sender.as_ref().filter(|_| passes_process) {
        if room.0 < HEADER + NUMBER {
            given.truncated = true;
        } else if let Some(sender) = sender {
            given.process = sender.handle(kernel, caller)?;
        }
    }
    Ok(given)
}
