//! `comm`: the name of a thread, at most 15 bytes (proc_pid_comm(5)).

use std::fmt;
use std::ops::Deref;

/// Bytes the kernel keeps, its final NUL among them.
const SIZE: usize = 16;

/// A thread's name: up to 15 bytes, none of them NUL.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Name {
    bytes: [u8; SIZE],
}

impl Name {
    /// Takes the first 15 bytes, and of them what stands before a NUL.
    pub(crate) fn new(bytes: &[u8]) -> Self {
        let mut name = Self::default();
        for (slot, byte) in
            name.bytes.iter_mut().take(SIZE - 1).zip(bytes.iter().take_while(|byte| **byte != 0))
        {
            *slot = *byte;
        }
        name
    }
}

impl Deref for Name {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        let length = self.bytes.iter().position(|byte| *byte == 0).unwrap_or(SIZE - 1);
        self.bytes.get(..length).unwrap_or_default()
    }
}

impl AsRef<[u8]> for Name {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl From<Vec<u8>> for Name {
    fn from(bytes: Vec<u8>) -> Self {
        Self::new(&bytes)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&String::from_utf8_lossy(self), out)
    }
}

#[cfg(test)]
mod tests {
    use super::Name;

    #[test]
    fn a_name_is_cut_after_15_bytes_and_at_a_nul() {
        assert_eq!(&*Name::new(b"0123456789abcdefg"), b"0123456789abcde");
        assert_eq!(&*Name::new(b"a\0b"), b"a");
        assert_eq!(&*Name::new(b""), b"");
        assert_eq!(&*Name::new(b"a b(c"), b"a b(c");
    }
}
