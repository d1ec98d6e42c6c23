//! Whether one thread may look into another (ptrace(2), Ptrace access mode checking).

use standin::Capability;

use crate::kernel::Kernel;
use crate::task::ThreadKey;

/// Reading, by filesystem ids: the own process; or the same user and group through and through, if the other is dumpable
/// and may no more than the caller; or `CAP_SYS_PTRACE`.
pub(crate) fn may_look_into(kernel: &Kernel, caller: ThreadKey, thread: ThreadKey) -> bool {
    let own = kernel.tasks.threads.at(caller);
    let other = kernel.tasks.threads.at(thread);
    if own.process == other.process || own.credentials.capable(Capability::SYS_PTRACE) {
        return true;
    }
    let (user, group) = (other.credentials.user, other.credentials.group);
    let users = [user.real, user.effective, user.saved]
        .iter()
        .all(|id| *id == own.credentials.user.filesystem);
    let groups = [group.real, group.effective, group.saved]
        .iter()
        .all(|id| *id == own.credentials.group.filesystem);
    let dumpable = kernel.tasks.processes.at(other.process).dumpable || other.exited;
    let permitted = other.credentials.capabilities.permitted;
    users && groups && dumpable && own.credentials.capabilities.effective.contains_all(permitted)
}
