//! Where a process is: /proc/PID/cgroup (cgroups(7)), a line for each hierarchy.

use super::control::{self, Trouble};
use super::error::{Action, Error, Result};
use super::group::Group;
use super::hierarchy::{Hierarchy, Version};
use super::mountinfo::{self, Kind};
use super::name::GroupPath;
use super::rule::Rule;
use crate::backend::Backend;
use crate::errno::Errno;
use crate::id::Pid;
use crate::path::{KPathBuf, Place};

impl Hierarchy {
    /// The group that a process is in; [`Pid::ZERO`] is the caller. Of threads in several groups the first one counts. `None` if
    /// its group is one that this hierarchy's mount does not show: outside of the caller's cgroup namespace.
    ///
    /// ```
    /// use standin::backend::Processes;
    /// use standin::cgroup::{Creation, GroupPath, Hierarchies};
    ///
    /// # let machine = standin_sim::Machine::builder().build();
    /// # let kernel = machine.root();
    /// let hierarchies = Hierarchies::find(&kernel).unwrap();
    /// let hierarchy = hierarchies.unified().unwrap();
    /// let web = Creation::new(GroupPath::new("web").unwrap()).create(&kernel, hierarchy).unwrap();
    /// let worker = kernel.fork().unwrap().pid().unwrap();
    /// assert_eq!(hierarchy.locate(&kernel, worker).unwrap(), Some(GroupPath::root()));
    /// web.attach(&kernel, worker).unwrap();
    /// assert_eq!(hierarchy.locate(&kernel, worker).unwrap().as_ref(), Some(web.path()));
    /// ```
    ///
    /// # Errors
    /// [`Rule::NoSuchTask`].
    pub fn locate(&self, backend: &dyn Backend, process: Pid) -> Result<Option<GroupPath>> {
        let file = file(process);
        let place = KPathBuf::new(file.as_str()).unwrap_or_default();
        let text = control::read_any(backend, Place::cwd(&place));
        let text = text.map_err(|trouble| match trouble {
            Trouble::Failed(failure) => {
                let is_gone = failure.is(Errno::ENOENT) || failure.is(Errno::ESRCH);
                let rule = is_gone.then_some(Rule::NoSuchTask);
                Error::failed(Action::Attach, failure, rule).at(&file)
            }
            Trouble::Broke(rule) => Error::found(Action::Attach, rule).at(&file),
        })?;
        let path = text.split(|byte| *byte == b'\n').find_map(|line| self.path_in(line));
        Ok(path.and_then(|path| GroupPath::new(self.below_mount(path)?).ok()))
    }

    /// The same, opened: from where it cannot be seen nobody moves a process, nor back to there (cgroup_namespaces(7)).
    pub(super) fn group_of(&self, backend: &dyn Backend, process: Pid) -> Result<Group> {
        let outside = || Error::found(Action::Attach, Rule::Containment).at(&file(process));
        self.open(backend, &self.locate(backend, process)?.ok_or_else(outside)?)
    }

    /// The path in a line, if the line is about this hierarchy: its number, its controllers or name, the path.
    fn path_in<'a>(&self, line: &'a [u8]) -> Option<&'a [u8]> {
        let mut fields = line.splitn(3, |byte| *byte == b':');
        let (number, what, path) = (fields.next()?, fields.next()?, fields.next()?);
        let is_it = match (self.fixed_controllers(), mountinfo::v1(what)) {
            (Some(fixed), Kind::V1 { controllers, name }) => {
                number != b"0" && fixed == controllers && self.name() == name.as_deref()
            }
            _ => self.version() == Version::V2 && number == b"0",
        };
        is_it.then_some(path)
    }

    /// A path of the hierarchy as it is below what the mount shows.
    fn below_mount<'a>(&self, path: &'a [u8]) -> Option<&'a [u8]> {
        let shown = self.shows().as_bytes();
        if shown == b"/" {
            return Some(path);
        }
        match path.strip_prefix(shown)? {
            b"" => Some(b"/"),
            rest => rest.starts_with(b"/").then_some(rest),
        }
    }
}

fn file(process: Pid) -> String {
    match process {
        Pid::ZERO => "/proc/self/cgroup".to_owned(),
        process => format!("/proc/{process}/cgroup"),
    }
}
