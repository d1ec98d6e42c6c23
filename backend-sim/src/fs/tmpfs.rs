//! tmpfs.

/// A node of a tmpfs.
pub(crate) struct TmpNode;
