//! /proc.

/// A file or directory of /proc.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum ProcNode {
    /// /proc itself.
    Root,
}
