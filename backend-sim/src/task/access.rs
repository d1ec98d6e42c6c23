//! Whether one thread may look into another or trace it (ptrace(2), Ptrace access mode checking).

use standin::{Capability, CapabilitySet, Errno, Failure, Gid, Uid};

use crate::context;
use crate::kernel::Kernel;
use crate::namespace::user;
use crate::step::Step;
use crate::task::{Credentials, ThreadKey};

/// Who asks, as the kind of access counts it: by filesystem or by real ids, by effective or by permitted capabilities.
struct Asker {
    user: Uid,
    group: Gid,
    capabilities: CapabilitySet,
}

impl Asker {
    fn real(own: &Credentials) -> Self {
        let capabilities = own.capabilities.permitted;
        Self { user: own.user.real, group: own.group.real, capabilities }
    }
}

/// Whether /proc tells `caller` what only those may know who could trace the thread.
pub(crate) fn may_look_into(kernel: &Kernel, caller: ThreadKey, thread: ThreadKey) -> bool {
    let own = kernel.credentials(caller);
    let asker = Asker {
        user: own.user.filesystem,
        group: own.group.filesystem,
        capabilities: own.capabilities.effective,
    };
    allows(kernel, caller, thread, &asker)
}

/// The same by real ids, which is how handing over namespaces counts it (setns(2)).
pub(crate) fn may_look_into_for_real(
    kernel: &Kernel,
    caller: ThreadKey,
    thread: ThreadKey,
) -> bool {
    let own = kernel.credentials(caller);
    allows(kernel, caller, thread, &Asker::real(own))
}

/// PTRACE_SEIZE, PTRACE_INTERRUPT and PTRACE_DETACH of the thread with this number: what waits in a call goes on waiting, and
/// what is stopped stays so.
///
/// # Errors
/// ESRCH; EPERM for the caller's own process, for one that has exited, and for one that the caller may not trace. `NotModelled`:
/// one that the v1 freezer holds, which stops when it is thawed, and the first of a PID namespace that waits for the others' end.
pub(crate) fn attach(kernel: &Kernel, caller: ThreadKey, number: u32) -> Step<()> {
    let thread = kernel.named_thread(caller, number).ok_or(Errno::ESRCH)?;
    let own = kernel.credentials(caller);
    let asker = Asker::real(own);
    let record = kernel.tasks.threads.at(thread);
    if record.label != kernel.tasks.threads.at(caller).label {
        return Err(context::untraceable(kernel, record.label).into());
    }
    let same = record.process == kernel.tasks.process_of(caller);
    let lasts = kernel.tasks.processes.at(record.process).outlives_all();
    if same || (record.exited && !lasts) || !allows(kernel, caller, thread, &asker) {
        Err(Errno::EPERM.into())
    } else if lasts {
        Err(Failure::NotModelled("attaching to what ends with its PID namespace").into())
    } else if record.frozen_v1 {
        Err(Failure::NotModelled("attaching to what the v1 freezer holds").into())
    } else {
        Ok(())
    }
}

/// The own process; or the same user and group through and through, if the other is dumpable and may no more than the
/// asker, in the same user namespace; or `CAP_SYS_PTRACE` over it.
fn allows(kernel: &Kernel, caller: ThreadKey, thread: ThreadKey, asker: &Asker) -> bool {
    let own = kernel.tasks.threads.at(caller);
    let other = kernel.tasks.threads.at(thread);
    let over = other.credentials.namespace;
    if own.process == other.process || own.credentials.capable(Capability::SYS_PTRACE) {
        return true;
    }
    let dumpable = kernel.tasks.processes.at(other.process).dumpable || other.exited;
    if dumpable && user::capable(kernel, own.credentials.holder(), over, Capability::SYS_PTRACE) {
        return true;
    }
    let Credentials { user, group, .. } = &other.credentials;
    let users = [user.real, user.effective, user.saved].iter().all(|id| *id == asker.user);
    let groups = [group.real, group.effective, group.saved].iter().all(|id| *id == asker.group);
    users
        && groups
        && dumpable
        && own.credentials.namespace == over
        && asker.capabilities.contains_all(other.credentials.capabilities.permitted)
}
