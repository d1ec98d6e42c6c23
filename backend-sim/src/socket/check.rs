//! What must hold of all sockets between two calls.

use rustc_hash::FxHashMap;

use super::{State, rights};
use crate::fs::OpenKind;
use crate::kernel::Kernel;

/// The first thing found that does not hold.
///
/// # Errors
/// A sentence that says what.
pub(crate) fn check(kernel: &Kernel) -> Result<(), String> {
    let sockets = &kernel.sockets;
    let mut holders = FxHashMap::default();
    let mut charged = FxHashMap::default();
    let (mut under_way, mut sockets_under_way) = (0, 0);
    for (_, file) in kernel.vfs.files.iter() {
        if let OpenKind::Socket(key) = file.kind {
            *holders.entry(key).or_insert(0_u32) += 1;
            require(sockets.at(key).state != State::Closed, "a socket with a file is open")?;
        }
    }
    for (_, socket) in sockets.table.iter() {
        for key in socket.peer.iter().chain(&socket.waiting) {
            *holders.entry(*key).or_default() += 1;
        }
        for piece in &socket.queue {
            *holders.entry(piece.sender).or_default() += 1;
            *charged.entry(piece.sender).or_insert(0_u32) += piece.cost();
            under_way += piece.rights.files.len() as u64;
            let files = piece.rights.files.iter();
            let all = files.filter(|file| rights::socket_of(kernel, **file).is_some());
            sockets_under_way += all.count() as u64;
        }
        let listens = socket.state == State::Listening;
        require(listens || socket.waiting.is_empty(), "only who listens has connections waiting")?;
    }
    let counted: u64 = sockets.under_way.values().copied().map(u64::from).sum();
    require(counted == under_way, "users have as many files under way as messages hold")?;
    let counted = u64::from(sockets.sockets_under_way);
    require(counted == sockets_under_way, "sockets under way are counted")?;
    for (key, socket) in sockets.table.iter() {
        require(holders.get(&key) == Some(&socket.holders), "a socket counts its holders")?;
        let under_way = charged.get(&key).copied().unwrap_or_default();
        require(socket.charged == under_way, "a sender is charged for what is under way")?;
    }
    Ok(())
}

fn require(holds: bool, what: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(format!("sockets: does not hold: {what}")) }
}
