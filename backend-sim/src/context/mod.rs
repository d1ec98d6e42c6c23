//! Linux-VServer security contexts: what a kernel with that patch keeps of them, and its context commands.
//!
//! A task (thread) carries the id of its context, 0 on the host and 1 as a spectator; children inherit it. A [`Context`]
//! lives as long as it has tasks, or the claim that `PERSISTENT` is; it leaves the table when the last of them goes, and
//! whoever waits for it holds its end. Neighbours: `task` (who tells of births and ends, and asks here who sees whom).
//! This module knows no path and no cgroup.
//!
//! Behaviour is that of the patch of 2007, as `spec/contexts.md`, part A, tells it. The commands that are not here, and
//! flags whose effect is not, answer `NotModelled`.

mod check;
mod enter;
mod gate;
mod kill;
mod leave;
mod sight;
mod wait;

pub(crate) use check::check;
pub(crate) use enter::{born, create, executed, migrate};
pub(crate) use gate::task_xid;
pub(crate) use kill::kill;
pub(crate) use leave::{exited, process_ended};
pub(crate) use sight::{is_listed, is_protected, is_unmasked, untraceable};
pub(crate) use wait::WaitContext;

use std::sync::{Arc, OnceLock};

use rustc_hash::FxHashMap;
use standin::CapabilitySet;
use standin::backend::{ContextFlags, ContextWait};
use standin::id::Xid;

use crate::stock::Stock;
use crate::table::{Key, Table};
use crate::task::ProcessKey;

pub(crate) type ContextKey = Key<Context>;

/// A context's id as a task carries it.
pub(crate) type Label = u16;

/// What is in no context.
pub(crate) const HOST: Label = 0;
/// Who sees everything.
pub(crate) const SPECTATOR: Label = 1;

/// A context.
#[derive(Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Context {
    pub(crate) label: Label,
    pub(crate) flags: ContextFlags,
    /// What its members can have of capabilities at most: its maker's bounding set.
    bounding: CapabilitySet,
    /// Its first process.
    init: Option<ProcessKey>,
    /// Who gets its orphans; else process 1.
    reaper: Option<ProcessKey>,
    /// Its tasks that have not exited, and one more while it is `PERSISTENT`.
    tasks: u32,
    /// How its last task to exit did, as wait(2) packs it.
    exit_status: i32,
    /// How it ended. Held by those that wait for that, as the kernel's object is; so it outlives the record.
    end: End,
}

/// How a context ended, once it has.
#[derive(Default)]
struct End(Arc<OnceLock<ContextWait>>);

impl End {
    /// The same end, for who waits.
    fn held(&self) -> Arc<OnceLock<ContextWait>> {
        Arc::clone(&self.0)
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for End {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.get().serialize(serializer)
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for End {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let ended = Option::<ContextWait>::deserialize(deserializer)?;
        Ok(Self(Arc::new(ended.map_or_else(OnceLock::new, OnceLock::from))))
    }
}

/// Another machine's context ends by itself.
impl Clone for End {
    fn clone(&self) -> Self {
        Self(Arc::new((*self.0).clone()))
    }
}

impl Context {
    const fn has(&self, flag: ContextFlags) -> bool {
        self.flags.contains(flag)
    }
}

/// The contexts of a machine.
#[derive(Clone, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Contexts {
    table: Table<Context>,
    #[cfg_attr(feature = "serde", serde(with = "crate::written::map"))]
    by_label: FxHashMap<Label, ContextKey>,
}

impl Contexts {
    /// How many there are.
    pub(crate) fn take_stock(&self, all: &mut Stock) {
        all.table("contexts", &self.table);
    }

    /// The live context with this id.
    fn find(&self, label: Label) -> Option<ContextKey> {
        self.by_label.get(&label).copied()
    }

    /// The live context with this id.
    fn get(&self, label: Label) -> Option<&Context> {
        Some(self.table.at(self.find(label)?))
    }

    fn get_mut(&mut self, label: Label) -> Option<&mut Context> {
        let key = self.find(label)?;
        Some(self.table.at_mut(key))
    }

    /// Who gets the orphans of this context, unless that is process 1.
    pub(crate) fn reaper(&self, label: Label) -> Option<ProcessKey> {
        self.get(label)?.reaper
    }
}

/// The label of an id that a context can have.
fn label_of(xid: Xid) -> Option<Label> {
    Label::try_from(xid.0).ok().filter(|_| xid.is_context())
}
