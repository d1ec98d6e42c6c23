//! Servers that are not there, are nobody, say nothing, lie or die: the client says what it was, in time.

use std::time::Duration;

use standin::backend::{Backend, Deadline, SocketFlags};
use standin::handle::Socket;
use standin::ipc::{
    Client, ClientOptions, ConnectRequest, ConnectResponse, Element, Endpoint, Error, Event, Grant,
    Launcher, Malformed, Server, Trusted,
};
use standin::path::KPathBuf;
use standin::{Errno, Uid, fs};

use super::exchange::listen;
use super::pair::{LONG, NOBODY, Pair, Stranger, at_last, connect, once_there, own, pair, within};
use super::raw::{self, Random, RawRing};

/// How long a client waits for what will not come.
const BRIEFLY: Duration = Duration::from_millis(100);
/// How many connections get random words.
const ROUNDS: usize = 25;

pub(super) fn pairs() -> Vec<Pair> {
    [silent(), lying()].into_iter().flatten().collect()
}

/// They do not answer, or not to the end.
fn silent() -> Vec<Pair> {
    vec![
        pair(
            "a service that nobody offers is told by its name",
            |_, _| {},
            |kernel, endpoint| {
                let refused = attempt(kernel, endpoint, LONG).expect_err("nobody is there");
                assert_eq!(refused, Error::NoService { service: endpoint.to_string() });
                let run = KPathBuf::new("/dev/shm").expect("no NUL");
                let file = Endpoint::in_directory(run, endpoint.service().clone());
                let refused = attempt(kernel, &file, LONG).expect_err("no such file");
                assert_eq!(refused, Error::NoService { service: file.to_string() });
            },
        ),
        pair(
            "a server that says nothing is given up in time",
            |kernel, endpoint| {
                let (socket, _) = asked(kernel, endpoint);
                raw::see_end(kernel, &socket);
            },
            |kernel, endpoint| {
                refused(kernel, endpoint, &Error::TimedOut("the server's answer to the set-up"));
            },
        ),
        pair(
            "a server that stops in the middle of its answer too",
            |kernel, endpoint| {
                let (socket, answer) = asked(kernel, endpoint);
                raw::send(kernel, &socket, answer.get(..5_000).expect("longer"));
                raw::see_end(kernel, &socket);
            },
            |kernel, endpoint| {
                refused(kernel, endpoint, &Error::TimedOut("the server's answer to the set-up"));
            },
        ),
        pair(
            "a server that dies in the middle of its answer is gone",
            |kernel, endpoint| {
                let (socket, answer) = asked(kernel, endpoint);
                raw::send(kernel, &socket, answer.get(..5_000).expect("longer"));
            },
            |kernel, endpoint| refused(kernel, endpoint, &Error::Disconnected),
        ),
        pair(
            "a server that declines is heard",
            |kernel, endpoint| {
                let (socket, _) = asked(kernel, endpoint);
                raw::send(kernel, &socket, &ConnectResponse::Declined(Errno::ENOSPC).encode());
                raw::see_end(kernel, &socket);
            },
            |kernel, endpoint| refused(kernel, endpoint, &Error::Declined(Errno::ENOSPC)),
        ),
    ]
}

/// They answer, and not the truth.
fn lying() -> Vec<Pair> {
    vec![
        pair(
            "a server that wants sockets is told that they are not spoken",
            |kernel, endpoint| {
                answer_with(kernel, endpoint, |answer| put(answer, 24, 0));
            },
            |kernel, endpoint| refused(kernel, endpoint, &Malformed::ConnectionType(0).into()),
        ),
        pair(
            "a path that leads elsewhere is not followed",
            |kernel, endpoint| {
                answer_with(kernel, endpoint, |answer| {
                    for (at, byte) in (40..).zip(b"/dev/shm/../etc/passwd\0") {
                        put(answer, at, *byte);
                    }
                });
            },
            |kernel, endpoint| {
                let path = Malformed::RingPath("/dev/shm/../etc/passwd".to_owned());
                refused(kernel, endpoint, &path.into());
            },
        ),
        pair(
            "rings that are not there are told by their path",
            |kernel, endpoint| {
                answer_with(kernel, endpoint, |_| {});
            },
            |kernel, endpoint| {
                let refused = connect(kernel, endpoint).expect_err("no rings");
                assert_eq!(refused.errno(), Some(Errno::ENOENT));
                assert!(refused.to_string().starts_with("open /dev/shm/standin-none/a-header"));
            },
        ),
        pair(
            "a ring that is too small is not mapped",
            |kernel, endpoint| {
                let directory = format!("/dev/shm/{}", endpoint.service());
                fs::create_dir(kernel, &directory).expect("a directory");
                for suffix in ["header", "data"] {
                    let content = vec![0; 8252];
                    fs::write(kernel, format!("{directory}/a-{suffix}"), content).expect("a file");
                }
                answer_with(kernel, endpoint, |answer| {
                    let path = format!("{directory}/a\0");
                    for (at, byte) in (40..).zip(path.as_bytes()) {
                        put(answer, at, *byte);
                    }
                });
                for suffix in ["header", "data"] {
                    fs::remove_file(kernel, format!("{directory}/a-{suffix}")).expect("a file");
                }
                fs::remove_dir(kernel, &directory).expect("a directory");
            },
            |kernel, endpoint| {
                refused(kernel, endpoint, &Malformed::RingSize { words: 0, bytes: 8252 }.into());
            },
        ),
        pair(
            "a server that dies with a request is gone at once",
            |kernel, endpoint| {
                let mut server = listen(kernel, endpoint);
                next_request(kernel, &mut server);
                server.close(kernel).expect("nothing is left");
            },
            |kernel, endpoint| {
                let mut client = connect(kernel, endpoint).expect("a connection");
                let ping = Launcher::ping("1_corners", "r");
                let lost = client.request(kernel, &ping, at_last(kernel));
                assert_eq!(lost, Err(Error::Disconnected));
                assert_eq!(client.event(kernel, Deadline::Never), Err(Error::Disconnected));
                assert!(matches!(client.send(kernel, &ping), Err(Error::Disconnected)));
            },
        ),
        pair("random words in the rings are errors, and nothing else", spoil, be_spoilt),
        Pair {
            stranger: Stranger::Server,
            ..pair(
                "nothing is said to a server that is a stranger",
                |kernel, endpoint| {
                    let mut server = listen(kernel, endpoint);
                    let event = server.next(kernel, Deadline::At(at_last(kernel)));
                    let away = Event::TurnedAway { peer: None, why: Error::Disconnected };
                    assert_eq!(event, Ok(Some(away)));
                    server.close(kernel).expect("nothing is left");
                },
                |kernel, endpoint| {
                    let options = ClientOptions::new(Trusted::ROOT);
                    let refused = once_there(kernel, || {
                        Client::connect(kernel, endpoint, &options, at_last(kernel))
                    });
                    let refused = refused.expect_err("a stranger");
                    assert!(
                        matches!(
                            refused,
                            Error::Unauthentic { peer } if peer.uid == Uid(NOBODY)
                        ),
                        "{refused}"
                    );
                },
            )
        },
    ]
}

/// One attempt to connect.
fn attempt(kernel: &dyn Backend, endpoint: &Endpoint, patience: Duration) -> Result<Client, Error> {
    let until = within(kernel, patience);
    Client::connect(kernel, endpoint, &ClientOptions::new(own(kernel)), until)
}

/// Connects as soon as somebody listens, and fails for this reason.
fn refused(kernel: &dyn Backend, endpoint: &Endpoint, right: &Error) {
    let patience = if matches!(right, Error::TimedOut(_)) { BRIEFLY } else { LONG };
    let refused = once_there(kernel, || attempt(kernel, endpoint, patience));
    assert_eq!(&refused.expect_err("no server worth the name"), right);
}

fn put(bytes: &mut [u8], at: usize, byte: u8) {
    *bytes.get_mut(at).expect("in the answer") = byte;
}

/// Somebody who has connected and asked, and a right answer, but for the rings.
fn asked(kernel: &dyn Backend, endpoint: &Endpoint) -> (Socket, Vec<u8>) {
    let listener = raw::listen(kernel, endpoint);
    let socket = kernel.accept(&listener, SocketFlags::empty()).expect("a client");
    let request = raw::receive(kernel, &socket, ConnectRequest::LENGTH);
    let wish = ConnectRequest::decode(&request).expect("a request");
    let path = |name: &str| KPathBuf::new(format!("/dev/shm/standin-none/{name}")).expect("no NUL");
    let grant = Grant {
        most_message_bytes: wish.most_message_bytes,
        cookie: 1,
        request: path("a"),
        response: path("b"),
        event: path("c"),
    };
    (socket, ConnectResponse::Granted(grant).encode())
}

fn answer_with(kernel: &dyn Backend, endpoint: &Endpoint, spoil: impl Fn(&mut [u8])) {
    let (socket, mut answer) = asked(kernel, endpoint);
    spoil(&mut answer);
    raw::send(kernel, &socket, &answer);
    raw::see_end(kernel, &socket);
}

/// Serves until a request comes.
fn next_request(kernel: &dyn Backend, server: &mut Server) {
    loop {
        let event = server.next(kernel, Deadline::At(at_last(kernel))).expect("a server");
        if matches!(event.expect("a client"), Event::Request { .. }) {
            return;
        }
    }
}

/// Spoils the rings of each client when it asks, and answers then.
fn spoil(kernel: &dyn Backend, endpoint: &Endpoint) {
    let mut server = listen(kernel, endpoint);
    let mut random = Random(0xbad);
    let mut clients = ROUNDS;
    while clients > 0 {
        let event = server.next(kernel, Deadline::At(at_last(kernel))).expect("a server");
        match event.expect("clients come") {
            Event::Request { client, request } => {
                let answer = Element::new("answer");
                let _ = server.respond(kernel, client, &request, &answer);
                let _ = server.notify(kernel, client, &answer);
                for directory in raw::ring_directories(kernel, endpoint) {
                    for channel in ["request", "response", "event"] {
                        let prefix = format!("{directory}/qb-{channel}-{}", endpoint.service());
                        let prefix = KPathBuf::new(prefix).expect("no NUL");
                        RawRing::open(kernel, &prefix).spoil(kernel, &mut random);
                    }
                }
            }
            Event::Left { .. } | Event::TurnedAway { .. } => clients -= 1,
            Event::Connected { .. } | Event::Unreadable { .. } => {}
        }
    }
    server.close(kernel).expect("nothing is left");
}

fn be_spoilt(kernel: &dyn Backend, endpoint: &Endpoint) {
    for _ in 0..ROUNDS {
        let mut client = connect(kernel, endpoint).expect("a connection");
        for _ in 0..3 {
            let soon = within(kernel, Duration::from_millis(20));
            let _ = client.request(kernel, &Element::new("ask"), soon);
            let _ = client.event(kernel, Deadline::At(soon));
        }
    }
}
