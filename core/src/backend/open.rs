//! How a file is opened.

use bitflags::bitflags;

use crate::id::Mode;

/// What an open file may be used for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum AccessMode {
    /// `O_RDONLY`
    #[default]
    Read,
    /// `O_WRONLY`
    Write,
    /// `O_RDWR`
    ReadWrite,
    /// `O_PATH`: a place in the file system, nothing more.
    Path,
}

bitflags! {
    /// How a file is opened, besides its access mode: the flags of open(2) and openat2(2) that change an answer.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
    pub struct OpenFlags: u32 {
        /// `O_CREAT`
        const CREATE = 1;
        /// `O_EXCL`
        const EXCLUSIVE = 1 << 1;
        /// `O_TRUNC`
        const TRUNCATE = 1 << 2;
        /// `O_APPEND`
        const APPEND = 1 << 3;
        /// `O_DIRECTORY`
        const DIRECTORY = 1 << 4;
        /// `O_NOFOLLOW`
        const NO_FOLLOW = 1 << 5;
        /// `O_NONBLOCK`
        const NONBLOCKING = 1 << 6;
        /// `RESOLVE_NO_XDEV`
        const NO_CROSSING = 1 << 8;
        /// `RESOLVE_NO_MAGICLINKS`
        const NO_MAGIC_LINKS = 1 << 9;
        /// `RESOLVE_NO_SYMLINKS`
        const NO_SYMLINKS = 1 << 10;
        /// `RESOLVE_BENEATH`
        const BENEATH = 1 << 11;
        /// `RESOLVE_IN_ROOT`
        const IN_ROOT = 1 << 12;
        /// `RESOLVE_CACHED`
        const CACHED = 1 << 13;
    }
}

/// How to open a file.
///
/// ```
/// use standin::backend::OpenOptions;
/// let log = OpenOptions::write().create().exclusive();
/// # let _ = log;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenOptions {
    /// What it may be used for.
    pub access: AccessMode,
    /// Flags.
    pub flags: OpenFlags,
    /// Permission bits of a file that is made, before the umask.
    pub mode: Mode,
}

impl OpenOptions {
    const fn new(access: AccessMode) -> Self {
        Self { access, flags: OpenFlags::empty(), mode: Mode::new(0o644) }
    }

    /// For reading.
    #[must_use]
    pub const fn read() -> Self {
        Self::new(AccessMode::Read)
    }

    /// For writing.
    #[must_use]
    pub const fn write() -> Self {
        Self::new(AccessMode::Write)
    }

    /// For both.
    #[must_use]
    pub const fn read_write() -> Self {
        Self::new(AccessMode::ReadWrite)
    }

    /// As a place alone.
    #[must_use]
    pub const fn path() -> Self {
        Self::new(AccessMode::Path)
    }

    /// With more flags.
    #[must_use]
    pub const fn with(mut self, flags: OpenFlags) -> Self {
        self.flags = self.flags.union(flags);
        self
    }

    /// Makes the file if it is not there.
    #[must_use]
    pub const fn create(self) -> Self {
        self.with(OpenFlags::CREATE)
    }

    /// Fails with EEXIST if it is there.
    #[must_use]
    pub const fn exclusive(self) -> Self {
        self.with(OpenFlags::EXCLUSIVE)
    }

    /// Empties it.
    #[must_use]
    pub const fn truncate(self) -> Self {
        self.with(OpenFlags::TRUNCATE)
    }

    /// Permission bits of a file that is made, before the umask.
    #[must_use]
    pub const fn mode(mut self, mode: Mode) -> Self {
        self.mode = mode;
        self
    }
}
