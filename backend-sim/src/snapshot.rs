//! What a machine is at one moment, to be gone back to as often as anybody likes: [`Snapshot`].
//!
//! A snapshot holds the kernel's state, its clock, what decides the order of programs, and which programs there are; never a
//! stack. So none can be taken while a program is in the middle of something. It shares with its machine whatever neither
//! changes (table.rs). It knows no file: the text of one is made in `written`.

use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;
#[cfg(feature = "serde")]
use parking_lot::MutexGuard;
use standin::Pid;

use crate::inventory::{Diff, Inventory};
use crate::kernel::Kernel;
use crate::look;
use crate::machine::{Machine, Shared};
use crate::run::{self, Registry};

/// A machine as it was at one moment.
///
/// ```
/// use standin::fs;
/// use standin_sim::Machine;
///
/// let machine = Machine::builder().build();
/// fs::create_dir(&machine.root(), "/sys/fs/cgroup/web").unwrap();
/// let snapshot = machine.snapshot().unwrap();
///
/// // Each machine that is made of it goes its own way.
/// let (one, other) = (snapshot.machine(), snapshot.machine());
/// fs::remove_dir(&one.root(), "/sys/fs/cgroup/web").unwrap();
/// assert!(!fs::exists(&one.root(), "/sys/fs/cgroup/web"));
/// assert!(fs::exists(&other.root(), "/sys/fs/cgroup/web"));
/// ```
#[derive(Clone)]
pub struct Snapshot {
    held: Arc<Mutex<Kernel>>,
    programs: Registry,
    allow_unmodelled: bool,
}

impl Snapshot {
    /// Takes one.
    pub(crate) fn take(shared: &Shared, allow_unmodelled: bool) -> Result<Self, LivePrograms> {
        let kernel = shared.lock();
        refuse_live(shared, &kernel)?;
        let mut held = kernel.clone();
        drop(kernel);
        held.waits.keep_woken(|thread| {
            held.tasks.starts.contains_key(&thread) || held.tasks.is_doomed(thread)
        });
        let programs = shared.programs.lock().clone();
        Ok(Self { held: Arc::new(Mutex::new(held)), programs, allow_unmodelled })
    }

    /// A new machine that goes on from here. Its processes are the same, with the same numbers, and have the same descriptors;
    /// handles and views of the old machine stay the old machine's. Views of these processes:
    /// [`Machine::process`](crate::Machine::process).
    #[must_use]
    pub fn machine(&self) -> Machine {
        let kernel = self.held.lock().clone();
        let machine = Machine::boot(kernel, self.allow_unmodelled);
        *machine.shared().programs.lock() = self.programs.clone();
        machine
    }

    /// One of these parts.
    #[cfg(feature = "serde")]
    pub(crate) fn of(kernel: Kernel, programs: Registry, allow_unmodelled: bool) -> Self {
        Self { held: Arc::new(Mutex::new(kernel)), programs, allow_unmodelled }
    }

    #[cfg(feature = "serde")]
    pub(crate) fn parts(&self) -> (MutexGuard<'_, Kernel>, &Registry) {
        (self.held.lock(), &self.programs)
    }

    #[cfg(feature = "serde")]
    pub(crate) const fn allows_unmodelled(&self) -> bool {
        self.allow_unmodelled
    }

    /// Everything that there is on the machine: see [`Inventory`].
    #[must_use]
    pub fn inventory(&self) -> Inventory {
        Inventory::of(&self.held.lock())
    }

    /// How a later snapshot, or one of another machine, differs from this one.
    #[must_use]
    pub fn diff(&self, other: &Self) -> Diff {
        self.inventory().to(&other.inventory())
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let held = self.held.lock();
        write!(
            out,
            "Snapshot of {} groups and {} processes at {} ns",
            held.cgroups.table.len(),
            held.tasks.processes.len(),
            held.clock.monotonic().ns
        )
    }
}

/// Why no snapshot could be taken: a snapshot holds no stack, and these have one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LivePrograms {
    /// Number and name of each process that waits in the middle of a call.
    pub waiting: Vec<(Pid, String)>,
    /// How many others run at this moment: the program that asked for the snapshot, or one of another thread of the host.
    pub running: usize,
    picture: String,
}

impl fmt::Display for LivePrograms {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a snapshot holds no stack, and these programs have not ended:")?;
        for line in self.picture.lines() {
            write!(out, "\n  {line}")?;
        }
        match self.running {
            0 => Ok(()),
            running => write!(out, "\n  {running} that run at this moment"),
        }
    }
}

impl std::error::Error for LivePrograms {}

/// Fails if anything of the machine has a stack somewhere.
fn refuse_live(shared: &Shared, kernel: &Kernel) -> Result<(), LivePrograms> {
    let threads = kernel.tasks.threads.iter();
    let waiting: Vec<(Pid, String)> = threads
        .filter(|(key, _)| kernel.waits.wait_of(*key).is_some())
        .map(|(_, thread)| (Pid(thread.number), String::from_utf8_lossy(&thread.name).into_owned()))
        .collect();
    let live = shared.fibers.live();
    if waiting.is_empty() && live == 0 {
        return Ok(());
    }
    // Who waits outside has no stack of the machine's.
    let asks = usize::from(run::is_inside(shared.id));
    let running = live.saturating_sub(waiting.len()).max(asks);
    Err(LivePrograms { waiting, running, picture: look::waiting(kernel) })
}
