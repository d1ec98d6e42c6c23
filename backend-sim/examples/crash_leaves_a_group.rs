//! A supervisor that dies at the wrong moment: it makes a group for its worker, moves the worker in, waits for its end and
//! removes the group. Dead in between, it leaves the group behind for ever, because the next one knows nothing of it. The
//! careful supervisor begins with what an earlier one left.
//!
//! Found by a crash sweep: the supervisor dies before each of its calls in turn and is started again.

#![expect(clippy::panic, reason = "a program that fails is what the search looks for")]

use standin::backend::{Spawn, WaitOptions};
use standin::cgroup::{Deletion, GroupPath, Hierarchies, Members};
use standin::{Backend, ExitCode, KPath, fs};
use standin_sim::{Builder, CrashSweep, Machine};

const JOBS: &str = "/sys/fs/cgroup/jobs";

type Error = Box<dyn std::error::Error>;
type Program = fn(&dyn Backend) -> Result<(), Error>;

fn supervise(kernel: &dyn Backend) -> Result<(), Error> {
    let job = format!("{JOBS}/{}", kernel.pid()?.0);
    fs::create_dir(kernel, &job)?;
    let worker = kernel.spawn(&Spawn::new(KPath::new("/bin/sleep")?, &[b"sleep", b"60"]))?;
    let number = kernel.inspect(&worker)?.pid.0;
    fs::write(kernel, format!("{job}/cgroup.procs"), number.to_string())?;
    kernel.wait(&worker, WaitOptions::default())?;
    Ok(fs::remove_dir(kernel, &job)?)
}

fn clear_up_and_supervise(kernel: &dyn Backend) -> Result<(), Error> {
    let hierarchies = Hierarchies::find(kernel)?;
    let jobs = hierarchies.unified()?.open(kernel, &GroupPath::new("jobs")?)?;
    for left in jobs.children(kernel)? {
        let deletion = Deletion::new().members(Members::Kill).recursive();
        deletion.delete(kernel, &jobs.child(kernel, &left)?)?;
    }
    supervise(kernel)
}

fn setup(machine: &Machine, supervisor: Program) {
    machine.program("/bin/supervisor", move |kernel, _| match supervisor(kernel) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => panic!("{error}"),
    });
    if let Err(error) = fs::create_dir(&machine.root(), JOBS) {
        panic!("{error}");
    }
}

pub(crate) fn careless(machine: &Machine) {
    setup(machine, supervise);
}

pub(crate) fn careful(machine: &Machine) {
    setup(machine, clear_up_and_supervise);
}

/// What must hold when a supervisor has come to its end.
pub(crate) fn check(machine: &Machine) {
    assert_eq!(machine.look().cgroups(), ["/jobs"], "a group was left behind");
}

pub(crate) fn machine() -> Builder {
    Machine::builder()
}

pub(crate) fn sweep() -> CrashSweep {
    CrashSweep::of(&["/bin/supervisor"]).on(machine())
}

pub(crate) fn main() {
    match sweep().check(careless, check) {
        Err(found) => println!("the careless supervisor fails {found}"),
        Ok(report) => panic!("the careless supervisor passes: {report:?}"),
    }
    match sweep().deaths(2).check(careful, check) {
        Err(found) => panic!("the careful supervisor fails {found}"),
        Ok(report) => println!("the careful one passes {} ways of dying", report.runs),
    }
}
