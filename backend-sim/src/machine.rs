//! A machine: one simulated kernel, and the handle that tests hold.
//!
//! [`Machine`] is cheap to clone and may be used from any thread; the kernel behind it is plain data under one lock.
//! Neighbours: [`View`] (a process of it), `run` (the stacks of programs, which belong to OS threads and not to the
//! machine), `door` (what every call passes).

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};
use standin::backend::{Clock as _, Deadline, Processes, Spawn, WaitOptions, WaitStatus};
use standin::handle::PidHandle;
use standin::{Backend, Errno, ExitCode, Failure, KPath, Pid};

use crate::branch::{self, BranchError, Course, Drive};
use crate::builder::Builder;
use crate::inventory::{Diff, Inventory, Leaks};
use crate::kernel::Kernel;
use crate::look::Look;
use crate::outside::Outside;
use crate::run::{self, Fibers, Registry};
use crate::schedule::Order;
use crate::snapshot::{LivePrograms, Snapshot};
use crate::task::{self, ThreadKey};
use crate::trace::Trace;
use crate::view::View;

/// A simulated kernel with its processes.
///
/// ```
/// use standin::{Errno, fs};
/// use standin_sim::{Layout, Machine, Release};
///
/// let machine = Machine::builder().kernel(Release::V6_12).layout(Layout::Unified).build();
/// let root = machine.root();
/// fs::create_dir(&root, "/sys/fs/cgroup/web").unwrap();
///
/// let user = machine.user(1000);
/// let refused = fs::create_dir(&user, "/sys/fs/cgroup/web/mine").unwrap_err();
/// assert_eq!(refused.errno(), Some(Errno::EACCES));
/// machine.finish().unwrap();
/// ```
#[derive(Clone)]
pub struct Machine {
    guard: Arc<Guard>,
}

/// What all views of a machine share.
pub(crate) struct Shared {
    /// Unique in this program.
    pub(crate) id: u64,
    kernel: Mutex<Kernel>,
    pub(crate) outside: Outside,
    pub(crate) programs: Mutex<Registry>,
    /// Stacks that programs have, on all OS threads.
    pub(crate) fibers: Fibers,
    /// What a branch needs, if that is kept.
    pub(crate) course: Mutex<Option<Course>>,
    is_branching: AtomicBool,
    /// Who runs, if that is watched.
    #[cfg(feature = "watchdog")]
    pub(crate) running: std::sync::OnceLock<crate::watchdog::Running>,
}

impl Shared {
    /// The kernel, unless somebody has it.
    #[cfg(feature = "watchdog")]
    pub(crate) fn try_lock(&self) -> Option<MutexGuard<'_, Kernel>> {
        self.kernel.try_lock()
    }

    /// The kernel, for as long as the answer lives.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Kernel> {
        self.kernel.lock()
    }

    /// Keeps what is done from this snapshot on.
    pub(crate) fn keep_course(&self, base: Snapshot) {
        *self.course.lock() = Some(Course::new(base));
        self.is_branching.store(true, Ordering::Relaxed);
    }

    /// Something is done from outside that is no drive.
    #[inline]
    pub(crate) fn note_foreign(&self, call: &'static str) {
        if self.is_branching.load(Ordering::Relaxed) {
            self.note_foreign_call(call);
        }
    }

    #[cold]
    fn note_foreign_call(&self, call: &'static str) {
        if !run::is_inside(self.id)
            && let Some(course) = &mut *self.course.lock()
        {
            course.note_foreign(call);
        }
    }
}

/// Lives as long as something outside of the machine can still call it; its end is the machine's.
pub(crate) struct Guard {
    pub(crate) shared: Arc<Shared>,
    allow_unmodelled: bool,
    finished: AtomicBool,
}

/// What was wrong with a run that otherwise ended well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmodelled {
    /// What was asked for and how often, in order of first appearance.
    pub operations: Vec<(&'static str, u64)>,
}

impl fmt::Display for Unmodelled {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("the machine was asked for what it does not model, so this run proves nothing about Linux:")?;
        for (what, count) in &self.operations {
            write!(out, "\n  {what} ({count} times)")?;
        }
        out.write_str("\n(Builder::allow_unmodelled lets such a run pass)")
    }
}

impl std::error::Error for Unmodelled {}

static NEXT_MACHINE: AtomicU64 = AtomicU64::new(1);

impl Machine {
    /// Says what the machine is to be: kernel, layout, size, bounds.
    #[must_use]
    pub fn builder() -> Builder {
        Builder::default()
    }

    pub(crate) fn boot(kernel: Kernel, allow_unmodelled: bool) -> Self {
        let id = NEXT_MACHINE.fetch_add(1, Ordering::Relaxed);
        let shared = Shared {
            id,
            kernel: Mutex::new(kernel),
            outside: Outside::default(),
            programs: Mutex::new(Registry::default()),
            fibers: Fibers::default(),
            course: Mutex::new(None),
            is_branching: AtomicBool::new(false),
            #[cfg(feature = "watchdog")]
            running: std::sync::OnceLock::new(),
        };
        Self {
            guard: Arc::new(Guard {
                shared: Arc::new(shared),
                allow_unmodelled,
                finished: AtomicBool::new(false),
            }),
        }
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.guard.shared
    }

    fn view_of(&self, thread: ThreadKey) -> View {
        View::outside(&self.guard, thread)
    }

    /// The machine's first process from outside: root with all capabilities, in the root cgroup, a child of process 1.
    /// Every call gives a view of the same process.
    #[must_use]
    pub fn root(&self) -> View {
        let first = self.shared().lock().first_process();
        self.view_of(first)
    }

    /// A new process of this user, whose group has the same number: a child of process 1, without capabilities unless
    /// the user is 0, in the root cgroup, with `/` as its working directory.
    ///
    /// # Panics
    /// If the machine cannot make another process (its limits are reached, or process 1 has no number left).
    #[must_use]
    pub fn user(&self, uid: u32) -> View {
        self.shared().note_foreign("user");
        let made = task::first_of_user(&mut self.shared().lock(), uid);
        match made {
            Ok(thread) => self.view_of(thread),
            Err(failure) => panic!("a process of user {uid}: {failure}"),
        }
    }

    /// A view of the process or thread with this number in the first pid namespace, if there is one that has not exited. What
    /// it has open, it finds by number ([`inherited`](standin::backend::Channels::inherited)).
    ///
    /// ```
    /// use standin::backend::Processes;
    /// use standin_sim::Machine;
    ///
    /// let machine = Machine::builder().build();
    /// let pid = machine.user(1000).pid().unwrap();
    /// let restored = machine.snapshot().unwrap().machine();
    /// assert_eq!(restored.process(pid).unwrap().pid(), Ok(pid));
    /// ```
    #[must_use]
    pub fn process(&self, pid: Pid) -> Option<View> {
        let thread = {
            let kernel = self.shared().lock();
            let thread = kernel.tasks.numbers.get(&pid.0).copied()?;
            kernel.tasks.is_alive(thread).then_some(thread)?
        };
        Some(self.view_of(thread))
    }

    /// The machine as it is, to be gone back to: see [`Snapshot`].
    ///
    /// # Errors
    /// [`LivePrograms`] if a program has begun and not ended, or a call from outside waits: a snapshot holds no stack.
    pub fn snapshot(&self) -> Result<Snapshot, LivePrograms> {
        let snapshot = Snapshot::take(self.shared(), self.guard.allow_unmodelled)?;
        if let Some(course) = &mut *self.shared().course.lock() {
            *course = Course::new(snapshot.clone());
        }
        Ok(snapshot)
    }

    /// What was asked of the machine so far, call by call; nothing if it was not built to keep that.
    #[must_use]
    pub fn trace(&self) -> Trace {
        self.shared().lock().trace.as_deref().cloned().unwrap_or_default()
    }

    /// Everything that there is on the machine and that somebody made or set: see [`Inventory`].
    #[must_use]
    pub fn inventory(&self) -> Inventory {
        Inventory::of(&self.shared().lock())
    }

    /// How another machine differs from this one: what it has besides, what it lacks, and what is otherwise.
    #[must_use]
    pub fn diff(&self, other: &Self) -> Diff {
        self.inventory().to(&other.inventory())
    }

    /// Checks that nothing was left behind since an inventory was made: groups, processes and zombies, mounts, open files,
    /// sockets, namespaces. Who made it is told as far as a [trace](Builder::trace) knows.
    ///
    /// # Errors
    /// What is left.
    pub fn check_leaks(&self, since: &Inventory) -> Result<(), Leaks> {
        let trace = self.trace();
        Leaks::new(&since.to(&self.inventory()), &trace)
    }

    /// Makes a closure a program that [`spawn`](Processes::spawn) finds at `path`. It is called with a view of its
    /// process and its arguments, the name it was called by first.
    ///
    /// # Panics
    /// If the path holds a NUL.
    pub fn program<F>(&self, path: &str, program: F)
    where
        F: Fn(&dyn Backend, &[Vec<u8>]) -> ExitCode + Send + Sync + 'static,
    {
        match KPath::new(path) {
            Ok(path) => self.shared().programs.lock().add(path, Arc::new(program)),
            Err(nul) => panic!("the program {path:?}: {nul}"),
        }
    }

    /// Runs a program as a child of [`root`](Machine::root) until it has ended, and every other program as far as they
    /// get meanwhile; says how it ended.
    ///
    /// # Errors
    /// As [`Processes::spawn`]; [`Failure::Deadlock`] if it waits for what can never happen.
    ///
    /// # Panics
    /// If a program panics: the message names it.
    pub fn run(&self, path: &str, arguments: &[&str]) -> Result<WaitStatus, Failure> {
        let command: Vec<&str> = [path].into_iter().chain(arguments.iter().copied()).collect();
        self.drive(
            || Drive::Run(vec![owned(&command)]),
            || {
                let root = self.root();
                end(&root, &start(&root, &command)?)
            },
        )
    }

    /// Starts a program as a child of [`root`](Machine::root) and does not wait for it; its number.
    ///
    /// # Errors
    /// As [`Processes::spawn`].
    pub fn launch(&self, command: &[&str]) -> Result<Pid, Failure> {
        self.drive(
            || Drive::Launch(owned(command)),
            || {
                let root = self.root();
                let child = start(&root, command)?;
                Ok(root.inspect(&child)?.pid)
            },
        )
    }

    /// Lets so much virtual time pass, and every program run meanwhile.
    ///
    /// # Errors
    /// [`Failure::LimitReached`]: the machine may not live that long.
    pub fn pass(&self, time: Duration) -> Result<(), Failure> {
        self.drive(
            || Drive::Pass(time),
            || {
                let root = self.root();
                let until = root.monotonic()?.after(time);
                root.poll(&[], Deadline::At(until)).map(drop)
            },
        )
    }

    /// Starts programs as children of [`root`](Machine::root), each with its arguments, and waits until all of them have ended;
    /// says how each did.
    ///
    /// # Errors
    /// As [`run`](Machine::run).
    ///
    /// # Panics
    /// If a program panics: the message names it.
    pub fn run_together(&self, commands: &[&[&str]]) -> Result<Vec<WaitStatus>, Failure> {
        let drive = || Drive::Run(commands.iter().map(|command| owned(command)).collect());
        self.drive(drive, || {
            let root = self.root();
            let started: Result<Vec<_>, Failure> =
                commands.iter().map(|command| start(&root, command)).collect();
            started?.iter().map(|child| end(&root, child)).collect()
        })
    }

    /// Does something that a branch can do again.
    fn drive<T>(&self, drive: impl FnOnce() -> Drive, carry_out: impl FnOnce() -> T) -> T {
        if !self.shared().is_branching.load(Ordering::Relaxed) {
            return carry_out();
        }
        let begin = |course: &mut Course| course.begin(drive());
        let is_outer = self.shared().course.lock().as_mut().is_some_and(begin);
        let done = carry_out();
        if is_outer && let Some(course) = &mut *self.shared().course.lock() {
            course.end();
        }
        done
    }

    /// From here on a branch can be made.
    pub(crate) fn keep_course(&self) {
        if let Ok(base) = Snapshot::take(self.shared(), self.guard.allow_unmodelled) {
            self.shared().keep_course(base);
        }
    }

    /// A second machine at the very same point, programs in the middle of their calls included: the last snapshot, and everything
    /// since done once more, with the same decisions. The machine must have been built for it, and must not have been driven
    /// since that snapshot but by [`run`](Self::run), [`run_together`](Self::run_together), [`launch`](Self::launch),
    /// [`settle`](Self::settle) and [`pass`](Self::pass): a call of a view cannot be done again.
    ///
    /// ```
    /// use std::time::Duration;
    /// use standin_sim::Machine;
    ///
    /// let machine = Machine::builder().branching().build();
    /// machine.launch(&["/bin/sleep", "10"]).unwrap();
    /// machine.pass(Duration::from_secs(4)).unwrap();
    /// assert!(machine.snapshot().is_err(), "sleep is in the middle of its call");
    ///
    /// let branch = machine.branch().unwrap();
    /// branch.pass(Duration::from_secs(7)).unwrap();
    /// assert!(branch.look().waiting().is_empty());
    /// assert!(machine.look().waiting().contains("sleep waits in poll"));
    /// ```
    ///
    /// # Errors
    /// [`BranchError`].
    ///
    /// # Panics
    /// If a program panics in the second run.
    pub fn branch(&self) -> Result<Self, BranchError> {
        branch::branch(self)
    }

    /// The order of its programs, to see what was decided.
    pub(crate) fn take_order(&self) -> Option<Order> {
        self.shared().lock().order.take().map(|order| *order)
    }

    /// Lets every program run until all wait or have ended, without moving the clock.
    pub fn settle(&self) {
        self.drive(|| Drive::Settle, || while run::step(self.shared()) {});
    }

    /// Read-only inspection: no process's call, no side effect.
    #[must_use]
    pub fn look(&self) -> Look<'_> {
        Look::new(self.shared().lock())
    }

    /// Checks every rule that holds between the parts of the kernel at any time: counts and lists, groups and members,
    /// charges and limits. Costs time in proportion to the machine; for tests.
    ///
    /// # Errors
    /// The first rule that does not hold, with the values.
    pub fn check(&self) -> Result<(), String> {
        self.shared().lock().check()
    }

    /// Ends the machine: unwinds programs that still run, and tells whether it was asked for something that it does not
    /// model. Dropping the last handle does the same and panics instead.
    ///
    /// # Errors
    /// [`Unmodelled`], unless the machine was built to allow it.
    pub fn finish(self) -> Result<(), Unmodelled> {
        self.guard.finish()
    }
}

fn owned(command: &[&str]) -> Vec<String> {
    command.iter().map(ToString::to_string).collect()
}

/// Starts a program by its path, with the arguments behind it.
fn start(root: &View, command: &[&str]) -> Result<PidHandle, Failure> {
    let arguments: Vec<&[u8]> = command.iter().map(|argument| argument.as_bytes()).collect();
    let path = command.first().and_then(|path| KPath::new(path).ok());
    let path = path.ok_or(Failure::Errno(Errno::EINVAL))?;
    root.spawn(&Spawn::new(path, &arguments))
}

/// Waits for its end.
fn end(root: &View, child: &PidHandle) -> Result<WaitStatus, Failure> {
    match root.wait(child, WaitOptions::default())? {
        Some(status) => Ok(status),
        None => unreachable!("a wait that may block has an answer"),
    }
}

impl fmt::Debug for Machine {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Machine {}", self.shared().id)
    }
}

impl Guard {
    fn finish(&self) -> Result<(), Unmodelled> {
        self.finished.store(true, Ordering::Relaxed);
        run::clear(&self.shared);
        let operations = std::mem::take(&mut self.shared.lock().census.unmodelled);
        if operations.is_empty() || self.allow_unmodelled {
            Ok(())
        } else {
            Err(Unmodelled { operations })
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if self.finished.load(Ordering::Relaxed) {
            return;
        }
        let ended = self.finish();
        if let Err(unmodelled) = ended
            && !std::thread::panicking()
        {
            panic!("{unmodelled}");
        }
    }
}
