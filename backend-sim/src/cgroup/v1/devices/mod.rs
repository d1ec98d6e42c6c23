//! Which devices the processes of a group may open (cgroup-v1/devices.rst).
//!
//! A group allows all devices but its exceptions, or denies all but these. An exception is a [`Rule`]. What a group denies goes down
//! to every group below at once; what it allows does not, and no group can allow what its parent denies.

mod rule;

use standin::id::Moment;
use standin::{Capability, Controller, Errno};

pub(crate) use rule::Access;
use rule::{Rule, Wanted};

use crate::cgroup::rows::{Target, Write};
use crate::cgroup::{CgroupKey, Cgroups, tree, value};
use crate::fs::device::Device;
use crate::kernel::Kernel;
use crate::step::Step;
use crate::task::ThreadKey;

/// What holds of a device that no exception is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
enum Otherwise {
    #[default]
    Allow,
    Deny,
}

/// What a group allows.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(in crate::cgroup) struct Devices {
    otherwise: Otherwise,
    exceptions: Vec<Rule>,
    /// When a child was removed.
    lost_child: Option<Moment>,
}

impl Devices {
    /// Adds to the exception for just these devices, or makes one.
    fn add(&mut self, rule: Rule) {
        match self.exceptions.iter_mut().find(|other| other.is_for_same(&rule)) {
            Some(other) => other.access = other.access.union(rule.access),
            None => self.exceptions.push(rule),
        }
    }

    /// Takes from the exception for just these devices; one without access goes.
    fn remove(&mut self, rule: &Rule) {
        for other in self.exceptions.iter_mut().filter(|other| other.is_for_same(rule)) {
            other.access = other.access.difference(rule.access);
        }
        self.exceptions.retain(|other| !(other.is_for_same(rule) && other.access.is_empty()));
    }

    /// Allows what others allow.
    fn become_like(&mut self, other: Self) {
        (self.otherwise, self.exceptions) = (other.otherwise, other.exceptions);
    }

    /// Whether one exception is about all of this.
    fn contains(&self, rule: &Rule) -> bool {
        self.exceptions.iter().any(|exception| exception.contains(rule))
    }

    /// Whether an exception is about part of this.
    fn touches(&self, rule: &Rule) -> bool {
        self.exceptions.iter().any(|exception| exception.touches(rule))
    }

    /// Whether a process may open a device so.
    fn allows(&self, rule: &Rule) -> bool {
        match self.otherwise {
            Otherwise::Allow => !self.touches(rule),
            Otherwise::Deny => self.contains(rule),
        }
    }

    /// Whether a group below with this default may have the exception.
    fn permits_below(&self, below: Otherwise, rule: &Rule) -> bool {
        match (self.otherwise, below) {
            (Otherwise::Allow, Otherwise::Allow) => true,
            (Otherwise::Allow, Otherwise::Deny) => !self.touches(rule),
            (Otherwise::Deny, _) => self.contains(rule),
        }
    }
}

/// A group was made: it begins with what its parent allows.
pub(super) fn appears(cgroups: &mut Cgroups, group: CgroupKey) {
    let parent = cgroups.table.at(group).parent;
    let devices = parent.and_then(|parent| cgroups.table.at(parent).devices()).cloned();
    if let Some(devices) = devices {
        cgroups.table.at_mut(group).devices_mut().become_like(devices);
    }
}

/// The controller has another root: it allows what the other did.
pub(super) fn root_changes(cgroups: &mut Cgroups, from: CgroupKey, into: CgroupKey) {
    let devices = cgroups.table.at(from).devices().cloned();
    if let Some(devices) = devices {
        *cgroups.table.at_mut(from).devices_mut() = Devices::default();
        *cgroups.table.at_mut(into).devices_mut() = devices;
    }
}

/// What a group allows.
fn of(cgroups: &Cgroups, group: CgroupKey) -> Devices {
    cgroups.table.at(group).devices().cloned().unwrap_or_default()
}

/// Whether a thread may open or look for a device.
///
/// # Errors
/// EPERM: its group denies it.
pub(crate) fn check(
    kernel: &Kernel,
    caller: ThreadKey,
    device: Device,
    access: Access,
) -> Result<(), Errno> {
    let cgroups = &kernel.cgroups;
    let home = cgroups.home(Controller::Devices);
    let group = if home.is_v1() {
        cgroups.place(kernel.tasks.threads.at(caller), home)
    } else {
        // In v2 no group but the root has it.
        cgroups.root
    };
    match cgroups.table.at(group).devices() {
        Some(devices) if !devices.allows(&Rule::of(device, access)) => Err(Errno::EPERM),
        Some(_) | None => Ok(()),
    }
}

/// devices.list: what is allowed, unless that is everything but a few.
pub(in crate::cgroup) fn show(kernel: &Kernel, target: Target, out: &mut Vec<u8>) -> Step<()> {
    let Some(devices) = kernel.cgroups.table.at(target.group).devices() else {
        out.extend_from_slice(rule::ALL);
        return Ok(());
    };
    match devices.otherwise {
        Otherwise::Allow => out.extend_from_slice(rule::ALL),
        Otherwise::Deny => devices.exceptions.iter().for_each(|rule| rule.print(out)),
    }
    Ok(())
}

/// devices.allow
pub(in crate::cgroup) fn allow(kernel: &mut Kernel, write: &Write<'_>) -> Step<()> {
    let now = kernel.clock.monotonic();
    let cgroups = begin(kernel, write)?;
    let (group, parent) = (write.group, cgroups.table.at(write.group).parent);
    let above = parent.map(|parent| of(cgroups, parent));
    match Wanted::read(value::strip(write.bytes))? {
        Wanted::All => {
            refuse_with_children(cgroups, group, now)?;
            let above = above.unwrap_or_default();
            if above.otherwise == Otherwise::Deny {
                return Err(Errno::EPERM.into());
            }
            cgroups.table.at_mut(group).devices_mut().become_like(above);
        }
        Wanted::Rule(rule) => {
            let own = cgroups.table.at_mut(group).devices_mut();
            match own.otherwise {
                Otherwise::Allow if above.as_ref().is_some_and(|above| above.touches(&rule)) => {
                    return Err(Errno::EPERM.into());
                }
                Otherwise::Allow => own.remove(&rule),
                Otherwise::Deny
                    if above
                        .as_ref()
                        .is_some_and(|above| !above.permits_below(own.otherwise, &rule)) =>
                {
                    return Err(Errno::EPERM.into());
                }
                Otherwise::Deny => own.add(rule),
            }
        }
    }
    Ok(())
}

/// devices.deny
pub(in crate::cgroup) fn deny(kernel: &mut Kernel, write: &Write<'_>) -> Step<()> {
    let now = kernel.clock.monotonic();
    let cgroups = begin(kernel, write)?;
    let group = write.group;
    match Wanted::read(value::strip(write.bytes))? {
        Wanted::All => {
            refuse_with_children(cgroups, group, now)?;
            let none = Devices { otherwise: Otherwise::Deny, ..Devices::default() };
            cgroups.table.at_mut(group).devices_mut().become_like(none);
        }
        Wanted::Rule(rule) => {
            let own = cgroups.table.at_mut(group).devices_mut();
            match own.otherwise {
                Otherwise::Allow => own.add(rule),
                Otherwise::Deny => own.remove(&rule),
            }
            go_down(cgroups, group, rule);
        }
    }
    Ok(())
}

/// EPERM: the writer has not `CAP_SYS_ADMIN`, whoever opened the file.
fn begin<'a>(kernel: &'a mut Kernel, write: &Write<'_>) -> Result<&'a mut Cgroups, Errno> {
    if kernel.credentials(write.caller).capable(Capability::SYS_ADMIN) {
        Ok(&mut kernel.cgroups)
    } else {
        Err(Errno::EPERM)
    }
}

/// EINVAL: what goes for all devices cannot change above others, nor above one that was removed a moment ago.
fn refuse_with_children(cgroups: &Cgroups, group: CgroupKey, now: Moment) -> Result<(), Errno> {
    let record = cgroups.table.at(group);
    let lost = record.devices().and_then(|devices| devices.lost_child);
    if record.children.is_empty() && lost != Some(now) { Ok(()) } else { Err(Errno::EINVAL) }
}

/// A child was removed.
pub(super) fn disappears(kernel: &mut Kernel, parent: CgroupKey) {
    let now = kernel.clock.monotonic();
    kernel.cgroups.table.at_mut(parent).devices_mut().lost_child = Some(now);
}

/// What a group has just denied is denied below, and what is allowed there by more than its parent's rules goes.
fn go_down(cgroups: &mut Cgroups, top: CgroupKey, rule: Rule) {
    let default = of(cgroups, top).otherwise;
    let mut next = tree::next_below(&cgroups.table, top, top);
    while let Some(group) = next {
        let parent = cgroups.table.at(group).parent;
        let above = parent.map_or_else(Devices::default, |parent| of(cgroups, parent));
        let devices = cgroups.table.at_mut(group).devices_mut();
        if (default, devices.otherwise) == (Otherwise::Allow, Otherwise::Allow) {
            devices.add(rule);
        } else {
            devices.remove(&rule);
        }
        let own = devices.otherwise;
        devices.exceptions.retain(|rule| above.permits_below(own, rule));
        next = tree::next_below(&cgroups.table, top, group);
    }
}
