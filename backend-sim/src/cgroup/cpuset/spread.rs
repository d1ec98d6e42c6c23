//! Working out what is effective below a change, on kernels where processors are handed down as exclusive ones.

use super::Mask;
use super::change::{Change, Way};
use super::local::Request;
use super::partition::{Reason, State};
use crate::cgroup::CgroupKey;

impl Change<'_> {
    /// Works out the effective processors of a group and of what is below it; of `all`, or until members keep what they have.
    pub(super) fn spread(&mut self, top: CgroupKey, all: bool) {
        let mut next = Some(top).filter(|top| self.has(*top));
        while let Some(key) = next {
            let way = self.spread_one(top, key, all);
            next = self.next(top, key, way);
        }
    }

    fn spread_one(&mut self, top: CgroupKey, key: CgroupKey, all: bool) -> Way {
        let parent = self.parent(key);
        let old = self.at(key).state;
        let mut remote = self.at(key).remote;
        if remote && key != top {
            self.draft = self.available(key);
            if self.at(key).own == self.draft {
                return Way::Beside;
            }
            self.change_remote(key, None, self.draft);
            remote = self.at(key).state == old;
        }
        let mut new = self.at(key).state;
        let above = *self.at(parent);
        self.draft = if remote || above.state.is_valid() && new.is_valid() {
            self.left(key)
        } else {
            self.at(key).cpus & above.effective
        };
        if !remote {
            let mut review = new.is_valid() && self.draft.is_empty();
            if !review {
                if self.draft.is_empty() {
                    self.draft = above.effective;
                }
                let own = self.at(key);
                if new == State::Member
                    && !all
                    && self.draft == own.effective
                    && own.balanced == above.balanced
                {
                    return Way::Beside;
                }
            }
            if key != top && old != State::Member {
                if above.state.is_valid() {
                    review = true;
                } else {
                    let reason = if above.state.is_invalid() {
                        Reason::ParentInvalid
                    } else {
                        Reason::ParentNoPartition
                    };
                    if new.is_valid() {
                        new = new.inverted();
                    }
                    self.at_mut(key).reason = Some(reason);
                }
            }
            if review {
                let _ = self.ask(key, Request::Review);
                new = self.at(key).state;
            }
        }
        self.install(key, new, key == top);
        self.notify(key, old);
        if let Some(used) = self.narrow(key) {
            self.draft = used;
        }
        self.follow_balance(key);
        let own = self.at(key);
        self.redraws |= own.balanced && own.state.is_valid() && !own.cpus.is_empty();
        Way::Below
    }

    /// Gives a group the processors that were worked out, and its state.
    fn install(&mut self, key: CgroupKey, state: State, is_top: bool) {
        let effective = self.draft;
        let cpuset = self.at_mut(key);
        (cpuset.effective, cpuset.state) = (effective, state);
        if !self.at(key).exclusive.is_empty() && !is_top {
            let own = self.available(key);
            self.at_mut(key).own = own;
        }
        let above = self.at(self.parent(key)).own;
        let cpuset = self.at_mut(key);
        if state.is_valid() && cpuset.exclusive.is_empty() {
            cpuset.own = cpuset.cpus & above;
        } else if state.is_invalid() {
            self.reset(key);
        }
    }

    /// What a partition has left of its processors. Partitions below that have what it has not, or what its tasks need, end.
    fn left(&mut self, group: CgroupKey) -> Mask {
        let populated = self.is_populated(group, None);
        let mut left = self.available(group);
        for child in self.children(group) {
            let (own, below) = (self.at(group).own, *self.at(child));
            if !below.state.is_valid() {
                continue;
            }
            let reason = if !below.own.is_within(own) {
                Some(Reason::BadList)
            } else {
                (populated && left.is_within(below.own)).then_some(Reason::ParentNeedsThem)
            };
            self.at_mut(child).reason = reason;
            if reason.is_none() {
                left = left - below.own;
                continue;
            }
            let cpuset = self.at_mut(child);
            (cpuset.state, cpuset.partitions) = (below.state.inverted(), 0);
            self.at_mut(group).partitions -= 1;
            self.notify(child, below.state);
        }
        left
    }

    /// Works out the children of a group anew whose effective processors change with its own; not `but`, which changed them.
    pub(super) fn spread_siblings(&mut self, parent: CgroupKey, but: Option<CgroupKey>) {
        for child in self.children(parent) {
            if Some(child) == but {
                continue;
            }
            let own = *self.at(child);
            if !own.state.is_valid() {
                self.draft = own.cpus & self.at(parent).effective;
                if self.draft == own.effective {
                    continue;
                }
            } else if own.remote {
                continue;
            }
            self.spread(child, false);
        }
    }
}
