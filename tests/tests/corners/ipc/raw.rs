//! The protocol by hand, for those who do not keep to it: sockets, and words in the memory of rings.

use std::time::Duration;

use standin::backend::{
    Address, Backend, Deadline, Interest, Message, OpenOptions, PollEvents, Receive, SendFlags,
    SocketFlags, SocketType,
};
use standin::handle::{Map, Socket};
use standin::id::Bytes;
use standin::ipc::{ConnectRequest, ConnectResponse, Endpoint, Error, Grant};
use standin::path::{KPathBuf, Place};
use standin::{Errno, KPath, fs};

use super::pair::{at_last, once_there};

/// Where the fields of a ring's header are (pacemaker-ipc, 5.4).
pub(super) const WRITE: u64 = 0;
pub(super) const READ: u64 = 4;
pub(super) const UNREAD: u64 = 8208;
/// The mark of a message that is there.
pub(super) const COMMITTED: u32 = 0xa1a1_a1a1;

fn address(endpoint: &Endpoint) -> Address {
    let mut name = endpoint.service().as_str().as_bytes().to_vec();
    name.resize(107, 0);
    Address::Abstract(name)
}

/// Listens, as a server that is none.
pub(super) fn listen(kernel: &dyn Backend, endpoint: &Endpoint) -> Socket {
    let socket = kernel.socket(SocketType::Stream, SocketFlags::empty()).expect("a socket");
    kernel.bind(&socket, &address(endpoint)).expect("a name");
    kernel.listen(&socket, 8).expect("a listener");
    socket
}

/// Connects as soon as somebody listens.
pub(super) fn connect(kernel: &dyn Backend, endpoint: &Endpoint) -> Socket {
    let attempt = || {
        let socket = kernel.socket(SocketType::Stream, SocketFlags::empty()).expect("a socket");
        match kernel.connect(&socket, &address(endpoint)) {
            Ok(()) => Ok(socket),
            Err(failure) if failure.is(Errno::ECONNREFUSED) => {
                Err(Error::NoService { service: endpoint.to_string() })
            }
            Err(failure) => panic!("connect: {failure}"),
        }
    };
    once_there(kernel, attempt).expect("somebody listens")
}

pub(super) fn send(kernel: &dyn Backend, socket: &Socket, bytes: &[u8]) {
    let message = Message { bytes, ..Message::default() };
    assert_eq!(kernel.send(socket, &message, SendFlags::empty()), Ok(bytes.len()));
}

/// Reads so many bytes, or up to the end.
pub(super) fn receive(kernel: &dyn Backend, socket: &Socket, bytes: usize) -> Vec<u8> {
    let mut all = Vec::new();
    while all.len() < bytes {
        wait(kernel, socket);
        let mut room = vec![0; bytes - all.len()];
        match kernel.receive(socket, &mut room, Receive::default()) {
            Ok(received) if received.length > 0 => all.extend(room.iter().take(received.length)),
            Ok(_) => break,
            Err(failure) if failure.is(Errno::ECONNRESET) => break,
            Err(failure) => panic!("receive: {failure}"),
        }
    }
    all
}

/// Waits until the other side hangs up; bytes that come first are passed over.
pub(super) fn see_end(kernel: &dyn Backend, socket: &Socket) {
    while !receive(kernel, socket, 1).is_empty() {}
}

fn wait(kernel: &dyn Backend, socket: &Socket) {
    let interest = Interest { handle: socket.descriptor(), events: PollEvents::INPUT };
    let ready = kernel.poll(&[interest], Deadline::At(at_last(kernel))).expect("a poll");
    assert!(ready.iter().all(|events| !events.is_empty()), "the other side says nothing");
}

/// Sets a connection up as a client does.
pub(super) fn set_up(kernel: &dyn Backend, endpoint: &Endpoint) -> (Socket, Grant) {
    let socket = connect(kernel, endpoint);
    send(kernel, &socket, &ConnectRequest { most_message_bytes: 20_000 }.encode());
    let answer = receive(kernel, &socket, ConnectResponse::LENGTH);
    match ConnectResponse::decode(&answer) {
        Ok(ConnectResponse::Granted(grant)) => (socket, grant),
        other => panic!("{other:?}"),
    }
}

/// A ring's two files, mapped.
pub(super) struct RawRing {
    pub(super) header: Map,
    pub(super) data: Map,
}

impl RawRing {
    pub(super) fn open(kernel: &dyn Backend, prefix: &KPath) -> Self {
        let map = |suffix: &str, bytes: Option<u64>| {
            let path = KPathBuf::new(format!("{prefix}{suffix}")).expect("no NUL");
            let file = kernel.open(Place::cwd(&path), &OpenOptions::read_write()).expect("a file");
            let size = fs::metadata(kernel, &path).expect("a file").size;
            kernel.map(&file, bytes.map_or(size, Bytes), false).expect("a map")
        };
        Self { header: map("-header", Some(8248)), data: map("-data", None) }
    }

    pub(super) fn set(&self, kernel: &dyn Backend, field: u64, value: u32) {
        kernel.map_store(&self.header, Bytes(field), value).expect("a word");
    }

    pub(super) fn get(&self, kernel: &dyn Backend, field: u64) -> u32 {
        kernel.map_load(&self.header, Bytes(field)).expect("a word")
    }

    /// A first message as somebody might write it: what is said of its size, its mark, and its bytes.
    pub(super) fn first(&self, kernel: &dyn Backend, size: u32, mark: u32, bytes: &[u8]) {
        kernel.map_write(&self.data, Bytes(8), bytes).expect("in the ring");
        kernel.map_store(&self.data, Bytes(0), size).expect("a word");
        kernel.map_store(&self.data, Bytes(4), mark).expect("a word");
        self.set(kernel, UNREAD, 1);
    }

    /// The bytes of the first message, once there is one.
    pub(super) fn wait_for_first(&self, kernel: &dyn Backend) -> Vec<u8> {
        let until = at_last(kernel);
        while self.get(kernel, UNREAD) == 0 {
            assert!(kernel.monotonic().expect("a clock") < until, "no message");
            super::pair::sleep(kernel, Duration::from_millis(2));
        }
        let size = kernel.map_load(&self.data, Bytes(0)).expect("a word");
        let mut bytes = vec![0; usize::try_from(size).expect("a size")];
        kernel.map_read(&self.data, Bytes(8), &mut bytes).expect("in the ring");
        bytes
    }

    /// Words from a generator over indices, semaphore and the first messages.
    pub(super) fn spoil(&self, kernel: &dyn Backend, random: &mut Random) {
        for field in [WRITE, READ, 8, 8204, UNREAD, UNREAD + 4] {
            if random.below(2) == 0 {
                self.set(kernel, field, random.word());
            }
        }
        for at in 0..32 {
            if random.below(3) == 0 {
                let word = [COMMITTED, random.below(300), random.word()];
                let word = word.into_iter().nth(usize::try_from(random.below(3)).unwrap_or(0));
                kernel.map_store(&self.data, Bytes(at * 4), word.unwrap_or(0)).expect("a word");
            }
        }
    }
}

/// xorshift64
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn word(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        u32::try_from(self.0 >> 32).unwrap_or(0)
    }

    pub(super) fn below(&mut self, bound: u32) -> u32 {
        self.word() % bound
    }
}

/// The directories in shared memory that hold rings of this service.
pub(super) fn ring_directories(kernel: &dyn Backend, endpoint: &Endpoint) -> Vec<String> {
    let entries = fs::read_dir(kernel, "/dev/shm").expect("shared memory");
    let of_service = |directory: &String| {
        let ring = format!("{directory}/qb-response-{}-header", endpoint.service());
        fs::exists(kernel, ring)
    };
    entries.iter().map(|entry| entry.path().to_string()).filter(of_service).collect()
}
