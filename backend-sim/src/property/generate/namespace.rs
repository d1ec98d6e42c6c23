//! Namespaces.

use standin::transcript::{
    Data, IdKind, List, NamespaceKind, NamespaceLink, NamespaceOp, Op, SetgroupsTo,
};

use super::super::belief::{Actor, Belief, Ids};
use super::file::{someone, someones_label};
use super::process::{fork_new, fork_plain};
use super::{Made, Move, Pick, actor, data, row};

pub(super) const MOVES: &[Move] = &[
    row("unshare", 3, unshare),
    row("setns", 2, setns),
    row("nsid", 2, nsid),
    row("hostname", 2, hostname),
    row("domainname", 1, domainname),
    row("idmap", 3, idmap),
    row("setgroups", 1, setgroups),
];

fn unshare(belief: &mut Belief, pick: Pick) -> Made {
    const KINDS: [NamespaceKind; 7] = [
        NamespaceKind::Uts,
        NamespaceKind::Ipc,
        NamespaceKind::Cgroup,
        NamespaceKind::Net,
        NamespaceKind::Mnt,
        NamespaceKind::Pid,
        NamespaceKind::User,
    ];
    let Some(role) = belief.other_root(pick.who) else { return fork_plain(belief, pick) };
    let kind = Pick::of(pick.a, &KINDS)?;
    let actor = belief.actors.at_mut(role);
    actor.is_apart |= kind == NamespaceKind::Net;
    actor.is_childless |= kind == NamespaceKind::Pid;
    if kind == NamespaceKind::User {
        (actor.is_root, actor.ids) = (false, Ids::Unmapped);
    }
    Some((role, Op::Namespaces(NamespaceOp::Unshare { kinds: List(vec![kind]) })))
}

fn setns(belief: &mut Belief, pick: Pick) -> Made {
    const KINDS: [NamespaceKind; 3] =
        [NamespaceKind::Uts, NamespaceKind::Ipc, NamespaceKind::Cgroup];
    let Some(role) = belief.other_root(pick.who) else { return fork_plain(belief, pick) };
    let target = actor(someone(belief, pick.b)).clone();
    let kinds = List(vec![Pick::of(pick.a, &KINDS)?]);
    Some((role, Op::Namespaces(NamespaceOp::Setns { target, kinds })))
}

fn nsid(belief: &mut Belief, pick: Pick) -> Made {
    let target = someones_label(belief, pick.a);
    let kind = Pick::of(pick.b, NamespaceLink::ALL)?;
    Some((belief.anybody(pick.who), Op::Namespaces(NamespaceOp::Nsid { target, kind })))
}

/// A name, or none to ask for it.
fn name(belief: &Belief, pick: Pick) -> (usize, Option<Data>) {
    match pick.a % 3 {
        0 => (belief.anybody(pick.who), None),
        1 => (belief.root(pick.who), Some(data("web"))),
        _ => (belief.root(pick.who), Some(data("db"))),
    }
}

fn hostname(belief: &mut Belief, pick: Pick) -> Made {
    let (role, name) = name(belief, pick);
    Some((role, Op::Namespaces(NamespaceOp::Hostname { name })))
}

fn domainname(belief: &mut Belief, pick: Pick) -> Made {
    let (role, name) = name(belief, pick);
    Some((role, Op::Namespaces(NamespaceOp::Domainname { name })))
}

fn with_ids(belief: &Belief, by: u8, ids: &[Ids]) -> Option<usize> {
    let fits = |role: usize, it: &Actor| {
        belief.is_alive(role) && it.process == role && ids.contains(&it.ids)
    };
    belief.actors.pick(by, fits)
}

fn idmap(belief: &mut Belief, pick: Pick) -> Made {
    let Some(role) = with_ids(belief, pick.b, &[Ids::Unmapped, Ids::Denied]) else {
        return fork_new(belief, pick, NamespaceKind::User);
    };
    belief.actors.at_mut(role).ids = Ids::Mapped;
    let ids = Pick::of(pick.c, IdKind::ALL)?;
    let op = NamespaceOp::Idmap { target: actor(role).clone(), ids, text: data("0 0 1000") };
    Some((0, Op::Namespaces(op)))
}

fn setgroups(belief: &mut Belief, pick: Pick) -> Made {
    let Some(role) = with_ids(belief, pick.b, &[Ids::Unmapped]) else {
        return fork_new(belief, pick, NamespaceKind::User);
    };
    belief.actors.at_mut(role).ids = Ids::Denied;
    let op = NamespaceOp::Setgroups { target: actor(role).clone(), to: SetgroupsTo::Deny };
    Some((0, Op::Namespaces(op)))
}
