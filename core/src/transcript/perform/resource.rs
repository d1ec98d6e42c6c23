//! Memory, processor, time.

use std::time::Duration;

use super::{Act, Performed, done};
use crate::backend::Deadline;
use crate::errno::Errno;
use crate::id::Bytes;
use crate::transcript::op::ResourceOp;
use crate::transcript::outcome::Outcome;

pub(super) fn run(act: &Act<'_>, op: &ResourceOp) -> Performed {
    match op {
        ResourceOp::Alloc { size } => done(act.kernel.use_memory(Bytes(size.0))),
        ResourceOp::Release {} => done(act.kernel.release_memory()),
        ResourceOp::Burn { cpu_ms } => {
            done(act.kernel.use_processor(Duration::from_millis(*cpu_ms)))
        }
        ResourceOp::Sleep { time_ms } => sleep(act, Duration::from_millis(*time_ms)),
    }
}

/// Sleeps; a counted signal does not end it (spec, Identity and limits).
fn sleep(act: &Act<'_>, time: Duration) -> Performed {
    let end = act.kernel.monotonic()?.after(time);
    loop {
        match act.kernel.poll(&[], Deadline::At(end)) {
            Ok(_) => return Ok(Outcome::ok()),
            Err(failure) if failure.is(Errno::EINTR) => {}
            Err(failure) => return Err(failure.into()),
        }
    }
}
