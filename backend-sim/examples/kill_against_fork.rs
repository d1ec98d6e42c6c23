//! Kill against fork: who reads cgroup.procs and kills what stands there one by one misses the child that a member forks
//! between the two. `cgroup.kill` (Linux 5.14) kills all that are in the group, and whoever is born while it does.
//!
//! Found by an exhaustive search: every order with one interruption.

#![expect(clippy::unwrap_used, reason = "a program that fails is what the search looks for")]

use std::time::Duration;

use standin::backend::{Deadline, Files as _, Processes as _, Spawn, WaitOptions};
use standin::cgroup::{Group, GroupPath, Hierarchies};
use standin::{Backend, ExitCode, KPath, Pid, Place, Signal, fs};
use standin_sim::{Builder, Machine, Search};

const WEB: &str = "/sys/fs/cgroup/web";

fn path(text: &str) -> &KPath {
    KPath::new(text).unwrap()
}

/// The member: it starts two workers, which run for an hour.
fn server(kernel: &dyn Backend, _: &[Vec<u8>]) -> ExitCode {
    let worker = Spawn::new(path("/bin/sleep"), &[b"sleep", b"3600"]);
    for worker in [kernel.spawn(&worker).unwrap(), kernel.spawn(&worker).unwrap()] {
        kernel.wait(&worker, WaitOptions::default()).unwrap();
    }
    ExitCode::SUCCESS
}

fn web(kernel: &dyn Backend) -> Group {
    let hierarchies = Hierarchies::find(kernel).unwrap();
    hierarchies.unified().unwrap().open(kernel, &GroupPath::new("web").unwrap()).unwrap()
}

/// Waits until the killed have ended: a kill is only the beginning of that.
fn expect_nobody(kernel: &dyn Backend, web: &Group) -> ExitCode {
    let soon = kernel.monotonic().unwrap().after(Duration::from_secs(10));
    assert!(
        web.wait_empty(kernel, Deadline::At(soon)).unwrap(),
        "somebody in the group was not killed"
    );
    ExitCode::SUCCESS
}

fn kill_one_by_one(kernel: &dyn Backend, _: &[Vec<u8>]) -> ExitCode {
    let members = fs::read_to_string(kernel, format!("{WEB}/cgroup.procs")).unwrap();
    for member in members.lines() {
        // Who has ended meanwhile needs no signal.
        if let Ok(process) = kernel.open_pid(Pid(member.parse().unwrap())) {
            let _ = kernel.signal(&process, Some(Signal::KILL));
        }
    }
    expect_nobody(kernel, &web(kernel))
}

fn kill_the_group(kernel: &dyn Backend, _: &[Vec<u8>]) -> ExitCode {
    let web = web(kernel);
    web.kill(kernel).unwrap();
    expect_nobody(kernel, &web)
}

fn scenario(machine: &Machine, killer: fn(&dyn Backend, &[Vec<u8>]) -> ExitCode) {
    machine.program("/bin/server", server);
    machine.program("/bin/killer", killer);
    let root = machine.root();
    fs::create_dir(&root, WEB).unwrap();
    let web = root.open_dir(Place::cwd(path(WEB))).unwrap();
    let server = Spawn::new(path("/bin/server"), &[b"server"]).into_cgroup(&web);
    root.spawn(&server).unwrap();
    machine.run("/bin/killer", &[]).unwrap();
}

pub(crate) fn careless(machine: &Machine) {
    scenario(machine, kill_one_by_one);
}

pub(crate) fn careful(machine: &Machine) {
    scenario(machine, kill_the_group);
}

pub(crate) fn machine() -> Builder {
    Machine::builder()
}

pub(crate) fn search() -> Search {
    Search::exhaustive(1).on(machine())
}

pub(crate) fn main() {
    println!("the careless killer fails {}", search().check(careless).unwrap_err());
    println!("the careful one passes in {} orders", search().check(careful).unwrap().runs);
}
