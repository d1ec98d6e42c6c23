//! From a refusal to the rule behind it, by looking at what is there afterwards.
//!
//! Only refusals of a kernel come here, and looking costs calls only when something failed. A look that fails itself
//! explains nothing. Somebody else may have changed what is looked at in between: then no rule is better than a wrong
//! one, and the errno stands alone.

use super::error::Action;
use super::group::{Group, files};
use super::hierarchy::Hierarchy;
use super::name::{FileName, GroupPath};
use super::rule::{GroupKind, Rule};
use super::value::Limit;
use crate::backend::Backend;
use crate::controller::{Controller, ControllerSet};
use crate::errno::Errno;
use crate::failure::Failure;
use crate::id::Pid;

/// Whose bits say that a file can be read or written at all: its owner's.
const OWNER_READS: u16 = 0o400;
const OWNER_WRITES: u16 = 0o200;

/// A group could not be opened.
pub(super) fn open(failure: &Failure) -> Option<Rule> {
    match failure.errno()? {
        Errno::ENOENT | Errno::ENOTDIR => Some(Rule::Missing),
        Errno::EACCES | Errno::EPERM => Some(Rule::Permission),
        _ => None,
    }
}

/// Something failed that does so where the group is gone.
pub(super) fn gone(backend: &dyn Backend, group: &Group, failure: &Failure) -> Option<Rule> {
    match failure.errno()? {
        Errno::ENODEV => Some(Rule::Vanished),
        Errno::ENOENT if Hierarchy::is_gone(backend, group.directory()) => Some(Rule::Vanished),
        _ => None,
    }
}

/// A file could not be read.
pub(super) fn read(
    backend: &dyn Backend,
    group: &Group,
    file: &FileName,
    failure: &Failure,
) -> Option<Rule> {
    match failure.errno()? {
        Errno::EOPNOTSUPP => kind(backend, group),
        Errno::EISDIR => Some(Rule::NoFile),
        _ => reach(backend, group, file, failure, (OWNER_READS, Rule::NotReadable)),
    }
}

/// A file could not be written.
pub(super) fn write(
    backend: &dyn Backend,
    group: &Group,
    file: &FileName,
    failure: &Failure,
    length: usize,
) -> Option<Rule> {
    let rule = reach(backend, group, file, failure, (OWNER_WRITES, Rule::NotWritable));
    rule.or_else(|| match failure.errno()? {
        Errno::EINVAL | Errno::ERANGE => Some(Rule::BadValue),
        Errno::E2BIG => Some(Rule::TooLong { length }),
        Errno::EISDIR => Some(Rule::NoFile),
        Errno::EOPNOTSUPP => kind(backend, group),
        _ => None,
    })
}

/// Refusals that have nothing to do with what is read or written.
fn reach(
    backend: &dyn Backend,
    group: &Group,
    file: &FileName,
    failure: &Failure,
    (bit, cannot): (u16, Rule),
) -> Option<Rule> {
    let can = || group.stat(backend, file).is_none_or(|stat| stat.mode.bits() & bit != 0);
    match failure.errno()? {
        Errno::ENODEV => Some(Rule::Vanished),
        Errno::ENOENT => no_file(backend, group, file),
        Errno::EACCES | Errno::EPERM if can() => Some(Rule::Permission),
        // Root may open any file; what it cannot do is refused when it tries.
        Errno::EACCES | Errno::EPERM | Errno::EINVAL if !can() => Some(cannot),
        _ => None,
    }
}

/// Why there is no such file.
fn no_file(backend: &dyn Backend, group: &Group, file: &FileName) -> Option<Rule> {
    if Hierarchy::is_gone(backend, group.directory()) {
        return Some(Rule::Vanished);
    }
    let Some(controller) = file.controller() else { return Some(Rule::NoFile) };
    Some(if group.controllers(backend).ok()?.contains(controller) {
        Rule::NoFile
    } else if group.hierarchy().controllers(backend).ok()?.contains(controller) {
        Rule::ControllerOff(controller)
    } else {
        Rule::ControllerMissing(controller.into())
    })
}

fn kind(backend: &dyn Backend, group: &Group) -> Option<Rule> {
    let kind = group.kind(backend).ok()?;
    (!matches!(kind, GroupKind::Root | GroupKind::V1)).then_some(Rule::Kind(kind))
}

/// Controllers could not be enabled or disabled.
pub(super) fn switch(
    backend: &dyn Backend,
    group: &Group,
    action: Action,
    controllers: ControllerSet,
    failure: &Failure,
) -> Option<Rule> {
    match (failure.errno()?, action) {
        (Errno::EBUSY, Action::Enable) => Some(internal(group.processes(backend).ok()?)?),
        (Errno::EBUSY, _) => {
            let enables = |name: &_| {
                let child = group.child(backend, name).ok()?;
                Some(!child.enabled(backend).ok()?.intersection(controllers).is_empty())
            };
            let mut children = group.children(backend).ok()?;
            children.retain(|name| enables(name) == Some(true));
            (!children.is_empty()).then_some(Rule::UsedBelow { children })
        }
        (Errno::EOPNOTSUPP, _) => kind(backend, group),
        (Errno::ENOENT, Action::Enable) if !Hierarchy::is_gone(backend, group.directory()) => {
            let missing = controllers.difference(group.controllers(backend).ok()?);
            let all = group.hierarchy().controllers(backend).ok()?;
            let off = missing.iter().find(|controller| all.contains(*controller));
            Some(off.map_or(Rule::ControllerMissing(missing), Rule::ControllerOff))
        }
        _ => {
            let file = files::subtree_control();
            reach(backend, group, &file, failure, (OWNER_WRITES, Rule::NotWritable))
        }
    }
}

/// The rule of processes inside, if there are any.
pub(super) fn internal(processes: Vec<Pid>) -> Option<Rule> {
    (!processes.is_empty()).then_some(Rule::InternalProcesses { processes })
}

/// A process or thread could not be moved in.
pub(super) fn attach(
    backend: &dyn Backend,
    group: &Group,
    file: &FileName,
    failure: &Failure,
) -> Option<Rule> {
    match failure.errno()? {
        Errno::EBUSY => {
            let enabled = group.enabled(backend).ok()?;
            (!enabled.is_empty()).then_some(Rule::SharesOut(enabled))
        }
        Errno::EOPNOTSUPP => kind(backend, group),
        Errno::ESRCH => Some(Rule::NoSuchTask),
        Errno::ENOSPC => Some(Rule::EmptyCpuset),
        Errno::EINVAL => Some(Rule::Immovable),
        Errno::EACCES | Errno::EPERM => Some(Rule::Containment),
        _ => reach(backend, group, file, failure, (OWNER_WRITES, Rule::NotWritable)),
    }
}

/// A group or file could not be given to somebody.
pub(super) fn give(failure: &Failure) -> Option<Rule> {
    match failure.errno()? {
        Errno::EACCES | Errno::EPERM => Some(Rule::Permission),
        Errno::ENOENT | Errno::ENODEV => Some(Rule::Vanished),
        _ => None,
    }
}

/// A group could not be made in another.
pub(super) fn mkdir(backend: &dyn Backend, parent: &Group, failure: &Failure) -> Option<Rule> {
    match failure.errno()? {
        Errno::EEXIST => Some(Rule::Taken),
        Errno::EACCES | Errno::EPERM => Some(Rule::Permission),
        Errno::EAGAIN => full(backend, parent),
        _ => gone(backend, parent, failure),
    }
}

/// Which groups above allow no more (cgroup-v2.rst, `cgroup.max.depth` and `cgroup.max.descendants`).
fn full(backend: &dyn Backend, parent: &Group) -> Option<Rule> {
    let mut limits: Vec<(GroupPath, &'static str)> = Vec::new();
    let mut above = Some(parent.path().clone());
    let mut level: u64 = 1;
    while let Some(path) = above {
        let group = parent.hierarchy().open(backend, &path).ok()?;
        let limit = |file: &FileName| group.read(backend, file).ok()?.limit().ok();
        if limit(&files::max_depth())? < Limit::At(level) {
            limits.push((path.clone(), "cgroup.max.depth"));
        }
        let stat = group.read(backend, &files::stat()).ok()?;
        let descendants = stat.entry::<u64>("nr_descendants").ok()??;
        if limit(&files::max_descendants())? <= Limit::At(descendants) {
            limits.push((path.clone(), "cgroup.max.descendants"));
        }
        above = path.parent();
        level += 1;
    }
    (!limits.is_empty()).then_some(Rule::Full { limits })
}

/// Controllers that may be enabled where there are processes: those that can tell threads apart (cgroup-v2.rst,
/// Threads).
const THREADED: [Controller; 4] =
    [Controller::Cpuset, Controller::Cpu, Controller::PerfEvent, Controller::Pids];

/// Those of a set that cannot.
pub(super) fn domain(controllers: ControllerSet) -> ControllerSet {
    controllers.iter().filter(|controller| !THREADED.contains(controller)).collect()
}
