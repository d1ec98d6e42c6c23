//! memory.swap.*: the machine has no swap, so nothing is ever in it (cgroup-v2.rst, Memory).

use super::rows::{Target, Write};
use super::value;
use crate::kernel::Kernel;
use crate::step::Step;

/// memory.swap.current, memory.swap.peak
pub(super) fn show_none(_kernel: &Kernel, _target: Target, out: &mut Vec<u8>) -> Step<()> {
    value::print_line(0, out);
    Ok(())
}

/// Writes memory.swap.peak: whatever the text, the peak begins anew, and is the same.
pub(super) fn store_peak(_kernel: &mut Kernel, _write: &Write<'_>) -> Step<()> {
    Ok(())
}

pub(super) fn show_events(_kernel: &Kernel, _target: Target, out: &mut Vec<u8>) -> Step<()> {
    for event in ["high", "max", "fail"] {
        value::print_keyed(event, 0, out);
    }
    Ok(())
}
