//! The program of a hierarchy that is run when a group is released: it has no thread and no child any more, and says
//! notify_on_release (cgroup-v1/cgroups.rst, 1.4).
//!
//! The kernel runs it a moment later, of its own accord: as root with every right, in the root groups and first namespaces, a
//! child that nobody waits for, without descriptors. Nobody hears if there is no such program.

use std::collections::VecDeque;

use standin::backend::NamespaceKinds;
use standin::id::Moment;
use standin::{Failure, KPath};

use super::members;
use crate::cgroup::migrate::{self, Whole};
use crate::cgroup::{CgroupKey, tree};
use crate::kernel::Kernel;
use crate::step::Stop;
use crate::task::exec::Program;
use crate::task::spawn::{Birth, spawn};

/// A group that was released, and what is to be run for that.
#[derive(Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(in crate::cgroup) struct Released {
    group: CgroupKey,
    #[cfg_attr(feature = "serde", serde(with = "standin::written"))]
    agent: Box<[u8]>,
    /// The group's path.
    #[cfg_attr(feature = "serde", serde(with = "standin::written"))]
    path: Box<[u8]>,
}

/// What the kernel gives such a program besides.
const ENVIRONMENT: [&[u8]; 2] = [b"HOME=/", b"PATH=/sbin:/bin:/usr/sbin:/usr/bin"];

/// Most programs that are started without time going on: one that releases its own group is started for that again.
const MOST: u32 = 10_000;

/// Programs that are to be run.
#[derive(Clone, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(in crate::cgroup) struct Agents {
    waiting: VecDeque<Released>,
    /// How many were started at this moment.
    started: u32,
    now: Moment,
}

impl Agents {
    /// The next one, as long as there are not too many.
    fn next(&mut self, now: Moment) -> Result<Option<Released>, Failure> {
        let Some(released) = self.waiting.pop_front() else { return Ok(None) };
        if self.now != now {
            (self.now, self.started) = (now, 0);
        }
        self.started += 1;
        if self.started > MOST {
            self.waiting.clear();
            return Err(Failure::NotModelled("a release agent that is run without end"));
        }
        Ok(Some(released))
    }
}

/// A thread or child has left a group: the hierarchy's program is to be run if the group is released by that.
pub(in crate::cgroup) fn may_run(kernel: &mut Kernel, group: CgroupKey) {
    let Some(record) = kernel.cgroups.table.get(group) else { return };
    if !record.notify_on_release
        || record.parent.is_none()
        || record.removed
        || record.is_populated()
        || !record.children.is_empty()
    {
        return;
    }
    let agent = kernel.cgroups.hierarchy_of(group).release_agent.clone();
    let waits = kernel.cgroups.agents.waiting.iter().any(|released| released.group == group);
    if agent.is_empty() || waits {
        return;
    }
    let mut path = Vec::new();
    tree::path(kernel, group, &mut path);
    let released = Released { group, agent, path: path.into() };
    kernel.cgroups.agents.waiting.push_back(released);
}

/// Starts the programs of groups that were released.
#[inline]
pub(crate) fn run_agents(kernel: &mut Kernel) {
    if !kernel.cgroups.agents.waiting.is_empty() {
        run_all(kernel);
    }
}

fn run_all(kernel: &mut Kernel) {
    let now = kernel.clock.monotonic();
    loop {
        match kernel.cgroups.agents.next(now) {
            Ok(Some(released)) => run(kernel, &released),
            Ok(None) => return,
            Err(failure) => return kernel.census.note(&failure),
        }
    }
}

/// Starts a program, if it can be: nobody is told if it cannot.
fn run(kernel: &mut Kernel, released: &Released) {
    let Ok(path) = KPath::new(&released.agent) else { return };
    let arguments: [&[u8]; 2] = [&released.agent, &released.path];
    // Whether the machine has it turns out when it begins; it ends at once if not.
    let program = Program { path, arguments: &arguments, environment: &ENVIRONMENT, known: true };
    let birth = Birth {
        program,
        into: None,
        descriptors: &[],
        credentials: None,
        limits: &[],
        directory: Some(kernel.vfs.root),
        session: false,
        parent_death: None,
        joined: None,
        new: NamespaceKinds::empty(),
    };
    let parent = kernel.tasks.processes.at(kernel.tasks.init).leader;
    let child = match spawn(kernel, parent, &birth) {
        Ok(child) => child,
        Err(Stop::Failure(failure)) => return kernel.census.note(&failure),
        Err(Stop::Wait(_)) => return,
    };
    kernel.process_mut(child).more_mut().actions = Default::default();
    migrate::migrate(kernel, child, Whole::Process, kernel.cgroups.root);
    members::go_to_roots(kernel, child);
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use parking_lot::Mutex;
    use standin::backend::{Deadline, Processes};
    use standin::{Backend, ExitCode, fs};

    use crate::profile::Layout;
    use crate::{Machine, View};

    const ROOT: &str = "/sys/fs/cgroup/pids";

    /// A machine whose group /ta runs `agent` when it is released.
    fn machine(agent: &str) -> (Machine, View) {
        let machine = Machine::builder().layout(Layout::Legacy).build();
        let root = machine.root();
        fs::write(&root, format!("{ROOT}/release_agent"), agent).unwrap();
        fs::create_dir(&root, format!("{ROOT}/ta")).unwrap();
        fs::write(&root, format!("{ROOT}/ta/notify_on_release"), "1").unwrap();
        (machine, root)
    }

    /// A process enters /ta and ends.
    fn release(machine: &Machine, root: &View) {
        let child = root.fork().unwrap();
        fs::write(&child, format!("{ROOT}/ta/tasks"), "0").unwrap();
        let _ = child.exit(ExitCode(0));
        machine.settle();
    }

    #[test]
    fn the_program_of_a_hierarchy_is_run_with_every_right_for_a_group_that_is_released() {
        let (machine, root) = machine("/mnt/agent");
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&seen);
        machine.program("/mnt/agent", move |kernel: &dyn Backend, arguments: &[Vec<u8>]| {
            let words: Vec<String> =
                arguments.iter().map(|word| String::from_utf8_lossy(word).into_owned()).collect();
            let group = fs::read_to_string(kernel, "/proc/self/cgroup").unwrap();
            log.lock().push((words.clone(), group.contains("pids:/\n")));
            let path = words.get(1).cloned().unwrap_or_default();
            match fs::remove_dir(kernel, format!("{ROOT}{path}")) {
                Ok(()) => ExitCode::SUCCESS,
                Err(_) => ExitCode::FAILURE,
            }
        });
        release(&machine, &root);
        let words = vec!["/mnt/agent".to_owned(), "/ta".to_owned()];
        assert_eq!(*seen.lock(), [(words, true)]);
        assert!(fs::metadata(&root, format!("{ROOT}/ta")).is_err(), "the agent removed it");
        machine.check().unwrap();
        machine.finish().unwrap();
    }

    #[test]
    fn a_program_that_is_missing_or_never_ends_harms_nobody() {
        let (machine, root) = machine("/mnt/nothing");
        release(&machine, &root);
        machine.program("/mnt/endless", |kernel: &dyn Backend, _: &[Vec<u8>]| {
            let _ = kernel.poll(&[], Deadline::Never);
            ExitCode::SUCCESS
        });
        fs::write(&root, format!("{ROOT}/release_agent"), "/mnt/endless").unwrap();
        release(&machine, &root);
        assert!(fs::metadata(&root, format!("{ROOT}/ta")).is_ok());
        machine.check().unwrap();
        machine.finish().unwrap();
    }

    #[test]
    fn a_program_that_releases_its_own_group_is_not_run_for_ever() {
        let (machine, root) = machine("/mnt/agent");
        machine.program("/mnt/agent", |kernel: &dyn Backend, _: &[Vec<u8>]| {
            match fs::write(kernel, format!("{ROOT}/ta/tasks"), "0") {
                Ok(()) => ExitCode::SUCCESS,
                Err(_) => ExitCode::FAILURE,
            }
        });
        release(&machine, &root);
        assert!(machine.finish().is_err());
    }

    #[test]
    fn a_group_is_released_by_its_last_child_too_and_not_while_it_has_another() {
        let (machine, root) = machine("/mnt/agent");
        let runs = Arc::new(AtomicU32::new(0));
        let log = Arc::clone(&runs);
        machine.program("/mnt/agent", move |_: &dyn Backend, _: &[Vec<u8>]| {
            log.fetch_add(1, Ordering::Relaxed);
            ExitCode::SUCCESS
        });
        fs::create_dir(&root, format!("{ROOT}/ta/b")).unwrap();
        release(&machine, &root);
        assert_eq!(runs.load(Ordering::Relaxed), 0);
        fs::remove_dir(&root, format!("{ROOT}/ta/b")).unwrap();
        machine.settle();
        assert_eq!(runs.load(Ordering::Relaxed), 1);
        assert_eq!(machine.look().processes().len(), 3, "process 1, root, and its zombie");
        machine.finish().unwrap();
    }
}
