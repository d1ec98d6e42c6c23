//! Pressure stall information: cpu.pressure, io.pressure, memory.pressure, and the switch cgroup.pressure
//! (psi.rst).
//!
//! Where nobody waited for anything all is zero, and no trigger fires. A limit of memory makes processes wait ([`stalls`]),
//! and so do others that use the processors: averages over time are not modelled, so the file and its triggers then say so.

use standin::{Capability, Errno, Failure};

use super::rows::{Class, Target, Write};
use super::{CgroupKey, Cgroups, value};
use crate::fs::FileKey;
use crate::kernel::Kernel;
use crate::profile::Release;
use crate::step::Step;
use crate::wait::Channel;

/// What somebody wants to be told: stalls of `threshold_us` within `window_us`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Trigger {
    threshold_us: u32,
    window_us: u32,
}

/// The files of which the machine knows that somebody waited.
const CPU: &str = "cpu.pressure";
const MEMORY: &str = "memory.pressure";

/// The longest window.
const WINDOW_MAX_US: u32 = 10_000_000;

/// The shortest window before 6.5.
const WINDOW_MIN_US: u32 = 500_000;

/// Without `CAP_SYS_RESOURCE` windows are multiples of this.
const UNPRIVILEGED_US: u32 = 2_000_000;

pub(super) fn show(_: &Kernel, _: Target, out: &mut Vec<u8>) -> Step<()> {
    for kind in ["some", "full"] {
        out.extend_from_slice(kind.as_bytes());
        out.extend_from_slice(b" avg10=0.00 avg60=0.00 avg300=0.00 total=0\n");
    }
    Ok(())
}

/// A process of a group waits for memory.
pub(super) fn stalls(cgroups: &mut Cgroups, group: CgroupKey) {
    let mut next = Some(group);
    while let Some(key) = next {
        let record = cgroups.table.at_mut(key);
        record.stalled = true;
        next = record.parent;
    }
}

/// Whether the machine knows what stands in this pressure file: not once processes of the group or below had to wait.
pub(super) fn vet(cgroups: &Cgroups, group: CgroupKey, file: &str) -> Result<(), Failure> {
    let record = cgroups.table.at(group);
    match file {
        MEMORY if record.stalled => {
            Err(Failure::NotModelled("memory.pressure after a limit of memory was reached"))
        }
        CPU if record.processor_usage().some_ns > 0 => {
            Err(Failure::NotModelled("cpu.pressure after threads waited for a processor"))
        }
        _ => Ok(()),
    }
}

/// What the machine as a whole may wait for (/proc/pressure).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resource {
    Cpu,
    Io,
    Memory,
}

/// Prints a file of /proc/pressure.
///
/// # Errors
/// As for the same file of a group.
pub(crate) fn show_machine(kernel: &Kernel, resource: Resource, out: &mut Vec<u8>) -> Step<()> {
    let file = match resource {
        Resource::Cpu => CPU,
        Resource::Io => "io.pressure",
        Resource::Memory => MEMORY,
    };
    let root = kernel.cgroups.root;
    vet(&kernel.cgroups, root, file)?;
    for kind in ["some", "full"] {
        out.extend_from_slice(kind.as_bytes());
        out.extend_from_slice(b" avg10=0.00 avg60=0.00 avg300=0.00 total=0\n");
    }
    Ok(())
}

/// Whether an open file has a trigger.
pub(crate) fn is_armed(kernel: &Kernel, file: FileKey) -> bool {
    kernel.cgroups.triggers.contains_key(&file)
}

/// Bytes that the kernel looks at.
const MACHINE_LENGTH: usize = 31;

/// Sets a trigger on an open file of /proc/pressure.
///
/// # Errors
/// EINVAL: no trigger, or nothing written. EBUSY: it has one.
pub(crate) fn store_machine(kernel: &mut Kernel, file: FileKey, bytes: &[u8]) -> Step<()> {
    // The last byte is taken for a newline, whatever it is.
    let [text @ .., _] = bytes else { return Err(Errno::EINVAL.into()) };
    set_trigger(kernel, file, text.get(..MACHINE_LENGTH).unwrap_or(text))
}

pub(super) fn show_cpu(kernel: &Kernel, target: Target, out: &mut Vec<u8>) -> Step<()> {
    vet(&kernel.cgroups, target.group, CPU)?;
    show(kernel, target, out)
}

pub(super) fn show_memory(kernel: &Kernel, target: Target, out: &mut Vec<u8>) -> Step<()> {
    vet(&kernel.cgroups, target.group, MEMORY)?;
    show(kernel, target, out)
}

/// Reads a trigger as sscanf does: the word, then two numbers with or without white space before each; what stands behind
/// them does not matter, and a number wraps at 32 bits.
fn parse(text: &[u8]) -> Option<Trigger> {
    const NUMBER: u64 = u32::MAX as u64;
    let rest = text.strip_prefix(b"some").or_else(|| text.strip_prefix(b"full"))?;
    let (threshold_us, rest) = value::scan(rest)?;
    let (window_us, _) = value::scan(rest)?;
    Some(Trigger {
        threshold_us: u32::try_from(threshold_us & NUMBER).ok()?,
        window_us: u32::try_from(window_us & NUMBER).ok()?,
    })
}

impl Trigger {
    fn is_allowed(self, release: Release, privileged: bool) -> bool {
        let shortest = if release < Release::V6_12 { WINDOW_MIN_US } else { 1 };
        (shortest..=WINDOW_MAX_US).contains(&self.window_us)
            && (privileged || self.window_us.is_multiple_of(UNPRIVILEGED_US))
            && (1..=self.window_us).contains(&self.threshold_us)
    }
}

/// Sets a trigger on this open file: one alone, EBUSY for a second one.
pub(super) fn store(kernel: &mut Kernel, write: &Write<'_>) -> Step<()> {
    set_trigger(kernel, write.file, write.bytes)
}

fn set_trigger(kernel: &mut Kernel, file: FileKey, bytes: &[u8]) -> Step<()> {
    let files = &kernel.vfs.files;
    let triggers = &mut kernel.cgroups.triggers;
    if triggers.contains_key(&file) {
        return Err(Errno::EBUSY.into());
    }
    let privileged =
        files.at(file).opener.rights(&kernel.namespaces).capable(Capability::SYS_RESOURCE);
    let trigger =
        parse(bytes).filter(|trigger| trigger.is_allowed(kernel.profile.release, privileged));
    let trigger = trigger.ok_or(Errno::EINVAL)?;
    triggers.insert(file, trigger);
    Ok(())
}

pub(super) fn show_switch(kernel: &Kernel, target: Target, out: &mut Vec<u8>) -> Step<()> {
    value::print_line(kernel.cgroups.table.at(target.group).pressure.into(), out);
    Ok(())
}

/// Writes cgroup.pressure: 0 hides the files, 1 shows them as they were; files that were open stay dead.
pub(super) fn store_switch(kernel: &mut Kernel, write: &Write<'_>) -> Step<()> {
    let on = value::flag(write.bytes)?;
    let record = kernel.cgroups.table.at_mut(write.group);
    if record.pressure != on {
        record.pressure = on;
        if !on {
            record.reincarnate(Class::Pressure);
            kernel.waits.wake(Channel::Cgroup(write.group));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Trigger, parse};
    use crate::profile::Release;

    #[test]
    fn a_trigger_is_read_as_sscanf_reads_it() {
        let trigger = |threshold_us, window_us| Some(Trigger { threshold_us, window_us });
        assert_eq!(parse(b"some 150000 1000000"), trigger(150_000, 1_000_000));
        assert_eq!(parse(b"full150000\t\n1000000 and more"), trigger(150_000, 1_000_000));
        assert_eq!(parse(b"some 4294967297 1"), trigger(1, 1));
        for text in [
            &b" some 1 2"[..],
            b"some 1",
            b"some",
            b"some +1 2",
            b"some -1 2",
            b"none 1 2",
            b"some 1,2",
            b"",
        ] {
            assert_eq!(parse(text), None, "{}", String::from_utf8_lossy(text));
        }
    }

    #[test]
    fn windows_have_bounds_that_changed_once_and_are_coarse_for_the_unprivileged() {
        let allowed = |threshold_us, window_us, release, privileged| {
            Trigger { threshold_us, window_us }.is_allowed(release, privileged)
        };
        assert!(allowed(1, 500_000, Release::V6_1, true));
        assert!(!allowed(1, 499_999, Release::V6_1, true));
        assert!(allowed(1, 1, Release::V6_12, true));
        assert!(!allowed(0, 1, Release::V6_12, true));
        assert!(!allowed(2, 1, Release::V6_12, true));
        assert!(allowed(10_000_000, 10_000_000, Release::V6_18, true));
        assert!(!allowed(1, 10_000_001, Release::V6_18, true));
        assert!(allowed(1, 4_000_000, Release::V6_1, false));
        assert!(!allowed(1, 1_000_000, Release::V6_1, false));
    }
}
