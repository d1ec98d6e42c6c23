//! Locks on whole files (flock(2)): they belong to open files, and go with them.

use rustc_hash::FxHashMap;
use standin::backend::Lock;
use standin::{Errno, Failure};

use super::{FileKey, Node, OpenKind, descriptors};
use crate::kernel::Kernel;
use crate::step::{Step, Wait};
use crate::stock::Stock;
use crate::task::ThreadKey;
use crate::wait::Channel;

/// Who has locked what; looked up by file, never listed.
#[derive(Clone, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Locks {
    #[cfg_attr(feature = "serde", serde(with = "crate::written::map"))]
    held: FxHashMap<Lockable, Vec<Held>>,
}

/// What can be locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) enum Lockable {
    /// A file or directory.
    Node(Node),
    /// The one file that all event counters and sets of watches are, since they stand in no filesystem.
    Nameless,
}

/// A lock of an open file.
#[derive(Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct Held {
    file: FileKey,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
enum Kind {
    Shared,
    Exclusive,
}

impl Locks {
    /// Whether nobody has locked anything.
    pub(crate) fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// How many files are locked.
    pub(super) fn take_stock(&self, all: &mut Stock) {
        all.map("locked files", self.held.len());
    }

    /// The open files that have a lock on something.
    pub(crate) fn holders(&self, on: Lockable) -> impl Iterator<Item = FileKey> {
        self.held.get(&on).into_iter().flatten().map(|held| held.file)
    }

    fn kind_of(&self, on: Lockable, file: FileKey) -> Option<Kind> {
        self.held.get(&on)?.iter().find(|held| held.file == file).map(|held| held.kind)
    }

    /// Whether an open file has a lock.
    pub(crate) fn has(&self, node: Node, file: FileKey) -> bool {
        let places = [Lockable::Node(node), Lockable::Nameless];
        places.into_iter().any(|on| self.kind_of(on, file).is_some())
    }

    /// Takes a file's lock away; whether it had one.
    fn remove(&mut self, on: Lockable, file: FileKey) -> bool {
        let Some(all) = self.held.get_mut(&on) else { return false };
        let before = all.len();
        all.retain(|held| held.file != file);
        let removed = all.len() < before;
        if all.is_empty() {
            self.held.remove(&on);
        }
        removed
    }

    fn conflicts(&self, on: Lockable, wanted: Kind) -> bool {
        let Some(all) = self.held.get(&on) else { return false };
        all.iter().any(|held| wanted == Kind::Exclusive || held.kind == Kind::Exclusive)
    }
}

/// flock(2)
///
/// Going from one kind to the other gives up the old lock first: if the new one is refused, nothing is left.
///
/// # Errors
/// EBADF: not open, or a place alone. EAGAIN: another open file's lock is in the way, and the caller does not wait.
pub(crate) fn flock(kernel: &mut Kernel, caller: ThreadKey, number: u32, lock: Lock) -> Step<()> {
    let file = descriptors::get_opened(kernel, caller, number)?;
    let record = kernel.vfs.files.at(file);
    let on = match record.kind {
        OpenKind::Node(_) => Lockable::Node(record.spot.node),
        OpenKind::Counter(_) | OpenKind::Watcher(_) => Lockable::Nameless,
        // No other open file is of this socket.
        OpenKind::Socket(_) => return Ok(()),
        OpenKind::Process(..) | OpenKind::Pipe(..) | OpenKind::Namespace(_) => {
            return Err(Failure::NotModelled("flock of what stands in no filesystem").into());
        }
    };
    let wanted = match lock {
        Lock::Shared { .. } => Kind::Shared,
        Lock::Exclusive { .. } => Kind::Exclusive,
        Lock::Unlock => {
            unlock(kernel, on, file);
            return Ok(());
        }
    };
    match kernel.vfs.locks.kind_of(on, file) {
        Some(kind) if kind == wanted => return Ok(()),
        Some(_) => unlock(kernel, on, file),
        None => {}
    }
    if kernel.vfs.locks.conflicts(on, wanted) {
        return Err(if lock.nonblocking() {
            Errno::EAGAIN.into()
        } else {
            Wait::on(Channel::Lock(on)).into()
        });
    }
    kernel.vfs.locks.held.entry(on).or_default().push(Held { file, kind: wanted });
    Ok(())
}

fn unlock(kernel: &mut Kernel, on: Lockable, file: FileKey) {
    if kernel.vfs.locks.remove(on, file) {
        kernel.waits.wake(Channel::Lock(on));
    }
}

/// An open file is closed.
pub(super) fn forget(kernel: &mut Kernel, file: FileKey, on: Lockable) {
    if !kernel.vfs.locks.held.is_empty() {
        unlock(kernel, on, file);
    }
}
