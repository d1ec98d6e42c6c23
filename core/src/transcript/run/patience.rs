//! How long an operation may take before it counts as blocked (spec, Actors).

use std::time::Duration;

use crate::transcript::op::{FileOp, Op, ResourceOp};

/// The settling time of most operations, of `join`, and of a busy actor that is addressed again.
pub(super) const SETTLING: Duration = Duration::from_secs(1);

/// A write may set off what takes long: reclaim, freezing, the death of many.
const WRITING: Duration = Duration::from_secs(5);

/// Touching memory may reclaim, and kill.
const ALLOCATING: Duration = Duration::from_secs(10);

/// A processor's time may be shared and throttled: this many times as long as what it is asked for.
const BURNING_TIMES: u32 = 20;

/// How long to wait for an operation.
pub(super) fn patience(op: &Op) -> Duration {
    match op {
        Op::Files(FileOp::Write { .. } | FileOp::Fwrite { .. }) => WRITING,
        Op::Files(FileOp::Pollpri { timeout_ms, .. }) => {
            SETTLING + Duration::from_millis(u64::try_from(*timeout_ms).unwrap_or(0))
        }
        Op::Resources(ResourceOp::Alloc { .. }) => ALLOCATING,
        Op::Resources(ResourceOp::Burn { cpu_ms }) => {
            SETTLING.saturating_add(Duration::from_millis(*cpu_ms).saturating_mul(BURNING_TIMES))
        }
        Op::Resources(ResourceOp::Sleep { time_ms }) => {
            SETTLING.saturating_add(Duration::from_millis(*time_ms))
        }
        Op::Files(_)
        | Op::Processes(_)
        | Op::Namespaces(_)
        | Op::Resources(_)
        | Op::Sockets(_)
        | Op::Identity(_)
        | Op::Links(_)
        | Op::System(_) => SETTLING,
    }
}
