//! What managers of control groups do, on the real kernel: by `standin::cgroup`, by other libraries, and by hand.
//!
//! `cargo bench --bench cgroup` prints a table for each version of hierarchies: system calls (where strace(1) is installed) and
//! time of each job, and both beside the job written by hand with the same guarantees. The contenders take turns in every round,
//! and medians of rounds are printed: only ratios last. It needs root. Figures decide nothing here: `tests/cgroup_calls.rs`
//! proves the calls.
//!
//! A job that a library cannot do, or not on this layout, has no row: see the notes in `libraries`.

#![expect(clippy::unwrap_used, reason = "a measurement that fails has nothing to report")]
#![expect(clippy::indexing_slicing, reason = "tables of known length")]

mod by_hand;
mod calls;
mod contender;
mod libraries;
mod original;

use contender::{Contender, Job, Scene};
use standin_tests::manager::{CPU_V1, HUGETLB_V2, Kit, PIDS_V2};

const KITS: [Kit; 3] = [CPU_V1, HUGETLB_V2, PIDS_V2];

/// Rounds, and how long a contender's turn in one is, if a single job is not longer: so short that on a busy host few of them
/// are interrupted.
const ROUNDS: usize = 301;
const TURN_NS: f64 = 2e5;
const MOST_TIMES: u32 = 100;

/// Who is on: the first is what the others are compared with.
fn contenders(scene: &Scene) -> Vec<Box<dyn Contender>> {
    let mut all: Vec<Box<dyn Contender>> = vec![
        Box::new(by_hand::ByHand::new(scene, true)),
        Box::new(by_hand::ByHand::new(scene, false)),
        Box::new(libraries::Ours::new(scene)),
    ];
    if scene.is_v1() {
        all.push(Box::new(libraries::CgroupsRs::new(scene)));
    }
    all.push(Box::new(libraries::Libcgroups::new(scene)));
    match original::Original::new(scene) {
        Some(original) => all.push(Box::new(original)),
        None => println!("libcgroup (C): needs cc and libcgroup-dev"),
    }
    all
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    // `cargo test --benches` asks for a list or a quick look; a measurement is neither.
    if arguments.iter().any(|argument| argument == "--test" || argument == "--list") {
        println!("0 tests, 0 benchmarks");
        return;
    }
    if let [_, show, kit, contender, word] = arguments.as_slice()
        && show == calls::SHOW
    {
        let scene = Scene::new(KITS[kit.parse::<usize>().unwrap()]).unwrap();
        let job = Job::ALL.iter().find(|row| row.1 == word).unwrap().0;
        contenders(&scene)[contender.parse::<usize>().unwrap()].show(&scene, job, calls::TIMES);
        return;
    }
    for (number, kit) in KITS.iter().enumerate() {
        match Scene::new(*kit) {
            Ok(scene) => table(number, &scene),
            Err(why) => println!("\nnot measured with {}: {why}", kit.controller),
        }
    }
}

fn table(kit: usize, scene: &Scene) {
    println!("\n{} with {}", if scene.is_v1() { "v1" } else { "v2" }, scene.kit.controller);
    println!(
        "{:<50} {:<26} {:>6} {:>11} {:>7} {:>7}",
        "job", "who", "calls", "time", "x calls", "x time"
    );
    let mut contenders = contenders(scene);
    for (job, _, what) in Job::ALL {
        let mut first = None;
        for (who, ns) in measured(&mut contenders, scene, job) {
            let calls = calls::count(kit, who, job);
            let name = contenders[who].name();
            let ns = match ns {
                Ok(rounds) => rounds,
                Err(why) => {
                    println!("{what:<50} {name:<26} {}", why.trim());
                    continue;
                }
            };
            let by_hand = first.get_or_insert_with(|| (calls, ns.clone()));
            let ratio =
                median(ns.iter().zip(&by_hand.1).map(|(ns, by_hand)| ns / by_hand).collect());
            let shown = |calls: Option<usize>| {
                calls.map_or_else(|| "-".to_owned(), |calls| calls.to_string())
            };
            let more = calls.zip(by_hand.0).map(|(calls, by_hand)| calls as f64 / by_hand as f64);
            println!(
                "{what:<50} {name:<26} {:>6} {:>8.2} us {:>7} {ratio:>7.2}",
                shown(calls),
                median(ns) / 1e3,
                more.map_or_else(|| "-".to_owned(), |more| format!("{more:.2}")),
            );
        }
    }
}

/// Nanoseconds a job of all rounds, of each contender that can do it.
fn measured(
    contenders: &mut [Box<dyn Contender>],
    scene: &Scene,
    job: Job,
) -> Vec<(usize, Result<Vec<f64>, String>)> {
    let mut all: Vec<(usize, u32, Result<Vec<f64>, String>)> = Vec::new();
    for (who, contender) in contenders.iter_mut().enumerate() {
        if contender.can(scene, job) {
            // How often it is done in a turn.
            let tried = contender.time(scene, job, 3);
            let ns = tried.as_ref().copied().unwrap_or(TURN_NS);
            let fits = |times: &u32| f64::from(*times) * ns <= TURN_NS;
            let times = (1..=MOST_TIMES).rev().find(fits).unwrap_or(1);
            all.push((who, times, tried.map(|_| Vec::new())));
        }
    }
    for round in 0..ROUNDS {
        // Whoever comes first in one round comes later in the next.
        let first = round % all.len().max(1);
        for turn in 0..all.len() {
            let index = (first + turn) % all.len();
            let (who, times, rounds) = &mut all[index];
            if let Ok(taken) = rounds {
                match contenders[*who].time(scene, job, *times) {
                    Ok(ns) => taken.push(ns),
                    Err(why) => *rounds = Err(why),
                }
            }
        }
    }
    all.into_iter().map(|(who, _, rounds)| (who, rounds)).collect()
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
