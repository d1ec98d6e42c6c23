//! How many orders of programs a search runs in a second, each on a machine of its own.

use std::time::Instant;

use standin::{ExitCode, fs};
use standin_sim::{Machine, Search};

const RUNS: u64 = 2_000;

/// Three programs with ten groups each that are made, written and removed: 30 operations.
fn three_programs(machine: &Machine) {
    machine.program("/bin/work", |kernel, arguments| {
        let own = String::from_utf8_lossy(arguments.last().unwrap()).into_owned();
        let group = format!("/sys/fs/cgroup/{own}");
        for _ in 0..6 {
            fs::create_dir(kernel, &group).unwrap();
            fs::write(kernel, format!("{group}/cgroup.max.depth"), "3").unwrap();
            fs::remove_dir(kernel, &group).unwrap();
        }
        ExitCode::SUCCESS
    });
    machine.run_together(&[&["/bin/work", "a"], &["/bin/work", "b"], &["/bin/work", "c"]]).unwrap();
}

pub(crate) fn print() {
    let start = Instant::now();
    Search::random(1).runs(RUNS).check(three_programs).unwrap();
    let seconds = start.elapsed().as_secs_f64();
    let each = f64::from(u32::try_from(RUNS).unwrap()) / seconds;
    let mark = match each {
        60_000.0.. => "goal",
        20_000.0.. => "floor",
        _ => "MISSED",
    };
    let what = "schedules of 3 programs of 30 operations, a s";
    println!("{what:<46} {each:>11.0} {:>9} {:>9} {:>12} {:>12}  {mark}", 20_000, 60_000, "-", "-");
}
