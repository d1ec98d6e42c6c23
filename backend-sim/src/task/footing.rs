//! Where relative paths of a thread start, and which mode bits new files lack: what threads share with `CLONE_FS` (clone(2)).
//!
//! All threads of a process share its own, until one takes mounts of its own (unshare(2), `CLONE_NEWNS` implies `CLONE_FS`): that
//! one gets a record here, which threads that it makes share with it.

use standin::id::Mode;

use crate::fs::{self, Spot};
use crate::kernel::Kernel;
use crate::list::iterate;
use crate::stock::Stock;
use crate::table::{Key, Table};
use crate::task::ThreadKey;

pub(crate) type FootingKey = Key<Footing>;

/// What some threads of a process have apart from the others.
#[derive(Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Footing {
    directory: Spot,
    umask: Mode,
    /// Whose it is.
    threads: u32,
}

/// All of them.
#[derive(Clone, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Footings(Table<Footing>);

impl Footings {
    /// How many there are.
    pub(super) fn take_stock(&self, all: &mut Stock) {
        all.table("working directories of threads", &self.0);
    }

    /// A thread more has it.
    pub(super) fn share(&mut self, key: Option<FootingKey>) {
        if let Some(key) = key {
            self.0.at_mut(key).threads += 1;
        }
    }
}

/// The working directory of a thread.
pub(crate) fn directory(kernel: &Kernel, thread: ThreadKey) -> Spot {
    match kernel.tasks.threads.at(thread).footing {
        Some(own) => kernel.tasks.footings.0.at(own).directory,
        None => kernel.process(thread).directory,
    }
}

/// A thread, and whoever shares that with it, stands in another directory.
pub(crate) fn stand_in(kernel: &mut Kernel, thread: ThreadKey, directory: Spot) {
    fs::keep(kernel, directory);
    let here = match kernel.tasks.threads.at(thread).footing {
        Some(own) => &mut kernel.tasks.footings.0.at_mut(own).directory,
        None => &mut kernel.process_mut(thread).directory,
    };
    let before = std::mem::replace(here, directory);
    fs::let_go(kernel, before);
}

/// The mode bits that a thread's new files lack.
pub(crate) fn umask(kernel: &Kernel, thread: ThreadKey) -> Mode {
    match kernel.tasks.threads.at(thread).footing {
        Some(own) => kernel.tasks.footings.0.at(own).umask,
        None => kernel.process(thread).umask,
    }
}

/// Sets them; those that were before.
pub(crate) fn set_umask(kernel: &mut Kernel, thread: ThreadKey, umask: Mode) -> Mode {
    let own = match kernel.tasks.threads.at(thread).footing {
        Some(own) => &mut kernel.tasks.footings.0.at_mut(own).umask,
        None => &mut kernel.process_mut(thread).umask,
    };
    std::mem::replace(own, umask)
}

/// Whether no other thread has the same.
pub(crate) fn is_alone(kernel: &Kernel, thread: ThreadKey) -> bool {
    match kernel.tasks.threads.at(thread).footing {
        Some(own) => kernel.tasks.footings.0.at(own).threads == 1,
        None => {
            let threads = kernel.process(thread).threads;
            let mut others = iterate(&kernel.tasks.threads, threads, |thread| &thread.siblings);
            !others.any(|(key, it)| key != thread && !it.exited && it.footing.is_none())
        }
    }
}

/// A thread has its own from here on.
pub(crate) fn part(kernel: &mut Kernel, thread: ThreadKey) {
    if is_alone(kernel, thread) {
        return;
    }
    let (directory, umask) = (directory(kernel, thread), umask(kernel, thread));
    fs::keep(kernel, directory);
    leave(kernel, thread);
    let own = kernel.tasks.footings.0.insert(Footing { directory, umask, threads: 1 });
    kernel.tasks.threads.at_mut(thread).footing = Some(own);
}

/// A thread has none of its own any more.
pub(super) fn leave(kernel: &mut Kernel, thread: ThreadKey) {
    let Some(own) = kernel.tasks.threads.at_mut(thread).footing.take() else { return };
    let footing = kernel.tasks.footings.0.at_mut(own);
    footing.threads -= 1;
    if footing.threads == 0 {
        let directory = footing.directory;
        kernel.tasks.footings.0.discard(own);
        fs::let_go(kernel, directory);
    }
}

/// What a thread has of its own is its process's from here on: it is the last one.
pub(super) fn settle(kernel: &mut Kernel, thread: ThreadKey) {
    if kernel.tasks.threads.at(thread).footing.is_none() {
        return;
    }
    let (directory, umask) = (directory(kernel, thread), umask(kernel, thread));
    fs::keep(kernel, directory);
    leave(kernel, thread);
    let process = kernel.process_mut(thread);
    process.umask = umask;
    let before = std::mem::replace(&mut process.directory, directory);
    fs::let_go(kernel, before);
}
