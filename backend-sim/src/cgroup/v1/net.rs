//! What the sockets of a group's processes are marked with: net_cls.classid, and net_prio's priority of each interface
//! (cgroup-v1/net_cls.rst, net_prio.rst). The machine has one interface, and nothing that looks at the marks.

use standin::{Controller, Errno};

use crate::cgroup::rows::{Target, Write};
use crate::cgroup::{CgroupKey, Cgroups, value};
use crate::kernel::Kernel;
use crate::step::Step;

/// The interface that every machine has.
const INTERFACE: &str = "lo";

/// Bytes of an interface's name that the kernel looks at.
const LONGEST_NAME: usize = 16;

/// The index of the root; groups count up from there.
pub(in crate::cgroup) const ROOT_INDEX: u32 = 1;

/// The greatest index of a group.
const LAST_INDEX: u32 = 0xffff;

/// What a group's sockets are marked with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(in crate::cgroup) struct Marks {
    class: u32,
    /// Which of net_prio's groups it is; 0 of the root.
    index: u32,
    /// Of [`INTERFACE`].
    priority: u32,
}

/// Whether a group can be made below another.
///
/// # Errors
/// ENOSPC: the indices of net_prio are used up.
pub(super) fn may_appear(cgroups: &Cgroups, parent: CgroupKey) -> Result<(), Errno> {
    if cgroups.given(parent).contains(Controller::NetPrio) && cgroups.last_net_index >= LAST_INDEX {
        return Err(Errno::ENOSPC);
    }
    Ok(())
}

/// A group was made: it begins with its parent's marks.
pub(super) fn appears(cgroups: &mut Cgroups, group: CgroupKey) {
    let controllers = cgroups.enabled(group);
    let Some(parent) = cgroups.table.at(group).parent else { return };
    let mut marks = cgroups.table.at(parent).marks();
    if controllers.contains(Controller::NetPrio) {
        cgroups.last_net_index += 1;
        marks.index = cgroups.last_net_index;
    } else {
        marks.index = 0;
    }
    if marks.index != 0 || marks.class != 0 {
        cgroups.table.at_mut(group).set_marks(marks);
    }
}

/// A controller has another root: it marks as the other did.
pub(super) fn root_changes(
    cgroups: &mut Cgroups,
    controller: Controller,
    from: CgroupKey,
    into: CgroupKey,
) {
    let old = cgroups.table.at(from).marks();
    let own = cgroups.table.at(into).marks();
    let (mut left, mut new) = (old, own);
    if controller == Controller::NetCls {
        (left.class, new.class) = (0, old.class);
    } else if controller == Controller::NetPrio {
        (left.priority, new.priority) = (0, old.priority);
    }
    if new != own {
        cgroups.table.at_mut(from).set_marks(left);
        cgroups.table.at_mut(into).set_marks(new);
    }
}

pub(in crate::cgroup) fn show_class(
    kernel: &Kernel,
    target: Target,
    out: &mut Vec<u8>,
) -> Step<()> {
    value::print_line(kernel.cgroups.table.at(target.group).marks().class.into(), out);
    Ok(())
}

/// A number, of which the lower 32 bits are kept.
pub(in crate::cgroup) fn store_class(kernel: &mut Kernel, write: &Write<'_>) -> Step<()> {
    let group = kernel.cgroups.table.at_mut(write.group);
    let class = low_half(value::unsigned(write.bytes)?);
    group.set_marks(Marks { class, ..group.marks() });
    Ok(())
}

fn low_half(number: u64) -> u32 {
    let [a, b, c, d, ..] = number.to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}

pub(in crate::cgroup) fn show_index(
    kernel: &Kernel,
    target: Target,
    out: &mut Vec<u8>,
) -> Step<()> {
    let index = kernel.cgroups.table.at(target.group).marks().index;
    value::print_line(index.max(ROOT_INDEX).into(), out);
    Ok(())
}

pub(in crate::cgroup) fn show_priorities(
    kernel: &Kernel,
    target: Target,
    out: &mut Vec<u8>,
) -> Step<()> {
    let priority = kernel.cgroups.table.at(target.group).marks().priority;
    value::print_keyed(INTERFACE, priority.into(), out);
    Ok(())
}

/// An interface's name and a number; what stands behind is not looked at. EINVAL if it is not that, ENODEV if there is no
/// such interface.
pub(in crate::cgroup) fn store_priority(kernel: &mut Kernel, write: &Write<'_>) -> Step<()> {
    let text = value::skip_spaces(write.bytes);
    let length = text.iter().take_while(|byte| !value::is_space(**byte)).count().min(LONGEST_NAME);
    let (name, behind) = text.split_at_checked(length).ok_or(Errno::EINVAL)?;
    let (number, _) = value::scan(behind).filter(|_| length > 0).ok_or(Errno::EINVAL)?;
    if name != INTERFACE.as_bytes() {
        return Err(Errno::ENODEV.into());
    }
    let group = kernel.cgroups.table.at_mut(write.group);
    group.set_marks(Marks { priority: low_half(number), ..group.marks() });
    Ok(())
}
