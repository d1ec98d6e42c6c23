//! The privileged service's codec: the layouts of PCP's own frames, and bytes of all kinds.

use proptest::prelude::*;
use standin::Errno;
use standin::service::wire::{
    Asking, Event, Features, Info, Lookup, Name, Reply, Request, Serving, Status, Violation,
};

/// A frame's numbers in the host's order, and a name.
fn bytes(words: &[i32], name: &str) -> Vec<u8> {
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
    [&bytes, name.as_bytes()].concat()
}

fn name(text: &str) -> Name {
    Name::new(text).expect("a name")
}

/// A connection on which the service has said who it is.
fn greeted() -> Serving {
    let mut serving = Serving::greet(Features::all());
    serving.sent(serving.output().len());
    serving
}

fn request_of(frame: &[u8]) -> Result<Option<Request>, Violation> {
    let mut serving = greeted();
    assert_eq!(serving.receive(frame), frame.len());
    serving.next_request()
}

#[test]
fn the_first_frame_says_what_can_be_asked() {
    let serving = Serving::greet(Features::HOSTNAME | Features::PROCESS_ID);
    assert_eq!(serving.output(), bytes(&[0x9000, 24, 0, 1, 3, 0], ""));
    let refused = Serving::refuse(Status::of(Errno::EACCES));
    assert_eq!(refused.output(), bytes(&[0x9000, 24, -13, 1, 0, 0], ""));
}

#[test]
fn requests_have_the_layout_of_pcp_s() {
    for (lookup, kind) in [(Lookup::Hostname, 0x9001), (Lookup::ProcessId, 0x9003)] {
        let request = Request { lookup, pid: 0, name: name("web") };
        let frame = bytes(&[kind, 27, 0, 2, 0, 3], "web");
        assert_eq!(request_of(&frame), Ok(Some(request.clone())));
        let written = request.to_frame().to_bytes();
        assert_eq!((&written[..12], &written[16..]), (&frame[..12], &frame[16..]));
    }
    let of_process = Request { lookup: Lookup::Hostname, pid: 77, name: Name::default() };
    assert_eq!(request_of(&bytes(&[0x9001, 24, 0, 0, 77, 0], "")), Ok(Some(of_process)));
}

#[test]
fn replies_have_the_layout_of_pcp_s() {
    for (request, answer, reply) in [
        (
            bytes(&[0x9001, 27, 0, 2, 0, 3], "web"),
            Ok((14793, name("dockhost-a"))),
            bytes(&[0x9002, 34, 0, 1, 14793, 10], "dockhost-a"),
        ),
        (
            bytes(&[0x9003, 27, 0, 2, 0, 3], "web"),
            Ok((14793, Name::default())),
            bytes(&[0x9004, 24, 0, 1, 14793, 0], ""),
        ),
        (
            bytes(&[0x9003, 27, 0, 2, 5, 3], "web"),
            Err(Status::NO_CONTAINER),
            bytes(&[0x9004, 24, -12399, 1, 5, 0], ""),
        ),
    ] {
        let mut serving = greeted();
        serving.receive(&request);
        serving.next_request().unwrap();
        serving.answer(answer);
        assert_eq!(serving.output(), reply);
    }
}

/// The bytes that PCP's documentation of its wire would show on a little-endian host.
#[cfg(target_endian = "little")]
#[test]
fn numbers_are_in_the_host_s_order() {
    let not_found = Reply {
        lookup: Lookup::ProcessId,
        status: Status::NO_CONTAINER,
        pid: 0,
        name: Name::default(),
    };
    let frame = not_found.to_frame().to_bytes();
    assert_eq!(frame[..12], [0x04, 0x90, 0, 0, 0x18, 0, 0, 0, 0x91, 0xcf, 0xff, 0xff]);
}

#[test]
fn a_request_is_answered_before_the_next_is_looked_at() {
    let mut serving = greeted();
    let frame = bytes(&[0x9003, 27, 0, 2, 0, 3], "web");
    serving.receive(&[frame.clone(), frame].concat());
    assert!(serving.next_request().unwrap().is_some());
    assert_eq!(serving.next_request(), Ok(None));
    serving.answer(Err(Status::NOT_RUNNING));
    assert_eq!(serving.next_request(), Ok(None), "the answer is not sent");
    serving.sent(23);
    assert_eq!(serving.next_request(), Ok(None), "not all of it");
    serving.sent(1);
    assert!(serving.next_request().unwrap().is_some());
}

#[test]
fn a_client_asks_one_thing_at_a_time_and_only_once_greeted() {
    let request = Request { lookup: Lookup::ProcessId, pid: 0, name: name("web") };
    let mut asking = Asking::new();
    assert_eq!(asking.ask(&request), None);
    let info = Info { status: Status::OK, features: Features::PROCESS_ID };
    let hello = info.to_frame().to_bytes();
    assert_eq!(asking.receive(&hello[..23]), Ok(None));
    assert_eq!(asking.receive(&hello[23..]), Ok(Some(Event::Info(info))));
    assert!(asking.ask(&request).is_some());
    assert_eq!(asking.ask(&request), None);
    let other =
        Reply { lookup: Lookup::Hostname, status: Status::OK, pid: 1, name: Name::default() };
    let refused = asking.receive(&other.to_frame().to_bytes());
    assert_eq!(refused, Err(Violation::Type { found: 0x9002, wanted: "another reply" }));
}

#[test]
fn a_name_is_as_long_as_a_name_can_be_and_no_longer() {
    let longest = "n".repeat(Name::MOST_BYTES);
    let request = Request { lookup: Lookup::ProcessId, pid: 0, name: name(&longest) };
    assert_eq!(request_of(&request.to_frame().to_bytes()), Ok(Some(request)));
    let longer = format!("{longest}n");
    assert!(Name::new(longer.as_str()).is_err());
    let frame = bytes(&[0x9003, 24 + 4096, 0, 2, 0, 4096], &longer);
    assert_eq!(request_of(&frame), Err(Violation::Name { length: 4096, least: 0 }));
}

#[test]
fn what_is_refused_is_refused_as_soon_as_the_header_is_there() {
    for (header, violation) in [
        ([0x9003, 15, 0, 2], Violation::Length { length: 15 }),
        ([0x9003, 4201, 0, 2], Violation::Length { length: 4201 }),
        ([0x9003, i32::MIN, 0, 2], Violation::Length { length: i32::MIN }),
        ([0x9003, 27, 0, 3], Violation::Version { version: 3 }),
        ([0x9003, 27, 0, -1], Violation::Version { version: -1 }),
    ] {
        assert_eq!(request_of(&bytes(&header, "")), Err(violation));
    }
}

/// A stream in pieces.
fn pieces(stream: &[u8], cuts: &[usize]) -> Vec<Vec<u8>> {
    let mut ends: Vec<usize> = cuts.iter().map(|cut| cut % (stream.len() + 1)).collect();
    ends.push(stream.len());
    ends.sort_unstable();
    let mut at = 0;
    let piece = |end| {
        let piece = stream.get(at..end).unwrap_or_default().to_vec();
        at = end;
        piece
    };
    ends.into_iter().map(piece).collect()
}

/// Bytes of which many are frames, or nearly.
fn streams() -> impl Strategy<Value = Vec<u8>> {
    let words =
        prop_oneof![any::<i32>(), 0x9000..0x900d_i32, -2..70_i32, Just(24), Just(27), Just(4200),];
    let frame = (prop::collection::vec(words, 0..8), "[a-z\0]{0,5}")
        .prop_map(|(words, name)| bytes(&words, &name));
    let good = "[a-z]{1,9}".prop_map(|text| {
        Request { lookup: Lookup::Hostname, pid: 0, name: name(&text) }.to_frame().to_bytes()
    });
    let noise = prop::collection::vec(any::<u8>(), 0..64);
    prop::collection::vec(prop_oneof![frame, good, noise], 0..6).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn requests_come_out_as_they_went_in_however_they_are_cut(
        asked in prop::collection::vec((any::<bool>(), 0..i32::MAX, "[a-zA-Z0-9._/-]{1,300}"), 1..8),
        cuts in prop::collection::vec(any::<usize>(), 0..12),
    ) {
        let requests: Vec<Request> = asked
            .iter()
            .map(|(host, pid, text)| Request {
                lookup: if *host { Lookup::Hostname } else { Lookup::ProcessId },
                pid: *pid,
                name: name(text),
            })
            .collect();
        let stream: Vec<u8> =
            requests.iter().flat_map(|request| request.to_frame().to_bytes()).collect();
        let (mut serving, mut heard) = (greeted(), Vec::new());
        for piece in pieces(&stream, &cuts) {
            prop_assert_eq!(serving.receive(&piece), piece.len());
            while let Some(request) = serving.next_request().unwrap() {
                heard.push(request);
                serving.answer(Err(Status::NO_CONTAINER));
                serving.sent(24);
            }
        }
        prop_assert_eq!(heard, requests);
        prop_assert!(serving.is_idle() && !serving.is_halfway());
    }

    #[test]
    fn no_bytes_confuse_the_service_however_they_are_cut(
        stream in streams(),
        cuts in prop::collection::vec(any::<usize>(), 0..12),
    ) {
        let hear = |pieces: Vec<Vec<u8>>| {
            let (mut serving, mut heard) = (greeted(), Vec::new());
            for piece in pieces {
                serving.receive(&piece);
                loop {
                    match serving.next_request() {
                        Ok(None) => break,
                        Ok(Some(request)) => heard.push(request),
                        Err(violation) => return (heard, Some(violation)),
                    }
                    serving.answer(Ok((1, Name::default())));
                    serving.sent(24);
                }
            }
            (heard, None)
        };
        prop_assert_eq!(hear(pieces(&stream, &cuts)), hear(vec![stream]));
    }

    #[test]
    fn no_bytes_confuse_a_client(
        stream in streams(),
        cuts in prop::collection::vec(any::<usize>(), 0..12),
        is_greeted in any::<bool>(),
    ) {
        let mut asking = Asking::new();
        if is_greeted {
            asking.receive(Serving::greet(Features::all()).output()).unwrap();
            asking.ask(&Request { lookup: Lookup::Hostname, pid: 0, name: name("web") }).unwrap();
        }
        let mut events = 0;
        for piece in pieces(&stream, &cuts) {
            match asking.receive(&piece) {
                Ok(event) => events += usize::from(event.is_some()),
                Err(_) => break,
            }
        }
        prop_assert!(events <= 1, "it asked for no more");
    }

    #[test]
    fn a_service_keeps_a_bounded_number_of_bytes(noise in prop::collection::vec(any::<u8>(), 0..20_000)) {
        let mut serving = greeted();
        let taken = serving.receive(&noise);
        prop_assert!(taken <= 8400 && taken == noise.len().min(8400));
        prop_assert_eq!(serving.room(), 8400 - taken);
    }

    #[test]
    fn replies_come_out_as_they_went_in(
        is_hostname in any::<bool>(),
        status in any::<i32>(),
        pid in any::<i32>(),
        text in "[^\0]{0,64}",
    ) {
        let lookup = if is_hostname { Lookup::Hostname } else { Lookup::ProcessId };
        let reply = Reply { lookup, status: Status(status), pid, name: name(&text) };
        let mut asking = Asking::new();
        asking.receive(Serving::greet(Features::all()).output()).unwrap();
        asking.ask(&Request { lookup, pid: 0, name: name("web") }).unwrap();
        let heard = asking.receive(&reply.to_frame().to_bytes());
        prop_assert_eq!(heard, Ok(Some(Event::Reply(reply))));
    }
}
