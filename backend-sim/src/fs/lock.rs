//! Locks on whole files (flock(2)): they belong to open files, and go with them.

use rustc_hash::FxHashMap;
use standin::backend::Lock;
use standin::{Errno, Failure};

use super::{FileKey, Node, OpenKind, descriptors};
use crate::kernel::Kernel;
use crate::step::{Step, Wait};
use crate::task::ThreadKey;
use crate::wait::Channel;

/// Who has locked what; looked up by file, never listed.
#[derive(Clone, Default)]
pub(crate) struct Locks {
    held: FxHashMap<Node, Vec<Held>>,
}

/// A lock of an open file.
#[derive(Clone)]
struct Held {
    file: FileKey,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Shared,
    Exclusive,
}

impl Locks {
    fn kind_of(&self, node: Node, file: FileKey) -> Option<Kind> {
        self.held.get(&node)?.iter().find(|held| held.file == file).map(|held| held.kind)
    }

    /// Takes a file's lock away; whether it had one.
    fn remove(&mut self, node: Node, file: FileKey) -> bool {
        let Some(all) = self.held.get_mut(&node) else { return false };
        let before = all.len();
        all.retain(|held| held.file != file);
        let removed = all.len() < before;
        if all.is_empty() {
            self.held.remove(&node);
        }
        removed
    }

    fn conflicts(&self, node: Node, wanted: Kind) -> bool {
        let Some(all) = self.held.get(&node) else { return false };
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
    if matches!(record.kind, OpenKind::Socket(_)) {
        // No other open file is of this socket.
        return Ok(());
    }
    let (node, is_named) = (record.spot.node, record.is_named());
    let wanted = match lock {
        Lock::Shared { .. } => Kind::Shared,
        Lock::Exclusive { .. } => Kind::Exclusive,
        Lock::Unlock => {
            unlock(kernel, node, file);
            return Ok(());
        }
    };
    match kernel.vfs.locks.kind_of(node, file) {
        Some(kind) if kind == wanted => return Ok(()),
        Some(_) => unlock(kernel, node, file),
        None => {}
    }
    if !is_named {
        return Err(Failure::NotModelled("flock of what stands in no filesystem").into());
    }
    if kernel.vfs.locks.conflicts(node, wanted) {
        return Err(if lock.nonblocking() {
            Errno::EAGAIN.into()
        } else {
            Wait::on(Channel::Lock(node)).into()
        });
    }
    kernel.vfs.locks.held.entry(node).or_default().push(Held { file, kind: wanted });
    Ok(())
}

fn unlock(kernel: &mut Kernel, node: Node, file: FileKey) {
    if kernel.vfs.locks.remove(node, file) {
        kernel.waits.wake(Channel::Lock(node));
    }
}

/// An open file of this node is closed.
pub(super) fn forget(kernel: &mut Kernel, file: FileKey, node: Node) {
    if !kernel.vfs.locks.held.is_empty() {
        unlock(kernel, node, file);
    }
}
