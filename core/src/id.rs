//! Numbers that name things: each kind is a type of its own, so that a group id is never taken for a process.

use std::fmt;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident($raw:ty);)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
        pub struct $name(pub $raw);

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, out)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(out, concat!(stringify!($name), "({})"), self.0)
            }
        }
    )*};
}

ids! {
    /// A process id as one pid namespace sees it. 0 stands for "the caller" in control files, and for "not visible from
    /// here" in answers (pid_namespaces(7)).
    Pid(u32);
    /// A thread id as one pid namespace sees it (gettid(2)); the first thread's equals its process's id.
    Tid(u32);
    /// A user id as the caller's user namespace sees it (credentials(7)).
    Uid(u32);
    /// A group id as the caller's user namespace sees it.
    Gid(u32);
    /// A Linux-VServer context id: 0 is the host, 1 the spectator, 2 to 65535 are contexts.
    Xid(u32);
    /// The inode number that identifies a namespace (namespaces(7)).
    NsId(u64);
    /// The number that the kernel gives a cgroup of the default hierarchy: its directory's inode (cgroup-v2.rst).
    CgroupId(u64);
    /// An inode number (inode(7)).
    Inode(u64);
    /// The device number of a mounted filesystem, as `st_dev` packs it.
    Device(u64);
    /// A watch within one [`Watcher`](crate::handle::Watcher) (inotify_add_watch(2)).
    WatchId(i32);
    /// What a process exits with; the kernel keeps the low 8 bits (exit(3)).
    ExitCode(i32);
}

impl Pid {
    /// "The caller", and "not visible from here".
    pub const ZERO: Self = Self(0);
    /// The first process of a pid namespace.
    pub const INIT: Self = Self(1);
}

impl Xid {
    /// What is in no context.
    pub const HOST: Self = Self(0);
    /// Who sees all contexts and is in none.
    pub const SPECTATOR: Self = Self(1);

    /// Whether a context can have it.
    #[must_use]
    pub const fn is_context(self) -> bool {
        matches!(self.0, 2..=0xffff)
    }
}

impl Uid {
    /// The superuser.
    pub const ROOT: Self = Self(0);
    /// What an id without mapping looks like (user_namespaces(7)).
    pub const OVERFLOW: Self = Self(65534);
}

impl Gid {
    /// The superuser's group.
    pub const ROOT: Self = Self(0);
    /// What an id without mapping looks like (user_namespaces(7)).
    pub const OVERFLOW: Self = Self(65534);
}

impl ExitCode {
    /// All went well.
    pub const SUCCESS: Self = Self(0);
    /// Something failed.
    pub const FAILURE: Self = Self(1);
}

/// Permission bits of a file: at most `0o7777` (inode(7)).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Mode(u16);

impl Mode {
    /// Takes the twelve permission bits; others are dropped, as chmod(2) does.
    #[must_use]
    pub const fn new(bits: u16) -> Self {
        Self(bits & 0o7777)
    }

    /// The bits.
    #[must_use]
    pub const fn bits(self) -> u16 {
        self.0
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:04o}", self.0)
    }
}

impl fmt::Debug for Mode {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Mode({self})")
    }
}

/// A length or offset in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Bytes(pub u64);

impl fmt::Display for Bytes {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, out)
    }
}

/// A point on one of the kernel's clocks, in nanoseconds since that clock's zero (clock_gettime(2)).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Moment {
    /// Nanoseconds since the clock's zero.
    pub ns: u64,
}

impl Moment {
    /// This moment and `duration` later; the clock's end if it does not fit.
    #[must_use]
    pub fn after(self, duration: std::time::Duration) -> Self {
        let more_ns = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        Self { ns: self.ns.saturating_add(more_ns) }
    }
}
