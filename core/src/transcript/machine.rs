//! The machine line: which kernel a script is meant for, and on what machine.

use std::fmt;

use super::argument::{Value, Words};
use super::choice::choices;
use super::error::Complaint;
use super::value::Size;
use super::word::{Word, split};

/// Most processors that a machine line may ask for.
pub const MAX_CPUS: u32 = 4096;

/// Most block devices that a machine line may ask for.
pub const MAX_DISKS: u32 = 16;

/// How a machine line is written; it is the help of each error in one.
const USAGE: &str = "machine [kernel=6.1|6.12|6.18] [layout=unified|legacy|hybrid] [cpus=N] [memory=SIZE] [swap=SIZE] [disks=N]";

choices! {
    /// A modelled kernel release.
    pub Release is "a modelled kernel" { V6_1 = "6.1", V6_12 = "6.12", V6_18 = "6.18" }

    /// How the cgroup hierarchies are mounted: cgroup2 alone at /sys/fs/cgroup; one v1 hierarchy a
    /// controller at /sys/fs/cgroup/NAME; or v1 so and cgroup2 at /sys/fs/cgroup/unified.
    pub Layout is "a layout" { Unified = "unified", Legacy = "legacy", Hybrid = "hybrid" }
}

/// What the machine line says; what it leaves out is for the runner to choose.
///
/// ```
/// use standin::transcript::{Layout, MachineLine, Release, parse};
/// let script = parse(b"machine kernel=6.12 layout=unified cpus=2 memory=1G\n")?;
/// assert_eq!(script.machine, MachineLine {
///     kernel: Some(Release::V6_12),
///     layout: Some(Layout::Unified),
///     cpus: Some(2),
///     memory_bytes: Some(1 << 30),
///     swap_bytes: None,
///     disks: None,
/// });
/// # Ok::<(), standin::transcript::ParseError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MachineLine {
    /// The kernel; left out, the script is meant for all.
    pub kernel: Option<Release>,
    /// The layout; left out, the script is meant for all.
    pub layout: Option<Layout>,
    /// Processors, 1 to [`MAX_CPUS`].
    pub cpus: Option<u32>,
    /// Memory in bytes, more than 0.
    pub memory_bytes: Option<u64>,
    /// Swap in bytes; left out, 0.
    pub swap_bytes: Option<u64>,
    /// Empty block devices without partitions, 0 to [`MAX_DISKS`]: NVMe drives 259:0 and on. Left out, none.
    pub disks: Option<u32>,
}

impl MachineLine {
    /// Reads the line, whose first word is `machine`.
    pub(super) fn read(line: &str) -> Result<Self, Complaint> {
        let words = split(line, 0)?;
        let keys: &[Word] = words.split_first().map_or(&[], |(_, keys)| keys);
        let (mut machine, mut memory, mut swap) = (Self::default(), None, None);
        let mut words = Words::new(keys, line.len(), USAGE.to_owned());
        while let Some(word) = words.peek() {
            let Some(option) = words.option() else { break };
            match option.key {
                "kernel" => option.set(&mut machine.kernel)?,
                "layout" => option.set(&mut machine.layout)?,
                "cpus" => option.set(&mut machine.cpus)?,
                "memory" => option.set(&mut memory)?,
                "swap" => option.set(&mut swap)?,
                "disks" => option.set(&mut machine.disks)?,
                _ => return Err(option.unknown()),
            }
            if machine.cpus.is_some_and(|cpus| cpus == 0 || cpus > MAX_CPUS) {
                return Err(
                    words.complain(word, format!("a machine has 1 to {MAX_CPUS} processors"))
                );
            }
            if machine.disks.is_some_and(|disks| disks > MAX_DISKS) {
                return Err(
                    words.complain(word, format!("a machine has at most {MAX_DISKS} disks"))
                );
            }
            if memory == Some(Size(0)) {
                return Err(words.complain(word, "a machine has memory"));
            }
        }
        machine.memory_bytes = memory.map(|Size(bytes)| bytes);
        machine.swap_bytes = swap.map(|Size(bytes)| bytes);
        Ok(machine)
    }
}

impl fmt::Display for MachineLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fn key<T: Value>(f: &mut fmt::Formatter<'_>, key: &str, value: Option<&T>) -> fmt::Result {
            value.map_or(Ok(()), |value| {
                write!(f, " {key}={}", String::from_utf8_lossy(&value.spell()))
            })
        }
        f.write_str("machine")?;
        key(f, "kernel", self.kernel.as_ref())?;
        key(f, "layout", self.layout.as_ref())?;
        key(f, "cpus", self.cpus.as_ref())?;
        key(f, "memory", self.memory_bytes.map(Size).as_ref())?;
        key(f, "swap", self.swap_bytes.map(Size).as_ref())?;
        key(f, "disks", self.disks.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_machine_line_is_read_back_as_it_was_printed() {
        for &kernel in Release::ALL {
            for &layout in Layout::ALL {
                for memory in [1, 1 << 30, 24 << 30, u64::MAX] {
                    let machine = MachineLine {
                        kernel: Some(kernel),
                        layout: Some(layout),
                        cpus: Some(MAX_CPUS),
                        memory_bytes: Some(memory),
                        swap_bytes: Some(0),
                        disks: Some(MAX_DISKS),
                    };
                    assert_eq!(MachineLine::read(&machine.to_string()), Ok(machine));
                }
            }
        }
        assert_eq!(MachineLine::read("machine"), Ok(MachineLine::default()));
        assert_eq!(MachineLine::default().to_string(), "machine");
    }

    #[test]
    fn a_wrong_key_or_value_is_refused_with_what_is_allowed() {
        for (line, at, help) in [
            ("machine kernel=6.6", 8, "6.1, 6.12 or 6.18"),
            ("machine layout=v2", 8, "unified, legacy or hybrid"),
            ("machine disk=1G", 8, USAGE),
            ("machine cpus", 8, USAGE),
            ("machine cpus=0", 8, USAGE),
            ("machine cpus=4097", 8, USAGE),
            ("machine cpus=1 memory=0", 15, USAGE),
            ("machine cpus=1 disks=17", 15, USAGE),
            ("machine cpus=1 cpus=1", 15, USAGE),
        ] {
            let complaint = MachineLine::read(line).unwrap_err();
            assert_eq!((complaint.at, complaint.help.as_str()), (at, help), "{line}");
        }
    }
}
