//! Files, directories, links and mounts at /mnt.

use standin::transcript::{FileOp, FileSystem, LinkOp, MountOptions, Op};

use super::super::belief::{Belief, Node};
use super::{Made, Move, Pick, node, path, row};

pub(super) const MOVES: &[Move] = &[
    row("create", 3, create),
    row("unlink", 2, unlink),
    row("rename", 2, rename),
    row("symlink", 2, symlink),
    row("link", 2, link),
    row("readlink", 1, readlink),
    row("truncate", 2, truncate),
    row("mount", 2, mount),
    row("umount", 2, umount),
];

/// A name whose type never changes below a call: all but links and mounts.
pub(super) fn settled(belief: &Belief, by: u8) -> Option<usize> {
    belief.nodes.pick(by, |_, it| matches!(it, Node::File | Node::Directory))
}

fn one(belief: &Belief, by: u8, kind: Node) -> Option<usize> {
    belief.nodes.pick(by, |_, it| *it == kind)
}

/// From now on a name is this.
fn set(belief: &mut Belief, slot: usize, kind: Node) {
    *belief.nodes.at_mut(slot) = kind;
    *belief.attributes.at_mut(slot) = false;
    belief.noticed();
}

pub(super) fn create(belief: &mut Belief, pick: Pick) -> Made {
    let Some(slot) = one(belief, pick.a, Node::Absent) else { return unlink(belief, pick) };
    set(belief, slot, Node::File);
    Some((belief.root(pick.who), Op::Files(FileOp::Create { path: node(slot) })))
}

pub(super) fn mkdir(belief: &mut Belief, pick: Pick) -> Made {
    let Some(slot) = one(belief, pick.a, Node::Absent) else { return rmdir(belief, pick) };
    set(belief, slot, Node::Directory);
    let op = FileOp::Mkdir { path: node(slot), mode: Some(standin::Mode::new(0o755)) };
    Some((belief.root(pick.who), Op::Files(op)))
}

pub(super) fn rmdir(belief: &mut Belief, pick: Pick) -> Made {
    let Some(slot) = one(belief, pick.a, Node::Directory) else {
        one(belief, pick.a, Node::Absent)?;
        return mkdir(belief, pick);
    };
    set(belief, slot, Node::Absent);
    Some((belief.root(pick.who), Op::Files(FileOp::Rmdir { path: node(slot) })))
}

fn unlink(belief: &mut Belief, pick: Pick) -> Made {
    let fits = |_: usize, it: &Node| matches!(it, Node::File | Node::Link);
    let Some(slot) = belief.nodes.pick(pick.a, fits) else {
        one(belief, pick.a, Node::Absent)?;
        return create(belief, pick);
    };
    set(belief, slot, Node::Absent);
    Some((belief.root(pick.who), Op::Files(FileOp::Unlink { path: node(slot) })))
}

fn rename(belief: &mut Belief, pick: Pick) -> Made {
    let fits = |_: usize, it: &Node| matches!(it, Node::File | Node::Link | Node::Directory);
    let from = belief.nodes.pick(pick.a, fits);
    let (Some(from), Some(to)) = (from, one(belief, pick.b, Node::Absent)) else {
        return create(belief, pick);
    };
    let (kind, attribute) = (*belief.nodes.at(from), *belief.attributes.at(from));
    set(belief, to, kind);
    set(belief, from, Node::Absent);
    *belief.attributes.at_mut(to) = attribute;
    let op = FileOp::Rename { old: node(from), new: node(to) };
    Some((belief.root(pick.who), Op::Files(op)))
}

fn symlink(belief: &mut Belief, pick: Pick) -> Made {
    let Some(slot) = one(belief, pick.a, Node::Absent) else { return unlink(belief, pick) };
    set(belief, slot, Node::Link);
    let to = path(Pick::of(pick.b, &["/mnt", "nowhere", "/proc/self"])?);
    Some((belief.root(pick.who), Op::Files(FileOp::Symlink { to, path: node(slot) })))
}

fn link(belief: &mut Belief, pick: Pick) -> Made {
    if belief.was_watched {
        return create(belief, pick);
    }
    let from = one(belief, pick.a, Node::File);
    let (Some(from), Some(to)) = (from, one(belief, pick.b, Node::Absent)) else {
        return create(belief, pick);
    };
    belief.has_links = true;
    let attribute = *belief.attributes.at(from);
    set(belief, to, Node::File);
    // Two names of one file have its attributes both: neither is asked about from here on.
    *belief.attributes.at_mut(to) = attribute;
    let op = FileOp::Link { old: node(from), new: node(to) };
    Some((belief.root(pick.who), Op::Files(op)))
}

fn readlink(belief: &mut Belief, pick: Pick) -> Made {
    let Some(slot) = one(belief, pick.a, Node::Link) else { return symlink(belief, pick) };
    Some((belief.anybody(pick.who), Op::Links(LinkOp::Readlink { path: node(slot) })))
}

fn truncate(belief: &mut Belief, pick: Pick) -> Made {
    let Some(slot) = one(belief, pick.a, Node::File) else { return create(belief, pick) };
    let size_bytes = i64::from(pick.b) * 16;
    let op = LinkOp::Truncate { path: node(slot), size_bytes };
    Some((belief.root(pick.who), Op::Links(op)))
}

/// By `init`, so that all see it and it can take it away again.
fn mount(belief: &mut Belief, pick: Pick) -> Made {
    let Some(slot) = one(belief, pick.a, Node::Directory) else { return mkdir(belief, pick) };
    *belief.nodes.at_mut(slot) = Node::Mounted;
    let kind = Pick::of(pick.b, &[FileSystem::Tmpfs, FileSystem::Proc])?;
    let options = (pick.c % 2 == 1).then(MountOptions::default);
    Some((0, Op::Files(FileOp::Mount { kind, target: node(slot), options })))
}

fn umount(belief: &mut Belief, pick: Pick) -> Made {
    let Some(slot) = one(belief, pick.a, Node::Mounted) else { return mount(belief, pick) };
    *belief.nodes.at_mut(slot) = Node::Directory;
    Some((0, Op::Files(FileOp::Umount { target: node(slot) })))
}
