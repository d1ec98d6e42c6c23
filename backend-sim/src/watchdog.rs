//! Names a program that goes on without ever making a call: [`Builder::watchdog`](crate::Builder::watchdog).
//!
//! Such a program holds the OS thread that runs it, and nobody can take it from there: a stack that is in the middle of anything
//! cannot be unwound from outside. So a thread of its own looks now and then whether each watched machine gets on, and where
//! one has not for too long it prints who it is and ends the whole process. The machine is only looked at: it takes no note of
//! the time of the host, and answers as without.
//!
//! This is the one file of the machine that knows a clock, a thread and an end of the host. It is compiled only with the feature
//! `watchdog`, and nothing but the builder and the runner knows of it.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "only somebody outside of a program that never comes back can say so"
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Once, Weak};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::kernel::Kernel;
use crate::machine::Shared;
use crate::schedule;
use crate::task::ThreadKey;

/// How often is looked.
const INTERVAL: Duration = Duration::from_millis(50);

/// Who runs on a machine that is watched.
#[derive(Default)]
pub(crate) struct Running {
    inside: Mutex<Inside>,
}

#[derive(Default)]
struct Inside {
    /// The last is the one that runs; the others, on other OS threads or around it, do or wait for it.
    threads: Vec<ThreadKey>,
    /// How often somebody else ran.
    switches: u64,
    /// The programs that threads began to run.
    paths: BTreeMap<ThreadKey, Vec<u8>>,
}

impl Running {
    /// A thread begins to run the program at this path.
    pub(crate) fn begins(&self, thread: ThreadKey, path: &[u8]) {
        self.inside.lock().paths.insert(thread, path.to_owned());
    }

    /// What a thread does goes on, until the answer is dropped.
    pub(crate) fn enter(&self, thread: ThreadKey) -> Entered<'_> {
        let mut inside = self.inside.lock();
        inside.threads.push(thread);
        inside.switches += 1;
        Entered { running: self, thread }
    }
}

/// A thread runs.
pub(crate) struct Entered<'a> {
    running: &'a Running,
    thread: ThreadKey,
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        let mut inside = self.running.inside.lock();
        if let Some(place) = inside.threads.iter().rposition(|inner| *inner == self.thread) {
            inside.threads.remove(place);
        }
        inside.switches += 1;
    }
}

/// How far a machine had come, and since when it is there.
struct Watched {
    machine: Weak<Shared>,
    patience: Duration,
    came_to: Option<(u64, u64)>,
    since: Instant,
}

static WATCHED: Mutex<Vec<Watched>> = Mutex::new(Vec::new());

/// Looks after a machine from now on, as long as there is one.
pub(crate) fn watch(machine: &Arc<Shared>, patience: Duration) {
    static WATCHER: Once = Once::new();
    let _ = machine.running.set(Running::default());
    let machine = Arc::downgrade(machine);
    WATCHED.lock().push(Watched { machine, patience, came_to: None, since: Instant::now() });
    WATCHER.call_once(|| {
        std::thread::spawn(|| {
            loop {
                std::thread::sleep(INTERVAL);
                WATCHED.lock().retain_mut(|watched| {
                    let machine = watched.machine.upgrade();
                    machine.inspect(|machine| watched.look(machine)).is_some()
                });
            }
        });
    });
}

impl Watched {
    fn look(&mut self, machine: &Shared) {
        // Who makes a call has the lock, and gets on.
        let kernel = machine.try_lock();
        let inside = machine.running.get().map(|running| running.inside.lock());
        let (Some(kernel), Some(inside)) = (kernel, inside) else { return self.gets_on(None) };
        let Some(thread) = inside.threads.last() else { return self.gets_on(None) };
        let come_to = (inside.switches, kernel.census.operations);
        if self.came_to != Some(come_to) {
            self.gets_on(Some(come_to));
        } else if self.since.elapsed() >= self.patience {
            let path = inside.paths.get(thread).map_or(&b"(none)"[..], Vec::as_slice);
            give_up(&kernel, *thread, path, self.patience);
        }
    }

    fn gets_on(&mut self, come_to: Option<(u64, u64)>) {
        self.came_to = come_to;
        self.since = Instant::now();
    }
}

/// Says who it is, and ends the process.
fn give_up(kernel: &Kernel, thread: ThreadKey, path: &[u8], patience: Duration) -> ! {
    let mut told = format!(
        "standin: a program has run for {patience:?} of the host's time without making a call: "
    );
    match kernel.tasks.threads.get(thread) {
        None => told.push_str("one whose process has ended"),
        Some(record) => {
            let process = kernel.tasks.processes.at(record.process);
            let (number, name) = (process.number, record.name.escape_ascii());
            let _ = write!(told, "process {number} ({name}), the program {}", path.escape_ascii());
            let mut entries = kernel.trace.iter().flat_map(|trace| &trace.entries);
            let last = entries.rfind(|entry| entry.thread.0 == record.number);
            let last = last.map_or_else(|| "none".to_owned(), |entry| entry.call());
            let _ = write!(told, "\n  its last call: {last}");
        }
    }
    if let Some(line) = schedule::line_so_far(kernel) {
        let _ = write!(told, "\n  replay: {line}");
    }
    // Nobody is left to hand it to.
    eprintln!("{told}");
    std::process::abort()
}
