//! Who a thread is: ids and capability sets (credentials(7), capabilities(7)).

use standin::backend::{CapabilitySets, GroupIds, UserIds};
use standin::{Capability, CapabilitySet, Gid, Securebits, Uid};

use crate::fs::Attributes;
use crate::kernel::Kernel;
use crate::namespace::Namespaces;
use crate::namespace::user::{Holder, User, UserNs};
use crate::task::ThreadKey;

/// A thread's credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Credentials {
    /// What its capabilities are relative to. (Its ids are those of the first one, as all in the kernel.)
    pub(crate) namespace: UserNs,
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
    /// The user namespace, if it is not the first.
    namespace: Option<&'a User>,
}

/// The rights of who opened a file, as they were then: less to copy than all of its credentials.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Opener {
    /// Counts the open file as a holder.
    pub(crate) namespace: UserNs,
    /// Its effective user: v1 asks for that when processes are moved.
    pub(crate) effective: Uid,
    pub(crate) effective_group: Gid,
    user: Uid,
    group: Gid,
    groups: Option<Box<[Gid]>>,
    capabilities: CapabilitySet,
}

impl Opener {
    /// What it may do with files.
    pub(crate) fn rights<'a>(&'a self, namespaces: &'a Namespaces) -> Rights<'a> {
        let Self { user, group, ref groups, capabilities, namespace, .. } = *self;
        let groups = groups.as_deref().unwrap_or_default();
        let namespace = namespace.map(|key| namespaces.user(Some(key)));
        Rights { user, group, groups, capabilities, namespace }
    }

    /// What it may do in user namespaces.
    pub(crate) const fn holder(&self) -> Holder {
        let Self { namespace, effective: user, capabilities, .. } = *self;
        Holder { namespace, user, capabilities }
    }
}

impl Rights<'_> {
    /// Whether a capability is among them that reaches everywhere.
    pub(crate) const fn capable(self, capability: Capability) -> bool {
        self.namespace.is_none() && self.capabilities.contains(capability)
    }

    /// Whether a capability is among them that reaches a file: its owner and group are somebody in the user namespace.
    pub(crate) fn capable_over(self, file: &Attributes, capability: Capability) -> bool {
        self.capabilities.contains(capability)
            && self.namespace.is_none_or(|namespace| namespace.maps(file.owner, file.group))
    }

    /// The same if the owner alone must be somebody.
    pub(crate) fn capable_over_owner(self, file: &Attributes, capability: Capability) -> bool {
        let reaches = |namespace: &User| namespace.users.inside(file.owner.0).is_some();
        self.capabilities.contains(capability) && self.namespace.is_none_or(reaches)
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
            namespace: None,
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
    pub(crate) fn rights<'a>(&'a self, namespaces: &'a Namespaces) -> Rights<'a> {
        Rights {
            user: self.user.filesystem,
            group: self.group.filesystem,
            groups: self.groups(),
            capabilities: self.capabilities.effective,
            namespace: self.namespace.map(|key| namespaces.user(Some(key))),
        }
    }

    /// What it may do in user namespaces.
    pub(crate) const fn holder(&self) -> Holder {
        Holder {
            namespace: self.namespace,
            user: self.user.effective,
            capabilities: self.capabilities.effective,
        }
    }

    /// What a file that it opens keeps.
    pub(crate) fn opener(&self) -> Opener {
        Opener {
            namespace: self.namespace,
            effective: self.user.effective,
            effective_group: self.group.effective,
            user: self.user.filesystem,
            group: self.group.filesystem,
            groups: self.groups.clone(),
            capabilities: self.capabilities.effective,
        }
    }

    /// Whether it holds a capability now that reaches everywhere: those of who is in another user namespace do not.
    pub(crate) const fn capable(&self, capability: Capability) -> bool {
        self.namespace.is_none() && self.capable_here(capability)
    }

    /// Whether it holds a capability now that reaches its own user namespace.
    pub(crate) const fn capable_here(&self, capability: Capability) -> bool {
        self.capabilities.effective.contains(capability)
    }

    /// Whether files of this group are its own as to groups.
    pub(crate) fn in_group(&self, group: Gid) -> bool {
        self.group.filesystem == group || self.groups().binary_search(&group).is_ok()
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

    /// What a live thread may do with files.
    #[track_caller]
    pub(crate) fn rights(&self, thread: ThreadKey) -> Rights<'_> {
        self.credentials(thread).rights(&self.namespaces)
    }
}
