//! The standin backend over the real Linux kernel.
//!
//! [`Linux::here`] is the calling process's view: each method is the system call it is named after,
//! made in the calling thread, with nothing kept and nothing retried. What would change the
//! process itself is for [`Linux::agent`], a helper process that is one view and has all calls, and for
//! programs of a [`Registry`], which are processes of their own. [`start`] makes both possible.
//!
//! [`as_fd`] gives a handle's descriptor to event loops.
//!
//! Inside: `files`, `processes`, `namespaces`, `channels` and `clock` implement the traits, one file a
//! theme; `path` turns places into arguments of system calls, `handle` descriptors into handles;
//! `registry` and `agent` start this program again. Nothing here knows a control file, a controller or
//! a limit: bytes go to the kernel as they come.

mod agent;
mod channels;
mod clock;
mod files;
mod handle;
mod namespaces;
mod path;
mod processes;
mod raw;
mod registry;
#[cfg(feature = "transcript")]
mod stage;
mod view;

pub use agent::{Agent, AgentOptions};
pub use handle::as_fd;
pub use registry::{Registry, start};
#[cfg(feature = "transcript")]
pub use stage::{HostStage, Refusal, Tenancy};
pub use view::Linux;
