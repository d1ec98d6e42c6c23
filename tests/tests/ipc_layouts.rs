//! The layouts of the IPC library on anything: no panic, and what they read is what was written.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{Strategy, any, prop_assert, prop_assert_eq, proptest};
use proptest::sample::Index;
use standin::Errno;
use standin::ipc::{
    ConnectRequest, ConnectResponse, Element, Envelope, EnvelopeKind, Flags, Frame, Grant,
    LEAST_MESSAGE_BYTES, Launcher, LauncherState, Status,
};
use standin::path::KPathBuf;

/// A path without NUL, short enough for its field.
fn path() -> impl Strategy<Value = KPathBuf> {
    vec(1_u8..=255, 0..4096).prop_map(|bytes| KPathBuf::new(bytes).expect("no NUL"))
}

fn response() -> impl Strategy<Value = ConnectResponse> {
    let grant = (LEAST_MESSAGE_BYTES.., any::<u64>(), path(), path(), path()).prop_map(
        |(most_message_bytes, cookie, request, response, event)| {
            ConnectResponse::Granted(Grant { most_message_bytes, cookie, request, response, event })
        },
    );
    let declined = (1..4096).prop_map(|errno| ConnectResponse::Declined(Errno::from_raw(errno)));
    proptest::prop_oneof![grant, declined]
}

fn frame() -> impl Strategy<Value = Frame> {
    let flags = any::<u32>().prop_map(|bits| Flags::from_bits_retain(bits & !1));
    (any::<i32>(), flags, vec(1_u8..=255, 0..300)).prop_map(|(id, flags, text)| Frame {
        id,
        flags,
        text,
    })
}

/// A name of an element or attribute.
const NAME: &str = "[a-zA-Z_][a-zA-Z0-9_.-]{0,8}";

fn element() -> impl Strategy<Value = Element> {
    let bare = (NAME, proptest::collection::btree_map(NAME, "\\PC*|[ \t\n\r&<>\"']*", 0..4))
        .prop_map(|(name, attributes)| {
            let empty = Element::new(&name);
            attributes.iter().fold(empty, |element, (name, value)| element.with(name, value))
        });
    bare.prop_recursive(4, 20, 4, move |inner| {
        (NAME, vec(inner, 0..4)).prop_map(|(name, children)| {
            children.into_iter().fold(Element::new(&name), Element::with_child)
        })
    })
}

proptest! {
    #[test]
    fn random_bytes_are_read_or_refused(bytes in vec(any::<u8>(), 0..200)) {
        let _ = Frame::decode(&bytes);
        let _ = Element::parse(&bytes);
        let _ = Launcher { state: LauncherState::Running, last_good_s: 1 }.answer(&bytes);
        prop_assert!(ConnectResponse::decode(&bytes).is_err());
        if let Ok(request) = ConnectRequest::decode(&bytes) {
            prop_assert_eq!(bytes.len(), ConnectRequest::LENGTH);
            prop_assert_eq!(ConnectRequest::decode(&request.encode()), Ok(request));
        }
    }

    #[test]
    fn a_request_is_read_as_it_was_written(most_message_bytes in any::<u32>()) {
        let request = ConnectRequest { most_message_bytes };
        prop_assert_eq!(ConnectRequest::decode(&request.encode()), Ok(request));
    }

    #[test]
    fn a_response_is_read_as_it_was_written(response in response()) {
        prop_assert_eq!(ConnectResponse::decode(&response.encode()), Ok(response));
    }

    #[test]
    fn a_spoilt_response_is_read_or_refused(
        response in response(),
        spots in vec((any::<Index>(), any::<u8>()), 1..8),
        end in option::of(any::<Index>()),
    ) {
        let mut bytes = response.encode();
        for (at, byte) in spots {
            *at.get_mut(&mut bytes) = byte;
        }
        bytes.truncate(end.map_or(bytes.len(), |end| end.index(bytes.len())));
        let _ = ConnectResponse::decode(&bytes);
    }

    #[test]
    fn a_frame_is_read_as_it_was_written_and_not_when_cut(frame in frame(), end in any::<Index>()) {
        let bytes = frame.encode();
        prop_assert!(Frame::decode(&bytes[..end.index(bytes.len())]).is_err());
        prop_assert_eq!(Frame::decode(&bytes), Ok(frame));
    }

    #[test]
    fn a_spoilt_frame_is_read_or_refused(
        frame in frame(),
        spots in vec((any::<Index>(), any::<u8>()), 1..8),
    ) {
        let mut bytes = frame.encode();
        for (at, byte) in spots {
            *at.get_mut(&mut bytes) = byte;
        }
        match Frame::decode(&bytes) {
            Ok(read) => prop_assert_eq!(Frame::decode(&read.encode()), Ok(read)),
            Err(unreadable) => prop_assert!(unreadable.id.is_some()),
        }
    }

    #[test]
    fn a_document_is_read_as_it_was_written(element in element()) {
        prop_assert_eq!(Element::parse(element.to_string().as_bytes()), Ok(element));
    }

    #[test]
    fn what_is_read_as_a_document_is_written_as_the_same(text in "[<>/=\"'a-c &;#0-9!?\\[\\]-]{0,60}") {
        if let Ok(element) = Element::parse(text.as_bytes()) {
            prop_assert_eq!(Element::parse(element.to_string().as_bytes()), Ok(element));
        }
    }

    #[test]
    fn an_envelope_is_read_as_it_was_written(
        words in vec("\\PC{1,20}", 5),
        data in option::of(element()),
        is_request in any::<bool>(),
    ) {
        let kind = if is_request { EnvelopeKind::Request } else { EnvelopeKind::Response };
        let envelope = Envelope {
            kind,
            data,
            message_type: words[4].clone(),
            ..Envelope::request(&words[0], &words[1], &words[2], &words[3])
        };
        prop_assert_eq!(Envelope::from_element(&envelope.to_element()), Ok(envelope));
    }

    #[test]
    fn every_ping_is_answered_and_joined_to_its_request(
        from in "\\PC{1,20}",
        reference in "\\PC{1,20}",
        last_good_s in any::<u64>(),
    ) {
        let launcher = Launcher { state: LauncherState::Running, last_good_s };
        let answer = launcher.answer(Launcher::ping(&from, &reference).to_string().as_bytes());
        prop_assert_eq!(answer.status, Status::REPLY_FOLLOWS);
        let event = answer.event.expect("an event");
        prop_assert_eq!(event.attribute("reference"), Some(reference.as_str()));
        prop_assert_eq!(Launcher::pinged(&event), Some(launcher));
    }
}
