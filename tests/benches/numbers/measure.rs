//! Rounds, medians, and a row of the table.

use std::time::Instant;

/// Rounds a row; the median is printed.
const ROUNDS: usize = 9;

/// A promise and what became of it.
pub(crate) struct Row {
    pub(crate) what: String,
    pub(crate) floor_ns: f64,
    pub(crate) goal_ns: f64,
    pub(crate) machine_ns: f64,
    pub(crate) host_ns: Option<f64>,
    /// A temporary directory's.
    pub(crate) directory_ns: Option<f64>,
}

impl Row {
    /// A promise with nothing beside the machine.
    pub(crate) fn alone(what: &str, [floor_ns, goal_ns]: [f64; 2], machine_ns: f64) -> Self {
        let (host_ns, directory_ns) = (None, None);
        Self { what: what.to_owned(), floor_ns, goal_ns, machine_ns, host_ns, directory_ns }
    }

    pub(crate) fn mark(&self) -> &'static str {
        if self.machine_ns <= self.goal_ns {
            "goal"
        } else if self.machine_ns <= self.floor_ns {
            "floor"
        } else {
            "MISSED"
        }
    }
}

/// Nanoseconds of one of `count` calls of `body`: the median of all rounds.
pub(crate) fn each(count: u32, mut body: impl FnMut()) -> f64 {
    batch(count, || (), |()| body())
}

/// The same, where what is used up by a call is made beforehand, outside of what is timed.
pub(crate) fn batch<T>(count: u32, mut make: impl FnMut() -> T, mut body: impl FnMut(T)) -> f64 {
    let mut rounds: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let made: Vec<T> = (0..count).map(|_| make()).collect();
            let start = Instant::now();
            made.into_iter().for_each(&mut body);
            start.elapsed().as_secs_f64() * 1e9 / f64::from(count)
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    rounds.get(ROUNDS / 2).copied().unwrap_or_default()
}

pub(crate) fn time(ns: f64) -> String {
    if ns < 1e3 {
        format!("{ns:.0} ns")
    } else if ns < 1e9 {
        format!("{:.2} us", ns / 1e3)
    } else {
        format!("{:.2} s", ns / 1e9)
    }
}
