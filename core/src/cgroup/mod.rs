//! Control groups, over any backend: make them, set and read their values, move processes, list, remove.
//!
//! This is libcgroup's group interface, made right: names are checked before a kernel sees them and never followed out
//! of the hierarchy; a group is held by its directory, so that nobody can put another in its place; a value is written
//! whole or refused; what fails says why, and a creation that fails takes back what it did and nothing else.
//!
//! ```
//! use standin::backend::Processes;
//! use standin::cgroup::{self, Creation, GroupPath, Hierarchies, Limit};
//! use standin::{Backend, Controller, Pid};
//!
//! /// Puts a worker into a group of its own with at most `most` processes.
//! fn confine(kernel: &dyn Backend, name: &str, most: u32, worker: Pid) -> cgroup::Result<cgroup::Group> {
//!     let hierarchies = Hierarchies::find(kernel)?;
//!     let group = Creation::new(GroupPath::new(name)?)
//!         .with(Controller::Pids)
//!         .set("pids.max", most)?
//!         .create(kernel, hierarchies.unified()?)?;
//!     group.attach(kernel, worker)?;
//!     Ok(group)
//! }
//!
//! let machine = standin_sim::Machine::builder().build();
//! let kernel = machine.root();
//! let worker = kernel.fork().unwrap();
//!
//! let group = confine(&kernel, "system/web", 5, worker.pid().unwrap()).unwrap();
//! assert_eq!(group.get(&kernel, "pids.max").unwrap().limit().unwrap(), Limit::At(5));
//! assert_eq!(group.processes(&kernel).unwrap(), [worker.pid().unwrap()]);
//!
//! // A group with processes stays, and the error names them.
//! let refused = group.delete(&kernel).unwrap_err();
//! let expected = format!("delete /system/web: EBUSY (it must be empty, and has processes {})", worker.pid().unwrap());
//! assert_eq!(refused.to_string(), expected);
//!
//! worker.exit(standin::ExitCode::SUCCESS).unwrap_err();
//! group.delete(&kernel).unwrap();
//! machine.finish().unwrap();
//! ```
//!
//! # What is where
//!
//! * [`Hierarchies`] finds what is mounted, [`Hierarchy`] opens groups in it.
//! * [`Creation`] → [`Plan`] → [`Created`]: a group that is made or changed, step by step and back; [`Owners`] and [`Modes`] say
//!   whose it is. [`Deletion`] ends one with what is in it.
//! * [`Description`]: one name in several hierarchies, as libcgroup has it; loaded, compared, made, changed, removed,
//!   and said in the words of the other version.
//! * [`Ensure`]: a tree of groups as it shall be, and as few steps as lead there from what is.
//! * [`Group`]: files, children, controllers, members, end; [`Walk`] meets those below it.
//! * [`CpuStatistics`] and its like say what a group has used, [`Pressure`] what its processes wait for, and a [`Trigger`] wakes
//!   who wants to know.
//! * [`GroupName`], [`GroupPath`], [`FileName`] are names that passed; [`Value`] is written, [`Content`] was read,
//!   [`Limit`] is a number or `max`.
//! * [`Error`] says what was tried on what; [`Rule`] what stood in the way, and what would be right; [`Code`] is
//!   libcgroup's number for it.
//!
//! It works on the v2 hierarchy and on those of v1, by what is mounted. It knows no backend. What
//! a file takes is the kernel's to say; only how files say what they took, and which of v1 and v2 mean the same, are tables here.

mod code;
mod content;
mod control;
mod convert;
mod create;
mod delete;
mod deletion;
mod description;
mod ensure;
mod error;
mod explain;
mod form;
mod group;
mod hierarchy;
mod journal;
mod life;
mod members;
mod mountinfo;
mod name;
mod owner;
mod plan;
mod populated;
mod pressure;
mod rule;
mod statistics;
mod subsystem;
mod value;
mod walk;
mod whereabouts;

pub use code::Code;
pub use content::Content;
pub use create::{Creation, Existing};
pub use deletion::{Deletion, Members};
pub use description::{Comparison, Converted, Description, Inherited, Part, Plans};
pub use ensure::{Ensure, Steps};
pub use error::{Action, Error, Result};
pub use group::Group;
pub use hierarchy::{Hierarchies, Hierarchy, Version};
pub use journal::Created;
pub use life::{Events, Watch};
pub use name::{Fault, FileName, GroupName, GroupPath, MAX_NAME, MAX_PATH, NameError};
pub use owner::{Modes, Owner, Owners};
pub use plan::Plan;
pub use pressure::{Hundredths, Pressure, Resource, Share, Stall, Threshold, Trigger};
pub use rule::{GroupKind, Rule};
pub use statistics::{
    CpuStatistics, Device, GroupStatistics, HugetlbStatistics, IoStatistics, MemoryStatistics,
    PidsStatistics,
};
pub use subsystem::Subsystem;
pub use value::{Limit, Value, ValueError};
pub use walk::Walk;

pub mod libcgroup {
    #![doc = include_str!("libcgroup.md")]
}
