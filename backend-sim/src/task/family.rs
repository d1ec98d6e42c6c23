//! Parents and children: who gets a child when its parent ends, and what a parent is told (wait(2), prctl(2)
//! `PR_SET_CHILD_SUBREAPER` and `PR_SET_PDEATHSIG`).

use standin::Signal;

use crate::kernel::Kernel;
use crate::list::{iterate, unlink};
use crate::namespace::pid;
use crate::task::{ProcessKey, Tasks, ThreadKey, exit, job, signal};
use crate::wait::Channel;

impl Tasks {
    /// Makes a process that has no parent a child, behind the others.
    pub(super) fn adopt(&mut self, parent: ProcessKey, child: ProcessKey) {
        let seam = self.processes.at_mut(parent).children.extend(child);
        seam.sew(&mut self.processes, child, |child| &mut child.siblings);
        self.processes.at_mut(child).parent = Some(parent);
    }

    /// Takes a child from its parent.
    pub(super) fn disown(&mut self, parent: ProcessKey, child: ProcessKey) {
        let gap = unlink(&mut self.processes, child, |child| &mut child.siblings);
        self.processes.at_mut(parent).children.close(&gap);
    }
}

/// The first thread of a process that has not exited.
fn live_thread(tasks: &Tasks, process: ProcessKey) -> Option<ThreadKey> {
    let threads = tasks.processes.at(process).threads;
    iterate(&tasks.threads, threads, |thread| &thread.siblings)
        .find(|(_, thread)| !thread.exited)
        .map(|(key, _)| key)
}

/// Who gets the children of a process that ends: its nearest ancestor that asked for orphans, its context's reaper, or
/// the first process of its PID namespace.
fn reaper(kernel: &Kernel, process: ProcessKey) -> ProcessKey {
    let tasks = &kernel.tasks;
    let record = tasks.processes.at(process);
    let level = kernel.pid_level(record.number);
    let mut next = record.parent;
    while let Some(ancestor) = next {
        let record = tasks.processes.at(ancestor);
        // One outside of the namespace gets none of it.
        if kernel.pid_level(record.number) != level {
            break;
        }
        if record.subreaper && live_thread(tasks, ancestor).is_some() {
            return ancestor;
        }
        next = record.parent;
    }
    let label = tasks.threads.at(tasks.processes.at(process).leader).label;
    let reaper = kernel.contexts.reaper(label);
    reaper
        .filter(|reaper| live_thread(tasks, *reaper).is_some())
        .unwrap_or_else(|| pid::reaper(kernel, process))
}

/// What the threads of a child want to hear when the parent's thread ends.
fn last_wishes(tasks: &Tasks, child: ProcessKey) -> Vec<Signal> {
    let threads = tasks.processes.at(child).threads;
    iterate(&tasks.threads, threads, |thread| &thread.siblings)
        .filter_map(|(_, thread)| thread.parent_death)
        .collect()
}

/// A thread ends and its process lives on: another thread is the parent of its children now.
pub(super) fn inherit(
    kernel: &mut Kernel,
    process: ProcessKey,
    thread: ThreadKey,
    heir: ThreadKey,
) {
    let tasks = &mut kernel.tasks;
    let children =
        iterate(&tasks.processes, tasks.processes.at(process).children, |child| &child.siblings);
    let children: Vec<ProcessKey> = children
        .filter(|(_, child)| child.parent_thread == Some(thread))
        .map(|(key, _)| key)
        .collect();
    for child in children {
        kernel.tasks.processes.at_mut(child).parent_thread = Some(heir);
        for wish in last_wishes(&kernel.tasks, child) {
            signal::send_parent_death(kernel, thread, child, wish);
        }
    }
}

/// A process ends: its children become its reaper's. What they want to hear then.
pub(super) fn bequeath(kernel: &mut Kernel, process: ProcessKey) -> Vec<(ProcessKey, Signal)> {
    let reaper = reaper(kernel, process);
    let tasks = &mut kernel.tasks;
    let children =
        iterate(&tasks.processes, tasks.processes.at(process).children, |child| &child.siblings);
    let children: Vec<ProcessKey> = children.map(|(key, _)| key).collect();
    // The first process of a namespace gets them even while it ends.
    let heir = live_thread(tasks, reaper).unwrap_or(tasks.processes.at(reaper).leader);
    for child in &children {
        tasks.disown(process, *child);
        tasks.adopt(reaper, *child);
        tasks.processes.at_mut(*child).parent_thread = Some(heir);
    }
    let mut wishes = Vec::new();
    for child in children {
        let Some(record) = kernel.tasks.processes.get(child) else { continue };
        // A signal to an earlier one may have ended the reaper too.
        let (was_zombie, parent) = (record.is_zombie(), record.parent.unwrap_or(reaper));
        wishes.extend(last_wishes(&kernel.tasks, child).into_iter().map(|wish| (child, wish)));
        if was_zombie && tell_death(kernel, parent) {
            job::orphan(kernel, child, process, false);
            exit::reap(kernel, child);
        } else if kernel.tasks.processes.get(child).is_some() {
            job::orphan(kernel, child, process, false);
        }
    }
    wishes
}

/// Tells the parent of a process that has become a zombie: it gets CHLD, and looks again if it waits. Whether the zombie goes at once,
/// because its parent ignores CHLD.
pub(super) fn tell_death(kernel: &mut Kernel, parent: ProcessKey) -> bool {
    let ignores = kernel.tasks.processes.at(parent).ignored().contains(Signal::CHLD);
    if !ignores {
        signal::send_kernel(kernel, parent, Signal::CHLD);
    }
    kernel.waits.wake(Channel::Children(parent));
    ignores
}
