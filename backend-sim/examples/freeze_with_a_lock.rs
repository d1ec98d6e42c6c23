//! A freeze that never ends: a backup freezes a worker's group and then takes the lock that the worker holds around each of
//! its steps. A worker that was frozen with the lock in its hand never lets it go. Who takes the lock first freezes a worker
//! that has none.
//!
//! Found by an exhaustive search; the deadlock says who waits for what.

#![expect(clippy::panic, reason = "a program that fails is what the search looks for")]

use standin::backend::{Deadline, Lock, OpenOptions};
use standin::cgroup::{Group, GroupPath, Hierarchies};
use standin::handle::File;
use standin::{Backend, ExitCode, Failure, KPath, Mode, Place, fs};
use standin_sim::{Builder, Machine, Search};

const JOB: &str = "/sys/fs/cgroup/job";
const JOURNAL: &str = "/run/journal";
const LOCK: &str = "/run/journal.lock";

type Error = Box<dyn std::error::Error>;
type Program = fn(&dyn Backend) -> Result<(), Error>;

/// The lock, until the file is dropped.
fn locked(kernel: &dyn Backend) -> Result<File, Error> {
    let options = OpenOptions::read_write().create().mode(Mode::new(0o600));
    let file = kernel.open(Place::cwd(KPath::new(LOCK)?), &options)?;
    kernel.flock(file.descriptor(), Lock::Exclusive { nonblocking: false })?;
    Ok(file)
}

fn job(kernel: &dyn Backend) -> Result<Group, Error> {
    Ok(Hierarchies::find(kernel)?.unified()?.open(kernel, &GroupPath::new("job")?)?)
}

/// Writes its journal, each line under the lock.
fn worker(kernel: &dyn Backend) -> Result<(), Error> {
    fs::write(kernel, format!("{JOB}/cgroup.procs"), "0")?;
    for step in ["one", "two"] {
        let _lock = locked(kernel)?;
        fs::write(kernel, JOURNAL, step)?;
    }
    Ok(())
}

fn copy(kernel: &dyn Backend) -> Result<(), Error> {
    Ok(fs::write(kernel, "/run/backup", fs::read(kernel, JOURNAL).unwrap_or_default())?)
}

fn freeze_then_lock(kernel: &dyn Backend) -> Result<(), Error> {
    let job = job(kernel)?;
    job.freeze(kernel, Deadline::Never)?;
    let _lock = locked(kernel)?;
    copy(kernel)?;
    Ok(job.thaw(kernel)?)
}

fn lock_then_freeze(kernel: &dyn Backend) -> Result<(), Error> {
    let job = job(kernel)?;
    let _lock = locked(kernel)?;
    job.freeze(kernel, Deadline::Never)?;
    copy(kernel)?;
    Ok(job.thaw(kernel)?)
}

fn scenario(machine: &Machine, backup: Program) -> Result<(), Failure> {
    let programs: [(&str, Program); 2] = [("/bin/worker", worker), ("/bin/backup", backup)];
    for (path, program) in programs {
        machine.program(path, move |kernel, _| match program(kernel) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => panic!("{error}"),
        });
    }
    fs::create_dir(&machine.root(), JOB).map_err(|error| error.failure().clone())?;
    machine.run_together(&[&["/bin/worker"], &["/bin/backup"]]).map(drop)
}

fn check(machine: &Machine, backup: Program) {
    if let Err(failure) = scenario(machine, backup) {
        panic!("{failure}");
    }
}

pub(crate) fn careless(machine: &Machine) {
    check(machine, freeze_then_lock);
}

pub(crate) fn careful(machine: &Machine) {
    check(machine, lock_then_freeze);
}

pub(crate) fn machine() -> Builder {
    Machine::builder()
}

pub(crate) fn search() -> Search {
    Search::exhaustive(1).on(machine())
}

pub(crate) fn main() {
    match search().check(careless) {
        Err(found) => println!("the careless backup fails {found}"),
        Ok(report) => panic!("the careless backup passes: {report:?}"),
    }
    match search().check(careful) {
        Err(found) => panic!("the careful backup fails {found}"),
        Ok(report) => println!("the careful one passes in {} orders", report.runs),
    }
}
