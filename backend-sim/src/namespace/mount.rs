//! Mount namespaces: where paths start, and which mounts there are (mount_namespaces(7)). The mounts themselves are kept by `fs`.

use standin::backend::NamespaceKind;

use super::all::Namespace;
use super::{Maker, of};
use crate::fs::Spot;
use crate::kernel::Kernel;
use crate::table::Key;
use crate::task::ThreadKey;
use crate::wait::Channel;

pub(crate) type MountNsKey = Key<Namespace<Mounts>>;

/// What a mount namespace is.
#[derive(Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Mounts {
    /// The first of its mounts, that of /.
    pub(crate) root: Spot,
    /// How often its mounts have changed.
    changes: u64,
}

impl Mounts {
    pub(super) const fn new(root: Spot) -> Self {
        Self { root, changes: 0 }
    }
}

/// A new namespace, which nobody holds yet; its mounts are made afterwards, and its root set then.
pub(crate) fn new(kernel: &mut Kernel, maker: Maker) -> MountNsKey {
    let root = kernel.vfs.root;
    kernel.namespaces.make(maker, NamespaceKind::Mount, Mounts::new(root), |all| {
        (&mut all.mount, &mut all.numbers)
    })
}

/// Says where its paths start.
pub(crate) fn set_root(kernel: &mut Kernel, namespace: MountNsKey, root: Spot) {
    kernel.namespaces.mount.at_mut(namespace).content.root = root;
}

/// Mounts have come, gone or become others.
pub(crate) fn tell(kernel: &mut Kernel, namespace: MountNsKey) {
    // Of one that is gone they go too, and nobody asks.
    if kernel.namespaces.mount.has(namespace) {
        kernel.namespaces.mount.at_mut(namespace).content.changes += 1;
        kernel.waits.wake(Channel::Mounts(namespace));
    }
}

/// How often that has happened.
pub(crate) fn changes(kernel: &Kernel, namespace: MountNsKey) -> u64 {
    kernel.namespaces.mount.at(namespace).content.changes
}

/// Where paths start in a namespace.
pub(crate) fn root_of(kernel: &Kernel, namespace: MountNsKey) -> Spot {
    kernel.namespaces.mount.at(namespace).content.root
}

/// Whether the absolute paths of a thread start where those of the machine's first processes do.
#[inline]
pub(crate) fn starts_at_first_root(kernel: &Kernel, thread: ThreadKey) -> bool {
    kernel.tasks.threads.at(thread).namespaces.is_none() || root(kernel, thread) == kernel.vfs.root
}

/// Where the absolute paths of a thread start.
pub(crate) fn root(kernel: &Kernel, thread: ThreadKey) -> Spot {
    if kernel.tasks.threads.at(thread).namespaces.is_none() {
        kernel.vfs.root
    } else {
        root_of(kernel, of(kernel, thread).mount)
    }
}
