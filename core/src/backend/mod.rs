//! The backend trait: what code that manages cgroups, namespaces and processes needs of a Linux kernel.
//!
//! A value of a backend is **one process's view of one kernel**: what `current` is inside Linux. Credentials, namespaces,
//! descriptors and the working directory belong to the view, so a permission test is "the same call, another view". The
//! real kernel (`standin-linux`) and the simulated one (`standin-sim`) implement the same five traits; library code takes
//! `&dyn Backend` first and never learns which one it has.
//!
//! # The contract, for every method
//!
//! * **It is the system call.** The words, the answers and the errnos are those of the man page that the method cites.
//!   Where several refusals hold, the one that Linux finds first is given. Nothing is retried, cached or interpreted.
//! * **Atomic or nothing.** A call that fails has changed nothing, except where the man page says otherwise (a short
//!   write). A call that returns has happened, and every later call of any view sees it.
//! * **Blocking.** A method may suspend the caller as long as the kernel would: in a wait, a lock, a poll; and any method
//!   at all while the process is stopped or its cgroup frozen.
//! * **Descriptors** are opened close-on-exec; what a spawned process gets is named in [`Spawn::descriptors`].
//! * **Defaults.** Each method has a body that answers [`Failure::NotModelled`], so wrappers and later methods break
//!   nobody.
//!
//! Values are bytes: a limit is set by a write to its control file, not by a method. A method is here only if the two
//! kernels need different code for it.

mod channels;
mod clock;
mod contexts;
mod files;
mod listing;
mod namespaces;
mod open;
mod operations;
mod processes;

pub use channels::{
    Address, Channels, Message, PeerCredentials, Receive, Received, SendFlags, ShutdownHow,
    SocketFlags, SocketOption, SocketType,
};
pub use clock::{Clock, Deadline, Interest, PollEvents};
pub use contexts::{
    CONTEXT_CAPABILITY, ContextFlags, ContextInfo, ContextWait, Contexts, FlagWord, MigrateFlags,
    UnameField,
};
pub use files::{
    Access, FileKind, Files, FilesystemType, Lock, MountFlags, Stat, WatchEvent, WatchFlags,
    XattrMode,
};
pub use listing::{DirEntry, Listing};
pub use namespaces::{NamespaceKind, NamespaceKinds, Namespaces, RebootCommand, Uname};
pub use open::{AccessMode, OpenFlags, OpenOptions};
pub use processes::{
    AmbientChange, CapabilitySets, Credentials, Delivery, GroupIds, PriorityOf, ProcessInfo,
    ProcessState, Processes, Rlimit, RlimitResource, Spawn, SpawnCredentials, SpawnDescriptor,
    UserIds, WaitOptions, WaitStatus,
};

pub(crate) use operations::operations;

use crate::failure::Failure;

/// What a backend does when it is asked for something that it does not have.
pub trait Fallback {
    /// The failure of an operation that the backend does not have. A simulated kernel counts it, so that no caller can
    /// hide it.
    fn not_modelled(&self, operation: &'static str) -> Failure {
        Failure::NotModelled(operation)
    }
}

/// One process's view of one kernel.
pub trait Backend: Files + Processes + Namespaces + Channels + Clock + Send + Sync {
    /// The Linux-VServer context commands, if this kernel was built with them: `Some` on a machine that was, `None` on
    /// mainline Linux, where `standin::context::emulated` does the same with cgroups and namespaces.
    fn contexts(&self) -> Option<&dyn Contexts> {
        None
    }
}
