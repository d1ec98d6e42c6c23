//! The set-up exchange of libqb: what the client wishes, what the server grants.
//!
//! Pure layouts (pacemaker-ipc, 5.2): `client` and `server` move the bytes. Neither message may be trusted: lengths,
//! ids and paths are checked here; where paths may lead is checked where they are opened.

use crate::errno::Errno;
use crate::path::KPathBuf;

use super::error::Malformed;
use super::wire::{i32_at, length, put, told, u32_at, until_nul};

/// The id of both set-up messages.
const AUTHENTICATE: i32 = -1;
/// Rings in shared memory.
const SHARED_MEMORY: i32 = 1;
/// A path's room in the response.
const PATH_BYTES: usize = 4096;
/// Where the three paths begin: requests, responses, events.
const PATHS: [usize; 3] = [40, 40 + PATH_BYTES, 40 + 2 * PATH_BYTES];

/// No connection is set up for less: the response itself must fit (libqb).
pub const LEAST_MESSAGE_BYTES: u32 = 12_328;

/// What a client asks for: the longest message that it wants to send or receive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectRequest {
    /// In bytes, headers included.
    pub most_message_bytes: u32,
}

impl ConnectRequest {
    /// How long it is on the wire.
    pub const LENGTH: usize = 24;

    /// Its bytes.
    #[must_use]
    pub fn encode(self) -> [u8; Self::LENGTH] {
        let mut bytes = [0; Self::LENGTH];
        put(&mut bytes, 0, &AUTHENTICATE.to_le_bytes());
        put(&mut bytes, 8, &length(Self::LENGTH).to_le_bytes());
        put(&mut bytes, 16, &self.most_message_bytes.to_le_bytes());
        bytes
    }

    /// Reads one from all of its bytes.
    ///
    /// # Errors
    /// [`Malformed`] if it is not [`LENGTH`](Self::LENGTH) bytes long, says another length, or has another id.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        check_header("a connect request", bytes, Self::LENGTH)?;
        Ok(Self { most_message_bytes: u32_at(bytes, 16).unwrap_or(0) })
    }
}

/// What a server answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConnectResponse {
    /// No connection, for this reason.
    Declined(Errno),
    /// Here are the rings.
    Granted(Grant),
}

/// What a client needs to know to open its rings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The longest message in any direction, headers included.
    pub most_message_bytes: u32,
    /// The server's own mark of the connection; it means nothing to the client.
    pub cookie: u64,
    /// What the names of the request ring's files begin with.
    pub request: KPathBuf,
    /// The same of the response ring.
    pub response: KPathBuf,
    /// The same of the event ring.
    pub event: KPathBuf,
}

impl ConnectResponse {
    /// How long it is on the wire.
    pub const LENGTH: usize = 12_328;

    /// Its bytes. Paths are cut at 4,095 bytes, more than a kernel takes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![0; Self::LENGTH];
        put(&mut bytes, 0, &AUTHENTICATE.to_le_bytes());
        put(&mut bytes, 8, &length(Self::LENGTH).to_le_bytes());
        match self {
            Self::Declined(errno) => put(&mut bytes, 16, &errno.raw().wrapping_neg().to_le_bytes()),
            Self::Granted(grant) => {
                put(&mut bytes, 24, &SHARED_MEMORY.to_le_bytes());
                put(&mut bytes, 28, &grant.most_message_bytes.to_le_bytes());
                put(&mut bytes, 32, &grant.cookie.to_le_bytes());
                for (at, path) in PATHS.iter().zip([&grant.request, &grant.response, &grant.event])
                {
                    let path = path.as_bytes();
                    put(&mut bytes, *at, path.get(..PATH_BYTES - 1).unwrap_or(path));
                }
            }
        }
        bytes
    }

    /// Reads one from all of its bytes.
    ///
    /// # Errors
    /// [`Malformed`] if it is not [`LENGTH`](Self::LENGTH) bytes long, says another length, has another id, wants
    /// another transport than shared memory, grants less than the least, or has a path without an end.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        check_header("a connect response", bytes, Self::LENGTH)?;
        let word = |offset| i32_at(bytes, offset).unwrap_or(0);
        let error = word(16);
        if error != 0 {
            return Ok(Self::Declined(Errno::from_raw(error.wrapping_neg())));
        }
        if word(24) != SHARED_MEMORY {
            return Err(Malformed::ConnectionType(word(24)));
        }
        let most = u32_at(bytes, 28).unwrap_or(0);
        if most < LEAST_MESSAGE_BYTES {
            let (came, right) = (most.into(), LEAST_MESSAGE_BYTES.into());
            return Err(Malformed::Length { what: "longest message", came, right });
        }
        let cookie = [32, 36].map(|at| u64::from(u32_at(bytes, at).unwrap_or(0)));
        let [request, response, event] = PATHS.map(|at| path(bytes, at));
        Ok(Self::Granted(Grant {
            most_message_bytes: most,
            cookie: cookie.into_iter().rev().fold(0, |above, half| above << 32 | half),
            request: request?,
            response: response?,
            event: event?,
        }))
    }
}

fn check_header(what: &'static str, bytes: &[u8], right: usize) -> Result<(), Malformed> {
    if bytes.len() != right {
        return Err(Malformed::Length { what, came: told(bytes.len()), right: told(right) });
    }
    match i32_at(bytes, 0) {
        Some(AUTHENTICATE) => {}
        id => return Err(Malformed::Id { came: id.unwrap_or(0), right: AUTHENTICATE }),
    }
    let came = i64::from(i32_at(bytes, 8).unwrap_or(0));
    if came == told(right) {
        Ok(())
    } else {
        Err(Malformed::Length { what, came, right: told(right) })
    }
}

fn path(bytes: &[u8], at: usize) -> Result<KPathBuf, Malformed> {
    let field = bytes.get(at..at + PATH_BYTES).unwrap_or_default();
    let unreadable = || Malformed::RingPath(String::from_utf8_lossy(field).into_owned());
    let path = until_nul(field).ok_or_else(unreadable)?;
    KPathBuf::new(path).map_err(|_| unreadable())
}

#[cfg(test)]
mod tests {
    use super::{ConnectRequest, ConnectResponse, Grant};
    use crate::errno::Errno;
    use crate::ipc::error::Malformed;
    use crate::path::KPathBuf;

    /// What crmadmin of Pacemaker 2.1.5 sends (pacemaker-ipc, 8).
    const RECORDED: [u8; 24] =
        [255, 255, 255, 255, 0, 0, 0, 0, 24, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0];

    #[test]
    fn a_recorded_request_is_read_and_written_alike() {
        let request = ConnectRequest { most_message_bytes: 131_072 };
        assert_eq!(ConnectRequest::decode(&RECORDED), Ok(request));
        assert_eq!(request.encode(), RECORDED);
    }

    fn granted() -> ConnectResponse {
        let path = |name: &str| KPathBuf::new(format!("/dev/shm/qb-1-2-7-2tHYLp/{name}")).unwrap();
        ConnectResponse::Granted(Grant {
            most_message_bytes: 131_072,
            cookie: 0x5633_9a90_55e0_0001,
            request: path("qb-request-pacemakerd"),
            response: path("qb-response-pacemakerd"),
            event: path("qb-event-pacemakerd"),
        })
    }

    #[test]
    fn a_response_has_its_fields_where_they_were_recorded() {
        let bytes = granted().encode();
        assert_eq!(bytes.len(), 12_328);
        assert_eq!(bytes[..16], [255, 255, 255, 255, 0, 0, 0, 0, 0x28, 0x30, 0, 0, 0, 0, 0, 0]);
        assert_eq!(bytes[16..32], [0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 2, 0]);
        assert!(bytes[40..].starts_with(b"/dev/shm/qb-1-2-7-2tHYLp/qb-request-pacemakerd\0"));
        assert!(bytes[4136..].starts_with(b"/dev/shm/qb-1-2-7-2tHYLp/qb-response-"));
        assert!(bytes[8232..].starts_with(b"/dev/shm/qb-1-2-7-2tHYLp/qb-event-"));
        assert_eq!(ConnectResponse::decode(&bytes), Ok(granted()));
    }

    #[test]
    fn a_server_declines_with_an_errno() {
        let declined = ConnectResponse::Declined(Errno::EACCES);
        assert_eq!(declined.encode()[16..20], (-13_i32).to_le_bytes());
        assert_eq!(ConnectResponse::decode(&declined.encode()), Ok(declined));
    }

    #[test]
    fn what_breaks_the_layout_is_told_by_name() {
        let mut bytes = granted().encode();
        bytes[24] = 0;
        assert_eq!(ConnectResponse::decode(&bytes), Err(Malformed::ConnectionType(0)));
        bytes[24] = 1;
        bytes[40..4136].fill(b'x');
        assert!(matches!(ConnectResponse::decode(&bytes), Err(Malformed::RingPath(_))));
        bytes[28..32].fill(0);
        assert!(matches!(ConnectResponse::decode(&bytes), Err(Malformed::Length { .. })));
        let mut request = RECORDED;
        request[0] = 1;
        let id = Malformed::Id { came: -255, right: -1 };
        assert_eq!(ConnectRequest::decode(&request), Err(id));
        let length = Malformed::Length { what: "a connect request", came: 23, right: 24 };
        assert_eq!(ConnectRequest::decode(&RECORDED[..23]), Err(length));
    }
}
