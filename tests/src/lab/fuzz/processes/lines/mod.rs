//! The lines that scripts about processes are made of, a file for each area: how often, in which themes, and the template.

mod file;
mod identity;
mod limit;
mod mount;
mod namespace;
mod pid;
mod proc;
mod process;
mod signal;
mod socket;

use super::theme::Theme;

/// How often, in which themes, and a line.
pub(super) type Lines = &'static [(usize, &'static [Theme], &'static str)];

/// All of them.
pub(super) const LINES: &[Lines] = &[
    process::LINES,
    signal::LINES,
    identity::LINES,
    limit::LINES,
    namespace::LINES,
    pid::LINES,
    mount::LINES,
    file::LINES,
    socket::LINES,
    proc::LINES,
];
