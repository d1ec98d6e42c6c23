//! Partitions of kernels in which a parent notes what it has granted (6.1). Only children of partitions can be partitions, and what
//! is granted is what the child's cpuset.cpus names, whether the parent has it or not.
//!
//! Some rules look odd; they are the recorded kernel's.

use standin::Errno;

use super::change::{Change, Way};
use super::partition::{Kind, Reason, State};
use super::{Cpuset, Mask};
use crate::cgroup::CgroupKey;

/// What a parent is asked for.
#[derive(Clone, Copy, Debug)]
enum Request {
    Enable,
    Disable,
    /// The child will name these processors.
    Rename(Mask),
    /// Something above has changed.
    Review,
    Invalidate,
}

/// What the answer moves.
#[derive(Clone, Copy, Debug, Default)]
struct Answer {
    granted: Mask,
    returned: Mask,
    reason: Option<Reason>,
}

impl Change<'_> {
    /// Writes cpuset.cpus.
    pub(super) fn grant_cpus(&mut self, group: CgroupKey, cpus: Mask) -> Result<(), Errno> {
        let old = *self.at(group);
        if old.cpus == cpus {
            return Ok(());
        }
        let new = Cpuset { cpus, ..old };
        let parent = self.parent(group);
        let mut request = Request::Rename(cpus);
        match self.validate(group, &new) {
            Ok(()) => {}
            // Partitions that are in the way end, this one too.
            Err(Errno::EINVAL) => {
                request = Request::Invalidate;
                for sibling in self.children(parent) {
                    let other = self.at(sibling);
                    if other.state.is_valid() && cpus.meets(other.cpus) {
                        // What the parent refuses stays as it is.
                        let _ = self.ask_parent(sibling, Request::Invalidate);
                    }
                }
            }
            Err(errno) => return Err(errno),
        }
        if old.state != State::Member {
            let _ = self.ask_parent(group, request);
        }
        let effective = distributable(self.at(parent)) & cpus;
        let needed = self.is_populated(group, None);
        let cpuset = self.at_mut(group);
        cpuset.cpus = cpus;
        let leaves_none = effective.is_within(cpuset.granted) && needed;
        cpuset.granted = if !cpuset.state.is_valid() || leaves_none {
            Mask::EMPTY
        } else {
            cpuset.granted & cpus
        };
        self.grant_below(group, Walk::Changed);
        if self.at(group).state != State::Member {
            self.grant_siblings(parent, group);
        }
        Ok(())
    }

    /// Writes cpuset.cpus.partition.
    pub(super) fn grant_state(&mut self, group: CgroupKey, wanted: State) {
        let old = self.at(group).state;
        if old == wanted {
            return;
        }
        if wanted != State::Member && old.is_invalid() {
            self.at_mut(group).state = wanted.inverted();
            return;
        }
        let isolated = wanted == State::Valid(Kind::Isolated);
        let parent = self.parent(group);
        let mut reason = None;
        if old == State::Member {
            reason = self.become_partition(group).err();
            if reason.is_none() && isolated {
                self.set_balanced(group, false);
            }
        } else if wanted == State::Member {
            self.become_member(group, parent);
        } else {
            self.set_balanced(group, !isolated);
        }
        if reason.is_none() && (old == State::Member || wanted == State::Member) {
            self.narrow(parent);
            self.grant_siblings(parent, group);
        }
        let cpuset = self.at_mut(group);
        cpuset.state = if reason.is_some() { wanted.inverted() } else { wanted };
        cpuset.reason = reason;
        if !self.children(group).is_empty() {
            let walk = if wanted == State::Member { Walk::All } else { Walk::Changed };
            self.grant_below(group, walk);
        }
        self.notify(group, old);
    }

    fn become_partition(&mut self, group: CgroupKey) -> Result<(), Reason> {
        if self.at(group).cpus.is_empty() {
            return Err(Reason::NoneNamed);
        }
        self.set_alone(group, true).map_err(|_| Reason::NotExclusive)?;
        self.ask_parent(group, Request::Enable).inspect_err(|_| {
            let _ = self.set_alone(group, false);
        })
    }

    fn become_member(&mut self, group: CgroupKey, parent: CgroupKey) {
        let _ = self.ask_parent(group, Request::Disable);
        if !self.at(group).granted.is_empty() {
            let effective = distributable(self.at(parent)) & self.at(group).cpus;
            let cpuset = self.at_mut(group);
            (cpuset.granted, cpuset.effective) = (Mask::EMPTY, effective);
        }
        let _ = self.set_alone(group, false);
        self.set_balanced(group, true);
    }

    fn set_balanced(&mut self, group: CgroupKey, balanced: bool) {
        let new = Cpuset { balanced, ..*self.at(group) };
        if self.validate(group, &new).is_ok() {
            self.at_mut(group).balanced = balanced;
        }
    }

    /// Asks the parent to grant or take back processors, and makes a partition valid or invalid by what it answers.
    fn ask_parent(&mut self, group: CgroupKey, request: Request) -> Result<(), Reason> {
        let parent = self.parent(group);
        let (own, above) = (*self.at(group), *self.at(parent));
        match above.state {
            State::Valid(_) => {}
            State::Invalid(_) => return Err(Reason::ParentInvalid),
            State::Member => return Err(Reason::ParentNoPartition),
        }
        let named = if let Request::Rename(cpus) = request { cpus } else { own.cpus };
        if named.is_empty() {
            return Err(Reason::NoneNamed);
        }
        let old = own.state;
        let held = own.cpus & above.granted;
        let Answer { granted, returned, reason } = match request {
            Request::Enable => {
                if !own.cpus.meets(above.cpus) {
                    return Err(Reason::BadList);
                }
                if above.effective.is_within(own.cpus) && self.is_populated(parent, Some(group)) {
                    return Err(Reason::ParentNeedsThem);
                }
                Answer { granted: own.cpus, ..Answer::default() }
            }
            Request::Disable if old.is_valid() => Answer { returned: held, ..Answer::default() },
            Request::Disable => Answer::default(),
            Request::Invalidate if old.is_invalid() => return Ok(()),
            Request::Invalidate => Answer {
                returned: held,
                reason: old.is_valid().then_some(Reason::NotExclusive),
                ..Answer::default()
            },
            Request::Rename(cpus) => self.answer_rename(group, cpus),
            Request::Review => self.answer_review(group),
        };
        if reason.is_some() {
            self.at_mut(group).reason = reason;
        }
        let new = match request {
            Request::Rename(_) | Request::Review if old.is_valid() == reason.is_some() => {
                old.inverted()
            }
            Request::Invalidate if old.is_valid() => old.inverted(),
            Request::Enable
            | Request::Disable
            | Request::Rename(_)
            | Request::Review
            | Request::Invalidate => old,
        };
        if granted.is_empty() && returned.is_empty() && new == old {
            return Ok(());
        }
        if new != old {
            if old.is_invalid() && !own.alone && self.set_alone(group, true).is_err() {
                return Err(Reason::NotExclusive);
            }
            if new.is_invalid() && self.at(group).alone {
                let _ = self.set_alone(group, false);
            }
        }
        let above = self.at_mut(parent);
        above.granted = (above.granted | granted) - returned;
        above.effective = (above.effective - granted) | returned;
        self.at_mut(group).state = new;
        if !granted.is_empty() || !returned.is_empty() {
            self.narrow(parent);
        }
        if new != old {
            let isolated = State::Valid(Kind::Isolated);
            if old == isolated {
                self.set_balanced(group, true);
            } else if new == isolated {
                self.set_balanced(group, false);
            }
        }
        self.notify(group, old);
        Ok(())
    }

    fn answer_rename(&self, group: CgroupKey, cpus: Mask) -> Answer {
        let parent = self.parent(group);
        let (own, above) = (self.at(group), self.at(parent));
        let granted = (cpus & above.cpus) - above.granted;
        let returned = (own.cpus - cpus) & above.granted;
        let leaves_none = !granted.is_empty()
            && above.effective.is_within(granted)
            && returned.is_empty()
            && self.is_populated(parent, Some(group));
        if leaves_none {
            let reason = Some(Reason::ParentNeedsThem);
            return Answer { granted: Mask::EMPTY, returned: own.cpus & above.granted, reason };
        }
        Answer { granted, returned, reason: None }
    }

    fn answer_review(&self, group: CgroupKey) -> Answer {
        let parent = self.parent(group);
        let (own, above) = (self.at(group), self.at(parent));
        let valid = own.state.is_valid();
        let granted = (own.cpus & above.cpus) - above.granted;
        let leaves_none = !granted.is_empty()
            && above.effective.is_within(granted)
            && self.is_populated(parent, Some(group));
        if !(valid && above.granted.is_empty() || leaves_none) {
            return Answer { granted, ..Answer::default() };
        }
        let returned = if valid { own.cpus & above.granted } else { Mask::EMPTY };
        Answer { granted: Mask::EMPTY, returned, reason: Some(Reason::ParentNeedsThem) }
    }

    /// Works out the effective processors of a group and of what is below it.
    fn grant_below(&mut self, top: CgroupKey, walk: Walk) {
        let mut next = Some(top).filter(|top| self.has(*top));
        while let Some(key) = next {
            let way = self.grant_one(top, key, walk);
            next = self.next(top, key, way);
        }
    }

    fn grant_one(&mut self, top: CgroupKey, key: CgroupKey, walk: Walk) -> Way {
        let parent = self.parent(key);
        let (own, above) = (*self.at(key), *self.at(parent));
        let mut effective = distributable(&above) & own.cpus;
        // A partition may have granted all that it has.
        let is_drained = effective.is_empty() && own.state.is_valid() && own.cpus == own.granted;
        if !is_drained {
            self.at_mut(key).inherits = effective.is_empty();
            if effective.is_empty() {
                effective = above.effective;
            }
            if own.state == State::Member
                && walk == Walk::Changed
                && effective == own.effective
                && own.balanced == above.balanced
            {
                return Way::Beside;
            }
        }
        let old = own.state;
        let mut new = old;
        if key != top && old != State::Member {
            if above.state.is_valid() {
                let _ = self.ask_parent(key, Request::Review);
                new = self.at(key).state;
            } else {
                let invalid = above.state.is_invalid();
                new = if old.is_valid() { old.inverted() } else { old };
                self.at_mut(key).reason =
                    Some(if invalid { Reason::ParentInvalid } else { Reason::ParentNoPartition });
            }
        }
        let cpuset = self.at_mut(key);
        if !cpuset.granted.is_empty() && !cpuset.state.is_valid() {
            effective = effective | cpuset.granted;
            cpuset.granted = Mask::EMPTY;
        }
        cpuset.effective = effective - cpuset.granted;
        cpuset.state = new;
        self.notify(key, old);
        self.narrow(key);
        self.follow_balance(key);
        Way::Below
    }

    /// Works out those siblings anew that have what their parent has.
    fn grant_siblings(&mut self, parent: CgroupKey, group: CgroupKey) {
        for sibling in self.children(parent) {
            if sibling != group && self.at(sibling).inherits {
                self.grant_below(sibling, Walk::Changed);
            }
        }
    }
}

/// Which groups a walk looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Walk {
    /// Members whose processors stay the same end it.
    Changed,
    All,
}

/// What children may have: what is effective, and what partitions below were granted.
fn distributable(parent: &Cpuset) -> Mask {
    parent.effective | parent.granted
}
