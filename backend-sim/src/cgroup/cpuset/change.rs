//! What every change of the sets is made with: the tree of groups that have one, and the rules that all kernels share.

use standin::Errno;

use super::partition::State;
use super::{Cpuset, Mask};
use crate::cgroup::{CgroupKey, events, tree};
use crate::kernel::Kernel;
use crate::list::iterate;
use crate::profile::Release;

/// A change under way.
pub(super) struct Change<'a> {
    pub(super) kernel: &'a mut Kernel,
    /// Who makes it has `CAP_SYS_ADMIN`.
    pub(super) admin: bool,
    /// The one place where kernels since 6.12 work out effective processors. A change that sets off another one finds there what
    /// that one left: recorded kernels show it.
    pub(super) draft: Mask,
    /// It asks for other scheduling domains.
    pub(super) redraws: bool,
}

impl<'a> Change<'a> {
    pub(super) const fn new(kernel: &'a mut Kernel, admin: bool) -> Self {
        Self { kernel, admin, draft: Mask::EMPTY, redraws: false }
    }

    /// Whether a group has a set that is not leaving.
    pub(super) fn has(&self, group: CgroupKey) -> bool {
        self.kernel.cgroups.table.at(group).cpuset.as_ref().is_some_and(|cpuset| !cpuset.leaving)
    }

    #[track_caller]
    pub(super) fn at(&self, group: CgroupKey) -> &Cpuset {
        match &self.kernel.cgroups.table.at(group).cpuset {
            Some(cpuset) => cpuset,
            None => panic!("{group:?} has no cpuset"),
        }
    }

    #[track_caller]
    pub(super) fn at_mut(&mut self, group: CgroupKey) -> &mut Cpuset {
        match &mut self.kernel.cgroups.table.at_mut(group).cpuset {
            Some(cpuset) => cpuset,
            None => panic!("{group:?} has no cpuset"),
        }
    }

    pub(super) const fn root(&self) -> CgroupKey {
        self.kernel.cgroups.root
    }

    /// The group above; the root is its own. All groups above one with a set have one.
    pub(super) fn parent(&self, group: CgroupKey) -> CgroupKey {
        self.kernel.cgroups.table.at(group).parent.unwrap_or(self.kernel.cgroups.root)
    }

    pub(super) fn children(&self, group: CgroupKey) -> Vec<CgroupKey> {
        let table = &self.kernel.cgroups.table;
        let children = iterate(table, table.at(group).children, |child| &child.siblings);
        children.map(|(key, _)| key).filter(|key| self.has(*key)).collect()
    }

    /// The next group below `top` that has a set, parents first; without what is below `group` if it is to be skipped.
    pub(super) fn next(&self, top: CgroupKey, group: CgroupKey, way: Way) -> Option<CgroupKey> {
        let table = &self.kernel.cgroups.table;
        let mut next = match way {
            Way::Below => tree::next_below(table, top, group),
            Way::Beside => tree::next_beside(table, top, group),
        };
        while let Some(key) = next
            && !self.has(key)
        {
            next = tree::next_beside(table, top, key);
        }
        next
    }

    /// Whether tasks would be left without processors if a partition had none: those in the group or below, but for what is in
    /// partitions there, and in a child that is to become one.
    pub(super) fn is_populated(&self, group: CgroupKey, but_for: Option<CgroupKey>) -> bool {
        let record = self.kernel.cgroups.table.at(group);
        if !record.members.is_empty() {
            return true;
        }
        let cpuset = self.at(group);
        if but_for.is_none() && cpuset.granted.is_empty() && cpuset.partitions == 0 {
            return record.is_populated();
        }
        let mut next = self.next(group, group, Way::Below);
        while let Some(key) = next {
            let is_partition = self.at(key).state.is_valid() && Some(key) != but_for;
            if !is_partition
                && Some(key) != but_for
                && self.kernel.cgroups.table.at(key).is_populated()
            {
                return true;
            }
            next = self.next(group, key, if is_partition { Way::Beside } else { Way::Below });
        }
        false
    }

    /// Whether a group's set may become this one.
    ///
    /// # Errors
    /// ENOSPC: its tasks would lose their last processor or node. EBUSY (since 6.12): a partition would lose
    /// time of processors that is set aside for ordinary tasks. EINVAL: a sibling has such processors for
    /// itself, or would lose them.
    pub(super) fn validate(&self, group: CgroupKey, new: &Cpuset) -> Result<(), Errno> {
        let old = self.at(group);
        let no_cpus = !old.cpus.is_empty() && new.cpus.is_empty();
        if (no_cpus || old.mems && !new.mems) && self.kernel.cgroups.table.at(group).is_populated()
        {
            return Err(Errno::ENOSPC);
        }
        let older = self.kernel.cgroups.release < Release::V6_12;
        let shrinks = old.alone && !old.cpus.is_empty();
        if !older && shrinks && !self.has_room(old.cpus, new.cpus) {
            return Err(Errno::EBUSY);
        }
        let conflicts = |sibling: &Cpuset| {
            if older {
                (new.alone || sibling.alone) && new.cpus.meets(sibling.cpus)
            } else {
                conflict(new, sibling)
            }
        };
        let siblings = self.children(self.parent(group));
        if siblings.into_iter().any(|key| key != group && conflicts(self.at(key))) {
            return Err(Errno::EINVAL);
        }
        Ok(())
    }

    /// Has it that no sibling may name a group's processors, or that they may again.
    pub(super) fn set_alone(&mut self, group: CgroupKey, alone: bool) -> Result<(), Errno> {
        self.validate(group, &Cpuset { alone, ..*self.at(group) })?;
        self.at_mut(group).alone = alone;
        Ok(())
    }

    /// Counts a change of cpuset.cpus.partition, if the state is another one than it was.
    pub(super) fn notify(&mut self, group: CgroupKey, before: State) {
        let cpuset = self.at_mut(group);
        if cpuset.state == before {
            return;
        }
        cpuset.changes += 1;
        if cpuset.state.is_valid() {
            cpuset.reason = None;
        }
        events::notify(self.kernel, group, "cpuset.cpus.partition");
    }

    /// What balances load follows the parent, unless the group is a partition.
    pub(super) fn follow_balance(&mut self, group: CgroupKey) {
        if !self.at(group).state.is_valid() {
            self.at_mut(group).balanced = self.at(self.parent(group)).balanced;
        }
    }
}

/// How a walk goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// To what is below.
    Below,
    /// Past it.
    Beside,
}

/// Whether two siblings can't both be, since 6.12.
const fn conflict(new: &Cpuset, sibling: &Cpuset) -> bool {
    match (new.exclusive.is_empty(), sibling.exclusive.is_empty()) {
        (true, true) if !new.alone && !sibling.alone => false,
        (false, true) if !new.alone && !sibling.alone => {
            !sibling.cpus.is_empty() && sibling.cpus.is_within(new.exclusive)
        }
        (true, false) if !new.alone && !sibling.alone => {
            !new.cpus.is_empty() && new.cpus.is_within(sibling.exclusive)
        }
        _ => new.claimed().meets(sibling.claimed()),
    }
}
