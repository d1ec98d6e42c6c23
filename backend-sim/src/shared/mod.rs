//! Shared memory: files of a tmpfs that processes have mapped (mmap(2) with `MAP_SHARED`), and futexes in it (futex(2)).
//!
//! A map shows the file's own pages, so it agrees with read(2) and write(2) at any time, and keeps the open file that it was
//! made from. Which maps a process has is in [`map`], bytes and words in [`memory`], waiting for a word in [`futex`].
//! Neighbours: `fs` (the pages), `task` (signals for what a program may not touch). This module knows no path.

mod futex;
mod map;
mod memory;

pub(crate) use futex::{FutexWait, wake};
pub(crate) use map::{Maps, forget, inherit, map, unmap};
pub(crate) use memory::{compare_exchange, load, read, store, write};
