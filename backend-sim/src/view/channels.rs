//! The `Channels` trait of a view: handles become numbers of the process's table, numbers become handles.

use standin::Failure;
use standin::backend::{
    Address, Channels, Deadline, Message, PeerCredentials, Receive, Received, SendFlags,
    ShutdownHow, SocketFlags, SocketOption, SocketType,
};
use standin::handle::{Descriptor, File, Map, PidHandle, Socket};
use standin::id::Bytes;

use crate::ops::channels as ops;
use crate::ops::shared;
use crate::shared::FutexWait;
use crate::view::View;

type Result<T> = std::result::Result<T, Failure>;

impl View {
    fn socket_number(&self, socket: &Socket) -> Result<u32> {
        socket.descriptor().number_in(self.scope())
    }

    fn map_number(&self, map: &Map) -> Result<u32> {
        map.descriptor().number_in(self.scope())
    }
}

impl Channels for View {
    fn socket(&self, kind: SocketType, flags: SocketFlags) -> Result<Socket> {
        Ok(self.handle(self.carry(ops::OpenSocket { kind, flags })?).into())
    }

    fn socket_pair(&self, kind: SocketType, flags: SocketFlags) -> Result<(Socket, Socket)> {
        let (one, other) = self.carry(ops::OpenPair { kind, flags })?;
        Ok((self.handle(one).into(), self.handle(other).into()))
    }

    fn bind(&self, socket: &Socket, address: &Address) -> Result<()> {
        self.carry(ops::Bind { socket: self.socket_number(socket)?, address })
    }

    fn listen(&self, socket: &Socket, backlog: u32) -> Result<()> {
        self.carry(ops::Listen { socket: self.socket_number(socket)?, backlog })
    }

    fn accept(&self, socket: &Socket, flags: SocketFlags) -> Result<Socket> {
        let socket = self.socket_number(socket)?;
        Ok(self.handle(self.carry(ops::Accept { socket, flags })?).into())
    }

    fn connect(&self, socket: &Socket, address: &Address) -> Result<()> {
        self.carry(ops::Connect { socket: self.socket_number(socket)?, address })
    }

    fn send(&self, socket: &Socket, message: &Message<'_>, flags: SendFlags) -> Result<usize> {
        let socket = self.socket_number(socket)?;
        let numbers = message.descriptors.iter().map(|handle| handle.number_in(self.scope()));
        let descriptors: &[u32] = &numbers.collect::<Result<Vec<u32>>>()?;
        let sending = ops::Sending::default();
        self.carry(ops::Send { socket, message, descriptors, flags, sending })
    }

    fn receive(&self, socket: &Socket, buffer: &mut [u8], how: Receive) -> Result<Received> {
        let socket = self.socket_number(socket)?;
        let receiving = ops::Receiving::default();
        let arrived = self.carry(ops::ReceiveMessage { socket, buffer, how, receiving })?;
        let given = arrived.given;
        Ok(Received {
            length: arrived.length,
            from: arrived.from,
            credentials: given.credentials,
            descriptors: given.numbers.into_iter().map(|number| self.handle(number)).collect(),
            process: given.process.map(|number| Ok(self.handle(number?).into())),
            truncated: arrived.truncated,
            control_truncated: given.truncated,
        })
    }

    fn shutdown(&self, socket: &Socket, how: ShutdownHow) -> Result<()> {
        self.carry(ops::ShutDown { socket: self.socket_number(socket)?, how })
    }

    fn local_address(&self, socket: &Socket) -> Result<Address> {
        self.carry(ops::LocalAddress { socket: self.socket_number(socket)? })
    }

    fn peer_address(&self, socket: &Socket) -> Result<Address> {
        self.carry(ops::PeerAddress { socket: self.socket_number(socket)? })
    }

    fn socket_option(&self, socket: &Socket, option: SocketOption) -> Result<u32> {
        self.carry(ops::GetOption { socket: self.socket_number(socket)?, option })
    }

    fn set_socket_option(&self, socket: &Socket, option: SocketOption, value: u32) -> Result<()> {
        self.carry(ops::SetOption { socket: self.socket_number(socket)?, option, value })
    }

    fn peer_credentials(&self, socket: &Socket) -> Result<PeerCredentials> {
        self.carry(ops::GetPeer { socket: self.socket_number(socket)? })
    }

    fn peer_process(&self, socket: &Socket) -> Result<PidHandle> {
        let socket = self.socket_number(socket)?;
        Ok(self.handle(self.carry(ops::OpenPeer { socket })?).into())
    }

    fn pipe(&self, flags: SocketFlags) -> Result<(File, File)> {
        let (reading, writing) = self.carry(ops::OpenPipe { flags })?;
        Ok((self.handle(reading).into(), self.handle(writing).into()))
    }

    fn event_counter(&self, initial: u32, semaphore: bool, flags: SocketFlags) -> Result<File> {
        let is_semaphore = semaphore;
        Ok(self.handle(self.carry(ops::OpenCounter { initial, is_semaphore, flags })?).into())
    }

    fn set_nonblocking(&self, descriptor: &Descriptor, nonblocking: bool) -> Result<()> {
        let descriptor = descriptor.number_in(self.scope())?;
        self.carry(ops::SetNonblocking { descriptor, nonblocking })
    }

    fn duplicate(&self, descriptor: &Descriptor) -> Result<Descriptor> {
        let descriptor = descriptor.number_in(self.scope())?;
        Ok(self.handle(self.carry(ops::Duplicate { descriptor })?))
    }

    fn inherited(&self, number: u32) -> Result<Descriptor> {
        self.carry(ops::Inherited { number })?;
        Ok(self.handle(number))
    }

    fn map(&self, file: &File, length: Bytes, twice: bool) -> Result<Map> {
        let file = file.descriptor().number_in(self.scope())?;
        Ok(self.handle(self.carry(shared::MapFile { file, length, twice })?).into())
    }

    fn map_read(&self, map: &Map, offset: Bytes, buffer: &mut [u8]) -> Result<()> {
        self.carry(shared::MapRead { map: self.map_number(map)?, offset, buffer })
    }

    fn map_write(&self, map: &Map, offset: Bytes, bytes: &[u8]) -> Result<()> {
        self.carry(shared::MapWrite { map: self.map_number(map)?, offset, bytes })
    }

    fn map_load(&self, map: &Map, offset: Bytes) -> Result<u32> {
        self.carry(shared::MapLoad { map: self.map_number(map)?, offset })
    }

    fn map_store(&self, map: &Map, offset: Bytes, value: u32) -> Result<()> {
        self.carry(shared::MapStore { map: self.map_number(map)?, offset, value })
    }

    fn map_compare_exchange(
        &self,
        map: &Map,
        offset: Bytes,
        expected: u32,
        value: u32,
    ) -> Result<u32> {
        let map = self.map_number(map)?;
        self.carry(shared::MapCompareExchange { map, offset, expected, value })
    }

    fn futex_wait(
        &self,
        map: &Map,
        offset: Bytes,
        expected: u32,
        deadline: Deadline,
    ) -> Result<()> {
        let map = self.map_number(map)?;
        self.carry(FutexWait { map, offset, expected, deadline, slept: false })
    }

    fn futex_wake(&self, map: &Map, offset: Bytes, count: u32) -> Result<u32> {
        self.carry(shared::FutexWake { map: self.map_number(map)?, offset, count })
    }
}
