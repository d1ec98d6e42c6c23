//! `RESOLVE_CACHED` (openat2(2)): a walk that only takes names which the kernel remembers and need not ask a filesystem about.
//!
//! Names of tmpfs it remembers always. Those of hierarchies and sysfs it has looked at by the filesystem each time, and so those of
//! /proc that are no process's (recorded). Neighbour: `walk`, which asks here at each name.

use standin::backend::FilesystemType;
use standin::{Errno, Failure};

use super::proc::ProcNode;
use super::{MountKey, Node};
use crate::kernel::Kernel;
use crate::step::Step;

/// Whether the filesystem of a mount looks at each name anew; then no walk starts there either.
pub(super) fn is_asked(kernel: &Kernel, mount: MountKey) -> bool {
    [FilesystemType::CGROUP, FilesystemType::CGROUP2, FilesystemType::SYSFS]
        .contains(&kernel.vfs.mounts.at(mount).kind)
}

/// Whether a walk may take the name of a node.
///
/// # Errors
/// EAGAIN: its filesystem has to be asked. `NotModelled`: it depends on who has looked before.
pub(super) fn check(kernel: &Kernel, mount: MountKey, node: Node) -> Step<()> {
    match node {
        Node::Proc(ProcNode::Top(_) | ProcNode::Setting(_)) => Err(Errno::EAGAIN.into()),
        Node::Proc(_) => Err(Failure::NotModelled("RESOLVE_CACHED of a process").into()),
        Node::Tmp(_) | Node::Cgroup(_) | Node::Control(..) if is_asked(kernel, mount) => {
            Err(Errno::EAGAIN.into())
        }
        Node::Tmp(_) | Node::Cgroup(_) | Node::Control(..) => Ok(()),
    }
}
