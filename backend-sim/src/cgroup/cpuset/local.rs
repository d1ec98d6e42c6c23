//! Local partitions: children of partitions, which give them processors of their own.

use super::Mask;
use super::change::Change;
use super::partition::{Kind, Reason, State};
use crate::cgroup::CgroupKey;

/// What a parent is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Request {
    Enable(Kind),
    Disable,
    /// The child will have these processors.
    Rename(Mask),
    /// Something above has changed.
    Review,
    Invalidate,
}

/// What the answer moves.
#[derive(Clone, Copy, Debug)]
struct Answer {
    state: State,
    taken: Mask,
    returned: Mask,
    reason: Option<Reason>,
    /// By how many the parent's partitions change.
    more: i32,
}

impl Change<'_> {
    /// Asks the parent to give or take back processors, and makes a partition what follows from the answer.
    pub(super) fn ask(&mut self, group: CgroupKey, request: Request) -> Result<(), Reason> {
        let parent = self.parent(group);
        let old = self.at(group).state;
        if matches!(request, Request::Invalidate) && old.is_invalid() {
            return Ok(());
        }
        if !matches!(request, Request::Invalidate) {
            match self.at(parent).state {
                State::Valid(_) => {}
                State::Invalid(_) => return Err(Reason::ParentInvalid),
                State::Member => return Err(Reason::ParentNoPartition),
            }
            if !matches!(request, Request::Rename(_)) && self.at(group).claimed().is_empty() {
                return Err(Reason::NoneNamed);
            }
        }
        let mut answer = self.answer(group, request)?;
        let updates = matches!(request, Request::Rename(_) | Request::Review);
        if answer.reason.is_some() {
            self.at_mut(group).reason = answer.reason;
        }
        if updates && old.is_valid() && answer.reason.is_some() {
            (answer.state, answer.more) = (old.inverted(), -1);
        } else if updates && old.is_invalid() && answer.reason.is_none() {
            (answer.state, answer.more) = (old.inverted(), 1);
        }
        let Answer { state: new, taken, returned, more, .. } = answer;
        let moves = !taken.is_empty() || !returned.is_empty();
        if !moves && new == old {
            return Ok(());
        }
        if old != new && !updates {
            self.match_alone(group, new)?;
        }
        if old != new {
            let cpuset = self.at_mut(group);
            cpuset.state = new;
            if !new.is_valid() {
                cpuset.partitions = 0;
            }
        }
        if !returned.is_empty() {
            self.give_back(old, parent, returned);
        }
        if !taken.is_empty() {
            self.take(new, parent, taken);
        }
        if self.at(parent).state.is_valid() {
            self.at_mut(parent).partitions += more;
        }
        if old != new && updates {
            let _ = self.match_alone(group, new);
        }
        if moves {
            self.narrow(parent);
            self.spread_siblings(parent, Some(group));
        }
        if matches!(request, Request::Review) {
            self.balance(group, old);
        }
        self.notify(group, old);
        Ok(())
    }

    fn answer(&self, group: CgroupKey, request: Request) -> Result<Answer, Reason> {
        let own = self.at(group);
        let above = self.at(self.parent(group));
        let claimed = own.claimed();
        let (taken, returned) = (Mask::EMPTY, Mask::EMPTY);
        let mut answer = Answer { state: own.state, taken, returned, reason: None, more: 0 };
        match request {
            Request::Invalidate => {
                if above.state.is_valid() {
                    answer.returned = claimed & above.own;
                }
                if own.state.is_valid() {
                    (answer.state, answer.more) = (own.state.inverted(), -1);
                }
            }
            Request::Enable(kind) => {
                let available = self.available(group);
                if available.is_empty() {
                    return Err(Reason::BadList);
                }
                if self.starves(group, available) {
                    return Err(Reason::ParentNeedsThem);
                }
                answer.taken = available & above.effective;
                answer.more = i32::from(!answer.taken.is_empty());
                answer.state = State::Valid(kind);
            }
            Request::Disable => {
                if own.state.is_valid() {
                    (answer.returned, answer.more) = (own.own, -1);
                }
                answer.state = State::Member;
            }
            Request::Rename(wanted) if wanted.is_empty() => {
                answer.reason = Some(Reason::NoneNamed);
            }
            Request::Rename(wanted) => {
                if own.state.is_invalid() {
                    answer.taken = wanted & above.own;
                } else {
                    answer.returned = (claimed - wanted) & above.own;
                    answer.taken = (wanted - claimed) & above.own;
                }
                let starves = self.starves(group, claimed) || self.starves(group, wanted);
                if starves && answer.returned.is_empty() {
                    answer.reason = Some(Reason::ParentNeedsThem);
                    (answer.taken, answer.returned) = (Mask::EMPTY, claimed & above.own);
                }
            }
            Request::Review if self.starves(group, claimed) => {
                answer.reason = Some(Reason::ParentNeedsThem);
                if own.state.is_valid() {
                    answer.returned = claimed & above.own;
                }
            }
            Request::Review => {
                let may_recover =
                    own.state.is_invalid() && !claimed.is_empty() && claimed.is_within(above.own);
                if may_recover {
                    let siblings = self.children(self.parent(group));
                    let rival =
                        |key: CgroupKey| key != group && claimed.meets(self.at(key).claimed());
                    if siblings.into_iter().any(rival) {
                        answer.reason = Some(Reason::NotExclusive);
                    } else {
                        answer.taken = claimed & above.effective;
                    }
                }
            }
        }
        Ok(answer)
    }

    /// A partition gets processors of its parent.
    pub(super) fn take(&mut self, state: State, parent: CgroupKey, cpus: Mask) {
        if parent == self.root() {
            let cpusets = &mut self.kernel.cgroups.cpusets;
            cpusets.taken = cpusets.taken | cpus;
        }
        if state != self.at(parent).state {
            self.isolate(state, cpus);
        }
        let above = self.at_mut(parent);
        above.effective = above.effective - cpus;
    }

    /// A partition that was in this state gives processors back to its parent.
    pub(super) fn give_back(&mut self, state: State, parent: CgroupKey, cpus: Mask) {
        if parent == self.root() {
            let cpusets = &mut self.kernel.cgroups.cpusets;
            cpusets.taken = cpusets.taken - cpus;
        }
        let above = self.at(parent).state;
        if state != above {
            self.isolate(above, cpus);
        }
        let above = self.at_mut(parent);
        above.effective = above.effective | cpus;
    }

    /// Processors are in a partition of this kind from now on.
    pub(super) fn isolate(&mut self, state: State, cpus: Mask) {
        let cpusets = &mut self.kernel.cgroups.cpusets;
        cpusets.isolated = if matches!(state, State::Valid(Kind::Isolated)) {
            cpusets.isolated | cpus
        } else {
            cpusets.isolated - cpus
        };
    }
}
