//! A child and the program it runs, in one (clone3(2), execve(2)).

use standin::backend::{NamespaceKinds, Rlimit, RlimitResource, SpawnCredentials};
use standin::{Errno, Signal, Uid};

use crate::cgroup::CgroupKey;
use crate::fs::{self, Spot};
use crate::kernel::Kernel;
use crate::namespace::{Joined, Namespaces};
use crate::step::Step;
use crate::task::exec::{Program, exec};
use crate::task::fork::{ForkOptions, fork};
use crate::task::{Credentials, ThreadKey, exit, identity, job, limit};

/// How a child is born.
pub(crate) struct Birth<'a> {
    pub(crate) program: Program<'a>,
    pub(crate) into: Option<CgroupKey>,
    /// The caller's numbers and the child's.
    pub(crate) descriptors: &'a [(u32, u32)],
    pub(crate) credentials: Option<&'a SpawnCredentials<'a>>,
    pub(crate) limits: &'a [(RlimitResource, Rlimit)],
    pub(crate) directory: Option<Spot>,
    pub(crate) session: bool,
    pub(crate) parent_death: Option<Signal>,
    /// The namespaces it is born in; else the caller's.
    pub(crate) joined: Option<Joined>,
    /// Kinds of which it gets a new one.
    pub(crate) new: NamespaceKinds,
}

/// Makes the child; if anything is refused to it, it is gone again.
///
/// # Errors
/// As [`fork`], and what the child was refused.
pub(crate) fn spawn(kernel: &mut Kernel, caller: ThreadKey, birth: &Birth<'_>) -> Step<ThreadKey> {
    let options =
        ForkOptions { thread: false, into: birth.into, joined: birth.joined, new: birth.new };
    let child = fork(kernel, caller, options)?;
    match settle(kernel, child, birth) {
        Ok(()) => Ok(child),
        Err(stop) => {
            exit::undo(kernel, child);
            Err(stop)
        }
    }
}

/// What the child does before it is its program.
fn settle(kernel: &mut Kernel, child: ThreadKey, birth: &Birth<'_>) -> Step<()> {
    let process = kernel.tasks.process_of(child);
    if birth.session {
        job::set_session(kernel, child)?;
    }
    if let Some(directory) = birth.directory {
        fs::keep(kernel, directory);
        let record = kernel.tasks.processes.at_mut(process);
        let before = std::mem::replace(&mut record.directory, directory);
        fs::let_go(kernel, before);
    }
    for (resource, limit) in birth.limits {
        limit::write(kernel, child, 0, *resource, *limit)?;
    }
    fs::descriptors::arrange(kernel, process, birth.descriptors)?;
    if let Some(wanted) = birth.credentials {
        crate::context::is_unmasked(kernel, child)?;
        let new = become_user(&kernel.namespaces, kernel.credentials(child), wanted)?;
        identity::commit(kernel, child, new);
    }
    kernel.tasks.threads.at_mut(child).parent_death = birth.parent_death;
    exec(kernel, child, birth.program)
}

/// Groups, group, user, and what is cut from the bounding set; that takes the capability that the caller had before.
fn become_user(
    namespaces: &Namespaces,
    own: &Credentials,
    wanted: &SpawnCredentials<'_>,
) -> Result<Credentials, Errno> {
    let mut bounded = own.clone();
    for capability in own.capabilities.bounding.difference(wanted.bounding) {
        bounded = bounded.without_bounding(capability)?;
    }
    let uid = namespaces.meant_user(own.namespace, wanted.uid).ok_or(Errno::EINVAL)?;
    let gid = namespaces.meant_group(own.namespace, wanted.gid).ok_or(Errno::EINVAL)?;
    let (uid, gid) = (Some(uid), Some(gid));
    let mut new = if bounded.groups() == wanted.groups {
        bounded
    } else {
        bounded.with_groups(namespaces, wanted.groups)?
    };
    new = new.with_group_ids(gid, gid, gid)?.with_users(
        uid,
        uid,
        uid,
        namespaces.meant_user(own.namespace, Uid::ROOT),
    )?;
    new.no_new_privileges |= wanted.no_new_privileges;
    Ok(new)
}
