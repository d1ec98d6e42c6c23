//! What must hold of all namespaces between two calls.

use rustc_hash::FxHashMap;
use standin::backend::NamespaceKind;

use super::all::{All, Maker};
use super::{Held, Namespaces};
use crate::fs::{Born, OpenKind, opened};
use crate::kernel::Kernel;
use crate::table::Key;

/// What is found of each namespace.
#[derive(Default)]
struct Found {
    holders: FxHashMap<Held, u32>,
    /// Each namespace: how many hold it, and who made it.
    all: Vec<(Held, u32, Maker, NamespaceKind)>,
}

impl Found {
    fn held(&mut self, held: Held) {
        *self.holders.entry(held).or_default() += 1;
    }

    fn add<T: Clone>(
        &mut self,
        all: &All<T>,
        kind: NamespaceKind,
        held: impl Fn(Key<super::Namespace<T>>) -> Held,
    ) {
        for (key, namespace) in all.iter() {
            self.all.push((held(key), namespace.holders, namespace.maker, kind));
            self.held(Held::User(namespace.maker.within));
        }
    }
}

/// The first thing found that does not hold.
///
/// # Errors
/// A sentence that says what.
pub(crate) fn check(kernel: &Kernel) -> Result<(), String> {
    let namespaces = &*kernel.namespaces;
    let Namespaces { sets, first, first_user, .. } = namespaces;
    let mut found = Found::default();
    let mut threads = FxHashMap::default();
    for (_, thread) in kernel.tasks.threads.iter() {
        found.held(Held::User(thread.credentials.namespace));
        if let Some(set) = thread.namespaces {
            *threads.entry(set).or_insert(0_u32) += 1;
        }
    }
    for (key, shared) in sets.iter() {
        let counted = threads.get(&key).copied().unwrap_or_default();
        require(counted > 0 && shared.threads == counted, "a set counts its threads")?;
        require(shared.set != *first, "who is in the first namespaces has no set")?;
        shared.set.each().into_iter().for_each(|held| found.held(held));
    }
    for (key, file) in kernel.vfs.files.iter() {
        found.held(Held::User(file.opener.namespace));
        opened::kept_by(kernel, key).into_iter().for_each(|held| found.held(held));
        if let OpenKind::Namespace(held) = file.kind {
            found.held(held);
        }
    }
    for (_, mount) in kernel.vfs.mounts.iter() {
        found.held(Held::User(mount.owner));
        if let Born::Proc(key) = mount.born {
            found.held(Held::Pid(key));
        }
    }
    for (_, namespace) in namespaces.pid.iter() {
        if let Some(above) = namespace.content.parent() {
            found.held(Held::Pid(above));
        }
    }
    for key in super::pid::owners(kernel) {
        found.held(Held::Pid(key));
    }
    kernel.sockets.nets().for_each(|net| found.held(Held::Net(net)));
    found.add(&namespaces.uts, NamespaceKind::Uts, Held::Uts);
    found.add(&namespaces.cgroup, NamespaceKind::Cgroup, Held::Cgroup);
    found.add(&namespaces.net, NamespaceKind::Net, Held::Net);
    found.add(&namespaces.ipc, NamespaceKind::Ipc, Held::Ipc);
    found.add(&namespaces.mount, NamespaceKind::Mount, Held::Mount);
    found.add(&namespaces.time, NamespaceKind::Time, Held::Time);
    found.add(&namespaces.pid, NamespaceKind::Pid, Held::Pid);
    found.add(&namespaces.user, NamespaceKind::User, |key| Held::User(Some(key)));
    let firsts = [
        Held::Uts(first.uts),
        Held::Cgroup(first.cgroup),
        Held::Net(first.net),
        Held::Ipc(first.ipc),
        Held::Mount(first.mount),
        Held::Time(first.time),
        Held::Pid(first.pid_for_children),
        Held::User(Some(*first_user)),
    ];
    firsts.into_iter().for_each(|held| found.held(held));
    let mut counts = super::Counts::default();
    for (held, holders, maker, kind) in &found.all {
        let holds = found.holders.get(held).copied().unwrap_or_default();
        require(holds == *holders, &format!("{held:?} counts its {holds} holders, not {holders}"))?;
        if !firsts.contains(held) {
            for maker in namespaces.levels(*maker) {
                *counts.entry((maker.within, maker.user, *kind)).or_default() += 1;
            }
        }
    }
    require(counts == namespaces.counts, "every namespace is counted for who made it")?;
    super::pid::check(kernel)
}

fn require(holds: bool, what: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(format!("namespaces: does not hold: {what}")) }
}
