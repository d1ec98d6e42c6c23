//! What goes wrong: clients that break the protocol and servers that do, on either kernel. Nothing may hang, and whoever
//! keeps to the protocol is served.

use std::time::Duration;

use standin::backend::{
    Address, Interest, Message, PollEvents, Receive, SendFlags, SocketFlags, SocketType,
};
use standin::engine::ContainerName;
use standin::handle::Socket;
use standin::service::{Client, Error, Options, Server};
use standin::{Backend, Errno, Failure, Uid, fs};

use super::programs::{BAD_SERVER, PATIENCE, path, soon};
use super::scene::{Child, Scene, WEB_HOST, until};

/// How long a test waits for what must come.
const LONG: Duration = Duration::from_secs(10);
/// Enough clients to fill a server of 16, its backlog of 5, and more.
const MANY: usize = 40;

/// The header of INFO, and its body.
const INFO_BYTES: usize = 24;

/// A frame of these numbers, and a name.
fn frame(words: &[i32], name: &str) -> Vec<u8> {
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
    [&bytes, name.as_bytes()].concat()
}

fn pid_request(name: &str) -> Vec<u8> {
    let length = i32::try_from(name.len()).unwrap();
    frame(&[0x9003, 24 + length, 0, 2, 0, length], name)
}

/// A client that says what it likes.
struct Raw<'a> {
    kernel: &'a dyn Backend,
    socket: Socket,
}

impl<'a> Raw<'a> {
    fn connect(scene: &Scene<'a>) -> Result<Self, Failure> {
        let kernel = scene.kernel;
        let socket = kernel.socket(SocketType::Stream, SocketFlags::NONBLOCKING)?;
        kernel.connect(&socket, &Address::Path(path(&scene.socket())))?;
        Ok(Self { kernel, socket })
    }

    /// One that has been greeted.
    fn greeted(scene: &Scene<'a>) -> Self {
        let raw = until(scene.kernel, "room for a client", || Self::connect(scene).ok());
        assert_eq!(raw.hear(INFO_BYTES).len(), INFO_BYTES);
        raw
    }

    fn say(&self, bytes: &[u8]) {
        let message = Message { bytes, ..Message::default() };
        let sent = self.kernel.send(&self.socket, &message, SendFlags::empty());
        assert_eq!(sent, Ok(bytes.len()));
    }

    /// Hears so many bytes, or fewer if the server closes.
    fn hear(&self, most: usize) -> Vec<u8> {
        let mut heard = Vec::new();
        let deadline = soon(self.kernel, LONG);
        while heard.len() < most {
            let interest = Interest { handle: self.socket.descriptor(), events: PollEvents::INPUT };
            let ready = self.kernel.poll(&[interest], deadline).unwrap();
            assert!(!ready[0].is_empty(), "the server says no more after {heard:?}");
            let mut chunk = vec![0; most - heard.len()];
            match self.kernel.receive(&self.socket, &mut chunk, Receive::default()) {
                Ok(received) if received.length > 0 => heard.extend(&chunk[..received.length]),
                Ok(_) | Err(Failure::Errno(Errno::ECONNRESET)) => break,
                Err(failure) => panic!("{failure}"),
            }
        }
        heard
    }
}

/// Clients of all kinds at one server.
pub(crate) fn clients(scene: &Scene<'_>) {
    let web = scene.pid("web").to_string();
    let is_served = || scene.ask(Uid::ROOT, &[("pid web", &web), ("hostname web", WEB_HOST)]);
    let closed = [
        ("a length below the header's", frame(&[0x9003, 15, 0, 2, 0, 3], "web")),
        ("a negative length", frame(&[0x9003, -1, 0, 2, 0, 3], "web")),
        ("a length beyond every frame", frame(&[0x9003, 4201, 0, 2], "")),
        ("a name longer than the frame", frame(&[0x9003, 27, 0, 2, 0, 4], "web")),
        ("a name shorter than the frame", frame(&[0x9003, 27, 0, 2, 0, 2], "web")),
        ("a name of -1 bytes", frame(&[0x9003, 27, 0, 2, 0, -1], "web")),
        ("no room for a name's length", frame(&[0x9003, 20, 0, 2, 0], "")),
        ("a NUL in a name", pid_request("w\0b")),
        ("no name", pid_request("")),
        ("a version of the future", frame(&[0x9003, 27, 0, 3, 0, 3], "web")),
        ("a status below 0", frame(&[0x9003, 27, -1, 2, 0, 3], "web")),
        ("INFO", frame(&[0x9000, 24, 0, 2, 3, 0], "")),
        ("a reply", frame(&[0x9004, 24, 0, 2, 0, 0], "")),
        ("the name of a cgroup", frame(&[0x9005, 27, 0, 2, 0, 3], "web")),
        ("the start of a process", frame(&[0x9007, 104, 0, 2], &"\0".repeat(88))),
        ("a type of its own", frame(&[0x1234, 16, 0, 2], "")),
        ("bytes of the other order", frame(&[0x9003, 27, 0, 2].map(i32::swap_bytes), "")),
    ];
    for (what, bytes) in closed {
        let raw = Raw::greeted(scene);
        raw.say(&bytes);
        assert_eq!(raw.hear(1), b"", "{what}");
    }
    is_served();

    // A frame that has no end: the server waits for a time, for this client alone.
    let slow = Raw::greeted(scene);
    slow.say(&pid_request("web")[..20]);
    is_served();
    let before = scene.kernel.monotonic().unwrap();
    assert_eq!(slow.hear(1), b"");
    let waited = scene.kernel.monotonic().unwrap().ns - before.ns;
    assert!(u128::from(waited) < 10 * PATIENCE.as_nanos(), "{waited} ns");

    // Frames in pieces, and several in one.
    let raw = Raw::greeted(scene);
    for byte in pid_request("web") {
        raw.say(&[byte]);
    }
    let reply = raw.hear(24);
    assert_eq!(reply[16..20], web.parse::<i32>().unwrap().to_ne_bytes());
    raw.say(&[pid_request("web"), pid_request("nosuch"), pid_request("web")].concat());
    let replies = raw.hear(72);
    assert_eq!((&replies[..24], &replies[48..]), (&*reply, &*reply));
    assert_eq!(replies[32..36], (-12399_i32).to_ne_bytes());
    // What nobody can be called, and the host name of a process.
    raw.say(&pid_request("../etc"));
    assert_eq!(raw.hear(24)[8..12], (-22_i32).to_ne_bytes());
    raw.say(&frame(&[0x9001, 24, 0, 2, web.parse().unwrap(), 0], ""));
    assert_eq!(raw.hear(24 + WEB_HOST.len())[24..], *WEB_HOST.as_bytes());
    raw.say(&frame(&[0x9001, 24, 0, 2, 0, 0], ""));
    assert_eq!(raw.hear(24)[8..12], (-2_i32).to_ne_bytes());

    // Clients that end: before their answer, within a request, and before they were let in.
    let asked = frame(&[0x9001, 27, 0, 2, 0, 3], "web");
    for bytes in [&asked, &asked[..10]] {
        Raw::greeted(scene).say(bytes);
    }
    let many: Vec<_> = (0..MANY).map_while(|_| Raw::connect(scene).ok()).collect();
    assert!(many.len() < MANY, "the backlog has an end");
    drop(many);
    is_served();

    // Who may connect may not therefore ask.
    scene.ask(Uid(65534), &[("", "the server refuses this client: EACCES")]);
}

/// A client at servers of all kinds, and a server whose place is taken.
pub(crate) fn servers(kernel: &dyn Backend, dir: &str) {
    let socket = format!("{dir}/socket");
    let ask = || -> Result<(), Error> {
        let path = path(&socket);
        let mut client = Client::connect(kernel, &path, soon(kernel, PATIENCE))?;
        let name = ContainerName::new("web").unwrap();
        let first = client.hostname(kernel, &name, soon(kernel, PATIENCE)).map(drop);
        if !matches!(first, Ok(()) | Err(Error::Unsupported(_))) {
            let again = client.hostname(kernel, &name, soon(kernel, PATIENCE));
            assert_eq!(again, Err(Error::Lost));
        }
        first
    };
    let said = |expected: &str| assert_eq!(ask().unwrap_err().to_string(), expected);
    said(&format!("connect {socket}: ENOENT"));

    let broke = "the server broke the protocol: ";
    for (fault, expected) in [
        ("says nothing", "receive: no answer in time".to_owned()),
        ("says half of INFO", "receive: no answer in time".to_owned()),
        ("has a type of its own", format!("{broke}type 0x9002, where the service's INFO can be")),
        (
            "has a length of its own",
            // The byte behind it never comes.
            "receive: no answer in time".to_owned(),
        ),
        (
            "says too long a length",
            format!("{broke}a frame of 1048576 bytes: they have 16 to 4200"),
        ),
        ("is of the future", format!("{broke}version 3: they are 0 to 2")),
        ("says more than it was asked", format!("{broke}bytes that nobody asked for")),
        ("ends", "the server closed the connection".to_owned()),
        ("looks up nothing", "the server looks up no host name".to_owned()),
        ("says half of a reply", "receive: no answer in time".to_owned()),
        ("answers something else", format!("{broke}type 0x9004, where another reply can be")),
        (
            "says a longer name than it sends",
            format!("{broke}type 0x9002 with 10 bytes behind the header, where 11 belong"),
        ),
        ("ends before it answers", "the server closed the connection".to_owned()),
    ] {
        let server = Child::new(kernel, BAD_SERVER, &[&socket, fault]);
        until(kernel, "a server", || match ask() {
            Err(Error::Failed {
                failure: Failure::Errno(Errno::ENOENT | Errno::ECONNREFUSED),
                ..
            }) => None,
            Ok(()) => panic!("{fault}: it was answered"),
            Err(error) => {
                assert_eq!(error.to_string(), expected, "{fault}");
                Some(())
            }
        });
        drop(server);
        said(&format!("connect {socket}: ECONNREFUSED"));
        fs::remove_file(kernel, &socket).unwrap();
    }

    // A place that is taken, by what is no socket, by what is left of one, by a server.
    let bind = || Server::bind(kernel, Options::new(path(&socket)));
    fs::write(kernel, &socket, "").unwrap();
    assert_eq!(bind().err().unwrap().failure(), Some(&Failure::Errno(Errno::EADDRINUSE)));
    fs::remove_file(kernel, &socket).unwrap();
    drop(bind().unwrap());
    assert!(fs::exists(kernel, &socket), "nobody has closed it");
    let server = bind().unwrap();
    assert_eq!(fs::metadata(kernel, &socket).unwrap().mode.bits(), 0o600);
    assert!(matches!(bind(), Err(Error::InUse { .. })));
    server.close(kernel).unwrap();
    assert!(!fs::exists(kernel, &socket));
}
