//! Connections: listen(2), connect(2), accept(2), socketpair(2).
//!
//! A connection is complete when connect(2) returns, whoever accepts it: its other end waits in the listener's queue, and
//! may be written to. What connect(2) and listen(2) note of their callers is what each end's peer is told later.

use standin::Errno;
use standin::backend::{Address, SocketFlags, SocketType};

use super::address::{check, find, name_automatically};
use super::identity::Identity;
use super::{Directions, Socket, SocketKey, State, datagram, insert, install, opened, wake_all};
use crate::fs::descriptors;
use crate::fs::proc::sysctl::{SocketNumber, socket_number};
use crate::kernel::Kernel;
use crate::namespace;
use crate::profile::Release;
use crate::step::{Step, Wait};
use crate::task::ThreadKey;
use crate::wait::Channel;

/// The most connections that listen(2) lets wait (/proc/sys/net/core/somaxconn).
const MOST_WAITING: u32 = 4096;

/// socketpair(2): the numbers of their descriptors.
///
/// # Errors
/// EMFILE.
pub(crate) fn pair(
    kernel: &mut Kernel,
    caller: ThreadKey,
    kind: SocketType,
    flags: SocketFlags,
) -> Step<(u32, u32)> {
    descriptors::check_room(kernel, caller, 2)?;
    let identity = Some(Identity::of_end(kernel, caller));
    let net = namespace::of(kernel, caller).net;
    let one = insert(kernel, Socket::new(kind, net));
    let other = insert(kernel, Socket::new(kind, net));
    for (own, peer) in [(one, other), (other, one)] {
        let socket = kernel.sockets.at_mut(own);
        socket.peer_identity.clone_from(&identity);
        socket.state = State::Connected;
        set_peer(kernel, own, peer);
    }
    Ok((install(kernel, caller, one, flags)?, install(kernel, caller, other, flags)?))
}

fn set_peer(kernel: &mut Kernel, own: SocketKey, peer: SocketKey) {
    kernel.sockets.at_mut(own).peer = Some(peer);
    kernel.sockets.at_mut(peer).holders += 1;
}

/// listen(2)
///
/// # Errors
/// EBADF, ENOTSOCK. EOPNOTSUPP: datagrams. EINVAL: no name, or connected.
pub(crate) fn listen(
    kernel: &mut Kernel,
    caller: ThreadKey,
    number: u32,
    backlog: u32,
) -> Step<()> {
    let key = opened(kernel, caller, number)?.key;
    let identity = Identity::of_end(kernel, caller);
    let net = kernel.sockets.at(key).net;
    let most = socket_number(kernel, net, SocketNumber::Connections).unwrap_or(MOST_WAITING);
    let socket = kernel.sockets.at_mut(key);
    if socket.kind == SocketType::Datagram {
        return Err(Errno::EOPNOTSUPP.into());
    }
    if socket.address.is_none() || !matches!(socket.state, State::Unconnected | State::Listening) {
        return Err(Errno::EINVAL.into());
    }
    let before = std::mem::replace(&mut socket.backlog, backlog.min(most));
    let grew = socket.backlog > before;
    socket.state = State::Listening;
    socket.peer_identity = Some(identity);
    if grew {
        kernel.waits.wake(Channel::SocketBacklog(key));
    }
    Ok(())
}

/// connect(2)
///
/// # Errors
/// EBADF, ENOTSOCK. EINVAL: no address, or the caller's end listens. EISCONN. ECONNREFUSED: nobody listens there. EPROTOTYPE:
/// a socket of another type. EAGAIN: the backlog is full, and the caller's end does not wait. What the path refuses.
pub(crate) fn connect(
    kernel: &mut Kernel,
    caller: ThreadKey,
    number: u32,
    address: &Address,
) -> Step<()> {
    let own = opened(kernel, caller, number)?;
    let socket = kernel.sockets.at(own.key);
    let (kind, asks_for_sender) = (socket.kind, socket.asks_for_sender());
    if kind == SocketType::Datagram {
        return datagram::connect(kernel, caller, own.key, address);
    }
    check(address)?;
    if asks_for_sender {
        name_automatically(kernel, own.key)?;
    }
    let listener = find(kernel, caller, own.key, address)?;
    let other = kernel.sockets.at(listener);
    if other.state != State::Listening || other.ended.contains(Directions::RECEIVING) {
        return Err(Errno::ECONNREFUSED.into());
    }
    if other.waiting.len() as u64 > u64::from(other.backlog) {
        return Err(if own.nonblocking {
            Errno::EAGAIN.into()
        } else {
            Wait::on(Channel::SocketBacklog(listener)).into()
        });
    }
    match kernel.sockets.at(own.key).state {
        State::Unconnected => {}
        State::Connected | State::Waiting => return Err(Errno::EISCONN.into()),
        State::Listening | State::Closed => return Err(Errno::EINVAL.into()),
    }
    meet(kernel, caller, own.key, listener);
    Ok(())
}

/// Makes the other end of a connection and puts it into the listener's queue.
fn meet(kernel: &mut Kernel, caller: ThreadKey, own: SocketKey, listener: SocketKey) {
    let identity = Identity::of_end(kernel, caller);
    let of = kernel.sockets.at(listener);
    let mut end = Socket::new(of.kind, kernel.sockets.at(own).net);
    end.state = State::Waiting;
    end.address.clone_from(&of.address);
    end.spot = of.spot;
    end.peer_identity = Some(identity);
    let listened = of.peer_identity.clone();
    // Since 6.16 an end is what its listener was when it was made, not when it is accepted.
    if kernel.profile.release >= Release::V6_18 {
        end.passes_credentials = of.passes_credentials;
        end.passes_process = of.passes_process;
        end.passes_rights = of.passes_rights;
    }
    if let Some(spot) = end.spot {
        crate::fs::keep(kernel, spot);
    }
    let end = insert(kernel, end);
    set_peer(kernel, end, own);
    set_peer(kernel, own, end);
    let socket = kernel.sockets.at_mut(own);
    socket.state = State::Connected;
    socket.peer_identity = listened;
    kernel.sockets.at_mut(listener).waiting.push_back(end);
    kernel.waits.wake(Channel::SocketInput(listener));
    wake_all(kernel, own);
}

/// accept4(2): the number of the new end's descriptor.
///
/// # Errors
/// EBADF, EMFILE, ENOTSOCK. EOPNOTSUPP: datagrams. EINVAL: it does not listen, or was shut down and would wait. EAGAIN.
pub(crate) fn accept(
    kernel: &mut Kernel,
    caller: ThreadKey,
    number: u32,
    flags: SocketFlags,
) -> Step<u32> {
    descriptors::get_opened(kernel, caller, number)?;
    descriptors::check_room(kernel, caller, 1)?;
    let own = opened(kernel, caller, number)?;
    let inherits_now = kernel.profile.release < Release::V6_18;
    let socket = kernel.sockets.at_mut(own.key);
    if socket.kind == SocketType::Datagram {
        return Err(Errno::EOPNOTSUPP.into());
    }
    if socket.state != State::Listening {
        return Err(Errno::EINVAL.into());
    }
    let passes_credentials = inherits_now && socket.passes_credentials;
    let passes_process = inherits_now && socket.passes_process;
    let Some(end) = socket.waiting.pop_front() else {
        return Err(if own.nonblocking {
            Errno::EAGAIN.into()
        } else if socket.ended.contains(Directions::RECEIVING) {
            Errno::EINVAL.into()
        } else {
            Wait::on(Channel::SocketInput(own.key)).into()
        });
    };
    kernel.waits.wake(Channel::SocketBacklog(own.key));
    let new = kernel.sockets.at_mut(end);
    new.state = State::Connected;
    new.passes_credentials |= passes_credentials;
    new.passes_process |= passes_process;
    install(kernel, caller, end, flags)
}
