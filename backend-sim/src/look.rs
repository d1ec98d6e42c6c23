//! Looking at a machine from above: no process's call, no side effect.
//!
//! What is told is typed, and prints as the tools print it that people know: a tree of groups, a list of processes, who
//! waits for what.

use std::fmt::Write as _;

use parking_lot::MutexGuard;
use standin::Pid;
use standin::backend::WaitStatus;

use crate::cgroup::{Cgroup, CgroupKey};
use crate::kernel::Kernel;
use crate::list::iterate;
use crate::task::{State, ThreadKey};
use crate::wait::Channel;

/// A machine held still. Calls of other threads wait while this lives: drop it before the next call.
pub struct Look<'a> {
    kernel: MutexGuard<'a, Kernel>,
}

/// A process, as the machine knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessLook {
    /// Its number in the machine's first pid namespace.
    pub pid: Pid,
    /// Its parent's; 0 for process 1.
    pub parent: Pid,
    /// The path of its v2 group.
    pub cgroup: String,
    /// Its name (`comm`).
    pub name: String,
    /// What it is doing.
    pub state: StateLook,
    /// How many threads it has that have not exited.
    pub threads: u32,
}

/// What a process is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StateLook {
    /// Runs, or waits in a call.
    Running,
    /// Stands still with its group.
    Frozen,
    /// Stopped by a signal.
    Stopped,
    /// Dead, not yet waited for.
    Zombie(WaitStatus),
}

impl<'a> Look<'a> {
    pub(crate) const fn new(kernel: MutexGuard<'a, Kernel>) -> Self {
        Self { kernel }
    }

    /// Every process, by number.
    #[must_use]
    pub fn processes(&self) -> Vec<ProcessLook> {
        let kernel = &*self.kernel;
        let mut processes: Vec<ProcessLook> = kernel
            .tasks
            .processes
            .iter()
            .map(|(_, process)| {
                let leader = kernel.tasks.threads.at(process.leader);
                let parent =
                    process.parent.map_or(0, |parent| kernel.tasks.processes.at(parent).number);
                ProcessLook {
                    pid: Pid(process.number),
                    parent: Pid(parent),
                    cgroup: path(kernel, leader.cgroup),
                    name: String::from_utf8_lossy(&leader.name).into_owned(),
                    state: match process.state {
                        State::Zombie(status) => StateLook::Zombie(status),
                        State::Stopped { .. } => StateLook::Stopped,
                        State::Alive if leader.frozen => StateLook::Frozen,
                        State::Alive => StateLook::Running,
                    },
                    threads: process.threads.len(),
                }
            })
            .collect();
        processes.sort_by_key(|process| process.pid);
        processes
    }

    /// The v2 groups as a tree, each with its processes.
    #[must_use]
    pub fn tree(&self) -> String {
        let mut text = String::from("/\n");
        branch(&self.kernel, self.kernel.cgroups.root, "", &mut text);
        text
    }

    /// The paths of the v2 groups below the root, parents first, in the order in which they were made.
    #[must_use]
    pub fn cgroups(&self) -> Vec<String> {
        let mut paths = Vec::new();
        collect(&self.kernel, self.kernel.cgroups.root, &mut paths);
        paths
    }

    /// Who waits for what.
    #[must_use]
    pub fn waiting(&self) -> String {
        waiting(&self.kernel)
    }

    /// How many calls the machine has carried out.
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.kernel.census.operations
    }
}

fn path(kernel: &Kernel, group: CgroupKey) -> String {
    let mut bytes = Vec::new();
    crate::cgroup::path(kernel, group, &mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

fn children(kernel: &Kernel, group: CgroupKey) -> impl Iterator<Item = (CgroupKey, &Cgroup)> {
    iterate(&kernel.cgroups.table, kernel.cgroups.table.at(group).children, |child| &child.siblings)
}

fn collect(kernel: &Kernel, group: CgroupKey, paths: &mut Vec<String>) {
    for (child, _) in children(kernel, group) {
        paths.push(path(kernel, child));
        collect(kernel, child, paths);
    }
}

/// Prints what is below a group, as tree(1) does.
fn branch(kernel: &Kernel, group: CgroupKey, indent: &str, text: &mut String) {
    let members =
        iterate(&kernel.tasks.threads, kernel.cgroups.table.at(group).members, |thread| {
            &thread.members
        });
    let members: Vec<String> = members
        .map(|(_, thread)| format!("{} {}", thread.number, String::from_utf8_lossy(&thread.name)))
        .collect();
    let below: Vec<(CgroupKey, &Cgroup)> = children(kernel, group).collect();
    let lines = members.len() + below.len();
    for (index, line) in members.iter().enumerate() {
        let corner = if index + 1 == lines { "└─" } else { "├─" };
        let _ = writeln!(text, "{indent}{corner}{line}");
    }
    for (index, (child, record)) in below.into_iter().enumerate() {
        let last = members.len() + index + 1 == lines;
        let _ = writeln!(
            text,
            "{indent}{}{}/",
            if last { "└─" } else { "├─" },
            String::from_utf8_lossy(&record.name)
        );
        branch(kernel, child, &format!("{indent}{}", if last { "  " } else { "│ " }), text);
    }
}

/// A line for each thread that waits.
pub(crate) fn waiting(kernel: &Kernel) -> String {
    let mut text = String::new();
    for (key, thread) in kernel.tasks.threads.iter() {
        let Some((call, wait)) = kernel.waits.wait_of(key) else { continue };
        let name = String::from_utf8_lossy(&thread.name);
        let reasons: Vec<String> =
            wait.on.iter().map(|channel| reason(kernel, key, *channel)).collect();
        let _ =
            write!(text, "{} {name} waits in {call} for {}", thread.number, reasons.join(" or "));
        if let Some(until) = wait.until {
            let _ = write!(
                text,
                " until {}.{:09} s",
                until.ns / 1_000_000_000,
                until.ns % 1_000_000_000
            );
        }
        text.push('\n');
    }
    text
}

fn reason(kernel: &Kernel, thread: ThreadKey, channel: Channel) -> String {
    let number = |process| match kernel.tasks.processes.get(process) {
        Some(process) => process.number.to_string(),
        None => "a process that is gone".to_owned(),
    };
    match channel {
        Channel::Thread(_)
            if kernel.tasks.threads.get(thread).is_some_and(|thread| thread.frozen) =>
        {
            "its group to thaw".to_owned()
        }
        Channel::Thread(_) => "a signal to go on".to_owned(),
        Channel::Children(_) => "a child".to_owned(),
        Channel::Process(process) => format!("the end of {}", number(process)),
        Channel::Cgroup(group) => match kernel.cgroups.table.get(group) {
            Some(_) => format!("a change of {}", path(kernel, group)),
            None => "a change of a group that is gone".to_owned(),
        },
        Channel::Lock(_) => "a lock".to_owned(),
    }
}
