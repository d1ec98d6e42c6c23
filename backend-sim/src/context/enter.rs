//! Making a context, and moving into one.

use standin::backend::{ContextFlags, MigrateFlags};
use standin::id::Xid;
use standin::{Errno, Failure};

use super::gate::{self, Command};
use super::{Context, End, HOST, Label, SPECTATOR, label_of, leave};
use crate::kernel::Kernel;
use crate::step::Step;
use crate::task::{ThreadKey, identity};

/// Flags that do something which is not modelled.
const UNMODELLED: ContextFlags = ContextFlags::INFO_INIT
    .union(ContextFlags::SCHED_HARD)
    .union(ContextFlags::SCHED_PRIO)
    .union(ContextFlags::SCHED_PAUSE)
    .union(ContextFlags::VIRT_MEM)
    .union(ContextFlags::VIRT_UPTIME)
    .union(ContextFlags::VIRT_LOAD)
    .union(ContextFlags::VIRT_TIME)
    .union(ContextFlags::HIDE_MOUNT)
    .union(ContextFlags::SC_HELPER)
    .union(ContextFlags::FORK_RSS)
    .union(ContextFlags::IGNEG_NICE);

/// Makes a context and moves the caller into it.
///
/// # Errors
/// As [`gate::may`]. EINVAL: no context can have the id. EBUSY: it is that of a context under construction. EEXIST: it is
/// another's. EACCES: the new context could not be entered.
pub(crate) fn create(
    kernel: &mut Kernel,
    caller: ThreadKey,
    xid: Xid,
    flags: ContextFlags,
) -> Step<()> {
    gate::may(kernel, caller, Command::Open)?;
    let label = label_of(xid).ok_or(Errno::EINVAL)?;
    if let Some(existing) = kernel.contexts.get(label) {
        let setup = existing.has(ContextFlags::STATE_SETUP);
        return Err(if setup { Errno::EBUSY } else { Errno::EEXIST }.into());
    }
    if gate::is_private(flags) {
        return Err(Errno::EACCES.into());
    }
    if flags.intersects(UNMODELLED) {
        return Err(Failure::NotModelled("a flag of a context that has an effect").into());
    }
    may_move(kernel, caller)?;
    let bounding = kernel.credentials(caller).capabilities.bounding;
    let key = kernel.contexts.table.insert(Context {
        label,
        flags,
        bounding,
        init: None,
        reaper: None,
        tasks: u32::from(flags.contains(ContextFlags::PERSISTENT)),
        exit_status: 0,
        end: End::default(),
    });
    kernel.contexts.by_label.insert(label, key);
    relabel(kernel, caller, label);
    cut(kernel, caller);
    Ok(())
}

/// Moves the caller into a context, or makes it a spectator.
///
/// # Errors
/// As [`gate::may`] and [`gate::administered`]; EACCES: the context is private.
pub(crate) fn migrate(
    kernel: &mut Kernel,
    caller: ThreadKey,
    xid: Xid,
    flags: MigrateFlags,
) -> Step<()> {
    gate::may(kernel, caller, Command::Enter)?;
    if xid == Xid::SPECTATOR {
        may_move(kernel, caller)?;
        relabel(kernel, caller, SPECTATOR);
        return Ok(());
    }
    let key = gate::administered(kernel, caller, xid, Command::Enter)?;
    if kernel.contexts.table.at(key).is_private() {
        return Err(Errno::EACCES.into());
    }
    let process = kernel.tasks.process_of(caller);
    let alone = kernel.tasks.processes.at(process).threads.len() == 1;
    if !alone && flags.intersects(MigrateFlags::SET_INIT | MigrateFlags::SET_REAPER) {
        return Err(Failure::NotModelled("one thread of several becomes first in a context").into());
    }
    let label = kernel.contexts.table.at(key).label;
    relabel(kernel, caller, label);
    cut(kernel, caller);
    let context = kernel.contexts.table.at_mut(key);
    if flags.contains(MigrateFlags::SET_INIT) {
        context.init = Some(process);
        context.flags.remove(ContextFlags::STATE_INIT);
    }
    if flags.contains(MigrateFlags::SET_REAPER) {
        context.reaper = Some(process);
    }
    Ok(())
}

/// What becomes of a context whose first process goes elsewhere alive is not known.
fn may_move(kernel: &Kernel, caller: ThreadKey) -> Step<()> {
    let thread = kernel.tasks.threads.at(caller);
    let role = kernel
        .contexts
        .get(thread.label)
        .is_some_and(|context| [context.init, context.reaper].contains(&Some(thread.process)));
    if role {
        Err(Failure::NotModelled("the first process of a context leaves it").into())
    } else {
        Ok(())
    }
}

/// A task was made, with its maker's label.
pub(crate) fn born(kernel: &mut Kernel, thread: ThreadKey) {
    if !kernel.profile.contexts {
        return;
    }
    let label = kernel.tasks.threads.at(thread).label;
    if let Some(context) = kernel.contexts.get_mut(label) {
        context.tasks += 1;
    }
}

/// Gives a task another label; the context that it leaves may end of it. What its user has running counts there.
fn relabel(kernel: &mut Kernel, thread: ThreadKey, label: Label) {
    if let Some(context) = kernel.contexts.get_mut(label) {
        context.tasks += 1;
    }
    let record = kernel.tasks.threads.at_mut(thread);
    let before = std::mem::replace(&mut record.label, label);
    identity::count_for(kernel, thread);
    if before != HOST {
        leave::let_go(kernel, before);
    }
}

/// A member has no capability that its context's maker could not have had.
fn cut(kernel: &mut Kernel, thread: ThreadKey) {
    let label = kernel.tasks.threads.at(thread).label;
    let Some(bounding) = kernel.contexts.get(label).map(|context| context.bounding) else { return };
    let sets = &mut kernel.tasks.threads.at_mut(thread).credentials.capabilities;
    for set in [&mut sets.effective, &mut sets.permitted, &mut sets.inheritable, &mut sets.ambient]
    {
        *set = set.intersection(bounding);
    }
}

/// What a program that a member runs has gained is cut too.
pub(crate) fn executed(kernel: &mut Kernel, thread: ThreadKey) {
    cut(kernel, thread);
}
