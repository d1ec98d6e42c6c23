//! Looking at a machine from above: no process's call, no side effect.
//!
//! What is told is typed, and prints as the tools print it that people know: a tree of groups, a list of processes, who
//! waits for what.

use std::fmt::Write as _;

use parking_lot::MutexGuard;
use standin::Pid;
use standin::backend::WaitStatus;

use crate::cgroup::CgroupKey;
use crate::fs::{FileKey, Lockable};
use crate::kernel::Kernel;
use crate::list::iterate;
use crate::schedule::Fault;
use crate::stock::Stock;
use crate::task::{Process, State, ThreadKey};
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
                        State::Alive if leader.stands_still() => StateLook::Frozen,
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
        tree(&self.kernel)
    }

    /// The paths of the v2 groups below the root, parents first, in the order in which they were made.
    #[must_use]
    pub fn cgroups(&self) -> Vec<String> {
        let cgroups = &self.kernel.cgroups;
        let below = crate::cgroup::subtree(&cgroups.table, cgroups.root).skip(1);
        below.map(|(group, _)| path(&self.kernel, group)).collect()
    }

    /// Who waits for what.
    #[must_use]
    pub fn waiting(&self) -> String {
        waiting(&self.kernel)
    }

    /// How much of what there is.
    #[must_use]
    pub fn stock(&self) -> Stock {
        Stock::of(&self.kernel)
    }

    /// The faults of the machine, each with how often it happened so far.
    #[must_use]
    pub fn faults(&self) -> Vec<(Fault, u64)> {
        self.kernel.faults.happened().map(|(fault, times)| (fault.clone(), times)).collect()
    }

    /// What went wrong because of them, in order, a sentence each.
    #[must_use]
    pub fn went_wrong(&self) -> Vec<String> {
        self.kernel.faults.told().to_vec()
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

/// The groups as tree(1) prints directories, each with its members. Groups nest as deep as anybody likes, so those still to
/// be printed are kept in a list of our own, with the length of what stands before them.
fn tree(kernel: &Kernel) -> String {
    let (table, root) = (&kernel.cgroups.table, kernel.cgroups.root);
    let corner = |last| if last { "└─" } else { "├─" };
    let mut text = String::from("/\n");
    let mut indent = String::new();
    let mut left = vec![(root, 0)];
    while let Some((group, length)) = left.pop() {
        indent.truncate(length);
        let record = table.at(group);
        if group != root {
            let last = record.siblings.is_last();
            let name = String::from_utf8_lossy(&record.name);
            let _ = writeln!(text, "{indent}{}{name}/", corner(last));
            indent.push_str(if last { "  " } else { "│ " });
        }
        for (_, thread) in iterate(&kernel.tasks.threads, record.members, |thread| &thread.members)
        {
            let last = record.children.is_empty() && thread.members.is_last();
            let name = String::from_utf8_lossy(&thread.name);
            let _ = writeln!(text, "{indent}{}{} {name}", corner(last), thread.number);
        }
        let below = iterate(table, record.children, |child| &child.siblings);
        let start = left.len();
        left.extend(below.map(|(child, _)| (child, indent.len())));
        if let Some(below) = left.get_mut(start..) {
            below.reverse();
        }
    }
    text
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
            if kernel.tasks.threads.get(thread).is_some_and(|thread| thread.stands_still()) =>
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
        Channel::Memory => "room for memory".to_owned(),
        Channel::Context(_) => "the end of a context".to_owned(),
        Channel::Processor => "its work to be done".to_owned(),
        Channel::Lock(on) => match lock_holders(kernel, on) {
            holders if holders.is_empty() => "a lock".to_owned(),
            holders => format!("a lock that {} has", holders.join(" and ")),
        },
        Channel::SocketInput(_) => "something to come to a socket".to_owned(),
        Channel::SocketOutput(_) => "room in a socket".to_owned(),
        Channel::SocketBacklog(_) => "a listener to accept".to_owned(),
        Channel::PipeInput(_) => "something to come into a pipe".to_owned(),
        Channel::PipeOutput(_) => "room in a pipe".to_owned(),
        Channel::Counter(_) => "a change of an event counter".to_owned(),
        Channel::Watcher(_) => "something to happen to a watched file".to_owned(),
        Channel::Mounts(_) => "a change of the mounts".to_owned(),
        Channel::Name(_) => "another name of the system".to_owned(),
        Channel::Futex(_, place) => format!("the word at {place} of shared memory"),
    }
}

/// The processes that have a locked file open, as they share its lock.
fn lock_holders(kernel: &Kernel, on: Lockable) -> Vec<String> {
    let locked: Vec<FileKey> = kernel.vfs.locks.holders(on).collect();
    let processes = kernel.tasks.processes.iter().map(|(_, process)| process);
    let holds =
        |process: &&Process| process.descriptors.iter().any(|(_, file)| locked.contains(&file));
    let name = |process: &Process| {
        let leader = kernel.tasks.threads.get(process.leader);
        let name = leader.map_or_else(String::new, |leader| {
            format!(" {}", String::from_utf8_lossy(&leader.name))
        });
        format!("{}{name}", process.number)
    };
    processes.filter(holds).map(name).collect()
}
