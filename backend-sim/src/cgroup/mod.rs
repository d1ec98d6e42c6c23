//! Control groups: the trees of the v2 hierarchy and of those of v1, their members, and what their control files do
//! (cgroup-v2.rst, cgroup-v1/cgroups.rst).
//!
//! A [`Cgroup`] is plain data. Its files are rows of a table ([`rows`]; [`RowId`] names one file of a group); what a row does
//! is in the module of its subject: `procs` and `migrate` (membership), `enable` (subtree_control), `threaded`, `freeze`,
//! `kill`, `pids` ... What is of v1 alone is in [`v1`]. Neighbours: `task` (threads are the members; it calls [`can_fork`], [`born`], [`exited`], [`reaped`],
//! [`held`]), `fs` (which resolves names and asks [`filesystem`]). Knows no path but the one it prints.

mod absent;
mod attributes;
mod check;
mod cpu;
pub(crate) mod cpuset;
mod disk;
mod domain;
mod enable;
pub(crate) mod events;
pub(crate) mod filesystem;
mod fork;
mod freeze;
mod hierarchy;
mod hierarchy_limit;
mod index;
mod io;
mod io_cost;
mod kill;
pub(crate) mod look;
mod members;
pub(crate) mod memory;
mod memory_birth;
mod memory_events;
mod memory_group;
mod memory_high;
mod memory_limit;
mod memory_reclaim;
pub(crate) mod memory_stat;
mod migrate;
pub(crate) mod oom;
mod options;
mod pids;
mod places;
pub(crate) mod pressure;
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
pub(crate) mod v1;
pub(crate) mod value;

pub(crate) use check::check;
pub(crate) use fork::{booted, born, can_fork};
pub(crate) use freeze::held;
#[cfg(feature = "transcript")]
pub(crate) use freeze::is_frozen;
pub(crate) use hierarchy::HierarchyId;
pub(crate) use members::{exited, reaped};
pub(crate) use options::Options;
pub(crate) use places::{PlacesKey, Stand};
#[cfg(feature = "serde")]
pub(crate) use rows::family::names as row_names;
pub(crate) use tree::{path, path_from, subtree};
pub(crate) use v1::release::run_agents;

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use standin::id::{Gid, Mode, Moment, Uid};
use standin::{Controller, ControllerSet};

use crate::fs::FileKey;
use crate::list::{Links, List};
use crate::profile::{Profile, Release};
use crate::stock::Stock;
use crate::table::{Key, Seat, Table};
use crate::task::{Thread, ThreadKey};
use cpuset::{Cpuset, Cpusets};
use disk::Disk;
use freeze::Freezer;
use hierarchy::{Hierarchies, ROOT_ID};
use hierarchy_limit::HierarchyLimits;
use index::Index;
use pids::Pids;
use places::AllPlaces;
use rare::Rare;

pub(crate) type CgroupKey = Key<Cgroup>;

/// A control file of a group: a row of the table, and which of the files that stood there one after the other. A controller
/// that is disabled takes its files away; those that come back are others, and an open file of before stays dead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct RowId {
    row: u16,
    incarnation: u16,
}

/// The groups of all hierarchies.
#[derive(Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Cgroups {
    pub(crate) table: Table<Cgroup>,
    /// The root of the v2 hierarchy.
    pub(crate) root: CgroupKey,
    release: Release,
    hierarchies: Hierarchies,
    /// Where threads are in the v1 hierarchies.
    places: AllPlaces,
    /// Children by parent and name.
    #[cfg_attr(feature = "serde", serde(skip))]
    index: Index,
    /// Exited threads that still count as processes somewhere.
    dead: usize,
    /// Exited leaders whose process lived on when they exited: cgroup.procs goes on to name them.
    headless: Vec<ThreadKey>,
    /// Where the charge of an exited thread begins, if not at its own group (see `pids`).
    #[cfg_attr(feature = "serde", serde(with = "crate::written::map"))]
    strays: FxHashMap<ThreadKey, CgroupKey>,
    /// Open pressure files that a trigger was written to.
    #[cfg_attr(feature = "serde", serde(with = "crate::written::map"))]
    triggers: FxHashMap<FileKey, pressure::Trigger>,
    /// Memory that processes asked for.
    charges: Table<memory::Charge>,
    /// Open files of memory.peak that were written to, and what was used then.
    peaks: BTreeMap<FileKey, u64>,
    /// What the cpuset controller keeps of all groups together.
    cpusets: Cpusets,
    /// What the cpuset controller keeps of the root of v1, whichever hierarchy it is in.
    v1_cpusets: v1::cpuset::Cpusets,
    /// What all have used.
    account: v1::account::Account,
    /// What cpuacct.stat of each group has told.
    told: v1::account::Told,
    /// Files that change by themselves and were looked up.
    looked_up: events::LookedUp,
    /// Quotas of removed groups that are not forgotten.
    quotas_left: Vec<v1::cpu::QuotaLeft>,
    /// memory.max or memory.high of some group was written: until then births need not look for one.
    memory_limited: bool,
    /// Programs that are to be run for groups that were released.
    agents: v1::release::Agents,
    /// The index of the group that net_prio had last.
    last_net_index: u32,
    /// What files of v1 groups list.
    lists: v1::list::Lists,
    /// In which order leaders came into v1 groups with the memory controller.
    arrivals: v1::arrival::Arrivals,
    /// How cgroup2 is mounted.
    pub(crate) options: Options,
    /// How readily memory is swapped out.
    pub(crate) swappiness: u8,
    /// Threads that wait for room in v1 groups where nobody ends for it.
    memory_waiters: Vec<v1::memory_oom::Waiter>,
    /// Event counters that are told of the memory of v1 groups.
    memory_watches: Vec<v1::memory_watch::Watch>,
    /// Block devices, in the order in which the kernel found them.
    disks: Vec<Disk>,
}

/// A group.
#[derive(Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Cgroup {
    pub(crate) id: u64,
    #[cfg_attr(feature = "serde", serde(with = "standin::written"))]
    pub(crate) name: Box<[u8]>,
    pub(crate) parent: Option<CgroupKey>,
    pub(crate) hierarchy: HierarchyId,
    /// Those that were not removed, in the order in which they were made.
    pub(crate) children: List<Cgroup>,
    pub(crate) siblings: Links<Cgroup>,
    /// Another group whose name and parent hash alike (see `index`).
    #[cfg_attr(feature = "serde", serde(skip))]
    alike: Option<Seat<Cgroup>>,
    /// Live threads of this very v2 group.
    pub(crate) members: List<Thread>,
    /// How many live threads are in this very v1 group; not counted of a root.
    population: u32,
    /// The v1 hierarchy's program is run when it is empty again.
    notify_on_release: bool,
    /// Its children begin with the processors and memory nodes that it has (v1).
    clone_children: bool,
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
    /// How much there is of each.
    pub(crate) fn take_stock(&self, all: &mut Stock) {
        all.table("groups", &self.table);
        self.places.take_stock(all);
        all.table("charges of memory", &self.charges);
        all.map("exited threads in groups", self.dead);
        all.map("leaders that exited first", self.headless.len());
        all.map("charges elsewhere", self.strays.len());
        all.map("triggers", self.triggers.len());
        all.map("peaks of open files", self.peaks.len());
        all.map("quotas of removed groups", self.quotas_left.len());
    }

    /// Finds its groups by their names again: of what was written they are no part.
    #[cfg(feature = "serde")]
    pub(crate) fn know_names(&mut self) {
        self.index = Index::of(&mut self.table);
    }

    /// An open file is no more, and what was begun through it ends.
    pub(crate) fn file_closed(&mut self, file: FileKey) {
        if !self.triggers.is_empty() {
            self.triggers.remove(&file);
        }
        if !self.peaks.is_empty() {
            self.peaks.remove(&file);
        }
    }

    /// The roots alone.
    pub(crate) fn boot(profile: &Profile) -> Self {
        let mut table = Table::default();
        let root = table.insert_with(|root| {
            let mut group = Cgroup::root(root, HierarchyId::V2);
            group.cpuset = Some(Box::new(Cpuset::root(profile)));
            group
        });
        let mut cgroups = Self {
            table,
            root,
            release: profile.release,
            hierarchies: Hierarchies::new(root, profile.controllers(), profile.layout.has_v2()),
            places: AllPlaces::default(),
            index: Index::default(),
            dead: 0,
            headless: Vec::new(),
            strays: FxHashMap::default(),
            triggers: FxHashMap::default(),
            charges: Table::default(),
            peaks: BTreeMap::default(),
            cpusets: Cpusets::boot(profile),
            v1_cpusets: v1::cpuset::Cpusets::boot(profile),
            account: v1::account::Account::booted(),
            told: v1::account::Told::default(),
            looked_up: events::LookedUp::default(),
            quotas_left: Vec::new(),
            memory_limited: false,
            agents: v1::release::Agents::default(),
            last_net_index: v1::net::ROOT_INDEX,
            lists: v1::list::Lists::default(),
            arrivals: v1::arrival::Arrivals::default(),
            options: Options::default(),
            swappiness: v1::memory::SWAPPINESS,
            memory_waiters: Vec::new(),
            memory_watches: Vec::new(),
            disks: profile.disks.iter().copied().map(Disk::new).collect(),
        };
        v1::mount::boot(profile, &mut cgroups);
        cgroups
    }
}

impl Cgroup {
    /// The root of a hierarchy.
    fn root(own: CgroupKey, hierarchy: HierarchyId) -> Self {
        let mut root = Self::new(ROOT_ID, Box::default(), own, None);
        root.hierarchy = hierarchy;
        root.mode = Mode::new(0o555);
        root
    }

    fn new(id: u64, name: Box<[u8]>, own: CgroupKey, parent: Option<CgroupKey>) -> Self {
        Self {
            id,
            name,
            parent,
            hierarchy: HierarchyId::V2,
            children: List::default(),
            siblings: Links::default(),
            alike: None,
            members: List::default(),
            population: 0,
            notify_on_release: false,
            clone_children: false,
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
            || self.population > 0
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
        // A name of up to 24 bytes, and a place in a table that may be half empty.
        let others = 24 + 2 * size_of::<super::Seat<Cgroup>>();
        assert!(size_of::<Cgroup>() + others < 400, "{}", size_of::<Cgroup>());
    }
}
