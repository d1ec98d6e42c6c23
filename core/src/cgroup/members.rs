//! Who is in a group: processes and threads, listed and moved.
//!
//! They are apart because Linux keeps them apart: a process moves with all its threads, a thread alone in v1, and in v2
//! only between threaded groups of one domain (cgroup-v2.rst, Threads).

use super::control;
use super::error::{Action, Result};
use super::explain;
use super::group::{Group, files};
use super::hierarchy::Version;
use super::name::FileName;
use super::rule::Rule;
use crate::backend::Backend;
use crate::id::{Pid, Tid};

impl Group {
    /// Its processes, in ascending order. [`Pid::ZERO`] stands for each one that the caller's pid namespace does not
    /// show. By the time they are read some may have left, and others come.
    ///
    /// # Errors
    /// [`Rule::Kind`] if it is threaded, [`Rule::Vanished`].
    pub fn processes(&self, backend: &dyn Backend) -> Result<Vec<Pid>> {
        Ok(self.numbers(backend, &files::procs())?.into_iter().map(Pid).collect())
    }

    /// Its threads, in ascending order, those of its processes too.
    ///
    /// # Errors
    /// [`Rule::Vanished`].
    pub fn threads(&self, backend: &dyn Backend) -> Result<Vec<Tid>> {
        Ok(self.numbers(backend, &self.threads_file())?.into_iter().map(Tid).collect())
    }

    fn numbers(&self, backend: &dyn Backend, file: &FileName) -> Result<Vec<u32>> {
        let mut numbers = self.read(backend, file)?.numbers()?;
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// Moves a process in, with all its threads: whole or not at all. [`Pid::ZERO`] is the caller.
    ///
    /// ```
    /// # use standin::backend::Processes as _;
    /// # use standin::cgroup::{Creation, GroupPath, Hierarchies, Rule};
    /// # let machine = standin_sim::Machine::builder().build();
    /// # let kernel = machine.root();
    /// # let hierarchies = Hierarchies::find(&kernel).unwrap();
    /// # let hierarchy = hierarchies.unified().unwrap();
    /// let web = Creation::new(GroupPath::new("web").unwrap()).create(&kernel, hierarchy).unwrap();
    /// let worker = kernel.fork().unwrap();
    /// web.attach(&kernel, worker.pid().unwrap()).unwrap();
    /// assert_eq!(web.processes(&kernel).unwrap(), [worker.pid().unwrap()]);
    ///
    /// let refused = web.delete(&kernel).unwrap_err();
    /// assert!(matches!(refused.rule(), Some(Rule::Occupied { .. })));
    /// ```
    ///
    /// # Errors
    /// [`Rule::NoSuchTask`], [`Rule::SharesOut`], [`Rule::Kind`], [`Rule::Containment`], [`Rule::Immovable`],
    /// [`Rule::EmptyCpuset`], [`Rule::Vanished`].
    pub fn attach(&self, backend: &dyn Backend, process: Pid) -> Result<()> {
        self.move_in(backend, Action::Attach, &files::procs(), process.0)
    }

    /// Moves one thread in, and leaves its process where it is: in v1 anywhere, in v2 only between threaded groups of one
    /// domain. [`Tid(0)`](Tid) is the caller.
    ///
    /// # Errors
    /// As [`attach`](Self::attach).
    pub fn attach_thread(&self, backend: &dyn Backend, thread: Tid) -> Result<()> {
        self.move_in(backend, Action::AttachThread, &self.threads_file(), thread.0)
    }

    /// The file that lists its threads.
    pub(super) fn threads_file(&self) -> FileName {
        match self.hierarchy().version() {
            Version::V1 => files::tasks(),
            Version::V2 => files::threads(),
        }
    }

    fn move_in(
        &self,
        backend: &dyn Backend,
        action: Action,
        file: &FileName,
        number: u32,
    ) -> Result<()> {
        // The kernel reads the number as a signed one: it would call this a bad value.
        if i32::try_from(number).is_err() {
            return Err(self.found(action, Rule::NoSuchTask).in_file(file));
        }
        let place = control::of(self.directory(), file);
        control::write(backend, place, number.to_string().as_bytes()).map_err(|trouble| {
            let explain = |failure: &_| explain::attach(backend, self, file, failure);
            self.trouble(action, trouble, explain).in_file(file)
        })
    }
}
