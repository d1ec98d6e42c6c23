//! Paths as the kernel takes them: any bytes but NUL.
//!
//! [`KPath`] is to [`KPathBuf`] what `str` is to `String`. Nothing is normalised here: what `..`, `//` or a trailing
//! slash mean is the kernel's business (path_resolution(7)). [`Place`] adds where a path starts and how far it may lead.

#![expect(unsafe_code, reason = "an unsized newtype over bytes can only be made by a pointer cast")]

use std::borrow::{Borrow, Cow};
use std::fmt;
use std::ops::Deref;

use crate::handle::Descriptor;

/// A path: bytes without NUL.
///
/// ```
/// use standin::path::KPath;
/// let path = KPath::new("/sys/fs/cgroup/web").unwrap();
/// assert_eq!(path.file_name(), b"web");
/// assert!(KPath::new("a\0b").is_err());
/// ```
#[derive(PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct KPath([u8]);

/// The bytes held a NUL, which ends a path where the kernel reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a path holds a NUL byte at offset {at}; a kernel path is any bytes but NUL")]
pub struct NulInPath {
    /// Where the first NUL stands.
    pub at: usize,
}

impl KPath {
    /// Takes bytes as a path.
    ///
    /// # Errors
    /// [`NulInPath`] if a byte is NUL.
    pub fn new<B: AsRef<[u8]> + ?Sized>(bytes: &B) -> Result<&Self, NulInPath> {
        let bytes = bytes.as_ref();
        // `contains` looks at words, `position` at bytes.
        if !bytes.contains(&0) {
            return Ok(Self::wrap(bytes));
        }
        let at = bytes.iter().take_while(|byte| **byte != 0).count();
        Err(NulInPath { at })
    }

    const fn wrap(bytes: &[u8]) -> &Self {
        // SAFETY: `KPath` is a transparent wrapper of `[u8]`, so layout, length and lifetime are the same.
        unsafe { &*(std::ptr::from_ref(bytes) as *const Self) }
    }

    /// The path `.`.
    #[must_use]
    pub const fn dot() -> &'static Self {
        Self::wrap(b".")
    }

    /// The empty path: with [`Place::of`], the open object itself.
    #[must_use]
    pub const fn empty() -> &'static Self {
        Self::wrap(b"")
    }

    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether it starts with a slash.
    #[must_use]
    pub fn is_absolute(&self) -> bool {
        self.0.first() == Some(&b'/')
    }

    /// The parts between slashes; empty parts are left out, `.` and `..` are not.
    #[must_use]
    pub fn components(&self) -> impl DoubleEndedIterator<Item = &[u8]> {
        self.0.split(|byte| *byte == b'/').filter(|part| !part.is_empty())
    }

    /// The last component, or nothing for `/` and the empty path.
    #[must_use]
    pub fn file_name(&self) -> &[u8] {
        self.components().next_back().unwrap_or_default()
    }

    /// This path with one more component behind it.
    #[must_use]
    pub fn join(&self, component: &Self) -> KPathBuf {
        let mut joined = self.0.to_vec();
        if !joined.is_empty() && joined.last() != Some(&b'/') {
            joined.push(b'/');
        }
        joined.extend_from_slice(&component.0);
        KPathBuf(joined)
    }

    /// The path as text, with bytes that are no UTF-8 replaced: for messages.
    #[must_use]
    pub fn display(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.0)
    }
}

impl fmt::Debug for KPath {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.display(), out)
    }
}

impl fmt::Display for KPath {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.display())
    }
}

impl AsRef<[u8]> for KPath {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl ToOwned for KPath {
    type Owned = KPathBuf;

    fn to_owned(&self) -> KPathBuf {
        KPathBuf(self.0.to_vec())
    }
}

/// An owned [`KPath`].
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KPathBuf(Vec<u8>);

impl KPathBuf {
    /// Takes bytes as a path.
    ///
    /// # Errors
    /// [`NulInPath`] if a byte is NUL.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Result<Self, NulInPath> {
        let bytes = bytes.into();
        KPath::new(&bytes)?;
        Ok(Self(bytes))
    }
}

impl Deref for KPathBuf {
    type Target = KPath;

    fn deref(&self) -> &KPath {
        KPath::wrap(&self.0)
    }
}

impl Borrow<KPath> for KPathBuf {
    fn borrow(&self) -> &KPath {
        self
    }
}

impl AsRef<[u8]> for KPathBuf {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for KPathBuf {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, out)
    }
}

impl fmt::Display for KPathBuf {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&**self, out)
    }
}

impl TryFrom<&str> for KPathBuf {
    type Error = NulInPath;

    fn try_from(text: &str) -> Result<Self, NulInPath> {
        Self::new(text)
    }
}

impl TryFrom<Vec<u8>> for KPathBuf {
    type Error = NulInPath;

    fn try_from(bytes: Vec<u8>) -> Result<Self, NulInPath> {
        Self::new(bytes)
    }
}

/// Where a relative path starts.
#[derive(Clone, Copy, Debug)]
pub enum At<'a> {
    /// The caller's working directory.
    Cwd,
    /// An open directory; with the empty path, the open object itself, whatever it is (`AT_EMPTY_PATH`).
    Handle(&'a Descriptor),
}

/// How far a path may lead.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Resolve {
    /// As the kernel does for open(2).
    #[default]
    Kernel,
    /// Never out of the directory it starts from, over no symbolic link (`RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
    /// RESOLVE_NO_MAGICLINKS` of openat2(2)): EXDEV or ELOOP where it would. What the libraries use.
    Beneath,
}

/// Whether a symbolic link at the end of a path is followed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Follow {
    /// The object that the link leads to.
    #[default]
    Link,
    /// The link itself.
    No,
}

/// A path, where it starts, and how far it may lead: the argument of every operation on names.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// Where a relative path starts.
    pub at: At<'a>,
    /// The path; empty only with [`Place::of`].
    pub path: &'a KPath,
    /// How far it may lead.
    pub resolve: Resolve,
}

impl<'a> Place<'a> {
    /// A path as a process gives it to open(2): absolute, or from the working directory.
    #[must_use]
    pub const fn cwd(path: &'a KPath) -> Self {
        Self { at: At::Cwd, path, resolve: Resolve::Kernel }
    }

    /// A path below an open directory, as the kernel resolves it.
    #[must_use]
    pub const fn at(directory: &'a Descriptor, path: &'a KPath) -> Self {
        Self { at: At::Handle(directory), path, resolve: Resolve::Kernel }
    }

    /// A path that must stay below an open directory.
    #[must_use]
    pub const fn beneath(directory: &'a Descriptor, path: &'a KPath) -> Self {
        Self { at: At::Handle(directory), path, resolve: Resolve::Beneath }
    }

    /// The open object itself.
    #[must_use]
    pub const fn of(handle: &'a Descriptor) -> Self {
        Self { at: At::Handle(handle), path: KPath::empty(), resolve: Resolve::Kernel }
    }
}

impl<'a> From<&'a KPath> for Place<'a> {
    fn from(path: &'a KPath) -> Self {
        Self::cwd(path)
    }
}

impl<'a> From<&'a KPathBuf> for Place<'a> {
    fn from(path: &'a KPathBuf) -> Self {
        Self::cwd(path)
    }
}

#[cfg(test)]
mod tests {
    use super::{KPath, KPathBuf};

    #[test]
    fn a_path_keeps_its_bytes_and_splits_at_slashes() {
        let path = KPath::new("/a//b/../c/").unwrap();
        let parts: Vec<&[u8]> = path.components().collect();
        assert_eq!(parts, [b"a".as_slice(), b"b", b"..", b"c"]);
        assert_eq!(path.as_bytes(), b"/a//b/../c/");
    }

    #[test]
    fn joining_puts_exactly_one_slash_between() {
        let join =
            |a: &str, b: &str| KPathBuf::new(a).unwrap().join(KPath::new(b).unwrap()).to_string();
        assert_eq!([join("/", "a"), join("/a", "b"), join("", "b")], ["/a", "/a/b", "b"]);
    }

    #[test]
    fn a_nul_is_refused_with_its_place() {
        assert_eq!(KPath::new(b"ab\0c").unwrap_err().at, 2);
    }
}
