//! Running a scenario in many orders, until one fails: [`Search`].

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::decisions::Decisions;
use super::generator::Generator;
use super::order::{Made, Order, Rule};
use super::reduce::Reduction;
use super::replay::{self, ReplayError};
use super::shrink::shrink;
use super::trace::Trace;
use crate::builder::Builder;
use crate::machine::Machine;

/// Which orders of a machine's programs are tried, and how many.
///
/// A scenario is a closure that is given a fresh machine each time. It fails if it panics, if one of its programs does, or if
/// the machine was asked for something that it does not model. What it does itself, from outside of the machine, is not
/// put in another order: what is to race must be programs.
///
/// ```
/// use standin::{Backend, ExitCode, fs};
/// use standin_sim::{Machine, Search};
///
/// /// Makes a group that is not there: but between the look and the making another may have made it.
/// fn ensure(kernel: &dyn Backend, _: &[Vec<u8>]) -> ExitCode {
///     if !fs::exists(kernel, "/sys/fs/cgroup/web") {
///         fs::create_dir(kernel, "/sys/fs/cgroup/web").unwrap();
///     }
///     ExitCode::SUCCESS
/// }
///
/// fn scenario(machine: &Machine) {
///     machine.program("/bin/ensure", ensure);
///     machine.run_together(&[&["/bin/ensure"], &["/bin/ensure"]]).unwrap();
/// }
///
/// let found = Search::exhaustive(1).check(scenario).unwrap_err();
/// assert!(found.message().contains("EEXIST"), "{found}");
///
/// // The line that it prints runs the same again.
/// let again = Search::replay(found.line(), Machine::builder()).unwrap().check(scenario).unwrap_err();
/// assert_eq!(again.line(), found.line());
/// ```
#[derive(Clone, Debug)]
pub struct Search {
    builder: Builder,
    way: Way,
    most: u64,
}

#[derive(Clone, Debug)]
enum Way {
    Random { seed: u64 },
    Priorities { seed: u64, depth: u32 },
    Exhaustive { interruptions: u32 },
    Reduced,
    Given(Decisions),
}

/// How many runs a search makes unless it is said.
const RUNS: u64 = 1_000;

impl Search {
    fn new(way: Way, most: u64) -> Self {
        Self { builder: Builder::default(), way, most }
    }

    /// Orders by chance, all alternatives alike at each decision. The same seed tries the same orders.
    #[must_use]
    pub fn random(seed: u64) -> Self {
        Self::new(Way::Random { seed }, RUNS)
    }

    /// Programs by priorities that are given by chance and change at `depth - 1` places: a race that needs `depth` steps in a
    /// certain order among n programs that make k calls together is met with a probability of at least 1 / (n k^(depth-1))
    /// in each run.
    #[must_use]
    pub fn priorities(seed: u64, depth: u32) -> Self {
        Self::new(Way::Priorities { seed, depth }, RUNS)
    }

    /// Every order in which at most so many calls are interrupted by another program. (A program that blocks or ends gives
    /// way without an interruption: then all others are tried.)
    #[must_use]
    pub fn exhaustive(interruptions: u32) -> Self {
        Self::new(Way::Exhaustive { interruptions }, u64::MAX)
    }

    /// Every order with however many interruptions, but of those that come to the same only one: two calls that do not touch
    /// the same are not tried in both orders. What a call touches is taken from the machine, and is everything where that is
    /// not known; what programs do besides calls must not depend on each other. (A bound on the interruptions would not go
    /// together with it: the one order that is tried may be the one that needs more of them.)
    #[must_use]
    pub fn reduced() -> Self {
        Self::new(Way::Reduced, u64::MAX)
    }

    /// The one order that a line of [`Found`] tells of, on a machine such as it was found on.
    ///
    /// # Errors
    /// A line that is not whole, or is of another version or machine.
    pub fn replay(line: &str, machine: Builder) -> Result<Self, ReplayError> {
        Ok(Self::given(replay::parse(line, &machine)?).on(machine))
    }

    /// The one order that these decisions make.
    #[must_use]
    pub fn given(decisions: Decisions) -> Self {
        Self::new(Way::Given(decisions), 1)
    }

    /// On machines such as this; on one as [`Machine::builder`] describes it unless it is said.
    #[must_use]
    pub fn on(mut self, builder: Builder) -> Self {
        self.builder = builder;
        self
    }

    /// In so many runs at most: 1,000 unless it is said, and as many as there are if the search is exhaustive.
    #[must_use]
    pub fn runs(mut self, most: u64) -> Self {
        self.most = most;
        self
    }

    /// Runs the scenario in one order after the other, until it fails or all are tried. A failure is made smaller before it
    /// is told.
    ///
    /// # Errors
    /// The failure, with the line that runs it again.
    pub fn check(&self, scenario: impl Fn(&Machine)) -> Result<Report, Found> {
        let mut report = Report { runs: 0, is_complete: false, longest: 0 };
        let mut reduction = Reduction::default();
        let mut next = Some(self.first());
        while let Some(order) = next {
            if report.runs == self.most {
                return Ok(report);
            }
            report.runs += 1;
            let run = self.run(order, &scenario);
            report.longest = report.longest.max(run.made.len());
            if run.failure.is_some() {
                return Err(self.found(&report, run, &scenario));
            }
            next = match &run.trace {
                None => self.after(&run.made, &report).map(Order::new),
                Some(trace) => {
                    reduction.ran(&run.made, trace);
                    reduction.next(&run.made).map(|next| {
                        Order::new(Rule::Given(next.bytes)).traced(next.from, next.sleeping)
                    })
                }
            };
        }
        report.is_complete = true;
        Ok(report)
    }

    /// The order of the first run.
    fn first(&self) -> Order {
        Order::new(match &self.way {
            Way::Random { seed } => Rule::Random(Generator::new(*seed)),
            Way::Priorities { seed, .. } => Rule::priorities(*seed, 0, 1),
            Way::Exhaustive { .. } => Rule::Given(Vec::new()),
            Way::Reduced => return Order::new(Rule::Given(Vec::new())).traced(0, Vec::new()),
            Way::Given(decisions) => Rule::Given(decisions.as_bytes().to_vec()),
        })
    }

    /// The rule of the run behind one in which this was decided, if there is one.
    fn after(&self, made: &[Made], report: &Report) -> Option<Rule> {
        let other = |seed: u64| seed ^ report.runs.wrapping_mul(0xd134_2543_de82_ef95);
        match &self.way {
            Way::Random { seed } => Some(Rule::Random(Generator::new(other(*seed)))),
            Way::Priorities { seed, depth } => {
                Some(Rule::priorities(other(*seed), depth.saturating_sub(1), report.longest))
            }
            Way::Exhaustive { interruptions } => next_order(made, *interruptions).map(Rule::Given),
            Way::Reduced | Way::Given(_) => None,
        }
    }

    fn run(&self, order: Order, scenario: &impl Fn(&Machine)) -> Run {
        let machine = self.builder.clone().build_in(Some(order));
        let ended = catch_unwind(AssertUnwindSafe(|| scenario(&machine)));
        let (made, trace) = machine.take_order().map_or_else(Default::default, Order::into_made);
        let faults = machine.shared().lock().faults.take_told();
        let finished = machine.finish();
        let failure = match ended {
            Err(panic) => Some(text(&*panic)),
            Ok(()) => finished.err().map(|unmodelled| unmodelled.to_string()),
        };
        Run { made, trace, failure, faults }
    }

    fn found(&self, report: &Report, failed: Run, scenario: &impl Fn(&Machine)) -> Found {
        let mut failed = failed;
        let bytes: Vec<u8> = failed.made.iter().map(|made| made.chosen).collect();
        let mut decisions = Decisions::new(bytes);
        if !matches!(self.way, Way::Given(_)) {
            decisions = shrink(decisions, |fewer| {
                let run = self.run(Order::new(Rule::Given(fewer.as_bytes().to_vec())), scenario);
                let fails = run.failure.is_some();
                if fails {
                    failed = run;
                }
                fails
            });
        }
        let line = replay::print(self.builder.profile(), self.builder.faults(), &decisions);
        let message = failed.failure.unwrap_or_default();
        Found { runs: report.runs, message, faults: failed.faults, decisions, line }
    }
}

/// What a run came to.
struct Run {
    made: Vec<Made>,
    /// What was done, if the search asks for it.
    trace: Option<Box<Trace>>,
    failure: Option<String>,
    /// What went wrong before, in words.
    faults: Vec<String>,
}

/// The next decisions of an exhaustive search: the last that has an alternative left takes it, and what follows is as by
/// default.
fn next_order(made: &[Made], most: u32) -> Option<Vec<u8>> {
    let interrupts = |made: &Made| u32::from(made.can_interrupt && made.chosen != 0);
    let mut before: u32 = made.iter().map(interrupts).sum();
    for (place, last) in made.iter().enumerate().rev() {
        before -= interrupts(last);
        let is_allowed = !last.can_interrupt || before < most;
        if last.chosen + 1 < last.of && is_allowed {
            let mut bytes: Vec<u8> = made.iter().take(place).map(|made| made.chosen).collect();
            bytes.push(last.chosen + 1);
            return Some(bytes);
        }
    }
    None
}

/// What a panic says.
pub(crate) fn text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "a panic without a message".to_owned())
}

/// What a search that found no failure did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    /// How often the scenario was run.
    pub runs: u64,
    /// Whether there is no other order that the search would try.
    pub is_complete: bool,
    /// The most decisions of one run.
    pub longest: usize,
}

/// A failure. It prints what failed and the line that runs it again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    runs: u64,
    message: String,
    faults: Vec<String>,
    decisions: Decisions,
    line: String,
}

impl Found {
    /// How many runs it took to find it; those that made it smaller do not count.
    #[must_use]
    pub const fn runs(&self) -> u64 {
        self.runs
    }

    /// What failed: the panic's text, or what is not modelled.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What went wrong because the machine has faults, in order, a sentence each.
    #[must_use]
    pub fn faults(&self) -> &[String] {
        &self.faults
    }

    /// What was decided in the run that failed.
    #[must_use]
    pub const fn decisions(&self) -> &Decisions {
        &self.decisions
    }

    /// The line for [`Search::replay`].
    #[must_use]
    pub fn line(&self) -> &str {
        &self.line
    }
}

impl fmt::Display for Found {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "in run {}: {}", self.runs, self.message)?;
        for fault in &self.faults {
            writeln!(out, "fault: {fault}")?;
        }
        write!(out, "replay: {}", self.line)
    }
}

impl std::error::Error for Found {}
