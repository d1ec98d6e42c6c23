//! A layer between code and its backend: it sees every call and may answer in the kernel's place.
//!
//! [`Layered`] is itself a [`Backend`], over any other: a real kernel or a simulated one. Logging, counting and fault
//! injection are layers of a few lines; a layer never sees a handle's insides and never makes one.
//!
//! ```
//! use std::sync::atomic::{AtomicUsize, Ordering};
//! use standin::layer::{Call, Layer, Layered};
//! use standin::{Backend, Errno, Failure};
//!
//! /// Refuses the second mkdir.
//! struct NoSecondMkdir(AtomicUsize);
//!
//! impl Layer for NoSecondMkdir {
//!     fn before(&self, call: &Call) -> Result<(), Failure> {
//!         if call.name == "mkdir" && self.0.fetch_add(1, Ordering::Relaxed) == 1 {
//!             return Err(Errno::ENOSPC.into());
//!         }
//!         Ok(())
//!     }
//! }
//!
//! # let machine = standin_sim::Machine::builder().build();
//! # let root = machine.root();
//! let faulty = Layered::new(&root, NoSecondMkdir(AtomicUsize::new(0)));
//! standin::fs::create_dir(&faulty, "/sys/fs/cgroup/a").unwrap();
//! let refused = standin::fs::create_dir(&faulty, "/sys/fs/cgroup/b").unwrap_err();
//! assert_eq!(refused.failure().errno(), Some(Errno::ENOSPC));
//! ```

use std::fmt;

use crate::backend::{
    Address, Backend, Contexts, Deadline, Fallback, Interest, Message, OpenOptions, Spawn,
};
use crate::failure::{Failure, Result};
use crate::handle::{Descriptor, Dir, File, Map, NsHandle, PidHandle, Socket, Watcher};
use crate::path::{At, KPath, KPathBuf, Place};

/// What is done at every call.
pub trait Layer: Send + Sync {
    /// Called before the backend is asked. An error is the call's answer, and the backend is not asked.
    ///
    /// # Errors
    /// Whatever the layer wants the caller to see.
    fn before(&self, call: &Call) -> Result<()> {
        let _ = call;
        Ok(())
    }

    /// Called with the answer: `None` if it was not a failure.
    fn after(&self, call: &Call, failure: Option<&Failure>) {
        let (_, _) = (call, failure);
    }
}

/// A call on its way: its name and arguments, as values that outlive it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The method's name.
    pub name: &'static str,
    /// The arguments by name, in order.
    pub arguments: Vec<(&'static str, Argument)>,
}

impl Call {
    /// The first path among the arguments.
    #[must_use]
    pub fn path(&self) -> Option<&KPath> {
        self.arguments.iter().find_map(|(_, argument)| match argument {
            Argument::Path(path) => Some(&**path),
            Argument::Bytes(_) | Argument::Handle(_) | Argument::Room(_) | Argument::Other(_) => {
                None
            }
        })
    }
}

/// As strace(1) would print it.
impl fmt::Display for Call {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}(", self.name)?;
        for (index, (_, argument)) in self.arguments.iter().enumerate() {
            write!(out, "{}{argument}", if index == 0 { "" } else { ", " })?;
        }
        out.write_str(")")
    }
}

/// An argument of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Argument {
    /// A path.
    Path(KPathBuf),
    /// Bytes to write or send.
    Bytes(Vec<u8>),
    /// A handle's number.
    Handle(u32),
    /// Room for this many bytes of answer.
    Room(usize),
    /// Anything else, as it prints.
    Other(String),
}

impl fmt::Display for Argument {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => write!(out, "{path:?}"),
            Self::Bytes(bytes) => write!(out, "{:?}", String::from_utf8_lossy(bytes)),
            Self::Handle(number) => write!(out, "#{number}"),
            Self::Room(length) => write!(out, "[{length} bytes]"),
            Self::Other(text) => out.write_str(text),
        }
    }
}

/// A backend with a layer over it.
pub struct Layered<'a, L> {
    inner: &'a dyn Backend,
    layer: L,
}

impl<'a, L: Layer> Layered<'a, L> {
    /// Puts `layer` over `inner`.
    pub fn new(inner: &'a dyn Backend, layer: L) -> Self {
        Self { inner, layer }
    }

    /// The layer.
    pub const fn layer(&self) -> &L {
        &self.layer
    }

    pub(crate) fn pass<T>(
        &self,
        call: &Call,
        forward: impl FnOnce(&dyn Backend) -> Result<T>,
    ) -> Result<T> {
        let answer = self.layer.before(call).and_then(|()| forward(self.inner));
        self.layer.after(call, answer.as_ref().err());
        answer
    }
}

impl<L: Layer> Fallback for Layered<'_, L> {}

impl<L: Layer> Backend for Layered<'_, L> {
    /// The inner backend's, which the layer does not see.
    fn contexts(&self) -> Option<&dyn Contexts> {
        self.inner.contexts()
    }
}

/// How an argument of a call is shown to a layer.
pub(crate) trait Describe {
    fn describe(&self) -> Argument;
}

macro_rules! describe {
    (handles: $($handle:ty),* ; printed: $($printed:ty),* $(,)?) => {
        $(impl Describe for $handle {
            fn describe(&self) -> Argument {
                Argument::Handle(self.descriptor().number())
            }
        })*
        $(impl Describe for $printed {
            fn describe(&self) -> Argument {
                Argument::Other(format!("{self:?}"))
            }
        })*
    };
}

describe! {
    handles: File, Dir, PidHandle, NsHandle, Socket, Watcher, Map;
    printed: bool, u32, i32, OpenOptions, Spawn<'_>, Message<'_>, Address, Deadline, [Interest<'_>], [crate::id::Gid],
        std::time::Duration,
        crate::id::Mode, crate::id::Bytes, crate::id::Pid, crate::id::Uid, crate::id::Gid, crate::id::ExitCode,
        crate::id::WatchId, Option<crate::id::Uid>, Option<crate::id::Gid>, Option<crate::id::Pid>,
        crate::path::Follow, crate::signal::Signal, Option<crate::signal::Signal>, crate::signal::SignalSet,
        crate::capability::Capability, crate::capability::CapabilitySet, crate::capability::Securebits,
        crate::backend::Lock, crate::backend::Access, crate::backend::XattrMode, crate::backend::WatchFlags,
        crate::backend::MountFlags, crate::backend::WaitOptions, crate::backend::AmbientChange,
        crate::backend::RlimitResource, crate::backend::Rlimit, crate::backend::PriorityOf, crate::backend::Delivery,
        crate::backend::NamespaceKind, crate::backend::NamespaceKinds, crate::backend::RebootCommand,
        crate::backend::SocketType, crate::backend::SocketFlags, crate::backend::SendFlags, crate::backend::Receive,
        crate::backend::ShutdownHow, crate::backend::SocketOption, [&[u8]],
}

impl Describe for Descriptor {
    fn describe(&self) -> Argument {
        Argument::Handle(self.number())
    }
}

impl Describe for Option<&PidHandle> {
    fn describe(&self) -> Argument {
        self.map_or_else(|| Argument::Other("self".to_owned()), |handle| handle.describe())
    }
}

impl Describe for KPath {
    fn describe(&self) -> Argument {
        Argument::Path(self.to_owned())
    }
}

impl Describe for Place<'_> {
    fn describe(&self) -> Argument {
        match self.at {
            At::Handle(handle) if self.path.as_bytes().is_empty() => {
                Argument::Handle(handle.number())
            }
            At::Handle(_) | At::Cwd => Argument::Path(self.path.to_owned()),
        }
    }
}

impl Describe for [u8] {
    fn describe(&self) -> Argument {
        Argument::Bytes(self.to_vec())
    }
}

/// A buffer for an answer: what stands in it before the call means nothing.
impl Describe for &mut [u8] {
    fn describe(&self) -> Argument {
        Argument::Room(self.len())
    }
}
