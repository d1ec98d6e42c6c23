//! The exchange as it is meant: set-up, pings, a task nobody knows, a message that is too long, the end.

use standin::backend::{Backend, Deadline};
use standin::fs;
use standin::ipc::{
    Client, Element, Endpoint, Error, Event, Launcher, LauncherState, Server, ServerOptions,
    Status, acked,
};
use standin::path::KPathBuf;

use super::pair::{Pair, at_last, connect, pair};

pub(super) const LAUNCHER: Launcher =
    Launcher { state: LauncherState::Running, last_good_s: 1_795_224_348 };
/// More events than a ring of 128 KiB takes at once.
const PINGS: u32 = 1_000;

pub(super) fn pairs() -> Vec<Pair> {
    vec![
        pair("pings are answered, as many as come", serve_one, ask),
        pair("a socket that is a file serves as well", serve_file, ask_file),
        pair("three clients at a time each get their own answers", serve_three, ask_as_three),
        pair("a reply that came too late is dropped by its number", answer_late, wait_twice),
    ]
}

/// Answers as a launcher, until so many clients have come and gone; all that happened.
pub(super) fn serve(kernel: &dyn Backend, server: &mut Server, mut clients: usize) -> Vec<Event> {
    let mut told = Vec::new();
    while clients > 0 {
        let event = server.next(kernel, Deadline::At(at_last(kernel))).expect("a server");
        let event = event.expect("clients come");
        match &event {
            Event::Request { client, request } => {
                let answer = LAUNCHER.answer(request.text());
                let ack = ("ping", answer.status);
                // Whoever is let go meanwhile is told of by the next event.
                if server.acknowledge(kernel, *client, request, ack).is_ok()
                    && let Some(event) = answer.event
                {
                    let _ = server.notify(kernel, *client, &event);
                }
            }
            Event::Left { .. } | Event::TurnedAway { .. } => clients -= 1,
            Event::Connected { .. } | Event::Unreadable { .. } => {}
        }
        told.push(event);
    }
    told
}

pub(super) fn listen(kernel: &dyn Backend, endpoint: &Endpoint) -> Server {
    Server::listen(kernel, endpoint.clone(), ServerOptions::default()).expect("a free name")
}

fn serve_one(kernel: &dyn Backend, endpoint: &Endpoint) {
    let mut server = listen(kernel, endpoint);
    let taken = Server::listen(kernel, endpoint.clone(), ServerOptions::default());
    let taken = taken.expect_err("the name is taken");
    assert_eq!(taken.errno(), Some(standin::Errno::EADDRINUSE), "{taken}");
    let told = serve(kernel, &mut server, 1);
    assert!(matches!(told.first(), Some(Event::Connected { .. })));
    assert!(matches!(told.last(), Some(Event::Left { why: Error::Disconnected, .. })));
    assert_eq!(told.len(), usize::try_from(PINGS).expect("few") + 4);
    server.close(kernel).expect("nothing is left");
}

/// A ping and its answer: acknowledged, then told.
fn ping(kernel: &dyn Backend, client: &mut Client, number: u32) {
    let reference = format!("ping-{number}");
    let ping = Launcher::ping("1_corners", &reference);
    let ack = client.request(kernel, &ping, at_last(kernel)).expect("a response");
    assert_eq!(acked(&ack), Some(Status::REPLY_FOLLOWS));
    let event = client.event(kernel, Deadline::At(at_last(kernel))).expect("a server");
    let event = event.expect("an event");
    assert_eq!(event.attribute("reference"), Some(reference.as_str()));
    assert_eq!(Launcher::pinged(&event), Some(LAUNCHER));
}

fn ask(kernel: &dyn Backend, endpoint: &Endpoint) {
    let mut client = connect(kernel, endpoint).expect("a connection");
    for number in 0..PINGS {
        ping(kernel, &mut client, number);
    }
    assert_eq!(client.event(kernel, Deadline::Now), Ok(None));

    let quit = standin::ipc::Envelope::request("quit", Launcher::SERVICE, "1_corners", "quit-1");
    let ack = client.request(kernel, &quit.to_element(), at_last(kernel)).expect("a response");
    assert_eq!(acked(&ack), Some(Status::UNKNOWN_TASK));

    // Without the wish for a response only the event comes.
    client.send(kernel, &Launcher::ping("1_corners", "quiet")).expect("it goes");
    let event = client.event(kernel, Deadline::At(at_last(kernel))).expect("a server");
    assert_eq!(event.and_then(|event| Launcher::pinged(&event)), Some(LAUNCHER));

    let most = client.most_message_bytes();
    let long = Element::new("long").with("x", &"x".repeat(usize::try_from(most).expect("few")));
    let refused = client.send(kernel, &long).expect_err("too long");
    assert!(matches!(refused, Error::TooLong { most: 131_072, .. }), "{refused}");
}

/// The same service as a file, where every user may make one.
fn file(endpoint: &Endpoint) -> Endpoint {
    let directory = KPathBuf::new("/dev/shm").expect("no NUL");
    Endpoint::in_directory(directory, endpoint.service().clone())
}

fn serve_file(kernel: &dyn Backend, endpoint: &Endpoint) {
    let mut server = listen(kernel, &file(endpoint));
    serve(kernel, &mut server, 1);
    server.close(kernel).expect("nothing is left");
    assert!(!fs::exists(kernel, file(endpoint).to_string()));
}

fn ask_file(kernel: &dyn Backend, endpoint: &Endpoint) {
    let mut client = connect(kernel, &file(endpoint)).expect("a connection");
    ping(kernel, &mut client, 1);
}

fn serve_three(kernel: &dyn Backend, endpoint: &Endpoint) {
    let mut server = listen(kernel, endpoint);
    serve(kernel, &mut server, 3);
    server.close(kernel).expect("nothing is left");
}

fn ask_as_three(kernel: &dyn Backend, endpoint: &Endpoint) {
    let mut clients = [(); 3].map(|()| connect(kernel, endpoint).expect("a connection"));
    for number in 0..10 {
        for (at, client) in (0..).zip(&mut clients) {
            ping(kernel, client, number * 3 + at);
        }
    }
}

/// Keeps the first request until the second one comes.
fn answer_late(kernel: &dyn Backend, endpoint: &Endpoint) {
    let mut server = listen(kernel, endpoint);
    let mut waiting = Vec::new();
    loop {
        let event = server.next(kernel, Deadline::At(at_last(kernel))).expect("a server");
        match event.expect("something happens") {
            Event::Request { client, request } => waiting.push((client, request)),
            Event::Left { .. } => break,
            Event::Connected { .. } | Event::Unreadable { .. } | Event::TurnedAway { .. } => {}
        }
        if let [(client, first), (_, second)] = waiting.as_slice() {
            for (name, request) in [("first", first), ("second", second)] {
                let document = Element::new(name);
                server.respond(kernel, *client, request, &document).expect("it waits");
            }
            waiting.clear();
        }
    }
    server.close(kernel).expect("nothing is left");
}

fn wait_twice(kernel: &dyn Backend, endpoint: &Endpoint) {
    let mut client = connect(kernel, endpoint).expect("a connection");
    let soon = super::pair::within(kernel, std::time::Duration::from_millis(150));
    let late = client.request(kernel, &Element::new("a"), soon);
    assert_eq!(late, Err(Error::TimedOut("a response")));
    let reply = client.request(kernel, &Element::new("b"), at_last(kernel));
    assert_eq!(reply, Ok(Element::new("second")));
}
