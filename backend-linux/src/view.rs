//! [`Linux`]: a view of the running kernel that makes its system calls in this process.
//!
//! Neighbours: `agent` has the view that lives in a process of its own; both answer with the code
//! of `files`, `processes`, `namespaces`, `channels` and `clock`.

use std::sync::Arc;

use standin::backend::{Backend, Fallback};
use standin::failure::{Failure, Result};
use standin::handle::{Descriptor, Owner};

use crate::agent::{self, Agent, AgentOptions};
use crate::handle::{Closing, Keeping, give};

/// A process's own view of the running kernel.
///
/// [`Linux::here`] is the calling process. It may have many threads and belongs to the program, so
/// what would change its identity, namespaces, working directory, signals or limits answers
/// [`Failure::Unsupported`] and names the way that has it: [`Linux::agent`], or the options of
/// [`Spawn`](standin::backend::Spawn). A [registered program](crate::Registry) gets a view with all calls.
///
/// ```
/// use standin::fs;
/// let kernel = standin_linux::Linux::here();
/// let release = fs::read_to_string(&kernel, "/proc/sys/kernel/osrelease").unwrap();
/// assert!(!release.is_empty());
/// ```
#[derive(Clone)]
pub struct Linux {
    owner: Arc<dyn Owner>,
    changes_itself: bool,
}

impl Linux {
    /// The calling process.
    #[must_use]
    pub fn here() -> Self {
        Self { owner: Arc::new(Closing), changes_itself: false }
    }

    /// A process that is one view and nothing else.
    pub(crate) fn own() -> Self {
        Self { owner: Arc::new(Closing), changes_itself: true }
    }

    /// A process that makes calls for another one: its handles stay open until that one says.
    pub(crate) fn served() -> Self {
        Self { owner: Arc::new(Keeping), changes_itself: true }
    }

    /// Starts a process that is a view of its own and has all calls; see [`Agent`].
    ///
    /// # Errors
    /// `Unsupported` if the program did not call [`start`](crate::start) first; else what the kernel
    /// refused of the options, and then there is no such process: EPERM, EAGAIN, ENODEV ...
    pub fn agent(options: &AgentOptions<'_>) -> Result<Agent> {
        agent::start(options)
    }

    /// Refuses what `here` must not change.
    pub(crate) fn may_change_itself(&self, refusal: &'static str) -> Result<()> {
        if self.changes_itself { Ok(()) } else { Err(Failure::Unsupported(refusal)) }
    }

    /// Whether this is the calling process of a program with a life of its own.
    pub(crate) const fn is_shared(&self) -> bool {
        !self.changes_itself
    }

    pub(crate) fn give<H: From<Descriptor>>(&self, fd: std::os::fd::OwnedFd) -> H {
        give(&self.owner, fd)
    }

    pub(crate) fn owner(&self) -> Arc<dyn Owner> {
        Arc::clone(&self.owner)
    }
}

impl std::fmt::Debug for Linux {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(if self.changes_itself { "Linux::own" } else { "Linux::here" })
    }
}

impl Fallback for Linux {}

impl Backend for Linux {}
