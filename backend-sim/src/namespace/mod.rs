//! Namespaces: which part of the kernel a thread sees (namespaces(7)).
//!
//! The namespaces of a kind live in a table of their own ([`all`]; [`uts`], [`cgroup`]); a thread's are a [`Set`] with one key a kind, which
//! threads share as long as none of them changes its own. A thread in the namespaces that the machine booted with has no set
//! at all, so that most threads cost nothing. A namespace lives while a set or a handle holds it. What the kinds are called
//! and how the first ones are numbered is in [`kind`], unshare(2) and setns(2) are in [`change`].
//!
//! Kinds without a table here have the first namespace alone; what would make or join another is `NotModelled`.

mod all;
pub(crate) mod cgroup;
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
use all::All;
use cgroup::CgroupNsKey;
use number::Numbers;
use uts::{Uts, UtsKey};

use crate::cgroup::{Cgroups, Stand};

pub(crate) type SetKey = Key<SharedSet>;

/// All namespaces of a machine.
pub(crate) struct Namespaces {
    sets: Table<SharedSet>,
    uts: All<Uts>,
    cgroup: All<Stand>,
    /// What the machine booted with.
    first: Set,
    numbers: Numbers,
}

/// A namespace of each kind that can differ from thread to thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Set {
    pub(crate) uts: UtsKey,
    pub(crate) cgroup: CgroupNsKey,
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
    Cgroup(CgroupNsKey),
    /// The first of a kind that has no other.
    First(NamespaceKind),
}

impl Namespaces {
    /// The first namespaces.
    pub(crate) fn boot(profile: &Profile, cgroups: &Cgroups) -> Self {
        let number = |kind| kind::first_number(kind, profile.release);
        let (uts, first_uts) = All::boot(number(NamespaceKind::Uts), Uts::first());
        let (cgroup, first_cgroup) =
            All::boot(number(NamespaceKind::Cgroup), cgroup::first(cgroups));
        Self {
            sets: Table::default(),
            uts,
            cgroup,
            first: Set { uts: first_uts, cgroup: first_cgroup },
            numbers: Numbers::default(),
        }
    }

    /// One more thread has this set.
    pub(crate) fn share(&mut self, set: Option<SetKey>) {
        if let Some(set) = set {
            self.sets.at_mut(set).threads += 1;
        }
    }

    fn keep(&mut self, set: Set) {
        self.uts.keep(set.uts);
        self.cgroup.keep(set.cgroup);
    }
}

/// A thread has this set no more: it has another, or has ended.
pub(crate) fn leave(kernel: &mut Kernel, set: Option<SetKey>) {
    let Some(key) = set else { return };
    let sets = &mut kernel.namespaces.sets;
    let shared = sets.at_mut(key);
    shared.threads -= 1;
    if shared.threads == 0 {
        let set = shared.set;
        sets.remove(key);
        release(kernel, Held::Uts(set.uts));
        release(kernel, Held::Cgroup(set.cgroup));
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
    leave(kernel, before);
}

/// What /proc/PID/ns/KIND leads to, for a handle to hold: the namespace counts that as a holder. ENOENT of a thread that has
/// ended, which is in no namespaces any more but those of its number and its user.
pub(crate) fn hold(
    kernel: &mut Kernel,
    thread: ThreadKey,
    kind: NamespaceKind,
) -> Result<Held, Errno> {
    let held = find(kernel, thread, kind)?;
    match held {
        Held::Uts(uts) => kernel.namespaces.uts.keep(uts),
        Held::Cgroup(cgroup) => kernel.namespaces.cgroup.keep(cgroup),
        Held::First(_) => {}
    }
    Ok(held)
}

/// A handle was closed, or a set is gone.
pub(crate) fn release(kernel: &mut Kernel, held: Held) {
    let Namespaces { uts, cgroup, numbers, .. } = &mut kernel.namespaces;
    match held {
        Held::Uts(key) => {
            uts.let_go(key, numbers);
        }
        Held::Cgroup(key) => {
            if let Some(stand) = cgroup.let_go(key, numbers) {
                kernel.cgroups.let_go_of_stand(stand);
            }
        }
        Held::First(_) => {}
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
        Held::Cgroup(cgroup) => kernel.namespaces.cgroup.at(cgroup).number,
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
        NamespaceKind::Cgroup => Held::Cgroup(of(kernel, thread).cgroup),
        NamespaceKind::Ipc
        | NamespaceKind::Mount
        | NamespaceKind::Net
        | NamespaceKind::Pid
        | NamespaceKind::PidForChildren
        | NamespaceKind::Time
        | NamespaceKind::TimeForChildren
        | NamespaceKind::User => Held::First(kind),
    })
}
