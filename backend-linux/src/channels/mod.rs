//! [`Channels`] on the running kernel.

mod address;
pub(crate) mod map;
mod message;
mod options;
mod sockets;

use rustix::event::EventfdFlags;
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::io::fcntl_dupfd_cloexec;
use rustix::pipe::{PipeFlags, pipe_with};
use standin::backend::{
    Address, Channels, Deadline, Message, PeerCredentials, Receive, Received, SendFlags,
    ShutdownHow, SocketFlags, SocketOption, SocketType,
};
use standin::failure::Result;
use standin::handle::{Descriptor, File, Map, PidHandle, Socket};
use standin::id::Bytes;

use crate::handle::{fd, inherited};
use crate::raw::refused;
use crate::view::Linux;

impl Channels for Linux {
    fn socket(&self, kind: SocketType, flags: SocketFlags) -> Result<Socket> {
        Ok(self.give(sockets::socket(kind, flags)?))
    }

    fn socket_pair(&self, kind: SocketType, flags: SocketFlags) -> Result<(Socket, Socket)> {
        let (one, two) = sockets::pair(kind, flags)?;
        Ok((self.give(one), self.give(two)))
    }

    fn bind(&self, socket: &Socket, address: &Address) -> Result<()> {
        sockets::bind(socket, address)
    }

    fn listen(&self, socket: &Socket, backlog: u32) -> Result<()> {
        sockets::listen(socket, backlog)
    }

    fn accept(&self, socket: &Socket, flags: SocketFlags) -> Result<Socket> {
        Ok(self.give(sockets::accept(socket, flags)?))
    }

    fn connect(&self, socket: &Socket, address: &Address) -> Result<()> {
        sockets::connect(socket, address)
    }

    fn send(&self, socket: &Socket, message: &Message<'_>, flags: SendFlags) -> Result<usize> {
        message::send(socket, message, flags)
    }

    fn receive(&self, socket: &Socket, buffer: &mut [u8], receive: Receive) -> Result<Received> {
        message::receive(self, socket, buffer, receive)
    }

    fn shutdown(&self, socket: &Socket, how: ShutdownHow) -> Result<()> {
        sockets::shutdown(socket, how)
    }

    fn local_address(&self, socket: &Socket) -> Result<Address> {
        sockets::local_address(socket)
    }

    fn peer_address(&self, socket: &Socket) -> Result<Address> {
        sockets::peer_address(socket)
    }

    fn socket_option(&self, socket: &Socket, option: SocketOption) -> Result<u32> {
        options::get(socket, option)
    }

    fn set_socket_option(&self, socket: &Socket, option: SocketOption, value: u32) -> Result<()> {
        options::set(socket, option, value)
    }

    fn peer_credentials(&self, socket: &Socket) -> Result<PeerCredentials> {
        options::peer_credentials(socket)
    }

    fn peer_process(&self, socket: &Socket) -> Result<PidHandle> {
        Ok(self.give(options::peer_process(socket)?))
    }

    fn pipe(&self, flags: SocketFlags) -> Result<(File, File)> {
        let mut how = PipeFlags::CLOEXEC;
        how.set(PipeFlags::NONBLOCK, flags.contains(SocketFlags::NONBLOCKING));
        let (reader, writer) = pipe_with(how).map_err(refused)?;
        Ok((self.give(reader), self.give(writer)))
    }

    fn event_counter(&self, initial: u32, semaphore: bool, flags: SocketFlags) -> Result<File> {
        let mut how = EventfdFlags::CLOEXEC;
        how.set(EventfdFlags::NONBLOCK, flags.contains(SocketFlags::NONBLOCKING));
        how.set(EventfdFlags::SEMAPHORE, semaphore);
        Ok(self.give(rustix::event::eventfd(initial, how).map_err(refused)?))
    }

    fn set_nonblocking(&self, descriptor: &Descriptor, nonblocking: bool) -> Result<()> {
        let file = fd(descriptor)?;
        let mut flags = fcntl_getfl(file).map_err(refused)?;
        flags.set(OFlags::NONBLOCK, nonblocking);
        fcntl_setfl(file, flags).map_err(refused)
    }

    fn duplicate(&self, descriptor: &Descriptor) -> Result<Descriptor> {
        Ok(self.give(fcntl_dupfd_cloexec(fd(descriptor)?, 0).map_err(refused)?))
    }

    /// The standard streams stay open when the handle ends.
    fn inherited(&self, number: u32) -> Result<Descriptor> {
        inherited(self.owner(), number)
    }

    fn map(&self, file: &File, length: Bytes, twice: bool) -> Result<Map> {
        map::map(self.owner(), file, length, twice)
    }

    fn map_read(&self, map: &Map, offset: Bytes, buffer: &mut [u8]) -> Result<()> {
        map::read(map, offset, buffer)
    }

    fn map_write(&self, map: &Map, offset: Bytes, bytes: &[u8]) -> Result<()> {
        map::write(map, offset, bytes)
    }

    fn map_load(&self, map: &Map, offset: Bytes) -> Result<u32> {
        map::load(map, offset)
    }

    fn map_store(&self, map: &Map, offset: Bytes, value: u32) -> Result<()> {
        map::store(map, offset, value)
    }

    fn map_compare_exchange(
        &self,
        map: &Map,
        offset: Bytes,
        expected: u32,
        value: u32,
    ) -> Result<u32> {
        map::compare_exchange(map, offset, expected, value)
    }

    fn futex_wait(
        &self,
        map: &Map,
        offset: Bytes,
        expected: u32,
        deadline: Deadline,
    ) -> Result<()> {
        map::futex_wait(map, offset, expected, deadline)
    }

    fn futex_wake(&self, map: &Map, offset: Bytes, count: u32) -> Result<u32> {
        map::futex_wake(map, offset, count)
    }
}
