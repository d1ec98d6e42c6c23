//! Sockets that wait in messages which nobody can receive any more (the kernel's garbage collector of unix(7)).
//!
//! A socket under way is held by its message. If the message waits in that very socket, or in another one that is held in
//! such a way, no descriptor leads there and none ever will. The kernel looks for those whenever a socket is closed; until
//! then they live.

use rustc_hash::{FxHashMap, FxHashSet};

use super::queue::{self, Piece};
use super::{SocketKey, rights};
use crate::fs::FileKey;
use crate::kernel::Kernel;

/// A socket was closed: what only messages held is looked for, unless closing goes on.
pub(super) fn collect_if_closed(kernel: &mut Kernel) {
    if !kernel.sockets.closing.is_empty() || !std::mem::take(&mut kernel.sockets.closed_one) {
        return;
    }
    while kernel.sockets.sockets_under_way > 0 {
        let lost = unreachable(kernel);
        if lost.is_empty() {
            break;
        }
        // All of them are emptied before the first is closed by that.
        let pieces: Vec<Piece> =
            lost.into_iter().flat_map(|socket| empty(kernel, socket)).collect();
        for piece in pieces {
            queue::drop_piece(kernel, piece);
        }
    }
    kernel.sockets.closed_one = false;
}

/// The sockets that no descriptor leads to, whatever is received.
fn unreachable(kernel: &Kernel) -> Vec<SocketKey> {
    let mut held: FxHashMap<FileKey, u32> = FxHashMap::default();
    for (_, socket) in kernel.sockets.table.iter() {
        for file in socket.queue.iter().flat_map(|piece| &piece.rights.files) {
            *held.entry(*file).or_default() += 1;
        }
    }
    let mut reached = FxHashSet::default();
    let mut left = Vec::new();
    let mut under_way = Vec::new();
    for (file, record) in kernel.vfs.files.iter() {
        let Some(socket) = rights::socket_of(kernel, file) else { continue };
        // It is being closed.
        if record.descriptors == 0 {
            continue;
        }
        match held.get(&file) {
            Some(held) if *held == record.descriptors => under_way.push(socket),
            Some(_) | None => left.push(socket),
        }
    }
    while let Some(socket) = left.pop() {
        if !reached.insert(socket) {
            continue;
        }
        let record = kernel.sockets.at(socket);
        let files = record.queue.iter().flat_map(|piece| &piece.rights.files);
        left.extend(files.filter_map(|file| rights::socket_of(kernel, *file)));
        left.extend(&record.waiting);
    }
    under_way.retain(|socket| !reached.contains(socket));
    under_way
}

/// Takes all messages out of a socket, and out of the connections that wait there.
fn empty(kernel: &mut Kernel, socket: SocketKey) -> Vec<Piece> {
    let mut all = vec![socket];
    all.extend(&kernel.sockets.at(socket).waiting);
    all.into_iter()
        .flat_map(|socket| std::mem::take(&mut kernel.sockets.at_mut(socket).queue))
        .collect()
}
