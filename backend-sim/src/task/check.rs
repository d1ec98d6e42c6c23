//! What must hold of all processes and threads between two calls.

use std::collections::BTreeMap;

use crate::kernel::Kernel;
use crate::list::iterate;
use crate::task::{AccountKey, Process, ProcessKey, Tasks, Thread, ThreadKey};

/// The first thing found that does not hold.
///
/// # Errors
/// A sentence that names the process or thread.
pub(crate) fn check(kernel: &Kernel) -> Result<(), String> {
    let tasks = &kernel.tasks;
    let mut listed = Listed::default();
    for (key, process) in tasks.processes.iter() {
        check_process(tasks, key, process, &mut listed)
            .map_err(|what| format!("process {}: {what}", process.number))?;
    }
    // Who is in a list names its owner, so none is in two: if all lists are as long as the table, each is in one.
    require(listed.threads == tasks.threads.len(), "its process knows each thread")?;
    require(listed.children + 1 == tasks.processes.len(), "its parent knows each process")?;
    for (key, thread) in tasks.threads.iter() {
        check_thread(kernel, key, thread)
            .map_err(|what| format!("thread {}: {what}", thread.number))?;
    }
    require(tasks.numbers.len() == tasks.threads.len(), "as many numbers as threads")?;
    check_counts(tasks)
}

fn require(holds: bool, what: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(format!("does not hold: {what}")) }
}

/// How many were met in the lists of all processes.
#[derive(Default)]
struct Listed {
    threads: usize,
    children: usize,
}

fn check_process(
    tasks: &Tasks,
    key: ProcessKey,
    process: &Process,
    all: &mut Listed,
) -> Result<(), String> {
    let leader = tasks.threads.get(process.leader).ok_or("its leader is gone")?;
    require(
        leader.process == key && leader.number == process.number,
        "the leader is its own and has its number",
    )?;
    let mut live = 0;
    let mut listed = 0;
    for (thread, record) in iterate(&tasks.threads, process.threads, |thread| &thread.siblings) {
        listed += 1;
        live += u32::from(!record.exited);
        require(record.process == key, "its threads know it")?;
        require(
            !record.exited || thread == process.leader,
            "of those that have exited only the leader stays",
        )?;
    }
    require(listed == process.threads.len() as usize, "the list of threads is as long as it says")?;
    all.threads += listed;
    let mut children = 0;
    for (_, child) in iterate(&tasks.processes, process.children, |child| &child.siblings) {
        children += 1;
        require(child.parent == Some(key), "its children know it")?;
    }
    require(
        children == process.children.len() as usize,
        "the list of children is as long as it says",
    )?;
    all.children += children;
    let is_over = process.is_zombie() || process.outlives_all();
    require(is_over == (live == 0), "it is a zombie if no thread lives")?;
    require(!process.is_zombie() || process.children.is_empty(), "a zombie has no children")?;
    match process.parent {
        None => require(key == tasks.init, "only process 1 has no parent")?,
        Some(parent) => {
            let parent = tasks.processes.get(parent).ok_or("its parent is gone")?;
            let thread = process.parent_thread.and_then(|thread| tasks.threads.get(thread));
            require(
                thread.is_some_and(|thread| !thread.exited || parent.outlives_all()),
                "a live thread of its parent is responsible for it",
            )?;
        }
    }
    let leads = process.leads_session;
    require(!leads || tasks.job_of(key).session == process.number, "who leads a session is in it")
}

fn check_thread(kernel: &Kernel, key: ThreadKey, thread: &Thread) -> Result<(), String> {
    let tasks = &kernel.tasks;
    require(tasks.numbers.get(&thread.number) == Some(&key), "its number leads to it")?;
    let process = tasks.processes.get(thread.process).ok_or("its process is gone")?;
    require(
        {
            let account = tasks.accounts.get(thread.account);
            let own = &thread.credentials;
            (account.label, account.namespace, account.user)
                == (thread.label, own.namespace, own.user.real)
        },
        "it counts for its real user in its context and user namespace",
    )?;
    let sets = thread.credentials.capabilities;
    require(sets.permitted.contains_all(sets.effective), "effective is part of permitted")?;
    require(
        sets.permitted.intersection(sets.inheritable).contains_all(sets.ambient),
        "ambient is part of both",
    )?;
    let held = thread.stands_still() || process.is_stopped();
    let idle = thread.exited || held || thread.attention || !super::signal::waiting(kernel, key);
    // What came for the process is left to the thread that was chosen, also if that one is frozen.
    let is_own = !thread.pending.difference(thread.mask).is_empty();
    let mut others = iterate(&tasks.threads, process.threads, |thread| &thread.siblings);
    let is_left = !is_own && others.any(|(_, other)| other.stands_still());
    require(idle || is_left, "a thread that may go on has taken what is pending for it")?;
    require(!thread.exited || kernel.waits.wait_of(key).is_none(), "the dead wait for nothing")
}

fn check_counts(tasks: &Tasks) -> Result<(), String> {
    let mut counted: BTreeMap<AccountKey, u32> = BTreeMap::new();
    for (_, thread) in tasks.threads.iter() {
        for account in tasks.accounts.chain(thread.account) {
            *counted.entry(account).or_default() += 1;
        }
    }
    for (key, account) in tasks.accounts.iter() {
        let threads = counted.get(&key).copied().unwrap_or_default();
        let counted = account.threads == threads;
        require(
            counted,
            &format!("user {} has {threads} threads and not {}", account.user, account.threads),
        )?;
    }
    let mut members = 0;
    for (key, job) in tasks.jobs.iter() {
        for (_, member) in iterate(&tasks.processes, job.members, |member| &member.job_links) {
            members += 1;
            require(member.job == key, &format!("those in group {} know it", job.number))?;
        }
        require(!job.members.is_empty(), &format!("group {} has a process", job.number))?;
        let found = tasks.jobs.find(job.number) == Some(key);
        require(found, &format!("group {} is found by its number", job.number))?;
    }
    require(members == tasks.processes.len(), "its process group knows each process")
}
