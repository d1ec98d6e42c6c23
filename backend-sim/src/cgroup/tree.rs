//! The tree itself: making and removing groups, going through them, and what becomes of removed ones.
//!
//! A removed group is *dying* while a zombie that was in it is not reaped, memory is charged to it, or such a group is below
//! it; then it is *released*. Its record stays a little longer if an open file or a working directory names it.

use standin::id::Mode;
use standin::{Controller, Errno, Failure, Gid, Uid};

use super::{
    Cgroup, CgroupKey, Cgroups, Pids, cpuset, domain, freeze, hierarchy_limit, memory_group, rows,
    v1,
};
use crate::fs::permission::SET_GROUP_ID;
use crate::kernel::Kernel;
use crate::list::unlink;
use crate::profile::Release;
use crate::step::Step;
use crate::table::Table;
use crate::task::ThreadKey;
use crate::wait::Channel;

/// The group behind `group` in the order parents first, `top` and what is below it alone.
pub(super) fn next_below(
    table: &Table<Cgroup>,
    top: CgroupKey,
    group: CgroupKey,
) -> Option<CgroupKey> {
    next_from(table, top, group, table.at(group).children.first(table))
}

/// The same, without what is below `group`.
pub(super) fn next_beside(
    table: &Table<Cgroup>,
    top: CgroupKey,
    group: CgroupKey,
) -> Option<CgroupKey> {
    next_from(table, top, group, None)
}

fn next_from(
    table: &Table<Cgroup>,
    top: CgroupKey,
    group: CgroupKey,
    child: Option<CgroupKey>,
) -> Option<CgroupKey> {
    if child.is_some() {
        return child;
    }
    let mut key = group;
    while key != top {
        let record = table.at(key);
        if let Some(sibling) = record.siblings.next(table) {
            return Some(sibling);
        }
        key = record.parent?;
    }
    None
}

/// A group and all below it that were not removed, parents first.
pub(crate) fn subtree(
    table: &Table<Cgroup>,
    top: CgroupKey,
) -> impl Iterator<Item = (CgroupKey, &Cgroup)> {
    let mut next = Some(top);
    std::iter::from_fn(move || {
        let key = next?;
        next = next_below(table, top, key);
        Some((key, table.at(key)))
    })
}

/// Whether `group` is `top` or below it, removed groups included.
pub(super) fn is_within(table: &Table<Cgroup>, group: CgroupKey, top: CgroupKey) -> bool {
    let level = table.at(top).level;
    let mut key = group;
    loop {
        let record = table.at(key);
        match record.parent {
            Some(parent) if record.level > level => key = parent,
            _ => return key == top,
        }
    }
}

/// The path of a group from the root, also of a removed one.
pub(crate) fn path(kernel: &Kernel, group: CgroupKey, out: &mut Vec<u8>) {
    let table = &kernel.cgroups.table;
    let start = out.len();
    // Names are added from the last to the first, each backwards, and all is turned around.
    let mut key = group;
    while let Some(record) = table.get(key)
        && let Some(parent) = record.parent
    {
        out.extend(record.name.iter().rev());
        out.push(b'/');
        key = parent;
    }
    if out.len() == start {
        out.push(b'/');
    }
    if let Some(written) = out.get_mut(start..) {
        written.reverse();
    }
}

/// The way from one group to another, as somebody prints a path who sees the first as the root: `/..` for each step up.
pub(crate) fn path_from(kernel: &Kernel, root: CgroupKey, group: CgroupKey, out: &mut Vec<u8>) {
    let table = &kernel.cgroups.table;
    let start = out.len();
    let mut top = root;
    while !is_within(table, group, top)
        && let Some(parent) = table.at(top).parent
    {
        out.extend_from_slice(b"/..");
        top = parent;
    }
    let mut names = Vec::new();
    let mut key = group;
    while key != top
        && let record = table.at(key)
        && let Some(parent) = record.parent
    {
        names.push(&record.name);
        key = parent;
    }
    for name in names.into_iter().rev() {
        out.push(b'/');
        out.extend_from_slice(name);
    }
    if out.len() == start {
        out.push(b'/');
    }
}

/// mkdir(2): a child group. Its files are the caller's. What the parent freezes is born frozen.
///
/// # Errors
/// EINVAL: a newline in the name. EAGAIN: a limit of a group above. EEXIST: a file that is hidden has that name. ENOMEM: nothing
/// may be used above.
pub(super) fn mkdir(
    kernel: &mut Kernel,
    caller: ThreadKey,
    parent: CgroupKey,
    name: &[u8],
    mode: Mode,
) -> Step<()> {
    if name.contains(&b'\n') {
        return Err(Errno::EINVAL.into());
    }
    let credentials = kernel.credentials(caller);
    let maker = (credentials.user.filesystem, credentials.group.filesystem);
    let cgroups = &mut kernel.cgroups;
    if cgroups.table.get(parent).is_none_or(|parent| parent.removed) {
        return Err(Errno::ENODEV.into());
    }
    hierarchy_limit::check_child(cgroups, parent)?;
    if rows::is_hidden(cgroups, parent, name) {
        return Err(Errno::EEXIST.into());
    }
    if cgroups.table.len() >= kernel.profile.limits.cgroups {
        return Err(Failure::LimitReached("cgroups").into());
    }
    if cgroups.given(parent).contains(Controller::Memory) {
        memory_group::may_begin(kernel, parent)?;
    }
    v1::may_appear(&kernel.cgroups, parent)?;
    let now = kernel.clock.realtime();
    let cgroups = &mut kernel.cgroups;
    let id = cgroups.hierarchy_of_mut(parent).new_id();
    let table = &mut cgroups.table;
    let group = table.insert_with(|own| Cgroup::new(id, name.into(), own, Some(parent)));
    let above = table.at_mut(parent);
    above.descendants += 1;
    let given = (above.mode.bits() & SET_GROUP_ID != 0).then_some(above.group);
    let (level, frozen) = (above.level + 1, above.freezer.is_effective());
    let (hierarchy, notifies, clones) =
        (above.hierarchy, above.notify_on_release, above.clone_children);
    // A set-group-id directory gives its group, and the bit; 6.1 then takes the group back from who is not root.
    let keeps = kernel.profile.release >= Release::V6_12 || maker == (Uid::ROOT, Gid::ROOT);
    let maker = (maker.0, given.filter(|_| keeps).unwrap_or(maker.1));
    let record = table.at_mut(group);
    (record.level, record.hierarchy) = (level, hierarchy);
    (record.notify_on_release, record.clone_children) = (notifies, clones);
    (record.owner, record.group) = maker;
    let given_bit = if given.is_some() { SET_GROUP_ID } else { 0 };
    record.mode = Mode::new(mode.bits() & 0o1777 | given_bit);
    record.maker = maker;
    record.made = now;
    let seam = table.at_mut(parent).children.extend(group);
    seam.sew(table, group, |group| &mut group.siblings);
    let mut above = table.at(parent).parent;
    while let Some(key) = above {
        let record = table.at_mut(key);
        record.descendants += 1;
        above = record.parent;
    }
    cgroups.index.insert(&mut cgroups.table, group);
    if cgroups.present(group).contains(Controller::Pids) {
        cgroups.table.at_mut(group).pids = Some(Pids::default());
    }
    if cgroups.present(group).contains(Controller::Cpuset) {
        cpuset::appears(cgroups, group);
    }
    if frozen {
        freeze::born_frozen(kernel, group);
    }
    if hierarchy.is_v1() {
        v1::appears(kernel, group);
    }
    Ok(())
}

/// rmdir(2): EBUSY if it has live members or children. Zombies do not count.
pub(super) fn rmdir(kernel: &mut Kernel, caller: ThreadKey, group: CgroupKey) -> Step<()> {
    let cgroups = &kernel.cgroups;
    let Some(record) = cgroups.table.get(group) else { return Ok(()) };
    if record.removed {
        return Ok(());
    }
    let Some(parent) = record.parent else { return Err(Errno::EBUSY.into()) };
    if record.is_populated() || !record.children.is_empty() {
        return Err(Errno::EBUSY.into());
    }
    let frozen = record.freezer.is_frozen();
    let threaded = domain::is_threaded(&cgroups.table, group);
    if record.cpuset.is_some() {
        cpuset::disappears(kernel, caller, &[group]);
    }
    let cgroups = &mut kernel.cgroups;
    cgroups.index.remove(&mut cgroups.table, group);
    let gap = unlink(&mut cgroups.table, group, |group| &mut group.siblings);
    let above = cgroups.table.at_mut(parent);
    above.children.close(&gap);
    above.threaded_children -= u32::from(threaded);
    let record = cgroups.table.at_mut(group);
    record.removed = true;
    record.pids = None;
    let mut above = Some(parent);
    while let Some(key) = above {
        let record = cgroups.table.at_mut(key);
        record.descendants -= 1;
        record.dying_descendants += 1;
        if frozen {
            record.freezer.frozen_descendants -= 1;
        }
        above = record.parent;
    }
    if cgroups.table.at(group).hierarchy.is_v1() {
        v1::disappears(kernel, parent, group);
    }
    release(&mut kernel.cgroups, group);
    kernel.waits.wake(Channel::Cgroup(group));
    Ok(())
}

/// Lets a removed group go, and those above that it kept, if nothing keeps them any more.
pub(super) fn release(cgroups: &mut Cgroups, group: CgroupKey) {
    let mut next = Some(group);
    while let Some(key) = next {
        let Some(record) = cgroups.table.get_mut(key) else { return };
        let parent = record.parent;
        if !record.removed || record.dead > 0 || record.charges > 0 || record.dying_descendants > 0
        {
            return;
        }
        if !record.released {
            record.released = true;
            let mut above = parent;
            while let Some(key) = above {
                let record = cgroups.table.at_mut(key);
                record.dying_descendants -= 1;
                above = record.parent;
            }
        }
        let record = cgroups.table.at(key);
        if record.users > 0 {
            return;
        }
        cgroups.table.remove(key);
        next = parent;
    }
}
