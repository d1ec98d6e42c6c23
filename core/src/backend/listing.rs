//! What a directory holds.

use std::fmt;

use super::FileKind;
use crate::id::Inode;
use crate::path::KPath;

/// A name in a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DirEntry<'a> {
    /// The name.
    pub name: &'a KPath,
    /// What it is.
    pub kind: FileKind,
    /// Its inode number.
    pub inode: Inode,
}

/// The names in a directory, kept in one piece of memory.
#[derive(Clone, Default)]
pub struct Listing {
    names: Vec<u8>,
    entries: Vec<(usize, FileKind, Inode)>,
}

impl Listing {
    /// An empty list with room for `entries` names of 16 bytes.
    #[must_use]
    pub fn with_capacity(entries: usize) -> Self {
        Self {
            names: Vec::with_capacity(entries.saturating_mul(16)),
            entries: Vec::with_capacity(entries),
        }
    }

    /// Adds a name; called by backends.
    pub fn push(&mut self, name: &[u8], kind: FileKind, inode: Inode) {
        self.names.extend_from_slice(name);
        self.entries.push((self.names.len(), kind, inode));
    }

    /// How many names there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no name.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The names in the kernel's order.
    pub fn iter(&self) -> impl Iterator<Item = DirEntry<'_>> {
        let mut start = 0;
        self.entries.iter().filter_map(move |(end, kind, inode)| {
            let name = self.names.get(start..*end)?;
            start = *end;
            Some(DirEntry { name: KPath::new(name).ok()?, kind: *kind, inode: *inode })
        })
    }
}

/// Each name with what it is and its inode.
impl fmt::Debug for Listing {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entries = self.iter().map(|entry| (entry.name, (entry.kind, entry.inode.0)));
        out.debug_map().entries(entries).finish()
    }
}
