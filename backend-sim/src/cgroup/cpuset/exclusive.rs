//! What is written, on kernels where processors are handed down as exclusive ones (since 6.12 here): a partition has those of
//! cpuset.cpus.exclusive, or of cpuset.cpus, that its parent has as exclusive ones and no sibling has. Local partitions take them
//! from a parent that is a partition (`local`), remote ones from the root (`remote`); `spread` works out what is left below.
//!
//! Some rules look odd; they are the recorded kernel's.

use standin::Errno;

use super::change::Change;
use super::local::Request;
use super::partition::{Kind, Reason, State};
use super::{Cpuset, Mask};
use crate::cgroup::CgroupKey;

/// Exclusive processors that a set may have.
#[derive(Clone, Copy, Debug)]
pub(super) struct Available {
    pub(super) mask: Mask,
    /// A sibling has some that it asked for.
    pub(super) contested: bool,
}

impl Change<'_> {
    /// What a group may have: what it claims of what its parent has, without what siblings have if it did not say which are to be
    /// exclusive.
    pub(super) fn available(&self, group: CgroupKey) -> Mask {
        let own = self.at(group);
        if own.exclusive.is_empty() {
            self.claim(group, own).mask
        } else {
            own.exclusive & self.at(self.parent(group)).own
        }
    }

    /// What a group could have if its set were this one, without what siblings have.
    fn claim(&self, group: CgroupKey, new: &Cpuset) -> Available {
        let parent = self.parent(group);
        let mut mask = new.claimed() & self.at(parent).own;
        let mut contested = false;
        for sibling in self.children(parent) {
            let other = self.at(sibling);
            let taken = if mask.meets(other.exclusive) { other.exclusive } else { other.own };
            if sibling != group && mask.meets(taken) {
                mask = mask - taken;
                contested = true;
            }
        }
        Available { mask, contested }
    }

    /// Whether tasks would be left without processors if a group took these from its parent and had no others.
    pub(super) fn starves(&self, group: CgroupKey, taken: Mask) -> bool {
        let parent = self.parent(group);
        self.at(parent).effective.is_within(taken) && self.is_populated(parent, Some(group))
            || taken.is_empty() && self.is_populated(group, None)
    }

    /// Writes cpuset.cpus: a list, or nothing.
    pub(super) fn set_cpus(&mut self, group: CgroupKey, list: Option<Mask>) -> Result<(), Errno> {
        let old = *self.at(group);
        let mut new = Cpuset { cpus: list.unwrap_or_default(), ..old };
        if list.is_none() {
            if new.exclusive.is_empty() {
                new.own = Mask::EMPTY;
            }
        } else if !new.exclusive.is_empty() || old.state.is_valid() {
            new.own = self.claim(group, &new).mask;
        }
        if new.cpus == old.cpus {
            return Ok(());
        }
        let mut reason = None;
        if old.state != State::Member {
            if old.state.is_valid() && new.own.is_empty() {
                reason = Some(Reason::BadList);
            } else if self.starves(group, new.own) {
                reason = Some(Reason::ParentNeedsThem);
            }
        }
        if reason.is_some() {
            self.at_mut(group).reason = reason;
        }
        let valid = self.validate(group, &new);
        match valid {
            Ok(()) => {}
            Err(Errno::EINVAL) => self.end_rivals(group, &new),
            Err(errno) => return Err(errno),
        }
        let invalidate = reason.is_some() || valid.is_err();
        let state = self.at(group).state;
        if state.is_valid() || state.is_invalid() && !invalidate {
            let own = if new.own.is_empty() && state.is_invalid() { new.cpus } else { new.own };
            if self.at(group).remote {
                self.change_remote(group, None, own);
            } else {
                let request = if invalidate { Request::Invalidate } else { Request::Rename(own) };
                // What the parent refuses stays as it is.
                let _ = self.ask(group, request);
            }
        }
        let cpuset = self.at_mut(group);
        (cpuset.cpus, cpuset.own) = (new.cpus, new.own);
        self.settle(group, old.state);
        self.spread(group, old.own != new.own);
        self.balance_partition(group, old.state);
        self.draw_domains();
        Ok(())
    }

    /// Writes cpuset.cpus.exclusive: a list, or nothing.
    pub(super) fn set_exclusive(
        &mut self,
        group: CgroupKey,
        list: Option<Mask>,
    ) -> Result<(), Errno> {
        let old = *self.at(group);
        let mut new = Cpuset { exclusive: list.unwrap_or_default(), ..old };
        if new.exclusive == old.exclusive {
            return Ok(());
        }
        new.own = Mask::EMPTY;
        if list.is_some() {
            let Available { mask, contested } = self.claim(group, &new);
            if contested {
                return Err(Errno::EINVAL);
            }
            new.own = mask;
        }
        self.validate(group, &new)?;
        if old.state != State::Member {
            let reason = if new.own.is_empty() {
                Some(Reason::BadList)
            } else {
                self.starves(group, new.own).then_some(Reason::ParentNeedsThem)
            };
            if reason.is_some() {
                self.at_mut(group).reason = reason;
            }
            match (old.remote, reason) {
                (true, Some(_)) => self.disable_remote(group),
                (true, None) => self.change_remote(group, Some(new.exclusive), new.own),
                (false, Some(_)) => drop(self.ask(group, Request::Invalidate)),
                (false, None) => drop(self.ask(group, Request::Rename(new.own))),
            }
        }
        let cpuset = self.at_mut(group);
        (cpuset.exclusive, cpuset.own) = (new.exclusive, new.own);
        self.settle(group, old.state);
        let all = old.own != new.own;
        if all || self.at(group).state.is_valid() {
            self.spread(group, all);
        }
        self.balance_partition(group, old.state);
        self.draw_domains();
        Ok(())
    }

    /// Ends the partitions of siblings that have what a group will claim, and its own.
    fn end_rivals(&mut self, group: CgroupKey, new: &Cpuset) {
        for sibling in self.children(self.parent(group)) {
            let other = self.at(sibling);
            if other.state.is_valid() && new.claimed().meets(other.own) {
                let _ = self.ask(sibling, Request::Invalidate);
            }
        }
    }

    /// A partition that has just ended is an ordinary group.
    fn settle(&mut self, group: CgroupKey, before: State) {
        if before.is_valid() && !self.at(group).state.is_valid() {
            self.reset(group);
        }
    }

    /// A group is no partition: it has what its parent has.
    pub(super) fn reset(&mut self, group: CgroupKey) {
        let above = self.at(self.parent(group)).effective;
        let cpuset = self.at_mut(group);
        cpuset.partitions = 0;
        if cpuset.exclusive.is_empty() {
            cpuset.own = Mask::EMPTY;
            cpuset.alone = false;
        }
        let effective = above & cpuset.cpus;
        cpuset.effective = if effective.is_empty() { above } else { effective };
    }

    fn balance_partition(&mut self, group: CgroupKey, before: State) {
        if self.at(group).state != State::Member {
            self.balance(group, before);
        }
    }

    /// Load is balanced in partitions that are not isolated; elsewhere as in the parent.
    pub(super) fn balance(&mut self, group: CgroupKey, before: State) {
        let was = *self.at(group);
        match self.at(group).state {
            State::Valid(kind) => self.at_mut(group).balanced = kind != Kind::Isolated,
            State::Invalid(_) | State::Member => self.follow_balance(group),
        }
        let changed = self.at(group).balanced != was.balanced;
        self.redraws |= was.state.is_valid() || before.is_valid() || changed;
    }

    /// Writes cpuset.cpus.partition.
    pub(super) fn set_state(&mut self, group: CgroupKey, wanted: State) {
        let mut old = self.at(group).state;
        if old == wanted {
            return;
        }
        if wanted.is_valid() && old.is_invalid() {
            // As if it began anew.
            old = State::Member;
        }
        let reason = self.try_state(group, wanted).err();
        let mut new = wanted;
        if reason.is_some() {
            new = wanted.inverted();
            let _ = self.match_alone(group, new);
        }
        let cpuset = self.at_mut(group);
        (cpuset.state, cpuset.reason) = (new, reason);
        let own = cpuset.own;
        if !new.is_valid() {
            self.reset(group);
        } else if old.is_valid() {
            self.isolate(new, own);
        }
        self.spread(group, new == State::Member);
        self.balance(group, old);
        self.notify(group, old);
        self.draw_domains();
    }

    fn try_state(&mut self, group: CgroupKey, wanted: State) -> Result<(), Reason> {
        let old = *self.at(group);
        self.match_alone(group, wanted)?;
        let State::Valid(kind) = wanted else {
            if old.remote {
                self.disable_remote(group);
            } else {
                let _ = self.ask(group, Request::Disable);
            }
            return Ok(());
        };
        if old.state.is_valid() {
            return Ok(());
        }
        if old.claimed().is_empty() {
            return Err(Reason::NoneNamed);
        }
        let parent = self.parent(group);
        if parent == self.root() && old.exclusive.meets(self.kernel.cgroups.cpusets.taken) {
            return Err(Reason::RemoteBelow);
        }
        if self.at(parent).state.is_valid() {
            self.ask(group, Request::Enable(kind))
        } else {
            self.enable_remote(group, wanted)
        }
    }

    /// Has it that siblings may not name the processors of a valid partition, and may those of others.
    pub(super) fn match_alone(&mut self, group: CgroupKey, state: State) -> Result<(), Reason> {
        let alone = state.is_valid();
        if self.at(group).alone != alone && self.set_alone(group, alone).is_err() && alone {
            return Err(Reason::NotExclusive);
        }
        Ok(())
    }
}
