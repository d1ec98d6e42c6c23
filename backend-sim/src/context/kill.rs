//! Signals to what is in a context.

use standin::backend::ContextFlags;
use standin::id::Xid;
use standin::{Errno, Pid, Signal};

use super::gate::{self, Command};
use super::{Context, Label};
use crate::kernel::Kernel;
use crate::step::Step;
use crate::task::{ProcessKey, ThreadKey, signal};

/// Signals the processes that `pid` stands for: all (0), all but the first (-1), the first (1), that one (above 1).
///
/// # Errors
/// As [`gate::may`] and [`gate::administered`]. EACCES: the context is not the host's to administer any more, and more is
/// wanted than its first process. ESRCH: nobody is meant.
pub(crate) fn kill(
    kernel: &mut Kernel,
    caller: ThreadKey,
    xid: Xid,
    pid: i32,
    signal: Option<Signal>,
) -> Step<()> {
    gate::may(kernel, caller, Command::Kill)?;
    let key = gate::administered(kernel, caller, xid, Command::Kill)?;
    let context = kernel.contexts.table.at(key);
    let sealed = !context.has(ContextFlags::STATE_ADMIN);
    if sealed && (pid > 1 || (pid <= 0 && context.init.is_some())) {
        return Err(Errno::EACCES.into());
    }
    let signal = signal
        .map(|signal| if sealed && pid == 1 { guest_signal(context, signal) } else { signal });
    let meant = meant(kernel, context, pid);
    if meant.is_empty() {
        return Err(Errno::ESRCH.into());
    }
    if let Some(signal) = signal {
        for process in meant {
            // An earlier one's end may have been this one's too.
            if kernel.tasks.processes.get(process).is_some() {
                signal::send_kernel(kernel, process, signal);
            }
        }
    }
    Ok(())
}

/// A sealed guest can always be told to shut down: while others are inside, its first process gets INT whatever was meant.
const fn guest_signal(context: &Context, signal: Signal) -> Signal {
    if context.tasks > 1 { Signal::INT } else { signal }
}

fn meant(kernel: &Kernel, context: &Context, pid: i32) -> Vec<ProcessKey> {
    match pid {
        1 => context.init.into_iter().collect(),
        0 => members(kernel, context.label),
        -1 => {
            let mut all = members(kernel, context.label);
            all.retain(|process| Some(*process) != context.init);
            all
        }
        _ => u32::try_from(pid)
            .ok()
            .and_then(|pid| member(kernel, context.label, Pid(pid)))
            .into_iter()
            .collect(),
    }
}

/// The processes of a context, in order of their numbers' making; a process is where its first thread is.
fn members(kernel: &Kernel, label: Label) -> Vec<ProcessKey> {
    let tasks = &kernel.tasks;
    let all = tasks.processes.iter().filter(|(_, process)| {
        !process.is_zombie() && tasks.threads.at(process.leader).label == label
    });
    all.map(|(key, _)| key).collect()
}

/// The process that a number on the host leads to, if it is a member.
fn member(kernel: &Kernel, label: Label, pid: Pid) -> Option<ProcessKey> {
    let thread = kernel.tasks.by_number(pid.0)?;
    let record = kernel.tasks.threads.at(thread);
    (record.label == label && !record.exited).then_some(record.process)
}

#[cfg(test)]
mod tests {
    use standin::backend::{Backend, ContextFlags, Contexts, Delivery, MigrateFlags, Processes};
    use standin::id::Xid;
    use standin::{Errno, Failure, Signal};

    use crate::{Machine, View};

    fn commands(view: &View) -> &dyn Contexts {
        view.contexts().unwrap()
    }

    #[test]
    fn a_sealed_guest_with_a_first_process_can_be_told_to_shut_down_and_no_more() {
        let machine = Machine::builder().contexts().build();
        let root = machine.root();
        let [maker, init] = [root.fork().unwrap(), root.fork().unwrap()];
        commands(&maker).create(Xid(7), ContextFlags::NEW).unwrap();
        commands(&init).migrate(Xid(7), MigrateFlags::SET_INIT).unwrap();
        // As clearing STATE_ADMIN will leave it.
        let sealed = |machine: &Machine| {
            let mut kernel = machine.shared().lock();
            kernel.contexts.get_mut(7).unwrap().flags = ContextFlags::empty();
        };
        sealed(&machine);
        let kill = |pid| commands(&root).kill(Xid(7), pid, Some(Signal::KILL));
        let number = i32::try_from(maker.pid().unwrap().0).unwrap();
        for pid in [0, -1, -2, number, 77_777] {
            assert_eq!(kill(pid), Err(Errno::EACCES.into()), "{pid}");
        }
        init.set_delivery(Signal::INT, Delivery::Count).unwrap();
        kill(1).unwrap();
        assert_eq!(init.take_deliveries(Signal::INT), Ok(1), "while it is not alone");
        assert_eq!(maker.exit(standin::ExitCode(0)), Err(Failure::CallerDied));
        kill(1).unwrap();
        assert_eq!(init.pid(), Err(Failure::CallerDied));
        assert_eq!(kill(1), Err(Errno::ESRCH.into()), "the context ended with it");
        machine.check().unwrap();
        machine.finish().unwrap();
    }
}
