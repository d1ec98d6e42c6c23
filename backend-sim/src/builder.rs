//! What a machine is to be, before it is one.

use standin::id::Bytes;
use standin::{Controller, ControllerSet, Pid};

use crate::kernel::Kernel;
use crate::machine::Machine;
use crate::namespace::pid::setting::{HIGHEST_END, LOWEST_END};
use crate::profile::{BlockDevice, Layout, Limits, Profile, Release};
use crate::schedule::{Fault, FaultPlan, Faults, Order};
use crate::trace::Trace;

/// Describes a machine; [`build`](Builder::build) boots it.
#[derive(Clone, Debug, Default)]
pub struct Builder {
    profile: Profile,
    allow_unmodelled: bool,
    faults: Vec<Fault>,
    trace: bool,
    branching: bool,
    #[cfg(feature = "watchdog")]
    patience: Option<std::time::Duration>,
}

impl Builder {
    /// Which kernel; 6.12 unless said.
    #[must_use]
    pub fn kernel(mut self, release: Release) -> Self {
        self.profile.release = release;
        self
    }

    /// Where the cgroup hierarchies are; unified unless said.
    #[must_use]
    pub fn layout(mut self, layout: Layout) -> Self {
        self.profile.layout = layout;
        self
    }

    /// How many processors; 2 unless said.
    #[must_use]
    pub fn processors(mut self, count: u32) -> Self {
        self.profile.processors = count;
        self
    }

    /// How much memory; 1 GiB unless said.
    #[must_use]
    pub fn memory(mut self, amount: Bytes) -> Self {
        self.profile.memory = amount;
        self
    }

    /// How much swap; none unless said.
    #[must_use]
    pub fn swap(mut self, amount: Bytes) -> Self {
        self.profile.swap = amount;
        self
    }

    /// One more block device; none unless said. Control files take limits and weights for it; no process does I/O.
    ///
    /// ```
    /// use standin::fs;
    /// use standin_sim::{BlockDevice, Machine};
    ///
    /// let machine = Machine::builder().disk(BlockDevice { major: 259, minor: 0 }).build();
    /// let root = machine.root();
    /// fs::write(&root, "/sys/fs/cgroup/cgroup.subtree_control", "+io").unwrap();
    /// fs::create_dir(&root, "/sys/fs/cgroup/a").unwrap();
    /// fs::write(&root, "/sys/fs/cgroup/a/io.max", "259:0 wiops=100").unwrap();
    /// assert_eq!(
    ///     fs::read_to_string(&root, "/sys/fs/cgroup/a/io.max").unwrap(),
    ///     "259:0 rbps=max wbps=max riops=max wiops=100\n",
    /// );
    /// ```
    #[must_use]
    pub fn disk(mut self, device: BlockDevice) -> Self {
        self.profile.disks.push(device);
        self
    }

    /// Controllers that share a v1 hierarchy, as most distributions had it with cpu and cpuacct; each has its own unless said. The
    /// hierarchy is mounted at a directory with all their names, and a link for each leads there. In the unified layout, and
    /// for controllers that the kernel has not in v1, it means nothing; a controller that is named twice is in the last set.
    ///
    /// ```
    /// use standin::{Controller, fs};
    /// use standin_sim::{Layout, Machine};
    ///
    /// let machine = Machine::builder()
    ///     .layout(Layout::Legacy)
    ///     .join_controllers(&[Controller::Cpu, Controller::Cpuacct])
    ///     .build();
    /// let root = machine.root();
    /// fs::create_dir(&root, "/sys/fs/cgroup/cpu/a").unwrap();
    /// assert!(fs::metadata(&root, "/sys/fs/cgroup/cpu,cpuacct/a/cpuacct.usage").is_ok());
    /// ```
    #[must_use]
    pub fn join_controllers(mut self, controllers: &[Controller]) -> Self {
        let joined: ControllerSet = controllers.iter().copied().collect();
        for set in &mut self.profile.joined {
            *set = set.difference(joined);
        }
        self.profile.joined.push(joined);
        self
    }

    /// With the Linux-VServer patch: [`Backend::contexts`](standin::Backend::contexts) is there, and tasks of different
    /// contexts do not see each other. What the patch adds to /proc is not modelled.
    #[must_use]
    pub fn contexts(mut self) -> Self {
        self.profile.contexts = true;
        self
    }

    /// What /proc/sys/kernel/pid_max would be: one more than the highest number of a process; 4,194,304 unless said. With a low
    /// one, and [`last_pid`](Builder::last_pid) near it, the number of a process that is gone is soon another's.
    ///
    /// # Panics
    /// Below 301 and above 4,194,304: the kernel takes no such value.
    #[must_use]
    pub fn pid_max(mut self, end: u32) -> Self {
        assert!((LOWEST_END..=HIGHEST_END).contains(&end), "a pid_max of {end}");
        self.profile.pid_max = end;
        self
    }

    /// What /proc/sys/kernel/ns_last_pid would be when the first processes are there: numbers are given out from the next on,
    /// and from 300 again after the highest.
    ///
    /// ```
    /// use standin::Pid;
    /// use standin::backend::Processes as _;
    /// use standin_sim::Machine;
    ///
    /// let machine = Machine::builder().pid_max(301).last_pid(299).build();
    /// let child = machine.root().fork().unwrap();
    /// assert_eq!(child.pid(), Ok(Pid(300)));
    /// assert!(machine.root().fork().is_err(), "it was the last");
    /// ```
    #[must_use]
    pub fn last_pid(mut self, last: u32) -> Self {
        self.profile.last_pid = last;
        self
    }

    /// Bounds of the run.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.profile.limits = limits;
        self
    }

    /// One more thing that goes wrong in calls of its programs; of several that fit a call, the first happens. Calls from
    /// outside are left alone: these can go through a [`Layered`](standin::layer::Layered).
    #[must_use]
    pub fn fault(mut self, fault: Fault) -> Self {
        self.faults.push(fault);
        self
    }

    /// All faults of a plan besides.
    #[must_use]
    pub fn fault_plan(mut self, plan: &FaultPlan) -> Self {
        self.faults.extend_from_slice(plan.faults());
        self
    }

    /// Keeps a trace of every call: see [`Machine::trace`].
    #[must_use]
    pub fn trace(mut self) -> Self {
        self.trace = true;
        self
    }

    /// Keeps what [`Machine::branch`] needs: a snapshot, what the machine is driven by since, and a trace.
    #[must_use]
    pub fn branching(mut self) -> Self {
        self.branching = true;
        self
    }

    /// Ends the whole process when a program has run for so long, in the host's time, without making a call: it may never come
    /// back, and its stack cannot be unwound from outside. Who it is, the last call it made and, in a [`Search`](crate::Search), the
    /// line that runs it again are printed to standard error before. Off unless said; a minute is more than enough where
    /// programs do not compute. Keeps a [trace](Builder::trace), for the last call.
    ///
    /// A program that makes calls for ever is another matter: see [`Limits::operations`]. One that overflows its stack meets the
    /// guard page below it and ends the process by a signal, unnamed.
    #[cfg(feature = "watchdog")]
    #[must_use]
    pub fn watchdog(mut self, patience: std::time::Duration) -> Self {
        self.patience = Some(patience);
        self.trace()
    }

    /// Lets a run pass that asked for something the machine does not model.
    #[must_use]
    pub fn allow_unmodelled(mut self) -> Self {
        self.allow_unmodelled = true;
        self
    }

    /// Boots it.
    #[must_use]
    pub fn build(self) -> Machine {
        self.build_in(None)
    }

    /// Boots it, with an order of its programs.
    pub(crate) fn build_in(self, order: Option<Order>) -> Machine {
        let mut kernel = Kernel::boot(self.profile);
        kernel.order = order.map(Box::new);
        kernel.faults = Faults::new(&self.faults);
        let root = Pid(kernel.process(kernel.first_process()).number);
        let trace = Trace { root, ..Trace::default() };
        kernel.trace = (self.trace || self.branching).then(|| Box::new(trace));
        let machine = Machine::boot(kernel, self.allow_unmodelled);
        #[cfg(feature = "watchdog")]
        if let Some(patience) = self.patience {
            crate::watchdog::watch(machine.shared(), patience);
        }
        if self.branching {
            machine.keep_course();
        }
        machine
    }

    pub(crate) const fn profile(&self) -> &Profile {
        &self.profile
    }

    pub(crate) fn faults(&self) -> &[Fault] {
        &self.faults
    }
}
