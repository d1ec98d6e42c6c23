//! Write code against the Linux kernel once; run it on Linux or on a simulated kernel.
//!
//! Code that manages cgroups, namespaces and processes takes a [`&dyn Backend`](Backend): one process's view of one
//! kernel. The crate `standin-linux` gives a view of the real kernel, the crate `standin-sim` one of a machine in memory
//! that answers as Linux does, errno by errno, because real kernels were recorded and it is held to the recordings.
//!
//! ```
//! use standin::{Backend, fs};
//! use standin_sim::Machine;
//!
//! /// Puts the caller into a group of its own, with at most `most` processes.
//! fn confine(kernel: &dyn Backend, name: &str, most: u32) -> Result<(), fs::Error> {
//!     let group = format!("/sys/fs/cgroup/{name}");
//!     fs::write(kernel, "/sys/fs/cgroup/cgroup.subtree_control", "+pids")?;
//!     fs::create_dir(kernel, &group)?;
//!     fs::write(kernel, format!("{group}/pids.max"), most.to_string())?;
//!     fs::write(kernel, format!("{group}/cgroup.procs"), "0")
//! }
//!
//! let machine = Machine::builder().build();
//! let root = machine.root();
//! confine(&root, "web", 5).unwrap();
//! assert_eq!(fs::read_to_string(&root, "/sys/fs/cgroup/web/pids.current").unwrap(), "1\n");
//! machine.finish().unwrap();
//! ```
//!
//! # What is where
//!
//! * [`backend`]: the five traits, their contract, and the types they speak in; [`path`], [`handle`], [`id`], [`errno`],
//!   [`signal`], [`capability`], [`failure`] are those types.
//! * [`fs`]: the calls of `std::fs`, over any backend.
//! * [`cgroup`]: control groups: made, given values, listed, removed.
//! * [`layer`]: wrappers that log, count and inject faults.
//! * [`controller`]: the names of cgroup controllers.
//! * `context` (feature): Linux-VServer's contexts, native or emulated.
//! * `engine` (feature): which process a container's name stands for.
//! * `ipc` (feature): Pacemaker's daemon IPC, server and client.
//! * `service` (feature): PCP's privileged collector service, server and client.
//! * `transcript` (feature): scripts of kernel operations that run on every kernel and print what it answered.
//!
//! This crate knows no backend, opens no file, reads no clock and no environment, and builds for any target.

pub mod backend;
mod bit_set;
pub mod capability;
pub mod cgroup;
#[cfg(feature = "context")]
pub mod context;
pub mod controller;
#[cfg(feature = "engine")]
pub mod engine;
pub mod errno;
pub mod failure;
pub mod fs;
pub mod handle;
pub mod id;
#[cfg(feature = "ipc")]
pub mod ipc;
pub mod layer;
pub mod path;
#[cfg(feature = "service")]
pub mod service;
pub mod signal;
#[cfg(feature = "transcript")]
pub mod transcript;
#[cfg(feature = "serde")]
pub mod written;

pub use backend::Backend;
pub use capability::{Capability, CapabilitySet, Securebits};
pub use controller::{Controller, ControllerSet};
pub use errno::Errno;
pub use failure::Failure;
pub use id::{ExitCode, Gid, Mode, Pid, Tid, Uid};
pub use path::{KPath, KPathBuf, Place};
pub use signal::{Disposition, Signal, SignalSet};
