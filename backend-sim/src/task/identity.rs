//! Changing who a thread is: user and group ids, and what that does to capabilities (setresuid(2), capabilities(7)).
//!
//! Each change is worked out on a copy of the credentials, which says what it refuses, and then committed as a whole.

use standin::backend::{GroupIds, RlimitResource, UserIds};
use standin::{Capability, CapabilitySet, Errno, Gid, Securebits, Uid};

use crate::kernel::Kernel;
use crate::task::{AccountKey, Credentials, Tasks, ThreadKey};

/// The most supplementary groups.
const GROUPS_MAX: usize = 65_536;

/// The id that means "leave it" and is none.
const NO_ID: u32 = u32::MAX;

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
    ) -> Result<Self, Errno> {
        let old = self.user;
        let mine = |id: Option<Uid>| {
            id.is_none_or(|id| id == old.real || id == old.effective || id == old.saved)
        };
        let own = mine(real) && mine(effective) && mine(saved);
        if !own && !self.capable(Capability::SETUID) {
            return Err(Errno::EPERM);
        }
        let effective = effective.unwrap_or(old.effective);
        let user = UserIds {
            real: real.unwrap_or(old.real),
            effective,
            saved: saved.unwrap_or(old.saved),
            filesystem: effective,
        };
        Ok(self.becoming(user))
    }

    /// setuid(2): all ids with `CAP_SETUID`, else the effective one.
    ///
    /// # Errors
    /// EPERM without it if the id is neither the real nor the saved one; EINVAL for the number that is no id.
    pub(crate) fn with_user(&self, uid: Uid) -> Result<Self, Errno> {
        if uid.0 == NO_ID {
            return Err(Errno::EINVAL);
        }
        let mut user = UserIds { effective: uid, filesystem: uid, ..self.user };
        if self.capable(Capability::SETUID) {
            user.real = uid;
            user.saved = uid;
        } else if uid != self.user.real && uid != self.user.saved {
            return Err(Errno::EPERM);
        }
        Ok(self.becoming(user))
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
        if !own && !self.capable(Capability::SETGID) {
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
        if gid.0 == NO_ID {
            return Err(Errno::EINVAL);
        }
        let mut group = GroupIds { effective: gid, filesystem: gid, ..self.group };
        if self.capable(Capability::SETGID) {
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
    /// EPERM without `CAP_SETGID`; EINVAL for more than 65,536, and for the number that is no id.
    pub(crate) fn with_groups(&self, groups: &[Gid]) -> Result<Self, Errno> {
        if !self.capable(Capability::SETGID) {
            return Err(Errno::EPERM);
        }
        if groups.len() > GROUPS_MAX || groups.iter().any(|gid| gid.0 == NO_ID) {
            return Err(Errno::EINVAL);
        }
        let mut sorted: Box<[Gid]> = groups.into();
        sorted.sort_unstable();
        Ok(Self { groups: (!sorted.is_empty()).then_some(sorted), ..self.clone() })
    }

    /// These user ids, and what the change does to the capability sets unless `NO_SETUID_FIXUP` forbids it: who gives up
    /// user 0 altogether loses permitted (kept with `KEEP_CAPS`) and ambient; effective follows the effective id.
    fn becoming(&self, user: UserIds) -> Self {
        let mut new = Self { user, ..self.clone() };
        if self.securebits.contains(Securebits::NO_SETUID_FIXUP) {
            return new;
        }
        let is_root = |ids: UserIds| [ids.real, ids.effective, ids.saved].contains(&Uid::ROOT);
        let sets = &mut new.capabilities;
        if is_root(self.user) && !is_root(user) {
            if !self.securebits.contains(Securebits::KEEP_CAPS) {
                sets.permitted = CapabilitySet::EMPTY;
                sets.effective = CapabilitySet::EMPTY;
            }
            sets.ambient = CapabilitySet::EMPTY;
        }
        match (self.user.effective == Uid::ROOT, user.effective == Uid::ROOT) {
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
    let tasks = &mut kernel.tasks;
    let record = tasks.threads.at_mut(thread);
    let old = std::mem::replace(&mut record.credentials, new);
    let new = &record.credentials;
    let changed = old.user.effective != new.user.effective
        || old.user.filesystem != new.user.filesystem
        || old.group.effective != new.group.effective
        || old.group.filesystem != new.group.filesystem
        || !old.capabilities.permitted.contains_all(new.capabilities.permitted);
    let user = new.user.real;
    let process = record.process;
    if changed {
        record.parent_death = None;
        tasks.processes.at_mut(process).dumpable = false;
    }
    if old.user.real != user {
        let account = count_for(tasks, thread, user);
        let limit = kernel.soft_limit(process, RlimitResource::Processes);
        let tasks = &mut kernel.tasks;
        let others = u64::from(tasks.accounts.get(account).threads - 1);
        tasks.threads.at_mut(thread).exceeds_processes =
            user != Uid::ROOT && limit.is_some_and(|limit| others > limit);
    }
}

/// A thread counts for this user in its context from here on.
pub(crate) fn count_for(tasks: &mut Tasks, thread: ThreadKey, user: Uid) -> AccountKey {
    let record = tasks.threads.at_mut(thread);
    let account = tasks.accounts.of(record.label, user);
    let before = std::mem::replace(&mut record.account, account);
    tasks.accounts.get_mut(before).threads -= 1;
    tasks.accounts.get_mut(account).threads += 1;
    account
}

#[cfg(test)]
mod tests {
    use standin::{CapabilitySet, Errno, Gid, Securebits, Uid};

    use crate::task::Credentials;

    fn user(uid: u32) -> Credentials {
        let id = Some(Uid(uid));
        Credentials::root().with_users(id, id, id).unwrap()
    }

    #[test]
    fn giving_up_user_0_loses_permitted_and_effective() {
        let sets = user(1000).capabilities;
        assert_eq!([sets.permitted, sets.effective], [CapabilitySet::EMPTY; 2]);
        assert_eq!(sets.bounding, CapabilitySet::ALL);
    }

    #[test]
    fn the_effective_id_away_from_0_and_back_restores_effective() {
        let away = Credentials::root().with_users(None, Some(Uid(7)), None).unwrap();
        assert_eq!(away.capabilities.effective, CapabilitySet::EMPTY);
        assert_eq!(away.capabilities.permitted, CapabilitySet::ALL);
        let back = away.with_users(None, Some(Uid::ROOT), None).unwrap();
        assert_eq!(back.capabilities.effective, CapabilitySet::ALL);
    }

    #[test]
    fn keep_caps_keeps_permitted_and_not_effective() {
        let mut root = Credentials::root();
        root.securebits = Securebits::KEEP_CAPS;
        let id = Some(Uid(1));
        let sets = root.with_users(id, id, id).unwrap().capabilities;
        assert_eq!((sets.permitted, sets.effective), (CapabilitySet::ALL, CapabilitySet::EMPTY));
    }

    #[test]
    fn without_the_capability_only_ones_own_ids_can_be_taken() {
        let a = user(1000);
        assert_eq!(a.with_users(Some(Uid(1000)), None, Some(Uid(1000))), Ok(a.clone()));
        assert_eq!(a.with_users(None, Some(Uid(0)), None), Err(Errno::EPERM));
        assert_eq!(a.with_user(Uid(1001)), Err(Errno::EPERM));
        assert_eq!(a.with_user(Uid(1000)), Ok(a.clone()));
        assert_eq!(a.with_groups(&[]), Err(Errno::EPERM));
        assert_eq!(a.with_group(Gid(5)), Err(Errno::EPERM));
    }

    #[test]
    fn groups_are_sorted_and_doubles_kept() {
        let groups = Credentials::root().with_groups(&[Gid(3), Gid(1), Gid(3)]).unwrap();
        assert_eq!(groups.groups(), [Gid(1), Gid(3), Gid(3)]);
    }
}
