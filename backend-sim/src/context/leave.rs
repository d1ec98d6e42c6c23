//! The end of members, and of contexts.

use standin::backend::{ContextWait, WaitStatus};

use super::{HOST, Label};
use crate::kernel::Kernel;
use crate::task::{ProcessKey, ThreadKey};
use crate::wait::Channel;

/// A task has exited: it is a member no more, zombie or not.
pub(crate) fn exited(kernel: &mut Kernel, thread: ThreadKey, status: WaitStatus) {
    if !kernel.profile.contexts {
        return;
    }
    let label = kernel.tasks.threads.at(thread).label;
    if label == HOST {
        return;
    }
    let Some(context) = kernel.contexts.get_mut(label) else { return };
    context.exit_status = packed(status);
    let_go(kernel, label);
}

/// All tasks of a process have exited: it is nobody's first process or reaper any more.
pub(crate) fn process_ended(kernel: &mut Kernel, process: ProcessKey) {
    if !kernel.profile.contexts {
        return;
    }
    let leader = kernel.tasks.processes.at(process).leader;
    let label = kernel.tasks.threads.at(leader).label;
    if label == HOST {
        return;
    }
    let Some(context) = kernel.contexts.get_mut(label) else { return };
    for role in [&mut context.init, &mut context.reaper] {
        if *role == Some(process) {
            *role = None;
        }
    }
}

/// A context has one task less. Without any it ends: nobody finds it any more, and who waits is told.
pub(super) fn let_go(kernel: &mut Kernel, label: Label) {
    let Some(key) = kernel.contexts.find(label) else { return };
    let context = kernel.contexts.table.at_mut(key);
    context.tasks -= 1;
    if context.tasks > 0 {
        return;
    }
    // No command is accepted by reboot(2) of a machine yet.
    let end = ContextWait { reboot_command: 0, exit_status: context.exit_status };
    let first = context.end.0.set(end).is_ok();
    assert!(first, "context {label} ends twice");
    kernel.contexts.by_label.remove(&label);
    kernel.contexts.table.remove(key);
    kernel.waits.wake(Channel::Context(key));
}

/// As wait(2) packs it. Nothing that a machine ends leaves a core file.
fn packed(status: WaitStatus) -> i32 {
    match status {
        WaitStatus::Exited(code) => i32::from(code) << 8,
        WaitStatus::Killed(signal) => signal.number(),
        WaitStatus::Stopped(_) | WaitStatus::Continued => {
            unreachable!("a task that has exited neither stops nor goes on: {status:?}")
        }
    }
}
