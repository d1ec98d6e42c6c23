//! Namespaces: which part of the kernel a thread sees (namespaces(7)).
//!
//! The namespaces of a kind live in a table of their own ([`all`]); what each is stands in [`uts`], [`cgroup`], [`mount`], [`time`], [`pid`] and
//! [`user`], while those of the network and of System V IPC are nothing but themselves. A thread's are a [`Set`] with one key a kind, which
//! threads share as long as none of them changes its own; the user namespace alone is part of its credentials, and that of its numbers follows from these. A thread in the namespaces that the machine booted with has no set
//! at all, so that most threads cost nothing. A namespace lives while a set or a handle holds it. What the kinds are called
//! and how the first ones are numbered is in [`kind`], unshare(2) and setns(2) are in [`change`].

mod all;
pub(crate) mod cgroup;
mod change;
mod check;
mod kind;
pub(crate) mod look;
pub(crate) mod mount;
mod number;
pub(crate) mod pid;
pub(crate) mod time;
pub(crate) mod user;
pub(crate) mod uts;

pub(crate) use all::Maker;
pub(crate) use change::{Joined, Renewal, join, join_held, joined, unshare};
pub(crate) use check::check;
pub(crate) use kind::{KINDS, Kind};

use standin::Errno;
use standin::backend::{NamespaceKind, RlimitResource};
use standin::id::NsId;

use crate::cgroup::{Cgroups, Stand};
use crate::fs::Spot;
use crate::fs::proc::sysctl::Settings;
use crate::kernel::Kernel;
use crate::profile::{Profile, Release};
use crate::stock::Stock;
use crate::table::{Key, Table};
use crate::task::{RlimitTable, ThreadKey};
use all::{All, Namespace};
use cgroup::CgroupNsKey;
use mount::{MountNsKey, Mounts};
use number::Numbers;
use pid::{PidNs, PidNsKey};
use time::{Offsets, TimeNsKey};
use user::{Counts, Limits, User, UserKey, UserNs};
use uts::{Uts, UtsKey};

pub(crate) type SetKey = Key<SharedSet>;

/// What a network namespace is: what is kept apart by it names it, but for the settings that it has.
#[derive(Clone, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Net {
    settings: Settings,
}
pub(crate) type NetKey = Key<Namespace<Net>>;

/// What a System V IPC namespace is: nothing that is modelled is kept in it but settings.
#[derive(Clone, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Ipc {
    settings: Settings,
}
pub(crate) type IpcKey = Key<Namespace<Ipc>>;

/// All namespaces of a machine.
#[derive(Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Namespaces {
    sets: Table<SharedSet>,
    uts: All<Uts>,
    cgroup: All<Stand>,
    net: All<Net>,
    ipc: All<Ipc>,
    mount: All<Mounts>,
    time: All<Offsets>,
    pid: All<PidNs>,
    user: All<User>,
    pub(crate) first: Set,
    first_user: UserKey,
    #[cfg_attr(feature = "serde", serde(with = "crate::written::map"))]
    counts: Counts,
    /// How often somebody has set a host name and a domain name.
    names_set: [u64; 2],
    numbers: Numbers,
}

/// A namespace of each kind that can differ from thread to thread, but for that of users.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Set {
    pub(crate) uts: UtsKey,
    pub(crate) cgroup: CgroupNsKey,
    pub(crate) net: NetKey,
    pub(crate) ipc: IpcKey,
    pub(crate) mount: MountNsKey,
    pub(crate) pid_for_children: PidNsKey,
    pub(crate) time: TimeNsKey,
    pub(crate) time_for_children: TimeNsKey,
}

impl Set {
    /// All that it holds.
    const fn each(self) -> [Held; 8] {
        [
            Held::Uts(self.uts),
            Held::Cgroup(self.cgroup),
            Held::Net(self.net),
            Held::Ipc(self.ipc),
            Held::Mount(self.mount),
            Held::Pid(self.pid_for_children),
            Held::Time(self.time),
            Held::Time(self.time_for_children),
        ]
    }
}

/// A set, and how many threads it is the set of.
#[derive(Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct SharedSet {
    set: Set,
    threads: u32,
}

/// The namespace behind a handle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) enum Held {
    Uts(UtsKey),
    Cgroup(CgroupNsKey),
    Net(NetKey),
    Ipc(IpcKey),
    Mount(MountNsKey),
    Time(TimeNsKey),
    Pid(PidNsKey),
    User(UserNs),
}

impl Namespaces {
    /// How much there is of each.
    pub(crate) fn take_stock(&self, all: &mut Stock) {
        all.table("sets of namespaces", &self.sets);
        self.uts.take_stock("uts namespaces", all);
        self.cgroup.take_stock("cgroup namespaces", all);
        self.net.take_stock("net namespaces", all);
        self.ipc.take_stock("ipc namespaces", all);
        self.mount.take_stock("mount namespaces", all);
        self.time.take_stock("time namespaces", all);
        self.user.take_stock("user namespaces", all);
    }

    /// The first namespaces.
    pub(crate) fn boot(profile: &Profile, cgroups: &Cgroups, root: Spot) -> Self {
        let number = |kind| kind::first_number(kind, profile.release);
        let (uts, first_uts) = All::boot(number(NamespaceKind::Uts), Uts::first());
        let (cgroup, first_cgroup) =
            All::boot(number(NamespaceKind::Cgroup), cgroup::first(cgroups));
        let (net, first_net) = All::boot(number(NamespaceKind::Net), Net::default());
        let (ipc, first_ipc) = All::boot(number(NamespaceKind::Ipc), Ipc::default());
        let (mount, first_mount) = All::boot(number(NamespaceKind::Mount), Mounts::new(root));
        let (time, first_time) = All::boot(number(NamespaceKind::Time), Offsets::first());
        let (pid, first_pid) = All::boot(number(NamespaceKind::Pid), PidNs::first());
        let mut first_of_users = User::first();
        // A user's share is half of the threads that the machine can have, like the first limit of processes.
        let most = RlimitTable::boot(profile).get(RlimitResource::Processes).soft;
        let most = most.and_then(|most| u32::try_from(most).ok()).unwrap_or(user::MOST);
        first_of_users.limits = Limits::all(most);
        let (user, first_user) = All::boot(number(NamespaceKind::User), first_of_users);
        Self {
            sets: Table::default(),
            uts,
            cgroup,
            net,
            ipc,
            mount,
            time,
            pid,
            user,
            first: Set {
                uts: first_uts,
                cgroup: first_cgroup,
                net: first_net,
                ipc: first_ipc,
                mount: first_mount,
                pid_for_children: first_pid,
                time: first_time,
                time_for_children: first_time,
            },
            first_user,
            counts: Counts::default(),
            names_set: [0; 2],
            numbers: Numbers::default(),
        }
    }

    /// The settings of a network namespace.
    pub(crate) fn settings_of_net(&self, key: NetKey) -> &Settings {
        &self.net.at(key).content.settings
    }

    /// The same, to write them.
    pub(crate) fn settings_of_net_mut(&mut self, key: NetKey) -> &mut Settings {
        &mut self.net.at_mut(key).content.settings
    }

    /// The settings of an IPC namespace.
    pub(crate) fn settings_of_ipc(&self, key: IpcKey) -> &Settings {
        &self.ipc.at(key).content.settings
    }

    /// The same, to write them.
    pub(crate) fn settings_of_ipc_mut(&mut self, key: IpcKey) -> &mut Settings {
        &mut self.ipc.at_mut(key).content.settings
    }

    /// One more thread has this set.
    pub(crate) fn share(&mut self, set: Option<SetKey>) {
        if let Some(set) = set {
            self.sets.at_mut(set).threads += 1;
        }
    }

    /// A new one of a kind, which nobody holds yet.
    fn make<T: Clone>(
        &mut self,
        maker: Maker,
        kind: NamespaceKind,
        content: T,
        of: fn(&mut Self) -> (&mut All<T>, &mut Numbers),
    ) -> Key<Namespace<T>> {
        self.count(maker, kind);
        self.keep_user(maker.within);
        let (all, numbers) = of(self);
        all.make(maker, numbers, content)
    }

    /// One more holds a namespace.
    pub(crate) fn keep(&mut self, held: Held) {
        match held {
            Held::Uts(key) => self.uts.keep(key),
            Held::Cgroup(key) => self.cgroup.keep(key),
            Held::Net(key) => self.net.keep(key),
            Held::Ipc(key) => self.ipc.keep(key),
            Held::Mount(key) => self.mount.keep(key),
            Held::Time(key) => self.time.keep(key),
            Held::Pid(key) => self.pid.keep(key),
            Held::User(key) => self.keep_user(key),
        }
    }

    /// Whether it has not ended.
    pub(crate) fn exists(&self, held: Held) -> bool {
        match held {
            Held::Uts(key) => self.uts.has(key),
            Held::Cgroup(key) => self.cgroup.has(key),
            Held::Net(key) => self.net.has(key),
            Held::Ipc(key) => self.ipc.has(key),
            Held::Mount(key) => self.mount.has(key),
            Held::Time(key) => self.time.has(key),
            Held::Pid(key) => self.pid.has(key),
            Held::User(key) => self.user.has(key.unwrap_or(self.first_user)),
        }
    }

    /// Its number, and who made it.
    fn about(&self, held: Held) -> (u32, Maker) {
        fn of<T>(namespace: &Namespace<T>) -> (u32, Maker) {
            (namespace.number, namespace.maker)
        }
        match held {
            Held::Uts(key) => of(self.uts.at(key)),
            Held::Cgroup(key) => of(self.cgroup.at(key)),
            Held::Net(key) => of(self.net.at(key)),
            Held::Ipc(key) => of(self.ipc.at(key)),
            Held::Mount(key) => of(self.mount.at(key)),
            Held::Time(key) => of(self.time.at(key)),
            Held::Pid(key) => of(self.pid.at(key)),
            Held::User(key) => of(self.user.at(key.unwrap_or(self.first_user))),
        }
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
        for held in set.each() {
            release(kernel, held);
        }
    }
}

/// The namespaces that a thread is in.
pub(crate) fn of(kernel: &Kernel, thread: ThreadKey) -> &Set {
    match kernel.tasks.threads.at(thread).namespaces {
        Some(set) => &kernel.namespaces.sets.at(set).set,
        None => &kernel.namespaces.first,
    }
}

/// A thread goes over to other namespaces.
pub(crate) fn enter(kernel: &mut Kernel, thread: ThreadKey, set: Set) {
    let namespaces = &mut *kernel.namespaces;
    let new = (set != namespaces.first).then(|| {
        time::entered(namespaces, set.time);
        for held in set.each() {
            namespaces.keep(held);
        }
        namespaces.sets.insert(SharedSet { set, threads: 1 })
    });
    let before = std::mem::replace(&mut kernel.tasks.threads.at_mut(thread).namespaces, new);
    leave(kernel, before);
}

/// Where a child is: where it was told to be born or where its parent is, with what is new; and a process in the time that its parent
/// has for its children.
pub(crate) fn born(
    kernel: &mut Kernel,
    caller: ThreadKey,
    child: ThreadKey,
    joined: Option<Joined>,
    renewal: Renewal,
) {
    if let Some(joined) = joined {
        joined.enter(kernel, child);
    }
    let record = kernel.tasks.threads.at(child);
    if record.namespaces.is_none() && renewal.is_nothing() {
        return;
    }
    let is_process = kernel.tasks.processes.at(record.process).leader == child;
    let before = *of(kernel, child);
    let mut set = renewal.make(kernel, caller, child, before);
    if set.pid_for_children != before.pid_for_children {
        pid::enter_new(kernel, child, set.pid_for_children);
    }
    if is_process {
        set.time = set.time_for_children;
    }
    if set != *of(kernel, child) {
        enter(kernel, child, set);
    }
}

/// Whether a thread may have others beside it: not if its children would have other numbers, and up to 6.1 not if they would live in
/// another time.
pub(crate) fn lets_threads_be(kernel: &Kernel, thread: ThreadKey) -> bool {
    let set = of(kernel, thread);
    pid::stays(kernel, thread)
        && (kernel.profile.release > Release::V6_1 || set.time == set.time_for_children)
}

/// What /proc/PID/ns/KIND leads to, for a handle to hold: the namespace counts that as a holder. ENOENT of a thread that has
/// ended, which is in no namespaces any more but those of its number and its user, and of a PID namespace without processes yet.
pub(crate) fn hold(
    kernel: &mut Kernel,
    thread: ThreadKey,
    kind: NamespaceKind,
) -> Result<Held, Errno> {
    let held = find(kernel, thread, kind)?;
    kernel.namespaces.keep(held);
    Ok(held)
}

/// A handle was closed, or a set is gone.
pub(crate) fn release(kernel: &mut Kernel, held: Held) {
    /// What is left to undo of a namespace that is gone.
    fn ended<T>(kernel: &mut Kernel, gone: Option<Namespace<T>>, kind: NamespaceKind) -> Option<T> {
        let Namespace { content, maker, .. } = gone?;
        kernel.namespaces.uncount(maker, kind);
        user::let_go(kernel, maker.within);
        Some(content)
    }
    let all = &mut *kernel.namespaces;
    let numbers = &mut all.numbers;
    match held {
        Held::Uts(key) => {
            let gone = all.uts.let_go(key, numbers);
            ended(kernel, gone, NamespaceKind::Uts);
        }
        Held::Cgroup(key) => {
            let gone = all.cgroup.let_go(key, numbers);
            if let Some(stand) = ended(kernel, gone, NamespaceKind::Cgroup) {
                kernel.cgroups.let_go_of_stand(stand);
            }
        }
        Held::Net(key) => {
            let gone = all.net.let_go(key, numbers);
            ended(kernel, gone, NamespaceKind::Net);
        }
        Held::Ipc(key) => {
            let gone = all.ipc.let_go(key, numbers);
            ended(kernel, gone, NamespaceKind::Ipc);
        }
        Held::Mount(key) => {
            let gone = all.mount.let_go(key, numbers);
            if ended(kernel, gone, NamespaceKind::Mount).is_some() {
                crate::fs::tree::forget(kernel, key);
            }
        }
        Held::Time(key) => {
            let gone = all.time.let_go(key, numbers);
            ended(kernel, gone, NamespaceKind::Time);
        }
        Held::Pid(key) => {
            let gone = all.pid.let_go(key, numbers);
            let gone = ended(kernel, gone, NamespaceKind::Pid);
            if let Some(above) = gone.and_then(|namespace| namespace.parent()) {
                release(kernel, Held::Pid(above));
            }
        }
        Held::User(key) => user::let_go(kernel, key),
    }
}

/// The number of a thread's namespace, as /proc/PID/ns/KIND has it. ENOENT as [`hold`].
pub(crate) fn identity(
    kernel: &Kernel,
    thread: ThreadKey,
    kind: NamespaceKind,
) -> Result<NsId, Errno> {
    let (number, _) = kernel.namespaces.about(find(kernel, thread, kind)?);
    Ok(NsId(number.into()))
}

/// The user namespace that one was made in: who is capable there may change it.
pub(crate) fn owner(kernel: &Kernel, held: Held) -> UserNs {
    kernel.namespaces.about(held).1.within
}

/// The user namespace in which a thread's network namespace was made.
pub(crate) fn owner_of_net(kernel: &Kernel, thread: ThreadKey) -> UserNs {
    owner(kernel, Held::Net(of(kernel, thread).net))
}

/// The user namespace in which a mount namespace was made.
pub(crate) fn owner_of_mounts(kernel: &Kernel, mounts: MountNsKey) -> UserNs {
    owner(kernel, Held::Mount(mounts))
}

/// The same of the PID namespace that a thread is in.
pub(crate) fn owner_of_numbers(kernel: &Kernel, thread: ThreadKey) -> UserNs {
    owner(kernel, Held::Pid(kernel.pid_ns(thread)))
}

/// The same of a thread's cgroup namespace.
pub(crate) fn owner_of_groups(kernel: &Kernel, thread: ThreadKey) -> UserNs {
    owner(kernel, Held::Cgroup(of(kernel, thread).cgroup))
}

fn find(kernel: &Kernel, thread: ThreadKey, kind: NamespaceKind) -> Result<Held, Errno> {
    let outlives = matches!(kind, NamespaceKind::Pid | NamespaceKind::User);
    let record = kernel.tasks.threads.at(thread);
    if record.exited && !outlives {
        return Err(Errno::ENOENT);
    }
    let set = of(kernel, thread);
    Ok(match kind {
        NamespaceKind::Uts => Held::Uts(set.uts),
        NamespaceKind::Cgroup => Held::Cgroup(set.cgroup),
        NamespaceKind::Net => Held::Net(set.net),
        NamespaceKind::Ipc => Held::Ipc(set.ipc),
        NamespaceKind::Mount => Held::Mount(set.mount),
        NamespaceKind::Time => Held::Time(set.time),
        NamespaceKind::TimeForChildren => Held::Time(set.time_for_children),
        NamespaceKind::User => Held::User(record.credentials.namespace),
        NamespaceKind::Pid => Held::Pid(kernel.pid_ns(thread)),
        NamespaceKind::PidForChildren => {
            let key = set.pid_for_children;
            let has_begun = key == kernel.namespaces.first.pid_for_children
                || kernel.namespaces.pid.at(key).content.has_begun();
            if has_begun { Held::Pid(key) } else { return Err(Errno::ENOENT) }
        }
    })
}
