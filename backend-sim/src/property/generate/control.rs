//! Groups and their control files.

use standin::KPathBuf;
use standin::transcript::{Comparison, Data, FileOp, Op, Test};

use super::super::belief::{Actor, Belief, CONTROLLERS, Group};
use super::super::ground::GROUPS;
use super::{Made, Move, Pick, actor, data, node, path_of, row};

pub(super) const MOVES: &[Move] = &[
    row("mkdir", 10, mkdir),
    row("rmdir", 7, rmdir),
    row("write", 16, write),
    row("read", 10, read),
    row("read~", 2, read_shape),
    row("key", 2, key),
    row("test", 2, test),
];

/// The name of a file of a group.
pub(super) fn control(belief: &Belief, group: usize, file: &str) -> KPathBuf {
    path_of(belief.place(group).path, file)
}

/// A group that is there, the roots among them.
pub(super) fn some_group(belief: &Belief, by: u8) -> Option<usize> {
    belief.groups.pick(by, |_, group| group.is_there)
}

/// A group that is there and no root.
pub(super) fn made_group(belief: &Belief, by: u8) -> Option<usize> {
    belief.groups.pick(by, |at, group| group.is_there && belief.place(at).parent != at)
}

fn mkdir(belief: &mut Belief, pick: Pick) -> Made {
    let parent = |at: usize| belief.groups.at(belief.place(at).parent);
    let fits = |at: usize, group: &Group| !group.is_there && parent(at).is_there;
    let Some(group) = belief.groups.pick(pick.a, fits) else {
        return super::node::mkdir(belief, pick);
    };
    belief.appears(group);
    let path = super::path(belief.place(group).path);
    Some((belief.root(pick.who), Op::Files(FileOp::Mkdir { path, mode: None })))
}

fn rmdir(belief: &mut Belief, pick: Pick) -> Made {
    let is_root = |at: usize| belief.place(at).parent == at;
    let is_used = |at: usize| is_root(at) || belief.has_children(at) || belief.has_members(at);
    let Some(group) = belief.groups.pick(pick.a, |at, group| group.is_there && !is_used(at)) else {
        return super::node::rmdir(belief, pick);
    };
    belief.vanishes(group);
    let path = super::path(belief.place(group).path);
    Some((belief.root(pick.who), Op::Files(FileOp::Rmdir { path })))
}

/// A write to a control file.
fn write(belief: &mut Belief, pick: Pick) -> Made {
    const KINDS: [fn(&mut Belief, Pick) -> Made; 8] =
        [limit, migrate, switch, value, freeze, migrate, limit, kill];
    let made = Pick::of(pick.a, &KINDS).and_then(|make| make(belief, pick));
    made.or_else(|| limit(belief, pick)).or_else(|| mkdir(belief, pick))
}

/// Writes it as somebody with all rights.
fn put(belief: &Belief, pick: Pick, group: usize, file: &str, data: Data) -> Made {
    let path = control(belief, group, file);
    Some((belief.root(pick.who), Op::Files(FileOp::Write { path, data })))
}

/// A limit that every group has.
fn limit(belief: &mut Belief, pick: Pick) -> Made {
    let group = made_group(belief, pick.b)?;
    if belief.place(group).is_v1 {
        let file = Pick::of(pick.c, &["pids.max", "notify_on_release"])?;
        let value = if file == "pids.max" { "40" } else { "0" };
        return put(belief, pick, group, file, data(value));
    }
    let file = Pick::of(pick.c, &["cgroup.max.depth", "cgroup.max.descendants"])?;
    put(belief, pick, group, file, data(Pick::of(pick.d, &["max", "10", "100"])?))
}

/// A value of a controller.
fn value(belief: &mut Belief, pick: Pick) -> Made {
    const FILES: [&[(&str, &[&str])]; CONTROLLERS.len()] = [
        &[("pids.max", &["max", "50", "4"])],
        &[("cpu.weight", &["100", "1", "10000"]), ("cpu.max", &["max 100000", "50000", "max"])],
        &[
            ("memory.max", &["max", "512M"]),
            ("memory.high", &["max", "256M"]),
            ("memory.low", &["0", "16M"]),
        ],
    ];
    let which = usize::from(pick.d) % FILES.len();
    let has = |at: usize| (0..FILES.len()).any(|it| belief.has(at, it));
    let group = belief.groups.pick(pick.b, |at, group| group.is_there && has(at))?;
    let controller = (0..FILES.len()).map(|at| (at + which) % FILES.len());
    let controller = controller.into_iter().find(|it| belief.has(group, *it))?;
    let (file, values) = Pick::of(pick.c, FILES.get(controller)?)?;
    if belief.place(group).is_v1 && file != "pids.max" {
        return None;
    }
    put(belief, pick, group, file, data(Pick::of(pick.d, values)?))
}

/// Moves a process.
fn migrate(belief: &mut Belief, pick: Pick) -> Made {
    let takes = |at: usize, group: &Group| {
        group.is_there && (group.enables == 0 || belief.place(at).parent == at)
    };
    let group = belief.groups.pick(pick.b, takes)?;
    let is_whole = |actor: &Actor| belief.is_alive(actor.process);
    let moved = belief.actors.pick(pick.c, |role, it| belief.is_ready(role) && is_whole(it))?;
    let (mover, is_v1) = (belief.root(pick.who), belief.place(group).is_v1);
    let process = belief.actors.at(moved).process;
    for actor in &mut belief.actors.0 {
        if actor.process == process
            && let Some(own) = actor.groups.get_mut(usize::from(is_v1))
        {
            *own = group;
        }
    }
    let who = actor(process).as_str();
    let mut name = Vec::with_capacity(who.len() + 2);
    name.push(b'<');
    name.extend_from_slice(who.as_bytes());
    name.push(b'>');
    let path = control(belief, group, "cgroup.procs");
    Some((mover, Op::Files(FileOp::Write { path, data: Data(name) })))
}

/// Turns a controller on or off for those below.
fn switch(belief: &mut Belief, pick: Pick) -> Made {
    let controller = usize::from(pick.c) % CONTROLLERS.len();
    let bit = 1 << controller;
    let name = CONTROLLERS.get(controller)?;
    let is_root = |at: usize| belief.place(at).parent == at;
    let can = |at: usize, group: &Group| {
        let offers = is_root(at) || belief.has(at, controller);
        let lives = |it: &Actor| it.life == super::super::belief::Life::Alive;
        let mixes =
            !is_root(at) && belief.actors.0.iter().any(|it| lives(it) && it.groups.contains(&at));
        !belief.place(at).is_v1
            && belief.layout == crate::profile::Layout::Unified
            && group.is_there
            && group.enables & bit == 0
            && offers
            && !mixes
    };
    if let Some(group) = belief.groups.pick(pick.b, can) {
        belief.groups.at_mut(group).enables |= bit;
        return put(belief, pick, group, "cgroup.subtree_control", data(&["+", name].concat()));
    }
    let used_below = |at: usize| {
        (0..GROUPS).any(|it| {
            it != at && belief.place(it).parent == at && belief.groups.at(it).enables & bit != 0
        })
    };
    let fits = |at: usize, group: &Group| group.enables & bit != 0 && !used_below(at);
    let group = belief.groups.pick(pick.b, fits)?;
    belief.groups.at_mut(group).enables &= !bit;
    put(belief, pick, group, "cgroup.subtree_control", data(&["-", name].concat()))
}

/// Freezes and thaws; never `init`.
fn freeze(belief: &mut Belief, pick: Pick) -> Made {
    let init = *belief.actors.at(0);
    let holds_init = |at: usize| init.groups.iter().any(|own| belief.is_within(*own, at));
    let fits = |at: usize, group: &Group| {
        let place = belief.place(at);
        group.is_there && !place.is_v1 && place.parent != at && !holds_init(at)
    };
    let group = belief.groups.pick(pick.b, fits)?;
    let is_frozen = belief.is_frozen(group);
    belief.freezes_or_thaws(group);
    let writer = belief.root(pick.who);
    let path = control(belief, group, "cgroup.freeze");
    let value = data(if is_frozen { "0" } else { "1" });
    Some((writer, Op::Files(FileOp::Write { path, data: value })))
}

/// Kills all in a group; never `init`.
fn kill(belief: &mut Belief, pick: Pick) -> Made {
    let init = *belief.actors.at(0);
    let fits = |at: usize, group: &Group| {
        let place = belief.place(at);
        let holds_init = init.groups.iter().any(|own| belief.is_within(*own, at));
        group.is_there && !place.is_v1 && place.parent != at && !holds_init
    };
    let group = belief.groups.pick(pick.b, fits)?;
    let writer = belief.root(pick.who);
    let writer =
        if belief.is_within(belief.actors.at(writer).groups[0], group) { 0 } else { writer };
    for role in 1..super::super::ground::ROLES {
        let actor = *belief.actors.at(role);
        let is_inside = actor.groups.iter().any(|own| belief.is_within(*own, group));
        if belief.is_alive(role) && is_inside {
            belief.end(actor.process);
        }
    }
    let path = control(belief, group, "cgroup.kill");
    Some((writer, Op::Files(FileOp::Write { path, data: data("1") })))
}

/// A file to be read that is there.
fn readable(belief: &Belief, pick: Pick) -> Option<KPathBuf> {
    const V2: [&str; 6] = [
        "cgroup.procs",
        "cgroup.controllers",
        "cgroup.stat",
        "cgroup.max.depth",
        "cgroup.subtree_control",
        "cgroup.threads",
    ];
    const V1: [&str; 3] = ["cgroup.procs", "tasks", "notify_on_release"];
    const PROC: [&str; 4] =
        ["/proc/self/status", "/proc/self/cgroup", "/proc/self/stat", "/proc/1/comm"];
    if pick.a % 8 == 7 {
        return Some(super::path(Pick::of(pick.b, &PROC)?));
    }
    let group = some_group(belief, pick.b)?;
    let file = Pick::of(pick.c, if belief.place(group).is_v1 { &V1[..] } else { &V2[..] })?;
    let current = [("pids.current", 0), ("pids.max", 0), ("cpu.weight", 1), ("memory.max", 2)];
    let own = current.iter().find(|(_, controller)| {
        usize::from(pick.d % 4) == *controller && belief.has(group, *controller)
    });
    Some(control(belief, group, own.map_or(file, |(name, _)| name)))
}

fn read(belief: &mut Belief, pick: Pick) -> Made {
    Some((belief.anybody(pick.who), Op::Files(FileOp::Read { path: readable(belief, pick)? })))
}

fn read_shape(belief: &mut Belief, pick: Pick) -> Made {
    let path = readable(belief, pick)?;
    Some((belief.anybody(pick.who), Op::Files(FileOp::ReadShape { path })))
}

/// A flat-keyed file of a group, and a key of it.
fn keyed(belief: &Belief, by: u8) -> Option<(KPathBuf, &'static str)> {
    let group = made_group(belief, by)?;
    let (file, key) = if belief.place(group).is_v1 {
        ("pids.events", "max")
    } else {
        ("cgroup.events", "populated")
    };
    Some((control(belief, group, file), key))
}

fn key(belief: &mut Belief, pick: Pick) -> Made {
    let Some((path, key)) = keyed(belief, pick.b) else { return mkdir(belief, pick) };
    Some((belief.anybody(pick.who), Op::Files(FileOp::Key { path, key: data(key) })))
}

fn test(belief: &mut Belief, pick: Pick) -> Made {
    let Some((path, key)) = keyed(belief, pick.b) else { return mkdir(belief, pick) };
    let comparison = Pick::of(pick.a, Comparison::ALL)?;
    let test = Test { path, key: Some(data(key)), comparison, value: i128::from(pick.c % 2) };
    Some((belief.anybody(pick.who), Op::Files(FileOp::Test { test })))
}

/// Any path that is there, for what only looks: a group, a control file, or a name at /mnt.
pub(super) fn anything(belief: &Belief, pick: Pick) -> Option<KPathBuf> {
    match pick.a % 4 {
        0 => Some(super::path(belief.place(some_group(belief, pick.b)?).path)),
        1 => Some(control(belief, some_group(belief, pick.b)?, "cgroup.procs")),
        2 => Some(super::path(Pick::of(pick.b, &["/", "/mnt", "/proc", "/proc/self/status"])?)),
        _ => match super::node::settled(belief, pick.b) {
            Some(slot) => Some(node(slot)),
            None => Some(super::path("/mnt")),
        },
    }
}
