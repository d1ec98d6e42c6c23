//! What the generator believes of a script so far: who lives where, and who cannot run.
//!
//! It knows far less than a kernel and may be wrong; then a script says little, or takes a second longer. It is here so that
//! most lines meet something, that `init` goes on to the end, and that hardly a line waits for nothing.

use std::collections::BTreeSet;

use super::ground::Hierarchy;
use super::verdict::Verdict;
use standin::path::KPathBuf;
use standin::transcript::{Data, FileOp, Label, Op, Piece, ProcessOp, ResourceOp};

/// Less than this is not enough for what a kernel itself keeps for a group.
const TIGHT_BYTES: u64 = 8 << 20;

/// Files that say who is in a group.
pub(super) const LISTINGS: [&str; 3] = ["cgroup.procs", "cgroup.threads", "tasks"];

/// Limits of what a kernel keeps for a group, or for those who are there.
const LIMITS: [&str; 4] = [
    "memory.max",
    "memory.limit_in_bytes",
    "memory.memsw.limit_in_bytes",
    "memory.kmem.limit_in_bytes",
];

/// Below this scripts mount hierarchies of their own.
const MOUNTS: &str = "/mnt/";

/// Where controllers may be that look at removed children, or keep memory for them.
const LINGERING: [&str; 4] = ["/freezer/", "/devices/", "/memory/", MOUNTS];

#[derive(Debug, Clone)]
pub(super) struct Actor {
    pub(super) label: Label,
    /// Who is its process's first thread; itself, mostly.
    pub(super) leader: Label,
    /// Its groups, one a hierarchy.
    groups: Vec<String>,
    pub(super) is_dead: bool,
    /// It was ended while v1 holds it, and is dead as soon as it runs again.
    is_doomed: bool,
    is_stopped: bool,
    /// What its process has for itself.
    pub(super) memory_bytes: u64,
    waits_for: Option<Label>,
}

impl Actor {
    /// Whether it is in a group or below.
    pub(super) fn is_in(&self, group: &str) -> bool {
        self.groups.iter().any(|own| is_within(own, group))
    }
}

/// What is believed.
#[derive(Debug, Clone)]
pub(super) struct Belief {
    hierarchies: Vec<Hierarchy>,
    pub(super) actors: Vec<Actor>,
    groups: BTreeSet<String>,
    frozen: BTreeSet<String>,
    /// What groups enable for those below.
    enabled: BTreeSet<(String, String)>,
    /// Those that have hardly room for a page.
    pub(super) tight: BTreeSet<String>,
    /// Some group was killed.
    pub(super) has_killed: bool,
    /// Those that may have been partitions of processors.
    pub(super) partitions: BTreeSet<String>,
    descriptors: Vec<(Label, Label, String)>,
    /// A group was removed in a hierarchy that the script mounted.
    pub(super) has_removed_mounted: bool,
    /// A group was removed that others may still be answered by until the kernel forgets it.
    pub(super) has_lingering: bool,
    /// Something was unmounted.
    pub(super) has_unmounted: bool,
}

impl Belief {
    pub(super) fn new(hierarchies: Vec<Hierarchy>) -> Self {
        let roots: Vec<String> =
            hierarchies.iter().map(|hierarchy| hierarchy.root.clone()).collect();
        let init = Actor {
            label: Label::init(),
            leader: Label::init(),
            groups: roots.clone(),
            is_dead: false,
            is_doomed: false,
            is_stopped: false,
            memory_bytes: 0,
            waits_for: None,
        };
        Self {
            hierarchies,
            actors: vec![init],
            groups: roots.into_iter().collect(),
            frozen: BTreeSet::new(),
            enabled: BTreeSet::new(),
            tight: BTreeSet::new(),
            has_killed: false,
            partitions: BTreeSet::new(),
            descriptors: Vec::new(),
            has_removed_mounted: false,
            has_lingering: false,
            has_unmounted: false,
        }
    }

    /// The hierarchy of a group, by its place.
    fn hierarchy_of(&self, group: &str) -> Option<usize> {
        self.hierarchies.iter().position(|hierarchy| is_within(group, &hierarchy.root))
    }

    fn is_root(&self, group: &str) -> bool {
        self.hierarchies.iter().any(|hierarchy| hierarchy.root == group)
    }

    fn is_v1(&self, group: &str) -> bool {
        let hierarchy = self.hierarchy_of(group).and_then(|at| self.hierarchies.get(at));
        hierarchy.is_some_and(|hierarchy| hierarchy.is_v1)
    }

    /// Those who can be asked, in the order in which they were made.
    pub(super) fn ready(&self) -> Vec<String> {
        let lives = |actor: &&Actor| !actor.is_dead && !actor.is_doomed;
        let ready = self.actors.iter().filter(lives).filter(|actor| !self.is_held(actor));
        ready.map(|actor| actor.label.as_str().to_owned()).collect()
    }

    /// Everybody who was made.
    pub(super) fn all(&self) -> Vec<String> {
        self.actors.iter().map(|actor| actor.label.as_str().to_owned()).collect()
    }

    /// The groups that are there, the root among them.
    pub(super) fn groups(&self) -> Vec<String> {
        self.groups.iter().cloned().collect()
    }

    /// Whether a group has the files of a controller.
    pub(super) fn has(&self, group: &str, controller: &str) -> bool {
        let enables =
            |parent: &str| self.enabled.contains(&(parent.to_owned(), controller.to_owned()));
        group.rsplit_once('/').is_some_and(|(parent, _)| enables(parent))
    }

    /// Whether somebody can be in a group: it is there, and enables nothing that only groups without members do.
    fn takes_members(&self, group: &str) -> bool {
        const WITH_MEMBERS: [&str; 4] = ["cpu", "cpuset", "pids", "perf_event"];
        let bars = |(who, controller): &(String, String)| {
            who == group && !WITH_MEMBERS.contains(&controller.as_str())
        };
        self.groups.contains(group) && (self.is_root(group) || !self.enabled.iter().any(bars))
    }

    /// The labels of an actor's descriptors.
    pub(super) fn descriptors_of(&self, actor: &str) -> Vec<String> {
        let own = self.descriptors.iter().filter(|(who, ..)| who.as_str() == actor);
        own.map(|(_, fd, _)| fd.as_str().to_owned()).collect()
    }

    fn find(&self, label: &Label) -> Option<&Actor> {
        self.actors.iter().find(|actor| actor.label == *label)
    }

    fn is_held(&self, actor: &Actor) -> bool {
        let waits = |label: &Label| self.find(label).is_some_and(|target| !target.is_dead);
        actor.is_stopped
            || self.frozen.iter().any(|group| actor.is_in(group))
            || actor.waits_for.as_ref().is_some_and(waits)
    }

    /// What a line would do.
    pub(super) fn judge(&self, label: &Label, op: &Op) -> Verdict {
        let mut after = self.clone();
        after.follow(label, op);
        let is_lost = |init: &Actor| init.is_dead || init.is_doomed || after.is_held(init);
        let is_init_held = after.actors.first().is_none_or(is_lost);
        let actor = self.find(label).filter(|actor| !actor.is_dead);
        let is_held = |actor: &Actor| !actor.is_dead && after.is_held(actor);
        if is_init_held {
            Verdict::Fatal
        } else if actor.is_some_and(|actor| self.is_luck(actor, op)) {
            Verdict::Luck
        } else if actor.is_some_and(|actor| self.is_held(actor))
            || actor.is_some() && after.find(label).is_some_and(is_held)
        {
            Verdict::Slow
        } else {
            Verdict::Quick
        }
    }

    /// What a line did.
    pub(super) fn follow(&mut self, label: &Label, op: &Op) {
        let Some(actor) = self.find(label).filter(|actor| !actor.is_dead).cloned() else { return };
        if let Op::Files(op) = op {
            self.follow_file(&actor, op);
        } else if let Op::Processes(op) = op {
            self.follow_process(&actor, op);
        } else if let Op::Resources(ResourceOp::Alloc { size }) = op {
            let users = self.actors.iter_mut().filter(|it| it.leader == actor.leader);
            users.for_each(|user| user.memory_bytes += size.0);
        }
    }

    fn follow_file(&mut self, actor: &Actor, op: &FileOp) {
        if let FileOp::Mkdir { path, .. } = op {
            let path = text(path);
            if let Some((parent, _)) = path.rsplit_once('/')
                && self.groups.contains(parent)
            {
                self.groups.insert(path);
            }
        } else if let FileOp::Rename { old, new } = op {
            self.renamed(&text(old), &text(new));
        } else if let FileOp::Umount { .. } = op {
            self.has_unmounted = true;
        } else if let FileOp::Rmdir { path } = op {
            let path = text(path);
            self.has_removed_mounted |= path.starts_with(MOUNTS);
            self.has_lingering |= LINGERING.iter().any(|place| path.contains(place));
            let is_used = |group: &String| *group != path && is_within(group, &path);
            if !self.groups.iter().any(is_used) {
                self.groups.remove(&path);
                self.frozen.remove(&path);
                self.tight.remove(&path);
            }
        } else if let FileOp::Write { path, data } = op {
            self.written(actor, &text(path), data);
        } else if let FileOp::Open { fd, path, .. } = op {
            self.descriptors.push((actor.label.clone(), fd.clone(), text(path)));
        } else if let FileOp::Fwrite { fd, data } = op {
            let path = self.opened(&actor.label, fd).unwrap_or_default().to_owned();
            self.written(actor, &path, data);
        }
    }

    /// A v1 group may have another name below the same parent.
    fn renamed(&mut self, from: &str, to: &str) {
        let parent = |group: &str| group.rsplit_once('/').map(|(parent, _)| parent.to_owned());
        let may_be = self.is_v1(from) && !self.is_root(from) && parent(from) == parent(to);
        if !may_be || !self.groups.contains(from) || self.groups.contains(to) {
            return;
        }
        let moved = |group: &String| match group.strip_prefix(from) {
            Some(rest) if is_within(group, from) => format!("{to}{rest}"),
            Some(_) | None => group.clone(),
        };
        for all in [&mut self.groups, &mut self.frozen, &mut self.tight] {
            *all = all.iter().map(moved).collect();
        }
        for actor in &mut self.actors {
            actor.groups = actor.groups.iter().map(moved).collect();
        }
    }

    /// What an actor opened.
    pub(super) fn opened(&self, actor: &Label, fd: &Label) -> Option<&str> {
        let mut opened = self.descriptors.iter().rev();
        opened.find(|(who, which, _)| who == actor && which == fd).map(|(.., path)| path.as_str())
    }

    fn written(&mut self, writer: &Actor, path: &str, data: &Data) {
        let Some((group, file)) = path.rsplit_once('/') else { return };
        let number = number(&data.0);
        if LIMITS.contains(&file) {
            match size(&data.0) {
                Some(size) if size >= TIGHT_BYTES => drop(self.tight.remove(group)),
                // What cannot be read here may mean nothing at all to a kernel.
                Some(_) | None => drop(self.tight.insert(group.to_owned())),
            }
        } else if file == "cpuset.cpus.partition" {
            self.partitions.insert(group.to_owned());
        } else if file == "cgroup.subtree_control" {
            self.switched(group, &String::from_utf8_lossy(&data.0));
        } else if file == "cgroup.freeze" && number == Some(1) && !self.is_root(group) {
            self.frozen.insert(group.to_owned());
        } else if file == "cgroup.freeze" && number == Some(0) {
            self.frozen.remove(group);
        } else if file == "freezer.state" && self.is_v1(group) && !self.is_root(group) {
            self.told_freezer(group, &data.0);
        } else if file == "cgroup.kill" && number == Some(1) && !self.is_root(group) {
            self.has_killed = true;
            let ended = self.actors.iter().filter(|actor| actor.is_in(group));
            let ended: Vec<Label> = ended.map(|actor| actor.leader.clone()).collect();
            ended.iter().for_each(|leader| self.end(leader));
        } else if LISTINGS.contains(&file) {
            let named = data.pieces().iter().find_map(|piece| match piece {
                Piece::Pid(label, _) => Some(label.clone()),
                Piece::Bytes(_) | Piece::Descriptor(..) => None,
            });
            let moved = named.or_else(|| (number == Some(0)).then(|| writer.label.clone()));
            let Some(moved) = moved.and_then(|label| self.find(&label).cloned()) else { return };
            let hierarchy = self.hierarchy_of(group).filter(|_| self.takes_members(group));
            let Some(hierarchy) = hierarchy else { return };
            for actor in &mut self.actors {
                let is_meant = actor.label == moved.label
                    || file == "cgroup.procs" && actor.leader == moved.leader;
                if is_meant && let Some(own) = actor.groups.get_mut(hierarchy) {
                    group.clone_into(own);
                }
            }
            self.end_doomed();
        }
    }

    fn told_freezer(&mut self, group: &str, data: &[u8]) {
        let text = data.split(|byte| *byte == 0).next().unwrap_or_default();
        match text.trim_ascii() {
            b"FROZEN" => drop(self.frozen.insert(group.to_owned())),
            b"THAWED" => {
                self.frozen.remove(group);
                self.end_doomed();
            }
            _ => {}
        }
    }

    /// Whether the freezer of v1 holds it: then nothing ends it.
    fn is_held_by_v1(&self, actor: &Actor) -> bool {
        self.frozen.iter().any(|group| self.is_v1(group) && actor.is_in(group))
    }

    /// Those who were ended and are held no longer are dead.
    fn end_doomed(&mut self) {
        let doomed = self.actors.iter().filter(|actor| actor.is_doomed && !actor.is_dead);
        let leaders: Vec<Label> = doomed.map(|actor| actor.leader.clone()).collect();
        leaders.iter().for_each(|leader| self.end(leader));
    }

    fn switched(&mut self, group: &str, words: &str) {
        for word in words.split_ascii_whitespace() {
            if let Some(controller) = word.strip_prefix('+')
                && (self.is_root(group) || self.has(group, controller))
            {
                self.enabled.insert((group.to_owned(), controller.to_owned()));
            } else if let Some(controller) = word.strip_prefix('-') {
                self.enabled.remove(&(group.to_owned(), controller.to_owned()));
            }
        }
    }

    fn follow_process(&mut self, actor: &Actor, op: &ProcessOp) {
        let born = |label: &Label, leader: &Label, groups: Vec<String>| Actor {
            label: label.clone(),
            leader: leader.clone(),
            groups,
            is_dead: false,
            is_doomed: false,
            is_stopped: false,
            memory_bytes: actor.memory_bytes,
            waits_for: None,
        };
        if let ProcessOp::Fork { child, options } = op {
            let into = options.into.as_ref().map(text);
            let mut groups = actor.groups.clone();
            if let Some(into) = into {
                let is_possible = self.takes_members(&into) && !self.is_v1(&into);
                let hierarchy = self.hierarchy_of(&into).filter(|_| is_possible);
                let Some(own) = hierarchy.and_then(|at| groups.get_mut(at)) else { return };
                *own = into;
            }
            self.actors.push(born(child, child, groups));
            let is_inherited = |(who, ..): &&(Label, Label, String)| *who == actor.label;
            let inherited: Vec<_> = self.descriptors.iter().filter(is_inherited).cloned().collect();
            let inherited = inherited.into_iter().map(|(_, fd, path)| (child.clone(), fd, path));
            self.descriptors.extend(inherited);
        } else if let ProcessOp::Thread { thread } = op {
            self.actors.push(born(thread, &actor.leader, actor.groups.clone()));
        } else if let ProcessOp::Exit { .. } = op {
            if actor.leader == actor.label {
                self.end(&actor.label);
            } else if let Some(thread) = self.actors.iter_mut().find(|it| it.label == actor.label) {
                thread.is_dead = true;
            }
        } else if let ProcessOp::Kill { target, signal } = op {
            self.signalled(target, &signal.to_string());
        } else if let ProcessOp::Wait { target, nohang: None } = op
            && let Some(waiter) = self.actors.iter_mut().find(|it| it.label == actor.label)
        {
            waiter.waits_for = Some(target.clone());
        }
    }

    fn signalled(&mut self, target: &Label, signal: &str) {
        let Some(leader) = self.find(target).map(|actor| actor.leader.clone()) else { return };
        match signal {
            "0" | "CHLD" | "URG" | "WINCH" => {}
            "STOP" | "CONT" | "TSTP" | "TTIN" | "TTOU" => {
                for actor in self.actors.iter_mut().filter(|actor| actor.leader == leader) {
                    actor.is_stopped = signal != "CONT";
                }
            }
            _ => self.end(&leader),
        }
    }

    fn end(&mut self, leader: &Label) {
        let is_held = |actor: &Actor| actor.leader == *leader && self.is_held_by_v1(actor);
        let is_held = self.actors.iter().any(is_held);
        for actor in self.actors.iter_mut().filter(|actor| actor.leader == *leader) {
            actor.is_doomed = true;
            actor.is_dead |= !is_held;
        }
    }
}

pub(super) fn text(path: &KPathBuf) -> String {
    path.display().into_owned()
}

pub(super) fn is_within(group: &str, above: &str) -> bool {
    group.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The number that a kernel may see in what is written.
pub(super) fn number(data: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(data).ok()?.split('\0').next()?.trim().to_ascii_lowercase();
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(&text)),
    };
    let number = match (digits.strip_prefix("0x"), digits.strip_prefix('0')) {
        (Some(hex), _) => i64::from_str_radix(hex, 16),
        (None, Some(octal)) if !octal.is_empty() => i64::from_str_radix(octal, 8),
        _ => digits.parse(),
    };
    number.ok().map(|number| sign * number)
}

/// The least number of bytes that a kernel may see in what is written.
pub(super) fn size(data: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(data).ok()?.trim().to_ascii_lowercase();
    if text == "max" {
        return Some(u64::MAX);
    }
    let digits = text.strip_prefix("0x").unwrap_or(&text);
    let end = digits.find(|character: char| !character.is_ascii_hexdigit()).unwrap_or(digits.len());
    let (number, unit) = digits.split_at_checked(end)?;
    let unit = match unit.bytes().next() {
        None => 0,
        Some(b'k') => 10,
        Some(b'm') => 20,
        Some(b'g') => 30,
        Some(_) => return None,
    };
    number.parse().ok().and_then(|number: u64| number.checked_mul(1 << unit))
}
