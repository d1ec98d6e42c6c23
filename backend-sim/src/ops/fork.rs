//! clone3(2) without a program: a child, or a thread, that somebody outside drives.

use standin::backend::NamespaceKinds;

use super::processes::group_of;
use crate::door::Operation;
use crate::kernel::Kernel;
use crate::step::Step;
use crate::task::fork::{self, ForkOptions};
use crate::task::{ProcessKey, ThreadKey};
use crate::trace::{Parts, Show as _};

/// What is made.
#[derive(Default)]
pub(crate) struct Fork {
    /// The descriptor of the group to be born in.
    pub(crate) into: Option<u32>,
    /// A thread of the caller's process, not a process.
    pub(crate) is_thread: bool,
    /// Kinds of which it gets a new namespace.
    pub(crate) new: NamespaceKinds,
}

/// Who was made.
#[derive(Debug)]
pub(crate) struct Born {
    pub(crate) thread: ThreadKey,
    pub(crate) process: Option<ProcessKey>,
    /// The serial number of its process.
    pub(crate) serial: u32,
}

impl Operation for Fork {
    type Answer = Born;
    const NAME: &'static str = "fork";
    const MAKES_PROCESS: bool = true;

    fn show(&self, parts: &mut Parts) {
        self.into.add("into", parts);
        self.is_thread.add("is_thread", parts);
        self.new.add("new", parts);
    }

    fn handle(&mut self, kernel: &mut Kernel, caller: ThreadKey) -> Step<Born> {
        let into = self.into.map(|number| group_of(kernel, caller, number)).transpose()?;
        let options = ForkOptions { thread: self.is_thread, into, joined: None, new: self.new };
        let thread = fork::fork(kernel, caller, options)?;
        // Who died at birth and is reaped already holds nothing that would have to be told apart.
        let record = kernel.tasks.threads.get(thread);
        let process = record.map(|record| record.process);
        let serial = process.map_or(0, |process| kernel.tasks.processes.at(process).serial);
        Ok(Born { thread, process, serial })
    }
}
