//! cgroup.controllers and cgroup.subtree_control: which controllers a group's children have (cgroup-v2.rst, Enabling and
//! Disabling).

use standin::{Controller, ControllerSet, Errno};

use super::rows::{self, Class, Target, Write};
use super::subsystem::needed;
use super::{
    CgroupKey, Cgroups, THREADED, cpuset, domain, memory, memory_group, pids, setting, value,
};
use crate::kernel::Kernel;
use crate::list::iterate;
use crate::profile::Release;
use crate::step::Step;
use crate::task::ThreadKey;

fn print(controllers: ControllerSet, out: &mut Vec<u8>) {
    for (index, controller) in controllers.iter().enumerate() {
        if index > 0 {
            out.push(b' ');
        }
        out.extend_from_slice(controller.name().as_bytes());
    }
    if !controllers.is_empty() {
        out.push(b'\n');
    }
}

pub(super) fn show_controllers(kernel: &Kernel, target: Target, out: &mut Vec<u8>) -> Step<()> {
    print(kernel.cgroups.enabled(target.group), out);
    Ok(())
}

pub(super) fn show(kernel: &Kernel, target: Target, out: &mut Vec<u8>) -> Step<()> {
    print(kernel.cgroups.table.at(target.group).subtree_control, out);
    Ok(())
}

/// What a write asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Wanted {
    enable: ControllerSet,
    disable: ControllerSet,
}

/// Words that begin with `+` or `-`, blanks between them and no other white space; of two words about one controller the
/// last counts. EINVAL: any other word. Controllers that v2 does not know are other words, perf_event is not.
fn parse(bytes: &[u8], known: ControllerSet) -> Result<Wanted, Errno> {
    let mut wanted = Wanted::default();
    for word in value::strip(bytes).split(|byte| *byte == b' ') {
        let [sign, name @ ..] = word else { continue };
        let named = |controller: &Controller| controller.name().as_bytes() == name;
        let controller = known.iter().find(named).ok_or(Errno::EINVAL)?;
        let (to, from) = match sign {
            b'+' => (&mut wanted.enable, &mut wanted.disable),
            b'-' => (&mut wanted.disable, &mut wanted.enable),
            _ => return Err(Errno::EINVAL),
        };
        to.insert(controller);
        from.remove(controller);
    }
    Ok(wanted)
}

/// Controllers that the kernel has for v2, used there or not: the 6.18 one was built without rdma and misc.
fn known(cgroups: &Cgroups) -> ControllerSet {
    let always = THREADED.with(Controller::Io).with(Controller::Memory).with(Controller::Hugetlb);
    let known = always.union(cgroups.enabled(cgroups.root));
    if cgroups.release == Release::V6_18 {
        known
    } else {
        known.with(Controller::Rdma).with(Controller::Misc)
    }
}

/// Writes cgroup.subtree_control: all or nothing.
pub(super) fn store(kernel: &mut Kernel, write: &Write<'_>) -> Step<()> {
    let cgroups = &kernel.cgroups;
    let group = write.group;
    let mut wanted = parse(write.bytes, known(cgroups))?;
    let record = cgroups.table.at(group);
    let shared = record.subtree_control;
    let available = cgroups.enabled(group);
    wanted.enable = wanted.enable.difference(shared);
    wanted.disable = wanted.disable.intersection(shared);
    for controller in wanted.enable.union(wanted.disable) {
        if wanted.enable.contains(controller) {
            if !available.contains(controller) {
                return Err(Errno::ENOENT.into());
            }
            continue;
        }
        let mut children = iterate(&cgroups.table, record.children, |child| &child.siblings);
        if children.any(|(_, child)| child.subtree_control.contains(controller)) {
            return Err(Errno::EBUSY.into());
        }
    }
    if wanted == Wanted::default() {
        return Ok(());
    }
    vet(cgroups, group, wanted.enable)?;
    let controllers = shared.union(wanted.enable).difference(wanted.disable);
    let begins = !needed(shared).contains(Controller::Memory)
        && needed(controllers).contains(Controller::Memory);
    if begins && !record.children.is_empty() {
        memory_group::may_begin(kernel, group)?;
    }
    apply(kernel, write.caller, group, controllers)
}

/// Whether a group may share out more controllers: no domain controllers in a threaded subtree (EOPNOTSUPP), none while
/// processes are in it (EBUSY).
fn vet(cgroups: &Cgroups, group: CgroupKey, enable: ControllerSet) -> Result<(), Errno> {
    let table = &cgroups.table;
    if enable.is_empty() {
        return Ok(());
    }
    if !domain::is_valid(table, table.at(group).domain) {
        return Err(Errno::EOPNOTSUPP);
    }
    if domain::is_mixable(table, group) {
        return Ok(());
    }
    let threaded = domain::is_threaded(table, group);
    if enable.difference(THREADED).is_empty() {
        if threaded || domain::can_be_thread_root(table, group) {
            return Ok(());
        }
    } else if threaded || domain::is_thread_root(table, group) {
        return Err(Errno::EOPNOTSUPP);
    }
    if table.at(group).members.is_empty() { Ok(()) } else { Err(Errno::EBUSY) }
}

/// Gives the children these controllers. EEXIST if a group stands where a file of a child would.
fn apply(
    kernel: &mut Kernel,
    caller: ThreadKey,
    group: CgroupKey,
    controllers: ControllerSet,
) -> Step<()> {
    let credentials = kernel.credentials(caller);
    let enabler = (credentials.user.filesystem, credentials.group.filesystem);
    let cgroups = &mut kernel.cgroups;
    let children =
        iterate(&cgroups.table, cgroups.table.at(group).children, |child| &child.siblings);
    let children: Vec<_> =
        children.map(|(key, _)| (key, cgroups.enabled(key), cgroups.present(key))).collect();
    let before = std::mem::replace(&mut cgroups.table.at_mut(group).subtree_control, controllers);
    if children.iter().any(|(key, enabled, _)| {
        is_taken(cgroups, *key, cgroups.enabled(*key).difference(*enabled))
    }) {
        cgroups.table.at_mut(group).subtree_control = before;
        return Err(Errno::EEXIST.into());
    }
    let with_cpuset = |key: CgroupKey| cgroups.present(key).contains(Controller::Cpuset);
    let switched = children.iter().map(|(key, ..)| *key);
    let switched: Vec<_> = switched
        .filter(|key| with_cpuset(*key) != cgroups.table.at(*key).cpuset.is_some())
        .collect();
    match cpuset::may_switch(kernel, caller, group, &switched) {
        Ok(switch) => cpuset::switch(kernel, caller, group, &switched, &switch),
        Err(errno) => {
            kernel.cgroups.table.at_mut(group).subtree_control = before;
            return Err(errno.into());
        }
    }
    let cgroups = &mut kernel.cgroups;
    for (key, enabled, present) in children {
        let new = cgroups.enabled(key).difference(enabled);
        if !new.is_empty() {
            cgroups.table.at_mut(key).set_enabler(new, enabler);
        }
        if cgroups.present(key).contains(Controller::Pids) && !present.contains(Controller::Pids) {
            pids::appears(&kernel.tasks.threads, cgroups, key);
        }
        take_away(cgroups, key, enabled, present);
    }
    Ok(())
}

/// Whether a child group has the name of a file of these controllers.
fn is_taken(cgroups: &Cgroups, group: CgroupKey, controllers: ControllerSet) -> bool {
    if cgroups.table.at(group).children.is_empty() {
        return false;
    }
    let mut names =
        controllers.iter().flat_map(|controller| rows::names_of(cgroups.release, controller));
    names.any(|name| cgroups.index.find(&cgroups.table, group, name.as_bytes()).is_some())
}

/// A controller leaves the v2 hierarchy, where no group below the root has it.
pub(super) fn withdraw(cgroups: &mut Cgroups, controller: Controller) {
    let root = cgroups.table.at_mut(cgroups.root);
    root.subtree_control.remove(controller);
    root.reincarnate(Class::Of(controller));
}

/// Takes away the files and state of controllers that a group had (`enabled`, and with state) and has no more.
pub(super) fn take_away(
    cgroups: &mut Cgroups,
    group: CgroupKey,
    enabled: ControllerSet,
    present: ControllerSet,
) {
    let (still_enabled, still_present) = (cgroups.enabled(group), cgroups.present(group));
    for controller in enabled.difference(still_enabled) {
        let record = cgroups.table.at_mut(group);
        record.reincarnate(Class::Of(controller));
        if still_present.contains(controller) {
            setting::reset(record, controller);
        }
    }
    for controller in present.difference(still_present) {
        setting::forget(cgroups.table.at_mut(group), controller);
        if controller == Controller::Cpu {
            cgroups.table.at_mut(group).forget_cpu();
        }
        if controller == Controller::Io {
            cgroups.table.at_mut(group).forget_io();
        }
        if controller == Controller::Pids {
            pids::disappears(cgroups, group);
        } else if controller == Controller::Memory {
            memory::disappears(cgroups, group);
        }
    }
}

#[cfg(test)]
mod tests {
    use standin::{Controller, ControllerSet, Errno};

    use super::{Wanted, parse};

    #[track_caller]
    fn check(text: &str, enable: &[Controller], disable: &[Controller]) {
        let set =
            |controllers: &[Controller]| controllers.iter().copied().collect::<ControllerSet>();
        let wanted = Wanted { enable: set(enable), disable: set(disable) };
        assert_eq!(parse(text.as_bytes(), ControllerSet::ALL), Ok(wanted), "{text:?}");
    }

    #[test]
    fn of_two_words_about_one_controller_the_last_counts() {
        check("+pids -pids", &[], &[Controller::Pids]);
        check("-pids  +pids +memory\n", &[Controller::Pids, Controller::Memory], &[]);
        check(" \n", &[], &[]);
    }

    #[test]
    fn words_are_parted_by_blanks_alone() {
        for text in [
            "+pids\t+memory",
            "+pids\n+memory",
            "pids",
            "*pids",
            "+",
            "+Pids",
            "+blkio",
            "+pids,",
            "++pids",
        ] {
            assert_eq!(parse(text.as_bytes(), ControllerSet::ALL), Err(Errno::EINVAL), "{text:?}");
        }
    }
}
