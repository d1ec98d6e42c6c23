//! In which order processes came into their v1 groups: of several that have as much memory, the last is ended (`oom`). Who was
//! born there came when he was made.

use rustc_hash::FxHashMap;

use crate::task::ThreadKey;

/// Leaders that were moved, and when.
#[derive(Clone, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(in crate::cgroup) struct Arrivals {
    #[cfg_attr(feature = "serde", serde(with = "crate::written::map"))]
    moved: FxHashMap<ThreadKey, Arrival>,
    last: u64,
}

/// After which process was made, and after which other move.
pub(in crate::cgroup) type Arrival = (u32, u64);

impl Arrivals {
    /// A leader was moved, after the process with this serial number was made.
    pub(super) fn came(&mut self, leader: ThreadKey, serial: u32) {
        self.last += 1;
        self.moved.insert(leader, (serial, self.last));
    }

    /// It has exited.
    pub(super) fn forget(&mut self, leader: ThreadKey) {
        if !self.moved.is_empty() {
            self.moved.remove(&leader);
        }
    }

    /// When a leader came; its process has this serial number.
    pub(in crate::cgroup) fn order(&self, leader: ThreadKey, serial: u32) -> Arrival {
        self.moved.get(&leader).copied().unwrap_or((serial, 0))
    }
}
