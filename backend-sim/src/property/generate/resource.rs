//! What processes use: memory, the processor, time.

use standin::transcript::{Op, ResourceOp, Size};

use super::super::belief::Belief;
use super::{Made, Move, Pick, row};

pub(super) const MOVES: &[Move] = &[
    row("alloc", 3, alloc),
    row("release", 1, release),
    row("burn", 2, burn),
    row("sleep", 2, sleep),
];

fn alloc(belief: &mut Belief, pick: Pick) -> Made {
    let size = Size(u64::from(pick.a % 16 + 1) << 16);
    Some((belief.anybody(pick.who), Op::Resources(ResourceOp::Alloc { size })))
}

fn release(belief: &mut Belief, pick: Pick) -> Made {
    Some((belief.anybody(pick.who), Op::Resources(ResourceOp::Release {})))
}

fn burn(belief: &mut Belief, pick: Pick) -> Made {
    let cpu_ms = u64::from(pick.a % 4);
    Some((belief.anybody(pick.who), Op::Resources(ResourceOp::Burn { cpu_ms })))
}

fn sleep(belief: &mut Belief, pick: Pick) -> Made {
    let time_ms = u64::from(pick.a % 16);
    Some((belief.anybody(pick.who), Op::Resources(ResourceOp::Sleep { time_ms })))
}
