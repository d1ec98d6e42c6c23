//! What a regular file of a tmpfs holds: bytes, in pages that exist once something was written to them.

use std::collections::BTreeMap;

use crate::cgroup::v1::memory_files::Payer;

/// Bytes of a page.
pub(crate) const PAGE: u64 = 4096;
const PAGE_LENGTH: usize = 4096;

/// A file's bytes. What was never written reads as zeros.
#[derive(Clone, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Pages {
    length: u64,
    /// By number; a page that is shorter than it could be ends in zeros.
    pages: BTreeMap<u64, Vec<u8>>,
    /// Whose memory they are, if that is told.
    pub(crate) payer: Option<Payer>,
}

/// The page that a byte stands in, and where in it.
fn place(offset: u64) -> (u64, usize) {
    (offset / PAGE, usize::try_from(offset % PAGE).unwrap_or_default())
}

impl Pages {
    /// The file's length.
    pub(crate) const fn length(&self) -> u64 {
        self.length
    }

    /// How many pages it takes.
    pub(crate) fn page_count(&self) -> u64 {
        u64::try_from(self.pages.len()).unwrap_or(u64::MAX)
    }

    /// How many more pages it would take if these bytes were written.
    pub(crate) fn pages_needed(&self, offset: u64, length: usize) -> u64 {
        let Some(last) = u64::try_from(length).ok().and_then(|length| length.checked_sub(1)) else {
            return 0;
        };
        let (first, last) = (offset / PAGE, offset.saturating_add(last) / PAGE);
        let present = self.pages.range(first..=last).count();
        (last - first + 1).saturating_sub(u64::try_from(present).unwrap_or(u64::MAX))
    }

    /// Copies what stands at `offset`; how much.
    pub(crate) fn read(&self, offset: u64, buffer: &mut [u8]) -> usize {
        let left = usize::try_from(self.length.saturating_sub(offset)).unwrap_or(usize::MAX);
        let total = buffer.len().min(left);
        self.peek(offset, buffer.get_mut(..total).unwrap_or_default());
        total
    }

    /// Copies what stands at `offset` in the pages, also in the last one behind the file's end: what a map shows.
    pub(crate) fn peek(&self, offset: u64, buffer: &mut [u8]) {
        let mut at = offset;
        let mut rest = buffer;
        while !rest.is_empty() {
            let (number, start) = place(at);
            let length = rest.len().min(PAGE_LENGTH - start);
            let (part, behind) = rest.split_at_mut(length);
            let page = self.pages.get(&number).map(Vec::as_slice).unwrap_or_default();
            let stored = page.get(start..).unwrap_or_default();
            let stored = stored.get(..length).unwrap_or(stored);
            let (written, zeros) = part.split_at_mut(stored.len());
            written.copy_from_slice(stored);
            zeros.fill(0);
            at += PAGE_LENGTH as u64 - start as u64;
            rest = behind;
        }
    }

    /// Puts bytes at `offset`, and the file's end behind them if it is not.
    pub(crate) fn write(&mut self, offset: u64, bytes: &[u8]) {
        self.poke(offset, bytes);
        if !bytes.is_empty() {
            self.length = self.length.max(offset + bytes.len() as u64);
        }
    }

    /// Puts bytes at `offset` in the pages, and leaves the file as long as it is: what is done through a map.
    pub(crate) fn poke(&mut self, offset: u64, bytes: &[u8]) {
        let mut at = offset;
        let mut rest = bytes;
        while !rest.is_empty() {
            let (number, start) = place(at);
            let (part, behind) = rest.split_at(rest.len().min(PAGE_LENGTH - start));
            let page = self.pages.entry(number).or_default();
            if page.len() < start + part.len() {
                page.resize(start + part.len(), 0);
            }
            if let Some(target) = page.get_mut(start..start + part.len()) {
                target.copy_from_slice(part);
            }
            at += part.len() as u64;
            rest = behind;
        }
    }

    /// Cuts the file, or makes it longer with zeros.
    pub(crate) fn set_length(&mut self, length: u64) {
        if length < self.length {
            let (number, start) = place(length);
            self.pages.split_off(&(length.div_ceil(PAGE)));
            if start > 0
                && let Some(page) = self.pages.get_mut(&number)
            {
                page.truncate(start);
            }
        }
        self.length = length;
    }

    /// Takes every page of a range, as fallocate(2) does.
    pub(crate) fn fill(&mut self, offset: u64, length: u64) {
        self.touch(offset, length);
        self.length = self.length.max(offset.saturating_add(length));
    }

    /// Takes every page of a range that the file reaches.
    pub(crate) fn touch(&mut self, offset: u64, length: u64) {
        for number in offset / PAGE..offset.saturating_add(length).div_ceil(PAGE) {
            self.pages.entry(number).or_default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Pages;

    fn all(pages: &Pages) -> Vec<u8> {
        let mut buffer = vec![7; usize::try_from(pages.length()).unwrap() + 10];
        let length = pages.read(0, &mut buffer);
        buffer.truncate(length);
        buffer
    }

    #[test]
    fn a_hole_reads_as_zeros_and_takes_no_page() {
        let mut pages = Pages::default();
        pages.write(3 * 4096 + 1, b"x");
        assert_eq!(pages.page_count(), 1);
        let mut expected = vec![0; 3 * 4096 + 1];
        expected.push(b'x');
        assert_eq!(all(&pages), expected);
    }

    #[test]
    fn a_write_over_a_page_border_is_read_back() {
        let mut pages = Pages::default();
        let bytes: Vec<u8> = (0..10_000_u32).map(|n| u8::try_from(n % 251).unwrap()).collect();
        assert_eq!(pages.pages_needed(0, bytes.len()), 3);
        pages.write(0, &bytes);
        assert_eq!(pages.pages_needed(0, bytes.len()), 0);
        assert_eq!(all(&pages), bytes);
        let mut middle = [0; 200];
        assert_eq!(pages.read(4000, &mut middle), 200);
        assert_eq!(middle, bytes[4000..4200]);
        assert_eq!(pages.read(10_000, &mut middle), 0);
    }

    #[test]
    fn what_was_cut_off_comes_back_as_zeros() {
        let mut pages = Pages::default();
        pages.write(0, &[1; 5000]);
        pages.set_length(4098);
        pages.set_length(2);
        pages.set_length(6);
        assert_eq!(all(&pages), [1, 1, 0, 0, 0, 0]);
        assert_eq!(pages.page_count(), 1);
    }
}
