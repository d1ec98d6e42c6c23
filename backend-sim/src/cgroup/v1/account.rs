//! The cpuacct controller: what the threads of a group and of those below it have used, on each processor, since somebody last
//! set it back (cgroup-v1/cpuacct.rst).
//!
//! Who used what is in `processor`. Programs use all of it, calls nothing. The root's account is the machine's own.

use std::cell::RefCell;

use standin::Errno;

use crate::beside::Beside;
use crate::cgroup::rows::{Target, Write};
use crate::cgroup::{Cgroup, CgroupKey, Cgroups, value};
use crate::kernel::Kernel;
use crate::step::Step;

/// A group's account.
#[derive(Clone, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Account {
    /// By processor; those behind the last have used nothing.
    used_ns: Vec<u64>,
}

/// What cpuacct.stat of a group has told, in ns: it does not tell less, whatever is set back. It does not stand in the group's
/// record, since reading changes none: a snapshot may share it.
pub(in crate::cgroup) type Told = RefCell<Beside<Cgroup, u64>>;

/// What booting took of the first processor: about as much as real machines take.
const BOOT_NS: u64 = 1_000_000_000;

/// A tick of the clock in which cpuacct.stat counts.
const NS_PER_TICK: u64 = 10_000_000;

impl Account {
    /// That of a machine that has booted.
    pub(in crate::cgroup) fn booted() -> Self {
        Self { used_ns: vec![BOOT_NS] }
    }

    /// A processor was used for so long.
    pub(crate) fn add(&mut self, processor: u32, ns: u64) {
        let place = processor as usize;
        if self.used_ns.len() <= place {
            self.used_ns.resize(place + 1, 0);
        }
        if let Some(used) = self.used_ns.get_mut(place) {
            *used += ns;
        }
    }

    /// The account of a group, to add to it.
    pub(in crate::cgroup) fn of_mut(cgroups: &mut Cgroups, group: CgroupKey) -> &mut Self {
        if cgroups.table.at(group).parent.is_none() {
            &mut cgroups.account
        } else {
            cgroups.table.at_mut(group).account_mut()
        }
    }

    fn of(cgroups: &Cgroups, group: CgroupKey) -> Option<&Self> {
        let record = cgroups.table.at(group);
        if record.parent.is_none() { Some(&cgroups.account) } else { record.account() }
    }
}

/// What was used on each processor.
fn by_processor(kernel: &Kernel, target: Target) -> impl Iterator<Item = u64> {
    let account = Account::of(&kernel.cgroups, target.group);
    let used = account.map_or(&[][..], |account| &account.used_ns);
    used.iter().copied().chain(std::iter::repeat(0)).take(kernel.profile.processors as usize)
}

pub(in crate::cgroup) fn show_usage(
    kernel: &Kernel,
    target: Target,
    out: &mut Vec<u8>,
) -> Step<()> {
    value::print_line(by_processor(kernel, target).sum(), out);
    Ok(())
}

/// Sets everything back but what cpuacct.stat has told; of the root nothing. EINVAL: another number than 0.
pub(in crate::cgroup) fn store_usage(kernel: &mut Kernel, write: &Write<'_>) -> Step<()> {
    if value::unsigned(write.bytes)? != 0 {
        return Err(Errno::EINVAL.into());
    }
    let record = kernel.cgroups.table.at_mut(write.group);
    if record.parent.is_some() && record.account().is_some() {
        record.account_mut().used_ns.clear();
    }
    Ok(())
}

/// What calls used.
pub(in crate::cgroup) fn show_system(_: &Kernel, _: Target, out: &mut Vec<u8>) -> Step<()> {
    value::print_line(0, out);
    Ok(())
}

pub(in crate::cgroup) fn show_by_processor(
    kernel: &Kernel,
    target: Target,
    out: &mut Vec<u8>,
) -> Step<()> {
    print_row(by_processor(kernel, target), out);
    Ok(())
}

pub(in crate::cgroup) fn show_system_by_processor(
    kernel: &Kernel,
    target: Target,
    out: &mut Vec<u8>,
) -> Step<()> {
    print_row(by_processor(kernel, target).map(|_| 0), out);
    Ok(())
}

fn print_row(numbers: impl Iterator<Item = u64>, out: &mut Vec<u8>) {
    for number in numbers {
        value::print(number, out);
        out.push(b' ');
    }
    out.push(b'\n');
}

/// A line a processor.
pub(in crate::cgroup) fn show_all(kernel: &Kernel, target: Target, out: &mut Vec<u8>) -> Step<()> {
    out.extend_from_slice(b"cpu user system\n");
    for (processor, used) in (0..).zip(by_processor(kernel, target)) {
        value::print(processor, out);
        out.push(b' ');
        value::print(used, out);
        out.extend_from_slice(b" 0\n");
    }
    Ok(())
}

/// In ticks; never less than it was before.
pub(in crate::cgroup) fn show_stat(kernel: &Kernel, target: Target, out: &mut Vec<u8>) -> Step<()> {
    let mut told = by_processor(kernel, target).sum::<u64>();
    let cgroups = &kernel.cgroups;
    if Account::of(cgroups, target.group).is_some() {
        // All roots are one.
        let is_root = cgroups.table.at(target.group).parent.is_none();
        let group = if is_root { cgroups.root } else { target.group };
        let mut all = cgroups.told.borrow_mut();
        match all.get_mut(group) {
            Some(before) => {
                told = told.max(*before);
                *before = told;
            }
            None => all.insert(group, told),
        }
    }
    value::print_keyed("user", told / NS_PER_TICK, out);
    value::print_keyed("system", 0, out);
    Ok(())
}
