//! Linux-VServer security contexts, over any backend.
//!
//! A context is a group of processes with a number, which fork keeps inside and which can be signalled and waited for as
//! one. A kernel with that patch has commands for it ([`backend::Contexts`](crate::backend::Contexts)); on a mainline
//! kernel [`emulated`] does the same with cgroup2. [`Contexts`] is both: native where the kernel has the commands.
//!
//! ```
//! use standin::KPath;
//! use standin::context::{ContextId, Contexts, Flags, Target};
//! use standin_sim::Machine;
//!
//! for machine in [Machine::builder().contexts().build(), Machine::builder().build()] {
//!     let root = machine.root();
//!     standin::fs::create_dir(&root, "/sys/fs/cgroup/contexts").unwrap();
//!     let groups = KPath::new("/sys/fs/cgroup/contexts").unwrap();
//!
//!     let guest = root.fork().unwrap();
//!     let id = ContextId::new(100).unwrap();
//!     Contexts::new(&guest, groups).create(id, Flags::NEW).unwrap();
//!     Contexts::new(&root, groups).kill(id, Target::All, None).unwrap();
//!     machine.finish().unwrap();
//! }
//! ```
//!
//! Commands that are not here yet (info, statistics, capability words, flags, names) are not emulated either.

mod commands;
pub mod emulated;
mod end;
mod error;
mod id;
mod target;

pub use commands::Contexts;
pub use end::{End, Exit};
pub use error::{Command, Error, Refusal, Subject};
pub use id::{ContextId, Membership, NoContextId};
pub use target::Target;

/// What a context is and how it is treated.
pub use crate::backend::ContextFlags as Flags;
/// What a task becomes in the context that it enters.
pub use crate::backend::MigrateFlags;
