//! Values that a file keeps and nothing else: how they are read, printed, and what they are at first.
//!
//! What they limit is elsewhere, or is nothing that the machine has.

use standin::{Controller, Errno};

use super::rows::{self, Target, Write};
use super::{Cgroup, value};
use crate::kernel::Kernel;
use crate::profile::Release;
use crate::step::Step;

/// One kind of value.
#[derive(Clone)]
pub(super) struct Setting {
    default: u64,
    /// What it is at first from a release on.
    default_since: Option<(Release, u64)>,
    /// What it is in a root, if that is something else; nobody sets it there.
    of_root: Option<u64>,
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
        default: if default > max { max } else { default },
        default_since: None,
        of_root: None,
        parse,
        max: Some(max),
        survives_hiding: false,
    }
}

/// memory.max, memory.high and those of swap.
pub(super) static MEMORY_LIMIT: Setting = bytes(MAX_BYTES, pages::<1>, 1);

/// Limits of v1, which have no word for the greatest.
pub(super) static MEMORY_LIMIT_V1: Setting = number(MAX_BYTES, pages_v1);

/// memory.min, memory.low.
pub(super) static MEMORY_PROTECTION: Setting = bytes(0, pages::<1>, 1);

/// Limits of huge pages of so many usual ones. In 6.18 they begin with what is no multiple of them, and so no `max`.
const fn huge_pages(parse: fn(&[u8]) -> Result<u64, Errno>, pages_a_unit: u64) -> Setting {
    let setting = bytes(MAX_BYTES, parse, pages_a_unit);
    Setting { default_since: Some((Release::V6_18, MAX_BYTES)), ..setting }
}

/// Limits of huge pages of 2 MiB.
pub(super) static HUGE_2MB: Setting = huge_pages(pages::<512>, 512);

/// Limits of huge pages of 1 GiB.
pub(super) static HUGE_1GB: Setting = huge_pages(pages::<262_144>, 262_144);

/// Limits of v1: they print as numbers, and -1 stands for the greatest. Those of the root are older than huge pages are.
const fn huge_pages_v1(parse: fn(&[u8]) -> Result<u64, Errno>, pages_a_unit: u64) -> Setting {
    Setting { max: None, of_root: Some(MAX_BYTES), ..huge_pages(parse, pages_a_unit) }
}

/// Limits of v1 for huge pages of 2 MiB.
pub(super) static HUGE_2MB_V1: Setting = huge_pages_v1(huge_v1::<512>, 512);

/// Limits of v1 for huge pages of 1 GiB.
pub(super) static HUGE_1GB_V1: Setting = huge_pages_v1(huge_v1::<262_144>, 262_144);

/// blkio.bfq.weight
pub(super) static BFQ_WEIGHT: Setting = Setting {
    default: 100,
    default_since: None,
    of_root: None,
    parse: bfq_weight,
    max: None,
    survives_hiding: false,
};
/// A number of v1 between 0 and the greatest that is allowed.
const fn number(default: u64, parse: fn(&[u8]) -> Result<u64, Errno>) -> Setting {
    Setting {
        default,
        default_since: None,
        of_root: None,
        parse,
        max: None,
        survives_hiding: false,
    }
}

/// memory.move_charge_at_immigrate: bits for anonymous memory and for files.
pub(super) static MOVED_CHARGES: Setting = number(0, moved_charges);

/// memory.oom.group
pub(super) static OOM_GROUP: Setting = Setting {
    default: 0,
    default_since: None,
    of_root: None,
    parse: oom_group,
    max: None,
    survives_hiding: true,
};

impl Setting {
    fn default_in(&self, release: Release) -> u64 {
        match self.default_since {
            Some((since, default)) if release >= since => default,
            Some(_) | None => self.default,
        }
    }
}

/// A size or `max`, rounded down to whole units of so many pages.
fn pages<const UNIT: u64>(bytes: &[u8]) -> Result<u64, Errno> {
    Ok(pages_or(b"max", value::strip(bytes))? / UNIT * UNIT * PAGE)
}

/// The same in v1, where the greatest is `-1`.
fn huge_v1<const UNIT: u64>(bytes: &[u8]) -> Result<u64, Errno> {
    Ok(pages_or(b"-1", value::strip(bytes))? / UNIT * UNIT * PAGE)
}

/// The same of one page a unit.
fn pages_v1(bytes: &[u8]) -> Result<u64, Errno> {
    size_v1(value::strip(bytes))
}

/// The same without white space.
pub(super) fn size_v1(text: &[u8]) -> Result<u64, Errno> {
    Ok(pages_or(b"-1", text)? * PAGE)
}

/// How many pages a size is, or the greatest number if it is this word.
fn pages_or(greatest: &[u8], text: &[u8]) -> Result<u64, Errno> {
    match text {
        text if text == greatest => Ok(MAX_PAGES),
        text => Ok((value::size(text)? / PAGE).min(MAX_PAGES)),
    }
}

/// A number from 1 to 1000, no white space around it.
fn bfq_weight(bytes: &[u8]) -> Result<u64, Errno> {
    let weight = value::unsigned(bytes)?;
    if (1..=1000).contains(&weight) { Ok(weight) } else { Err(Errno::ERANGE) }
}

/// The bits 1 and 2. What is above 32 bits is kept and means nothing: the mask that looks for others is that long.
fn moved_charges(bytes: &[u8]) -> Result<u64, Errno> {
    const OTHERS: u64 = !3 & 0xFFFF_FFFF;
    match value::unsigned(bytes)? {
        number if number & OTHERS == 0 => Ok(number),
        _ => Err(Errno::EINVAL),
    }
}

/// 0 or 1; what is no number, and any other, is EINVAL, but for ERANGE of one too great.
fn oom_group(bytes: &[u8]) -> Result<u64, Errno> {
    match value::int(value::strip(bytes))? {
        0 => Ok(0),
        1 => Ok(1),
        _ => Err(Errno::EINVAL),
    }
}

pub(super) fn show(kernel: &Kernel, target: Target, setting: &Setting, out: &mut Vec<u8>) {
    let group = kernel.cgroups.table.at(target.group);
    let of_root = setting.of_root.filter(|_| group.parent.is_none());
    let default = of_root.unwrap_or_else(|| setting.default_in(kernel.cgroups.release));
    let value = group.setting(target.row).unwrap_or(default);
    if setting.max == Some(value) {
        out.extend_from_slice(b"max\n")
    } else {
        value::print_line(value, out)
    }
}

pub(super) fn store(kernel: &mut Kernel, write: &Write<'_>, setting: &Setting) -> Step<()> {
    let value = parse(write.bytes, setting)?;
    let default = setting.default_in(kernel.cgroups.release);
    kernel.cgroups.table.at_mut(write.group).set_setting(write.row, value, default);
    Ok(())
}

/// Writes a setting that a root has and nobody changes: EINVAL there.
pub(super) fn store_below_root(kernel: &mut Kernel, write: &Write<'_>) -> Step<()> {
    let is_root = kernel.cgroups.table.at(write.group).parent.is_none();
    let setting = rows::setting_of(write.row).filter(|_| !is_root).ok_or(Errno::EINVAL)?;
    store(kernel, write, setting)
}

/// What a text means.
pub(super) fn parse(bytes: &[u8], setting: &Setting) -> Result<u64, Errno> {
    (setting.parse)(bytes)
}

/// The value of a setting that a group of every kernel has, with the same default; 0 where the hierarchy has no such file.
pub(super) fn named(group: &Cgroup, name: &[u8]) -> u64 {
    let Some((row, setting)) = rows::setting_named(group, name) else { return 0 };
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
