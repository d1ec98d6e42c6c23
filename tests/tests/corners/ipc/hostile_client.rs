//! Clients that stop half-way, lie, spoil the rings or are nobody: the server says what it was, and goes on.

use std::time::Duration;

use standin::backend::Backend;
use standin::ipc::{
    Client, ClientOptions, ConnectRequest, Element, Endpoint, Error, Event, Flags, Frame, Launcher,
    Malformed, Server, ServerOptions, Status, Trusted, acked,
};
use standin::{Errno, Gid};

use super::exchange::{listen, serve};
use super::pair::{NOBODY, Pair, Stranger, at_last, once_there, pair};
use super::raw::{self, COMMITTED, READ, Random, RawRing, UNREAD};

/// How many connections get random words.
const ROUNDS: usize = 40;

pub(super) fn pairs() -> Vec<Pair> {
    [in_set_up(), in_rings()].into_iter().flatten().collect()
}

/// Before they are clients.
fn in_set_up() -> Vec<Pair> {
    vec![
        pair(
            "a client that says nothing is turned away in time",
            |kernel, endpoint| {
                turned_away(kernel, endpoint, &Error::TimedOut("the client's part of the set-up"));
            },
            |kernel, endpoint| raw::see_end(kernel, &raw::connect(kernel, endpoint)),
        ),
        pair(
            "a client that stops in the middle of its request too",
            |kernel, endpoint| {
                turned_away(kernel, endpoint, &Error::TimedOut("the client's part of the set-up"));
            },
            |kernel, endpoint| {
                let socket = raw::connect(kernel, endpoint);
                raw::send(kernel, &socket, &[255; 4]);
                raw::see_end(kernel, &socket);
            },
        ),
        pair(
            "a client that dies in the middle of its request is gone",
            |kernel, endpoint| {
                turned_away(kernel, endpoint, &Error::Disconnected);
            },
            |kernel, endpoint| raw::send(kernel, &raw::connect(kernel, endpoint), &[255; 4]),
        ),
        pair(
            "a request of a wrong length is refused by its number",
            |kernel, endpoint| {
                let length = Malformed::Length { what: "a connect request", came: 25, right: 24 };
                turned_away(kernel, endpoint, &length.into());
            },
            |kernel, endpoint| {
                let mut request = ConnectRequest { most_message_bytes: 1 }.encode();
                request[8] = 25;
                let socket = raw::connect(kernel, endpoint);
                raw::send(kernel, &socket, &request);
                raw::see_end(kernel, &socket);
            },
        ),
    ]
}

/// With their rings in hand.
fn in_rings() -> Vec<Pair> {
    vec![
        pair(
            "a client that dies when connected is gone, with its files",
            |kernel, endpoint| {
                left(kernel, endpoint, &Error::Disconnected);
            },
            |kernel, endpoint| drop(raw::set_up(kernel, endpoint)),
        ),
        pair(
            "a message beyond the ring is not read",
            |kernel, endpoint| {
                let size = Malformed::ChunkSize { bytes: 0xffff_fff0, most: 131_072 };
                left(kernel, endpoint, &size.into());
            },
            |kernel, endpoint| first_message(kernel, endpoint, 0xffff_fff0, COMMITTED, &[]),
        ),
        pair(
            "a message that was not committed is not read",
            |kernel, endpoint| {
                left(kernel, endpoint, &Malformed::ChunkMark(0xa110_ced0).into());
            },
            |kernel, endpoint| first_message(kernel, endpoint, 40, 0xa110_ced0, &[0; 40]),
        ),
        pair(
            "a message that is shorter than its header has no answer",
            |kernel, endpoint| {
                let short = Malformed::Length { what: "a message header", came: 2, right: 40 };
                left(kernel, endpoint, &short.into());
            },
            |kernel, endpoint| first_message(kernel, endpoint, 2, COMMITTED, &[1, 0]),
        ),
        pair(
            "a good-bye is taken as one",
            |kernel, endpoint| {
                left(kernel, endpoint, &Error::Disconnected);
            },
            |kernel, endpoint| {
                let bye = Frame { id: -3, flags: Flags::empty(), text: Vec::new() }.encode();
                first_message(kernel, endpoint, 41, COMMITTED, &bye);
            },
        ),
        pair(
            "a semaphore at its limit wakes nobody for ever",
            |kernel, endpoint| {
                left(kernel, endpoint, &Malformed::ChunkMark(0).into());
            },
            |kernel, endpoint| {
                let (socket, grant) = raw::set_up(kernel, endpoint);
                RawRing::open(kernel, &grant.request).set(kernel, UNREAD, u32::MAX);
                raw::send(kernel, &socket, b"x");
                raw::see_end(kernel, &socket);
            },
        ),
        pair(
            "an index beyond the ring ends the connection, not the server",
            |kernel, endpoint| {
                let index = Malformed::RingIndex { index: 0x7fff_ffff, words: 33_792 };
                left(kernel, endpoint, &index.into());
            },
            |kernel, endpoint| {
                let (socket, grant) = raw::set_up(kernel, endpoint);
                RawRing::open(kernel, &grant.response).set(kernel, READ, 0x7fff_ffff);
                let bytes = ping().encode();
                let size = u32::try_from(bytes.len()).expect("short");
                RawRing::open(kernel, &grant.request).first(kernel, size, COMMITTED, &bytes);
                raw::send(kernel, &socket, b"x");
                raw::see_end(kernel, &socket);
            },
        ),
        pair("what cannot be read is answered if somebody waits", unreadable, send_unreadable),
        pair("random words in the rings end connections, and nothing else", spoilt, spoil),
        Pair {
            stranger: Stranger::Client,
            ..pair(
                "a stranger gets no rings",
                |kernel, endpoint| {
                    let options =
                        ServerOptions { group: Some(Gid(4242)), ..ServerOptions::default() };
                    let server = Server::listen(kernel, endpoint.clone(), options);
                    let mut server = server.expect("a free name");
                    let told = serve(kernel, &mut server, 1);
                    assert!(
                        matches!(
                            told.as_slice(),
                            [Event::Connected { peer, .. }, Event::Left { why: Error::Disconnected, .. }]
                                if peer.uid.0 == NOBODY
                        ),
                        "{told:?}"
                    );
                    server.close(kernel).expect("nothing is left");
                },
                |kernel, endpoint| {
                    let options = ClientOptions::new(Trusted::ROOT);
                    let refused = once_there(kernel, || {
                        Client::connect(kernel, endpoint, &options, at_last(kernel))
                    });
                    let refused = refused.expect_err("a stranger");
                    assert_eq!(refused.errno(), Some(Errno::EACCES), "{refused}");
                },
            )
        },
    ]
}

fn ping() -> Frame {
    let text = Launcher::ping("1_raw", "r").to_string().into_bytes();
    Frame { id: 1, flags: Flags::CLIENT_RESPONSE, text }
}

/// A server that turns its one client away.
fn turned_away(kernel: &dyn Backend, endpoint: &Endpoint, right: &Error) {
    let is_slow = matches!(right, Error::TimedOut(_));
    let setup_time = Duration::from_millis(if is_slow { 200 } else { 10_000 });
    let options = ServerOptions { setup_time, ..ServerOptions::default() };
    let mut server = Server::listen(kernel, endpoint.clone(), options).expect("a free name");
    let told = serve(kernel, &mut server, 1);
    let [Event::TurnedAway { why, .. }] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!(why, right);
    goes_on(kernel, server);
}

/// A server whose one client leaves for this reason.
fn left(kernel: &dyn Backend, endpoint: &Endpoint, right: &Error) {
    let mut server = listen(kernel, endpoint);
    let told = serve(kernel, &mut server, 1);
    let Some(Event::Left { why, .. }) = told.last() else { panic!("{told:?}") };
    assert_eq!(why, right);
    goes_on(kernel, server);
}

/// It is not worse for it: nothing is waiting, and nothing is left.
fn goes_on(kernel: &dyn Backend, mut server: Server) {
    assert_eq!(server.next(kernel, standin::backend::Deadline::Now), Ok(None));
    server.close(kernel).expect("nothing is left");
}

/// Puts one message into the ring as it should not be, and waits to be let go.
fn first_message(kernel: &dyn Backend, endpoint: &Endpoint, size: u32, mark: u32, bytes: &[u8]) {
    let (socket, grant) = raw::set_up(kernel, endpoint);
    RawRing::open(kernel, &grant.request).first(kernel, size, mark, bytes);
    raw::send(kernel, &socket, b"x");
    raw::see_end(kernel, &socket);
}

fn unreadable(kernel: &dyn Backend, endpoint: &Endpoint) {
    let mut server = listen(kernel, endpoint);
    let told = serve(kernel, &mut server, 1);
    let [_, Event::Unreadable { why, .. }, Event::Left { .. }] = told.as_slice() else {
        panic!("{told:?}")
    };
    assert_eq!(*why, Malformed::Version(9));
    goes_on(kernel, server);
}

fn send_unreadable(kernel: &dyn Backend, endpoint: &Endpoint) {
    let (socket, grant) = raw::set_up(kernel, endpoint);
    let mut bytes = ping().encode();
    *bytes.get_mut(36).expect("a header") = 9;
    let size = u32::try_from(bytes.len()).expect("short");
    RawRing::open(kernel, &grant.request).first(kernel, size, COMMITTED, &bytes);
    raw::send(kernel, &socket, b"x");
    let response = RawRing::open(kernel, &grant.response).wait_for_first(kernel);
    let frame = Frame::decode(&response).expect("a frame");
    let ack = Element::parse(&frame.text).expect("a document");
    assert_eq!((frame.id, acked(&ack)), (1, Some(Status::PROTOCOL)));
}

fn spoilt(kernel: &dyn Backend, endpoint: &Endpoint) {
    let mut server = listen(kernel, endpoint);
    let told = serve(kernel, &mut server, ROUNDS);
    let connected = told.iter().filter(|event| matches!(event, Event::Connected { .. })).count();
    assert_eq!(connected, ROUNDS);
    goes_on(kernel, server);
}

fn spoil(kernel: &dyn Backend, endpoint: &Endpoint) {
    let mut random = Random(0x5eed);
    for _ in 0..ROUNDS {
        let (socket, grant) = raw::set_up(kernel, endpoint);
        let [request, response, event] = [&grant.request, &grant.response, &grant.event]
            .map(|prefix| RawRing::open(kernel, prefix));
        let bytes = ping().encode();
        let size = u32::try_from(bytes.len()).expect("short");
        request.first(kernel, size, COMMITTED, &bytes);
        for ring in [request, response, event] {
            ring.spoil(kernel, &mut random);
        }
        for _ in 0..4 {
            let bell = standin::backend::Message { bytes: b"x", ..Default::default() };
            // The server may have hung up already.
            let _ = kernel.send(&socket, &bell, standin::backend::SendFlags::empty());
        }
    }
}
