//! What must hold of all processes and threads between two calls.

use crate::kernel::Kernel;
use crate::list::iterate;
use crate::task::{Process, ProcessKey, Tasks, Thread, ThreadKey};

/// The first thing found that does not hold.
///
/// # Errors
/// A sentence that names the process or thread.
pub(crate) fn check(kernel: &Kernel) -> Result<(), String> {
    let tasks = &kernel.tasks;
    for (key, process) in tasks.processes.iter() {
        check_process(tasks, key, process)
            .map_err(|what| format!("process {}: {what}", process.number))?;
    }
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

fn check_process(tasks: &Tasks, key: ProcessKey, process: &Process) -> Result<(), String> {
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
    require(listed == process.threads.len(), "the list of threads is as long as it says")?;
    let is_over = process.is_zombie() || process.outlives_all();
    require(is_over == (live == 0), "it is a zombie if no thread lives")?;
    require(!process.is_zombie() || process.children.is_empty(), "a zombie has no children")?;
    match process.parent {
        None => require(key == tasks.init, "only process 1 has no parent")?,
        Some(parent) => {
            let parent = tasks.processes.get(parent).ok_or("its parent is gone")?;
            let mut children = iterate(&tasks.processes, parent.children, |child| &child.siblings);
            require(children.any(|(child, _)| child == key), "its parent knows it")?;
            let thread = process.parent_thread.and_then(|thread| tasks.threads.get(thread));
            require(
                thread.is_some_and(|thread| !thread.exited || parent.outlives_all()),
                "a live thread of its parent is responsible for it",
            )?;
        }
    }
    let mut members =
        iterate(&tasks.processes, tasks.jobs.get(process.job).members, |member| &member.job_links);
    require(members.any(|(member, _)| member == key), "its process group knows it")?;
    let leads = process.leads_session;
    require(!leads || tasks.job_of(key).session == process.number, "who leads a session is in it")
}

fn check_thread(kernel: &Kernel, key: ThreadKey, thread: &Thread) -> Result<(), String> {
    let tasks = &kernel.tasks;
    require(tasks.numbers.get(&thread.number) == Some(&key), "its number leads to it")?;
    let process = tasks.processes.get(thread.process).ok_or("its process is gone")?;
    let mut threads = iterate(&tasks.threads, process.threads, |thread| &thread.siblings);
    require(threads.any(|(other, _)| other == key), "its process knows it")?;
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
    require(idle, "a thread that may go on has taken what is pending for it")?;
    require(!thread.exited || kernel.waits.wait_of(key).is_none(), "the dead wait for nothing")
}

fn check_counts(tasks: &Tasks) -> Result<(), String> {
    for (key, account) in tasks.accounts.iter() {
        let counts = |(_, thread): &(ThreadKey, &Thread)| {
            tasks.accounts.chain(thread.account).any(|account| account == key)
        };
        let threads = tasks.threads.iter().filter(counts).count();
        let counted = usize::try_from(account.threads) == Ok(threads);
        require(
            counted,
            &format!("user {} has {threads} threads and not {}", account.user, account.threads),
        )?;
    }
    for (key, job) in tasks.jobs.iter() {
        require(!job.members.is_empty(), &format!("group {} has a process", job.number))?;
        let found = tasks.jobs.find(job.number) == Some(key);
        require(found, &format!("group {} is found by its number", job.number))?;
    }
    Ok(())
}
