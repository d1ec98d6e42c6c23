//! The numbers that standin promises, measured: the machine and the real kernel in one run, since only ratios last.
//!
//! `cargo bench --bench numbers` prints a row a promise: what it took on the machine (the median of nine rounds), the floor, the
//! goal, what the same calls took on this host, where it has root and a cgroup2 hierarchy, and what a temporary directory in
//! the place of a kernel took. Timings decide nothing: a row that
//! misses its floor is marked, and the exit status stays 0.
//! `cargo bench --profile dependency --bench numbers` prints the rows of a debug build, as `cargo test` gives it to a user: the
//! libraries are dependencies there, and optimised as README recommends. With `--profile dev` nothing of them is optimised, as in
//! the tests of this workspace; the promises are not about that.

#![expect(clippy::unwrap_used, reason = "a measurement that fails has nothing to report")]

mod bytes;
mod directory;
mod host;
mod lives;
mod measure;
mod namespaces;
mod properties;
mod recorded;
mod rows;
mod schedules;

use measure::{Row, time};

fn main() {
    // `cargo test --benches` asks for a list or a quick look; a measurement is neither.
    if std::env::args().any(|argument| argument == "--test" || argument == "--list") {
        println!("0 tests, 0 benchmarks");
        return;
    }
    let host = host::Host::new();
    if host.is_none() {
        println!("no real kernel beside the machine: that needs root and a cgroup2 hierarchy");
    }
    println!(
        "{:<46} {:>11} {:>9} {:>9} {:>12} {:>12}",
        "what", "machine", "floor", "goal", "real kernel", "a directory"
    );
    let mut missed = 0;
    let mut print = |row: &Row| {
        let mark = row.mark();
        missed += u32::from(mark == "MISSED");
        let or_none = |ns: Option<f64>| ns.map_or_else(|| "-".to_owned(), time);
        println!(
            "{:<46} {:>11} {:>9} {:>9} {:>12} {:>12}  {mark}",
            row.what,
            time(row.machine_ns),
            time(row.floor_ns),
            time(row.goal_ns),
            or_none(row.host_ns),
            or_none(row.directory_ns),
        );
    };
    if cfg!(debug_assertions) {
        println!("debug build, {}", build());
        rows::in_debug_build(&mut print);
        return;
    }
    rows::all(host.as_ref(), &mut print);
    recorded::all(&mut print);
    namespaces::all(host.is_some(), &mut print);
    schedules::print();
    properties::print();
    bytes::print();
    println!("{missed} rows miss their floor");
}

/// Which debug build this is: it stands in a directory of Cargo's that is named after its profile.
fn build() -> &'static str {
    let program = std::env::current_exe().unwrap();
    if program.ancestors().nth(2).is_some_and(|profile| profile.ends_with("dependency")) {
        "the libraries optimised: what `cargo test` gives a user"
    } else {
        "nothing optimised: not what a user gets, for which there is --profile dependency"
    }
}
