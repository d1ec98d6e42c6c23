//! Scripts about processes: a writer that fills templates, what it believes of who is there (`cast`), and the tables.
//!
//! The tables are data: `theme` says what a script is about and how it begins, `lines` has a file for each area, `words` what may
//! stand in slots. Scripts are the same for every kernel and layout.

mod cast;
mod lines;
mod theme;
mod words;
mod write;

pub(super) use write::script;

/// What is not generated although it could be: a pattern of operations, and why.
pub const LEFT_OUT: &[(&str, &str)] = &[
    ("reboot *", "where no process namespace was made, it is the kernel that ends"),
    ("exec *", "kernels differ in which programs there are"),
    ("signal CHLD ignore", "how children ended that nobody waits for, old kernels tell nobody"),
    ("rlimit * as *", "the player of an actor needs memory, how much is its own"),
    ("rlimit * data *", "the player of an actor needs memory, how much is its own"),
    ("rlimit * stack *", "the player of an actor needs memory, how much is its own"),
    ("ls .", "a host has other names at its root"),
    ("ls ..", "a host has other names at its root"),
    ("handle * /proc*", "what of /proc has a handle is told by how the kernel was built"),
];
