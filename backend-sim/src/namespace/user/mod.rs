//! User namespaces: whose ids are told as what, and over whom capabilities reach (user_namespaces(7)).
//!
//! All ids that the kernel keeps are those of the first namespace; they are translated where a call takes or tells them.
//! Ranges of ids are in [`map`], the files that set them in [`write`], making and joining in [`change`], who may what where in [`reach`]; how many
//! namespaces a user may have is in [`count`]. A namespace lives while threads, open files, namespaces below or namespaces that were made in it name
//! it. Who is in the first one names none, so that most checks are one comparison.

mod change;
mod count;
mod map;
mod reach;
mod write;

use standin::{Gid, Uid};

pub(crate) use change::{check_new, is_alone, made, may_join, member, new};
pub(crate) use count::{Counts, Limits, MOST};
pub(crate) use map::{IdMap, NO_ID, OVERFLOW_ID};
pub(crate) use reach::{Holder, capable, is_below, owns};
pub(crate) use write::{
    Which, may_open_setgroups, read_map, read_setgroups, write_map, write_setgroups,
};

use super::Namespaces;
use super::all::Namespace;
use crate::kernel::Kernel;
use crate::table::Key;
use crate::task::AccountKey;

pub(crate) type UserKey = Key<Namespace<User>>;

/// A user namespace; the first is none.
pub(crate) type UserNs = Option<UserKey>;

/// What a user namespace is.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct User {
    pub(crate) parent: UserNs,
    /// Who made it: the owner has every capability over it in the parent.
    pub(crate) owner: Uid,
    /// How many are above it.
    level: u32,
    pub(crate) users: IdMap,
    pub(crate) groups: IdMap,
    projects: IdMap,
    /// Whether setgroups(2) may be called where groups are mapped.
    setgroups: bool,
    /// Whether its maker had `CAP_SETFCAP`.
    maker_could_set_file_capabilities: bool,
    pub(crate) limits: Limits,
    /// The counts of its maker in the parent, which its users count for too, and how many processes that may be; none of the
    /// first.
    pub(crate) account: Option<(AccountKey, Option<u64>)>,
}

impl User {
    /// The one that a machine boots with.
    pub(super) fn first() -> Self {
        Self {
            parent: None,
            owner: Uid::ROOT,
            level: 0,
            users: IdMap::first(),
            groups: IdMap::first(),
            projects: IdMap::first(),
            setgroups: true,
            maker_could_set_file_capabilities: true,
            limits: Limits::default(),
            account: None,
        }
    }

    /// Whether a user and a group are both somebody here.
    pub(crate) fn maps(&self, user: Uid, group: Gid) -> bool {
        self.maps_user(user) && self.maps_group(group)
    }

    /// Whether a user is somebody here.
    pub(crate) fn maps_user(&self, user: Uid) -> bool {
        self.users.inside(user.0).is_some()
    }

    /// Whether a group is one here.
    pub(crate) fn maps_group(&self, group: Gid) -> bool {
        self.groups.inside(group.0).is_some()
    }

    /// Whether setgroups(2) may be called.
    pub(crate) const fn lets_set_groups(&self) -> bool {
        self.setgroups && self.groups.is_written()
    }
}

impl Namespaces {
    /// A user namespace.
    pub(crate) fn user(&self, key: UserNs) -> &User {
        &self.user.at(key.unwrap_or(self.first_user)).content
    }

    pub(crate) fn user_mut(&mut self, key: UserNs) -> &mut User {
        &mut self.user.at_mut(key.unwrap_or(self.first_user)).content
    }

    /// Somebody names the namespace.
    pub(crate) fn keep_user(&mut self, key: UserNs) {
        if let Some(key) = key {
            self.user.keep(key);
        }
    }

    /// Who a user is in a namespace; 65534 if nobody.
    pub(crate) fn told_user(&self, to: UserNs, user: Uid) -> Uid {
        match to {
            None => user,
            to => Uid(self.user(to).users.inside(user.0).unwrap_or(OVERFLOW_ID)),
        }
    }

    /// What a group is in a namespace; 65534 if none.
    pub(crate) fn told_group(&self, to: UserNs, group: Gid) -> Gid {
        match to {
            None => group,
            to => Gid(self.user(to).groups.inside(group.0).unwrap_or(OVERFLOW_ID)),
        }
    }

    /// Who is meant by the id of a user in a namespace.
    pub(crate) fn meant_user(&self, by: UserNs, id: Uid) -> Option<Uid> {
        match by {
            None => (id.0 != NO_ID).then_some(id),
            by => self.user(by).users.outside(id.0).map(Uid),
        }
    }

    /// What is meant by the id of a group in a namespace.
    pub(crate) fn meant_group(&self, by: UserNs, id: Gid) -> Option<Gid> {
        match by {
            None => (id.0 != NO_ID).then_some(id),
            by => self.user(by).groups.outside(id.0).map(Gid),
        }
    }
}

/// Somebody names the namespace.
#[inline]
pub(crate) fn keep(kernel: &mut Kernel, key: UserNs) {
    // Nearly everybody names the first one: the others are not touched.
    if key.is_some() {
        kernel.namespaces.keep_user(key);
    }
}

/// Somebody names the namespace no more: with the last one it is gone, and perhaps those above it.
#[inline]
pub(crate) fn let_go(kernel: &mut Kernel, key: UserNs) {
    if key.is_some() {
        let_go_nested(kernel, key);
    }
}

#[inline(never)]
fn let_go_nested(kernel: &mut Kernel, key: UserNs) {
    let mut next = key;
    while let Some(key) = next {
        let namespaces = &mut *kernel.namespaces;
        let Some(gone) = namespaces.user.let_go(key, &mut namespaces.numbers) else { return };
        kernel.tasks.accounts.forget(key);
        namespaces.uncount(gone.maker, standin::backend::NamespaceKind::User);
        next = gone.content.parent;
    }
}
