//! Handles: what a backend gives out when it opens something.
//!
//! Every handle is a [`Descriptor`]: a number in one process's table, and the table's [`Owner`]. Dropping a handle tells
//! the owner, which closes it. A handle means something only to the view that gave it out; every other view answers EBADF,
//! so a test that mixes up two processes finds out. The types around it ([`File`], [`PidHandle`] ...) say what was opened.

use std::fmt;
use std::sync::Arc;

use crate::errno::Errno;
use crate::failure::{Failure, Result};

/// Which table a descriptor stands in. A backend draws one for each process view it serves, unique in the program.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Scope(pub u64);

/// The other end of a handle: the backend's side that keeps the open object.
pub trait Owner: Send + Sync {
    /// The handle was dropped: close descriptor `number`. Must not block, must not panic.
    fn release(&self, number: u32);
}

/// An open object of one process: what every kind of handle is made of.
pub struct Descriptor {
    /// Who is told when it is dropped; nobody, if it is another name of what somebody else closes.
    owner: Option<Arc<dyn Owner>>,
    scope: Scope,
    number: u32,
}

impl Descriptor {
    /// Makes a handle. Called by backends only.
    pub fn new(owner: Arc<dyn Owner>, scope: Scope, number: u32) -> Self {
        Self { owner: Some(owner), scope, number }
    }

    /// The same number in the same table, without the right to close it.
    #[cfg(feature = "transcript")]
    pub(crate) const fn alias(&self) -> Self {
        Self { owner: None, scope: self.scope, number: self.number }
    }

    /// A descriptor of no table: what -1 is to a system call.
    #[cfg(feature = "transcript")]
    pub(crate) const fn nowhere() -> Self {
        Self { owner: None, scope: Scope(u64::MAX), number: u32::MAX }
    }

    /// Forgets the handle, and leaves open what it led to.
    #[cfg(feature = "transcript")]
    pub(crate) fn leave_open(mut self) {
        self.owner = None;
    }

    /// The number in the table of `scope`.
    ///
    /// # Errors
    /// EBADF if the handle stands in another table.
    pub fn number_in(&self, scope: Scope) -> Result<u32> {
        if self.scope == scope { Ok(self.number) } else { Err(Failure::Errno(Errno::EBADF)) }
    }

    /// The number, whatever the table: for messages and for event loops.
    #[must_use]
    pub const fn number(&self) -> u32 {
        self.number
    }

    /// Which table it stands in.
    #[must_use]
    pub const fn scope(&self) -> Scope {
        self.scope
    }
}

impl Drop for Descriptor {
    fn drop(&mut self) {
        if let Some(owner) = &self.owner {
            owner.release(self.number);
        }
    }
}

impl fmt::Debug for Descriptor {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "#{}", self.number)
    }
}

macro_rules! handles {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name(Descriptor);

        impl $name {
            /// The descriptor underneath.
            #[must_use]
            pub const fn descriptor(&self) -> &Descriptor {
                &self.0
            }
        }

        impl From<Descriptor> for $name {
            fn from(descriptor: Descriptor) -> Self {
                Self(descriptor)
            }
        }

        impl From<$name> for Descriptor {
            fn from(handle: $name) -> Self {
                handle.0
            }
        }

        impl AsRef<Descriptor> for $name {
            fn as_ref(&self) -> &Descriptor {
                &self.0
            }
        }
    )*};
}

handles! {
    /// An open file, pipe end or event counter: something that is read and written.
    File;
    /// An open directory: a place for relative paths, and a cgroup to be born in.
    Dir;
    /// A process, held so that its number cannot be reused under the caller (pidfd_open(2)).
    PidHandle;
    /// A namespace, kept alive while it is held (namespaces(7)).
    NsHandle;
    /// A local socket (unix(7)).
    Socket;
    /// A set of watches on files and directories (inotify(7)).
    Watcher;
    /// Shared memory, mapped (mmap(2) with `MAP_SHARED`).
    Map;
}
