//! Ends: of a thread, of a process, and of the zombie that it leaves (_exit(2), wait(2)).

use standin::ExitCode;
use standin::Signal;
use standin::backend::WaitStatus;

use crate::kernel::Kernel;
use crate::list::iterate;
use crate::namespace::{pid, user};
use crate::task::{ProcessKey, State, ThreadKey, family, footing, job, memory, signal};
use crate::wait::Channel;
use crate::{cgroup, context, fs, namespace, shared};

/// What exit(3) says of a code: its low eight bits.
pub(crate) fn exit_status(code: ExitCode) -> WaitStatus {
    let [low, ..] = code.0.to_le_bytes();
    WaitStatus::Exited(low)
}

/// Ends a process with all its threads: it is a zombie then, or gone if nobody would wait for it. Threads that the v1 freezer
/// holds, and the process with them, end when they are thawed.
pub(crate) fn exit_process(kernel: &mut Kernel, process: ProcessKey, status: WaitStatus) {
    let record = kernel.tasks.processes.at(process);
    let leader = record.leader;
    if record.is_zombie() || is_under_way(kernel, process) {
        return;
    }
    let status = record.ending().unwrap_or(status);
    if let Some(order) = &mut kernel.order {
        order.ends_now();
    }
    assert!(process != kernel.tasks.init, "process 1 ends: {status:?}");
    if record.outlives_all() {
        return;
    }
    if is_held(kernel, process) {
        begin_end(kernel, process, status);
        return;
    }
    if record.threads.len() > 1 {
        for thread in others(kernel, process, leader) {
            end_thread(kernel, thread, status);
        }
    }
    leave(kernel, leader, status);
    end(kernel, process, status);
}

/// A process runs no more, and ends when one of its threads would go on; until then it is there like any other.
pub(crate) fn doom(kernel: &mut Kernel, process: ProcessKey, status: WaitStatus) {
    let more = kernel.tasks.processes.at_mut(process).more_mut();
    (more.ending, more.is_doomed) = (Some(status), true);
    let threads = signal::live_threads(kernel, process);
    for thread in &threads {
        kernel.tasks.threads.at_mut(*thread).attention = true;
    }
    let goes_on = threads.iter().any(|thread| kernel.waits.is_woken(*thread));
    if let Some(first) = threads.first().filter(|_| !goes_on) {
        kernel.waits.make_runnable(*first);
    }
}

/// The time of a doomed process has come: ends it. Whether the thread's is one.
pub(crate) fn meet_doom(kernel: &mut Kernel, thread: ThreadKey) -> bool {
    let Some(record) = kernel.tasks.threads.get(thread) else { return false };
    let process = record.process;
    let Some(more) = kernel.tasks.processes.at_mut(process).more.as_deref_mut() else {
        return false;
    };
    if !std::mem::take(&mut more.is_doomed) {
        return false;
    }
    let Some(status) = more.ending.take() else { return false };
    exit_process(kernel, process, status);
    true
}

/// Whether all threads of it have exited already: its end may end others, and their end send it a signal.
fn is_under_way(kernel: &Kernel, process: ProcessKey) -> bool {
    let threads = kernel.tasks.processes.at(process).threads;
    iterate(&kernel.tasks.threads, threads, |thread| &thread.siblings)
        .all(|(_, thread)| thread.exited)
}

/// Whether the v1 freezer holds a thread of it.
fn is_held(kernel: &Kernel, process: ProcessKey) -> bool {
    let threads = kernel.tasks.processes.at(process).threads;
    iterate(&kernel.tasks.threads, threads, |thread| &thread.siblings)
        .any(|(_, thread)| thread.frozen_v1 && !thread.exited)
}

/// Ends the threads of a process that nothing holds.
fn begin_end(kernel: &mut Kernel, process: ProcessKey, status: WaitStatus) {
    let record = kernel.tasks.processes.at_mut(process);
    record.more_mut().ending = Some(status);
    let threads = record.threads;
    let free: Vec<ThreadKey> = iterate(&kernel.tasks.threads, threads, |thread| &thread.siblings)
        .filter(|(_, thread)| !thread.frozen_v1 && !thread.exited)
        .map(|(key, _)| key)
        .collect();
    for thread in free {
        end_alone(kernel, thread, status);
    }
}

/// A thread is thawed: whether it ends by that, because its process does.
pub(crate) fn thawed(kernel: &mut Kernel, thread: ThreadKey) -> bool {
    let process = kernel.tasks.process_of(thread);
    let Some(status) = kernel.tasks.processes.at(process).ending() else { return false };
    end_alone(kernel, thread, status);
    true
}

/// Ends one thread; the last one ends its process.
pub(crate) fn exit_thread(kernel: &mut Kernel, thread: ThreadKey, code: ExitCode) {
    end_alone(kernel, thread, exit_status(code));
}

fn end_alone(kernel: &mut Kernel, thread: ThreadKey, status: WaitStatus) {
    let process = kernel.tasks.process_of(thread);
    let record = kernel.tasks.processes.at(process);
    let leader = record.leader;
    let heir = iterate(&kernel.tasks.threads, record.threads, |thread| &thread.siblings)
        .find(|(key, other)| *key != thread && !other.exited)
        .map(|(key, _)| key);
    let Some(heir) = heir else { return exit_process(kernel, process, status) };
    leave(kernel, thread, status);
    signal::retarget(kernel, thread);
    family::inherit(kernel, process, thread, heir);
    if thread != leader {
        release_thread(kernel, thread);
    }
}

/// The threads of a process but one.
pub(super) fn others(kernel: &Kernel, process: ProcessKey, but: ThreadKey) -> Vec<ThreadKey> {
    let threads = kernel.tasks.processes.at(process).threads;
    let threads = iterate(&kernel.tasks.threads, threads, |thread| &thread.siblings);
    threads.map(|(key, _)| key).filter(|key| *key != but).collect()
}

/// Ends a thread that is not the leader, whose process goes on or ends as a whole.
pub(super) fn end_thread(kernel: &mut Kernel, thread: ThreadKey, status: WaitStatus) {
    leave(kernel, thread, status);
    release_thread(kernel, thread);
}

/// A process that was made a moment ago is no more, and nobody is told.
pub(super) fn undo(kernel: &mut Kernel, leader: ThreadKey) {
    let process = kernel.tasks.process_of(leader);
    pid::undone(kernel, process);
    leave(kernel, leader, exit_status(ExitCode::FAILURE));
    shared::forget(kernel, process);
    memory::forget(kernel, process);
    let record = kernel.tasks.processes.at_mut(process);
    let (directory, descriptors) = (record.directory, std::mem::take(&mut record.descriptors));
    fs::descriptors::close_all(kernel, descriptors);
    fs::let_go(kernel, directory);
    reap(kernel, process);
}

/// A thread runs no more. What it waited for is of no interest now; whoever runs it finds it dead.
fn leave(kernel: &mut Kernel, thread: ThreadKey, status: WaitStatus) {
    let record = kernel.tasks.threads.at_mut(thread);
    if std::mem::replace(&mut record.exited, true) {
        return;
    }
    // Whoever asks whether it may go on looks closer.
    record.attention = true;
    // It holds none, also if it stays as a zombie.
    let namespaces = record.namespaces.take();
    kernel.waits.wake_thread(thread);
    if !kernel.tasks.starts.is_empty() && kernel.tasks.starts.remove(&thread).is_some() {
        kernel.waits.unmake_runnable(thread);
    }
    cgroup::exited(kernel, thread);
    namespace::leave(kernel, namespaces);
    footing::leave(kernel, thread);
    context::exited(kernel, thread, status);
}

/// A thread that has exited, and is not the leader, is gone at once.
fn release_thread(kernel: &mut Kernel, thread: ThreadKey) {
    cgroup::reaped(kernel, thread);
    signal::forget_thread(&mut kernel.tasks, thread);
    let record = kernel.tasks.threads.at(thread);
    let (process, number, account) = (record.process, record.number, record.account);
    let namespace = record.credentials.namespace;
    kernel.tasks.accounts.remove_thread(account);
    kernel.tasks.numbers.remove(&number);
    let tasks = &mut kernel.tasks;
    tasks
        .processes
        .at_mut(process)
        .threads
        .remove(&mut tasks.threads, thread, |thread| &mut thread.siblings);
    tasks.threads.discard(thread);
    user::let_go(kernel, namespace);
    pid::release(kernel, number);
}

/// No thread of the process runs any more.
fn end(kernel: &mut Kernel, process: ProcessKey, status: WaitStatus) {
    forget_all(kernel, process);
    if !pid::is_init(kernel, process) || pid::end_others(kernel, process, status) {
        finish(kernel, process, status);
    }
}

/// What a process holds, it holds no more.
fn forget_all(kernel: &mut Kernel, process: ProcessKey) {
    let record = kernel.tasks.processes.at_mut(process);
    let (directory, descriptors) = (record.directory, std::mem::take(&mut record.descriptors));
    if record.more.is_some() {
        shared::forget(kernel, process);
        memory::forget(kernel, process);
    }
    fs::descriptors::close_all(kernel, descriptors);
    fs::let_go(kernel, directory);
    context::process_ended(kernel, process);
}

/// A process that runs no more is a zombie, or gone if nobody would wait for it.
pub(crate) fn finish(kernel: &mut Kernel, process: ProcessKey, status: WaitStatus) {
    let status = pid::end_status(kernel, process, status);
    let record = kernel.tasks.processes.at(process);
    let leader = record.leader;
    let wishes =
        if record.children.is_empty() { Vec::new() } else { family::bequeath(kernel, process) };
    if let Some(parent) = kernel.tasks.processes.at(process).parent {
        job::orphan(kernel, process, parent, true);
    }
    // Who is stopped by what it wished for is so after all that: no group was orphaned with it as a stopped member.
    for (child, wish) in wishes {
        signal::send_parent_death(kernel, leader, child, wish);
    }
    // The parent may have been one of those whom that has ended: then somebody else is it now.
    let Some(parent) = kernel.tasks.processes.at(process).parent else { return };
    kernel.tasks.processes.at_mut(process).state = State::Zombie(status);
    if let Some(ends) = &mut kernel.tasks.ends {
        ends.insert(process, status);
    }
    kernel.waits.wake(Channel::Process(process));
    if family::tell_death(kernel, parent) {
        reap(kernel, process);
    }
}

/// The end of a zombie: somebody has waited for it, or nobody will.
pub(crate) fn reap(kernel: &mut Kernel, process: ProcessKey) {
    let record = kernel.tasks.processes.at(process);
    let (leader, parent) = (record.leader, record.parent);
    let has_pending = !record.pending.is_empty();
    cgroup::reaped(kernel, leader);
    let tasks = &mut kernel.tasks;
    let record = tasks.threads.at(leader);
    let (number, account) = (record.number, record.account);
    let namespace = record.credentials.namespace;
    if !record.pending.is_empty() {
        signal::forget_thread(tasks, leader);
    }
    if has_pending {
        signal::forget(tasks, process);
    }
    let left = tasks.leave_job(process);
    if let Some(parent) = parent {
        tasks.disown(parent, process);
    }
    tasks.accounts.remove_thread(account);
    tasks.numbers.remove(&number);
    tasks.threads.discard(leader);
    tasks.processes.discard(process);
    user::let_go(kernel, namespace);
    kernel.waits.wake(Channel::Process(process));
    pid::release(kernel, number);
    job::release(kernel, left);
}

impl Kernel {
    /// Ends every process but the first, as by SIGKILL: the machine is being taken down.
    pub(crate) fn kill_everything(&mut self) {
        let init = self.tasks.init;
        let all: Vec<ProcessKey> =
            self.tasks.processes.iter().map(|(key, _)| key).filter(|key| *key != init).collect();
        let held: Vec<ThreadKey> = self
            .tasks
            .threads
            .iter()
            .filter(|(_, thread)| thread.frozen_v1)
            .map(|(key, _)| key)
            .collect();
        for thread in held {
            self.tasks.threads.at_mut(thread).frozen_v1 = false;
        }
        for process in all {
            if self.tasks.processes.get(process).is_some() {
                exit_process(self, process, WaitStatus::Killed(Signal::KILL));
            }
        }
    }
}
