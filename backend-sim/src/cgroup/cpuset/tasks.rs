//! Which processors threads may use: those of the set that counts for their group, as it was when it last changed or they last
//! moved (cpuset(7); sched_setaffinity(2) is not modelled, so nobody has fewer by choice).

use standin::{Capability, Controller, Errno};

use super::change::Change;
use super::{Mask, effective_cpus, nearest};
use crate::cgroup::{CgroupKey, Cgroups, tree};
use crate::kernel::Kernel;
use crate::list::iterate;
use crate::namespace::user;
use crate::profile::Release;
use crate::task::{Tasks, ThreadKey};

/// The processors that a thread may use; `None` if all.
pub(crate) fn allowed(kernel: &Kernel, thread: ThreadKey) -> Option<Mask> {
    kernel.cgroups.cpusets.narrowed.get(&thread).copied()
}

/// The group whose set counts for a thread (cpuset(7)).
pub(crate) fn group_of(kernel: &Kernel, thread: ThreadKey) -> CgroupKey {
    let cgroups = &kernel.cgroups;
    nearest(cgroups, cgroups.group_of(kernel.tasks.threads.at(thread), Controller::Cpuset))
}

/// A thread is gone.
pub(in crate::cgroup) fn forget(cgroups: &mut Cgroups, thread: ThreadKey) {
    let narrowed = &mut cgroups.cpusets.narrowed;
    if !narrowed.is_empty() {
        narrowed.remove(&thread);
    }
}

/// A new thread may use what its maker may; born into another set, what is effective there.
pub(in crate::cgroup) fn born(kernel: &mut Kernel, maker: ThreadKey, child: ThreadKey) {
    let cgroups = &mut kernel.cgroups;
    if let Some(mask) = cgroups.cpusets.narrowed.get(&maker).copied() {
        cgroups.cpusets.narrowed.insert(child, mask);
    }
    let group = |thread: ThreadKey| kernel.tasks.threads.at(thread).cgroup;
    let (from, to) = (group(maker), group(child));
    if from != to && nearest(cgroups, from) != nearest(cgroups, to) {
        place(cgroups, &[child], to);
    }
}

/// The threads for which a group's set counts: its own, and those of groups below that have none.
fn tasks_of(cgroups: &Cgroups, tasks: &Tasks, group: CgroupKey) -> Vec<ThreadKey> {
    let table = &cgroups.table;
    let mut found = Vec::new();
    let mut next = Some(group);
    while let Some(key) = next {
        let record = table.at(key);
        if key != group && record.counts_tasks() {
            next = tree::next_beside(table, group, key);
            continue;
        }
        let members = iterate(&tasks.threads, record.members, |thread| &thread.members);
        found.extend(members.map(|(thread, _)| thread));
        next = tree::next_below(table, group, key);
    }
    found
}

/// Lets a thread use these processors and no others. With none it keeps what it has.
pub(in crate::cgroup) fn set(cgroups: &mut Cgroups, thread: ThreadKey, cpus: Mask) {
    let cpusets = &mut cgroups.cpusets;
    if cpus == cpusets.possible() {
        cpusets.narrowed.remove(&thread);
    } else if !cpus.is_empty() {
        cpusets.narrowed.insert(thread, cpus);
    }
}

impl Change<'_> {
    /// Lets the tasks of a group use its effective processors; which these are, if there is such a task. The root always has
    /// some.
    pub(super) fn narrow(&mut self, group: CgroupKey) -> Option<Mask> {
        let cgroups = &mut self.kernel.cgroups;
        let is_root = cgroups.root == group;
        let cpus = if is_root && cgroups.release >= Release::V6_12 {
            cgroups.cpusets.possible() - cgroups.cpusets.taken
        } else {
            cgroups.table.at(group).cpuset.as_ref().map_or(Mask::EMPTY, |cpuset| cpuset.effective)
        };
        let tasks = tasks_of(cgroups, &self.kernel.tasks, group);
        for thread in &tasks {
            set(cgroups, *thread, cpus);
        }
        (is_root || !tasks.is_empty()).then_some(cpus)
    }
}

/// Threads that go from the set of one group into that of another.
#[derive(Debug)]
#[must_use = "threads that have moved may use other processors"]
pub(in crate::cgroup) struct Switch {
    threads: Vec<ThreadKey>,
    /// What is effective where the first of them was.
    from: Mask,
}

/// Whether somebody may bring threads into a group as far as sets are concerned; what [`attach`] is to be told then, if another
/// set will count for any of them.
///
/// # Errors
/// ENOSPC: no processors there. EPERM: a thread has capabilities that the caller has not, nor `CAP_SYS_NICE`; since 6.12 only if
/// it would have other processors there.
pub(in crate::cgroup) fn may_attach(
    kernel: &Kernel,
    caller: ThreadKey,
    threads: Vec<ThreadKey>,
    to: CgroupKey,
) -> Result<Option<Switch>, Errno> {
    let cgroups = &kernel.cgroups;
    let group = |thread: ThreadKey| nearest(cgroups, kernel.tasks.threads.at(thread).cgroup);
    let to = nearest(cgroups, to);
    let Some(first) = threads.first() else { return Ok(None) };
    if threads.iter().all(|thread| group(*thread) == to) {
        return Ok(None);
    }
    let from = effective_cpus(cgroups, group(*first));
    let switch = Switch { threads, from };
    switch.check(kernel, caller, to)?;
    Ok(Some(switch))
}

/// Whether the sets of these siblings may come or go as far as their tasks are concerned, which have as many processors as the
/// parent then.
///
/// # Errors
/// As [`may_attach`].
pub(super) fn may_switch(
    kernel: &Kernel,
    caller: ThreadKey,
    parent: CgroupKey,
    siblings: &[CgroupKey],
) -> Result<Switch, Errno> {
    let cgroups = &kernel.cgroups;
    let mut switch = Switch { threads: Vec::new(), from: Mask::EMPTY };
    for sibling in siblings {
        let tasks = tasks_of(cgroups, &kernel.tasks, *sibling);
        if switch.threads.is_empty() {
            switch.from = effective_cpus(cgroups, *sibling);
        }
        switch.threads.extend(tasks);
    }
    if !switch.threads.is_empty() {
        switch.check(kernel, caller, parent)?;
    }
    Ok(switch)
}

impl Switch {
    fn check(&self, kernel: &Kernel, caller: ThreadKey, to: CgroupKey) -> Result<(), Errno> {
        let cgroups = &kernel.cgroups;
        let effective = effective_cpus(cgroups, to);
        if effective.is_empty() {
            return Err(Errno::ENOSPC);
        }
        let asks = cgroups.release < Release::V6_12 || effective != self.from;
        if asks { may_set(kernel, caller, &self.threads) } else { Ok(()) }
    }
}

/// Whether somebody may tell threads which processors they may use.
///
/// # Errors
/// EPERM: a thread has capabilities that the caller has not, nor `CAP_SYS_NICE`.
pub(in crate::cgroup) fn may_set(
    kernel: &Kernel,
    caller: ThreadKey,
    threads: &[ThreadKey],
) -> Result<(), Errno> {
    let caller = kernel.credentials(caller);
    if caller.capable(Capability::SYS_NICE) {
        return Ok(());
    }
    let has = caller.capabilities.permitted;
    let exceeds = |thread: &ThreadKey| {
        let other = kernel.credentials(*thread);
        !has.contains_all(other.capabilities.permitted)
            && !user::capable(kernel, caller.holder(), other.namespace, Capability::SYS_NICE)
    };
    if threads.iter().any(exceeds) { Err(Errno::EPERM) } else { Ok(()) }
}

/// Whether a child may be born into another group than its maker's. ENOSPC: no processors there.
pub(in crate::cgroup) fn may_be_born(
    cgroups: &Cgroups,
    from: CgroupKey,
    into: CgroupKey,
) -> Result<(), Errno> {
    let same = nearest(cgroups, from) == nearest(cgroups, into);
    if !same && effective_cpus(cgroups, into).is_empty() { Err(Errno::ENOSPC) } else { Ok(()) }
}

/// Threads have come into a group, and may use what is effective there.
pub(in crate::cgroup) fn attach(cgroups: &mut Cgroups, switch: &Switch, to: CgroupKey) {
    if cgroups.release < Release::V6_12 || effective_cpus(cgroups, to) != switch.from {
        place(cgroups, &switch.threads, to);
    }
}

/// The sets of groups have come, and count for their tasks.
pub(super) fn attach_below(kernel: &mut Kernel, switch: &Switch, groups: &[CgroupKey]) {
    for group in groups {
        let threads = tasks_of(&kernel.cgroups, &kernel.tasks, *group);
        attach(&mut kernel.cgroups, &Switch { threads, from: switch.from }, *group);
    }
}

/// Lets threads use what is effective in a group, or above it if nothing is. In the root they may use all; since 6.12 all but
/// what partitions took.
fn place(cgroups: &mut Cgroups, threads: &[ThreadKey], group: CgroupKey) {
    let mut key = nearest(cgroups, group);
    let mut cpus = effective_cpus(cgroups, key);
    if key == cgroups.root {
        cpus = cgroups.cpusets.possible();
        if cgroups.release >= Release::V6_12 {
            cpus = cpus - cgroups.cpusets.taken;
        }
    }
    while cpus.is_empty()
        && let Some(parent) = cgroups.table.at(key).parent
    {
        key = parent;
        cpus = effective_cpus(cgroups, key);
    }
    for thread in threads {
        set(cgroups, *thread, cpus);
    }
}
