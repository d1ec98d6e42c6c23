//! A machine: one simulated kernel, and the handle that tests hold.
//!
//! [`Machine`] is cheap to clone and may be used from any thread; the kernel behind it is plain data under one lock.
//! Neighbours: [`View`] (a process of it), `run` (the stacks of programs, which belong to OS threads and not to the
//! machine), `door` (what every call passes).

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use parking_lot::{Mutex, MutexGuard};
use standin::backend::{Processes, Spawn, WaitOptions, WaitStatus};
use standin::handle::PidHandle;
use standin::{Backend, Errno, ExitCode, Failure, KPath};

use crate::builder::Builder;
use crate::cgroup;
use crate::context;
use crate::kernel::Kernel;
use crate::look::Look;
use crate::namespace;
use crate::outside::Outside;
use crate::run::{self, Registry};
use crate::schedule::Order;
use crate::socket;
use crate::task::{self, ThreadKey};
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
}

impl Shared {
    /// The kernel, for as long as the answer lives.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Kernel> {
        self.kernel.lock()
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
        let made = task::first_of_user(&mut self.shared().lock(), uid);
        match made {
            Ok(thread) => self.view_of(thread),
            Err(failure) => panic!("a process of user {uid}: {failure}"),
        }
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
        let root = self.root();
        let command: Vec<&str> = [path].into_iter().chain(arguments.iter().copied()).collect();
        end(&root, &start(&root, &command)?)
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
        let root = self.root();
        let started: Result<Vec<_>, Failure> =
            commands.iter().map(|command| start(&root, command)).collect();
        started?.iter().map(|child| end(&root, child)).collect()
    }

    /// The order of its programs, to see what was decided.
    pub(crate) fn take_order(&self) -> Option<Order> {
        self.shared().lock().order.take().map(|order| *order)
    }

    /// Lets every program run until all wait or have ended, without moving the clock.
    pub fn settle(&self) {
        while run::step(self.shared()) {}
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
        let kernel = self.shared().lock();
        task::check(&kernel)?;
        namespace::check(&kernel)?;
        context::check(&kernel)?;
        socket::check(&kernel)?;
        cgroup::check(&kernel)
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
