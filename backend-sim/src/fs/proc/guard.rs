//! Files of a process that only those may open who may look into it (proc(5), ptrace(2)).

use standin::{Capability, Errno};

use super::ProcNode;
use super::row::{Content, Guard};
use crate::kernel::Kernel;
use crate::profile::Release;
use crate::step::Step;
use crate::task::{self, ThreadKey};

/// Whether the caller may open a file with this guard.
///
/// # Errors
/// EACCES: it may not look into the process. ESRCH: there is no process, or nothing left of it to look into.
pub(super) fn check(
    kernel: &Kernel,
    caller: ThreadKey,
    thread: ThreadKey,
    guard: Guard,
) -> Step<()> {
    let record = kernel.tasks.threads.get(thread).ok_or(Errno::ESRCH)?;
    let may = || task::may_look_into(kernel, caller, thread);
    // Since 6.16 who may measure everything may read the maps of everybody (recorded: 6.18).
    let measures = || kernel.profile.release >= Release::V6_18 && measures_all(kernel, caller);
    let is_allowed = match guard {
        Guard::None => true,
        Guard::Sight => may(),
        Guard::Memory if record.exited => true,
        Guard::WholeMemory | Guard::SumOfMemory | Guard::RawMemory if record.exited => {
            if kernel.profile.release > Release::V6_1 {
                return Err(Errno::ESRCH.into());
            }
            true
        }
        Guard::RawMemory => may(),
        Guard::Memory | Guard::WholeMemory | Guard::SumOfMemory => may() || measures(),
    };
    if is_allowed { Ok(()) } else { Err(Errno::EACCES.into()) }
}

/// Whether names may be looked up in a directory, besides what its mode says.
///
/// # Errors
/// ESRCH: it is of a process that was reaped. EACCES: it tells of descriptors of who may not be looked into.
pub(crate) fn check_search(
    kernel: &Kernel,
    caller: ThreadKey,
    node: ProcNode,
) -> Result<(), Errno> {
    match node {
        ProcNode::Process(thread) if kernel.tasks.threads.get(thread).is_none() => {
            Err(Errno::ESRCH)
        }
        ProcNode::OfProcess(thread, id) | ProcNode::OfThread(thread, id)
            if id.row().content == Content::DescriptorInfo
                && kernel.tasks.threads.get(thread).is_some()
                && !task::may_look_into(kernel, caller, thread) =>
        {
            Err(Errno::EACCES)
        }
        ProcNode::Root
        | ProcNode::Top(_)
        | ProcNode::Process(_)
        | ProcNode::Tasks(_)
        | ProcNode::Thread(_)
        | ProcNode::OfProcess(..)
        | ProcNode::OfThread(..)
        | ProcNode::Namespace(..)
        | ProcNode::Descriptor(..)
        | ProcNode::Setting(_) => Ok(()),
    }
}

fn measures_all(kernel: &Kernel, caller: ThreadKey) -> bool {
    let credentials = kernel.credentials(caller);
    credentials.capable(Capability::PERFMON) || credentials.capable(Capability::SYS_ADMIN)
}
