//! Waiting for children (waitid(2)).

use standin::backend::{WaitOptions, WaitStatus};
use standin::{Errno, Failure};

use crate::kernel::Kernel;
use crate::list::iterate;
use crate::step::{Step, Wait};
use crate::task::{ProcessKey, State, ThreadKey, exit};
use crate::wait::Channel;

/// waitid(2) for a process that the caller holds. `None` only if it must not block.
///
/// # Errors
/// ECHILD if it is no child of the caller's process, or was reaped.
pub(crate) fn wait(
    kernel: &mut Kernel,
    caller: ThreadKey,
    process: ProcessKey,
    options: WaitOptions,
) -> Step<Option<WaitStatus>> {
    let own = kernel.tasks.process_of(caller);
    let child = kernel.tasks.processes.get(process).filter(|child| child.parent == Some(own));
    if child.is_none() {
        return Err(Errno::ECHILD.into());
    }
    may_wait(kernel, caller, process)?;
    match news(kernel, process, options) {
        Some(status) => Ok(Some(status)),
        None if options.nonblocking => Ok(None),
        None => Err(Wait::on(Channel::Children(own)).into()),
    }
}

/// waitid(2) for whichever child has news first, in the order in which they became children.
///
/// # Errors
/// ECHILD if the caller's process has no child.
pub(crate) fn wait_any(
    kernel: &mut Kernel,
    caller: ThreadKey,
    options: WaitOptions,
) -> Step<Option<(u32, WaitStatus)>> {
    let own = kernel.tasks.process_of(caller);
    let list = kernel.tasks.processes.at(own).children;
    if list.is_empty() {
        return Err(Errno::ECHILD.into());
    }
    let children = iterate(&kernel.tasks.processes, list, |child| &child.siblings);
    // A child that runs has no news unless it went on after a stop.
    let children: Vec<ProcessKey> = children
        .filter(|(_, child)| child.state != State::Alive || child.continued)
        .map(|(key, _)| key)
        .collect();
    for child in children {
        may_wait(kernel, caller, child)?;
        let number = kernel.tasks.processes.at(child).number;
        if let Some(status) = news(kernel, child, options) {
            return Ok(Some((kernel.number_for(caller, number), status)));
        }
    }
    if options.nonblocking { Ok(None) } else { Err(Wait::on(Channel::Children(own)).into()) }
}

/// Whether a parent is told of a child in another context is not known.
fn may_wait(kernel: &Kernel, caller: ThreadKey, child: ProcessKey) -> Step<()> {
    if kernel.shares_context_with(caller, child) {
        Ok(())
    } else {
        Err(Failure::NotModelled("waiting for a child in another context").into())
    }
}

/// What there is to tell of a child; it is told once unless it is to be kept.
fn news(kernel: &mut Kernel, process: ProcessKey, options: WaitOptions) -> Option<WaitStatus> {
    let record = kernel.tasks.processes.at_mut(process);
    match record.state {
        State::Zombie(status) => {
            if !options.keep {
                inherit_use(kernel, process);
                exit::reap(kernel, process);
            }
            return Some(status);
        }
        State::Stopped { by, told: false } if options.stopped => {
            if !options.keep {
                record.state = State::Stopped { by, told: true };
            }
            return Some(WaitStatus::Stopped(by));
        }
        State::Stopped { .. } | State::Alive => {}
    }
    if record.continued && options.continued {
        record.continued = options.keep;
        return Some(WaitStatus::Continued);
    }
    None
}

/// What a child and those it waited for used of the processors counts for its parent's children (times(2)).
fn inherit_use(kernel: &mut Kernel, child: ProcessKey) {
    let record = kernel.tasks.processes.at(child);
    let used_ns = record.used_ns() + record.used_by_children_ns();
    if let Some(parent) = record.parent.filter(|_| used_ns > 0) {
        kernel.tasks.processes.at_mut(parent).more_mut().used_by_children_ns += used_ns;
    }
}
