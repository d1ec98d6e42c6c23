//! Mounting /proc: who may, and whose processes a mount shows.

use standin::Errno;
use standin::backend::MountFlags;

use super::ProcNode;
use crate::fs::mount::check_admin;
use crate::fs::{Born, MountKey, Node, tree};
use crate::kernel::Kernel;
use crate::namespace::pid::PidNsKey;
use crate::namespace::{self, Held};
use crate::task::ThreadKey;

/// Whether the caller may mount the /proc of its PID namespace. Who is in a mount namespace of another user namespace than the first
/// does so only where a /proc is seen as a whole, and no freer than that (`mount_too_revealing`; user_namespaces(7)).
///
/// # Errors
/// EPERM.
pub(crate) fn check(kernel: &Kernel, caller: ThreadKey, flags: MountFlags) -> Result<(), Errno> {
    check_admin(kernel, caller, namespace::owner_of_numbers(kernel, caller))?;
    let mounts = namespace::of(kernel, caller).mount;
    if namespace::owner_of_mounts(kernel, mounts).is_none() {
        return Ok(());
    }
    let home = tree::home(kernel, caller);
    let hides = |key: MountKey| {
        let mut mounts = kernel.vfs.mounts.iter();
        mounts.any(|(_, mount)| mount.is_locked && mount.on.is_some_and(|on| on.mount == key))
    };
    let mut mounts = kernel.vfs.mounts.iter();
    let is_shown = mounts.any(|(key, mount)| {
        mount.root == Node::Proc(ProcNode::Root)
            && kernel.home_of(key) == home
            && flags.contains(mount.locked_flags & MountFlags::READ_ONLY)
            && !hides(key)
    });
    if is_shown { Ok(()) } else { Err(Errno::EPERM) }
}

/// What a mount of the caller shows: the PID namespace that it is in, which the mount holds if that is a nested one.
pub(crate) fn born(kernel: &mut Kernel, caller: ThreadKey) -> Born {
    let shown = kernel.pid_ns(caller);
    if shown == kernel.namespaces.first.pid_for_children {
        return Born::Plain;
    }
    kernel.namespaces.keep(Held::Pid(shown));
    Born::Proc(shown)
}

impl Kernel {
    /// The PID namespace that a mount of /proc shows.
    pub(super) fn pids_shown(&self, mount: MountKey) -> PidNsKey {
        match self.vfs.mounts.at(mount).born {
            Born::Proc(shown) => shown,
            Born::Plain | Born::Hierarchy(_) | Born::Tmpfs(..) => {
                self.namespaces.first.pid_for_children
            }
        }
    }
}
