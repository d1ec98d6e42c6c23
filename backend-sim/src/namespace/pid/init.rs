//! The first process of a namespace: what reaches it from inside, who its orphans are, and whom its end takes along
//! (pid_namespaces(7), The namespace init process).

use standin::backend::{RebootCommand, WaitStatus};
use standin::{Capability, Errno, ExitCode, Failure, Signal};

use super::PidNsKey;
use crate::kernel::Kernel;
use crate::list::iterate;
use crate::namespace::{Held, owner, user};
use crate::step::Step;
use crate::task::signal::{self, Force};
use crate::task::{Process, ProcessKey, ThreadKey, exit};

/// The nested namespace whose first process this is.
fn led(kernel: &Kernel, process: ProcessKey) -> Option<PidNsKey> {
    let number = kernel.tasks.processes.at(process).number;
    let (key, _) = kernel.inner(number)?.own();
    (kernel.pids(key).init == Some(process)).then_some(key)
}

/// Whether a process is the first of a nested namespace.
pub(crate) fn is_init(kernel: &Kernel, process: ProcessKey) -> bool {
    !kernel.tasks.inner.is_empty() && led(kernel, process).is_some()
}

/// Whether a process gets no signal that it does not handle: the machine's process 1, and the first of a namespace.
pub(crate) fn is_unkillable(kernel: &Kernel, process: ProcessKey) -> bool {
    process == kernel.tasks.init || is_init(kernel, process)
}

/// Who gets the orphans of a process, if nobody nearer asked for them.
pub(crate) fn reaper(kernel: &Kernel, process: ProcessKey) -> ProcessKey {
    let number = kernel.tasks.processes.at(process).number;
    let init = kernel.inner(number).and_then(|inner| kernel.pids(inner.own().0).init);
    init.unwrap_or(kernel.tasks.init)
}

/// The first process of a namespace runs no more: nobody is born there any more, and everybody ends. Whether all are gone; if
/// not, it is not over before they are, which `status` waits for.
pub(crate) fn end_others(kernel: &mut Kernel, process: ProcessKey, status: WaitStatus) -> bool {
    let Some(key) = led(kernel, process) else { return true };
    let namespace = kernel.pids_mut(key);
    namespace.is_closed = true;
    let mut all: Vec<(u32, u32)> = namespace.numbers.iter().map(|(own, of)| (*own, *of)).collect();
    all.sort_unstable();
    // It waits for all that it gets from here on.
    let more = kernel.tasks.processes.at_mut(process).more_mut();
    more.actions.ignored.insert(Signal::CHLD);
    more.ending = Some(status);
    for (_, number) in all {
        let Some(thread) = kernel.tasks.by_number(number) else { continue };
        let other = kernel.tasks.process_of(thread);
        if other != process {
            signal::kill(kernel, other, Force::Yes);
        }
    }
    let children = kernel.tasks.processes.at(process).children;
    let ended: Vec<ProcessKey> =
        iterate(&kernel.tasks.processes, children, |child| &child.siblings)
            .filter(|(_, child)| child.is_zombie())
            .map(|(key, _)| key)
            .collect();
    for child in ended {
        exit::reap(kernel, child);
    }
    let is_alone = kernel.pids(key).numbers.len() <= 1;
    let more = kernel.tasks.processes.at_mut(process).more_mut();
    more.outlives_all = !is_alone;
    if is_alone {
        more.ending = None;
    }
    is_alone
}

/// How the first process of a namespace ends: by a reboot if there was one.
pub(crate) fn end_status(kernel: &Kernel, process: ProcessKey, status: WaitStatus) -> WaitStatus {
    let reboot = led(kernel, process).and_then(|key| kernel.pids(key).reboot);
    reboot.map_or(status, WaitStatus::Killed)
}

/// A number of a namespace is free: if its first process waits for the last of them, it is over now.
pub(super) fn resume(kernel: &mut Kernel, key: PidNsKey) {
    let namespace = kernel.pids(key);
    if !namespace.is_closed || namespace.numbers.len() > 1 {
        return;
    }
    let Some(process) = namespace.init else { return };
    if kernel.tasks.processes.get(process).is_none_or(|record| !record.outlives_all()) {
        return;
    }
    let more = kernel.tasks.processes.at_mut(process).more_mut();
    more.outlives_all = false;
    if let Some(status) = more.ending.take() {
        exit::finish(kernel, process, status);
    }
}

/// A process that was made a moment ago is no more.
pub(crate) fn undone(kernel: &mut Kernel, process: ProcessKey) {
    if let Some(key) = led(kernel, process) {
        kernel.pids_mut(key).is_closed = true;
    }
}

/// reboot(2): the first process of the caller's namespace ends, and with it everybody there.
///
/// # Errors
/// EPERM without `CAP_SYS_BOOT` where the namespace was made. `NotModelled` in the machine's first one.
pub(crate) fn reboot(kernel: &mut Kernel, caller: ThreadKey, command: RebootCommand) -> Step<()> {
    let key = kernel.pid_ns(caller);
    let own = kernel.credentials(caller).holder();
    if !user::capable(kernel, own, owner(kernel, Held::Pid(key)), Capability::SYS_BOOT) {
        return Err(Errno::EPERM.into());
    }
    let namespace = kernel.pids_mut(key);
    let Some(init) = namespace.init else {
        return Err(Failure::NotModelled("reboot of the machine").into());
    };
    namespace.reboot = Some(match command {
        RebootCommand::Restart => Signal::HUP,
        RebootCommand::Halt | RebootCommand::PowerOff => Signal::INT,
    });
    signal::kill(kernel, init, Force::Yes);
    if kernel.tasks.is_alive(caller) {
        exit::exit_thread(kernel, caller, ExitCode(0));
    }
    Ok(())
}

impl Process {
    /// Whether it is the first of a PID namespace, has ended, and is not over before all others there are.
    pub(crate) fn outlives_all(&self) -> bool {
        self.more.as_ref().is_some_and(|more| more.outlives_all)
    }
}
