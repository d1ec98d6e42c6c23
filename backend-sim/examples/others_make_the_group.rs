//! A manager that takes for granted that nobody else makes its group: found by cases of the property kit, and shrunk to one
//! operation of somebody else.
//!
//! `cargo run -p standin-sim --features property --example others_make_the_group`

use standin::{Backend, ExitCode, fs};
use standin_sim::property::{Case, Found, Play};

const GROUP: &str = "/sys/fs/cgroup/a";

/// Makes its group.
pub(crate) fn careless(kernel: &dyn Backend, _: &[Vec<u8>]) -> ExitCode {
    fs::create_dir(kernel, GROUP).expect("the group is made");
    ExitCode::SUCCESS
}

/// Makes its group unless it is there; says so when it could not.
pub(crate) fn careful(kernel: &dyn Backend, _: &[Vec<u8>]) -> ExitCode {
    let made = fs::create_dir(kernel, GROUP);
    if made.is_ok() || fs::exists(kernel, GROUP) { ExitCode::SUCCESS } else { ExitCode(1) }
}

/// Whatever others do on the machine, in whatever order, the manager does not panic.
pub(crate) fn property(manager: fn(&dyn Backend, &[Vec<u8>]) -> ExitCode) -> impl Fn(&mut Play) {
    move |play| {
        play.machine().program("/bin/manager", manager);
        play.beside(&["/bin/manager"]).expect("both come to an end");
    }
}

/// Looks for a failure in so many cases of 20 operations.
pub(crate) fn search(
    manager: fn(&dyn Backend, &[Vec<u8>]) -> ExitCode,
    cases: u64,
) -> Option<Found> {
    Case::search(1, cases, 20, property(manager)).err().map(|found| *found)
}

pub(crate) fn main() {
    let found = search(careless, 2_000).expect("somebody else makes the group before");
    println!("the careless manager fails in case {}: {found}", found.cases());
    let again: Case = found.line().parse().expect("it prints its own line");
    assert!(again.check(property(careless)).is_err(), "the line is the case");
    assert!(search(careful, 200).is_none(), "who looks is not surprised");
    println!("the careful one passes in 200 cases");
}
