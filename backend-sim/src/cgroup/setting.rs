//! Values that a file keeps and nothing else: how they are read, printed, and what they are at first.
//!
//! What most of them limit is not modelled yet; the files that would show it (hugetlb.*.current and the like) say so.

use standin::{Controller, Errno};

use super::rows::{self, Target, Write};
use super::{Cgroup, absent, value};
use crate::kernel::Kernel;
use crate::step::Step;

/// One kind of value.
pub(super) struct Setting {
    /// What stands before the value when it is read.
    key: &'static str,
    default: u64,
    parse: fn(&[u8]) -> Result<u64, Errno>,
    /// A value that prints as `max`.
    max: Option<u64>,
    /// It is kept when its controller goes on without files, because another one needs it.
    survives_hiding: bool,
}

pub(super) use crate::fs::content::PAGE;

/// The greatest number of pages that a counter knows: it prints as `max`.
const MAX_PAGES: u64 = i64::MAX.cast_unsigned() / PAGE;

const MAX_BYTES: u64 = MAX_PAGES * PAGE;

const fn bytes(default: u64, parse: fn(&[u8]) -> Result<u64, Errno>, pages_a_unit: u64) -> Setting {
    let max = MAX_PAGES / pages_a_unit * pages_a_unit * PAGE;
    Setting {
        key: "",
        default: if default > max { max } else { default },
        parse,
        max: Some(max),
        survives_hiding: false,
    }
}

/// memory.max, memory.high and those of swap.
pub(super) static MEMORY_LIMIT: Setting = bytes(MAX_BYTES, pages::<1>, 1);

/// memory.min, memory.low.
pub(super) static MEMORY_PROTECTION: Setting = bytes(0, pages::<1>, 1);

/// Limits of huge pages of 2 MiB.
pub(super) static HUGE_2MB: Setting = bytes(MAX_BYTES, pages::<512>, 512);

/// Limits of huge pages of 1 GiB.
pub(super) static HUGE_1GB: Setting = bytes(MAX_BYTES, pages::<262_144>, 262_144);

/// memory.oom.group
pub(super) static OOM_GROUP: Setting =
    Setting { key: "", default: 0, parse: oom_group, max: None, survives_hiding: true };

/// io.weight
pub(super) static IO_WEIGHT: Setting =
    Setting { key: "default ", default: 100, parse: io_weight, max: None, survives_hiding: false };

/// A size or `max`, rounded down to whole units of so many pages.
fn pages<const UNIT: u64>(bytes: &[u8]) -> Result<u64, Errno> {
    let pages = match value::strip(bytes) {
        b"max" => MAX_PAGES,
        text => (value::size(text)? / PAGE).min(MAX_PAGES),
    };
    Ok(pages / UNIT * UNIT * PAGE)
}

/// 0 or 1; what is no number, and any other, is EINVAL, but for ERANGE of one too great.
fn oom_group(bytes: &[u8]) -> Result<u64, Errno> {
    match value::int(value::strip(bytes))? {
        0 => Ok(0),
        1 => Ok(1),
        _ => Err(Errno::EINVAL),
    }
}

/// 1 to 10000, `default` before it allowed and anything behind it; with a colon it is the weight for a block device.
fn io_weight(line: &[u8]) -> Result<u64, Errno> {
    if line.contains(&b':') {
        return Err(absent::block_device(line));
    }
    let (number, _) =
        value::scan(line.strip_prefix(b"default").unwrap_or(line)).ok_or(Errno::EINVAL)?;
    // It is kept in 32 bits.
    let weight = number & u64::from(u32::MAX);
    if (1..=10_000).contains(&weight) { Ok(weight) } else { Err(Errno::EINVAL) }
}

pub(super) fn show(kernel: &Kernel, target: Target, setting: &Setting, out: &mut Vec<u8>) {
    let value =
        kernel.cgroups.table.at(target.group).setting(target.row).unwrap_or(setting.default);
    out.extend_from_slice(setting.key.as_bytes());
    if setting.max == Some(value) {
        out.extend_from_slice(b"max\n")
    } else {
        value::print_line(value, out)
    }
}

pub(super) fn store(kernel: &mut Kernel, write: &Write<'_>, setting: &Setting) -> Step<()> {
    let value = parse(write.bytes, setting)?;
    kernel.cgroups.table.at_mut(write.group).set_setting(write.row, value, setting.default);
    Ok(())
}

/// What a text means.
pub(super) fn parse(bytes: &[u8], setting: &Setting) -> Result<u64, Errno> {
    (setting.parse)(bytes)
}

/// The value of a setting that a group of every kernel has.
pub(super) fn named(group: &Cgroup, name: &[u8]) -> u64 {
    let Some((row, setting)) = rows::setting_named(name) else { return 0 };
    group.setting(row).unwrap_or(setting.default)
}

/// A controller has no state in this group any more.
pub(super) fn forget(group: &mut Cgroup, controller: Controller) {
    group.forget_settings(|row| rows::belongs(row, controller));
}

/// A controller is hidden: most of its values are as at first.
pub(super) fn reset(group: &mut Cgroup, controller: Controller) {
    group.forget_settings(|row| {
        rows::belongs(row, controller)
            && rows::setting_of(row).is_some_and(|setting| !setting.survives_hiding)
    });
}
