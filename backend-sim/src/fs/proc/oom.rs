//! /proc/PID/oom_score_adj: how willingly the kernel ends a process when memory runs out (proc_pid_oom_score_adj(5)).

use std::ops::RangeInclusive;

use standin::{Capability, Errno};

use super::text;
use crate::cgroup::value;
use crate::kernel::Kernel;
use crate::task::{ProcessKey, ThreadKey};
use crate::wait::Channel;

/// From never to be chosen to always before all others.
const RANGE: RangeInclusive<i16> = -1000..=1000;

/// Bytes of a write that the kernel looks at; it takes no more.
const LENGTH: usize = 12;

/// Prints it.
pub(super) fn print(kernel: &Kernel, process: ProcessKey, out: &mut Vec<u8>) {
    let more = kernel.tasks.processes.at(process).more.as_ref();
    text::signed(out, more.map_or(0, |more| more.oom_adjustment).into());
    out.push(b'\n');
}

/// Sets it.
///
/// # Errors
/// EINVAL: no number from -1000 to 1000. ERANGE: none of 32 bits. EACCES: less than what somebody with `CAP_SYS_RESOURCE` has set last, by
/// somebody without.
pub(super) fn write(
    kernel: &mut Kernel,
    caller: ThreadKey,
    process: ProcessKey,
    bytes: &[u8],
) -> Result<usize, Errno> {
    let text = bytes.get(..LENGTH).unwrap_or(bytes);
    let number = value::int(value::strip(value::text(text)))?;
    let number =
        i16::try_from(number).ok().filter(|number| RANGE.contains(number)).ok_or(Errno::EINVAL)?;
    let able = kernel.credentials(caller).capable(Capability::SYS_RESOURCE);
    let more = kernel.tasks.processes.at_mut(process).more_mut();
    if number < more.oom_minimum && !able {
        return Err(Errno::EACCES);
    }
    more.oom_adjustment = number;
    if able {
        more.oom_minimum = number;
    }
    // Somebody may wait for who can be ended.
    kernel.waits.wake(Channel::Memory);
    Ok(text.len())
}
