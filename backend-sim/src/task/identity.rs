//! Changing who a thread is: user and group ids, and what that does to capabilities (setresuid(2), capabilities(7)).
//!
//! Each change is worked out on a copy of the credentials, which says what it refuses, and then committed as a whole. Ids are
//! those of the first user namespace; `zero` is who user 0 of the own one is.

use standin::backend::{GroupIds, RlimitResource, UserIds};
use standin::{Capability, CapabilitySet, Errno, Gid, Securebits, Uid};

use crate::kernel::Kernel;
use crate::namespace::{Namespaces, user};
use crate::task::{AccountKey, Credentials, ThreadKey};

/// The most supplementary groups.
const GROUPS_MAX: usize = 65_536;

impl Credentials {
    /// setresuid(2); `None` leaves one.
    ///
    /// # Errors
    /// EPERM without `CAP_SETUID` for an id that is not one of the three.
    pub(crate) fn with_users(
        &self,
        real: Option<Uid>,
        effective: Option<Uid>,
        saved: Option<Uid>,
        zero: Option<Uid>,
    ) -> Result<Self, Errno> {
        let old = self.user;
        let mine = |id: Option<Uid>| {
            id.is_none_or(|id| id == old.real || id == old.effective || id == old.saved)
        };
        let own = mine(real) && mine(effective) && mine(saved);
        if !own && !self.capable_here(Capability::SETUID) {
            return Err(Errno::EPERM);
        }
        let effective = effective.unwrap_or(old.effective);
        let user = UserIds {
            real: real.unwrap_or(old.real),
            effective,
            saved: saved.unwrap_or(old.saved),
            filesystem: effective,
        };
        Ok(self.becoming(user, zero))
    }

    /// setuid(2): all ids with `CAP_SETUID`, else the effective one.
    ///
    /// # Errors
    /// EPERM without it if the id is neither the real nor the saved one.
    pub(crate) fn with_user(&self, uid: Uid, zero: Option<Uid>) -> Result<Self, Errno> {
        let mut user = UserIds { effective: uid, filesystem: uid, ..self.user };
        if self.capable_here(Capability::SETUID) {
            user.real = uid;
            user.saved = uid;
        } else if uid != self.user.real && uid != self.user.saved {
            return Err(Errno::EPERM);
        }
        Ok(self.becoming(user, zero))
    }

    /// setresgid(2); `None` leaves one.
    ///
    /// # Errors
    /// EPERM without `CAP_SETGID` for an id that is not one of the three.
    pub(crate) fn with_group_ids(
        &self,
        real: Option<Gid>,
        effective: Option<Gid>,
        saved: Option<Gid>,
    ) -> Result<Self, Errno> {
        let old = self.group;
        let mine = |id: Option<Gid>| {
            id.is_none_or(|id| id == old.real || id == old.effective || id == old.saved)
        };
        let own = mine(real) && mine(effective) && mine(saved);
        if !own && !self.capable_here(Capability::SETGID) {
            return Err(Errno::EPERM);
        }
        let effective = effective.unwrap_or(old.effective);
        let group = GroupIds {
            real: real.unwrap_or(old.real),
            effective,
            saved: saved.unwrap_or(old.saved),
            filesystem: effective,
        };
        Ok(Self { group, ..self.clone() })
    }

    /// setgid(2): all ids with `CAP_SETGID`, else the effective one.
    ///
    /// # Errors
    /// As [`with_user`](Self::with_user), with `CAP_SETGID`.
    pub(crate) fn with_group(&self, gid: Gid) -> Result<Self, Errno> {
        let mut group = GroupIds { effective: gid, filesystem: gid, ..self.group };
        if self.capable_here(Capability::SETGID) {
            group.real = gid;
            group.saved = gid;
        } else if gid != self.group.real && gid != self.group.saved {
            return Err(Errno::EPERM);
        }
        Ok(Self { group, ..self.clone() })
    }

    /// setgroups(2): the kernel keeps them sorted, doubles too.
    ///
    /// # Errors
    /// EPERM without `CAP_SETGID`, and where the user namespace forbids it; EINVAL for more than 65,536, and for what is no id.
    pub(crate) fn with_groups(
        &self,
        namespaces: &Namespaces,
        groups: &[Gid],
    ) -> Result<Self, Errno> {
        let may = self.capable_here(Capability::SETGID)
            && namespaces.user(self.namespace).lets_set_groups();
        if !may {
            return Err(Errno::EPERM);
        }
        if groups.len() > GROUPS_MAX {
            return Err(Errno::EINVAL);
        }
        let meant = groups.iter().map(|gid| namespaces.meant_group(self.namespace, *gid));
        let mut sorted: Box<[Gid]> = meant.collect::<Option<_>>().ok_or(Errno::EINVAL)?;
        sorted.sort_unstable();
        Ok(Self { groups: (!sorted.is_empty()).then_some(sorted), ..self.clone() })
    }

    /// These user ids, and what the change does to the capability sets unless `NO_SETUID_FIXUP` forbids it: who gives up
    /// user 0 altogether loses permitted (kept with `KEEP_CAPS`) and ambient; effective follows the effective id.
    fn becoming(&self, user: UserIds, zero: Option<Uid>) -> Self {
        let mut new = Self { user, ..self.clone() };
        if self.securebits.contains(Securebits::NO_SETUID_FIXUP) {
            return new;
        }
        let is_zero = |id: Uid| Some(id) == zero;
        let is_root = |ids: UserIds| [ids.real, ids.effective, ids.saved].into_iter().any(is_zero);
        let sets = &mut new.capabilities;
        if is_root(self.user) && !is_root(user) {
            if !self.securebits.contains(Securebits::KEEP_CAPS) {
                sets.permitted = CapabilitySet::EMPTY;
                sets.effective = CapabilitySet::EMPTY;
            }
            sets.ambient = CapabilitySet::EMPTY;
        }
        match (is_zero(self.user.effective), is_zero(user.effective)) {
            (true, false) => sets.effective = CapabilitySet::EMPTY,
            (false, true) => sets.effective = sets.permitted,
            (true, true) | (false, false) => {}
        }
        new
    }
}

/// Makes a thread another: what it may dump and what its parent's death sends it are lost if it gains or loses effective
/// ids or gains capabilities (prctl(2)), and it counts for its new real user.
pub(crate) fn commit(kernel: &mut Kernel, thread: ThreadKey, new: Credentials) {
    if kernel.credentials(thread).namespace != new.namespace {
        user::keep(kernel, new.namespace);
    }
    let old = std::mem::replace(&mut kernel.tasks.threads.at_mut(thread).credentials, new);
    let new = kernel.credentials(thread);
    // Who owns a namespace gains nothing that it has not had when it goes into it.
    let gains = if old.namespace == new.namespace {
        !old.capabilities.permitted.contains_all(new.capabilities.permitted)
    } else {
        !user::owns(kernel, old.holder(), new.namespace)
    };
    let changed = old.user.effective != new.user.effective
        || old.user.filesystem != new.user.filesystem
        || old.group.effective != new.group.effective
        || old.group.filesystem != new.group.filesystem
        || gains;
    let (user, namespace) = (new.user.real, new.namespace);
    let tasks = &mut kernel.tasks;
    let record = tasks.threads.at_mut(thread);
    let process = record.process;
    if changed {
        record.parent_death = None;
        tasks.processes.at_mut(process).dumpable = false;
    }
    if old.namespace != namespace {
        count_for(kernel, thread);
        user::let_go(kernel, old.namespace);
    } else if old.user.real != user {
        // Who becomes another does not count among those that it comes to yet.
        let account = account_of(kernel, thread);
        let limit = kernel.soft_limit(process, RlimitResource::Processes);
        let exceeds = user != Uid::ROOT && kernel.tasks.accounts.exceed(account, 0, limit);
        kernel.tasks.threads.at_mut(thread).exceeds_processes = exceeds;
        count_for(kernel, thread);
    }
}

/// The account of a thread's real user in its context and user namespace.
fn account_of(kernel: &mut Kernel, thread: ThreadKey) -> AccountKey {
    let record = kernel.tasks.threads.at(thread);
    let Credentials { user, namespace, .. } = record.credentials;
    let above = kernel.namespaces.user(namespace).account;
    kernel.tasks.accounts.of((record.label, namespace, user.real), above)
}

/// A thread counts there from here on.
pub(crate) fn count_for(kernel: &mut Kernel, thread: ThreadKey) {
    let account = account_of(kernel, thread);
    let tasks = &mut kernel.tasks;
    let before = std::mem::replace(&mut tasks.threads.at_mut(thread).account, account);
    tasks.accounts.remove_thread(before);
    tasks.accounts.add_thread(account);
}

#[cfg(test)]
mod tests {
    use standin::{CapabilitySet, Errno, Gid, Securebits, Uid};

    use crate::kernel::Kernel;
    use crate::profile::Profile;
    use crate::task::Credentials;

    const ZERO: Option<Uid> = Some(Uid::ROOT);

    fn user(uid: u32) -> Credentials {
        let id = Some(Uid(uid));
        Credentials::root().with_users(id, id, id, ZERO).unwrap()
    }

    #[test]
    fn giving_up_user_0_loses_permitted_and_effective() {
        let sets = user(1000).capabilities;
        assert_eq!([sets.permitted, sets.effective], [CapabilitySet::EMPTY; 2]);
        assert_eq!(sets.bounding, CapabilitySet::ALL);
    }

    #[test]
    fn the_effective_id_away_from_0_and_back_restores_effective() {
        let away = Credentials::root().with_users(None, Some(Uid(7)), None, ZERO).unwrap();
        assert_eq!(away.capabilities.effective, CapabilitySet::EMPTY);
        assert_eq!(away.capabilities.permitted, CapabilitySet::ALL);
        let back = away.with_users(None, Some(Uid::ROOT), None, ZERO).unwrap();
        assert_eq!(back.capabilities.effective, CapabilitySet::ALL);
    }

    #[test]
    fn keep_caps_keeps_permitted_and_not_effective() {
        let mut root = Credentials::root();
        root.securebits = Securebits::KEEP_CAPS;
        let id = Some(Uid(1));
        let sets = root.with_users(id, id, id, ZERO).unwrap().capabilities;
        assert_eq!((sets.permitted, sets.effective), (CapabilitySet::ALL, CapabilitySet::EMPTY));
    }

    #[test]
    fn without_the_capability_only_ones_own_ids_can_be_taken() {
        let a = user(1000);
        assert_eq!(a.with_users(Some(Uid(1000)), None, Some(Uid(1000)), ZERO), Ok(a.clone()));
        assert_eq!(a.with_users(None, Some(Uid(0)), None, ZERO), Err(Errno::EPERM));
        assert_eq!(a.with_user(Uid(1001), ZERO), Err(Errno::EPERM));
        assert_eq!(a.with_user(Uid(1000), ZERO), Ok(a.clone()));
        assert_eq!(
            a.with_groups(&Kernel::boot(Profile::default()).namespaces, &[]),
            Err(Errno::EPERM)
        );
        assert_eq!(a.with_group(Gid(5)), Err(Errno::EPERM));
    }

    #[test]
    fn groups_are_sorted_and_doubles_kept() {
        let kernel = Kernel::boot(Profile::default());
        let groups = Credentials::root().with_groups(&kernel.namespaces, &[Gid(3), Gid(1), Gid(3)]);
        let groups = groups.unwrap();
        assert_eq!(groups.groups(), [Gid(1), Gid(3), Gid(3)]);
    }
}
