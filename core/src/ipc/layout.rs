//! The ring of libqb, as numbers: where its header's fields are, where messages go, what is a right index.
//!
//! Pure (pacemaker-ipc, 5.3 and 5.4). The other process can write all of this memory at any time: every number that
//! comes from it passes one of the checks here.

use super::error::Malformed;
use super::wire::put;

/// Where the fields of the ring's header are.
pub(super) const WRITE_INDEX: u64 = 0;
pub(super) const READ_INDEX: u64 = 4;
pub(super) const WORDS: u64 = 8;
pub(super) const REFERENCES: u64 = 8204;
/// A `sem_t` of glibc on 64 bits: value, number of waiters.
pub(super) const SEMAPHORE: u64 = 8208;
pub(super) const WAITERS: u64 = SEMAPHORE + 4;
/// What the server asks its clients for: 0 is "go on".
pub(super) const FLOW_CONTROL: u64 = 8240;

/// The header without, and with, its word of flow control.
pub(super) const LEAST_HEADER_BYTES: u64 = 8248;
pub(super) const HEADER_BYTES: u64 = LEAST_HEADER_BYTES + 4;

/// The marks before a message: being written, there, taken.
pub(super) const WRITING: u32 = 0xa110_ced0;
pub(super) const COMMITTED: u32 = 0xa1a1_a1a1;
pub(super) const TAKEN: u32 = 0xd0d0_d0d0;

/// Size and mark before each message.
pub(super) const CHUNK_WORDS: u32 = 2;
/// What libqb leaves free between the newest message and the oldest.
const MARGIN_BYTES: u64 = 12;
/// The pages of the only processors whose `sem_t` this is the layout of.
const PAGE_BYTES: u64 = 4096;
/// A `sem_t` that processes share.
const SHARED_SEMAPHORE: u32 = 0x80;
/// The two paths in the header.
const PATHS: [usize; 2] = [12, 4108];

/// How many words a ring has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Geometry {
    words: u32,
}

impl Geometry {
    /// The ring for messages of at most this length.
    pub(super) const fn for_messages(most_bytes: u32) -> Self {
        // A ring takes the longest message and its margin; at most u32::MAX / 4 words and a page.
        let bytes = (most_bytes as u64 + MARGIN_BYTES + 1).next_multiple_of(PAGE_BYTES);
        #[expect(clippy::cast_possible_truncation, reason = "a quarter of a u32 and a page")]
        Self { words: (bytes / 4) as u32 }
    }

    /// The ring that a header tells of, if its file is as long, of whole pages, and takes messages of the agreed length.
    pub(super) fn of_file(words: u32, file_bytes: u64, most_bytes: u32) -> Result<Self, Malformed> {
        let ring = Self { words };
        let whole = file_bytes.is_multiple_of(PAGE_BYTES) && ring.bytes() == file_bytes;
        if whole && words >= Self::for_messages(most_bytes).words {
            Ok(ring)
        } else {
            Err(Malformed::RingSize { words, bytes: file_bytes })
        }
    }

    pub(super) const fn bytes(self) -> u64 {
        self.words as u64 * 4
    }

    /// An index that came from the other side.
    pub(super) const fn index(self, index: u32) -> Result<u32, Malformed> {
        if index < self.words {
            Ok(index)
        } else {
            Err(Malformed::RingIndex { index, words: self.words })
        }
    }

    /// Where the next message goes behind one of `bytes` at `index`.
    pub(super) const fn behind(self, index: u32, bytes: u32) -> u32 {
        let next = index as u64 + CHUNK_WORDS as u64 + (bytes as u64).div_ceil(4);
        #[expect(clippy::cast_possible_truncation, reason = "less than the words of the ring")]
        {
            (next % self.words as u64) as u32
        }
    }

    /// Whether a message of `bytes` goes in, between a reader and a writer at these indices. `unread` tells a full ring
    /// from an empty one.
    pub(super) const fn has_room(self, read: u32, write: u32, unread: u32, bytes: u32) -> bool {
        let free_words = if read != write {
            (self.words - 1 + read - write) % self.words
        } else if unread == 0 {
            self.words
        } else {
            0
        };
        free_words as u64 * 4 >= bytes as u64 + MARGIN_BYTES
    }

    /// The header of a new ring, whose files have these paths.
    pub(super) fn header(self, header_path: &[u8], data_path: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; usize::try_from(HEADER_BYTES).unwrap_or_default()];
        let fields = [(WORDS, self.words), (REFERENCES, 1), (SEMAPHORE + 8, SHARED_SEMAPHORE)];
        for (at, value) in fields {
            put(&mut bytes, usize::try_from(at).unwrap_or_default(), &value.to_le_bytes());
        }
        for (at, path) in PATHS.into_iter().zip([header_path, data_path]) {
            put(&mut bytes, at, path.get(..4095).unwrap_or(path));
        }
        bytes
    }
}

/// The size of a message in the ring: at most what was agreed on, which the ring has room for.
pub(super) const fn chunk_bytes(bytes: u32, most_bytes: u32) -> Result<u32, Malformed> {
    if bytes <= most_bytes {
        Ok(bytes)
    } else {
        Err(Malformed::ChunkSize { bytes, most: most_bytes })
    }
}

#[cfg(test)]
mod tests {
    use super::{Geometry, HEADER_BYTES, Malformed};

    #[test]
    fn rings_have_the_sizes_that_were_recorded() {
        for (most, bytes) in [(131_072, 135_168), (524_288, 528_384), (1_048_576, 1_052_672)] {
            assert_eq!(Geometry::for_messages(most).bytes(), bytes);
        }
        assert!(Geometry::for_messages(u32::MAX).bytes() > u32::MAX.into());
    }

    #[test]
    fn a_new_header_has_its_fields_where_they_were_recorded() {
        let header = Geometry::for_messages(131_072).header(b"/h", b"/d");
        assert_eq!(header.len() as u64, HEADER_BYTES);
        assert_eq!(header[..16], [0, 0, 0, 0, 0, 0, 0, 0, 0, 0x84, 0, 0, b'/', b'h', 0, 0]);
        assert_eq!(header[4108..4111], *b"/d\0");
        assert_eq!(header[8204..8220], [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x80, 0, 0, 0]);
    }

    #[test]
    fn messages_stand_where_they_were_recorded() {
        let ring = Geometry::for_messages(131_072);
        assert_eq!(ring.behind(0, 205), 54);
        assert_eq!(ring.behind(0, 101), 28);
        assert_eq!(ring.behind(0, 365), 94);
        assert_eq!(ring.behind(33_791, 1), 2, "indices wrap");
    }

    #[test]
    fn a_full_ring_is_told_from_an_empty_one_by_what_is_unread() {
        let ring = Geometry::for_messages(131_072);
        assert!(ring.has_room(5, 5, 0, 131_072));
        assert!(!ring.has_room(5, 5, 1, 0));
        assert!(ring.has_room(5, 1, 1, 0));
        assert!(!ring.has_room(4, 1, 1, 0), "two words are less than the margin");
        assert!(ring.has_room(0, 33_788, 9, 0));
        assert!(!ring.has_room(0, 33_788, 9, 1));
    }

    #[test]
    fn a_ring_that_is_not_as_long_as_its_file_is_refused() {
        let ring = Geometry::for_messages(131_072);
        assert_eq!(Geometry::of_file(33_792, 135_168, 131_072), Ok(ring));
        for (words, bytes) in [(33_791, 135_168), (33_792, 135_172), (1024, 4096), (0, 0)] {
            let refused = Malformed::RingSize { words, bytes };
            assert_eq!(Geometry::of_file(words, bytes, 131_072), Err(refused));
        }
        assert_eq!(ring.index(33_792), Err(Malformed::RingIndex { index: 33_792, words: 33_792 }));
    }
}
