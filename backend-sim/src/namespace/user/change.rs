//! Making user namespaces, and going into those of others.

use standin::backend::{CapabilitySets, NamespaceKind, RlimitResource};
use standin::{Capability, CapabilitySet, Errno, Securebits, Uid};

use super::super::Maker;
use super::{IdMap, Limits, User, UserNs, capable};
use crate::fs::proc::sysctl;
use crate::kernel::Kernel;
use crate::list::iterate;
use crate::task::{Credentials, ThreadKey};

/// How deep namespaces may lie: who is that deep makes none.
const DEEPEST: u32 = 32;

/// Who makes a namespace, if the caller does so without a new user namespace.
pub(crate) fn made(kernel: &Kernel, caller: ThreadKey) -> Maker {
    let own = kernel.credentials(caller);
    Maker { within: own.namespace, user: own.user.effective }
}

/// Whether the caller may make a user namespace.
///
/// # Errors
/// ENOSPC: too deep, or too many. EPERM: the caller's user or group is nobody in its own namespace, or these are for others.
pub(crate) fn check_new(kernel: &Kernel, caller: ThreadKey) -> Result<(), Errno> {
    let own = kernel.credentials(caller);
    if sysctl::users_are_for_admins(kernel) && !own.capable(Capability::SYS_ADMIN) {
        return Err(Errno::EPERM);
    }
    let parent = kernel.namespaces.user(own.namespace);
    if parent.level > DEEPEST {
        return Err(Errno::ENOSPC);
    }
    kernel.namespaces.check_room(made(kernel, caller), NamespaceKind::User)?;
    if parent.maps(own.user.effective, own.group.effective) { Ok(()) } else { Err(Errno::EPERM) }
}

/// A new user namespace of the caller, which nobody holds yet.
pub(crate) fn new(kernel: &mut Kernel, caller: ThreadKey) -> UserNs {
    let maker = made(kernel, caller);
    let record = kernel.tasks.threads.at(caller);
    let (account, process) = (record.account, record.process);
    let own = &record.credentials;
    let could = own.capable_here(Capability::SETFCAP);
    // The first namespace's root, whom no limit bounds, hands none on.
    let bounds = own.user.real != Uid::ROOT || own.namespace.is_some();
    let most = kernel.soft_limit(process, RlimitResource::Processes).filter(|_| bounds);
    let parent = kernel.namespaces.user(maker.within);
    let account = kernel.tasks.accounts.of_maker(account, maker.user);
    let user = User {
        parent: maker.within,
        owner: maker.user,
        level: parent.level + 1,
        users: IdMap::default(),
        groups: IdMap::default(),
        projects: IdMap::default(),
        setgroups: parent.setgroups,
        maker_could_set_file_capabilities: could,
        limits: Limits::default(),
        account: Some((account, most)),
    };
    let namespaces = &mut kernel.namespaces;
    Some(namespaces.make(maker, NamespaceKind::User, user, |all| (&mut all.user, &mut all.numbers)))
}

/// Who somebody is in a namespace that it has come to: all capabilities, and nothing kept of what bounds them.
pub(crate) fn member(own: &Credentials, namespace: UserNs) -> Credentials {
    let all = CapabilitySet::ALL;
    Credentials {
        namespace,
        securebits: Securebits::empty(),
        capabilities: CapabilitySets {
            effective: all,
            permitted: all,
            inheritable: CapabilitySet::EMPTY,
            bounding: all,
            ambient: CapabilitySet::EMPTY,
        },
        ..own.clone()
    }
}

/// Whether the caller may go into a user namespace.
///
/// # Errors
/// EINVAL: it is there already, or is one of several threads. EPERM without `CAP_SYS_ADMIN` over it.
pub(crate) fn may_join(kernel: &Kernel, caller: ThreadKey, into: UserNs) -> Result<(), Errno> {
    let own = kernel.credentials(caller);
    if into == own.namespace || !is_alone(kernel, caller) {
        return Err(Errno::EINVAL);
    }
    if capable(kernel, own.holder(), into, Capability::SYS_ADMIN) {
        Ok(())
    } else {
        Err(Errno::EPERM)
    }
}

/// Whether a thread is the only one of its process.
pub(crate) fn is_alone(kernel: &Kernel, thread: ThreadKey) -> bool {
    let threads = kernel.process(thread).threads;
    iterate(&kernel.tasks.threads, threads, |thread| &thread.siblings).nth(1).is_none()
}
