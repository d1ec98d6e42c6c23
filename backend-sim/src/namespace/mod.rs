//! Namespaces: which part of the kernel a thread sees (namespaces(7)).
//!
//! The namespaces of a kind live in a table of their own ([`uts`]); a thread's are a [`Set`] with one key a kind, which
//! threads share as long as none of them changes its own. A thread in the namespaces that the machine booted with has no set
//! at all, so that most threads cost nothing. A namespace lives while a set or a handle holds it. What the kinds are called
//! and how the first ones are numbered is in [`kind`], unshare(2) and setns(2) are in [`change`].
//!
//! Kinds without a table here have the first namespace alone; what would make or join another is `NotModelled`.

mod change;
mod check;
mod kind;
mod number;
pub(crate) mod uts;

pub(crate) use change::{Renewal, join, join_held, joined, unshare};
pub(crate) use check::check;
pub(crate) use kind::{KINDS, Kind};

use standin::Errno;
use standin::backend::NamespaceKind;
use standin::id::NsId;

use crate::kernel::Kernel;
use crate::profile::Profile;
use crate::table::{Key, Table};
use crate::task::ThreadKey;
use number::Numbers;
use uts::{Uts, UtsKey};

pub(crate) type SetKey = Key<SharedSet>;

/// All namespaces of a machine.
pub(crate) struct Namespaces {
    sets: Table<SharedSet>,
    pub(crate) uts: Table<Uts>,
    /// What the machine booted with.
    first: Set,
    numbers: Numbers,
    /// How many UTS namespaces each user has made that are still there.
    counts: uts::Counts,
}

/// A namespace of each kind that can differ from thread to thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Set {
    pub(crate) uts: UtsKey,
}

/// A set, and how many threads it is the set of.
pub(crate) struct SharedSet {
    set: Set,
    threads: u32,
}

/// The namespace behind a handle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Held {
    Uts(UtsKey),
    /// The first of a kind that has no other.
    First(NamespaceKind),
}

impl Namespaces {
    /// The first namespaces.
    pub(crate) fn boot(profile: &Profile) -> Self {
        let mut uts = Table::default();
        let first = Set { uts: uts.insert(Uts::first(profile.release)) };
        Self {
            sets: Table::default(),
            uts,
            first,
            numbers: Numbers::default(),
            counts: uts::Counts::default(),
        }
    }

    /// One more thread has this set.
    pub(crate) fn share(&mut self, set: Option<SetKey>) {
        if let Some(set) = set {
            self.sets.at_mut(set).threads += 1;
        }
    }

    fn keep(&mut self, set: Set) {
        self.uts.at_mut(set.uts).holders += 1;
    }

    fn let_go(&mut self, set: Set) {
        self.let_go_of_uts(set.uts);
    }

    /// A thread has this set no more: it has another, or has ended.
    pub(crate) fn leave(&mut self, set: Option<SetKey>) {
        let Some(key) = set else { return };
        let shared = self.sets.at_mut(key);
        shared.threads -= 1;
        if shared.threads == 0 {
            let set = shared.set;
            self.sets.remove(key);
            self.let_go(set);
        }
    }
}

/// The namespaces that a thread is in.
pub(crate) fn of(kernel: &Kernel, thread: ThreadKey) -> Set {
    match kernel.tasks.threads.at(thread).namespaces {
        Some(set) => kernel.namespaces.sets.at(set).set,
        None => kernel.namespaces.first,
    }
}

/// A thread goes over to other namespaces.
pub(crate) fn enter(kernel: &mut Kernel, thread: ThreadKey, set: Set) {
    let namespaces = &mut kernel.namespaces;
    let new = (set != namespaces.first).then(|| {
        namespaces.keep(set);
        namespaces.sets.insert(SharedSet { set, threads: 1 })
    });
    let before = std::mem::replace(&mut kernel.tasks.threads.at_mut(thread).namespaces, new);
    namespaces.leave(before);
}

/// What /proc/PID/ns/KIND leads to, for a handle to hold: the namespace counts that as a holder. ENOENT of a thread that has
/// ended, which is in no namespaces any more but those of its number and its user.
pub(crate) fn hold(
    kernel: &mut Kernel,
    thread: ThreadKey,
    kind: NamespaceKind,
) -> Result<Held, Errno> {
    let held = find(kernel, thread, kind)?;
    if let Held::Uts(uts) = held {
        kernel.namespaces.uts.at_mut(uts).holders += 1;
    }
    Ok(held)
}

/// A handle was closed.
pub(crate) fn release(kernel: &mut Kernel, held: Held) {
    if let Held::Uts(uts) = held {
        kernel.namespaces.let_go_of_uts(uts);
    }
}

/// The number of a thread's namespace, as /proc/PID/ns/KIND has it. ENOENT as [`hold`].
pub(crate) fn identity(
    kernel: &Kernel,
    thread: ThreadKey,
    kind: NamespaceKind,
) -> Result<NsId, Errno> {
    let number = match find(kernel, thread, kind)? {
        Held::Uts(uts) => kernel.namespaces.uts.at(uts).number,
        Held::First(kind) => kind::first_number(kind, kernel.profile.release),
    };
    Ok(NsId(number.into()))
}

fn find(kernel: &Kernel, thread: ThreadKey, kind: NamespaceKind) -> Result<Held, Errno> {
    let outlives = matches!(kind, NamespaceKind::Pid | NamespaceKind::User);
    if kernel.tasks.threads.at(thread).exited && !outlives {
        return Err(Errno::ENOENT);
    }
    Ok(match kind {
        NamespaceKind::Uts => Held::Uts(of(kernel, thread).uts),
        NamespaceKind::Cgroup
        | NamespaceKind::Ipc
        | NamespaceKind::Mount
        | NamespaceKind::Net
        | NamespaceKind::Pid
        | NamespaceKind::PidForChildren
        | NamespaceKind::Time
        | NamespaceKind::TimeForChildren
        | NamespaceKind::User => Held::First(kind),
    })
}
