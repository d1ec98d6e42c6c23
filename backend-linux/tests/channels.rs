//! Channels and clocks on the running kernel, through the calling process's view.

#![expect(clippy::unwrap_used, reason = "a test may panic, its helpers too")]

use std::time::Duration;

use standin::backend::{
    Address, Channels, Clock, Deadline, Files, Interest, Message, OpenOptions, PollEvents,
    Processes, Receive, SendFlags, ShutdownHow, SocketFlags, SocketOption, SocketType,
};
use standin::handle::{File, Socket};
use standin::id::Bytes;
use standin::path::{KPathBuf, Place};
use standin::{Errno, fs};
use standin_linux::{Linux, as_fd};

fn pair(kind: SocketType) -> (Linux, Socket, Socket) {
    let kernel = Linux::here();
    let (one, two) = kernel.socket_pair(kind, SocketFlags::empty()).unwrap();
    (kernel, one, two)
}

fn text(bytes: &[u8]) -> Message<'_> {
    Message { bytes, ..Message::default() }
}

#[test]
fn a_listener_is_found_by_its_abstract_name() {
    let kernel = Linux::here();
    let listener = kernel.socket(SocketType::SeqPacket, SocketFlags::empty()).unwrap();
    kernel.bind(&listener, &Address::Unnamed).unwrap();
    let name = kernel.local_address(&listener).unwrap();
    assert!(matches!(&name, Address::Abstract(bytes) if bytes.len() == 5), "{name:?}");
    let client = kernel.socket(SocketType::SeqPacket, SocketFlags::empty()).unwrap();
    assert!(kernel.connect(&client, &name).unwrap_err().is(Errno::ECONNREFUSED));
    kernel.listen(&listener, 1).unwrap();
    assert_eq!(kernel.socket_option(&listener, SocketOption::Listening), Ok(1));
    kernel.connect(&client, &name).unwrap();
    let server = kernel.accept(&listener, SocketFlags::NONBLOCKING).unwrap();
    assert_eq!(kernel.peer_address(&client).unwrap(), name);
    let peer = kernel.peer_credentials(&server).unwrap();
    assert_eq!(peer.pid, kernel.pid().unwrap());
    assert_eq!(peer.uid, kernel.credentials().unwrap().user.effective);
    let mut room = [0; 4];
    let nothing = kernel.receive(&server, &mut room, Receive::default());
    assert!(nothing.unwrap_err().is(Errno::EAGAIN));
    match kernel.peer_process(&server) {
        Ok(peer) => assert_eq!(kernel.inspect(&peer).unwrap().pid, kernel.pid().unwrap()),
        Err(failure) => assert!(failure.is(Errno::ENOPROTOOPT)),
    }
}

#[test]
fn a_message_is_cut_where_the_buffer_ends_and_says_so() {
    let (kernel, one, two) = pair(SocketType::Datagram);
    kernel.send(&one, &text(b"12345"), SendFlags::empty()).unwrap();
    let mut room = [0; 3];
    let peek = Receive { peek: true, ..Receive::default() };
    for receive in [peek, Receive::default()] {
        let received = kernel.receive(&two, &mut room, receive).unwrap();
        assert!(received.truncated && received.length == 3 && &room == b"123");
    }
}

#[test]
fn descriptors_and_credentials_travel_with_bytes() {
    let (kernel, one, two) = pair(SocketType::Stream);
    kernel.set_socket_option(&two, SocketOption::PassCredentials, 1).unwrap();
    let (reader, writer) = kernel.pipe(SocketFlags::empty()).unwrap();
    let descriptors = [writer.descriptor(), reader.descriptor()];
    let message = Message { bytes: b"x", descriptors: &descriptors, ..Message::default() };
    assert_eq!(kernel.send(&one, &message, SendFlags::empty()), Ok(1));
    let mut room = [0; 8];
    let receive = Receive { descriptors: 2, credentials: true, ..Receive::default() };
    let received = kernel.receive(&two, &mut room, receive).unwrap();
    assert_eq!(received.credentials.unwrap().pid, kernel.pid().unwrap());
    assert!(!received.control_truncated);
    let [writer_too, _reader_too] = received.descriptors.try_into().unwrap();
    drop(writer);
    kernel.write(&File::from(writer_too), b"through").unwrap();
    let length = kernel.read(&reader, &mut room).unwrap();
    assert_eq!(&room[..length], b"through");

    kernel.send(&one, &message_with(&reader), SendFlags::empty()).unwrap();
    let received = kernel.receive(&two, &mut room, Receive::default()).unwrap();
    assert!(received.control_truncated && received.descriptors.is_empty());
}

fn message_with(file: &File) -> Message<'_> {
    let descriptors: &[_] = Box::leak(Box::new([file.descriptor()]));
    Message { bytes: b"y", descriptors, ..Message::default() }
}

#[test]
fn a_shut_down_stream_ends_and_breaks() {
    let (kernel, one, two) = pair(SocketType::Stream);
    kernel.shutdown(&one, ShutdownHow::Write).unwrap();
    let mut room = [0; 1];
    assert_eq!(kernel.receive(&two, &mut room, Receive::default()).unwrap().length, 0);
    let refused = kernel.send(&one, &text(b"x"), SendFlags::empty()).unwrap_err();
    assert!(refused.is(Errno::EPIPE));
}

#[test]
fn polling_tells_each_handle_apart_and_ends_at_its_deadline() {
    let kernel = Linux::here();
    let counter = kernel.event_counter(1, false, SocketFlags::NONBLOCKING).unwrap();
    let (reader, writer) = kernel.pipe(SocketFlags::empty()).unwrap();
    let interests = [
        Interest { handle: counter.descriptor(), events: PollEvents::INPUT },
        Interest { handle: reader.descriptor(), events: PollEvents::INPUT },
    ];
    let ready = kernel.poll(&interests, Deadline::Never).unwrap();
    assert_eq!(ready, [PollEvents::INPUT, PollEvents::empty()]);
    let mut room = [0; 8];
    kernel.read(&counter, &mut room).unwrap();
    assert_eq!(u64::from_ne_bytes(room), 1);
    assert!(kernel.read(&counter, &mut room).unwrap_err().is(Errno::EAGAIN));
    let until = kernel.monotonic().unwrap().after(Duration::from_millis(20));
    let ready = kernel.poll(&interests, Deadline::At(until)).unwrap();
    assert_eq!(ready, [PollEvents::empty(); 2]);
    assert!(kernel.monotonic().unwrap() >= until);
    drop(writer);
    let ready = kernel.poll(&interests, Deadline::At(until)).unwrap();
    assert_eq!(ready[1], PollEvents::HANG_UP);
}

#[test]
fn shared_memory_is_one_memory_and_twice_mapped_goes_on_at_its_end() {
    let kernel = Linux::here();
    let directory = tempfile::tempdir().unwrap();
    let name = KPathBuf::new(directory.path().join("m").to_str().unwrap()).unwrap();
    let options = OpenOptions::read_write().create();
    let file = kernel.open(Place::cwd(&name), &options).unwrap();
    kernel.truncate(Place::of(file.descriptor()), Bytes(4096)).unwrap();
    let one = kernel.map(&file, Bytes(4096), false).unwrap();
    let two = kernel.map(&file, Bytes(4096), true).unwrap();
    kernel.map_write(&two, Bytes(4094), b"abcd").unwrap();
    let mut room = [0; 2];
    kernel.map_read(&one, Bytes(0), &mut room).unwrap();
    assert_eq!(&room, b"cd", "behind its end it begins again");
    assert_eq!(&fs::read(&kernel, &name).unwrap()[4094..], b"ab");

    kernel.map_store(&one, Bytes(8), 5).unwrap();
    assert_eq!(kernel.map_compare_exchange(&two, Bytes(8), 5, 6), Ok(5));
    assert_eq!(kernel.map_compare_exchange(&two, Bytes(4096 + 8), 5, 7), Ok(6));
    assert_eq!(kernel.map_load(&one, Bytes(8)), Ok(6));
    assert!(kernel.map_load(&one, Bytes(4094)).unwrap_err().is(Errno::EFAULT));
    assert!(kernel.map_load(&one, Bytes(6)).unwrap_err().is(Errno::EINVAL));

    let wait = kernel.futex_wait(&one, Bytes(8), 5, Deadline::Never);
    assert!(wait.unwrap_err().is(Errno::EAGAIN));
    let wait = kernel.futex_wait(&one, Bytes(8), 6, Deadline::Now);
    assert!(wait.unwrap_err().is(Errno::ETIMEDOUT));
    std::thread::scope(|scope| {
        let waiter = scope.spawn(|| kernel.futex_wait(&one, Bytes(8), 6, Deadline::Never));
        while kernel.futex_wake(&two, Bytes(8), 1).unwrap() == 0 {
            std::thread::yield_now();
        }
        waiter.join().unwrap().unwrap();
    });
}

#[test]
fn a_duplicate_shares_offset_and_flags() {
    let kernel = Linux::here();
    let (reader, _writer) = kernel.pipe(SocketFlags::empty()).unwrap();
    let again = File::from(kernel.duplicate(reader.descriptor()).unwrap());
    kernel.set_nonblocking(again.descriptor(), true).unwrap();
    assert!(kernel.read(&reader, &mut [0]).unwrap_err().is(Errno::EAGAIN));
    assert!(as_fd(&again).is_ok());
}
