//! Options of a socket (socket(7), unix(7)).

use standin::Errno;
use standin::backend::{PeerCredentials, SocketOption};

use super::identity::Identity;
use super::{State, opened};
use crate::kernel::Kernel;
use crate::profile::Release;
use crate::step::Step;
use crate::task::ThreadKey;
use crate::wait::Channel;

/// `SO_SNDBUF` and `SO_RCVBUF` of a new socket (socket(7), wmem_default, rmem_default).
pub(super) const BUFFER_BYTES: u32 = 212_992;

/// Connections that may wait before listen(2) says how many (unix(7), max_dgram_qlen).
pub(super) const FIRST_BACKLOG: u32 = 10;

/// The least of each buffer.
const LEAST_SEND_BYTES: u32 = 4608;
const LEAST_RECEIVE_BYTES: u32 = 2304;

/// The most that may be asked for: wmem_max, rmem_max (recorded).
fn most_bytes(kernel: &Kernel) -> u32 {
    if kernel.profile.release < Release::V6_18 { 212_992 } else { 4_194_304 }
}

/// getsockopt(2)
///
/// # Errors
/// EBADF, ENOTSOCK, ENOPROTOOPT.
pub(crate) fn get(
    kernel: &mut Kernel,
    caller: ThreadKey,
    number: u32,
    option: SocketOption,
) -> Step<u32> {
    let key = opened(kernel, caller, number)?.key;
    check_known(kernel, option)?;
    let socket = kernel.sockets.at_mut(key);
    Ok(match option {
        SocketOption::PassCredentials => socket.passes_credentials.into(),
        SocketOption::Listening => (socket.state == State::Listening).into(),
        SocketOption::Error => socket.error.take().map_or(0, |errno| errno.raw().unsigned_abs()),
        SocketOption::SendBuffer => socket.send_limit,
        SocketOption::ReceiveBuffer => socket.receive_limit,
        SocketOption::PassProcess => socket.passes_process.into(),
        SocketOption::PassRights => socket.passes_rights.into(),
    })
}

/// setsockopt(2). The buffers are given twice what is asked for, as socket(7) says.
///
/// # Errors
/// EBADF, ENOTSOCK, ENOPROTOOPT (one that is only read).
pub(crate) fn set(
    kernel: &mut Kernel,
    caller: ThreadKey,
    number: u32,
    option: SocketOption,
    value: u32,
) -> Step<()> {
    let key = opened(kernel, caller, number)?.key;
    check_known(kernel, option)?;
    let most = most_bytes(kernel);
    let socket = kernel.sockets.at_mut(key);
    match option {
        SocketOption::PassCredentials => socket.passes_credentials = value != 0,
        SocketOption::Listening | SocketOption::Error => return Err(Errno::ENOPROTOOPT.into()),
        SocketOption::SendBuffer => {
            socket.send_limit = (value.min(most) * 2).max(LEAST_SEND_BYTES);
            kernel.waits.wake(Channel::SocketOutput(key));
        }
        SocketOption::ReceiveBuffer => {
            socket.receive_limit = (value.min(most) * 2).max(LEAST_RECEIVE_BYTES);
        }
        SocketOption::PassProcess => socket.passes_process = value != 0,
        SocketOption::PassRights => socket.passes_rights = value != 0,
    }
    Ok(())
}

/// Options that came with later kernels are unknown before: ENOPROTOOPT.
fn check_known(kernel: &Kernel, option: SocketOption) -> Result<(), Errno> {
    let since = match option {
        SocketOption::PassProcess => Release::V6_12,
        SocketOption::PassRights => Release::V6_18,
        SocketOption::PassCredentials
        | SocketOption::Listening
        | SocketOption::Error
        | SocketOption::SendBuffer
        | SocketOption::ReceiveBuffer => Release::V6_1,
    };
    if kernel.profile.release >= since { Ok(()) } else { Err(Errno::ENOPROTOOPT) }
}

/// `SO_PEERCRED`: who connected or listened, as it was then; nobody, if the socket has no peer and does not listen.
///
/// # Errors
/// EBADF, ENOTSOCK.
pub(crate) fn peer_credentials(
    kernel: &Kernel,
    caller: ThreadKey,
    number: u32,
) -> Step<PeerCredentials> {
    let key = opened(kernel, caller, number)?.key;
    Ok(Identity::peer(kernel, caller, kernel.sockets.at(key).peer_identity.as_ref()))
}

/// `SO_PEERPIDFD`: the number of a handle of who connected or listened.
///
/// # Errors
/// EBADF, ENOTSOCK, EMFILE. ENOPROTOOPT: 6.1 has none. ENODATA: nobody did. EINVAL: it was reaped, before 6.16.
pub(crate) fn peer_process(kernel: &mut Kernel, caller: ThreadKey, number: u32) -> Step<u32> {
    let key = opened(kernel, caller, number)?.key;
    if kernel.profile.release < Release::V6_12 {
        return Err(Errno::ENOPROTOOPT.into());
    }
    let peer = kernel.sockets.at(key).peer_identity.clone().ok_or(Errno::ENODATA)?;
    peer.check_process(kernel.profile.release)?;
    match peer.handle(kernel, caller)? {
        Some(number) => Ok(number?),
        None => Err(Errno::ENODATA.into()),
    }
}
