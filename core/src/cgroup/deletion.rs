//! The end of a group with what is in it: a [`Deletion`] says what becomes of its members and of the groups below.
//!
//! What can be known beforehand is looked at before anybody is moved: a removal that the kernel would refuse for the groups
//! below, or a group above that takes nobody, changes nothing. Members may fork or come meanwhile; so it is tried a bounded
//! number of times, and a refusal says who is left.

use std::time::Duration;

use super::delete::{refused, remove};
use super::error::{Action, Error, Result};
use super::group::{Group, files};
use super::hierarchy::Version;
use super::name::GroupName;
use super::populated::is_populated;
use super::rule::{GroupKind, Rule};
use super::value::Value;
use crate::backend::{Backend, Deadline};
use crate::errno::Errno;
use crate::failure::Failure;
use crate::id::{Pid, Tid};
use crate::path::Place;
use crate::signal::Signal;

/// What becomes of the processes in a group that is removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Members {
    /// They are in the way.
    #[default]
    Refuse,
    /// They are moved into the group above the one that is removed.
    MoveUp,
    /// They are killed. Threads in a threaded group cannot be, apart from their process.
    Kill,
}

/// How a group is removed.
///
/// ```
/// use standin::backend::Processes;
/// use standin::cgroup::{Creation, Deletion, GroupPath, Hierarchies, Members};
///
/// # let machine = standin_sim::Machine::builder().build();
/// # let kernel = machine.root();
/// let hierarchies = Hierarchies::find(&kernel).unwrap();
/// let hierarchy = hierarchies.unified().unwrap();
/// let create = |path: &str| Creation::new(GroupPath::new(path).unwrap()).create(&kernel, hierarchy);
/// let (web, worker) = (create("web").unwrap(), kernel.fork().unwrap());
/// create("web/1").unwrap().attach(&kernel, worker.pid().unwrap()).unwrap();
///
/// // Nothing is done as long as something is in the way.
/// Deletion::new().delete(&kernel, &web).unwrap_err();
/// Deletion::new().members(Members::MoveUp).delete(&kernel, &web).unwrap_err();
///
/// Deletion::new().members(Members::MoveUp).recursive().delete(&kernel, &web).unwrap();
/// let root = hierarchy.open(&kernel, &GroupPath::root()).unwrap();
/// assert!(root.processes(&kernel).unwrap().contains(&worker.pid().unwrap()));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deletion {
    members: Members,
    is_recursive: bool,
    rounds: u32,
}

impl Default for Deletion {
    fn default() -> Self {
        Self::new()
    }
}

/// How often it is tried unless it is said.
const ROUNDS: u32 = 20;
/// The pause behind the first round; each later one is longer, up to the longest.
const SHORTEST: Duration = Duration::from_millis(1);
const LONGEST: Duration = Duration::from_millis(50);

impl Deletion {
    /// Of an empty group alone.
    #[must_use]
    pub const fn new() -> Self {
        Self { members: Members::Refuse, is_recursive: false, rounds: ROUNDS }
    }

    /// Says what becomes of members.
    #[must_use]
    pub const fn members(mut self, members: Members) -> Self {
        self.members = members;
        self
    }

    /// With the groups below. Of the root, only these are removed.
    #[must_use]
    pub const fn recursive(mut self) -> Self {
        self.is_recursive = true;
        self
    }

    /// Tries so many times, at least once, where members fork faster than they are moved or take their time to end.
    #[must_use]
    pub const fn rounds(mut self, rounds: u32) -> Self {
        self.rounds = if rounds == 0 { 1 } else { rounds };
        self
    }

    /// Removes a group.
    ///
    /// # Errors
    /// [`Rule::Root`] of a root, unless its groups below are meant; [`Rule::Occupied`] by groups or processes that nothing
    /// was said of, and then nothing was done, or by those that were still there in the last round;
    /// [`Rule::SharesOut`] or [`Rule::Kind`] of the group above, which takes nobody; [`Rule::Vanished`],
    /// [`Rule::Permission`], [`Rule::Containment`].
    pub fn delete(&self, backend: &dyn Backend, group: &Group) -> Result<()> {
        let is_root = group.path().is_root();
        if is_root && !self.is_recursive {
            return Err(group.found(Action::Delete, Rule::Root));
        }
        let above = match group.path().parent() {
            Some(path) if self.members == Members::MoveUp => {
                group.hierarchy().open(backend, &path)?
            }
            _ => group.reopened(),
        };
        self.look(backend, group, &above)?;
        let mut pause = SHORTEST;
        let mut round = 1;
        loop {
            match self.round(backend, group, &above) {
                Err(error) if error.errno() == Some(Errno::EBUSY) && round < self.rounds => {
                    sleep(backend, pause)
                        .map_err(|failure| group.failed(Action::Delete, failure, None))?;
                    (round, pause) = (round + 1, (pause * 2).min(LONGEST));
                }
                done => return done,
            }
        }
    }

    /// Whether anything stands in the way that will still do so when members have gone.
    fn look(&self, backend: &dyn Backend, group: &Group, above: &Group) -> Result<()> {
        let refused = |rule| Err(group.found(Action::Delete, rule));
        if !self.is_recursive {
            let children = group.children(backend)?;
            if !children.is_empty() {
                let processes = members(backend, group)?.into_iter().map(Pid).collect();
                return refused(Rule::Occupied { processes, children });
            }
        }
        // Who ends just now is counted and no longer listed, and stands in nobody's way for long.
        let mut all = Vec::new();
        if self.members != Members::Kill && is_populated(backend, group)? {
            for group in below(backend, group)? {
                all.extend(members(backend, &group)?.into_iter().map(Pid));
            }
        }
        match self.members {
            _ if all.is_empty() => Ok(()),
            Members::Refuse => refused(Rule::Occupied { processes: all, children: Vec::new() }),
            Members::Kill => Ok(()),
            Members::MoveUp => takes_members(backend, above, group).map_or(Ok(()), refused),
        }
    }

    /// Sees to the members of each group and removes it, the deepest first. What is below the group goes by its names there,
    /// whoever made it.
    fn round(&self, backend: &dyn Backend, top: &Group, above: &Group) -> Result<()> {
        if self.members == Members::Kill {
            kill(backend, top)?;
        }
        // From the top down to the group that is worked on, each with those of its children that are still there.
        let mut way = vec![self.enter(backend, top.reopened(), above)?];
        while let Some((group, children)) = way.last_mut() {
            if let Some(name) = children.pop() {
                // Most groups have nothing in them, and go without being opened.
                if self.members == Members::MoveUp || !remove_child(backend, group, &name)? {
                    let child = group.child(backend, &name);
                    match child.and_then(|child| self.enter(backend, child, above)) {
                        Err(error) if is_gone(&error) => {}
                        entered => way.push(entered?),
                    }
                }
                continue;
            }
            let Some((group, _)) = way.pop() else { break };
            let removed = match (way.last(), group.path().name()) {
                (_, None) => Ok(()),
                (None, Some(_)) => remove(backend, &group),
                (Some((parent, _)), Some(name)) => match remove_child(backend, parent, &name)? {
                    true => Ok(()),
                    false => Err(group.failed(Action::Delete, Errno::EBUSY.into(), None)),
                },
            };
            removed.map_err(|error| refused(backend, &group, error))?;
        }
        Ok(())
    }

    /// Sees to a group's members; the group, and its children that are to be removed.
    fn enter(
        &self,
        backend: &dyn Backend,
        group: Group,
        above: &Group,
    ) -> Result<(Group, Vec<GroupName>)> {
        if self.members == Members::MoveUp {
            move_members(backend, &group, above)?;
        }
        let children = if self.is_recursive { group.children(backend)? } else { Vec::new() };
        Ok((group, children))
    }
}

/// Removes a group in another, if it is there; false if it is in use.
fn remove_child(backend: &dyn Backend, parent: &Group, name: &GroupName) -> Result<bool> {
    match backend.rmdir(Place::beneath(parent.directory().descriptor(), name.as_path())) {
        Ok(()) => Ok(true),
        Err(failure) if failure.is(Errno::ENOENT) => Ok(true),
        Err(failure) if failure.is(Errno::EBUSY) => Ok(false),
        Err(failure) => {
            let rule = super::explain::open(&failure);
            Err(Error::failed(Action::Delete, failure, rule).on(&parent.path().join(name)?))
        }
    }
}

/// Whether a group was removed by somebody else.
pub(super) fn is_gone(error: &Error) -> bool {
    matches!(error.rule(), Some(Rule::Vanished | Rule::Missing))
}

/// A group and those below it, the deepest first. One that is gone by now is left out.
pub(super) fn below(backend: &dyn Backend, top: &Group) -> Result<Vec<Group>> {
    top.walk(backend).deepest_first().collect()
}

/// Who is in a group: in v1, and in threaded groups, the numbers of threads.
fn members(backend: &dyn Backend, group: &Group) -> Result<Vec<u32>> {
    Ok(match group.kind(backend)? {
        GroupKind::V1 | GroupKind::Threaded => {
            group.threads(backend)?.into_iter().map(|thread| thread.0).collect()
        }
        GroupKind::Root
        | GroupKind::Domain
        | GroupKind::DomainThreaded
        | GroupKind::DomainInvalid => {
            group.processes(backend)?.into_iter().map(|process| process.0).collect()
        }
    })
}

/// Why a group takes no members of one below it, if it does not: what it enables for its children it would compete for with
/// them, but thread by thread (cgroup-v2.rst, No Internal Process Constraint and Threads).
fn takes_members(backend: &dyn Backend, group: &Group, below: &Group) -> Option<Rule> {
    if group.hierarchy().version() == Version::V1 || group.path().is_root() {
        return None;
    }
    let enabled = group.enabled(backend).ok()?;
    let shared = match below.kind(backend).ok()? {
        GroupKind::Threaded => super::explain::domain(enabled),
        GroupKind::Root
        | GroupKind::Domain
        | GroupKind::DomainThreaded
        | GroupKind::DomainInvalid
        | GroupKind::V1 => enabled,
    };
    (!shared.is_empty()).then_some(Rule::SharesOut(shared))
}

/// Moves everybody. One that has ended meanwhile is no trouble.
fn move_members(backend: &dyn Backend, group: &Group, to: &Group) -> Result<()> {
    if group.path() == to.path() {
        return Ok(());
    }
    let by_thread = matches!(group.kind(backend)?, GroupKind::V1 | GroupKind::Threaded);
    for number in members(backend, group)? {
        let moved = if by_thread {
            to.attach_thread(backend, Tid(number))
        } else {
            to.attach(backend, Pid(number))
        };
        match moved {
            Err(error) if error.rule() == Some(&Rule::NoSuchTask) => {}
            moved => moved?,
        }
    }
    Ok(())
}

/// Kills everybody in a group and below it: at once where the kernel can (cgroup-v2.rst, `cgroup.kill`), one by one in v1.
pub(super) fn kill(backend: &dyn Backend, top: &Group) -> Result<()> {
    if top.hierarchy().version() == Version::V2 && !top.path().is_root() {
        let killed = top.write(backend, &files::kill(), &Value::from(true));
        // Threads cannot be killed apart from their process, but where there are none nothing is left to do.
        return match killed {
            Err(error) if error.rule() == Some(&Rule::Kind(GroupKind::Threaded)) => {
                if is_deserted(backend, top)? { Ok(()) } else { Err(error) }
            }
            killed => killed,
        };
    }
    for group in below(backend, top)? {
        if group.path().is_root() {
            continue;
        }
        for process in group.processes(backend)? {
            let killed = backend
                .open_pid(process)
                .and_then(|handle| backend.signal(&handle, Some(Signal::KILL)));
            match killed {
                Err(failure) if !failure.is(Errno::ESRCH) => {
                    return Err(group.failed(Action::Delete, failure, None));
                }
                _ => {}
            }
        }
    }
    Ok(())
}

/// Whether nobody is in a group and below it.
fn is_deserted(backend: &dyn Backend, top: &Group) -> Result<bool> {
    for group in below(backend, top)? {
        if !members(backend, &group)?.is_empty() {
            return Ok(false);
        }
    }
    Ok(true)
}

pub(super) fn sleep(backend: &dyn Backend, pause: Duration) -> std::result::Result<(), Failure> {
    let until = backend.monotonic()?.after(pause);
    match backend.poll(&[], Deadline::At(until)) {
        Err(failure) if !failure.is(Errno::EINTR) => Err(failure),
        _ => Ok(()),
    }
}
