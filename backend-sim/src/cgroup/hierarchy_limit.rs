//! cgroup.max.depth and cgroup.max.descendants: how many groups there may be below one (cgroup-v2.rst, Core Interface
//! Files).

use standin::Errno;

use super::rows::{Target, Write};
use super::{Cgroup, CgroupKey, Cgroups, value};
use crate::kernel::Kernel;
use crate::step::Step;

/// The kernel's number for "no limit".
const NO_LIMIT: u32 = i32::MAX.cast_unsigned();

/// The limits of a group.
#[derive(Clone, Copy)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct HierarchyLimits {
    depth: u32,
    descendants: u32,
}

impl Default for HierarchyLimits {
    fn default() -> Self {
        Self { depth: NO_LIMIT, descendants: NO_LIMIT }
    }
}

/// EAGAIN if a child of this group would be too deep, or one too many, for it or a group above.
pub(super) fn check_child(cgroups: &Cgroups, parent: CgroupKey) -> Result<(), Errno> {
    let mut above = Some(parent);
    let mut depth = 0;
    while let Some(key) = above {
        let group = cgroups.table.at(key);
        if group.descendants >= group.limits.descendants || depth >= group.limits.depth {
            return Err(Errno::EAGAIN);
        }
        depth += 1;
        above = group.parent;
    }
    Ok(())
}

fn show(limit: u32, out: &mut Vec<u8>) {
    if limit == NO_LIMIT {
        out.extend_from_slice(b"max\n")
    } else {
        value::print_line(limit.into(), out)
    }
}

/// A number that is not negative, or `max`.
fn parse(bytes: &[u8]) -> Result<u32, Errno> {
    match value::strip(bytes) {
        b"max" => Ok(NO_LIMIT),
        text => u32::try_from(value::int(text)?).map_err(|_| Errno::ERANGE),
    }
}

fn store(kernel: &mut Kernel, write: &Write<'_>, limit: fn(&mut Cgroup) -> &mut u32) -> Step<()> {
    let value = parse(write.bytes)?;
    *limit(kernel.cgroups.table.at_mut(write.group)) = value;
    Ok(())
}

pub(super) fn show_depth(kernel: &Kernel, target: Target, out: &mut Vec<u8>) -> Step<()> {
    show(kernel.cgroups.table.at(target.group).limits.depth, out);
    Ok(())
}

pub(super) fn store_depth(kernel: &mut Kernel, write: &Write<'_>) -> Step<()> {
    store(kernel, write, |group| &mut group.limits.depth)
}

pub(super) fn show_descendants(kernel: &Kernel, target: Target, out: &mut Vec<u8>) -> Step<()> {
    show(kernel.cgroups.table.at(target.group).limits.descendants, out);
    Ok(())
}

pub(super) fn store_descendants(kernel: &mut Kernel, write: &Write<'_>) -> Step<()> {
    store(kernel, write, |group| &mut group.limits.descendants)
}
