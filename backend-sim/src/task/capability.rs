//! Changing what a thread may: capability sets, securebits and no_new_privs (capset(2), prctl(2)).

use standin::backend::{AmbientChange, CapabilitySets};
use standin::{Capability, CapabilitySet, Errno, Securebits, Uid};

use crate::profile::Release;
use crate::task::Credentials;

/// The securebits that lock their lower neighbour.
const LOCKS: Securebits = Securebits::NOROOT_LOCKED
    .union(Securebits::NO_SETUID_FIXUP_LOCKED)
    .union(Securebits::KEEP_CAPS_LOCKED)
    .union(Securebits::NO_CAP_AMBIENT_RAISE_LOCKED)
    .union(Securebits::EXEC_RESTRICT_FILE_LOCKED)
    .union(Securebits::EXEC_DENY_INTERACTIVE_LOCKED);

/// The securebits that no kernel heeds, only programs do: no privilege is asked for them.
const FREE: Securebits = Securebits::EXEC_RESTRICT_FILE
    .union(Securebits::EXEC_RESTRICT_FILE_LOCKED)
    .union(Securebits::EXEC_DENY_INTERACTIVE)
    .union(Securebits::EXEC_DENY_INTERACTIVE_LOCKED);

/// The securebits of kernels before 6.14.
const EARLY: Securebits = Securebits::from_bits_retain(0xff);

impl Credentials {
    /// capset(2). Ambient loses what is no longer both permitted and inheritable.
    ///
    /// # Errors
    /// EPERM: permitted may not grow, effective is part of permitted, inheritable grows only within bounding and, without
    /// `CAP_SETPCAP`, only within permitted.
    pub(crate) fn with_capabilities(
        &self,
        effective: CapabilitySet,
        permitted: CapabilitySet,
        inheritable: CapabilitySet,
    ) -> Result<Self, Errno> {
        let old = self.capabilities;
        let from_permitted = old.inheritable.union(old.permitted).contains_all(inheritable);
        let allowed = (self.capable_here(Capability::SETPCAP) || from_permitted)
            && old.inheritable.union(old.bounding).contains_all(inheritable)
            && old.permitted.contains_all(permitted)
            && permitted.contains_all(effective);
        if !allowed {
            return Err(Errno::EPERM);
        }
        let ambient = old.ambient.intersection(permitted).intersection(inheritable);
        let capabilities =
            CapabilitySets { effective, permitted, inheritable, ambient, bounding: old.bounding };
        Ok(Self { capabilities, ..self.clone() })
    }

    /// `PR_CAPBSET_DROP`
    ///
    /// # Errors
    /// EPERM without `CAP_SETPCAP`.
    pub(crate) fn without_bounding(&self, capability: Capability) -> Result<Self, Errno> {
        if !self.capable_here(Capability::SETPCAP) {
            return Err(Errno::EPERM);
        }
        let mut new = self.clone();
        new.capabilities.bounding.remove(capability);
        Ok(new)
    }

    /// `PR_CAP_AMBIENT`
    ///
    /// # Errors
    /// EPERM to raise what is not both permitted and inheritable, and with `NO_CAP_AMBIENT_RAISE`.
    pub(crate) fn with_ambient(&self, change: AmbientChange) -> Result<Self, Errno> {
        let mut new = self.clone();
        let sets = &mut new.capabilities;
        match change {
            AmbientChange::ClearAll => sets.ambient = CapabilitySet::EMPTY,
            AmbientChange::Lower(capability) => {
                sets.ambient.remove(capability);
            }
            AmbientChange::Raise(capability) => {
                let may =
                    sets.permitted.contains(capability) && sets.inheritable.contains(capability);
                if !may || self.securebits.contains(Securebits::NO_CAP_AMBIENT_RAISE) {
                    return Err(Errno::EPERM);
                }
                sets.ambient.insert(capability);
            }
        }
        Ok(new)
    }

    /// `PR_SET_SECUREBITS`
    ///
    /// # Errors
    /// EPERM: a locked bit or a lock that is set would change, a bit that this kernel does not know, or no `CAP_SETPCAP`;
    /// without it the bits that only programs heed may be changed since 6.14, but "no change" is refused.
    pub(crate) fn with_securebits(
        &self,
        bits: Securebits,
        release: Release,
    ) -> Result<Self, Errno> {
        let (known, free) = if release >= Release::V6_18 {
            (Securebits::all(), FREE)
        } else {
            (EARLY, Securebits::empty())
        };
        let old = self.securebits;
        let set_locks = old.intersection(LOCKS);
        let locked = Securebits::from_bits_retain(set_locks.bits() >> 1);
        let changed = old.symmetric_difference(bits);
        let permitted = self.capable_here(Capability::SETPCAP)
            || (!changed.is_empty() && free.contains(changed));
        let allowed = !locked.intersects(changed)
            && bits.contains(set_locks)
            && known.contains(bits)
            && permitted;
        if allowed { Ok(Self { securebits: bits, ..self.clone() }) } else { Err(Errno::EPERM) }
    }

    /// `PR_SET_KEEPCAPS`, which is one of the securebits.
    ///
    /// # Errors
    /// EPERM if the bit is locked.
    pub(crate) fn with_keep_capabilities(&self, keep: bool) -> Result<Self, Errno> {
        if self.securebits.contains(Securebits::KEEP_CAPS_LOCKED) {
            return Err(Errno::EPERM);
        }
        let mut new = self.clone();
        new.securebits.set(Securebits::KEEP_CAPS, keep);
        Ok(new)
    }

    /// execve(2) of a file without capabilities and set-id bits: user 0 gets all of bounding and inheritable unless
    /// `NOROOT`, others keep ambient alone. `zero` is who user 0 is.
    pub(crate) fn after_exec(&self, zero: Option<Uid>) -> Self {
        let mut new = self.clone();
        new.user.saved = new.user.effective;
        new.user.filesystem = new.user.effective;
        new.group.saved = new.group.effective;
        new.group.filesystem = new.group.effective;
        new.securebits.remove(Securebits::KEEP_CAPS);
        let sets = &mut new.capabilities;
        let root = |uid| Some(uid) == zero && !self.securebits.contains(Securebits::NOROOT);
        let gained = if root(self.user.effective) || root(self.user.real) {
            sets.bounding.union(sets.inheritable)
        } else {
            CapabilitySet::EMPTY
        };
        let permitted = gained.union(sets.ambient);
        // With no_new_privs a program may not get more than its caller had.
        let grows = !self.capabilities.permitted.contains_all(gained);
        let capped = self.no_new_privileges && grows;
        sets.permitted = if capped {
            gained.intersection(self.capabilities.permitted).union(sets.ambient)
        } else {
            permitted
        };
        sets.effective = if root(self.user.effective) { sets.permitted } else { sets.ambient };
        new
    }
}

#[cfg(test)]
mod tests {
    use standin::backend::AmbientChange;
    use standin::{Capability, CapabilitySet, Errno, Securebits, Uid};

    use crate::profile::Release;
    use crate::task::Credentials;

    #[test]
    fn permitted_never_grows_and_effective_stays_inside() {
        let all = CapabilitySet::ALL;
        let less = all.without(Capability::CHOWN);
        let root = Credentials::root();
        assert_eq!(root.with_capabilities(all, less, CapabilitySet::EMPTY), Err(Errno::EPERM));
        let fewer = root.with_capabilities(less, less, CapabilitySet::EMPTY).unwrap();
        assert_eq!(fewer.with_capabilities(less, all, CapabilitySet::EMPTY), Err(Errno::EPERM));
    }

    #[test]
    fn ambient_wants_permitted_and_inheritable_and_follows_them() {
        let raise = AmbientChange::Raise(Capability::CHOWN);
        let root = Credentials::root();
        assert_eq!(root.with_ambient(raise), Err(Errno::EPERM));
        let all = CapabilitySet::ALL;
        let able = root.with_capabilities(all, all, Capability::CHOWN.into()).unwrap();
        let raised = able.with_ambient(raise).unwrap();
        assert_eq!(raised.capabilities.ambient, Capability::CHOWN.into());
        let lost = raised.with_capabilities(all, all, CapabilitySet::EMPTY).unwrap();
        assert_eq!(lost.capabilities.ambient, CapabilitySet::EMPTY);
    }

    #[test]
    fn a_locked_securebit_stays_and_so_does_its_lock() {
        let locked = Securebits::NOROOT | Securebits::NOROOT_LOCKED;
        let root = Credentials::root().with_securebits(locked, Release::V6_12).unwrap();
        for bits in [Securebits::empty(), Securebits::NOROOT, Securebits::NOROOT_LOCKED] {
            assert_eq!(root.with_securebits(bits, Release::V6_12), Err(Errno::EPERM), "{bits:?}");
        }
        assert!(root.with_securebits(locked | Securebits::KEEP_CAPS, Release::V6_12).is_ok());
    }

    #[test]
    fn the_exec_securebits_came_after_6_12() {
        let root = Credentials::root();
        assert_eq!(
            root.with_securebits(Securebits::EXEC_RESTRICT_FILE, Release::V6_12),
            Err(Errno::EPERM)
        );
        assert!(root.with_securebits(Securebits::EXEC_RESTRICT_FILE, Release::V6_18).is_ok());
    }

    #[test]
    fn a_program_run_by_a_user_has_what_is_ambient() {
        const ZERO: Option<Uid> = Some(Uid::ROOT);
        let id = Some(Uid(1000));
        let user = Credentials::root().with_users(id, id, id, ZERO).unwrap().after_exec(ZERO);
        assert_eq!(user.capabilities.permitted, CapabilitySet::EMPTY);
        let root = Credentials::root().with_users(None, Some(Uid(1)), None, ZERO).unwrap();
        let root = root.after_exec(ZERO);
        assert_eq!(root.capabilities.permitted, CapabilitySet::ALL);
        assert_eq!(root.capabilities.effective, CapabilitySet::EMPTY);
    }
}
