//! One message of Pacemaker: a header of 40 bytes, and XML text with a NUL behind it.
//!
//! Pure layout (pacemaker-ipc, 6), version 1 in the form of Pacemaker up to 3.0.0. Every length that a header claims is
//! checked against what came. Compressed payloads are told, not read.

use bitflags::bitflags;

use super::error::Malformed;
use super::wire::{i32_at, length, put, told, u32_at};

/// The only version of the header.
const VERSION: u8 = 1;

bitflags! {
    /// What a message's header says about it.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub struct Flags: u32 {
        /// The payload is compressed.
        const COMPRESSED = 0x1;
        /// The client waits on the response ring for an answer with this id.
        const CLIENT_RESPONSE = 0x200;
        /// It travels on the event ring.
        const SERVER_EVENT = 0x1_0000;
        /// A hint of the C library about its own memory, which it sends along with every answer.
        const SERVER_FREE = 0x2_0000;
        // What others set is kept.
        const _ = !0;
    }
}

/// A message.
///
/// ```
/// use standin::ipc::{Flags, Frame};
/// let frame = Frame { id: 1, flags: Flags::CLIENT_RESPONSE, text: b"<ping/>".to_vec() };
/// let bytes = frame.encode();
/// assert_eq!(bytes.len(), Frame::HEADER_LENGTH + 8);
/// assert_eq!(Frame::decode(&bytes).unwrap(), frame);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// A request's number, and its answer's; events are numbered by the server. Negative ids are libqb's own.
    pub id: i32,
    /// What it is.
    pub flags: Flags,
    /// The text, without its NUL.
    pub text: Vec<u8>,
}

impl Frame {
    /// Bytes before the text.
    pub const HEADER_LENGTH: usize = 40;

    /// Its bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let text_length = self.text.len() + 1;
        let mut bytes = vec![0; Self::HEADER_LENGTH + text_length];
        put(&mut bytes, 0, &self.id.to_le_bytes());
        put(&mut bytes, 8, &length(Self::HEADER_LENGTH + text_length).to_le_bytes());
        put(&mut bytes, 24, &length(text_length).to_le_bytes());
        put(&mut bytes, 32, &self.flags.bits().to_le_bytes());
        put(&mut bytes, 36, &[VERSION]);
        put(&mut bytes, Self::HEADER_LENGTH, &self.text);
        bytes
    }

    /// Reads one from exactly the bytes that a ring held.
    ///
    /// # Errors
    /// [`Unreadable`], with what of the header can be told.
    pub fn decode(bytes: &[u8]) -> Result<Self, Unreadable> {
        let id = i32_at(bytes, 0);
        let flags = u32_at(bytes, 32).map(Flags::from_bits_retain);
        let unreadable = |why| Unreadable { id, flags: flags.unwrap_or_default(), why };
        let (Some(id), Some(flags), Some(text)) = (id, flags, bytes.get(Self::HEADER_LENGTH..))
        else {
            let (came, right) = (told(bytes.len()), told(Self::HEADER_LENGTH));
            return Err(unreadable(Malformed::Length { what: "a message header", came, right }));
        };
        check(bytes, flags).map_err(unreadable)?;
        match text.split_last() {
            Some((0, text)) if !text.contains(&0) => Ok(Self { id, flags, text: text.to_vec() }),
            _ => Err(unreadable(Malformed::NotTerminated)),
        }
    }
}

/// Whether the header of a message is true of its bytes.
fn check(bytes: &[u8], flags: Flags) -> Result<(), Malformed> {
    let version = bytes.get(36).copied().unwrap_or(0);
    if version != VERSION {
        return Err(Malformed::Version(version));
    }
    if flags.contains(Flags::COMPRESSED) || u32_at(bytes, 28) != Some(0) {
        return Err(Malformed::Compressed);
    }
    let claims = [
        ("a message", i32_at(bytes, 8).map(i64::from), bytes.len()),
        ("a text", u32_at(bytes, 24).map(i64::from), bytes.len() - Frame::HEADER_LENGTH),
    ];
    for (what, came, right) in claims {
        let (came, right) = (came.unwrap_or(0), told(right));
        if came != right {
            return Err(Malformed::Length { what, came, right });
        }
    }
    Ok(())
}

/// A message that cannot be read, and what of it is needed to answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct Unreadable {
    /// Its id, if it is long enough to have one.
    pub id: Option<i32>,
    /// Its flags, if it is long enough; else none.
    pub flags: Flags,
    /// What is wrong.
    pub why: Malformed,
}

#[cfg(test)]
mod tests {
    use super::{Flags, Frame};
    use crate::ipc::error::Malformed;

    #[test]
    fn a_message_has_its_fields_where_they_were_recorded() {
        let text = br#"<ack function="handle_ping_request" line="52" status="112"/>"#;
        let flags = Flags::CLIENT_RESPONSE | Flags::SERVER_FREE;
        let bytes = Frame { id: 1, flags, text: text.to_vec() }.encode();
        let header = [
            [1, 0, 0, 0, 0, 0, 0, 0],
            [0x65, 0, 0, 0, 0, 0, 0, 0],
            [0, 0, 0, 0, 0, 0, 0, 0],
            [0x3d, 0, 0, 0, 0, 0, 0, 0],
            [0, 2, 2, 0, 1, 0, 0, 0],
        ];
        assert_eq!(bytes[..40], *header.as_flattened());
        assert_eq!((bytes.len(), bytes[100]), (101, 0));
    }

    fn spoilt(at: usize, byte: u8) -> Malformed {
        let flags = Flags::CLIENT_RESPONSE;
        let mut bytes = Frame { id: 7, flags, text: b"<a/>".to_vec() }.encode();
        bytes[at] = byte;
        let unreadable = Frame::decode(&bytes).unwrap_err();
        assert_eq!(unreadable.id, Some(7));
        assert!(unreadable.flags.contains(flags));
        unreadable.why
    }

    #[test]
    fn a_header_that_is_not_true_of_its_bytes_is_told_with_id_and_flags() {
        assert_eq!(spoilt(8, 44), Malformed::Length { what: "a message", came: 44, right: 45 });
        assert_eq!(spoilt(24, 0), Malformed::Length { what: "a text", came: 0, right: 5 });
        assert_eq!(spoilt(28, 1), Malformed::Compressed);
        assert_eq!(spoilt(32, 1), Malformed::Compressed);
        assert_eq!(spoilt(36, 2), Malformed::Version(2));
        assert_eq!(spoilt(44, b'x'), Malformed::NotTerminated);
        assert_eq!(spoilt(41, 0), Malformed::NotTerminated);
    }

    #[test]
    fn every_cut_of_a_message_is_refused() {
        let bytes = Frame { id: 1, flags: Flags::empty(), text: b"<a/>".to_vec() }.encode();
        for end in 0..bytes.len() {
            assert!(Frame::decode(&bytes[..end]).is_err(), "{end}");
        }
    }
}
