//! Local sockets: making, naming, connecting, options. Messages are next door.

use super::link::flags;
use super::{Act, Performed, descriptor, done, message, name_to_nul};
use crate::backend;
use crate::errno::Errno;
use crate::failure::Failure;
use crate::handle::{PidHandle, Socket};
use crate::transcript::actor::Facts;
use crate::transcript::choice::Switch;
use crate::transcript::op::{Address, ShutdownHow, SocketName, SocketOp, SocketType};
use crate::transcript::outcome::{Form, Outcome, Part, PidRule};
use crate::transcript::value::Label;
use crate::transcript::word::print_address;

pub(super) fn run(act: &Act<'_>, op: &SocketOp) -> Performed {
    let kernel = act.kernel;
    match op {
        SocketOp::Socket { fd, kind, nonblock } => {
            act.actor.close(fd);
            let socket = kernel.socket((*kind).into(), flags(*nonblock))?;
            keep(act, fd, socket, Some(*kind));
            Ok(Outcome::ok())
        }
        SocketOp::Socketpair { fd, new, kind, nonblock } => {
            act.actor.close(fd);
            act.actor.close(new);
            let (one, other) = kernel.socket_pair((*kind).into(), flags(*nonblock))?;
            keep(act, fd, one, Some(*kind));
            keep(act, new, other, Some(*kind));
            Ok(Outcome::ok())
        }
        SocketOp::Bind { fd, address: to } => done(kernel.bind(&act.handle(fd), &address(to))),
        SocketOp::Connect { fd, address: to } => {
            done(kernel.connect(&act.handle(fd), &address(to)))
        }
        SocketOp::Listen { fd, backlog } => {
            // A negative number is a very high one to the kernel.
            done(kernel.listen(&act.handle(fd), backlog.cast_unsigned()))
        }
        SocketOp::Accept { fd, new, nonblock } => {
            act.actor.close(new);
            let kind = act.actor.facts(fd).socket;
            let socket = kernel.accept(&act.handle(fd), flags(*nonblock))?;
            keep(act, new, socket, kind);
            Ok(Outcome::ok())
        }
        SocketOp::Send { fd, data, options } => message::send(act, fd, &data.0, options),
        SocketOp::Fill { fd, size } => message::fill(act, fd, *size),
        SocketOp::Recv { fd, size, options } => message::receive(act, fd, *size, options),
        SocketOp::Sockopt { fd, name, to } => option(act, fd, *name, *to),
        SocketOp::Peercred { fd } => {
            let peer = kernel.peer_credentials(&act.handle(fd))?;
            Ok(Outcome::Printed { form: Form::Status, parts: credentials(&peer) })
        }
        SocketOp::Peerpidfd { fd } => {
            let peer = kernel.peer_process(&act.handle(fd))?;
            Ok(Outcome::Printed { form: Form::Status, parts: vec![whose(act, &peer)?] })
        }
        SocketOp::Shutdown { fd, how } => {
            let how = match how {
                ShutdownHow::Read => backend::ShutdownHow::Read,
                ShutdownHow::Write => backend::ShutdownHow::Write,
                ShutdownHow::ReadWrite => backend::ShutdownHow::Both,
            };
            done(kernel.shutdown(&act.handle(fd), how))
        }
        SocketOp::Poll { fd, events, timeout_ms } => {
            descriptor::poll(act, fd, &events.0, *timeout_ms)
        }
        SocketOp::Sockname { fd } => {
            Ok(Outcome::status(print(&kernel.local_address(&act.handle(fd))?)))
        }
        SocketOp::Peername { fd } => {
            Ok(Outcome::status(print(&kernel.peer_address(&act.handle(fd))?)))
        }
        SocketOp::Dup { fd, new } => descriptor::duplicate(act, fd, new),
    }
}

fn keep(act: &Act<'_>, fd: &Label, socket: Socket, kind: Option<SocketType>) {
    act.actor.keep(fd, socket, Facts { socket: kind, ..Facts::default() });
}

/// An address as the backend takes it. A path is its bytes and a final NUL: if its first byte is NUL, that is an
/// abstract name.
pub(super) fn address(address: &Address) -> backend::Address {
    match address {
        Address::Path(path) => match path.split_first() {
            None => backend::Address::Abstract(Vec::new()),
            Some((0, name)) => backend::Address::Abstract([name, b"\0"].concat()),
            Some(_) => backend::Address::Path(name_to_nul(path).to_owned()),
        },
        Address::Abstract(name) => backend::Address::Abstract(name.clone()),
        Address::Autobind => backend::Address::Unnamed,
        Address::Unspec => backend::Address::Unspecified,
    }
}

/// An address as `sockname` prints it.
pub(super) fn print(address: &backend::Address) -> String {
    match address {
        backend::Address::Unnamed => "unnamed".to_owned(),
        backend::Address::Path(path) => print_address(path.as_bytes()),
        backend::Address::Abstract(name) if is_automatic(name) => "@auto".to_owned(),
        backend::Address::Abstract(name) => format!("@{}", print_address(name)),
        backend::Address::Unspecified => "unspec".to_owned(),
    }
}

/// Whether the kernel may have chosen the name: five hex digits (unix(7), Autobind feature).
fn is_automatic(name: &[u8]) -> bool {
    name.len() == 5 && name.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// `<LABEL> UID:GID`.
pub(super) fn credentials(of: &backend::PeerCredentials) -> Vec<Part> {
    let ids = format!(" {}:{}", of.uid, of.gid);
    vec![Part::Process(of.pid, PidRule::Number), Part::Bytes(ids.into_bytes())]
}

/// Whose handle it is.
pub(super) fn whose(act: &Act<'_>, process: &PidHandle) -> Result<Part, Outcome> {
    match act.kernel.inspect(process) {
        Ok(process) => Ok(Part::Process(process.pid, PidRule::Label)),
        Err(Failure::Errno(Errno::ESRCH)) => Ok(Part::Bytes(b"reaped".to_vec())),
        Err(failure) => Err(failure.into()),
    }
}

fn option(act: &Act<'_>, fd: &Label, name: SocketName, to: Option<Switch>) -> Performed {
    let option = match name {
        SocketName::Passcred => backend::SocketOption::PassCredentials,
        SocketName::Passpidfd => backend::SocketOption::PassProcess,
        SocketName::Passrights => backend::SocketOption::PassRights,
        SocketName::Acceptconn => backend::SocketOption::Listening,
        SocketName::Error => backend::SocketOption::Error,
    };
    let socket: Socket = act.handle(fd);
    if let Some(to) = to {
        return done(act.kernel.set_socket_option(&socket, option, u32::from(to == Switch::On)));
    }
    let value = act.kernel.socket_option(&socket, option)?;
    Ok(Outcome::status(match (name, i32::try_from(value)) {
        (SocketName::Error, Ok(0)) => "ok".to_owned(),
        (SocketName::Error, Ok(errno)) => Errno::from_raw(errno).to_string(),
        _ => value.to_string(),
    }))
}

impl From<SocketType> for backend::SocketType {
    fn from(kind: SocketType) -> Self {
        match kind {
            SocketType::Stream => Self::Stream,
            SocketType::Dgram => Self::Datagram,
            SocketType::Seqpacket => Self::SeqPacket,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::path::KPathBuf;

    #[test]
    fn a_path_that_begins_with_nul_is_an_abstract_name() {
        let path = |bytes: &[u8]| address(&Address::Path(bytes.to_vec()));
        assert_eq!(path(b""), backend::Address::Abstract(Vec::new()));
        assert_eq!(path(b"\0ab"), backend::Address::Abstract(b"ab\0".to_vec()));
        assert_eq!(path(b"/s\0x"), backend::Address::Path(KPathBuf::new("/s").unwrap()));
    }

    #[test]
    fn names_that_the_kernel_chose_print_alike() {
        let print = |name: &[u8]| print(&backend::Address::Abstract(name.to_vec()));
        assert_eq!(print(b"0a1f3"), "@auto");
        assert_eq!(print(b"0a1f"), "@0a1f");
        assert_eq!(print(b"A b\0"), "@A\\x20b\\x00");
    }
}
