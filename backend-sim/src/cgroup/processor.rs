//! What groups have to do with processor time: how they share it, what they have used, and what of that is told
//! (cgroup-v2.rst, CPU).
//!
//! Who runs when is [`processor`](crate::processor)'s business, which asks here for weights and quotas and leaves the
//! amounts. A group shares by itself where the cpu controller is; elsewhere its threads share as those of the nearest group
//! above. What was used is counted in every group, and stays when the controller goes.

use standin::Controller;

use super::rows::Target;
use super::v1::account::Account;
use super::{CgroupKey, Cgroups, cpu, value};
use crate::kernel::Kernel;
use crate::processor::Throttle;
use crate::profile::Release;
use crate::step::Step;
use crate::task::Thread;

/// What a group and those below it have used, in ns.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Usage {
    pub(crate) used_ns: u64,
    /// Of it, by threads with a nice value above 0.
    pub(crate) nice_ns: u64,
    /// How long some thread waited for a processor, and how long all did (psi.rst).
    pub(crate) some_ns: u64,
    pub(crate) full_ns: u64,
}

/// The groups in which a thread's use counts: first where it shares processors, then its v2 group and its v1 account, if
/// these are others.
pub(crate) fn counted_in(cgroups: &Cgroups, thread: &Thread) -> [Option<CgroupKey>; 3] {
    let shares = cgroups.group_of(thread, Controller::Cpu);
    let account = cgroups.group_of(thread, Controller::Cpuacct);
    [
        Some(shares),
        Some(thread.cgroup).filter(|group| *group != shares),
        Some(account).filter(|group| *group != shares && *group != thread.cgroup),
    ]
}

/// Whether a group shares processors by itself: it has the controller, and is not the root.
pub(crate) fn shares(cgroups: &Cgroups, group: CgroupKey) -> bool {
    cgroups.table.at(group).parent.is_some() && cgroups.present(group).contains(Controller::Cpu)
}

/// The weight of a group that shares, in the scheduler's units.
pub(crate) fn weight(cgroups: &Cgroups, group: CgroupKey) -> u64 {
    cgroups.table.at(group).cpu().shares()
}

pub(crate) use cpu::shares_of_nice as weight_of_nice;

/// The limit of a group, if it has or had one.
pub(crate) fn throttle(cgroups: &Cgroups, group: CgroupKey) -> Option<&Throttle> {
    cgroups.table.at(group).throttle()
}

/// The same, to change it.
pub(crate) fn throttle_mut(cgroups: &mut Cgroups, group: CgroupKey) -> &mut Throttle {
    cgroups.table.at_mut(group).throttle_mut()
}

/// What a group has used, to add to it.
pub(crate) fn usage_mut(cgroups: &mut Cgroups, group: CgroupKey) -> &mut Usage {
    cgroups.table.at_mut(group).processor_usage_mut()
}

/// Whether what a group uses is counted by processor: it is one of those that the cpuacct controller has, or their root.
pub(crate) fn has_account(cgroups: &Cgroups, group: CgroupKey) -> bool {
    let record = cgroups.table.at(group);
    record.hierarchy == cgroups.home(Controller::Cpuacct)
        && (record.hierarchy.is_v1() || record.parent.is_none())
}

/// What a group has used on each processor, to add to it.
pub(crate) fn account_mut(cgroups: &mut Cgroups, group: CgroupKey) -> &mut Account {
    Account::of_mut(cgroups, group)
}

/// Threads of a group want to run, whom a group above may hold: whether its own quota lets them.
pub(crate) fn begin(kernel: &mut Kernel, group: CgroupKey, held: bool) -> bool {
    let now = kernel.clock.monotonic();
    if throttle(&kernel.cgroups, group).is_none() {
        return true;
    }
    let throttle = throttle_mut(&mut kernel.cgroups, group);
    if held {
        throttle.catch_up(now);
        return !throttle.is_throttled();
    }
    throttle.begin(now)
}

impl Cgroups {
    /// Processor time that was used since the machine began, whoever used it.
    pub(crate) fn used_by_all_ns(&self) -> u64 {
        self.table.at(self.root).processor_usage().used_ns
    }
}

/// cpu.stat: processor time; with the controller, how often its limit bit. Programs use all of it, calls nothing.
pub(super) fn show_stat(kernel: &Kernel, target: Target, out: &mut Vec<u8>) -> Step<()> {
    let cgroups = &kernel.cgroups;
    let record = cgroups.table.at(target.group);
    let usage = record.processor_usage();
    value::print_keyed("usage_usec", usage.used_ns / 1000, out);
    value::print_keyed("user_usec", usage.used_ns / 1000, out);
    value::print_keyed("system_usec", 0, out);
    if cgroups.release >= Release::V6_12 {
        value::print_keyed("nice_usec", usage.nice_ns / 1000, out);
    }
    if cgroups.present(target.group).contains(Controller::Cpu) {
        let counts = throttle_now(kernel, target.group).counts();
        value::print_keyed("nr_periods", counts.periods, out);
        value::print_keyed("nr_throttled", counts.throttled, out);
        value::print_keyed("throttled_usec", counts.throttled_ns / 1000, out);
        value::print_keyed("nr_bursts", counts.bursts, out);
        value::print_keyed("burst_usec", counts.burst_ns / 1000, out);
    }
    Ok(())
}

/// cpu.stat.local: how long the group was held back, by whichever limit; nothing without the controller.
pub(super) fn show_local_stat(kernel: &Kernel, target: Target, out: &mut Vec<u8>) -> Step<()> {
    if kernel.cgroups.present(target.group).contains(Controller::Cpu) {
        let held_ns = throttle_now(kernel, target.group).held_ns;
        value::print_keyed("throttled_usec", held_ns / 1000, out);
    }
    Ok(())
}

/// The limit of a group, with all periods that have ended.
pub(super) fn throttle_now(kernel: &Kernel, group: CgroupKey) -> Throttle {
    let mut throttle = throttle(&kernel.cgroups, group).copied().unwrap_or_default();
    throttle.catch_up(kernel.clock.monotonic());
    throttle
}
