//! Who a thread is: ids and capability sets (credentials(7), capabilities(7)).

use standin::backend::{CapabilitySets, GroupIds, UserIds};
use standin::{Capability, CapabilitySet, Gid, Securebits, Uid};

use crate::kernel::Kernel;
use crate::task::ThreadKey;

/// A thread's credentials. An open file keeps a copy of its opener's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Credentials {
    pub(crate) user: UserIds,
    pub(crate) group: GroupIds,
    /// Supplementary groups, in ascending order as the kernel keeps them; boxed because most have none.
    pub(crate) groups: Option<Box<[Gid]>>,
    pub(crate) capabilities: CapabilitySets,
    pub(crate) securebits: Securebits,
    pub(crate) no_new_privileges: bool,
}

impl Credentials {
    /// The superuser with everything.
    pub(crate) const fn root() -> Self {
        let all = CapabilitySet::ALL;
        Self {
            user: user_ids(Uid::ROOT),
            group: group_ids(Gid::ROOT),
            groups: None,
            capabilities: CapabilitySets {
                effective: all,
                permitted: all,
                inheritable: CapabilitySet::EMPTY,
                bounding: all,
                ambient: CapabilitySet::EMPTY,
            },
            securebits: Securebits::empty(),
            no_new_privileges: false,
        }
    }

    /// Whether it holds a capability now.
    pub(crate) const fn capable(&self, capability: Capability) -> bool {
        self.capabilities.effective.contains(capability)
    }

    /// Whether files of this group are its own as to groups.
    pub(crate) fn in_group(&self, group: Gid) -> bool {
        self.group.filesystem == group
            || self.groups.as_ref().is_some_and(|groups| groups.binary_search(&group).is_ok())
    }

    /// Supplementary groups.
    pub(crate) fn groups(&self) -> &[Gid] {
        self.groups.as_deref().unwrap_or_default()
    }
}

/// The four ids of a process that is this user through and through.
pub(crate) const fn user_ids(uid: Uid) -> UserIds {
    UserIds { real: uid, effective: uid, saved: uid, filesystem: uid }
}

/// The four ids of a process that is of this group through and through.
pub(crate) const fn group_ids(gid: Gid) -> GroupIds {
    GroupIds { real: gid, effective: gid, saved: gid, filesystem: gid }
}

impl Kernel {
    /// A live thread's credentials.
    #[track_caller]
    pub(crate) fn credentials(&self, thread: ThreadKey) -> &Credentials {
        &self.tasks.threads.at(thread).credentials
    }
}
