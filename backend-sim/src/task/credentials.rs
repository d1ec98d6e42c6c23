//! Who a thread is: ids and capability sets (credentials(7), capabilities(7)).

use standin::backend::{CapabilitySets, GroupIds, UserIds};
use standin::{Capability, CapabilitySet, Gid, Securebits, Uid};

use crate::kernel::Kernel;
use crate::task::ThreadKey;

/// A thread's credentials.
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

/// What of somebody's credentials access to files depends on (path_resolution(7), Permissions).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rights<'a> {
    pub(crate) user: Uid,
    pub(crate) group: Gid,
    groups: &'a [Gid],
    capabilities: CapabilitySet,
}

/// The rights of who opened a file, as they were then: less to copy than all of its credentials.
#[derive(Clone, Debug)]
pub(crate) struct Opener {
    /// Its effective user: v1 asks for that when processes are moved.
    pub(crate) effective: Uid,
    user: Uid,
    group: Gid,
    groups: Option<Box<[Gid]>>,
    capabilities: CapabilitySet,
}

impl Opener {
    /// What it may do.
    pub(crate) fn rights(&self) -> Rights<'_> {
        let Self { user, group, ref groups, capabilities, .. } = *self;
        Rights { user, group, groups: groups.as_deref().unwrap_or_default(), capabilities }
    }
}

impl Rights<'_> {
    /// Whether a capability is among them.
    pub(crate) const fn capable(self, capability: Capability) -> bool {
        self.capabilities.contains(capability)
    }

    /// Whether files of this group are its own as to groups.
    pub(crate) fn in_group(self, group: Gid) -> bool {
        self.group == group || self.groups.binary_search(&group).is_ok()
    }
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

    /// What it may do with files.
    pub(crate) fn rights(&self) -> Rights<'_> {
        Rights {
            user: self.user.filesystem,
            group: self.group.filesystem,
            groups: self.groups(),
            capabilities: self.capabilities.effective,
        }
    }

    /// What a file that it opens keeps.
    pub(crate) fn opener(&self) -> Opener {
        Opener {
            effective: self.user.effective,
            user: self.user.filesystem,
            group: self.group.filesystem,
            groups: self.groups.clone(),
            capabilities: self.capabilities.effective,
        }
    }

    /// Whether it holds a capability now.
    pub(crate) const fn capable(&self, capability: Capability) -> bool {
        self.capabilities.effective.contains(capability)
    }

    /// Whether files of this group are its own as to groups.
    pub(crate) fn in_group(&self, group: Gid) -> bool {
        self.rights().in_group(group)
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
