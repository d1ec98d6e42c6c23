//! The io controller: limits and weights of a group for each block device (cgroup-v2.rst, IO).
//!
//! No process of a machine reads or writes a device, so nothing is ever held back, and io.stat counts nothing. A group knows
//! a device from the first line about it on, even if the rest of that line is refused; so do the groups above it.

use standin::Errno;

use super::disk::{self, Disk};
use super::rows::{Target, Write};
use super::{Cgroup, CgroupKey, Cgroups, value};
use crate::kernel::Kernel;
use crate::step::Step;

/// What the controller keeps of a group.
#[derive(Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Io {
    weight: u64,
    /// Devices that it knows, in the order in which it met them.
    devices: Vec<OfDevice>,
}

impl Default for Io {
    fn default() -> Self {
        Self { weight: 100, devices: Vec::new() }
    }
}

/// What is kept of a group for one device.
#[derive(Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct OfDevice {
    /// Its place among the machine's.
    disk: usize,
    limits: Limits,
    weight: Option<u64>,
}

/// Bytes and operations a second, read and written.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct Limits([u64; 4]);

/// How the limits are called, and what stands for none.
const LIMITS: [(&str, u64); 4] = [
    ("rbps", u64::MAX),
    ("wbps", u64::MAX),
    ("riops", u32::MAX as u64),
    ("wiops", u32::MAX as u64),
];

/// The longest word of io.max: what is longer is taken for several.
const WORD_MAX: usize = 26;

impl Limits {
    const NONE: Self = Self([u64::MAX, u64::MAX, u32::MAX as u64, u32::MAX as u64]);

    /// With one `KEY=VALUE` more: a number from 2, whatever stands behind it, or `max`.
    fn with(mut self, word: &[u8]) -> Result<Self, Errno> {
        let equals = word.iter().position(|byte| *byte == b'=').ok_or(Errno::EINVAL)?;
        let (key, value) = word.split_at_checked(equals).ok_or(Errno::EINVAL)?;
        let limit = match value {
            b"=max" => u64::MAX,
            number => {
                value::scan(number.strip_prefix(b"=").unwrap_or(number)).ok_or(Errno::EINVAL)?.0
            }
        };
        if limit == 0 {
            return Err(Errno::ERANGE);
        }
        let mut kept = self.0.iter_mut().zip(LIMITS);
        match kept.find(|(_, (name, _))| name.as_bytes() == key) {
            Some((kept, (_, none))) if limit > 1 => *kept = limit.min(none),
            Some(_) | None => return Err(Errno::EINVAL),
        }
        Ok(self)
    }

    fn print(self, out: &mut Vec<u8>) {
        for (limit, (name, none)) in self.0.into_iter().zip(LIMITS) {
            out.push(b' ');
            out.extend_from_slice(name.as_bytes());
            out.push(b'=');
            if limit == none { out.extend_from_slice(b"max") } else { value::print(limit, out) }
        }
    }
}

/// The next word, and the text without it.
fn word(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let text = value::skip_spaces(text);
    let length = text.iter().take(WORD_MAX).take_while(|byte| !value::is_space(**byte)).count();
    text.split_at_checked(length).filter(|_| length > 0)
}

/// The devices of a group, the one that it met last first, with what is kept for them.
fn devices(cgroups: &Cgroups, group: CgroupKey) -> impl Iterator<Item = (&Disk, &OfDevice)> {
    let devices = cgroups.table.at(group).io().map_or(&[][..], |io| &io.devices);
    devices.iter().rev().filter_map(|of| Some((cgroups.disks.get(of.disk)?, of)))
}

/// The devices that a group has met, the last one first, with what is kept for them. A root has met all.
pub(super) fn met(
    cgroups: &Cgroups,
    group: CgroupKey,
) -> impl Iterator<Item = (&Disk, Option<&OfDevice>)> {
    let record = cgroups.table.at(group);
    let kept = record.io().map_or(&[][..], |io| &io.devices);
    let is_root = record.parent.is_none();
    let all = if is_root { &cgroups.disks[..] } else { &[] };
    let of_root = all.iter().enumerate().rev();
    let of_root = of_root.map(|(at, disk)| (disk, kept.iter().find(|of| of.disk == at)));
    let others = devices(cgroups, group).filter(move |_| !is_root);
    of_root.chain(others.map(|(disk, of)| (disk, Some(of))))
}

impl OfDevice {
    /// A limit by its place, if there is one.
    pub(super) fn limit(&self, place: usize) -> Option<u64> {
        let (_, none) = LIMITS.get(place)?;
        self.limits.0.get(place).copied().filter(|limit| limit != none)
    }

    /// Sets a limit of v1: one of operations is kept in 32 bits.
    pub(super) fn set_limit(&mut self, place: usize, limit: u64) {
        if let (Some(kept), Some((_, none))) = (self.limits.0.get_mut(place), LIMITS.get(place)) {
            *kept = limit & none;
        }
    }
}

impl Io {
    /// What is kept for a device, which it meets now if it has not before.
    fn meet(&mut self, disk: usize) -> &mut OfDevice {
        let found = self.devices.iter().position(|of| of.disk == disk);
        let place = found.unwrap_or_else(|| {
            self.devices.push(OfDevice { disk, limits: Limits::NONE, weight: None });
            self.devices.len() - 1
        });
        match self.devices.get_mut(place) {
            Some(of) => of,
            None => unreachable!("{place} was found or made"),
        }
    }
}

/// A group and those above it, but for the root, meet a device.
fn meet(cgroups: &mut Cgroups, group: CgroupKey, disk: usize) -> &mut OfDevice {
    let mut above = cgroups.table.at(group).parent;
    while let Some(key) = above {
        let record = cgroups.table.at_mut(key);
        above = record.parent;
        if above.is_some() {
            record.io_mut().meet(disk);
        }
    }
    cgroups.table.at_mut(group).io_mut().meet(disk)
}

/// The same, since a limit begins to be set.
pub(super) fn meet_throttled(
    cgroups: &mut Cgroups,
    group: CgroupKey,
    disk: usize,
) -> &mut OfDevice {
    if let Some(disk) = cgroups.disks.get_mut(disk) {
        disk.throttled = true;
    }
    meet(cgroups, group, disk)
}

fn weight_of(group: &Cgroup) -> u64 {
    group.io().map_or_else(|| Io::default().weight, |io| io.weight)
}

pub(super) fn show_max(kernel: &Kernel, target: Target, out: &mut Vec<u8>) -> Step<()> {
    for (disk, of) in devices(&kernel.cgroups, target.group) {
        if of.limits != Limits::NONE {
            disk.print_name(out);
            of.limits.print(out);
            out.push(b'\n');
        }
    }
    Ok(())
}

/// Writes io.max: a device and its limits, all of them or none.
pub(super) fn store_max(kernel: &mut Kernel, write: &Write<'_>) -> Step<()> {
    let (disk, mut text) = disk::named(&kernel.cgroups.disks, write.bytes)?;
    let of = meet_throttled(&mut kernel.cgroups, write.group, disk);
    let mut limits = of.limits;
    while let Some((word, behind)) = word(text) {
        limits = limits.with(word)?;
        text = behind;
    }
    of.limits = limits;
    Ok(())
}

pub(super) fn show_weight(kernel: &Kernel, target: Target, out: &mut Vec<u8>) -> Step<()> {
    value::print_keyed("default", weight_of(kernel.cgroups.table.at(target.group)), out);
    for (disk, of) in devices(&kernel.cgroups, target.group) {
        if let Some(weight) = of.weight {
            disk.print_name(out);
            out.push(b' ');
            value::print_line(weight, out);
        }
    }
    Ok(())
}

/// A weight is the number at the start, from 1 to 10000, whatever stands behind it. It is kept in 32 bits.
fn weight(text: &[u8]) -> Result<u64, Errno> {
    let (number, _) = value::scan(text).ok_or(Errno::EINVAL)?;
    let weight = number & u64::from(u32::MAX);
    if (1..=10_000).contains(&weight) { Ok(weight) } else { Err(Errno::EINVAL) }
}

/// Writes io.weight: a weight, `default` before it allowed; with a colon it is that for a device that io.cost knows.
pub(super) fn store_weight(kernel: &mut Kernel, write: &Write<'_>) -> Step<()> {
    let cgroups = &mut kernel.cgroups;
    let line = write.bytes;
    if !line.contains(&b':') {
        let weight = weight(line.strip_prefix(b"default").unwrap_or(line))?;
        cgroups.table.at_mut(write.group).io_mut().weight = weight;
        return Ok(());
    }
    let (disk, text) = disk::named(&cgroups.disks, line)?;
    if cgroups.disks.get(disk).is_none_or(|disk| disk.cost.is_none()) {
        return Err(Errno::EOPNOTSUPP.into());
    }
    let of = meet(cgroups, write.group, disk);
    of.weight = if text.starts_with(b"default") { None } else { Some(weight(text)?) };
    Ok(())
}

/// What the kernel itself read of a device: it looked for partitions at its start.
const READ_AT_BOOT: &[u8] = b"rbytes=4096 wbytes=0 rios=1 wios=0 dbytes=0 dios=0";

pub(super) fn show_stat(kernel: &Kernel, target: Target, out: &mut Vec<u8>) -> Step<()> {
    let cgroups = &kernel.cgroups;
    let mut line = |disk: &Disk, read: &[u8], cost: &[u8]| {
        disk.print_name(out);
        out.push(b' ');
        out.extend_from_slice(read);
        if disk.cost.as_ref().is_some_and(|cost| cost.enabled) {
            out.extend_from_slice(cost);
        }
        out.push(b'\n');
    };
    if cgroups.table.at(target.group).parent.is_none() {
        for disk in cgroups.disks.iter().rev() {
            line(disk, READ_AT_BOOT, b" cost.vrate=100.00 cost.usage=0");
        }
    } else {
        for (disk, _) in devices(cgroups, target.group) {
            line(disk, b"", b" cost.usage=0");
        }
    }
    Ok(())
}
