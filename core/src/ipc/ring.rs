//! A ring of messages in shared memory: one side writes, the other reads.
//!
//! Each side trusts its own index alone and checks the other's; a message is copied out before anybody looks into it.
//! How rings are laid out is in `layout`, who waits how in `semaphore`, where their files come from in `rings`.

use crate::backend::{Backend, Deadline};
use crate::handle::{File, Map};
use crate::id::Bytes;

use super::error::{Error, Malformed, Result, trying};
use super::layout::{
    CHUNK_WORDS, COMMITTED, FLOW_CONTROL, Geometry, HEADER_BYTES, LEAST_HEADER_BYTES, READ_INDEX,
    REFERENCES, SEMAPHORE, TAKEN, WORDS, WRITE_INDEX, WRITING, chunk_bytes,
};
use super::semaphore;
use super::wire::length;

/// One side's end of a ring.
#[derive(Debug)]
pub(super) struct Ring {
    header: Map,
    data: Map,
    geometry: Geometry,
    most_bytes: u32,
    /// Where this side reads or writes next.
    index: u32,
}

impl Ring {
    /// Maps a ring that was made by this process.
    pub(super) fn made(
        kernel: &dyn Backend,
        header: &File,
        data: &File,
        most_bytes: u32,
    ) -> Result<Self> {
        let geometry = Geometry::for_messages(most_bytes);
        let map = |file, bytes, twice| {
            kernel.map(file, Bytes(bytes), twice).map_err(trying("map", "a ring"))
        };
        let header = map(header, HEADER_BYTES, false)?;
        Ok(Self {
            header,
            data: map(data, geometry.bytes(), true)?,
            geometry,
            most_bytes,
            index: 0,
        })
    }

    /// Maps a ring that the other side made, whose files have these lengths, and counts itself.
    pub(super) fn joined(
        kernel: &dyn Backend,
        (header, header_bytes): (&File, u64),
        (data, data_bytes): (&File, u64),
        most_bytes: u32,
    ) -> Result<Self> {
        if header_bytes < LEAST_HEADER_BYTES {
            return Err(Malformed::RingSize { words: 0, bytes: header_bytes }.into());
        }
        let failed = || trying("map", "a ring");
        let bytes = Bytes(header_bytes.min(HEADER_BYTES));
        let header = kernel.map(header, bytes, false).map_err(failed())?;
        let words = kernel.map_load(&header, Bytes(WORDS)).map_err(failed())?;
        let geometry = Geometry::of_file(words, data_bytes, most_bytes)?;
        let data = kernel.map(data, Bytes(geometry.bytes()), true).map_err(failed())?;
        semaphore::change(kernel, &header, REFERENCES, |references| references.checked_add(1))?;
        Ok(Self { header, data, geometry, most_bytes, index: 0 })
    }

    /// Writes a message and wakes its reader. Never blocks: [`Error::Full`].
    pub(super) fn push(&mut self, kernel: &dyn Backend, message: &[u8]) -> Result<()> {
        let bytes = length(message.len());
        if bytes > self.most_bytes {
            return Err(Error::TooLong { bytes: message.len(), most: self.most_bytes });
        }
        let read = self.geometry.index(self.header_word(kernel, READ_INDEX)?)?;
        let unread = self.header_word(kernel, SEMAPHORE)?;
        if !self.geometry.has_room(read, self.index, unread, bytes) {
            return Err(Error::Full);
        }
        let chunk = u64::from(self.index) * 4;
        self.store(kernel, chunk, 0)?;
        self.store(kernel, chunk + 4, WRITING)?;
        let payload = Bytes(chunk + u64::from(CHUNK_WORDS) * 4);
        kernel.map_write(&self.data, payload, message).map_err(trying("write into", "a ring"))?;
        self.store(kernel, chunk, bytes)?;
        self.index = self.geometry.behind(self.index, bytes);
        self.store_header(kernel, WRITE_INDEX, self.index)?;
        self.store(kernel, chunk + 4, COMMITTED)?;
        semaphore::post(kernel, &self.header)
    }

    /// Takes the oldest message out, if there is one by then.
    pub(super) fn pull(
        &mut self,
        kernel: &dyn Backend,
        deadline: Deadline,
    ) -> Result<Option<Vec<u8>>> {
        if !semaphore::take(kernel, &self.header, deadline)? {
            return Ok(None);
        }
        let chunk = u64::from(self.index) * 4;
        let mark = self.load(kernel, chunk + 4)?;
        if mark != COMMITTED {
            return Err(Malformed::ChunkMark(mark).into());
        }
        let bytes = chunk_bytes(self.load(kernel, chunk)?, self.most_bytes)?;
        let mut message = vec![0; usize::try_from(bytes).unwrap_or_default()];
        let payload = Bytes(chunk + u64::from(CHUNK_WORDS) * 4);
        let failed = trying("read out of", "a ring");
        kernel.map_read(&self.data, payload, &mut message).map_err(failed)?;
        self.store(kernel, chunk, 0)?;
        self.store(kernel, chunk + 4, TAKEN)?;
        self.index = self.geometry.behind(self.index, bytes);
        self.store_header(kernel, READ_INDEX, self.index)?;
        Ok(Some(message))
    }

    /// Whether the server asks the clients to hold back; it says so in the ring of requests.
    pub(super) fn holds_back(&self, kernel: &dyn Backend) -> Result<bool> {
        Ok(self.header_word(kernel, FLOW_CONTROL)? != 0)
    }

    fn header_word(&self, kernel: &dyn Backend, offset: u64) -> Result<u32> {
        kernel.map_load(&self.header, Bytes(offset)).map_err(trying("read the header of", "a ring"))
    }

    fn store_header(&self, kernel: &dyn Backend, offset: u64, value: u32) -> Result<()> {
        let failed = trying("write the header of", "a ring");
        kernel.map_store(&self.header, Bytes(offset), value).map_err(failed)
    }

    fn load(&self, kernel: &dyn Backend, offset: u64) -> Result<u32> {
        kernel.map_load(&self.data, Bytes(offset)).map_err(trying("read", "a ring"))
    }

    fn store(&self, kernel: &dyn Backend, offset: u64, value: u32) -> Result<()> {
        kernel.map_store(&self.data, Bytes(offset), value).map_err(trying("write", "a ring"))
    }
}
