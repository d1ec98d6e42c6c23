//! Programs: closures that run as processes of a machine.
//!
//! A program's stack is a coroutine, and belongs to the OS thread that started it; the machine knows only that the program
//! is runnable. The runner of a thread (one for each machine it runs) starts and resumes them, one at a time, each until
//! it blocks or ends: which one is next is the order in which they became runnable, or what a search says (`schedule`). Neighbours: `door` (which suspends),
//! `outside` (which lets the runner step while a call from outside waits). This module knows no operation.

mod builtin;
mod fiber;
mod registry;
mod runner;

#[cfg(feature = "property")]
pub(crate) use fiber::current;
pub(crate) use fiber::{Fibers, Resume, is_inside, leave_for_good, suspend_current};
pub(crate) use registry::Registry;
#[cfg(feature = "transcript")]
pub(crate) use runner::begin;
pub(crate) use runner::{clear, deadlock, gives_way, next, step};
