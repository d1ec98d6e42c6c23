//! Property tests: cases that are one byte string each, of machine, operations, order and faults together.
//!
//! A [`Case`] is what a property is tried with: which machine, what other processes do on it, in which order programs go on, what
//! goes wrong. All of it comes from one byte string, so it is cheap to make, any bytes are a case (a fuzzer's too), and all of
//! it shrinks together: bytes become 0, which is the plainest of everything. A [`Play`] carries it out. With the feature
//! `proptest` there are strategies ([`cases`] and more) and a harness for state machines ([`Model`]), with `arbitrary` what
//! fuzzers want.
//!
//! ```
//! use standin::{Backend, Errno, ExitCode, fs};
//! use standin_sim::property::{Case, Play};
//!
//! /// A manager that takes for granted that its group is not there yet.
//! fn manager(kernel: &dyn Backend, _: &[Vec<u8>]) -> ExitCode {
//!     fs::create_dir(kernel, "/sys/fs/cgroup/a").unwrap();
//!     ExitCode::SUCCESS
//! }
//!
//! let property = |play: &mut Play| {
//!     play.machine().program("/bin/manager", manager);
//!     play.beside(&["/bin/manager"]).unwrap();
//! };
//! let found = Case::search(1, 2_000, 20, property).unwrap_err();
//! assert!(found.message().contains("EEXIST"), "{found}");
//! assert_eq!(found.case().operations().count(), 1, "somebody else made the group: {found}");
//!
//! // The line that it prints is the case.
//! let again: Case = found.line().parse().unwrap();
//! assert_eq!(again.check(property).unwrap_err().message(), found.message());
//! ```
//!
//! Neighbours: `schedule`, whose decisions and faults a case has; the transcript language, whose operations it makes;
//! [`Stage`](crate::Stage), where its [script](Case::script) runs too.

#[cfg(feature = "arbitrary")]
mod arbitrary;
mod belief;
mod case;
mod cast;
mod fault_plan;
mod feedback;
mod found;
mod generate;
mod ground;
mod hierarchy;
mod line;
mod mixture;
mod play;
mod profile;
mod shrink;
#[cfg(feature = "proptest")]
mod state_machine;
#[cfg(feature = "proptest")]
mod strategy;

pub use case::{Case, Step};
pub use feedback::{COUNTERS, counter};
pub use found::Found;
pub use generate::operation_names;
pub use hierarchy::Hierarchy;
#[cfg(feature = "proptest")]
pub use hierarchy::hierarchies;
pub use line::CaseError;
pub use play::{Play, Tally};
#[cfg(feature = "proptest")]
pub use state_machine::{Harness, Model, ModelError, check_model};
#[cfg(feature = "proptest")]
pub use strategy::{CaseTree, Cases, Draft, about, cases, cases_of, fault_plans, profiles};
