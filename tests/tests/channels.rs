//! Sockets and pipes between programs and views of one machine, where a script cannot say it: handles, partial transfers,
//! descriptors that a child is born with, ends that nobody waits for.

use standin::backend::{
    Address, Channels, Clock, Deadline, Delivery, Files, Interest, Message, PollEvents, Processes,
    Receive, SendFlags, SocketFlags, SocketOption, SocketType, Spawn, SpawnDescriptor, WaitOptions,
    WaitStatus,
};
use standin::handle::{Descriptor, File, Socket};
use standin::id::Bytes;
use standin::{Backend, Errno, ExitCode, Failure, KPath, KPathBuf, Signal};
use standin_sim::{Machine, View};

const STREAM: SocketType = SocketType::Stream;
const PLAIN: SocketFlags = SocketFlags::empty();

fn path(text: &str) -> &KPath {
    KPath::new(text).expect("no NUL")
}

fn at(text: &str) -> Address {
    Address::Path(KPathBuf::new(text).expect("no NUL"))
}

fn send(kernel: &dyn Backend, socket: &Socket, bytes: &[u8]) -> Result<usize, Failure> {
    kernel.send(socket, &Message { bytes, ..Message::default() }, SendFlags::empty())
}

fn receive(kernel: &dyn Backend, socket: &Socket, length: usize) -> Result<Vec<u8>, Failure> {
    let mut buffer = vec![0; length];
    let received = kernel.receive(socket, &mut buffer, Receive::default())?;
    buffer.truncate(received.length);
    Ok(buffer)
}

fn ask(kernel: &View) -> Result<Vec<u8>, Failure> {
    let socket = kernel.socket(STREAM, PLAIN)?;
    kernel.connect(&socket, &at("/mnt/s"))?;
    send(kernel, &socket, b"hello")?;
    receive(kernel, &socket, 100)
}

#[test]
fn a_program_serves_the_views_outside_and_knows_who_they_are() {
    let machine = Machine::builder().build();
    // It answers three connections with what came, and who sent it.
    machine.program("/bin/server", |kernel, _| {
        let listener = kernel.socket(STREAM, PLAIN).unwrap();
        kernel.bind(&listener, &at("/mnt/s")).unwrap();
        kernel.listen(&listener, 8).unwrap();
        for _ in 0..3 {
            let client = kernel.accept(&listener, PLAIN).unwrap();
            let who = kernel.peer_credentials(&client).unwrap();
            let text = receive(kernel, &client, 100).unwrap();
            let answer = [text.as_slice(), format!(" {}", who.uid).as_bytes()].concat();
            assert_eq!(send(kernel, &client, &answer), Ok(answer.len()));
        }
        ExitCode::SUCCESS
    });
    let root = machine.root();
    let server = root.spawn(&Spawn::new(path("/bin/server"), &[])).unwrap();
    // Nobody has run yet: the first connection finds nobody.
    assert_eq!(ask(&root).unwrap_err().errno(), Some(Errno::ENOENT));
    machine.settle();
    assert_eq!(ask(&root).unwrap(), b"hello 0");
    let user = machine.user(1000);
    // What is not root's may be connected to only if it may be written.
    assert_eq!(ask(&user).unwrap_err().errno(), Some(Errno::EACCES));
    root.chmod(path("/mnt/s").into(), standin::id::Mode::new(0o777)).unwrap();
    assert_eq!(ask(&user).unwrap(), b"hello 1000");
    assert_eq!(ask(&root).unwrap(), b"hello 0");
    assert_eq!(root.wait(&server, WaitOptions::default()), Ok(Some(WaitStatus::Exited(0))));
    // The file outlives its socket.
    assert_eq!(ask(&root).unwrap_err().errno(), Some(Errno::ECONNREFUSED));
    drop(server);
    machine.check().unwrap();
    machine.finish().unwrap();
}

#[test]
fn a_long_message_goes_in_pieces_while_the_other_end_reads() {
    let machine = Machine::builder().build();
    let root = machine.root();
    const LENGTH: usize = 3_000_000;
    machine.program("/bin/reader", |kernel, _| {
        let socket = Socket::from(kernel.inherited(3).unwrap());
        let mut buffer = vec![0; LENGTH];
        let all = Receive { wait_all: true, ..Receive::default() };
        let received = kernel.receive(&socket, &mut buffer, all).unwrap();
        ExitCode(i32::from(received.length != LENGTH || buffer.iter().any(|byte| *byte != 7)))
    });
    let (own, other) = root.socket_pair(STREAM, PLAIN).unwrap();
    let map = [SpawnDescriptor { from: other.descriptor(), to: 3 }];
    let spawn = Spawn { descriptors: &map, ..Spawn::new(path("/bin/reader"), &[]) };
    let reader = root.spawn(&spawn).unwrap();
    drop(other);
    assert_eq!(send(&root, &own, &vec![7; LENGTH]), Ok(LENGTH));
    assert_eq!(root.wait(&reader, WaitOptions::default()), Ok(Some(WaitStatus::Exited(0))));
    // The reader is gone, and with it the other end.
    assert_eq!(send(&root, &own, b"x").unwrap_err().errno(), Some(Errno::EPIPE));
}

#[test]
fn a_signal_ends_a_long_sending_with_what_went() {
    let machine = Machine::builder().build();
    let root = machine.root();
    machine.program("/bin/sender", |kernel, _| {
        kernel.set_delivery(Signal::USR1, Delivery::CountAndRestart).unwrap();
        let socket = Socket::from(kernel.inherited(3).unwrap());
        let sent = send(kernel, &socket, &vec![0; 1_000_000]).unwrap();
        assert!(sent > 200_000 && sent < 300_000, "{sent}");
        ExitCode::SUCCESS
    });
    let (own, other) = root.socket_pair(STREAM, PLAIN).unwrap();
    let map = [SpawnDescriptor { from: other.descriptor(), to: 3 }];
    let spawn = Spawn { descriptors: &map, ..Spawn::new(path("/bin/sender"), &[]) };
    let sender = root.spawn(&spawn).unwrap();
    machine.settle();
    root.signal(&sender, Some(Signal::USR1)).unwrap();
    assert_eq!(root.wait(&sender, WaitOptions::default()), Ok(Some(WaitStatus::Exited(0))));
    drop(own);
}

#[test]
fn descriptors_of_a_dead_process_close_its_connections_and_wake_who_polls() {
    let machine = Machine::builder().build();
    let root = machine.root();
    machine.program("/bin/holder", |kernel, _| {
        let socket = Socket::from(kernel.inherited(3).unwrap());
        let _ = receive(kernel, &socket, 1);
        ExitCode::SUCCESS
    });
    let (own, other) = root.socket_pair(STREAM, PLAIN).unwrap();
    let map = [SpawnDescriptor { from: other.descriptor(), to: 3 }];
    let spawn = Spawn { descriptors: &map, ..Spawn::new(path("/bin/holder"), &[]) };
    let holder = root.spawn(&spawn).unwrap();
    drop(other);
    machine.settle();
    machine.program("/bin/killer", |kernel, _| {
        let victim = kernel.open_pid(standin::Pid(victim(kernel))).unwrap();
        kernel.signal(&victim, Some(Signal::KILL)).unwrap();
        ExitCode::SUCCESS
    });
    let killer = root.spawn(&Spawn::new(path("/bin/killer"), &[])).unwrap();
    let interest =
        Interest { handle: own.descriptor(), events: PollEvents::INPUT | PollEvents::READ_HANG_UP };
    let ready = root.poll(&[interest], Deadline::Never).unwrap();
    let ended = PollEvents::INPUT | PollEvents::READ_HANG_UP | PollEvents::HANG_UP;
    assert_eq!(ready, [ended]);
    let killed = root.wait(&holder, WaitOptions::default()).unwrap();
    assert_eq!(killed, Some(WaitStatus::Killed(Signal::KILL)));
    root.wait(&killer, WaitOptions::default()).unwrap();
}

/// The process named `holder`.
fn victim(kernel: &dyn Backend) -> u32 {
    let is_holder = |pid: &standin::Pid| {
        let comm = format!("/proc/{pid}/comm");
        standin::fs::read_to_string(kernel, comm.as_str()).is_ok_and(|name| name == "holder\n")
    };
    kernel.processes().expect("it may list them").into_iter().find(is_holder).expect("it runs").0
}

#[test]
fn a_pipe_hands_a_child_s_bytes_to_its_parent_and_then_ends() {
    let machine = Machine::builder().build();
    let root = machine.root();
    machine.program("/bin/tell", |kernel, _| {
        let out = File::from(kernel.inherited(1).unwrap());
        for word in ["one ", "two ", "three"] {
            assert_eq!(kernel.write(&out, word.as_bytes()), Ok(word.len()));
        }
        ExitCode::SUCCESS
    });
    let (reading, writing) = root.pipe(PLAIN).unwrap();
    let map = [SpawnDescriptor { from: writing.descriptor(), to: 1 }];
    let spawn = Spawn { descriptors: &map, ..Spawn::new(path("/bin/tell"), &[]) };
    let child = root.spawn(&spawn).unwrap();
    drop(writing);
    let mut text = Vec::new();
    let mut buffer = [0; 6];
    loop {
        let length = root.read(&reading, &mut buffer).unwrap();
        if length == 0 {
            break;
        }
        text.extend_from_slice(&buffer[..length]);
    }
    assert_eq!(text, b"one two three");
    assert_eq!(root.wait(&child, WaitOptions::default()), Ok(Some(WaitStatus::Exited(0))));
}

#[test]
fn a_pipe_holds_sixteen_pages_and_never_splits_a_write_of_one() {
    let machine = Machine::builder().build();
    let root = machine.root();
    let (reading, writing) = root.pipe(SocketFlags::NONBLOCKING).unwrap();
    let mut buffer = [0; 4096];
    assert_eq!(root.read(&reading, &mut buffer).unwrap_err().errno(), Some(Errno::EAGAIN));
    // 3000 bytes a page: another 3000 do not fit behind them.
    for _ in 0..16 {
        assert_eq!(root.write(&writing, &[1; 3000]), Ok(3000));
    }
    assert_eq!(root.write(&writing, &[1; 3000]).unwrap_err().errno(), Some(Errno::EAGAIN));
    // But the end of the last page takes what is left of it.
    assert_eq!(root.write(&writing, &[2; 1096]), Ok(1096));
    assert_eq!(root.write(&writing, &[2; 1]).unwrap_err().errno(), Some(Errno::EAGAIN));
    assert_eq!(root.read(&reading, &mut buffer), Ok(4096));
    // A longer one goes as far as it can.
    assert_eq!(root.write(&writing, &[3; 9000]), Ok(4096));
    assert_eq!(
        root.pread(&reading, &mut buffer, Bytes(0)).unwrap_err().errno(),
        Some(Errno::ESPIPE)
    );
    assert_eq!(root.read(&writing, &mut buffer).unwrap_err().errno(), Some(Errno::EBADF));
    let look = |handle: &Descriptor, events| {
        root.poll(&[Interest { handle, events }], Deadline::Now).unwrap()
    };
    let (input, output) = (PollEvents::INPUT, PollEvents::OUTPUT);
    assert_eq!(look(writing.descriptor(), output), [PollEvents::empty()]);
    assert_eq!(look(reading.descriptor(), input), [input]);
    root.set_delivery(Signal::PIPE, Delivery::Count).unwrap();
    drop(reading);
    assert_eq!(look(writing.descriptor(), PollEvents::empty()), [PollEvents::ERROR]);
    assert_eq!(root.write(&writing, b"x").unwrap_err().errno(), Some(Errno::EPIPE));
    assert_eq!(root.take_deliveries(Signal::PIPE), Ok(1));
}

#[test]
fn writing_to_a_socket_whose_peer_is_gone_kills_who_does_not_mind_the_signal() {
    let machine = Machine::builder().build();
    let root = machine.root();
    let child = root.fork().unwrap();
    let (one, other) = child.socket_pair(STREAM, PLAIN).unwrap();
    drop(other);
    let file = File::from(Descriptor::from(one));
    assert_eq!(child.write(&file, b"x"), Err(Failure::CallerDied));
    let any = root.wait_any(WaitOptions::default()).unwrap();
    assert_eq!(any.map(|(_, status)| status), Some(WaitStatus::Killed(Signal::PIPE)));
}

#[test]
fn buffers_are_twice_what_was_asked_for_and_bound_what_is_under_way() {
    let machine = Machine::builder().build();
    let root = machine.root();
    let (one, other) = root.socket_pair(STREAM, SocketFlags::NONBLOCKING).unwrap();
    assert_eq!(root.socket_option(&one, SocketOption::SendBuffer), Ok(212_992));
    root.set_socket_option(&one, SocketOption::SendBuffer, 1).unwrap();
    assert_eq!(root.socket_option(&one, SocketOption::SendBuffer), Ok(4608));
    assert_eq!(send(&root, &one, &[0; 10_000]), Ok(4480));
    assert_eq!(send(&root, &one, &[0]).unwrap_err().errno(), Some(Errno::EAGAIN));
    assert_eq!(receive(&root, &other, 10_000).unwrap().len(), 4480);
    assert_eq!(send(&root, &one, &[0]), Ok(1));
}

#[test]
fn names_are_free_again_when_nobody_has_them() {
    let machine = Machine::builder().build();
    let root = machine.root();
    let name = Address::Abstract(b"n".to_vec());
    for _ in 0..3 {
        let socket = root.socket(STREAM, PLAIN).unwrap();
        root.bind(&socket, &name).unwrap();
        root.listen(&socket, 1).unwrap();
        let client = root.socket(STREAM, PLAIN).unwrap();
        root.connect(&client, &name).unwrap();
        let end = root.accept(&socket, PLAIN).unwrap();
        drop(socket);
        // The end of a connection has the listener's address, and keeps nobody from it.
        assert_eq!(root.local_address(&end), Ok(name.clone()));
        assert_eq!(send(&root, &end, b"x"), Ok(1));
        assert_eq!(receive(&root, &client, 9).unwrap(), b"x");
    }
    machine.check().unwrap();
    machine.finish().unwrap();
}

#[test]
fn a_mount_is_busy_while_a_socket_has_a_name_on_it() {
    let machine = Machine::builder().build();
    let root = machine.root();
    let empty = path("");
    let flags = standin::backend::MountFlags::empty();
    root.mkdir(path("/mnt/t").into(), standin::id::Mode::new(0o755)).unwrap();
    root.mount(path("tmpfs"), path("/mnt/t").into(), flags, empty).unwrap();
    let socket = root.socket(STREAM, PLAIN).unwrap();
    root.bind(&socket, &at("/mnt/t/s")).unwrap();
    let busy = root.umount(path("/mnt/t").into()).unwrap_err();
    assert_eq!(busy.errno(), Some(Errno::EBUSY));
    drop(socket);
    root.umount(path("/mnt/t").into()).unwrap();
}

#[test]
fn a_call_that_nobody_will_ever_answer_is_a_deadlock_with_a_picture() {
    let machine = Machine::builder().build();
    let root = machine.root();
    let (one, _other) = root.socket_pair(STREAM, PLAIN).unwrap();
    let stuck = receive(&root, &one, 1).unwrap_err();
    let Failure::Deadlock(picture) = stuck else { panic!("{stuck:?}") };
    assert!(picture.to_string().contains("waits in receive for something to come to a socket"));
}
