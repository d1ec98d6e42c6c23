//! The sockets that there are, as somebody sees them who stands above the machine.

use super::{Sockets, State};

/// Every socket that somebody can still reach or that waits to be accepted: a number that no other has, and what it is.
pub(crate) fn all(sockets: &Sockets) -> Vec<(u64, String)> {
    let open = sockets.table.iter().filter(|(_, socket)| socket.state != State::Closed);
    open.map(|(key, socket)| {
        let name = match &socket.address {
            Some(address) => format!(" {address:?}"),
            None => String::new(),
        };
        (key.number(), format!("{:?} {:?}{name}", socket.kind, socket.state).to_lowercase())
    })
    .collect()
}
