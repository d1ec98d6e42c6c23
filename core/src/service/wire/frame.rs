//! Frames: cut out of a stream by the length in their header, and written.

/// The header's length.
const HEADER_BYTES: usize = 16;
/// The longest frame of the protocol, with room to spare: a name has at most 4095 bytes.
pub(super) const MOST_BYTES: usize = 4200;
/// The newest version of the protocol; 2 brought what this service has not, and nothing else.
const NEWEST_VERSION: i32 = 2;
/// The version that we speak: without process control.
const VERSION: i32 = 1;

/// A peer sent what is no frame of the protocol. The connection is of no more use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Violation {
    /// The header's length.
    #[error("a frame of {length} bytes: they have {HEADER_BYTES} to {MOST_BYTES}")]
    Length {
        /// What it said.
        length: i32,
    },
    /// The header's version.
    #[error("version {version}: they are 0 to {NEWEST_VERSION}")]
    Version {
        /// What it said.
        version: i32,
    },
    /// The header's type: unknown, or out of turn.
    #[error("type {found:#06x}, where {wanted} can be")]
    Type {
        /// What it said.
        found: i32,
        /// What could have come.
        wanted: &'static str,
    },
    /// A request that says it failed.
    #[error("a request with status {status}: it has none below 0")]
    Status {
        /// What it said.
        status: i32,
    },
    /// A body that is longer or shorter than what it holds.
    #[error("type {kind:#06x} with {length} bytes behind the header, where {right} belong")]
    Body {
        /// Its type.
        kind: i32,
        /// Its length.
        length: usize,
        /// The right length.
        right: i64,
    },
    /// A name that is none.
    #[error("a name of {length} bytes: they have {least} to {most}, and no NUL among them", most = super::Name::MOST_BYTES)]
    Name {
        /// Its length.
        length: usize,
        /// How many it must have at least.
        least: usize,
    },
    /// Bytes that nobody asked for.
    #[error("bytes that nobody asked for")]
    Unasked,
}

/// A frame: its header without the length, and what stands behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Its type.
    pub kind: i32,
    /// 0, or what went wrong.
    pub status: i32,
    /// What stands behind the header.
    pub body: Vec<u8>,
}

impl Frame {
    /// Writes it down.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let length = i32::try_from(HEADER_BYTES + self.body.len()).unwrap_or(i32::MAX);
        let header = [self.kind, length, self.status, VERSION].map(i32::to_ne_bytes);
        [header.as_flattened(), &self.body].concat()
    }
}

/// What came of a stream, to be cut into frames. It keeps two frames' worth of bytes at most.
#[derive(Clone, Debug, Default)]
pub struct Frames {
    bytes: Vec<u8>,
}

impl Frames {
    /// Takes what came, as far as there is room, and says how much that was.
    pub fn push(&mut self, bytes: &[u8]) -> usize {
        let taken = bytes.get(..self.room()).unwrap_or(bytes);
        self.bytes.extend_from_slice(taken);
        taken.len()
    }

    /// For how many bytes there is room. If there is none, a frame is complete.
    #[must_use]
    pub const fn room(&self) -> usize {
        (2 * MOST_BYTES).saturating_sub(self.bytes.len())
    }

    /// Whether something is there that was not taken out yet.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Takes out the next frame; `None` while it is not there to its end.
    ///
    /// # Errors
    /// [`Violation::Length`], [`Violation::Version`]: as soon as the header is there.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, Violation> {
        let Some((header, behind)) = self.bytes.split_first_chunk::<HEADER_BYTES>() else {
            return Ok(None);
        };
        let [kind, length, status, version] = words(header);
        let body = usize::try_from(length)
            .ok()
            .filter(|length| *length <= MOST_BYTES)
            .and_then(|length| length.checked_sub(HEADER_BYTES))
            .ok_or(Violation::Length { length })?;
        if !(0..=NEWEST_VERSION).contains(&version) {
            return Err(Violation::Version { version });
        }
        let Some(body) = behind.get(..body).map(<[u8]>::to_vec) else { return Ok(None) };
        self.bytes.drain(..HEADER_BYTES + body.len());
        Ok(Some(Frame { kind, status, body }))
    }
}

/// The four numbers of a header.
fn words(bytes: &[u8; HEADER_BYTES]) -> [i32; 4] {
    let mut words = [0; 4];
    for (word, bytes) in words.iter_mut().zip(bytes.as_chunks::<4>().0) {
        *word = i32::from_ne_bytes(*bytes);
    }
    words
}
