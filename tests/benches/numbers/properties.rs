//! How many property cases of 50 operations run in a second, each on a machine of its own: cases from our own bytes, mixed by
//! proptest's `prop_oneof`, and steps of a state machine.

use std::time::Instant;

use proptest::collection::vec;
use proptest::prelude::{BoxedStrategy, Just, Strategy, any, prop_oneof};
use proptest::test_runner::{Config, TestRunner};
use standin::transcript::Theme;
use standin::{KPath, Mode, Place, backend::Files as _};
use standin_sim::Machine;
use standin_sim::property::{Case, Model, Play, about, cases_of, check_model};

const CASES: u32 = 4_000;
const OPERATIONS: usize = 50;
const ROUNDS: usize = 5;

/// The best of a few rounds, in cases a second.
fn rate(mut round: impl FnMut()) -> f64 {
    let seconds = (0..ROUNDS).map(|_| {
        let start = Instant::now();
        round();
        start.elapsed().as_secs_f64()
    });
    f64::from(CASES) / seconds.fold(f64::INFINITY, f64::min)
}

fn own_bytes() -> f64 {
    rate(|| {
        for seed in 0..CASES {
            Case::random(seed.into(), OPERATIONS).check(Play::alone).unwrap();
        }
    })
}

fn one_of() -> f64 {
    let mixed = prop_oneof![
        6 => about(Theme::Files),
        3 => about(Theme::Processes),
        1 => about(Theme::Namespaces),
        1 => about(Theme::Resources),
        2 => about(Theme::Sockets),
        1 => about(Theme::Identity),
        1 => about(Theme::Links),
        1 => about(Theme::System),
    ];
    let cases = cases_of(vec(mixed, OPERATIONS));
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    rate(|| {
        TestRunner::new(config.clone())
            .run(&cases, |case| {
                case.check(Play::alone)?;
                Ok(())
            })
            .unwrap();
    })
}

/// Which of eight groups are there.
#[derive(Clone, Debug)]
struct Groups(u8);

/// Makes a group, or removes it.
#[derive(Clone, Debug)]
enum Step {
    Make(u8),
    Remove(u8),
}

const PATHS: [&str; 8] = [
    "/sys/fs/cgroup/a",
    "/sys/fs/cgroup/b",
    "/sys/fs/cgroup/c",
    "/sys/fs/cgroup/d",
    "/sys/fs/cgroup/e",
    "/sys/fs/cgroup/f",
    "/sys/fs/cgroup/g",
    "/sys/fs/cgroup/h",
];

impl Model for Groups {
    type Step = Step;

    fn start() -> BoxedStrategy<Self> {
        Just(Self(0)).boxed()
    }

    fn steps(&self) -> BoxedStrategy<Step> {
        let there = self.0;
        let step = |there: u8, at: u8| match there & (1 << at) {
            0 => Step::Make(at),
            _ => Step::Remove(at),
        };
        any::<u8>().prop_map(move |byte| step(there, byte % 8)).boxed()
    }

    fn allows(&self, step: &Step) -> bool {
        match step {
            Step::Make(at) => self.0 & (1 << at) == 0,
            Step::Remove(at) => self.0 & (1 << at) != 0,
        }
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::Make(at) | Step::Remove(at) => self.0 ^= 1 << at,
        }
    }

    fn carry_out(&self, machine: &Machine, step: &Step) {
        let root = machine.root();
        let path = |at: u8| KPath::new(PATHS.get(usize::from(at)).unwrap()).unwrap();
        match step {
            Step::Make(at) => root.mkdir(Place::cwd(path(*at)), Mode::new(0o755)).unwrap(),
            Step::Remove(at) => root.rmdir(Place::cwd(path(*at))).unwrap(),
        }
    }

    fn holds(&self, machine: &Machine) {
        assert_eq!(machine.look().cgroups().len(), self.0.count_ones() as usize);
    }
}

fn state_machine() -> f64 {
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    rate(|| check_model::<Groups>(&config, OPERATIONS).unwrap())
}

/// What, floor and goal a second, and the measurement.
type Measurement = (&'static str, f64, f64, fn() -> f64);

const ROWS: [Measurement; 3] = [
    ("property cases of 50 operations, a s", 30_000.0, 60_000.0, own_bytes),
    ("  mixed by prop_oneof", 20_000.0, 25_000.0, one_of),
    ("  steps of a state machine", 12_000.0, 14_000.0, state_machine),
];

pub(crate) fn print() {
    for (what, floor, goal, measure) in ROWS {
        let each = measure();
        let mark = match each {
            each if each >= goal => "goal",
            each if each >= floor => "floor",
            _ => "MISSED",
        };
        println!("{what:<46} {each:>11.0} {floor:>9} {goal:>9} {:>12} {:>12}  {mark}", "-", "-");
    }
}
