//! What few groups have: files whose mode or owner was changed, extended attributes, values that are not the default, files
//! that were taken away and came back. Boxed, so that the others do not pay for it.

use standin::id::{Gid, Mode, Uid};
use standin::{Controller, ControllerSet};

use super::cpu::Cpu;
use super::io::Io;
use super::processor::Usage;
use super::rows::{self, Class};
use super::v1::account::Account;
use super::v1::cpuset::Cpuset;
use super::v1::devices::Devices;
use super::v1::freezer::Freezing;
use super::v1::net::Marks;
use super::{Cgroup, RowId};
use crate::fs::xattr::Xattrs;
use crate::processor::Throttle;

/// See the module.
#[derive(Clone, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Rare {
    /// How often the files of a class have gone.
    incarnations: Vec<(Class, u16)>,
    /// Who enabled a controller here, if it was not who made the group: its files are theirs.
    enablers: Vec<(Controller, Uid, Gid)>,
    /// Files with another mode or owner than they began with.
    files: Vec<(RowId, Changed)>,
    /// Extended attributes of the directory (`None`) and of files.
    xattrs: Vec<(Option<RowId>, Xattrs)>,
    /// Settings by row that are not the default.
    settings: Vec<(u16, u64)>,
    /// What the cpu controller was told.
    cpu: Option<Cpu>,
    /// What its limit has come to.
    throttle: Option<Box<Throttle>>,
    /// Processor time that was used in it and below.
    usage: Usage,
    /// What the io controller keeps.
    io: Option<Io>,
    /// What the cpuacct controller of v1 counts.
    account: Account,
    /// What the cpuset controller of v1 keeps.
    cpuset: Option<Box<Cpuset>>,
    /// What the v1 freezer was told.
    freezing: Freezing,
    /// Which devices its processes may open, if not simply all.
    devices: Option<Devices>,
    /// What sockets of its processes are marked with.
    marks: Marks,
}

/// A file's mode and owner.
#[derive(Clone, Copy)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Changed {
    pub(super) mode: Mode,
    pub(super) owner: Uid,
    pub(super) group: Gid,
}

impl Cgroup {
    /// Which of the files that came and went with a class are there now.
    pub(super) fn incarnation(&self, class: Class) -> u16 {
        let Some(rare) = &self.rare else { return 0 };
        rare.incarnations.iter().find(|(other, _)| *other == class).map_or(0, |(_, times)| *times)
    }

    /// The files of a class go; those that may come back are others.
    pub(super) fn reincarnate(&mut self, class: Class) {
        let rare = self.rare.get_or_insert_default();
        let next = match rare.incarnations.iter_mut().find(|(other, _)| *other == class) {
            Some((_, times)) => {
                *times = times.wrapping_add(1);
                *times
            }
            None => {
                rare.incarnations.push((class, 1));
                1
            }
        };
        let is_of = |id: RowId| rows::of(id).is_some_and(|row| row.class == class);
        if class == Class::Pressure {
            // These are only hidden: they keep what they have.
            for (id, _) in rare.files.iter_mut().filter(|(id, _)| is_of(*id)) {
                id.incarnation = next;
            }
            for id in
                rare.xattrs.iter_mut().filter_map(|(id, _)| id.as_mut()).filter(|id| is_of(**id))
            {
                id.incarnation = next;
            }
        } else {
            rare.files.retain(|(id, _)| !is_of(*id));
            rare.xattrs.retain(|(id, _)| !id.is_some_and(is_of));
        }
    }

    /// The owner of a controller's files when they are made.
    pub(super) fn enabler(&self, class: Class) -> (Uid, Gid) {
        let (Class::Of(controller), Some(rare)) = (class, &self.rare) else { return self.maker };
        let found = rare.enablers.iter().find(|(other, ..)| *other == controller);
        found.map_or(self.maker, |(_, owner, group)| (*owner, *group))
    }

    /// Somebody enables controllers here.
    pub(super) fn set_enabler(&mut self, controllers: ControllerSet, (owner, group): (Uid, Gid)) {
        let other = (owner, group) != self.maker;
        if !other && self.rare.is_none() {
            return;
        }
        let rare = self.rare.get_or_insert_default();
        rare.enablers.retain(|(controller, ..)| !controllers.contains(*controller));
        if other {
            rare.enablers.extend(controllers.iter().map(|controller| (controller, owner, group)));
        }
    }

    /// A file's mode and owner, if they were changed.
    pub(super) fn changed(&self, id: RowId) -> Option<Changed> {
        self.rare
            .as_ref()?
            .files
            .iter()
            .find(|(other, _)| *other == id)
            .map(|(_, changed)| *changed)
    }

    /// Changes them.
    pub(super) fn set_changed(&mut self, id: RowId, changed: Changed) {
        let files = &mut self.rare.get_or_insert_default().files;
        match files.iter_mut().find(|(other, _)| *other == id) {
            Some((_, old)) => *old = changed,
            None => files.push((id, changed)),
        }
    }

    /// The attributes of a file or of the directory, if it ever had any.
    pub(super) fn xattrs(&self, of: Option<RowId>) -> Option<&Xattrs> {
        self.rare.as_ref()?.xattrs.iter().find(|(other, _)| *other == of).map(|(_, xattrs)| xattrs)
    }

    /// The same, to change them.
    pub(super) fn xattrs_mut(&mut self, of: Option<RowId>) -> &mut Xattrs {
        let xattrs = &mut self.rare.get_or_insert_default().xattrs;
        let found = xattrs.iter().position(|(other, _)| *other == of);
        let index = found.unwrap_or_else(|| {
            xattrs.push((of, Xattrs::default()));
            xattrs.len() - 1
        });
        match xattrs.get_mut(index) {
            Some((_, xattrs)) => xattrs,
            None => unreachable!("{index} was found or made"),
        }
    }

    /// A setting, if it is not the default.
    pub(super) fn setting(&self, row: u16) -> Option<u64> {
        self.rare
            .as_ref()?
            .settings
            .iter()
            .find(|(other, _)| *other == row)
            .map(|(_, value)| *value)
    }

    /// Keeps a setting; the default needs no room.
    pub(super) fn set_setting(&mut self, row: u16, value: u64, default: u64) {
        if value == default && self.rare.is_none() {
            return;
        }
        let settings = &mut self.rare.get_or_insert_default().settings;
        settings.retain(|(other, _)| *other != row);
        if value != default {
            settings.push((row, value));
        }
    }

    /// Forgets settings.
    pub(super) fn forget_settings(&mut self, forgotten: impl Fn(u16) -> bool) {
        if let Some(rare) = &mut self.rare {
            rare.settings.retain(|(row, _)| !forgotten(*row));
        }
    }

    /// What the cpu controller was told.
    pub(super) fn cpu(&self) -> Cpu {
        self.rare.as_ref().and_then(|rare| rare.cpu).unwrap_or_default()
    }

    /// Tells it.
    pub(super) fn set_cpu(&mut self, cpu: Cpu) {
        self.rare.get_or_insert_default().cpu = Some(cpu);
    }

    /// What its limit has come to, if it has or had one.
    pub(super) fn throttle(&self) -> Option<&Throttle> {
        self.rare.as_ref()?.throttle.as_deref()
    }

    /// The same, to change it.
    pub(super) fn throttle_mut(&mut self) -> &mut Throttle {
        self.rare.get_or_insert_default().throttle.get_or_insert_default()
    }

    /// The cpu controller goes, and forgets; what was used stays.
    pub(super) fn forget_cpu(&mut self) {
        if let Some(rare) = &mut self.rare {
            rare.cpu = None;
            rare.throttle = None;
        }
    }

    /// Processor time that was used in it and below.
    pub(super) fn processor_usage(&self) -> Usage {
        self.rare.as_ref().map_or_else(Usage::default, |rare| rare.usage)
    }

    /// The same, to add to it.
    pub(super) fn processor_usage_mut(&mut self) -> &mut Usage {
        &mut self.rare.get_or_insert_default().usage
    }

    /// What the cpuacct controller of v1 counts, if anything.
    pub(super) fn account(&self) -> Option<&Account> {
        self.rare.as_ref().map(|rare| &rare.account)
    }

    /// The same, to change it.
    pub(super) fn account_mut(&mut self) -> &mut Account {
        &mut self.rare.get_or_insert_default().account
    }

    /// What the cpuset controller of v1 keeps of a group below the root.
    pub(super) fn v1_cpuset(&self) -> Option<&Cpuset> {
        self.rare.as_ref()?.cpuset.as_deref()
    }

    /// The same, to change it.
    pub(super) fn v1_cpuset_mut(&mut self) -> &mut Cpuset {
        self.rare.get_or_insert_default().cpuset.get_or_insert_default()
    }

    /// What the v1 freezer was told.
    pub(super) fn freezing(&self) -> Freezing {
        self.rare.as_ref().map_or_else(Freezing::default, |rare| rare.freezing)
    }

    /// Tells it.
    pub(super) fn set_freezing(&mut self, freezing: Freezing) {
        self.rare.get_or_insert_default().freezing = freezing;
    }

    /// Which devices its processes may open, if not simply all.
    pub(super) fn devices(&self) -> Option<&Devices> {
        self.rare.as_ref()?.devices.as_ref()
    }

    /// The same, to change it.
    pub(super) fn devices_mut(&mut self) -> &mut Devices {
        self.rare.get_or_insert_default().devices.get_or_insert_default()
    }

    /// What sockets of its processes are marked with.
    pub(super) fn marks(&self) -> Marks {
        self.rare.as_ref().map_or_else(Marks::default, |rare| rare.marks)
    }

    /// Marks them otherwise from now on.
    pub(super) fn set_marks(&mut self, marks: Marks) {
        self.rare.get_or_insert_default().marks = marks;
    }

    /// What the io controller keeps, if it was ever told anything.
    pub(super) fn io(&self) -> Option<&Io> {
        self.rare.as_ref()?.io.as_ref()
    }

    /// The same, to change it.
    pub(super) fn io_mut(&mut self) -> &mut Io {
        self.rare.get_or_insert_default().io.get_or_insert_default()
    }

    /// The io controller goes, and forgets.
    pub(super) fn forget_io(&mut self) {
        if let Some(rare) = &mut self.rare {
            rare.io = None;
        }
    }
}
