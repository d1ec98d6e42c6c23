//! Why talking over IPC failed: [`Error`], and [`Malformed`] for what the other side got wrong.

use crate::backend::PeerCredentials;
use crate::errno::Errno;
use crate::failure::Failure;

/// What every call here returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why an exchange failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Nobody listens at this name: ECONNREFUSED, or ENOENT for a socket that is a file.
    #[error("connect to {service}: nobody listens (is the daemon running?)")]
    NoService {
        /// The name.
        service: String,
    },
    /// Whoever answers at this name is neither root nor the expected user or group. Nothing was said to it.
    #[error(
        "the peer, process {} of user {} and group {}, is not who the service belongs to",
        peer.pid, peer.uid, peer.gid
    )]
    Unauthentic {
        /// Who it is.
        peer: PeerCredentials,
    },
    /// The server declined the set-up with this error.
    #[error("the server declined: {0}")]
    Declined(Errno),
    /// The other side broke the protocol; the connection is of no more use.
    #[error("the other side broke the protocol: {0}")]
    Malformed(#[from] Malformed),
    /// The other side is gone.
    #[error("the other side has disconnected")]
    Disconnected,
    /// The deadline came first.
    #[error("timed out waiting for {0}")]
    TimedOut(&'static str),
    /// The other side has not read enough yet, so there is no room.
    #[error("no room in the ring: the other side does not read")]
    Full,
    /// The server asks its clients to hold back (its flow control).
    #[error("the server asks to hold back")]
    HoldBack,
    /// More than the connection was set up for.
    #[error("a message of {bytes} bytes; this connection takes at most {most}")]
    TooLong {
        /// How long it is, with headers.
        bytes: usize,
        /// What was agreed on.
        most: u32,
    },
    /// The kernel did not say who the other side is.
    #[error("the other side came without credentials")]
    NoCredentials,
    /// No client of this server has the number: it has left.
    #[error("that client has left")]
    NoClient,
    /// A call of the backend failed.
    #[error("{attempt} {on}: {failure}")]
    Backend {
        /// What was tried.
        attempt: &'static str,
        /// On what.
        on: String,
        /// Why it failed.
        failure: Failure,
    },
}

impl Error {
    /// The failure of the backend, if one is the cause. What is not a kernel's answer
    /// ([`Failure::NotModelled`], ...) is found here, and nowhere else.
    #[must_use]
    pub const fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Backend { failure, .. } => Some(failure),
            Self::NoService { .. }
            | Self::Unauthentic { .. }
            | Self::Declined(_)
            | Self::Malformed(_)
            | Self::Disconnected
            | Self::TimedOut(_)
            | Self::Full
            | Self::HoldBack
            | Self::TooLong { .. }
            | Self::NoCredentials
            | Self::NoClient => None,
        }
    }

    /// The kernel's error number, if a kernel's refusal is the cause.
    #[must_use]
    pub const fn errno(&self) -> Option<Errno> {
        match self.failure() {
            Some(failure) => failure.errno(),
            None => None,
        }
    }
}

/// Adds to a failure of the backend what was tried, and on what.
pub(super) fn trying(
    attempt: &'static str,
    on: impl std::fmt::Display,
) -> impl FnOnce(Failure) -> Error {
    move |failure| Error::Backend { attempt, on: on.to_string(), failure }
}

/// What breaks the protocol: the limit or the form that was expected, and what came.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Malformed {
    /// A fixed part has another length, or claims to.
    #[error("{what} of {came} bytes, where it has {right}")]
    Length {
        /// Of what.
        what: &'static str,
        /// What it has, or says.
        came: i64,
        /// What would be right.
        right: i64,
    },
    /// Set-up messages have id -1; replies have the id of their request.
    #[error("message id {came} where {right} was due")]
    Id {
        /// What it says.
        came: i32,
        /// What would be right.
        right: i32,
    },
    /// The server wants to talk over something other than rings in shared memory (type 1).
    #[error("connection type {0}, where shared memory (1) is spoken")]
    ConnectionType(i32),
    /// The server sent a path outside the shared-memory directory, or none.
    #[error("ring path {0:?} is not `DIRECTORY/NAME` below the shared-memory directory")]
    RingPath(String),
    /// A ring's file is too short, or not as long as its header says.
    #[error("a ring of {words} words in a file of {bytes} bytes")]
    RingSize {
        /// As the header says.
        words: u32,
        /// The data file's length.
        bytes: u64,
    },
    /// A read or write index outside the ring.
    #[error("ring index {index}, in a ring of {words} words")]
    RingIndex {
        /// What it says.
        index: u32,
        /// How long the ring is.
        words: u32,
    },
    /// The ring's semaphore counts a message where none was committed.
    #[error("{0:#010x} where a committed message begins with 0xa1a1a1a1")]
    ChunkMark(u32),
    /// A message in the ring is longer than agreed on, or than the ring.
    #[error("a message of {bytes} bytes in the ring; at most {most} were agreed on")]
    ChunkSize {
        /// As the ring says.
        bytes: u32,
        /// The agreed limit.
        most: u32,
    },
    /// A semaphore at its limit, or one that never holds still.
    #[error("the ring's semaphore cannot be used: value {0}")]
    Semaphore(u32),
    /// A message header of a version that is not spoken: 1 is.
    #[error("message header of version {0}, where 1 is spoken")]
    Version(u8),
    /// The payload is compressed, which is not spoken.
    #[error("a compressed payload")]
    Compressed,
    /// The payload does not end where its NUL is.
    #[error("the payload does not end with its one NUL")]
    NotTerminated,
    /// The payload is no document that is read here.
    #[error("no readable XML: {0}")]
    Xml(String),
    /// A document lacks what it must have.
    #[error("a <{element}> without {attribute}")]
    Missing {
        /// Which element.
        element: String,
        /// What it lacks.
        attribute: &'static str,
    },
}
