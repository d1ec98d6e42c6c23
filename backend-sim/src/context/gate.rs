//! What every command asks first: the caller's capabilities, where it stands, and which context it means.

use standin::backend::{CONTEXT_CAPABILITY, ContextFlags};
use standin::id::Xid;
use standin::{Capability, Errno, Pid};

use super::{Context, ContextKey, HOST, Label, SPECTATOR, label_of};
use crate::kernel::Kernel;
use crate::step::Step;
use crate::task::ThreadKey;

/// A command as the gate knows it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Command {
    /// Reads, waits, or makes a context.
    Open,
    /// Moves the caller into a context.
    Enter,
    /// Signals what is in a context.
    Kill,
}

/// Whether the caller may ask for the command at all.
///
/// # Errors
/// ENOSYS without `CAP_CONTEXT`, as if the kernel did not have the command; EPERM without `CAP_SYS_ADMIN` and, to kill,
/// `CAP_SYS_RESOURCE`.
pub(super) fn may(kernel: &Kernel, caller: ThreadKey, command: Command) -> Result<(), Errno> {
    let own = kernel.credentials(caller);
    if !own.capabilities.effective.contains_all(CONTEXT_CAPABILITY) {
        return Err(Errno::ENOSYS);
    }
    let lacks = |capability| !own.capable(capability);
    if lacks(Capability::SYS_ADMIN) || (command == Command::Kill && lacks(Capability::SYS_RESOURCE))
    {
        return Err(Errno::EPERM);
    }
    Ok(())
}

/// The context that a command of the host's is about.
///
/// # Errors
/// EPERM: the caller is not on the host. Else as [`target`]; EACCES if the context is not the host's to administer any
/// more, which kill decides for itself.
pub(super) fn administered(
    kernel: &Kernel,
    caller: ThreadKey,
    xid: Xid,
    command: Command,
) -> Result<ContextKey, Errno> {
    if kernel.tasks.threads.at(caller).label != HOST {
        return Err(Errno::EPERM);
    }
    let key = target(kernel, caller, xid)?;
    let sealed = !kernel.contexts.table.at(key).has(ContextFlags::STATE_ADMIN);
    if sealed && command != Command::Kill { Err(Errno::EACCES) } else { Ok(key) }
}

/// The context that an id names; one with the highest bit set names the caller's own.
///
/// # Errors
/// ESRCH if there is none.
pub(super) fn target(kernel: &Kernel, caller: ThreadKey, xid: Xid) -> Result<ContextKey, Errno> {
    let label =
        if xid.0 >> 31 == 1 { Some(kernel.tasks.threads.at(caller).label) } else { label_of(xid) };
    label.and_then(|label| kernel.contexts.find(label)).ok_or(Errno::ESRCH)
}

/// Which context a task is in: the caller, or the one with this number, whatever the caller sees.
///
/// # Errors
/// As [`may`]; EPERM to ask for another from inside a context; ESRCH if nobody has the number.
pub(crate) fn task_xid(kernel: &Kernel, caller: ThreadKey, pid: Option<Pid>) -> Step<Xid> {
    may(kernel, caller, Command::Open)?;
    let own = kernel.tasks.threads.at(caller).label;
    let Some(pid) = pid.filter(|pid| *pid != Pid::ZERO) else { return Ok(xid(own)) };
    if own != HOST && own != SPECTATOR {
        return Err(Errno::EPERM.into());
    }
    let thread = kernel.named_thread(caller, pid.0).ok_or(Errno::ESRCH)?;
    let record = kernel.tasks.threads.at(thread);
    if record.exited && record.label != HOST {
        return Err(standin::Failure::NotModelled("the context of a zombie").into());
    }
    Ok(xid(record.label))
}

fn xid(label: Label) -> Xid {
    Xid(label.into())
}

impl Context {
    /// Whether it may not be entered.
    pub(super) const fn is_private(&self) -> bool {
        is_private(self.flags)
    }
}

/// Private, and not under construction.
pub(super) const fn is_private(flags: ContextFlags) -> bool {
    flags.contains(ContextFlags::INFO_PRIVATE) && !flags.contains(ContextFlags::STATE_SETUP)
}
