//! The lists that tasks and cgroup.procs print: made when an open file is first read, and kept for a second after anybody's last
//! read of the same file, whoever comes or goes meanwhile.
//!
//! A group has one list of threads and one of processes. An open file that was read before goes on with the list that is there,
//! be it one that another open file has made since.

use standin::id::Moment;

use crate::cgroup::rows::Target;
use crate::cgroup::{CgroupKey, Cgroups};

/// How long a list is kept after a read, in ns.
const KEPT_NS: u64 = 1_000_000_000;

/// A list, by group and row.
#[derive(Clone)]
struct List {
    group: CgroupKey,
    row: u16,
    numbers: Box<[u32]>,
    until: Moment,
}

/// The lists that are kept.
#[derive(Clone, Default)]
pub(in crate::cgroup) struct Lists {
    all: Vec<List>,
}

impl Lists {
    fn forget_old(&mut self, now: Moment) {
        self.all.retain(|list| now < list.until);
    }

    /// Keeps a list that has just been made, in the place of the one before.
    fn keep(&mut self, group: CgroupKey, row: u16, numbers: Vec<u32>) {
        self.all.retain(|list| (list.group, list.row) != (group, row));
        let until = Moment { ns: u64::MAX };
        self.all.push(List { group, row, numbers: numbers.into(), until });
    }

    fn find(&mut self, group: CgroupKey, row: u16) -> Option<&mut List> {
        self.all.iter_mut().find(|list| (list.group, list.row) == (group, row))
    }
}

impl Cgroups {
    /// Goes on with a list that is kept; whether there is one.
    pub(super) fn has_list(&mut self, (group, row): (CgroupKey, u16), now: Moment) -> bool {
        self.lists.forget_old(now);
        self.lists.find(group, row).is_some()
    }

    /// Keeps a list.
    pub(super) fn keep_list(&mut self, (group, row): (CgroupKey, u16), numbers: Vec<u32>) {
        self.lists.keep(group, row, numbers);
    }

    /// A list was read.
    pub(super) fn list_was_read(&mut self, (group, row): (CgroupKey, u16), now: Moment) {
        if let Some(list) = self.lists.find(group, row) {
            list.until = Moment { ns: now.ns.saturating_add(KEPT_NS) };
        }
    }

    /// What a list holds.
    pub(super) fn list_of(&self, target: Target) -> &[u32] {
        let found =
            self.lists.all.iter().find(|list| (list.group, list.row) == (target.group, target.row));
        found.map_or(&[], |list| &list.numbers)
    }
}
