//! Fork against rmdir: a manager moves the members of a group away and removes it, and a member forks meanwhile. The child is
//! in the group again, and rmdir(2) says EBUSY; once in a thousand stops, and never when somebody looks.
//!
//! Found by priorities (PCT): one change of them, at the right place, is all it takes.

#![expect(clippy::unwrap_used, reason = "a program that fails is what the search looks for")]

use standin::backend::{Files as _, Processes as _, Spawn, WaitOptions};
use standin::{Backend, Errno, ExitCode, KPath, Place, fs};
use standin_sim::{Builder, Machine, Search};

const ROOT: &str = "/sys/fs/cgroup";
const WEB: &str = "/sys/fs/cgroup/web";

fn path(text: &str) -> &KPath {
    KPath::new(text).unwrap()
}

/// The member: it starts helpers, one after the other.
fn server(kernel: &dyn Backend, _: &[Vec<u8>]) -> ExitCode {
    for _ in 0..3 {
        let helper = kernel.spawn(&Spawn::new(path("/bin/sleep"), &[b"sleep", b"1"])).unwrap();
        kernel.wait(&helper, WaitOptions::default()).unwrap();
    }
    ExitCode::SUCCESS
}

/// Moves every member of the group into the root.
fn empty(kernel: &dyn Backend) {
    let members = fs::read_to_string(kernel, format!("{WEB}/cgroup.procs")).unwrap();
    for member in members.lines() {
        match fs::write(kernel, format!("{ROOT}/cgroup.procs"), member) {
            // It has ended.
            Err(error) if error.errno() == Some(Errno::ESRCH) => {}
            moved => moved.unwrap(),
        }
    }
}

fn stop_once(kernel: &dyn Backend, _: &[Vec<u8>]) -> ExitCode {
    empty(kernel);
    fs::remove_dir(kernel, WEB).unwrap();
    ExitCode::SUCCESS
}

/// Again, while somebody is there.
fn stop_until_empty(kernel: &dyn Backend, _: &[Vec<u8>]) -> ExitCode {
    loop {
        empty(kernel);
        match fs::remove_dir(kernel, WEB) {
            Err(error) if error.errno() == Some(Errno::EBUSY) => {}
            removed => {
                removed.unwrap();
                return ExitCode::SUCCESS;
            }
        }
    }
}

fn scenario(machine: &Machine, stop: fn(&dyn Backend, &[Vec<u8>]) -> ExitCode) {
    machine.program("/bin/server", server);
    machine.program("/bin/stop", stop);
    let root = machine.root();
    fs::create_dir(&root, WEB).unwrap();
    let web = root.open_dir(Place::cwd(path(WEB))).unwrap();
    let server = Spawn::new(path("/bin/server"), &[b"server"]).into_cgroup(&web);
    let server = root.spawn(&server).unwrap();
    machine.run("/bin/stop", &[]).unwrap();
    root.wait(&server, WaitOptions::default()).unwrap();
}

pub(crate) fn careless(machine: &Machine) {
    scenario(machine, stop_once);
}

pub(crate) fn careful(machine: &Machine) {
    scenario(machine, stop_until_empty);
}

pub(crate) fn machine() -> Builder {
    Machine::builder()
}

pub(crate) fn search() -> Search {
    Search::priorities(1, 2).on(machine()).runs(300)
}

pub(crate) fn main() {
    println!("the careless manager fails {}", search().check(careless).unwrap_err());
    println!("the careful one passes in {} orders", search().check(careful).unwrap().runs);
}
