//! The second group of sessions: what tools read of /proc: ps(1), pgrep(1), lsns(8), findmnt(8) and their like.
//!
//! [`session`] is the table: a cast of processes in a PID namespace of their own, made by a script, and the commands. So every
//! number that a tool sees is the script's, and neither kernel threads nor anybody else is in its /proc. [`observe`] plays the
//! script on the stage of the host below and runs the tools beside it, [`calls`] makes operations of what strace saw,
//! [`transcript`] puts them together and [`mask`] hides what is a host's own; a machine's answers are hidden by the same rows.

pub mod calls;
pub mod mask;
pub mod observe;
pub mod session;
pub mod transcript;
