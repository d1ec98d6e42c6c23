//! Watches on files and directories (inotify(7)): who has which, what happened and was not read yet.
//!
//! A [`Watcher`] is what a descriptor leads to: watches by number, and a queue of events. A watch is on a [`Node`], whatever
//! name led there. Making and ending watches is in [`watch`], what a file does becomes events in [`event`], under which name a
//! directory knows a file is found in [`name`], reading is in [`read`], bounds are in [`setting`]. Neighbours: `fs` and `cgroup::events`, which say in one
//! line each what a file did; `fs::descriptors` (the open files that lead here). This module changes no file.

mod check;
mod event;
mod name;
mod read;
pub(crate) mod setting;
pub(crate) mod watch;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use rustc_hash::FxHashMap;
use standin::backend::{AccessMode, OpenFlags, PollEvents, WatchFlags};
use standin::{Errno, Uid};

pub(crate) use check::{vet, vet_link, vet_mount, vet_umount};
pub(crate) use event::{
    changed, created, flush, gone, happened, happened_inside, moved, removed, unmounted,
};
pub(crate) use name::{last, lost};
pub(crate) use read::{events, read};

use crate::cgroup::CgroupKey;
use crate::fs::{Node, OpenKind, TmpKey, descriptors};
use crate::kernel::Kernel;
use crate::step::Step;
use crate::stock::Stock;
use crate::table::{Key, Table};
use crate::task::ThreadKey;

pub(crate) type WatcherKey = Key<Watcher>;

/// All watches of a machine.
#[derive(Clone, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Notify {
    table: Table<Watcher>,
    /// Who watches a file. Looked up, never listed.
    #[cfg_attr(feature = "serde", serde(with = "crate::written::map"))]
    by_node: FxHashMap<Node, Vec<(WatcherKey, i32)>>,
    /// The directories among them that keep names themselves.
    directories: BTreeSet<TmpKey>,
    /// What is told to somebody, or was since the first of the watches was made: nothing else need be looked into.
    wanted: WatchFlags,
    /// How many watches are on groups or their files.
    on_groups: u32,
    /// Under which name a file was known last that is open and has none any more. Looked up, never listed.
    #[cfg_attr(feature = "serde", serde(with = "crate::written::map"))]
    lost: FxHashMap<TmpKey, (TmpKey, Box<[u8]>)>,
    /// What joins the halves of the last rename.
    last_cookie: u32,
    /// Control files that changed by themselves in the call that is carried out.
    #[cfg_attr(feature = "serde", serde(skip))]
    changed: Vec<(CgroupKey, &'static str)>,
    /// Who got events in it.
    news: Vec<WatcherKey>,
    /// How many watchers and watches each user has. Looked up, never listed.
    #[cfg_attr(feature = "serde", serde(with = "crate::written::map"))]
    owned: FxHashMap<Uid, Owned>,
    pub(crate) limits: Limits,
}

/// What a user has.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct Owned {
    watchers: u32,
    watches: u32,
}

/// The settings in /proc/sys/fs/inotify.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Limits {
    /// Events that a watcher keeps which is made now.
    pub(crate) events: u32,
    /// Watchers of a user.
    pub(crate) watchers: u32,
    /// Watches of a user; `None` until it is set, since it depends on the memory.
    pub(crate) watches: Option<u32>,
}

/// The fewest watches that a kernel lets a user have of itself, however little memory there is.
pub(crate) const LEAST_WATCHES: u32 = 8192;

impl Default for Limits {
    fn default() -> Self {
        Self { events: 16_384, watchers: 128, watches: None }
    }
}

/// A set of watches.
#[derive(Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Watcher {
    /// For whom it and its watches are counted.
    owner: Uid,
    watches: BTreeMap<i32, Watch>,
    /// The number of the last watch made.
    last: i32,
    queue: VecDeque<Event>,
    /// How many events it keeps.
    most: usize,
}
#[derive(Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct Watch {
    node: Node,
    /// What is told, and whether once.
    mask: WatchFlags,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Event {
    pub(crate) watch: i32,
    pub(crate) flags: WatchFlags,
    pub(crate) cookie: u32,
    pub(crate) name: Option<Box<[u8]>>,
}

impl Notify {
    /// How much there is of each.
    pub(crate) fn take_stock(&self, all: &mut Stock) {
        all.table("sets of watches", &self.table);
        all.map("watched files", self.by_node.len());
        all.map("lost names", self.lost.len());
    }

    /// Whether nobody watches anything: the usual case.
    pub(crate) fn is_empty(&self) -> bool {
        self.by_node.is_empty()
    }

    fn owned(&mut self, owner: Uid) -> &mut Owned {
        self.owned.entry(owner).or_default()
    }

    /// A watch is there no more. Whether its watcher still had it.
    fn forget(&mut self, watcher: WatcherKey, number: i32) -> bool {
        let Some(record) = self.table.get_mut(watcher) else { return false };
        let Some(watch) = record.watches.remove(&number) else { return false };
        let owner = record.owner;
        self.owned(owner).watches -= 1;
        if matches!(watch.node, Node::Cgroup(_) | Node::Control(..)) {
            self.on_groups -= 1;
        }
        if let Some(all) = self.by_node.get_mut(&watch.node) {
            all.retain(|entry| *entry != (watcher, number));
            if all.is_empty() {
                self.by_node.remove(&watch.node);
                if let Node::Tmp(key) = watch.node {
                    self.directories.remove(&key);
                }
            }
        }
        if self.by_node.is_empty() {
            self.wanted = WatchFlags::empty();
        }
        true
    }
}

/// inotify_init1(2): the number of its descriptor.
///
/// # Errors
/// EMFILE: a limit of open files, or of the user's watchers.
pub(crate) fn open(kernel: &mut Kernel, caller: ThreadKey, nonblocking: bool) -> Step<u32> {
    let owner = kernel.credentials(caller).user.effective;
    let notify = &mut kernel.vfs.notify;
    if notify.owned(owner).watchers >= notify.limits.watchers {
        return Err(Errno::EMFILE.into());
    }
    descriptors::check_room(kernel, caller, 1)?;
    let notify = &mut kernel.vfs.notify;
    notify.owned(owner).watchers += 1;
    let most = usize::try_from(notify.limits.events).unwrap_or(usize::MAX);
    let key = notify.table.insert(Watcher {
        owner,
        watches: BTreeMap::new(),
        last: 0,
        queue: VecDeque::new(),
        most,
    });
    let flags = if nonblocking { OpenFlags::NONBLOCKING } else { OpenFlags::empty() };
    descriptors::install_opened(kernel, caller, OpenKind::Watcher(key), AccessMode::Read, flags)
}

/// The last descriptor was closed.
pub(crate) fn close(kernel: &mut Kernel, key: WatcherKey) {
    let notify = &mut kernel.vfs.notify;
    let numbers: Vec<i32> = notify.table.at(key).watches.keys().copied().collect();
    for number in numbers {
        notify.forget(key, number);
    }
    if let Some(watcher) = notify.table.remove(key) {
        notify.owned(watcher.owner).watchers -= 1;
    }
}

/// What it is ready for (poll(2)).
pub(crate) fn poll(kernel: &Kernel, key: WatcherKey) -> PollEvents {
    let has_events = !kernel.vfs.notify.table.at(key).queue.is_empty();
    if has_events { PollEvents::INPUT } else { PollEvents::empty() }
}
