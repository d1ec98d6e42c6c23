//! Two managers and one cgroup.subtree_control: who reads what is enabled, adds what it wants and writes all of it again
//! disables what another enabled in between. The file needs no such care: it takes changes, `+pids`, and keeps the rest.
//!
//! Found by orders by chance.

#![expect(clippy::unwrap_used, reason = "a program that fails is what the search looks for")]

use std::fmt::Write as _;

use standin::{Backend, ExitCode, fs};
use standin_sim::{Builder, Machine, Search};

const ROOT: &str = "/sys/fs/cgroup";

/// Says of every controller whether it shall be on.
fn write_all(kernel: &dyn Backend, wanted: &str) {
    let available = fs::read_to_string(kernel, format!("{ROOT}/cgroup.controllers")).unwrap();
    let enabled = fs::read_to_string(kernel, format!("{ROOT}/cgroup.subtree_control")).unwrap();
    let mut words = String::new();
    for controller in available.split_whitespace() {
        let is_on = controller == wanted || enabled.split_whitespace().any(|on| on == controller);
        write!(words, "{}{controller} ", if is_on { '+' } else { '-' }).unwrap();
    }
    fs::write(kernel, format!("{ROOT}/cgroup.subtree_control"), words).unwrap();
}

/// Says what shall change.
fn write_change(kernel: &dyn Backend, wanted: &str) {
    fs::write(kernel, format!("{ROOT}/cgroup.subtree_control"), format!("+{wanted}")).unwrap();
}

/// A manager: called with its controller, the file of it that it sets, and a value.
fn manage(kernel: &dyn Backend, arguments: &[Vec<u8>], enable: fn(&dyn Backend, &str)) -> ExitCode {
    let [_, controller, file, value] = arguments else { return ExitCode::FAILURE };
    let [controller, file, value] =
        [controller, file, value].map(|word| std::str::from_utf8(word).unwrap());
    enable(kernel, controller);
    let group = format!("{ROOT}/{controller}-jobs");
    fs::create_dir(kernel, &group).unwrap();
    fs::write(kernel, format!("{group}/{file}"), value).unwrap();
    ExitCode::SUCCESS
}

fn scenario(machine: &Machine, enable: fn(&dyn Backend, &str)) {
    machine.program("/bin/manager", move |kernel, arguments| manage(kernel, arguments, enable));
    let managers: [&[&str]; 2] = [
        &["/bin/manager", "pids", "pids.max", "100"],
        &["/bin/manager", "memory", "memory.high", "64M"],
    ];
    machine.run_together(&managers).unwrap();
}

pub(crate) fn careless(machine: &Machine) {
    scenario(machine, write_all);
}

pub(crate) fn careful(machine: &Machine) {
    scenario(machine, write_change);
}

pub(crate) fn machine() -> Builder {
    Machine::builder()
}

pub(crate) fn search() -> Search {
    Search::random(1).on(machine()).runs(300)
}

pub(crate) fn main() {
    println!("the careless managers fail {}", search().check(careless).unwrap_err());
    println!("the careful ones pass in {} orders", search().check(careful).unwrap().runs);
}
