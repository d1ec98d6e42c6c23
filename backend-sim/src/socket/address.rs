//! Names of sockets: files and abstract names (unix(7)), giving them and finding who has one.

use standin::Errno;
use standin::backend::{Access, Address};
use standin::id::Mode;
use standin::path::{Follow, KPath, Resolve};

use super::{Socket, SocketKey, State, opened};
use crate::fs::{Node, names, permission, walk};
use crate::kernel::Kernel;
use crate::ops::PlaceArg;
use crate::step::{Step, Stop};
use crate::task::ThreadKey;

/// The most bytes of a name, with the NUL that ends a path or begins an abstract name (`UNIX_PATH_MAX`).
const NAME_BYTES: usize = 108;

/// The permission bits of a socket file, before the umask.
const FILE_MODE: Mode = Mode::new(0o777);

/// How many names there are to choose from for a socket that asks for any: five hex digits.
const AUTOMATIC_NAMES: u32 = 1 << 20;

/// bind(2)
///
/// # Errors
/// EBADF, ENOTSOCK. EINVAL: no address of a local socket, or the socket has one. EADDRINUSE: the name is taken. What the
/// path and its directory refuse.
pub(crate) fn bind(
    kernel: &mut Kernel,
    caller: ThreadKey,
    number: u32,
    address: &Address,
) -> Step<()> {
    let key = opened(kernel, caller, number)?.key;
    if *address == Address::Unnamed {
        return name_automatically(kernel, key);
    }
    check(address)?;
    let bound = kernel.sockets.at(key).address.is_some();
    match address {
        Address::Path(path) => bind_path(kernel, caller, key, path)?,
        Address::Abstract(_) if bound => return Err(Errno::EINVAL.into()),
        Address::Abstract(name) => {
            let socket = kernel.sockets.at(key);
            let name = (socket.net, socket.kind, name.clone());
            if kernel.sockets.names.contains_key(&name) {
                return Err(Errno::EADDRINUSE.into());
            }
            kernel.sockets.names.insert(name, key);
        }
        Address::Unnamed | Address::Unspecified => return Err(Errno::EINVAL.into()),
    }
    kernel.sockets.at_mut(key).address = Some(address.clone());
    Ok(())
}

/// Makes the socket file. The kernel finds out last that the socket has a name: the file was there for a moment.
fn bind_path(kernel: &mut Kernel, caller: ThreadKey, key: SocketKey, path: &KPath) -> Step<()> {
    let spot =
        names::make_socket(kernel, caller, from_here(path), FILE_MODE, key).map_err(|stop| {
            match stop {
                stop if stop == Errno::EEXIST.into() => Stop::from(Errno::EADDRINUSE),
                stop => stop,
            }
        })?;
    if kernel.sockets.at(key).address.is_some() {
        names::unlink(kernel, caller, from_here(path))?;
        return Err(Errno::EINVAL.into());
    }
    crate::fs::keep(kernel, spot);
    kernel.sockets.at_mut(key).spot = Some(spot);
    Ok(())
}

fn from_here(path: &KPath) -> PlaceArg<'_> {
    PlaceArg { at: None, path, resolve: Resolve::Kernel }
}

/// Whether it is an address of a local socket at all: EINVAL.
pub(super) fn check(address: &Address) -> Result<(), Errno> {
    let length = match address {
        Address::Unnamed | Address::Unspecified => return Err(Errno::EINVAL),
        Address::Path(path) => path.as_bytes().len(),
        Address::Abstract(name) => name.len(),
    };
    if length < NAME_BYTES { Ok(()) } else { Err(Errno::EINVAL) }
}

/// Gives a socket without a name one that is free (unix(7), Autobind feature).
///
/// # Errors
/// ENOSPC: none is.
pub(super) fn name_automatically(kernel: &mut Kernel, key: SocketKey) -> Step<()> {
    let sockets = &mut kernel.sockets;
    let socket = sockets.table.at_mut(key);
    if socket.address.is_some() {
        return Ok(());
    }
    for _ in 0..AUTOMATIC_NAMES {
        sockets.last_automatic = (sockets.last_automatic + 1) % AUTOMATIC_NAMES;
        let name = format!("{:05x}", sockets.last_automatic).into_bytes();
        if let std::collections::hash_map::Entry::Vacant(free) =
            sockets.names.entry((socket.net, socket.kind, name.clone()))
        {
            free.insert(key);
            socket.address = Some(Address::Abstract(name));
            return Ok(());
        }
    }
    Err(Errno::ENOSPC.into())
}

/// A socket is closed: its name is free. A socket file stays, and leads to nobody.
pub(super) fn forget(kernel: &mut Kernel, key: SocketKey) {
    let socket = kernel.sockets.table.at_mut(key);
    if let Some(Address::Abstract(name)) = &socket.address {
        let name = (socket.net, socket.kind, name.clone());
        // The ends of connections have their listener's address, but not its name.
        if kernel.sockets.names.get(&name) == Some(&key) {
            kernel.sockets.names.remove(&name);
        }
    }
    if let Some(spot) = kernel.sockets.at_mut(key).spot.take() {
        crate::fs::let_go(kernel, spot);
    }
}

/// The socket of the same type that has an address.
///
/// # Errors
/// ECONNREFUSED: nobody has it. EPROTOTYPE: a socket of another type. What the path refuses: ENOENT, EACCES and others.
pub(super) fn find(
    kernel: &Kernel,
    caller: ThreadKey,
    own: SocketKey,
    address: &Address,
) -> Step<SocketKey> {
    let Socket { net, kind, .. } = *kernel.sockets.at(own);
    let found = match address {
        Address::Path(path) => {
            let spot = walk::spot(kernel, caller, from_here(path), Follow::Link)?;
            permission::check(kernel, caller, spot, Access::WRITE)?;
            match spot.node {
                Node::Tmp(node) => kernel.vfs.tmp.at(node).socket(),
                Node::Cgroup(_) | Node::Control(..) | Node::Proc(_) => None,
            }
        }
        Address::Abstract(name) => kernel.sockets.names.get(&(net, kind, name.clone())).copied(),
        Address::Unnamed | Address::Unspecified => return Err(Errno::EINVAL.into()),
    };
    // A file outlives the socket that it was made for.
    let open = |key: &SocketKey| {
        kernel.sockets.table.get(*key).is_some_and(|socket| socket.state != State::Closed)
    };
    let key = found.filter(open).ok_or(Errno::ECONNREFUSED)?;
    if kernel.sockets.at(key).kind == kind { Ok(key) } else { Err(Errno::EPROTOTYPE.into()) }
}

/// getsockname(2)
///
/// # Errors
/// EBADF, ENOTSOCK.
pub(crate) fn local(kernel: &Kernel, caller: ThreadKey, number: u32) -> Step<Address> {
    let key = opened(kernel, caller, number)?.key;
    Ok(name_of(kernel, key))
}

/// getpeername(2)
///
/// # Errors
/// EBADF, ENOTSOCK. ENOTCONN: it has no peer.
pub(crate) fn peer(kernel: &Kernel, caller: ThreadKey, number: u32) -> Step<Address> {
    let key = opened(kernel, caller, number)?.key;
    let peer = kernel.sockets.at(key).peer.ok_or(Errno::ENOTCONN)?;
    Ok(name_of(kernel, peer))
}

fn name_of(kernel: &Kernel, key: SocketKey) -> Address {
    kernel.sockets.at(key).address.clone().unwrap_or(Address::Unnamed)
}
