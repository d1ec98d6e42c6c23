//! A simulated Linux kernel in memory: cgroups, processes, signals, /proc; deterministic, without privileges.
//!
//! [`Machine`] is one kernel. A [`View`] is one of its processes, and a [`Backend`](standin::Backend): code written
//! against that trait cannot tell it from Linux, because every answer is held to recordings of real kernels. What is not
//! modelled says so ([`Failure::NotModelled`](standin::Failure::NotModelled)) and fails the test at
//! [`Machine::finish`].
//!
//! ```
//! use standin::fs;
//! use standin_sim::Machine;
//!
//! let machine = Machine::builder().build();
//! let root = machine.root();
//! fs::create_dir(&root, "/sys/fs/cgroup/a").unwrap();
//! fs::write(&root, "/sys/fs/cgroup/a/cgroup.procs", "0").unwrap();
//! assert_eq!(fs::remove_dir(&root, "/sys/fs/cgroup/a").unwrap_err().to_string(), "rmdir /sys/fs/cgroup/a: EBUSY");
//! assert!(machine.look().tree().contains("a/"));
//! machine.finish().unwrap();
//! ```

mod beside;
#[cfg(feature = "transcript")]
mod birth;
mod branch;
mod builder;
mod cgroup;
mod clock;
mod context;
mod counter;
mod digest;
mod door;
mod fs;
mod inventory;
mod kernel;
mod list;
mod look;
mod machine;
mod namespace;
mod notify;
mod ops;
mod outside;
mod part;
mod pipe;
mod processor;
mod profile;
#[cfg(feature = "property")]
pub mod property;
mod run;
mod schedule;
mod shared;
mod snapshot;
mod socket;
#[cfg(feature = "transcript")]
mod stage;
mod step;
mod stock;
mod table;
mod task;
mod trace;
mod view;
mod wait;
#[cfg(feature = "watchdog")]
mod watchdog;
#[cfg(feature = "serde")]
mod written;

pub use branch::BranchError;
pub use builder::Builder;
pub use inventory::{Change, Diff, Inventory, Leak, Leaks, Thing};
pub use look::{Look, ProcessLook, StateLook};
pub use machine::{Machine, Unmodelled};
pub use profile::{BlockDevice, Layout, Limits, Release};
pub use schedule::{
    CrashSweep, Decisions, DecisionsError, Fault, FaultPlan, FaultPlanError, Found, ReplayError,
    Report, Search, crash_sweep,
};
pub use snapshot::{LivePrograms, Snapshot};
#[cfg(feature = "transcript")]
pub use stage::Stage;
pub use stock::{Count, Stock};
pub use trace::{Answer, Difference, Entry, Interference, Side, Trace, Value, interference};
pub use view::View;
#[cfg(feature = "serde")]
pub use written::SnapshotError;
