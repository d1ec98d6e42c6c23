//! The processes that a machine starts with: process 1, which reaps what is given to it at once, and those that tests
//! drive from outside.

use rustc_hash::FxHashMap;
use standin::backend::CONTEXT_CAPABILITY;
use standin::id::{Mode, Moment};
use standin::{Capability, Failure, Gid, Signal, SignalSet, Uid};

use crate::cgroup::Cgroups;
use crate::fs::{Descriptors, Spot};
use crate::kernel::Kernel;
use crate::list::{Links, List};
use crate::profile::Release;
use crate::step::Stop;
use crate::table::Table;
use crate::task::fork::{ForkOptions, fork};
use crate::task::number::NUMBER_END;
use crate::task::{
    Accounts, Actions, Caught, Credentials, Footings, Jobs, MAKER_OF_KERNEL_THREADS, More, Name,
    Process, RlimitTable, State, Tasks, Thread, ThreadKey, identity, job,
};
use crate::{cgroup, context, fs};

impl Tasks {
    /// Process 1, with its working directory and root group.
    pub(crate) fn boot(cgroups: &Cgroups, root: Spot, now: Moment) -> Self {
        let mut accounts = Accounts::default();
        let account = accounts.of((context::HOST, None, Uid::ROOT), None);
        accounts.add_thread(account);
        let mut jobs = Jobs::default();
        // As the kernel starts it: in no group or session that has a number.
        let job = jobs.make(0, 0);
        let mut processes = Table::default();
        let mut threads = Table::default();
        let init = processes.insert_with(|process| {
            let leader = threads.insert(Thread {
                number: 1,
                process,
                siblings: Links::default(),
                credentials: Credentials::root(),
                account,
                cgroup: cgroups.root,
                members: Links::default(),
                places: None,
                namespaces: None,
                footing: None,
                pending: SignalSet::EMPTY,
                mask: SignalSet::EMPTY,
                label: context::HOST,
                name: Name::new(b"init"),
                nice: 0,
                parent_death: None,
                exceeds_processes: false,
                exited: false,
                frozen: false,
                frozen_v1: false,
                attention: false,
                answers: false,
                futex_woken: false,
                caught: Caught::Nothing,
            });
            // Who ignores CHLD never has a zombie.
            let actions = Actions { ignored: Signal::CHLD.into(), ..Actions::default() };
            Process {
                number: 1,
                parent: None,
                parent_thread: None,
                children: List::default(),
                siblings: Links::default(),
                threads: List::default(),
                leader,
                state: State::Alive,
                continued: false,
                job,
                job_links: Links::default(),
                leads_session: false,
                subreaper: false,
                executed: true,
                dumpable: true,
                pending: SignalSet::EMPTY,
                umask: Mode::new(0o022),
                directory: root,
                descriptors: Descriptors::default(),
                started: now,
                more: Some(Box::new(More { actions, ..More::default() })),
                serial: 0,
            }
        });
        let first = processes.at(init).leader;
        let mut tasks = Self {
            processes,
            threads,
            numbers: FxHashMap::default(),
            inner: FxHashMap::default(),
            last_number: MAKER_OF_KERNEL_THREADS,
            number_end: NUMBER_END,
            numbers_wrapped: false,
            last_serial: 0,
            logins: 0,
            jobs,
            footings: Footings::default(),
            accounts,
            first_limits: RlimitTable::default(),
            init,
            first,
            starts: FxHashMap::default(),
            aftermath: Vec::new(),
            ends: None,
        };
        tasks.numbers.insert(1, first);
        tasks
            .processes
            .at_mut(init)
            .threads
            .push(&mut tasks.threads, first, |thread| &mut thread.siblings);
        tasks.join_job(init, job);
        tasks
    }
}

/// Makes the process that tests drive as root.
///
/// # Panics
/// If the machine's bounds allow no second process.
pub(crate) fn start_first(kernel: &mut Kernel) {
    kernel.tasks.first_limits = RlimitTable::boot(&kernel.profile);
    let init = kernel.tasks.processes.at(kernel.tasks.init);
    let (leader, directory) = (init.leader, init.directory);
    fs::keep(kernel, directory);
    cgroup::booted(kernel, leader);
    if kernel.profile.contexts {
        let sets = &mut kernel.tasks.threads.at_mut(leader).credentials.capabilities;
        for set in [&mut sets.effective, &mut sets.permitted, &mut sets.bounding] {
            *set = set.union(CONTEXT_CAPABILITY);
        }
    }
    if kernel.profile.release == Release::V6_18 {
        // The recorded 6.18 is a vendor's, whose root may not exceed limits.
        let sets = &mut kernel.tasks.threads.at_mut(leader).credentials.capabilities;
        for set in [&mut sets.effective, &mut sets.permitted, &mut sets.bounding] {
            set.remove(Capability::SYS_RESOURCE);
        }
    }
    kernel.tasks.first = match first_of_user(kernel, 0) {
        Ok(thread) => thread,
        Err(failure) => panic!("the first process: {failure}"),
    };
    kernel.tasks.number_end = kernel.profile.pid_max;
    kernel.tasks.last_number = kernel.tasks.last_number.max(kernel.profile.last_pid);
}

/// Makes a process of a user, a child of process 1 that leads a session.
pub(crate) fn first_of_user(kernel: &mut Kernel, uid: u32) -> Result<ThreadKey, Failure> {
    let init = kernel.tasks.processes.at(kernel.tasks.init).leader;
    let thread = fork(kernel, init, ForkOptions::default()).map_err(|stop| match stop {
        Stop::Failure(failure) => failure,
        Stop::Wait(_) => unreachable!("fork waits for nothing"),
    })?;
    job::set_session(kernel, thread)?;
    if uid != 0 {
        let (user, group) = (Some(Uid(uid)), Some(Gid(uid)));
        let new = kernel.credentials(thread).with_group_ids(group, group, group)?.with_users(
            user,
            user,
            user,
            Some(Uid::ROOT),
        )?;
        identity::commit(kernel, thread, new);
    }
    let process = kernel.process_mut(thread);
    // It has run its program, which is whatever drives it.
    process.more = None;
    process.executed = true;
    process.dumpable = true;
    Ok(thread)
}
