//! Messages on a stream socket: a length of four bytes, and as many bytes.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::Errno as Refusal;
use rustix::net::{RecvFlags, SendFlags, recv, send};

use super::wire::MOST_BYTES;

/// Length of a message's length.
pub(super) const HEADER_BYTES: usize = 4;

/// Room for what comes in one go: most messages are shorter.
const CHUNK_BYTES: usize = 16 * 1024;

/// The other side is gone, or says what nobody says.
#[derive(Debug)]
pub(super) struct Gone;

/// One end of a connection.
pub(super) struct Line {
    socket: OwnedFd,
    /// What has come and was not taken yet.
    ahead: Vec<u8>,
}

impl Line {
    pub(super) const fn new(socket: OwnedFd) -> Self {
        Self { socket, ahead: Vec::new() }
    }

    pub(super) fn socket(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// A message to fill, with room for its length.
    pub(super) fn blank() -> Vec<u8> {
        vec![0; HEADER_BYTES]
    }

    /// Sends a message that began as [`blank`](Self::blank).
    pub(super) fn send(&mut self, mut message: Vec<u8>) -> Result<(), Gone> {
        let length = message.len() - HEADER_BYTES;
        let length = u32::try_from(length).map_err(|_| Gone)?;
        let (header, _) = message.split_first_chunk_mut::<HEADER_BYTES>().ok_or(Gone)?;
        *header = length.to_ne_bytes();
        let mut rest = message.as_slice();
        while !rest.is_empty() {
            match send(&self.socket, rest, SendFlags::NOSIGNAL) {
                Ok(sent) => rest = rest.get(sent..).ok_or(Gone)?,
                Err(Refusal::INTR) => {}
                Err(_) => return Err(Gone),
            }
        }
        Ok(())
    }

    /// The next message.
    pub(super) fn receive(&mut self) -> Result<Vec<u8>, Gone> {
        loop {
            if let Some(message) = self.whole()? {
                return Ok(message);
            }
            let mut chunk = [0; CHUNK_BYTES];
            match recv(&self.socket, &mut chunk, RecvFlags::empty()) {
                Ok((0, _)) => return Err(Gone),
                Ok((length, _)) => {
                    self.ahead.extend_from_slice(chunk.get(..length).ok_or(Gone)?);
                }
                Err(Refusal::INTR) => {}
                Err(_) => return Err(Gone),
            }
        }
    }

    /// The first message, if all of it has come.
    fn whole(&mut self) -> Result<Option<Vec<u8>>, Gone> {
        let Some((header, content)) = self.ahead.split_first_chunk::<HEADER_BYTES>() else {
            return Ok(None);
        };
        let length = usize::try_from(u32::from_ne_bytes(*header)).map_err(|_| Gone)?;
        if length > MOST_BYTES + CHUNK_BYTES {
            return Err(Gone);
        }
        if content.len() < length {
            return Ok(None);
        }
        let message = content.get(..length).unwrap_or_default().to_vec();
        self.ahead.drain(..HEADER_BYTES + length);
        Ok(Some(message))
    }
}
