//! New processes and threads (fork(2), clone3(2)).

use standin::backend::{NamespaceKinds, RlimitResource};
use standin::{Capability, Errno, Failure, SignalSet};

use crate::cgroup::CgroupKey;
use crate::fs::proc::sysctl;
use crate::kernel::Kernel;
use crate::list::{Links, List};
use crate::namespace::pid::{self, Taken};
use crate::namespace::{self, Joined, Renewal, user};
use crate::step::Step;
use crate::task::{Caught, More, Process, State, Thread, ThreadKey, footing, memory};
use crate::{cgroup, context, fs, shared};

/// What is made, and where.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ForkOptions {
    /// A thread of the caller's process, not a process (`CLONE_THREAD`).
    pub(crate) thread: bool,
    /// The group that it is born in; else the caller's (`CLONE_INTO_CGROUP`).
    pub(crate) into: Option<CgroupKey>,
    /// The namespaces that it is born in; else the caller's.
    pub(crate) joined: Option<Joined>,
    /// Kinds of which it gets a new namespace (`CLONE_NEW*`).
    pub(crate) new: NamespaceKinds,
}

/// clone3(2): the new process's first thread, or the new thread.
///
/// # Errors
/// EINVAL: a thread of who has another PID namespace for its children or, on 6.1, another time. EAGAIN: the user's limit of processes, a group's,
/// or no number is left. ENOMEM: the first process of its PID namespace has ended. What the target group refuses; as [`Renewal::check`].
pub(crate) fn fork(
    kernel: &mut Kernel,
    caller: ThreadKey,
    options: ForkOptions,
) -> Step<ThreadKey> {
    if kernel.tasks.threads.len() >= kernel.profile.limits.threads {
        return Err(Failure::LimitReached("threads").into());
    }
    if options.new.contains(NamespaceKinds::USER) {
        user::check_new(kernel, caller)?;
    }
    if options.thread && !namespace::lets_threads_be(kernel, caller) {
        return Err(Errno::EINVAL.into());
    }
    if exceeds_processes(kernel, caller, 1) {
        return Err(Errno::EAGAIN.into());
    }
    sysctl::check_threads(kernel)?;
    kernel.tasks.threads.at_mut(caller).exceeds_processes = false;
    let renewal = Renewal::check(kernel, caller, options.new)?;
    let home = options.joined.map_or_else(|| pid::of_children(kernel, caller), Joined::of_children);
    let numbers = pid::take(kernel, home)?;
    let claim = cgroup::can_fork(kernel, caller, options.into, options.thread)
        .inspect_err(|_| pid::give_up(kernel, home))?;
    let child = if options.thread {
        thread(kernel, caller, numbers)
    } else {
        process(kernel, caller, numbers)
    };
    namespace::born(kernel, caller, child, options.joined, renewal);
    context::born(kernel, child);
    cgroup::born(kernel, claim, child);
    Ok(child)
}

/// Whether the caller's user would have too many processes with `more` of them. Root never has, nor has who may exceed
/// limits.
pub(super) fn exceeds_processes(kernel: &Kernel, caller: ThreadKey, more: u32) -> bool {
    let record = kernel.tasks.threads.at(caller);
    if record.credentials.capable(Capability::SYS_RESOURCE)
        || record.credentials.capable(Capability::SYS_ADMIN)
    {
        return false;
    }
    let limit = kernel.soft_limit(record.process, RlimitResource::Processes);
    record.credentials.user.real != standin::Uid::ROOT
        && kernel.tasks.accounts.exceed(record.account, more, limit)
}

/// A thread record like the caller's, of a process that the caller names.
fn like(kernel: &Kernel, caller: ThreadKey, number: u32) -> Thread {
    let record = kernel.tasks.threads.at(caller);
    Thread {
        number,
        process: record.process,
        siblings: Links::default(),
        credentials: record.credentials.clone(),
        account: record.account,
        cgroup: record.cgroup,
        places: record.places,
        members: Links::default(),
        namespaces: record.namespaces,
        footing: None,
        pending: SignalSet::EMPTY,
        mask: record.mask,
        label: record.label,
        name: record.name,
        nice: record.nice,
        parent_death: None,
        exceeds_processes: false,
        exited: false,
        frozen: false,
        frozen_v1: false,
        attention: false,
        answers: false,
        futex_woken: false,
        caught: Caught::Nothing,
    }
}

/// Puts a thread into the table: it is found by its number, and counts for its user.
fn enlist(kernel: &mut Kernel, record: Thread, numbers: Taken) -> ThreadKey {
    kernel.namespaces.share(record.namespaces);
    user::keep(kernel, record.credentials.namespace);
    let tasks = &mut kernel.tasks;
    tasks.accounts.add_thread(record.account);
    let number = record.number;
    let thread = tasks.threads.insert(record);
    tasks.numbers.insert(number, thread);
    pid::give(kernel, numbers);
    thread
}

fn thread(kernel: &mut Kernel, caller: ThreadKey, numbers: Taken) -> ThreadKey {
    let mut record = like(kernel, caller, numbers.number);
    record.footing = kernel.tasks.threads.at(caller).footing;
    kernel.tasks.footings.share(record.footing);
    let process = record.process;
    let thread = enlist(kernel, record, numbers);
    let tasks = &mut kernel.tasks;
    tasks
        .processes
        .at_mut(process)
        .threads
        .push(&mut tasks.threads, thread, |thread| &mut thread.siblings);
    thread
}

fn process(kernel: &mut Kernel, caller: ThreadKey, numbers: Taken) -> ThreadKey {
    let number = numbers.number;
    let record = like(kernel, caller, number);
    let parent = record.process;
    let leader = enlist(kernel, record, numbers);
    let descriptors = fs::descriptors::fork(kernel, parent);
    let started = kernel.clock.monotonic();
    let (directory, umask) = (footing::directory(kernel, caller), footing::umask(kernel, caller));
    let of = kernel.tasks.processes.at(parent);
    let (job, dumpable) = (of.job, of.dumpable);
    let more = of.more.as_deref().map(inherited);
    if let Some(more) = &more {
        shared::inherit(kernel, more);
        memory::inherit(kernel, more);
    }
    fs::keep(kernel, directory);
    let tasks = &mut kernel.tasks;
    tasks.last_serial = tasks.last_serial.wrapping_add(1);
    let child = tasks.processes.insert(Process {
        number,
        parent: Some(parent),
        parent_thread: Some(caller),
        children: List::default(),
        siblings: Links::default(),
        threads: List::of(leader),
        leader,
        state: State::Alive,
        continued: false,
        job,
        job_links: Links::default(),
        leads_session: false,
        subreaper: false,
        executed: false,
        dumpable,
        pending: SignalSet::EMPTY,
        umask,
        directory,
        descriptors,
        started,
        more,
        serial: tasks.last_serial,
    });
    tasks.threads.at_mut(leader).process = child;
    tasks.adopt(parent, child);
    tasks.join_job(child, job);
    pid::born(kernel, leader);
    leader
}

/// What a child has of what few have: nothing is pending for it, and its counts begin at zero.
fn inherited(parent: &More) -> Box<More> {
    let mut more = parent.clone();
    more.queued.clear();
    more.actions.deliveries.clear();
    (more.used_ns, more.used_by_children_ns) = (0, 0);
    more.marks = more.marks.inherited();
    Box::new(more)
}
