//! Nice values (getpriority(2), sched(7)): each thread has its own.

use standin::backend::{PriorityOf, RlimitResource};
use standin::{Capability, Errno, Uid};

use crate::kernel::Kernel;
use crate::list::iterate;
use crate::namespace::user;
use crate::task::{ProcessKey, ThreadKey};

const LOWEST: i8 = 19;
const HIGHEST: i8 = -20;

/// The threads that `of` names, in the kernel's order.
fn threads(kernel: &Kernel, caller: ThreadKey, of: PriorityOf) -> Vec<ThreadKey> {
    let tasks = &kernel.tasks;
    let all_of = |process: ProcessKey| {
        let threads = tasks.processes.at(process).threads;
        iterate(&tasks.threads, threads, |thread| &thread.siblings).map(|(key, _)| key)
    };
    match of {
        PriorityOf::Process(None) => vec![caller],
        PriorityOf::Process(Some(pid)) if pid.0 == 0 => vec![caller],
        PriorityOf::Process(Some(pid)) => kernel.find(caller, pid.0).into_iter().collect(),
        PriorityOf::Group(group) => {
            let own = kernel.process(caller).job;
            let job = match group {
                Some(pid) if pid.0 != 0 => {
                    kernel.number_meant(caller, pid.0).and_then(|group| tasks.jobs.find(group))
                }
                Some(_) | None => Some(own),
            };
            let members = job.map(|job| tasks.job_members(job)).unwrap_or_default();
            let members =
                members.into_iter().filter(|member| kernel.shares_context_with(caller, *member));
            members.flat_map(all_of).collect()
        }
        PriorityOf::User(user) => {
            let own = kernel.credentials(caller);
            let user = match user.filter(|user| *user != Uid::ROOT) {
                None => own.user.real,
                Some(named) => match kernel.namespaces.meant_user(own.namespace, named) {
                    Some(user) => user,
                    None => return Vec::new(),
                },
            };
            let mut found: Vec<(u32, ThreadKey)> = tasks
                .threads
                .iter()
                .filter(|(_, thread)| thread.credentials.user.real == user)
                .filter(|(key, _)| kernel.sees(caller, *key))
                .map(|(key, thread)| (thread.number, key))
                .collect();
            found.sort_unstable();
            found.into_iter().map(|(_, key)| key).collect()
        }
    }
}

/// getpriority(2): the most favourable of the threads named.
///
/// # Errors
/// ESRCH if there is none.
pub(crate) fn read(kernel: &Kernel, caller: ThreadKey, of: PriorityOf) -> Result<i32, Errno> {
    let threads = threads(kernel, caller, of).into_iter();
    threads.map(|thread| i32::from(kernel.tasks.threads.at(thread).nice)).min().ok_or(Errno::ESRCH)
}

/// setpriority(2): a value out of range is taken for the nearest.
///
/// # Errors
/// ESRCH if nobody is named. EPERM: a thread of another user, without `CAP_SYS_NICE`. EACCES: a more favourable value than
/// `RLIMIT_NICE` allows, without it. With several threads those that may be changed are, and the last refusal is told.
pub(crate) fn write(
    kernel: &mut Kernel,
    caller: ThreadKey,
    of: PriorityOf,
    nice: i32,
) -> Result<(), Errno> {
    let nice = i8::try_from(nice.clamp(HIGHEST.into(), LOWEST.into())).unwrap_or_default();
    let mut result = Err(Errno::ESRCH);
    for thread in threads(kernel, caller, of) {
        match may_set(kernel, caller, thread, nice) {
            Ok(()) => {
                kernel.tasks.threads.at_mut(thread).nice = nice;
                if result == Err(Errno::ESRCH) {
                    result = Ok(());
                }
            }
            Err(errno) => result = Err(errno),
        }
    }
    result
}

fn may_set(kernel: &Kernel, caller: ThreadKey, thread: ThreadKey, nice: i8) -> Result<(), Errno> {
    let own = kernel.credentials(caller);
    let record = kernel.tasks.threads.at(thread);
    let other = &record.credentials;
    let able = user::capable(kernel, own.holder(), other.namespace, Capability::SYS_NICE);
    let related =
        other.user.real == own.user.effective || other.user.effective == own.user.effective;
    if !related && !able {
        return Err(Errno::EPERM);
    }
    if nice < record.nice && !own.capable(Capability::SYS_NICE) {
        let wanted = u64::try_from(20 - i32::from(nice)).unwrap_or_default();
        let limit = kernel.soft_limit(record.process, RlimitResource::Nice);
        if limit.is_some_and(|limit| wanted > limit) {
            return Err(Errno::EACCES);
        }
    }
    // A process that may more than the caller is not slowed down by it.
    if !own.capabilities.permitted.contains_all(other.capabilities.permitted) && !able {
        return Err(Errno::EPERM);
    }
    Ok(())
}
