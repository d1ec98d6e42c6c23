//! blkio: the limits of a group for each block device, a file a limit (cgroup-v1/blkio-controller.rst). They are those of
//! io.max; what is counted is nothing, as there.
//!
//! Since 6.12 a device is throttled from the first limit on that names it, whoever's it is; before that no file tells of it.

use standin::{Errno, Failure};

use crate::cgroup::disk::{self, Disk};
use crate::cgroup::io::{self, OfDevice};
use crate::cgroup::rows::{self, Target, Write};
use crate::cgroup::{CgroupKey, Cgroups, setting, value};
use crate::kernel::Kernel;
use crate::profile::Release;
use crate::step::Step;

/// Limits by their places in io.max.
pub(in crate::cgroup) const READ_BYTES: usize = 0;
pub(in crate::cgroup) const WRITTEN_BYTES: usize = 1;
pub(in crate::cgroup) const READS: usize = 2;
pub(in crate::cgroup) const WRITES: usize = 3;

/// Devices that a group has met and that are throttled.
fn throttled(
    cgroups: &Cgroups,
    group: CgroupKey,
) -> impl Iterator<Item = (&Disk, Option<&OfDevice>)> {
    let all = cgroups.release < Release::V6_12;
    io::met(cgroups, group).filter(move |(disk, _)| all || disk.throttled)
}

/// A line a device that has the limit.
#[expect(clippy::unnecessary_wraps, reason = "a row's function may fail")]
pub(in crate::cgroup) fn show_rules<const LIMIT: usize>(
    kernel: &Kernel,
    target: Target,
    out: &mut Vec<u8>,
) -> Step<()> {
    for (disk, of) in throttled(&kernel.cgroups, target.group) {
        if let Some(limit) = of.and_then(|of| of.limit(LIMIT)) {
            disk.print_name(out);
            out.push(b' ');
            value::print_line(limit, out);
        }
    }
    Ok(())
}

/// Writes a device and its limit: the number at the start, whatever stands behind it; 0 takes the limit away.
pub(in crate::cgroup) fn store_rule<const LIMIT: usize>(
    kernel: &mut Kernel,
    write: &Write<'_>,
) -> Step<()> {
    let cgroups = &mut kernel.cgroups;
    let (disk, text) = disk::named(&cgroups.disks, write.bytes)?;
    let of = io::meet_throttled(cgroups, write.group, disk);
    let (limit, _) = value::scan(text).ok_or(Errno::EINVAL)?;
    of.set_limit(LIMIT, if limit == 0 { u64::MAX } else { limit });
    Ok(())
}

/// What is counted of a device.
const COUNTED: [&str; 6] = ["Read", "Write", "Sync", "Async", "Discard", "Total"];

#[expect(clippy::unnecessary_wraps, reason = "a row's function may fail")]
pub(in crate::cgroup) fn show_counts(
    kernel: &Kernel,
    target: Target,
    out: &mut Vec<u8>,
) -> Step<()> {
    for (disk, _) in throttled(&kernel.cgroups, target.group) {
        for counted in COUNTED {
            disk.print_name(out);
            out.push(b' ');
            value::print_keyed(counted, 0, out);
        }
    }
    value::print_keyed("Total", 0, out);
    Ok(())
}

/// Writes blkio.reset_stats: any number.
pub(in crate::cgroup) fn reset(_: &mut Kernel, write: &Write<'_>) -> Step<()> {
    value::unsigned(write.bytes)?;
    Ok(())
}

/// The file that keeps what blkio.bfq.weight_device calls the default.
const WEIGHT: &[u8] = b"blkio.bfq.weight";

pub(in crate::cgroup) fn show_default_weight(
    kernel: &Kernel,
    target: Target,
    out: &mut Vec<u8>,
) -> Step<()> {
    let record = kernel.cgroups.table.at(target.group);
    let (row, setting) = rows::setting_named(record, WEIGHT).ok_or(Errno::ENODEV)?;
    out.extend_from_slice(b"default ");
    setting::show(kernel, Target { row, ..target }, setting, out);
    Ok(())
}

/// Writes blkio.bfq.weight_device: a weight, `default` before it allowed, or a device and its weight.
pub(in crate::cgroup) fn store_default_weight(kernel: &mut Kernel, write: &Write<'_>) -> Step<()> {
    let text = value::strip(write.bytes);
    let behind = text.strip_prefix(b"default").and_then(value::scan);
    let weight = match (value::leading_unsigned(text), behind) {
        ((weight, []), _) | (_, Some((weight, _))) => weight,
        _ => {
            disk::named(&kernel.cgroups.disks, text)?;
            return Err(Failure::NotModelled("blkio.bfq.weight_device").into());
        }
    };
    let record = kernel.cgroups.table.at(write.group);
    let (row, setting) = rows::setting_named(record, WEIGHT).ok_or(Errno::ENODEV)?;
    let bytes = weight.to_string();
    setting::store(kernel, &Write { row, bytes: bytes.as_bytes(), ..*write }, setting)
}
