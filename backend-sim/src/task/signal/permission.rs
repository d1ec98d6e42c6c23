//! Who may signal whom (kill(2)).

use standin::{Capability, Errno, Signal};

use crate::kernel::Kernel;
use crate::namespace::user;
use crate::task::{ProcessKey, ThreadKey};

/// Whether `caller` may send a process this signal; `None` probes.
///
/// # Errors
/// ESRCH: it is in another context. EPERM, unless it is the caller's own process, one of the caller's real and effective user is the other's real or saved
/// one, the caller has `CAP_KILL` over it, or the signal is CONT and both are in one session.
pub(crate) fn may_signal(
    kernel: &Kernel,
    caller: ThreadKey,
    process: ProcessKey,
    signal: Option<Signal>,
) -> Result<(), Errno> {
    let tasks = &kernel.tasks;
    let own = tasks.process_of(caller);
    if own == process {
        return Ok(());
    }
    // Not even a spectator signals what is in another context.
    let leader = tasks.processes.at(process).leader;
    if tasks.threads.at(leader).label != tasks.threads.at(caller).label {
        return Err(Errno::ESRCH);
    }
    let sender = kernel.credentials(caller);
    let other = kernel.credentials(tasks.processes.at(process).leader);
    let target = other.user;
    let related = [sender.user.effective, sender.user.real]
        .iter()
        .any(|id| *id == target.saved || *id == target.real);
    if related || user::capable(kernel, sender.holder(), other.namespace, Capability::KILL) {
        return Ok(());
    }
    let continues = signal == Some(Signal::CONT);
    if continues && tasks.job_of(own).session == tasks.job_of(process).session {
        Ok(())
    } else {
        Err(Errno::EPERM)
    }
}
