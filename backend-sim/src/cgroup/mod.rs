//! Control groups: the tree of the v2 hierarchy, its members, and what its control files do (cgroup-v2.rst).
//!
//! A [`Cgroup`] is plain data. Its files are rows of a table ([`RowId`] names one); what a row does is in the module of its
//! subject: `procs` (membership), `enable` (subtree_control), `freeze`, `kill`, `threaded`, `pids` ... Neighbours: `task`
//! (threads are the members), `fs` (which resolves names and asks `filesystem` here). Knows no path.

use standin::id::{Gid, Mode, Uid};
use standin::ControllerSet;

use crate::kernel::Kernel;
use crate::list::{Links, List};
use crate::profile::Profile;
use crate::table::{Key, Table};
use crate::task::Thread;

pub(crate) mod filesystem;

pub(crate) type CgroupKey = Key<Cgroup>;

/// A row of the table of control files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct RowId(pub(crate) u16);

/// The groups of the v2 hierarchy.
pub(crate) struct Cgroups {
    pub(crate) table: Table<Cgroup>,
    pub(crate) root: CgroupKey,
}

/// A group.
pub(crate) struct Cgroup {
    pub(crate) id: u64,
    pub(crate) name: Box<[u8]>,
    pub(crate) parent: Option<CgroupKey>,
    pub(crate) children: List<Cgroup>,
    pub(crate) siblings: Links<Cgroup>,
    /// Live threads of this very group.
    pub(crate) members: List<Thread>,
    /// What its children have.
    pub(crate) subtree_control: ControllerSet,
    pub(crate) owner: Uid,
    pub(crate) group: Gid,
    pub(crate) mode: Mode,
    /// Removed; kept while an open file or a zombie names it.
    pub(crate) removed: bool,
}

impl Cgroups {
    /// The root group alone.
    pub(crate) fn boot(profile: &Profile) -> Self {
        let _ = profile;
        let mut table = Table::default();
        let root = table.insert(Cgroup {
            id: 1,
            name: Box::default(),
            parent: None,
            children: List::default(),
            siblings: Links::default(),
            members: List::default(),
            subtree_control: ControllerSet::EMPTY,
            owner: Uid::ROOT,
            group: Gid::ROOT,
            mode: Mode::new(0o555),
            removed: false,
        });
        Self { table, root }
    }
}

/// The path of a group from the root, as /proc/PID/cgroup prints it.
pub(crate) fn path(kernel: &Kernel, group: CgroupKey, out: &mut Vec<u8>) {
    let _ = (kernel, group);
    out.push(b'/');
}
