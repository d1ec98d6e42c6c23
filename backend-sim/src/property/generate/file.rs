//! Questions about files, their owners and attributes, and kept open files.

use standin::id::Mode;
use standin::transcript::{AccessMode, FileOp, Id, Op, OpenMode, Owner};

use super::super::belief::{Belief, Node, Object};
use super::control::{anything, control, made_group, some_group};
use super::{Made, Move, Pick, actor, data, fd, node, path, row};

pub(super) const MOVES: &[Move] = &[
    row("ls", 2, ls),
    row("stat", 3, stat),
    row("chmod", 2, chmod),
    row("chown", 2, chown),
    row("chdir", 2, chdir),
    row("access", 2, access),
    row("statfs", 1, statfs),
    row("xset", 2, xset),
    row("xget", 1, xget),
    row("xlist", 1, xlist),
    row("xdel", 1, xdel),
    row("open", 5, open),
    row("fread", 4, fread),
    row("fwrite", 4, fwrite),
    row("close", 3, close),
    row("pollpri", 2, pollpri),
];

fn ls(belief: &mut Belief, pick: Pick) -> Made {
    let places = ["/mnt", "/proc/self/ns", "/"];
    let path = match pick.a % 4 {
        3 => path(Pick::of(pick.b, &places)?),
        _ => path(belief.place(some_group(belief, pick.b)?).path),
    };
    Some((belief.anybody(pick.who), Op::Files(FileOp::Ls { path })))
}

fn stat(belief: &mut Belief, pick: Pick) -> Made {
    let path = anything(belief, pick)?;
    Some((belief.anybody(pick.who), Op::Files(FileOp::Stat { path })))
}

/// A file or directory at /mnt, or a group that was made.
fn changeable(belief: &Belief, pick: Pick) -> Option<standin::KPathBuf> {
    let own = |at: usize, it: &Node| {
        matches!(it, Node::File | Node::Directory) && at < belief.nodes.0.len()
    };
    match belief.nodes.pick(pick.b, own) {
        Some(slot) if pick.a.is_multiple_of(2) => Some(node(slot)),
        _ => Some(path(belief.place(made_group(belief, pick.b)?).path)),
    }
}

fn chmod(belief: &mut Belief, pick: Pick) -> Made {
    let Some(path) = changeable(belief, pick) else { return super::node::create(belief, pick) };
    let mode = Mode::new(Pick::of(pick.c, &[0o755, 0o777, 0o775, 0o1755])?);
    Some((belief.root(pick.who), Op::Files(FileOp::Chmod { path, mode })))
}

fn chown(belief: &mut Belief, pick: Pick) -> Made {
    let Some(path) = changeable(belief, pick) else { return super::node::create(belief, pick) };
    let (uid, gid) = Pick::of(pick.c, &[(0, 0), (1000, 1000), (u32::MAX, 1000)])?;
    let owner = Owner { uid: Id(uid), gid: Id(gid) };
    Some((belief.root(pick.who), Op::Files(FileOp::Chown { path, owner })))
}

fn chdir(belief: &mut Belief, pick: Pick) -> Made {
    let path = match pick.a % 2 {
        0 => path(Pick::of(pick.b, &["/", "/mnt", "/proc"])?),
        _ => path(belief.place(some_group(belief, pick.b)?).path),
    };
    Some((belief.anybody(pick.who), Op::Files(FileOp::Chdir { path })))
}

fn access(belief: &mut Belief, pick: Pick) -> Made {
    let path = anything(belief, pick)?;
    let mode = AccessMode { read: pick.c % 2 == 1, write: false, execute: false };
    Some((belief.anybody(pick.who), Op::Files(FileOp::Access { path, mode })))
}

fn statfs(belief: &mut Belief, pick: Pick) -> Made {
    let path = anything(belief, Pick { a: pick.a % 3, ..pick })?;
    Some((belief.anybody(pick.who), Op::Files(FileOp::Statfs { path })))
}

/// The attribute that cases set: one that only a process with all rights sees.
const ATTRIBUTE: &str = "trusted.a";

/// What has the attribute, or has not: a name at /mnt or a group.
fn bearer(belief: &mut Belief, pick: Pick, has: bool) -> Option<(standin::KPathBuf, &mut bool)> {
    let nodes = belief.nodes.clone();
    let is_plain = |at: usize| matches!(nodes.at(at), Node::File | Node::Directory);
    let fits = |at: usize, own: &bool| *own == has && is_plain(at);
    if let Some(slot) = belief.attributes.pick(pick.b, fits) {
        return Some((node(slot), belief.attributes.at_mut(slot)));
    }
    let fits = |it: &super::super::belief::Group| it.is_there && it.has_attribute == has;
    let group = belief.groups.pick(pick.b, |at, it| fits(it) && belief.place(at).parent != at)?;
    let path = path(belief.place(group).path);
    Some((path, &mut belief.groups.at_mut(group).has_attribute))
}

fn xset(belief: &mut Belief, pick: Pick) -> Made {
    let root = belief.root(pick.who);
    let Some((path, has)) = bearer(belief, pick, false) else {
        return super::node::create(belief, pick);
    };
    *has = true;
    let value = data(Pick::of(pick.c, &["x", "", "a value"])?);
    Some((root, Op::Files(FileOp::Xset { path, name: super::path(ATTRIBUTE), data: value })))
}

fn xget(belief: &mut Belief, pick: Pick) -> Made {
    let root = belief.root(pick.who);
    let Some((path, _)) = bearer(belief, pick, true) else { return xset(belief, pick) };
    Some((root, Op::Files(FileOp::Xget { path, name: super::path(ATTRIBUTE) })))
}

fn xlist(belief: &mut Belief, pick: Pick) -> Made {
    let path = super::path(belief.place(some_group(belief, pick.b)?).path);
    Some((belief.anybody(pick.who), Op::Files(FileOp::Xlist { path })))
}

fn xdel(belief: &mut Belief, pick: Pick) -> Made {
    let root = belief.root(pick.who);
    let Some((path, has)) = bearer(belief, pick, true) else { return xset(belief, pick) };
    *has = false;
    Some((root, Op::Files(FileOp::Xdel { path, name: super::path(ATTRIBUTE) })))
}

/// Keeps a control file open, or a file at /mnt.
pub(super) fn open(belief: &mut Belief, pick: Pick) -> Made {
    let is_file = |_: usize, it: &Node| *it == Node::File;
    let (role, path, object) = match belief.nodes.pick(pick.b, is_file) {
        Some(slot) if pick.a % 2 == 1 => (belief.root(pick.who), node(slot), Object::File),
        _ => {
            let Some(group) = made_group(belief, pick.b) else {
                return super::node::create(belief, pick);
            };
            let lists = pick.c % 2 == 1;
            let limit =
                if belief.place(group).is_v1 { "notify_on_release" } else { "cgroup.max.depth" };
            let file = if lists { "cgroup.procs" } else { limit };
            let path = control(belief, group, file);
            (belief.root(pick.who), path, Object::Control { group, lists })
        }
    };
    let slot = belief.room(role, pick.d);
    let place = belief.add(object)?;
    belief.install(role, slot, Some(place));
    Some((role, Op::Files(FileOp::Open { fd: fd(slot), path, mode: OpenMode::ReadWrite })))
}

fn fread(belief: &mut Belief, pick: Pick) -> Made {
    let fits = |it: &Object| matches!(it, Object::Control { .. } | Object::File);
    let Some((role, slot, ..)) = belief.holder(pick.who, pick.a, fits) else {
        return open(belief, pick);
    };
    Some((role, Op::Files(FileOp::Fread { fd: fd(slot) })))
}

fn fwrite(belief: &mut Belief, pick: Pick) -> Made {
    let fits = |it: &Object| matches!(it, Object::Control { lists: false, .. } | Object::File);
    let Some((role, slot, _, object)) = belief.holder(pick.who, pick.a, fits) else {
        return open(belief, pick);
    };
    let value = match object {
        Object::Control { group, .. } if belief.place(group).is_v1 => "0",
        Object::Control { .. }
        | Object::Spent
        | Object::File
        | Object::Counter(_)
        | Object::Watcher { .. }
        | Object::Socket(_) => Pick::of(pick.b, &["10", "20", "100"])?,
    };
    Some((role, Op::Files(FileOp::Fwrite { fd: fd(slot), data: data(value) })))
}

fn close(belief: &mut Belief, pick: Pick) -> Made {
    let Some((role, slot, ..)) = belief.holder(pick.who, pick.a, |_| true) else {
        return open(belief, pick);
    };
    belief.install(role, slot, None);
    Some((role, Op::Files(FileOp::Close { fd: fd(slot) })))
}

fn pollpri(belief: &mut Belief, pick: Pick) -> Made {
    let fits = |it: &Object| !matches!(it, Object::Spent);
    let Some((role, slot, ..)) = belief.holder(pick.who, pick.a, fits) else {
        return open(belief, pick);
    };
    let timeout_ms = i32::from(pick.b % 3);
    Some((role, Op::Files(FileOp::Pollpri { fd: fd(slot), timeout_ms })))
}

/// Names somebody who is there.
pub(super) fn someone(belief: &Belief, by: u8) -> usize {
    belief.actors.pick(by, |role, _| belief.is_alive(role)).unwrap_or(0)
}

/// The label of somebody who is there.
pub(super) fn someones_label(belief: &Belief, by: u8) -> standin::transcript::Label {
    actor(someone(belief, by)).clone()
}
