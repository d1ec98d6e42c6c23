//! The number of a process is another's tomorrow: a watchdog is given its worker's number and kills it when its patience is
//! over. By then the worker may have ended and been waited for, and its number been given to a stranger. A process handle
//! (pidfd_open(2)), which the watchdog inherits here, never means anybody else.
//!
//! Found by orders by chance, on a machine whose numbers begin again soon.

#![expect(clippy::unwrap_used, reason = "a program that fails is what the search looks for")]

use standin::backend::{Spawn, SpawnDescriptor, WaitOptions, WaitStatus};
use standin::handle::PidHandle;
use standin::{Backend, Errno, ExitCode, KPath, Pid, Signal};
use standin_sim::{Builder, Machine, Search};

fn path(text: &str) -> &KPath {
    KPath::new(text).unwrap()
}

/// What the watchdog finds the worker's handle at.
const HANDLE: u32 = 3;

/// Starts a worker, and a watchdog that gets its number and a handle; waits for both.
fn supervisor(kernel: &dyn Backend, _: &[Vec<u8>]) -> ExitCode {
    // No number is free: that is not what this is about.
    let Ok(worker) = kernel.spawn(&Spawn::new(path("/bin/true"), &[b"true"])) else {
        return ExitCode::FAILURE;
    };
    let number = kernel.inspect(&worker).unwrap().pid.0.to_string();
    let watchdog = kernel.spawn(&Spawn {
        descriptors: &[SpawnDescriptor { from: worker.descriptor(), to: HANDLE }],
        ..Spawn::new(path("/bin/watchdog"), &[b"watchdog", number.as_bytes()])
    });
    kernel.wait(&worker, WaitOptions::default()).unwrap();
    if let Ok(watchdog) = watchdog {
        kernel.wait(&watchdog, WaitOptions::default()).unwrap();
    }
    ExitCode::SUCCESS
}

/// Somebody else, who wants to know how its own child ended.
fn shell(kernel: &dyn Backend, _: &[Vec<u8>]) -> ExitCode {
    for _ in 0..2 {
        if let Ok(child) = kernel.spawn(&Spawn::new(path("/bin/sleep"), &[b"sleep", b"1"])) {
            let ended = kernel.wait(&child, WaitOptions::default()).unwrap();
            assert_eq!(ended, Some(WaitStatus::Exited(0)), "a stranger was killed");
        }
    }
    ExitCode::SUCCESS
}

fn kill(kernel: &dyn Backend, process: &PidHandle) -> ExitCode {
    match kernel.signal(process, Some(Signal::KILL)) {
        // It has ended by itself.
        Err(failure) if failure.errno() == Some(Errno::ESRCH) => {}
        sent => sent.unwrap(),
    }
    ExitCode::SUCCESS
}

/// kill(2) is `open_pid` and `signal` in one.
fn kill_by_number(kernel: &dyn Backend, arguments: &[Vec<u8>]) -> ExitCode {
    let number = std::str::from_utf8(arguments.get(1).unwrap()).unwrap().parse().unwrap();
    match kernel.open_pid(Pid(number)) {
        Ok(process) => kill(kernel, &process),
        Err(_) => ExitCode::SUCCESS,
    }
}

fn kill_by_handle(kernel: &dyn Backend, _: &[Vec<u8>]) -> ExitCode {
    kill(kernel, &PidHandle::from(kernel.inherited(HANDLE).unwrap()))
}

fn scenario(machine: &Machine, watchdog: fn(&dyn Backend, &[Vec<u8>]) -> ExitCode) {
    machine.program("/bin/supervisor", supervisor);
    machine.program("/bin/shell", shell);
    machine.program("/bin/watchdog", watchdog);
    machine.run_together(&[&["/bin/supervisor"], &["/bin/shell"]]).unwrap();
}

pub(crate) fn careless(machine: &Machine) {
    scenario(machine, kill_by_number);
}

pub(crate) fn careful(machine: &Machine) {
    scenario(machine, kill_by_handle);
}

/// Its processes get the numbers 300 to 303.
pub(crate) fn machine() -> Builder {
    Machine::builder().last_pid(299).pid_max(304)
}

pub(crate) fn search() -> Search {
    Search::random(1).on(machine()).runs(1_000)
}

pub(crate) fn main() {
    println!("the careless watchdog fails {}", search().check(careless).unwrap_err());
    println!("the careful one passes in {} orders", search().check(careful).unwrap().runs);
}
