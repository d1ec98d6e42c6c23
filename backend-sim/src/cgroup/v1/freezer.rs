//! The v1 freezer: freezer.state, and who stands still by it (cgroup-v1/freezer-subsystem.rst).
//!
//! A group is *freezing* if it was told to or its parent is; its threads stand still then, and take no signal: what would end
//! one of them does so when it is thawed (`task::exit`). It is *frozen* when somebody has read that all its threads and children
//! are. A thread that cannot stand still yet does not exist here; a child that was removed a moment ago counts if nobody had
//! read that it was frozen.

use standin::id::Moment;
use standin::{Controller, Errno};

use crate::cgroup::rows::{Target, Write};
use crate::cgroup::{Cgroup, CgroupKey, Cgroups, freeze, tree, value};
use crate::kernel::Kernel;
use crate::list::iterate;
use crate::step::Step;
use crate::task::{ThreadKey, exit, signal};

/// What the freezer knows of a group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(in crate::cgroup) struct Freezing {
    /// It was told to itself.
    itself: bool,
    /// Its parent is freezing.
    above: bool,
    /// All of it was seen to stand still.
    frozen: bool,
    /// When a child was removed that was not seen to.
    lost_child: Option<Moment>,
}

impl Freezing {
    const fn is_effective(self) -> bool {
        self.itself || self.above
    }
}

const FROZEN: &[u8] = b"FROZEN";
const FREEZING: &[u8] = b"FREEZING";
const THAWED: &[u8] = b"THAWED";

pub(in crate::cgroup) fn show_state(
    kernel: &Kernel,
    target: Target,
    out: &mut Vec<u8>,
) -> Step<()> {
    let freezing = kernel.cgroups.table.at(target.group).freezing();
    out.extend_from_slice(match (freezing.frozen, freezing.is_effective()) {
        (true, _) => FROZEN,
        (false, true) => FREEZING,
        (false, false) => THAWED,
    });
    out.push(b'\n');
    Ok(())
}

pub(in crate::cgroup) fn show_itself(
    kernel: &Kernel,
    target: Target,
    out: &mut Vec<u8>,
) -> Step<()> {
    value::print_line(kernel.cgroups.table.at(target.group).freezing().itself.into(), out);
    Ok(())
}

pub(in crate::cgroup) fn show_above(
    kernel: &Kernel,
    target: Target,
    out: &mut Vec<u8>,
) -> Step<()> {
    value::print_line(kernel.cgroups.table.at(target.group).freezing().above.into(), out);
    Ok(())
}

/// freezer.state is about to be read: looks at every group from the lowest up, whether it stands still.
pub(super) fn look(kernel: &mut Kernel, top: CgroupKey) {
    let now = kernel.clock.monotonic();
    let cgroups = &mut kernel.cgroups;
    let below: Vec<CgroupKey> = tree::subtree(&cgroups.table, top).map(|(key, _)| key).collect();
    // Every child stands behind its parent.
    for group in below.into_iter().rev() {
        let record = cgroups.table.at(group);
        let freezing = record.freezing();
        let frozen = freezing.is_effective()
            && freezing.lost_child != Some(now)
            && iterate(&cgroups.table, record.children, |child| &child.siblings)
                .all(|(_, child)| child.freezing().frozen);
        if frozen && !freezing.frozen {
            cgroups.table.at_mut(group).set_freezing(Freezing { frozen, ..freezing });
        }
    }
}

/// A child was removed.
pub(super) fn disappears(kernel: &mut Kernel, parent: CgroupKey, child: CgroupKey) {
    let cgroups = &mut kernel.cgroups;
    if !cgroups.table.at(child).freezing().frozen {
        let lost_child = Some(kernel.clock.monotonic());
        let parent = cgroups.table.at_mut(parent);
        parent.set_freezing(Freezing { lost_child, ..parent.freezing() });
    }
}

/// Writes freezer.state: FROZEN or THAWED, with white space around it.
pub(in crate::cgroup) fn store_state(kernel: &mut Kernel, write: &Write<'_>) -> Step<()> {
    let itself = match value::strip(write.bytes) {
        FROZEN => true,
        THAWED => false,
        _ => return Err(Errno::EINVAL.into()),
    };
    let cgroups = &mut kernel.cgroups;
    let mut next = Some(write.group);
    while let Some(group) = next {
        let record = cgroups.table.at(group);
        let before = record.freezing();
        let mut now = if group == write.group {
            Freezing { itself, ..before }
        } else {
            Freezing { above: is_parent_freezing(cgroups, record), ..before }
        };
        now.frozen &= now.is_effective();
        if now != before {
            cgroups.table.at_mut(group).set_freezing(now);
        }
        next = tree::next_below(&cgroups.table, write.group, group);
    }
    settle_all(kernel);
    Ok(())
}

fn is_parent_freezing(cgroups: &Cgroups, group: &Cgroup) -> bool {
    group.parent.is_some_and(|parent| cgroups.table.at(parent).freezing().is_effective())
}

/// A group was made: below one that is freezing it is, too.
pub(super) fn appears(cgroups: &mut Cgroups, group: CgroupKey) {
    if is_parent_freezing(cgroups, cgroups.table.at(group)) {
        let freezing = Freezing { above: true, frozen: true, ..Freezing::default() };
        cgroups.table.at_mut(group).set_freezing(freezing);
    }
}

/// Every thread does what its group is told.
fn settle_all(kernel: &mut Kernel) {
    let threads = kernel.tasks.threads.iter();
    let live: Vec<ThreadKey> =
        threads.filter(|(_, thread)| !thread.exited).map(|(key, _)| key).collect();
    for thread in live {
        settle(kernel, thread);
    }
}

/// Whether the group of a thread is freezing.
fn is_told(kernel: &Kernel, thread: ThreadKey) -> bool {
    kernel.cgroups.table.at(group_of(kernel, thread)).freezing().is_effective()
}

fn group_of(kernel: &Kernel, thread: ThreadKey) -> CgroupKey {
    kernel.cgroups.group_of(kernel.tasks.threads.at(thread), Controller::Freezer)
}

/// A thread has come to its group.
pub(in crate::cgroup) fn comes(kernel: &mut Kernel, thread: ThreadKey) {
    if kernel.tasks.threads.get(thread).is_some_and(|thread| !thread.exited) {
        let group = group_of(kernel, thread);
        is_joined(&mut kernel.cgroups, group);
        settle(kernel, thread);
    }
}

/// A thread whose group is told otherwise does what it is told. It may end by that.
fn settle(kernel: &mut Kernel, thread: ThreadKey) {
    if kernel.tasks.threads.get(thread).is_none_or(|thread| thread.exited) {
        return;
    }
    let told = is_told(kernel, thread);
    let record = kernel.tasks.threads.at_mut(thread);
    if record.frozen_v1 == told {
        return;
    }
    record.frozen_v1 = told;
    if told {
        record.attention = true;
    } else if !exit::thawed(kernel, thread) {
        // What came meanwhile from v2, or by signals, counts from now on.
        signal::thawed(kernel, thread);
        freeze::held(kernel, thread);
        signal::attend(kernel, thread);
    }
}

/// A thread has come to a group that is freezing: that is not seen to be frozen any more.
fn is_joined(cgroups: &mut Cgroups, group: CgroupKey) {
    let mut next = Some(group);
    while let Some(key) = next {
        let record = cgroups.table.at_mut(key);
        let freezing = record.freezing();
        if !freezing.frozen {
            return;
        }
        record.set_freezing(Freezing { frozen: false, ..freezing });
        next = record.parent;
    }
}

/// What is wrong with who stands still, if anything.
pub(in crate::cgroup) fn check(kernel: &Kernel) -> Result<(), String> {
    for (key, thread) in kernel.tasks.threads.iter().filter(|(_, thread)| !thread.exited) {
        if thread.frozen_v1 != is_told(kernel, key) {
            return Err(format!("thread {} stands still: {}", thread.number, thread.frozen_v1));
        }
    }
    Ok(())
}
