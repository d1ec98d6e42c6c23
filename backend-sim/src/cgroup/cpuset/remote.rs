//! Remote partitions: those whose parents are no partitions. They take exclusive processors that all groups above hand down, from
//! the root itself.

use super::Mask;
use super::change::Change;
use super::partition::{Reason, State};
use crate::cgroup::CgroupKey;

impl Change<'_> {
    /// Makes a group a remote partition.
    pub(super) fn enable_remote(&mut self, group: CgroupKey, state: State) -> Result<(), Reason> {
        if !self.admin {
            return Err(Reason::NotPermitted);
        }
        let root = self.root();
        let cpus = self.available(group);
        let cpusets = &self.kernel.cgroups.cpusets;
        if cpus.is_empty() || cpus.meets(cpusets.taken) || self.at(root).effective.is_within(cpus) {
            return Err(Reason::BadList);
        }
        self.take(state, root, cpus);
        let cpuset = self.at_mut(group);
        (cpuset.remote, cpuset.own, cpuset.reason) = (true, cpus, None);
        self.redraws = true;
        self.spread_root();
        Ok(())
    }

    /// Ends a remote partition: it is invalid if there is a reason for it, else a member.
    pub(super) fn disable_remote(&mut self, group: CgroupKey) {
        let root = self.root();
        let old = *self.at(group);
        self.redraws = true;
        self.give_back(old.state, root, old.own);
        let cpuset = self.at_mut(group);
        cpuset.remote = false;
        cpuset.state = if old.reason.is_some() { old.state.inverted() } else { State::Member };
        let own = self.available(group);
        self.at_mut(group).own = own;
        self.reset(group);
        self.spread_root();
    }

    /// Gives a remote partition other processors, and keeps what was written for them; or ends it if it can't have them.
    pub(super) fn change_remote(&mut self, group: CgroupKey, written: Option<Mask>, own: Mask) {
        let root = self.root();
        let old = *self.at(group);
        if own.is_empty() {
            self.at_mut(group).reason = Some(Reason::NoneNamed);
            self.disable_remote(group);
            return;
        }
        let (taken, returned) = (own - old.own, old.own - own);
        if !taken.is_empty() {
            let all = self.at(root).effective.is_within(taken);
            if !self.admin {
                self.at_mut(group).reason = Some(Reason::NotPermitted);
            } else if all || taken.meets(self.kernel.cgroups.cpusets.taken) {
                self.at_mut(group).reason = Some(Reason::ParentNeedsThem);
            }
            // A reason from before counts too.
            if self.at(group).reason.is_some() {
                self.disable_remote(group);
                return;
            }
            self.take(old.state, root, taken);
        }
        if !returned.is_empty() {
            self.give_back(old.state, root, returned);
        }
        self.redraws |= own != old.own;
        let cpuset = self.at_mut(group);
        cpuset.own = own;
        if let Some(written) = written {
            cpuset.exclusive = written;
        }
        self.spread_root();
    }

    /// The root's effective processors have changed.
    fn spread_root(&mut self) {
        let root = self.root();
        if let Some(used) = self.narrow(root) {
            self.draft = used;
        }
        self.spread_siblings(root, None);
    }
}
