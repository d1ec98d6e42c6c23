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
pub(super) struct Setting {
    default: u64,
    /// What it is at first from a release on.
    default_since: Option<(Release, u64)>,
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
        parse,
        max: Some(max),
        survives_hiding: false,
    }
}

/// memory.max, memory.high and those of swap.
pub(super) static MEMORY_LIMIT: Setting = bytes(MAX_BYTES, pages::<1>, 1);

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

/// memory.oom.group
pub(super) static OOM_GROUP: Setting =
    Setting { default: 0, default_since: None, parse: oom_group, max: None, survives_hiding: true };

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

pub(super) fn show(kernel: &Kernel, target: Target, setting: &Setting, out: &mut Vec<u8>) {
    let default = setting.default_in(kernel.cgroups.release);
    let value = kernel.cgroups.table.at(target.group).setting(target.row).unwrap_or(default);
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

/// What a text means.
pub(super) fn parse(bytes: &[u8], setting: &Setting) -> Result<u64, Errno> {
    (setting.parse)(bytes)
}

/// The value of a setting that a group of every kernel has, with the same default.
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
