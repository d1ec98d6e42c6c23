//! Between which processors load is balanced, as far as it can be seen: since 6.12 each processor of a new scheduling domain sets
//! some of its time aside for ordinary tasks, and a partition cannot lose so many processors that the others have not that much.
//! What a domain sets aside is forgotten when the domains are drawn anew and it stays as it is.

use super::Mask;
use super::change::{Change, Way};
use super::partition::{Kind, State};

/// A part of each processor's time is set aside, and so many times that part can be.
const MOST_PARTS: u32 = 19;

/// Processors between which load is balanced.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Domain {
    cpus: Mask,
    /// It has been there no longer than since the domains were drawn last.
    is_new: bool,
}

impl Domain {
    pub(super) const fn new(cpus: Mask) -> Self {
        Self { cpus, is_new: true }
    }
}

impl Change<'_> {
    /// Whether what is set aside where the first of these processors is finds room on the others.
    pub(super) fn has_room(&self, old: Mask, new: Mask) -> bool {
        let domains = &self.kernel.cgroups.cpusets.domains;
        let its = domains.iter().find(|domain| domain.cpus.meets(old.lowest()));
        its.is_none_or(|its| !its.is_new || its.cpus.count() <= MOST_PARTS * new.count())
    }

    /// Draws the domains anew, if this change asks for it: one for the root, and one for each partition that is not isolated.
    pub(super) fn draw_domains(&mut self) {
        if !std::mem::take(&mut self.redraws) {
            return;
        }
        let root = self.root();
        let cpusets = &self.kernel.cgroups.cpusets;
        if cpusets.taken.is_empty() && self.at(root).effective != cpusets.possible() {
            return;
        }
        let mut drawn = vec![self.at(root).effective];
        let mut next = self.next(root, root, Way::Below);
        while let Some(key) = next {
            let cpuset = self.at(key);
            if cpuset.state == State::Valid(Kind::Root) && !cpuset.effective.is_empty() {
                drawn.push(cpuset.effective);
            }
            let ends = !cpuset.state.is_valid() && cpuset.exclusive.is_empty();
            next = self.next(root, key, if ends { Way::Beside } else { Way::Below });
        }
        let domains = &mut self.kernel.cgroups.cpusets.domains;
        let known = |cpus: Mask| domains.iter().any(|domain| domain.cpus == cpus);
        *domains = drawn.into_iter().map(|cpus| Domain { cpus, is_new: !known(cpus) }).collect();
    }
}
