//! What the generator believes of the actors of a script: who can be asked, what each holds, whom a signal ends.
//!
//! It knows far less than a kernel and may be wrong; then a script says little, or takes a moment longer. It is here so that most
//! lines meet something, and that `init` goes on to the end.

use std::collections::{BTreeMap, BTreeSet};

use standin::transcript::{
    FileOp, IdentityOp, Label, Limit, LinkOp, MaskChange, NamespaceKind, NamespaceOp, Op, Prctl,
    ProcessOp, RlimitName, SignalAction, SignalArg, SocketOp, Who,
};

use crate::lab::fuzz::verdict::Verdict;

/// Signals that end nobody who did not ask for them.
const HARMLESS: [&str; 6] = ["0", "CONT", "CHLD", "URG", "WINCH", "65"];
/// Signals that may stop.
const STOPPING: [&str; 4] = ["STOP", "TSTP", "TTIN", "TTOU"];

/// Descriptors that are enough for everything that a script does.
const ENOUGH: u64 = 30;

/// What a descriptor is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Held {
    File,
    Socket,
    Watcher,
    Counter,
}

/// A PID namespace: its place in the order in which they were made.
type Pids = usize;

#[derive(Debug, Clone)]
struct Actor {
    label: Label,
    /// Who is its process's first thread; itself, mostly.
    leader: Label,
    parent: Label,
    /// In which PID namespace, and in which its next children are.
    pids: Pids,
    pids_for_children: Pids,
    /// The name of its process group: that of the actor who leads it.
    group: Label,
    uid: u32,
    /// It made a user namespace: of whose rights outside nothing is known.
    has_user_namespace: bool,
    is_dead: bool,
    is_stopped: bool,
    may_wait: bool,
    at_parents_death: Option<SignalArg>,
    handled: BTreeSet<SignalArg>,
    blocked: BTreeSet<SignalArg>,
}

/// See the module.
#[derive(Debug, Clone)]
pub(super) struct Cast {
    actors: Vec<Actor>,
    /// Of each PID namespace: which one is above, and its first process, with which it ends; that of the first is no actor.
    namespaces: Vec<(Pids, Option<Label>)>,
    /// By process and label.
    held: BTreeMap<(Label, Label), Held>,
    /// Limits that every actor has from `init`.
    known_limits: Vec<RlimitName>,
    /// Somebody may have few descriptors.
    has_few_descriptors: bool,
}

impl Cast {
    pub(super) fn new() -> Self {
        let init = Actor {
            label: Label::init(),
            leader: Label::init(),
            parent: Label::init(),
            pids: 0,
            pids_for_children: 0,
            group: Label::init(),
            uid: 0,
            has_user_namespace: false,
            is_dead: false,
            is_stopped: false,
            may_wait: false,
            at_parents_death: None,
            handled: BTreeSet::new(),
            blocked: BTreeSet::new(),
        };
        Self {
            actors: vec![init],
            namespaces: vec![(0, None)],
            held: BTreeMap::new(),
            known_limits: Vec::new(),
            has_few_descriptors: false,
        }
    }

    /// Those who can be asked, in the order in which they were made.
    pub(super) fn ready(&self) -> Vec<String> {
        let ready = self.actors.iter().filter(|it| !it.is_dead && !it.is_stopped && !it.may_wait);
        ready.map(|actor| actor.label.as_str().to_owned()).collect()
    }

    /// Everybody who was made.
    pub(super) fn all(&self) -> Vec<String> {
        self.actors.iter().map(|actor| actor.label.as_str().to_owned()).collect()
    }

    /// Those who may be waiting.
    pub(super) fn waiting(&self) -> Vec<String> {
        let waiting = self.actors.iter().filter(|actor| actor.may_wait && !actor.is_dead);
        waiting.map(|actor| actor.label.as_str().to_owned()).collect()
    }

    pub(super) fn lives(&self, label: &str) -> bool {
        self.actors.iter().any(|actor| actor.label.as_str() == label && !actor.is_dead)
    }

    /// The descriptors of an actor of a kind; of any without one.
    pub(super) fn descriptors(&self, label: &str, kind: Option<Held>) -> Vec<String> {
        let Some(actor) = self.actors.iter().find(|actor| actor.label.as_str() == label) else {
            return Vec::new();
        };
        let own = self.held.iter().filter(|((who, _), _)| *who == actor.leader);
        let fits = own.filter(|(_, held)| kind.is_none_or(|kind| kind == **held));
        fits.map(|((_, fd), _)| fd.as_str().to_owned()).collect()
    }

    /// Limits that may be printed.
    pub(super) fn known_limits(&self) -> &[RlimitName] {
        &self.known_limits
    }

    /// What a line would do.
    pub(super) fn judge(&self, label: &Label, op: &Op) -> Verdict {
        let Some(actor) = self.find(label) else { return Verdict::Quick };
        if self.has_few_descriptors && takes_handle(op)
            || self.sends_socket(actor, op)
            || self.stops_own_process(actor, op)
        {
            return Verdict::Luck;
        }
        let mut after = self.clone();
        after.follow(label, op);
        let is_lost = |init: &Actor| init.is_dead || init.is_stopped || init.may_wait;
        if after.actors.first().is_none_or(is_lost) {
            Verdict::Fatal
        } else if !actor.is_dead && (actor.is_stopped || actor.may_wait)
            || after.find(label).is_some_and(|after| after.may_wait)
        {
            Verdict::Slow
        } else {
            Verdict::Quick
        }
    }

    /// What a line did.
    pub(super) fn follow(&mut self, label: &Label, op: &Op) {
        let Some(actor) = self.find(label).filter(|actor| !actor.is_dead).cloned() else { return };
        if let Op::Processes(op) = op {
            self.follow_process(&actor, op);
        } else if let Op::Identity(op) = op {
            self.follow_identity(&actor, op);
        } else if let Op::Files(FileOp::Open { fd, .. }) = op {
            self.hold(&actor, fd, Held::File);
        } else if let Op::Files(FileOp::Close { fd }) = op {
            self.held.remove(&(actor.leader, fd.clone()));
        } else if let Op::Links(op) = op {
            self.follow_link(&actor, op);
        } else if let Op::Sockets(op) = op {
            self.follow_socket(&actor, op);
        } else if let Op::Namespaces(op) = op {
            self.follow_namespace(&actor, op);
        }
    }

    fn follow_namespace(&mut self, actor: &Actor, op: &NamespaceOp) {
        if let NamespaceOp::Unshare { kinds } = op {
            if kinds.0.contains(&NamespaceKind::User) {
                self.change(&actor.label, |actor| actor.has_user_namespace = true);
            }
            if kinds.0.contains(&NamespaceKind::Pid) {
                let new = self.new_pids(actor.pids);
                self.change(&actor.label, |actor| actor.pids_for_children = new);
            }
        } else if let NamespaceOp::Setns { target, kinds } = op
            && kinds.0.contains(&NamespaceKind::Pid)
            && let Some(pids) = self.find(target).map(|target| target.pids)
        {
            self.change(&actor.label, |actor| actor.pids_for_children = pids);
        }
    }

    fn new_pids(&mut self, above: Pids) -> Pids {
        self.namespaces.push((above, None));
        self.namespaces.len() - 1
    }

    fn is_below(&self, mut pids: Pids, above: Pids) -> bool {
        // One that is made later has a larger number than the one above.
        while pids > above {
            pids = self.namespaces.get(pids).map_or(0, |(above, _)| *above);
        }
        pids == above
    }

    fn is_first(&self, actor: &Actor) -> bool {
        let first = self.namespaces.get(actor.pids).and_then(|(_, first)| first.as_ref());
        first == Some(&actor.leader)
    }

    /// Whether a thread stops its process and is not the one that takes the signal: it may be back before it is stopped.
    fn stops_own_process(&self, actor: &Actor, op: &Op) -> bool {
        let is_own = |target| self.find(target).is_some_and(|it| it.leader == actor.leader);
        let signal = if let Op::Processes(ProcessOp::Kill { target, signal }) = op
            && is_own(target)
        {
            signal
        } else if let Op::Identity(IdentityOp::Killpg { signal, .. }) = op {
            signal
        } else {
            return false;
        };
        actor.label != actor.leader && STOPPING.contains(&signal.to_string().as_str())
    }

    /// Whether a message carries a socket: one that only messages hold goes in the background, on a host whenever anybody
    /// closes a socket.
    fn sends_socket(&self, actor: &Actor, op: &Op) -> bool {
        let Op::Sockets(SocketOp::Send { options, .. }) = op else { return false };
        let held = |fd: &Label| self.held.get(&(actor.leader.clone(), fd.clone()));
        let mut sent = options.fds.iter().flat_map(|fds| &fds.0);
        sent.any(|copies| held(&copies.fd) == Some(&Held::Socket))
    }

    fn find(&self, label: &Label) -> Option<&Actor> {
        self.actors.iter().find(|actor| actor.label == *label)
    }

    fn change(&mut self, label: &Label, change: impl Fn(&mut Actor)) {
        self.actors.iter_mut().filter(|actor| actor.label == *label).for_each(change);
    }

    fn hold(&mut self, actor: &Actor, fd: &Label, kind: Held) {
        self.held.insert((actor.leader.clone(), fd.clone()), kind);
    }

    fn wait(&mut self, actor: &Actor) {
        self.change(&actor.label, |actor| actor.may_wait = true);
    }

    fn follow_process(&mut self, actor: &Actor, op: &ProcessOp) {
        let is_free = |child: &Label| self.find(child).is_none();
        if let ProcessOp::Fork { child, options } = op
            && is_free(child)
        {
            let makes = |kind| options.new.as_ref().is_some_and(|kinds| kinds.0.contains(&kind));
            let makes_user_namespace = makes(NamespaceKind::User);
            let pids = actor.pids_for_children;
            let pids = if makes(NamespaceKind::Pid) { self.new_pids(pids) } else { pids };
            if let Some((_, first)) = self.namespaces.get_mut(pids).filter(|_| pids > 0) {
                first.get_or_insert_with(|| child.clone());
            }
            self.actors.push(Actor {
                label: child.clone(),
                leader: child.clone(),
                parent: actor.leader.clone(),
                pids,
                pids_for_children: pids,
                uid: options.uid.map_or(actor.uid, |uid| uid.0),
                has_user_namespace: actor.has_user_namespace || makes_user_namespace,
                at_parents_death: None,
                ..actor.clone()
            });
            let own: Vec<_> =
                self.held.iter().filter(|((who, _), _)| *who == actor.leader).collect();
            let copies: Vec<_> = own
                .into_iter()
                .map(|((_, fd), held)| ((child.clone(), fd.clone()), *held))
                .collect();
            self.held.extend(copies);
        } else if let ProcessOp::Thread { thread } = op
            && is_free(thread)
        {
            self.actors.push(Actor { label: thread.clone(), ..actor.clone() });
        } else if let ProcessOp::Exit { .. } = op {
            if actor.leader == actor.label {
                self.end(&actor.label);
            } else {
                self.change(&actor.label, |actor| actor.is_dead = true);
            }
        } else if let ProcessOp::Kill { target, signal } = op {
            self.signalled(actor, target, *signal);
        } else if let ProcessOp::Wait { nohang: None, .. } = op {
            self.wait(actor);
        } else if let ProcessOp::Join { actor: joined } = op {
            self.change(joined, |actor| actor.may_wait = false);
        } else if let ProcessOp::Setid { owner } = op
            && !actor.has_user_namespace
            && actor.uid == 0
        {
            self.change(&actor.label, |actor| actor.uid = owner.uid.0);
        }
    }

    fn follow_identity(&mut self, actor: &Actor, op: &IdentityOp) {
        const UNCHANGED: u32 = u32::MAX;
        let may = |uid: u32| uid != UNCHANGED && actor.uid == 0 && !actor.has_user_namespace;
        if let IdentityOp::Setresuid { real, .. } = op
            && may(real.0)
        {
            self.change(&actor.label, |actor| actor.uid = real.0);
        } else if let IdentityOp::Setuid { uid } = op
            && may(uid.0)
        {
            self.change(&actor.label, |actor| actor.uid = uid.0);
        } else if let IdentityOp::Signal { signal, disposition } = op {
            for one in self.actors.iter_mut().filter(|one| one.leader == actor.leader) {
                match disposition {
                    SignalAction::Default => one.handled.remove(signal),
                    SignalAction::Ignore | SignalAction::Count | SignalAction::Restart => {
                        one.handled.insert(*signal)
                    }
                };
            }
        } else if let IdentityOp::Sigmask { change, signals } = op {
            let signals: BTreeSet<SignalArg> = signals.0.iter().copied().collect();
            self.change(&actor.label, |actor| match change {
                MaskChange::Block => actor.blocked.extend(&signals),
                MaskChange::Unblock => actor.blocked.retain(|signal| !signals.contains(signal)),
                MaskChange::Set => actor.blocked.clone_from(&signals),
            });
        } else if let IdentityOp::Setsid {} = op {
            self.change(&actor.label, |actor| actor.group = actor.leader.clone());
        } else if let IdentityOp::Setpgid { who, group } = op {
            let named = |who: &Who, zero: &Label| match who {
                Who::Zero => zero.clone(),
                Who::Actor(label) => label.clone(),
            };
            let who = named(who, &actor.leader);
            let group = named(group, &who);
            if who != Label::init() {
                self.change(&who, |actor| actor.group = group.clone());
            }
        } else if let IdentityOp::Killpg { group, signal } = op {
            let group = match group {
                Who::Zero => actor.group.clone(),
                Who::Actor(label) => label.clone(),
            };
            let members =
                self.actors.iter().filter(|it| it.group == group && it.label == it.leader);
            let members: Vec<Label> = members.map(|member| member.label.clone()).collect();
            members.iter().for_each(|member| self.signalled(actor, member, *signal));
        } else if let IdentityOp::Prctl { prctl: Prctl::Pdeathsig(Some(signal)) } = op {
            self.change(&actor.label, |actor| actor.at_parents_death = Some(*signal));
        } else if let IdentityOp::Rlimit { name, to: Some(pair), .. } = op {
            if self.actors.len() == 1 {
                self.known_limits.push(*name);
            }
            self.has_few_descriptors |= *name == RlimitName::Nofile
                && matches!(pair.soft, Limit::To(soft) if soft < ENOUGH);
        }
    }

    fn follow_link(&mut self, actor: &Actor, op: &LinkOp) {
        if let LinkOp::Openat2 { new, .. } = op {
            self.hold(actor, new, Held::File);
        } else if let LinkOp::Inotify { fd, .. } = op {
            self.hold(actor, fd, Held::Watcher);
        } else if let LinkOp::Eventfd { fd, .. } = op {
            self.hold(actor, fd, Held::Counter);
        } else if let LinkOp::Flock { nonblock: None, .. } = op {
            self.wait(actor);
        }
    }

    fn follow_socket(&mut self, actor: &Actor, op: &SocketOp) {
        if let SocketOp::Socket { fd, .. } = op {
            self.hold(actor, fd, Held::Socket);
        } else if let SocketOp::Socketpair { fd, new, .. } = op {
            self.hold(actor, fd, Held::Socket);
            self.hold(actor, new, Held::Socket);
        } else if let SocketOp::Accept { new, nonblock, .. } = op {
            self.hold(actor, new, Held::Socket);
            if nonblock.is_none() {
                self.wait(actor);
            }
        } else if let SocketOp::Dup { fd, new } = op {
            let held = self.held.get(&(actor.leader.clone(), fd.clone())).copied();
            if let Some(held) = held {
                self.hold(actor, new, held);
            }
        } else if let SocketOp::Recv { options, .. } = op {
            for fd in options.fds.iter().flat_map(|fds| &fds.0) {
                self.hold(actor, fd, Held::Socket);
            }
            if !options.nonblock {
                self.wait(actor);
            }
        } else if let SocketOp::Send { options, .. } = op
            && !options.nonblock
        {
            self.wait(actor);
        }
    }

    fn signalled(&mut self, by: &Actor, target: &Label, signal: SignalArg) {
        let Some(target) = self.find(target).cloned() else { return };
        let is_privileged = by.uid == 0 && !by.has_user_namespace;
        let may = is_privileged || by.uid == target.uid;
        let name = signal.to_string();
        if !may || signal.signal().is_none() || by.leader != target.leader && target.is_dead {
            return;
        }
        let own = |it: &&mut Actor| it.leader == target.leader;
        if name == "CONT" {
            self.actors.iter_mut().filter(own).for_each(|it| it.is_stopped = false);
        }
        let is_kept = name != "KILL"
            && name != "STOP"
            && (target.handled.contains(&signal) || target.blocked.contains(&signal));
        // pid_namespaces(7): the first process takes from above KILL and STOP alone, and nothing from its own namespace.
        let is_spared = self.is_first(&target)
            && (by.pids >= target.pids || !["KILL", "STOP"].contains(&name.as_str()));
        if is_kept || is_spared || HARMLESS.contains(&name.as_str()) {
            return;
        }
        if STOPPING.contains(&name.as_str()) {
            self.actors.iter_mut().filter(own).for_each(|it| it.is_stopped = true);
        } else {
            self.end(&target.leader);
        }
    }

    fn end(&mut self, leader: &Label) {
        let mut children = Vec::new();
        let namespace = self.find(leader).filter(|it| self.is_first(it)).map(|it| it.pids);
        let ends = |it: &Actor| {
            it.leader == *leader || namespace.is_some_and(|above| self.is_below(it.pids, above))
        };
        let ended: Vec<Label> =
            self.actors.iter().filter(|it| ends(it)).map(|it| it.label.clone()).collect();
        for actor in self.actors.iter_mut().filter(|actor| ended.contains(&actor.label)) {
            actor.is_dead = true;
        }
        for child in self.actors.iter().filter(|it| it.parent == *leader && !it.is_dead) {
            children.extend(child.at_parents_death.map(|signal| (child.clone(), signal)));
        }
        for (child, signal) in children {
            self.change(&child.label, |actor| actor.at_parents_death = None);
            // The kernel asks for nobody's permission.
            self.signalled(&child, &child.label, signal);
        }
    }
}

/// Whether it takes a handle of somebody, which a player may have as a descriptor of its own.
fn takes_handle(op: &Op) -> bool {
    matches!(
        op,
        Op::Processes(ProcessOp::Kill { .. } | ProcessOp::Wait { .. })
            | Op::Namespaces(NamespaceOp::Setns { .. })
    )
}
