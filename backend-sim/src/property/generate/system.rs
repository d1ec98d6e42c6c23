//! The system as a whole.

use standin::transcript::{ClockName, NamespaceKind, Op, RebootHow, SystemOp, UnameField, Who};

use super::super::belief::{Actor, Belief};
use super::process::{fork_new, fork_plain};
use super::{Made, Move, Pick, actor, row};

pub(super) const MOVES: &[Move] = &[
    row("uname", 1, uname),
    row("reboot", 1, reboot),
    row("clock", 1, clock),
    row("attach", 1, attach),
];

pub(super) fn uname(belief: &mut Belief, pick: Pick) -> Made {
    let field = Pick::of(pick.a, UnameField::ALL)?;
    Some((belief.anybody(pick.who), Op::System(SystemOp::Uname { field })))
}

/// Ends a PID namespace of its own.
fn reboot(belief: &mut Belief, pick: Pick) -> Made {
    let fits = |role: usize, it: &Actor| {
        it.is_nested && it.is_root && belief.is_single(role) && belief.is_ready(role)
    };
    let Some(role) = belief.actors.pick(pick.who, fits) else {
        return fork_new(belief, pick, NamespaceKind::Pid);
    };
    belief.end(role);
    Some((role, Op::System(SystemOp::Reboot { how: Pick::of(pick.a, RebootHow::ALL)? })))
}

fn clock(belief: &mut Belief, pick: Pick) -> Made {
    let clock = Pick::of(pick.a, ClockName::ALL)?;
    Some((belief.anybody(pick.who), Op::System(SystemOp::Clock { clock })))
}

fn attach(belief: &mut Belief, pick: Pick) -> Made {
    let fits =
        |role: usize, it: &Actor| belief.is_ready(role) && belief.is_single(role) && it.is_root;
    let Some(target) = belief.actors.pick(pick.a, fits) else { return fork_plain(belief, pick) };
    let role = if target == 0 { belief.root(pick.who) } else { 0 };
    Some((role, Op::System(SystemOp::Attach { who: Who::Actor(actor(target).clone()) })))
}
