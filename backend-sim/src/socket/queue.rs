//! What is under way: pieces of bytes, and what each costs its sender until it was read.
//!
//! The kernel charges a sender for the memory that its bytes take, bookkeeping and rounding included (`SO_SNDBUF`,
//! socket(7)). So how much fits depends on the sizes of the messages, by the same rule here (recorded with `SIOCOUTQ`).

use std::sync::Arc;

use super::identity::Identity;
use super::rights::{self, Rights};
use super::{SocketKey, end};
use crate::fs::FileKey;
use crate::kernel::Kernel;
use crate::wait::Channel;

/// Bytes that were sent in one piece.
#[derive(Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Piece {
    #[cfg_attr(feature = "serde", serde(with = "standin::written"))]
    pub(super) bytes: Arc<[u8]>,
    /// How many of them were read.
    pub(super) read: usize,
    pub(super) sender: SocketKey,
    /// Who sent it, if anybody wanted to know then.
    pub(super) identity: Option<Identity>,
    /// Open files that go with its first byte.
    pub(super) rights: Rights,
    cost: u32,
}

impl Piece {
    /// What its sender is charged for it.
    pub(super) const fn cost(&self) -> u32 {
        self.cost
    }
}

/// Bytes of a piece that stand together with its bookkeeping.
const TOGETHER: usize = 3776;

/// Bytes of a piece that stand in pages of their own.
const IN_PAGES: usize = 32 * 1024;

const PAGE: usize = 4096;

/// The most bytes of a stream that travel in one piece, for a sender with this much room.
pub(super) fn most_bytes(send_limit: u32) -> usize {
    let half = (send_limit / 2).saturating_sub(64);
    usize::try_from(half).unwrap_or(usize::MAX).min(TOGETHER + IN_PAGES)
}

/// Whether a message may be split, and put behind the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Boundaries {
    /// It is part of a stream.
    None,
    /// It is received as it was sent.
    Kept,
}

impl Boundaries {
    /// How many bytes of a message stand in pages of their own.
    fn paged(self, length: usize) -> usize {
        const MESSAGE_TOGETHER: usize = 16_064;
        const MESSAGE_IN_PAGES: usize = 17 * PAGE;
        match self {
            Self::None => length.saturating_sub(TOGETHER).next_multiple_of(PAGE).min(length),
            Self::Kept => {
                length.saturating_sub(MESSAGE_TOGETHER).min(MESSAGE_IN_PAGES).next_multiple_of(PAGE)
            }
        }
    }

    /// What a piece of this length costs: memory comes in powers of two and in pages.
    fn cost(self, length: usize) -> u32 {
        const RECORD: usize = 256;
        const TAIL: usize = 320;
        const LINE: usize = 64;
        let paged = self.paged(length);
        let together = (length - paged).next_multiple_of(LINE) + TAIL;
        let cost = RECORD + together.next_power_of_two().max(512) + paged.next_multiple_of(PAGE);
        u32::try_from(cost).unwrap_or(u32::MAX)
    }
}

/// What goes with bytes that are queued.
#[derive(Clone)]
pub(super) struct Sent {
    pub(super) identity: Option<Identity>,
    pub(super) rights: Rights,
    pub(super) boundaries: Boundaries,
}

/// Queues bytes at `receiver` and charges `sender` for them.
pub(super) fn push(
    kernel: &mut Kernel,
    sender: SocketKey,
    receiver: SocketKey,
    bytes: &[u8],
    beside: Sent,
) {
    let Sent { identity, rights, boundaries } = beside;
    let cost = boundaries.cost(bytes.len());
    let from = kernel.sockets.at_mut(sender);
    from.charged += cost;
    from.holders += 1;
    let queue = &mut kernel.sockets.at_mut(receiver).queue;
    // Who fills a socket sends the same again and again.
    let before = queue.back().filter(|last| *last.bytes == *bytes);
    let bytes = before.map_or_else(|| bytes.into(), |last| Arc::clone(&last.bytes));
    queue.push_back(Piece { bytes, read: 0, sender, identity, rights, cost });
    kernel.waits.wake(Channel::SocketInput(receiver));
}

/// A piece was read to its end, or will never be.
pub(super) fn drop_piece(kernel: &mut Kernel, piece: Piece) {
    let sender = kernel.sockets.at_mut(piece.sender);
    sender.charged -= piece.cost;
    if sender.is_writable() {
        kernel.waits.wake(Channel::SocketOutput(piece.sender));
    }
    end::let_go(kernel, piece.sender);
    let files = rights::arrive(kernel, piece.rights);
    rights::let_go(kernel, files);
}

/// Takes the first piece of a queue, whose files are its receiver's now.
pub(super) fn take_front(kernel: &mut Kernel, socket: SocketKey) -> Vec<FileKey> {
    let Some(mut piece) = kernel.sockets.at_mut(socket).queue.pop_front() else {
        return Vec::new();
    };
    let files = rights::arrive(kernel, std::mem::take(&mut piece.rights));
    drop_piece(kernel, piece);
    files
}

#[cfg(test)]
mod tests {
    use super::Boundaries;

    #[test]
    fn bytes_cost_what_siocoutq_told_on_6_1_6_12_and_6_18() {
        const STREAM: [(usize, u32); 12] = [
            (1, 768),
            (192, 768),
            (193, 1280),
            (704, 1280),
            (705, 2304),
            (1728, 2304),
            (1729, 4352),
            (3776, 4352),
            (3777, 4864),
            (6000, 8448),
            (16_065, 17_152),
            (36_544, 37_120),
        ];
        const MESSAGE: [(usize, u32); 10] = [
            (0, 768),
            (193, 1280),
            (3776, 4352),
            (3777, 8448),
            (16_064, 16_640),
            (16_065, 20_736),
            (32_768, 37_120),
            (65_536, 69_888),
            (106_432, 135_424),
            (200_000, 200_960),
        ];
        for (boundaries, rows) in
            [(Boundaries::None, &STREAM[..]), (Boundaries::Kept, &MESSAGE[..])]
        {
            for (length, cost) in rows {
                assert_eq!(boundaries.cost(*length), *cost, "{boundaries:?} {length}");
            }
        }
    }
}
