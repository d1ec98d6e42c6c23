//! Other namespaces for a thread: new ones (unshare(2), clone(2)) and those of others (setns(2)).

use standin::backend::{NamespaceKind, NamespaceKinds};
use standin::{Capability, Errno, Failure};

use super::pid::{self, PidNsKey};
use super::{Held, Ipc, Net, Set, cgroup, enter, find, of, owner, time, user, uts};
use crate::fs;
use crate::kernel::Kernel;
use crate::namespace::user::UserNs;
use crate::profile::Release;
use crate::step::Step;
use crate::task::{self, ProcessKey, ThreadKey, footing, identity};

/// The kinds, in the order in which they are made and joined; that of users comes before them.
const ORDER: [(NamespaceKinds, NamespaceKind); 7] = [
    (NamespaceKinds::MOUNT, NamespaceKind::Mount),
    (NamespaceKinds::UTS, NamespaceKind::Uts),
    (NamespaceKinds::IPC, NamespaceKind::Ipc),
    (NamespaceKinds::PID, NamespaceKind::Pid),
    (NamespaceKinds::CGROUP, NamespaceKind::Cgroup),
    (NamespaceKinds::NET, NamespaceKind::Net),
    (NamespaceKinds::TIME, NamespaceKind::Time),
];

/// What is to be new, after it was found that it may be: made by [`Renewal::make`], which cannot fail.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Renewal(NamespaceKinds);

impl Renewal {
    /// Whether the caller may have new namespaces of these kinds.
    ///
    /// # Errors
    /// EINVAL: no such kind; as [`pid::check_new`]. ENOSPC: the user has too many. EPERM without `CAP_SYS_ADMIN`, unless a user namespace comes with them; for
    /// that one as [`user::check_new`].
    pub(crate) fn check(kernel: &Kernel, caller: ThreadKey, kinds: NamespaceKinds) -> Step<Self> {
        if kinds.is_empty() {
            return Ok(Self(kinds));
        }
        check_kinds(kinds)?;
        let own = kernel.credentials(caller);
        if kinds.contains(NamespaceKinds::USER) {
            user::check_new(kernel, caller)?;
        } else if !own.capable_here(Capability::SYS_ADMIN) {
            return Err(Errno::EPERM.into());
        }
        let maker = user::made(kernel, caller);
        for (_, kind) in ORDER.iter().filter(|(flag, _)| kinds.contains(*flag)) {
            if *kind == NamespaceKind::Pid {
                pid::check_new(kernel, caller)?;
            }
            kernel.namespaces.check_room(maker, *kind)?;
        }
        Ok(Self(kinds))
    }

    /// Whether nothing is to be new.
    pub(super) const fn is_nothing(self) -> bool {
        self.0.is_empty()
    }

    /// Makes them for a thread, which is the caller or its child, and would otherwise be in `set`: where it is to be.
    pub(crate) fn make(
        self,
        kernel: &mut Kernel,
        caller: ThreadKey,
        thread: ThreadKey,
        set: Set,
    ) -> Set {
        let Self(kinds) = self;
        let (mut set, mut maker) = (set, user::made(kernel, thread));
        if kinds.contains(NamespaceKinds::USER) {
            maker.within = user::new(kernel, thread);
            become_member(kernel, thread, maker.within);
        }
        let has = |kind| kinds.contains(kind);
        if has(NamespaceKinds::MOUNT) {
            set.mount = fs::tree::copy(kernel, thread, maker, set.mount);
        }
        if has(NamespaceKinds::UTS) {
            set.uts = uts::copy(kernel, maker, set.uts);
        }
        if has(NamespaceKinds::PID) {
            set.pid_for_children = pid::make(kernel, maker, set.pid_for_children);
        }
        let all = &mut *kernel.namespaces;
        if has(NamespaceKinds::IPC) {
            set.ipc = all.make(maker, NamespaceKind::Ipc, Ipc::default(), |all| {
                (&mut all.ipc, &mut all.numbers)
            });
        }
        if has(NamespaceKinds::NET) {
            set.net = all.make(maker, NamespaceKind::Net, Net::default(), |all| {
                (&mut all.net, &mut all.numbers)
            });
        }
        if has(NamespaceKinds::TIME) {
            set.time_for_children = time::copy(all, maker, set.time_for_children);
        }
        if has(NamespaceKinds::CGROUP) {
            set.cgroup = cgroup::copy(kernel, caller, maker);
        }
        set
    }
}

/// unshare(2)
///
/// # Errors
/// As [`Renewal::check`]; EINVAL for a new user namespace of one thread among several.
pub(crate) fn unshare(kernel: &mut Kernel, caller: ThreadKey, kinds: NamespaceKinds) -> Step<()> {
    let is_alone = user::is_alone(kernel, caller);
    if kinds.contains(NamespaceKinds::USER) && !is_alone {
        return Err(Errno::EINVAL.into());
    }
    let renewal = Renewal::check(kernel, caller, kinds)?;
    if kinds.contains(NamespaceKinds::MOUNT) {
        footing::part(kernel, caller);
    }
    let set = renewal.make(kernel, caller, caller, *of(kernel, caller));
    enter(kernel, caller, set);
    Ok(())
}

/// Where a thread would be that joins namespaces of others.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Joined {
    set: Set,
    /// It goes to the root of its mounts, also of those where it is.
    goes_to_root: bool,
    /// The user namespace, if that is another.
    user: Option<UserNs>,
}

/// Whether a namespace is joined alone or with others: with others a kernel prepares a working directory of its own first, so that it
/// does not mind other threads that share it. (Debian's 6.12 minds, 6.1 and 6.18 do not: they were asked.)
#[derive(Clone, Copy, PartialEq, Eq)]
enum Alone {
    Kind,
    Others,
}

impl Joined {
    fn nothing(kernel: &Kernel, caller: ThreadKey) -> Self {
        Self { set: *of(kernel, caller), goes_to_root: false, user: None }
    }

    /// One more namespace.
    ///
    /// # Errors
    /// EPERM: the caller lacks `CAP_SYS_ADMIN` where the namespace was made or where it would be itself, or, for mounts, `CAP_SYS_CHROOT`.
    /// Of one thread among several EINVAL for a user or mount namespace, EUSERS for one of time. EINVAL: the own user
    /// namespace; a PID namespace that is not below the own one.
    fn with(mut self, kernel: &Kernel, caller: ThreadKey, held: Held, alone: Alone) -> Step<Self> {
        let own = kernel.credentials(caller);
        let has = |over, capability| {
            let able = user::capable(kernel, own.holder(), over, capability);
            if able { Ok(()) } else { Err(Errno::EPERM) }
        };
        let home = self.user.unwrap_or(own.namespace);
        let is_alone = || user::is_alone(kernel, caller);
        match held {
            Held::User(into) => {
                user::may_join(kernel, caller, into)?;
                self.user = Some(into);
                return Ok(self);
            }
            Held::Time(_) if !is_alone() => return Err(Errno::EUSERS.into()),
            Held::Uts(_)
            | Held::Cgroup(_)
            | Held::Net(_)
            | Held::Ipc(_)
            | Held::Mount(_)
            | Held::Pid(_)
            | Held::Time(_) => {}
        }
        has(owner(kernel, held), Capability::SYS_ADMIN)?;
        has(home, Capability::SYS_ADMIN)?;
        let set = &mut self.set;
        match held {
            Held::Uts(key) => set.uts = key,
            Held::Cgroup(key) => set.cgroup = key,
            Held::Net(key) => set.net = key,
            Held::Ipc(key) => set.ipc = key,
            Held::Mount(key) => {
                has(home, Capability::SYS_CHROOT)?;
                if !footing::is_alone(kernel, caller) {
                    if alone == Alone::Kind {
                        return Err(Errno::EINVAL.into());
                    }
                    if key != set.mount {
                        return Err(Failure::NotModelled("the root of other threads").into());
                    }
                }
                (set.mount, self.goes_to_root) = (key, true);
            }
            Held::Pid(key) => {
                pid::may_join(kernel, caller, key)?;
                set.pid_for_children = key;
            }
            Held::Time(key) => (set.time, set.time_for_children) = (key, key),
            Held::User(_) => {}
        }
        Ok(self)
    }

    /// The PID namespace that children are born in there.
    pub(crate) const fn of_children(self) -> PidNsKey {
        self.set.pid_for_children
    }

    /// A thread goes there.
    pub(crate) fn enter(self, kernel: &mut Kernel, thread: ThreadKey) {
        if let Some(into) = self.user {
            become_member(kernel, thread, into);
        }
        if self.goes_to_root {
            fs::tree::go_to_root(kernel, thread, self.set.mount);
        }
        enter(kernel, thread, self.set);
    }
}

/// Where a thread would be that joins a process's namespaces of these kinds.
///
/// # Errors
/// EINVAL: no kind, or no such kind. ESRCH: the process has ended. EPERM: the caller may not look into it. As
/// [`Joined::with`].
pub(crate) fn joined(
    kernel: &Kernel,
    caller: ThreadKey,
    process: ProcessKey,
    kinds: NamespaceKinds,
) -> Step<Joined> {
    if kinds.is_empty() {
        return Err(Errno::EINVAL.into());
    }
    check_kinds(kinds)?;
    let leader = kernel.tasks.processes.get(process).ok_or(Errno::ESRCH)?.leader;
    if !task::may_look_into_for_real(kernel, caller, leader) {
        return Err(Errno::EPERM.into());
    }
    let record = kernel.tasks.threads.at(leader);
    if record.exited {
        return Err(Errno::ESRCH.into());
    }
    let is_prepared = kinds != NamespaceKinds::MOUNT && kernel.profile.release != Release::V6_12;
    let alone = if is_prepared { Alone::Others } else { Alone::Kind };
    let mut joined = Joined::nothing(kernel, caller);
    if kinds.contains(NamespaceKinds::USER) {
        joined = joined.with(kernel, caller, Held::User(record.credentials.namespace), alone)?;
    }
    for (_, kind) in ORDER.iter().filter(|(flag, _)| kinds.contains(*flag)) {
        joined = joined.with(kernel, caller, find(kernel, leader, *kind)?, alone)?;
    }
    Ok(joined)
}

/// setns(2) by process handle.
///
/// # Errors
/// As [`joined`].
pub(crate) fn join(
    kernel: &mut Kernel,
    caller: ThreadKey,
    process: ProcessKey,
    kinds: NamespaceKinds,
) -> Step<()> {
    joined(kernel, caller, process, kinds)?.enter(kernel, caller);
    Ok(())
}

/// setns(2) by namespace handle.
///
/// # Errors
/// As [`Joined::with`].
pub(crate) fn join_held(kernel: &mut Kernel, caller: ThreadKey, held: Held) -> Step<()> {
    Joined::nothing(kernel, caller).with(kernel, caller, held, Alone::Kind)?.enter(kernel, caller);
    Ok(())
}

/// A thread is in a user namespace from here on, and has every capability there.
fn become_member(kernel: &mut Kernel, thread: ThreadKey, into: UserNs) {
    let new = user::member(kernel.credentials(thread), into);
    identity::commit(kernel, thread, new);
}

fn check_kinds(kinds: NamespaceKinds) -> Result<(), Errno> {
    if NamespaceKinds::all().contains(kinds) { Ok(()) } else { Err(Errno::EINVAL) }
}
