//! A killed group that is busy: `cgroup.kill` says that its members are to end, not that they have ended. Who removes the group
//! behind it meets EBUSY, unless it waits until cgroup.events says that nobody is left.
//!
//! Found by a search at random: on the machine too, where an order is searched, who is killed may end later than the killer's
//! next calls.

#![expect(clippy::unwrap_used, reason = "a program that fails is what the search looks for")]

use std::time::Duration;

use standin::backend::{Deadline, Files as _, Processes as _, Spawn};
use standin::cgroup::{GroupPath, Hierarchies};
use standin::{Backend, ExitCode, KPath, Place, fs};
use standin_sim::{Builder, Machine, Search};

const WEB: &str = "/sys/fs/cgroup/web";

fn path(text: &str) -> &KPath {
    KPath::new(text).unwrap()
}

fn kill_and_remove(kernel: &dyn Backend, _: &[Vec<u8>]) -> ExitCode {
    fs::write(kernel, format!("{WEB}/cgroup.kill"), "1").unwrap();
    fs::remove_dir(kernel, WEB).unwrap();
    ExitCode::SUCCESS
}

fn kill_wait_and_remove(kernel: &dyn Backend, _: &[Vec<u8>]) -> ExitCode {
    let hierarchies = Hierarchies::find(kernel).unwrap();
    let web = hierarchies.unified().unwrap().open(kernel, &GroupPath::new("web").unwrap()).unwrap();
    web.kill(kernel).unwrap();
    let soon = kernel.monotonic().unwrap().after(Duration::from_secs(10));
    assert!(web.wait_empty(kernel, Deadline::At(soon)).unwrap());
    fs::remove_dir(kernel, WEB).unwrap();
    ExitCode::SUCCESS
}

fn scenario(machine: &Machine, killer: fn(&dyn Backend, &[Vec<u8>]) -> ExitCode) {
    machine.program("/bin/killer", killer);
    let root = machine.root();
    fs::create_dir(&root, WEB).unwrap();
    let web = root.open_dir(Place::cwd(path(WEB))).unwrap();
    for _ in 0..2 {
        let member = Spawn::new(path("/bin/sleep"), &[b"sleep", b"3600"]).into_cgroup(&web);
        root.spawn(&member).unwrap();
    }
    machine.run("/bin/killer", &[]).unwrap();
}

pub(crate) fn careless(machine: &Machine) {
    scenario(machine, kill_and_remove);
}

pub(crate) fn careful(machine: &Machine) {
    scenario(machine, kill_wait_and_remove);
}

pub(crate) fn machine() -> Builder {
    Machine::builder()
}

pub(crate) fn search() -> Search {
    Search::random(1).on(machine()).runs(300)
}

pub(crate) fn main() {
    println!("the careless killer fails {}", search().check(careless).unwrap_err());
    println!("the careful one passes in {} orders", search().check(careful).unwrap().runs);
}
