//! An actor as it knows itself: the descriptors it keeps under labels, the names of its watches, the handles it noted.
//!
//! All of it belongs to the actor's process: a thread shares it ([`Actor::clone`]), a forked child gets a copy
//! ([`Actor::inherit`]). Where the actor's operations run (a stack of a machine, a process of a host) is the stage's
//! business; this module knows no runner.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;

use super::op::SocketType;
use super::value::Label;
use crate::handle::Descriptor;
use crate::id::WatchId;

/// Which actor of a run: 0 is `init`, the others are counted as they are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ActorId(pub u32);

impl ActorId {
    /// The actor that exists at the start.
    pub const INIT: Self = Self(0);
}

/// What an actor keeps from one operation to the next. A clone shares it: that is a thread of the same process.
#[derive(Clone, Debug, Default)]
pub struct Actor {
    kept: Arc<Mutex<Kept>>,
}

#[derive(Debug, Default)]
struct Kept {
    /// The initial /proc, if the stage holds it open.
    proc: Option<Descriptor>,
    files: BTreeMap<Label, Entry>,
    handles: BTreeMap<Label, Vec<u8>>,
}

#[derive(Debug)]
struct Entry {
    descriptor: Descriptor,
    facts: Facts,
}

/// What an actor remembers of a descriptor, since no kernel tells it afterwards.
#[derive(Clone, Debug, Default)]
pub(super) struct Facts {
    /// Its text is a list of processes or threads.
    pub(super) listing: bool,
    /// What kind of socket it was made as.
    pub(super) socket: Option<SocketType>,
    /// The names of its watches, in order of their making.
    pub(super) watches: Vec<(WatchId, Label)>,
}

impl Actor {
    /// An actor that keeps nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Holds the initial proc mount's root open: `proc`, `idmap` and `setgroups` then find processes there, whatever
    /// the actor mounts. Without it they go by the path /proc.
    pub fn hold_proc(&self, directory: impl Into<Descriptor>) {
        let old = self.kept.lock().proc.replace(directory.into());
        drop(old);
    }

    /// What a forked child keeps: the same labels; `adopt` makes the child's handle of a descriptor number that it
    /// inherited.
    #[must_use]
    pub fn inherit(&self, adopt: &dyn Fn(u32) -> Descriptor) -> Self {
        let kept = self.kept.lock();
        let files = kept.files.iter().map(|(label, entry)| {
            let descriptor = adopt(entry.descriptor.number());
            (label.clone(), Entry { descriptor, facts: entry.facts.clone() })
        });
        let copy = Kept {
            proc: kept.proc.as_ref().map(|proc| adopt(proc.number())),
            files: files.collect(),
            handles: kept.handles.clone(),
        };
        Self { kept: Arc::new(Mutex::new(copy)) }
    }

    /// Leaves all descriptors open and forgets them: for a process that is gone, or that was only copied from.
    pub fn abandon(&self) {
        let mut kept = self.kept.lock();
        let (files, proc) = (std::mem::take(&mut kept.files), kept.proc.take());
        drop(kept);
        files.into_values().for_each(|entry| entry.descriptor.leave_open());
        proc.into_iter().for_each(Descriptor::leave_open);
    }

    /// The descriptor under a label, as a handle of any type; an unknown label is a handle that every backend answers
    /// EBADF for.
    ///
    /// The answer does not keep it open: closing the label closes it.
    #[must_use]
    pub fn handle<H: From<Descriptor>>(&self, label: &Label) -> H {
        self.find(label).unwrap_or_else(Descriptor::nowhere).into()
    }

    /// The descriptor under a label, if there is one.
    pub(super) fn find(&self, label: &Label) -> Option<Descriptor> {
        self.kept.lock().files.get(label).map(|entry| entry.descriptor.alias())
    }

    /// The initial /proc, if it is held.
    pub(super) fn proc(&self) -> Option<Descriptor> {
        self.kept.lock().proc.as_ref().map(Descriptor::alias)
    }

    /// Keeps a descriptor under a label.
    pub(super) fn keep(&self, label: &Label, descriptor: impl Into<Descriptor>, facts: Facts) {
        let entry = Entry { descriptor: descriptor.into(), facts };
        let old = self.kept.lock().files.insert(label.clone(), entry);
        drop(old);
    }

    /// Closes what a label holds; whether it held something.
    pub(super) fn close(&self, label: &Label) -> bool {
        // A backend may be asked while the lock is held only for looking.
        let old = self.kept.lock().files.remove(label);
        old.is_some()
    }

    /// What is remembered of the descriptor under a label.
    pub(super) fn facts(&self, label: &Label) -> Facts {
        self.kept.lock().files.get(label).map(|entry| entry.facts.clone()).unwrap_or_default()
    }

    /// Remembers the name of a watch; the first name of a watch stays.
    pub(super) fn name_watch(&self, label: &Label, watch: WatchId, name: &Label) {
        let mut kept = self.kept.lock();
        let Some(entry) = kept.files.get_mut(label) else { return };
        if !entry.facts.watches.iter().any(|(known, _)| *known == watch) {
            entry.facts.watches.push((watch, name.clone()));
        }
    }

    /// Notes the handle of a file (`handle`).
    pub(super) fn note(&self, name: &Label, handle: Vec<u8>) {
        self.kept.lock().handles.insert(name.clone(), handle);
    }

    /// The noted handle of that name.
    pub(super) fn noted(&self, name: &Label) -> Option<Vec<u8>> {
        self.kept.lock().handles.get(name).cloned()
    }
}

impl fmt::Display for ActorId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "actor {}", self.0)
    }
}
