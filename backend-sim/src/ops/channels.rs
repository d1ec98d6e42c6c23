//! Operations of `Channels`: sockets, pipes, and descriptors of any kind.

use standin::backend::{
    Address, Message, PeerCredentials, Receive, SendFlags, ShutdownHow, SocketFlags, SocketOption,
    SocketType,
};

use super::operation::operation;
use crate::counter;
use crate::door::Operation;
use crate::fs::descriptors;
use crate::kernel::Kernel;
use crate::pipe;
use crate::socket::receive;
use crate::socket::send;
use crate::socket::{self, address, connect, options};
use crate::step::Step;
use crate::task::ThreadKey;
use crate::trace::{Parts, Show as _};

pub(crate) use crate::socket::receive::{Arrived, Receiving};
pub(crate) use crate::socket::send::Sending;

operation! {
    /// socket(2): the number of its descriptor.
    OpenSocket { kind: SocketType, flags: SocketFlags } = "socket" -> u32: |op, kernel, caller| {
        socket::open(kernel, caller, op.kind, op.flags)
    };

    /// socketpair(2)
    OpenPair { kind: SocketType, flags: SocketFlags } = "socket_pair" -> (u32, u32): |op, kernel, caller| {
        connect::pair(kernel, caller, op.kind, op.flags)
    };

    /// bind(2)
    Bind<'a> { socket: u32, address: &'a Address } = "bind" -> (): |op, kernel, caller| {
        address::bind(kernel, caller, op.socket, op.address)
    };

    /// listen(2)
    Listen { socket: u32, backlog: u32 } = "listen" -> (): |op, kernel, caller| {
        connect::listen(kernel, caller, op.socket, op.backlog)
    };

    /// accept4(2)
    Accept { socket: u32, flags: SocketFlags } = "accept" -> u32: |op, kernel, caller| {
        connect::accept(kernel, caller, op.socket, op.flags)
    };

    /// connect(2)
    Connect<'a> { socket: u32, address: &'a Address } = "connect" -> (): |op, kernel, caller| {
        connect::connect(kernel, caller, op.socket, op.address)
    };

    /// shutdown(2)
    ShutDown { socket: u32, how: ShutdownHow } = "shutdown" -> (): |op, kernel, caller| {
        socket::shut_down(kernel, caller, op.socket, op.how)
    };

    /// getsockname(2)
    LocalAddress { socket: u32 } = "local_address" -> Address: |op, kernel, caller| {
        address::local(kernel, caller, op.socket)
    };

    /// getpeername(2)
    PeerAddress { socket: u32 } = "peer_address" -> Address: |op, kernel, caller| {
        address::peer(kernel, caller, op.socket)
    };

    /// getsockopt(2)
    GetOption { socket: u32, option: SocketOption } = "socket_option" -> u32: |op, kernel, caller| {
        options::get(kernel, caller, op.socket, op.option)
    };

    /// setsockopt(2)
    SetOption { socket: u32, option: SocketOption, value: u32 } = "set_socket_option" -> ():
    |op, kernel, caller| options::set(kernel, caller, op.socket, op.option, op.value);

    /// `SO_PEERCRED`
    GetPeer { socket: u32 } = "peer_credentials" -> PeerCredentials: |op, kernel, caller| {
        options::peer_credentials(kernel, caller, op.socket)
    };

    /// `SO_PEERPIDFD`: the number of the handle.
    OpenPeer { socket: u32 } = "peer_process" -> u32: |op, kernel, caller| {
        options::peer_process(kernel, caller, op.socket)
    };

    /// pipe2(2)
    OpenPipe { flags: SocketFlags } = "pipe" -> (u32, u32): |op, kernel, caller| {
        pipe::open(kernel, caller, op.flags)
    };

    /// eventfd2(2)
    OpenCounter { initial: u32, is_semaphore: bool, flags: SocketFlags } = "event_counter" -> u32:
    |op, kernel, caller| counter::open(kernel, caller, (op.initial, op.is_semaphore), op.flags);

    /// fcntl(2) `O_NONBLOCK`
    SetNonblocking { descriptor: u32, nonblocking: bool } = "set_nonblocking" -> (): |op, kernel, caller| {
        descriptors::set_nonblocking(kernel, caller, op.descriptor, op.nonblocking)
    };

    /// dup(2): the number of the copy.
    Duplicate { descriptor: u32 } = "duplicate" -> u32: |op, kernel, caller| {
        descriptors::duplicate(kernel, caller, op.descriptor)
    };

    /// Whether a number that the process was born with is open: EBADF if not.
    Inherited { number: u32 } = "inherited" -> (): |op, kernel, caller| {
        descriptors::get(kernel, caller, op.number)?;
        Ok(())
    };
}

/// sendmsg(2)
pub(crate) struct Send<'a> {
    pub(crate) socket: u32,
    pub(crate) message: &'a Message<'a>,
    /// The numbers of its descriptors in the caller's table.
    pub(crate) descriptors: &'a [u32],
    pub(crate) flags: SendFlags,
    pub(crate) sending: Sending,
}

impl Operation for Send<'_> {
    type Answer = usize;
    const NAME: &'static str = "send";

    fn show(&self, parts: &mut Parts) {
        self.socket.add("socket", parts);
        self.message.bytes.add("bytes", parts);
        self.flags.add("flags", parts);
    }

    fn handle(&mut self, kernel: &mut Kernel, caller: ThreadKey) -> Step<usize> {
        let what = (self.message, self.descriptors, self.flags);
        send::send(kernel, caller, self.socket, what, &mut self.sending)
    }

    fn partial(&mut self, _kernel: &mut Kernel, _caller: ThreadKey) -> Option<usize> {
        self.sending.partial()
    }
}

/// recvmsg(2)
pub(crate) struct ReceiveMessage<'a> {
    pub(crate) socket: u32,
    pub(crate) buffer: &'a mut [u8],
    pub(crate) how: Receive,
    pub(crate) receiving: Receiving,
}

impl Operation for ReceiveMessage<'_> {
    type Answer = Arrived;
    const NAME: &'static str = "receive";

    fn show(&self, parts: &mut Parts) {
        self.socket.add("socket", parts);
        self.how.add("how", parts);
    }

    fn handle(&mut self, kernel: &mut Kernel, caller: ThreadKey) -> Step<Arrived> {
        let into = (&mut *self.buffer, self.how);
        receive::receive(kernel, caller, self.socket, into, &mut self.receiving)
    }

    fn partial(&mut self, kernel: &mut Kernel, caller: ThreadKey) -> Option<Arrived> {
        self.receiving.partial(kernel, caller, self.socket, self.how)
    }
}
