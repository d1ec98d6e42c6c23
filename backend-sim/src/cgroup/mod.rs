//! Control groups: the tree of the v2 hierarchy, its members, and what its control files do (cgroup-v2.rst).
//!
//! A [`Cgroup`] is plain data. Its files are rows of a table ([`rows`]; [`RowId`] names one file of a group); what a row does
//! is in the module of its subject: `procs` and `migrate` (membership), `enable` (subtree_control), `threaded`, `freeze`,
//! `kill`, `pids` ... Neighbours: `task` (threads are the members; it calls [`can_fork`], [`born`], [`exited`], [`reaped`],
//! [`held`]), `fs` (which resolves names and asks [`filesystem`]). Knows no path but the one it prints.

mod absent;
mod attributes;
mod check;
mod cpu;
pub(crate) mod cpuset;
mod disk;
mod domain;
mod enable;
mod events;
pub(crate) mod filesystem;
mod fork;
mod freeze;
mod hierarchy_limit;
mod index;
mod io;
mod io_cost;
mod kill;
mod members;
pub(crate) mod memory;
mod memory_events;
mod memory_group;
mod memory_high;
mod memory_reclaim;
mod memory_stat;
mod migrate;
mod oom;
mod pids;
mod pressure;
pub(crate) mod processor;
mod procs;
mod rare;
mod rows;
mod setting;
mod stat;
mod subsystem;
mod swap;
mod threaded;
mod tree;
pub(crate) mod value;

pub(crate) use check::check;
pub(crate) use fork::{booted, born, can_fork};
pub(crate) use freeze::held;
#[cfg(feature = "transcript")]
pub(crate) use freeze::is_frozen;
pub(crate) use members::{exited, reaped};
pub(crate) use tree::{path, subtree};

use rustc_hash::FxHashMap;
use standin::id::{Gid, Mode, Moment, Uid};
use standin::{Controller, ControllerSet};

use crate::fs::FileKey;
use crate::list::{Links, List};
use crate::profile::{Profile, Release};
use crate::table::{Key, Table};
use crate::task::{Thread, ThreadKey};
use cpuset::{Cpuset, Cpusets};
use disk::Disk;
use freeze::Freezer;
use hierarchy_limit::HierarchyLimits;
use index::Index;
use pids::Pids;
use rare::Rare;

pub(crate) type CgroupKey = Key<Cgroup>;

/// A control file of a group: a row of the table, and which of the files that stood there one after the other. A controller
/// that is disabled takes its files away; those that come back are others, and an open file of before stays dead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct RowId {
    row: u16,
    incarnation: u16,
}

/// The groups of the v2 hierarchy.
pub(crate) struct Cgroups {
    pub(crate) table: Table<Cgroup>,
    pub(crate) root: CgroupKey,
    release: Release,
    /// What the root offers.
    controllers: ControllerSet,
    /// Children by parent and name.
    index: Index,
    /// The id of the next group.
    next_id: u64,
    /// Exited threads that still count as processes somewhere.
    dead: usize,
    /// Exited leaders whose process lived on when they exited: cgroup.procs goes on to name them.
    headless: Vec<ThreadKey>,
    /// Where the charge of an exited thread begins, if not at its own group (see `pids`).
    strays: FxHashMap<ThreadKey, CgroupKey>,
    /// Open pressure files that a trigger was written to.
    triggers: FxHashMap<FileKey, pressure::Trigger>,
    /// Memory that processes asked for.
    charges: Table<memory::Charge>,
    /// Open files of memory.peak that were written to, and what was used then.
    peaks: FxHashMap<FileKey, u64>,
    /// What the cpuset controller keeps of all groups together.
    cpusets: Cpusets,
    /// memory.max or memory.high of some group was written: until then births need not look for one.
    memory_limited: bool,
    /// Block devices, in the order in which the kernel found them.
    disks: Vec<Disk>,
}

/// A group.
pub(crate) struct Cgroup {
    pub(crate) id: u64,
    pub(crate) name: Box<[u8]>,
    pub(crate) parent: Option<CgroupKey>,
    /// Those that were not removed, in the order in which they were made.
    pub(crate) children: List<Cgroup>,
    pub(crate) siblings: Links<Cgroup>,
    /// Live threads of this very group.
    pub(crate) members: List<Thread>,
    /// What its children have.
    pub(crate) subtree_control: ControllerSet,
    /// The group whose resource domain it belongs to: itself, unless it is threaded.
    domain: CgroupKey,
    /// How far below the root.
    level: u32,
    pub(crate) owner: Uid,
    pub(crate) group: Gid,
    pub(crate) mode: Mode,
    /// Who made it: its files are theirs, unless they were given away.
    maker: (Uid, Gid),
    /// When, on the realtime clock.
    made: Moment,
    /// Removed; kept while an open file, a zombie or such a child names it.
    pub(crate) removed: bool,
    /// Removed, and no zombie or child keeps the kernel from forgetting it.
    released: bool,
    /// Whether it shows its pressure files.
    pressure: bool,
    /// A process of it or below waited for memory.
    stalled: bool,
    limits: HierarchyLimits,
    /// Groups below that were not removed.
    descendants: u32,
    /// Groups below that were removed and not released.
    dying_descendants: u32,
    threaded_children: u32,
    populated_domain_children: u32,
    populated_threaded_children: u32,
    /// Exited threads that were members and are not reaped.
    dead: u32,
    /// Open files, working directories and mounts that name it or its files.
    users: u32,
    freezer: Freezer,
    /// How often cgroup.kill was written here or above.
    kills: u32,
    /// How often cgroup.events has changed.
    events: u64,
    /// The state of the pids controller, if it is enabled here.
    pids: Option<Pids>,
    /// The state of the cpuset controller, if it is enabled here.
    cpuset: Option<Box<Cpuset>>,
    /// The state of the memory controller, if anything was ever charged here.
    memory: Option<Box<memory::Memory>>,
    /// Charges of memory that name it: a removed group stays as long as they do.
    charges: u32,
    /// What few groups have.
    rare: Option<Box<Rare>>,
}

impl Cgroups {
    /// The root group alone.
    pub(crate) fn boot(profile: &Profile) -> Self {
        let mut table = Table::default();
        let root = table.insert_with(|root| {
            let mut group = Cgroup::new(1, Box::default(), root, None);
            group.mode = Mode::new(0o555);
            group.cpuset = Some(Box::new(Cpuset::root(profile)));
            group
        });
        Self {
            table,
            root,
            release: profile.release,
            controllers: profile.v2_controllers(),
            index: Index::default(),
            next_id: 1 + rows::IDS_PER_GROUP,
            dead: 0,
            headless: Vec::new(),
            strays: FxHashMap::default(),
            triggers: FxHashMap::default(),
            charges: Table::default(),
            peaks: FxHashMap::default(),
            cpusets: Cpusets::boot(profile),
            memory_limited: false,
            disks: profile.disks.iter().copied().map(Disk::new).collect(),
        }
    }
}

impl Cgroup {
    fn new(id: u64, name: Box<[u8]>, own: CgroupKey, parent: Option<CgroupKey>) -> Self {
        Self {
            id,
            name,
            parent,
            children: List::default(),
            siblings: Links::default(),
            members: List::default(),
            subtree_control: ControllerSet::EMPTY,
            domain: own,
            level: 0,
            owner: Uid::ROOT,
            group: Gid::ROOT,
            mode: Mode::new(0o755),
            maker: (Uid::ROOT, Gid::ROOT),
            made: Moment { ns: 0 },
            removed: false,
            released: false,
            pressure: true,
            stalled: false,
            limits: HierarchyLimits::default(),
            descendants: 0,
            dying_descendants: 0,
            threaded_children: 0,
            populated_domain_children: 0,
            populated_threaded_children: 0,
            dead: 0,
            users: 0,
            freezer: Freezer::default(),
            kills: 0,
            events: 0,
            pids: None,
            cpuset: None,
            memory: None,
            charges: 0,
            rare: None,
        }
    }

    /// Whether a live thread is in it or below.
    const fn is_populated(&self) -> bool {
        !self.members.is_empty()
            || self.populated_domain_children > 0
            || self.populated_threaded_children > 0
    }
}

/// Controllers that can share out a process's threads (cgroup-v2.rst, Threads).
const THREADED: ControllerSet = ControllerSet::EMPTY
    .with(Controller::Cpuset)
    .with(Controller::Cpu)
    .with(Controller::PerfEvent)
    .with(Controller::Pids);

#[cfg(test)]
mod tests {
    use super::Cgroup;

    #[test]
    fn a_group_with_its_name_and_place_in_the_index_takes_less_than_400_bytes() {
        // A name of up to 24 bytes, and a key in a hash table that may be half empty.
        let others = 24 + 2 * (size_of::<super::CgroupKey>() + 1);
        assert!(size_of::<Cgroup>() + others < 400, "{}", size_of::<Cgroup>());
    }
}
