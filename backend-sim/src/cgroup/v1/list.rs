//! The lists that tasks and cgroup.procs print: made when an open file is first read, and kept for a second after anybody's last
//! read of the same file, whoever comes or goes meanwhile.
//!
//! For each PID namespace a group has one list of threads and one of processes. An open file that was read before goes on with the list that is there,
//! be it one that another open file has made since.

use standin::id::Moment;

use crate::cgroup::{CgroupKey, Cgroups};
use crate::namespace::pid::PidNsKey;

/// How long a list is kept after a read, in ns.
const KEPT_NS: u64 = 1_000_000_000;

/// Which list: that of a row of a group, with the numbers of a PID namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(in crate::cgroup) struct Listed {
    pub(in crate::cgroup) group: CgroupKey,
    pub(in crate::cgroup) row: u16,
    pub(in crate::cgroup) shown: PidNsKey,
}

/// A list.
#[derive(Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct List {
    of: Listed,
    numbers: Box<[u32]>,
    until: Moment,
}

/// The lists that are kept.
#[derive(Clone, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(in crate::cgroup) struct Lists {
    all: Vec<List>,
}

impl Lists {
    fn forget_old(&mut self, now: Moment) {
        self.all.retain(|list| now < list.until);
    }

    /// Keeps a list that has just been made, in the place of the one before.
    fn keep(&mut self, of: Listed, numbers: Vec<u32>) {
        self.all.retain(|list| list.of != of);
        let until = Moment { ns: u64::MAX };
        self.all.push(List { of, numbers: numbers.into(), until });
    }

    fn find(&mut self, of: Listed) -> Option<&mut List> {
        self.all.iter_mut().find(|list| list.of == of)
    }
}

impl Cgroups {
    /// Goes on with a list that is kept; whether there is one.
    pub(super) fn has_list(&mut self, of: Listed, now: Moment) -> bool {
        self.lists.forget_old(now);
        self.lists.find(of).is_some()
    }

    /// Keeps a list.
    pub(super) fn keep_list(&mut self, of: Listed, numbers: Vec<u32>) {
        self.lists.keep(of, numbers);
    }

    /// A list was read.
    pub(super) fn list_was_read(&mut self, of: Listed, now: Moment) {
        if let Some(list) = self.lists.find(of) {
            list.until = Moment { ns: now.ns.saturating_add(KEPT_NS) };
        }
    }

    /// What a list holds.
    pub(super) fn list_of(&self, of: Listed) -> &[u32] {
        let found = self.lists.all.iter().find(|list| list.of == of);
        found.map_or(&[], |list| &list.numbers)
    }
}
