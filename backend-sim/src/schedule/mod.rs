//! In which order programs run and what goes wrong for them: found, written down, run again.
//!
//! Where more than one program could go on, a machine decides. By default the one that runs goes on until it blocks; a
//! [`Search`] tries other orders, and what was decided in a run are its [`Decisions`]: a byte for each, nothing where it was
//! as by default. Any bytes are decisions, so that they can be shrunk, and made by a fuzzer. Neighbours: `door`, where a
//! program may be held before each of its calls; `run`, which takes up the next one. This module knows no operation.

mod crash;
mod decisions;
mod fault;
mod faulty;
mod footprint;
mod generator;
mod order;
mod plan;
mod reduce;
mod replay;
mod search;
mod shrink;
mod trace;

pub use crash::{CrashSweep, crash_sweep};
pub use decisions::{Decisions, DecisionsError};
pub use fault::Fault;
pub(crate) use faulty::{Faults, Faulty};
pub(crate) use footprint::{Footprint, of_close, of_list, of_look, of_open, of_read, of_write};
#[cfg(feature = "property")]
pub(crate) use generator::Generator;
pub(crate) use order::Order;
#[cfg(feature = "transcript")]
pub(crate) use plan::{FORK, THREAD};
pub use plan::{FaultPlan, FaultPlanError};
pub use replay::ReplayError;
#[cfg(feature = "watchdog")]
pub(crate) use replay::line_so_far;
#[cfg(feature = "serde")]
pub(crate) use replay::machine;
#[cfg(feature = "property")]
pub(crate) use search::text as panic_text;
pub use search::{Found, Report, Search};
