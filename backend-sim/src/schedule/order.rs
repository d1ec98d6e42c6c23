//! Who goes on next where several could ([`Order`]), by one of three rules, and what was decided so far.

use rustc_hash::FxHashMap;

use super::footprint::Footprint;
use super::generator::Generator;
use super::trace::{Sleeper, Trace};
use crate::task::{ProcessKey, ThreadKey};

/// A decision that was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Made {
    pub(super) chosen: u8,
    /// How many alternatives there were.
    pub(super) of: u8,
    /// Whether the first of them was that what runs goes on undisturbed: then any other counts as an interruption.
    pub(super) can_interrupt: bool,
}

/// What decides.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) enum Rule {
    /// These bytes, and then as by default.
    Given(Vec<u8>),
    /// All alternatives alike.
    Random(Generator),
    /// The program with the highest priority, which each gets when it is first seen; at a few decisions the one that
    /// would go on gets the lowest of all (Burckhardt et al., A Randomized Scheduler with Probabilistic Guarantees of
    /// Finding Bugs, 2010).
    Priorities {
        generator: Generator,
        #[cfg_attr(feature = "serde", serde(with = "crate::written::map"))]
        of: FxHashMap<ThreadKey, u64>,
        changes: Vec<usize>,
    },
}

impl Rule {
    /// By priorities that change at `changes` of the first `length` decisions.
    pub(super) fn priorities(seed: u64, changes: u32, length: usize) -> Self {
        let mut generator = Generator::new(seed);
        let among = u64::try_from(length.max(1)).unwrap_or(u64::MAX);
        let mut changes: Vec<usize> = (0..changes)
            .map(|_| usize::try_from(generator.below(among)).unwrap_or(usize::MAX))
            .collect();
        changes.sort_unstable();
        Self::Priorities { generator, of: FxHashMap::default(), changes }
    }
}

/// The order of a machine's programs.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Order {
    rule: Rule,
    made: Vec<Made>,
    /// Who was chosen before a call of another, and has not gone on yet.
    next: Option<ThreadKey>,
    /// Whose call is carried out, and whether whom it kills ends later, once that was decided.
    killer: Option<(ProcessKey, Option<bool>)>,
    /// Whether somebody has made links or mounts.
    links: bool,
    /// What was done, for a search that leaves out what comes to the same.
    #[cfg_attr(feature = "serde", serde(skip))]
    trace: Option<Box<Trace>>,
}

/// Calls after which a path may lead anywhere.
const LINKS: [&str; 5] = ["symlink", "link", "rename", "mount", "umount"];

/// Alternatives beyond these are not chosen.
const MOST: usize = u8::MAX as usize;

/// How rare a fault is where chance decides.
const ONE_FAULT_IN: u64 = 16;

/// How rare it is, where chance decides, that who is killed ends later.
const ONE_END_IN: u64 = 4;

/// Above all priorities that a change gives.
const FIRST_PRIORITY: u64 = 1 << 32;

impl Order {
    /// The order that these decisions make.
    #[cfg(feature = "property")]
    pub(crate) fn given(decisions: super::Decisions) -> Self {
        Self::new(Rule::Given(decisions.into_bytes()))
    }

    pub(super) const fn new(rule: Rule) -> Self {
        Self { rule, made: Vec::new(), next: None, killer: None, links: false, trace: None }
    }

    /// With an account of what was done; from step `from` on, these sleep.
    pub(super) fn traced(mut self, from: usize, sleeping: Vec<Sleeper>) -> Self {
        self.trace = Some(Box::new(Trace::new(from, sleeping)));
        self
    }

    pub(super) fn into_made(self) -> (Vec<Made>, Option<Box<Trace>>) {
        (self.made, self.trace)
    }

    /// Whether it is asked what calls touch.
    pub(crate) const fn is_traced(&self) -> bool {
        self.trace.is_some()
    }

    /// Whether a path may lead anywhere.
    pub(crate) const fn meets_links(&self) -> bool {
        self.links
    }

    /// A call of this name is made, by a program of this process or from outside.
    pub(crate) fn calls(&mut self, name: &'static str, program: Option<ProcessKey>) {
        // Only what calls touch depends on it.
        self.links |= self.trace.is_some() && LINKS.contains(&name);
        self.killer = program.map(|process| (process, None));
    }

    /// Whether somebody whom the call kills ends later: on Linux all do so by themselves, while the killer goes on.
    pub(crate) fn ends_later(&mut self, whom: ProcessKey) -> bool {
        match self.killer {
            Some((killer, _)) if killer == whom => false,
            Some((_, Some(decided))) => decided,
            Some((killer, None)) => {
                let decided = self.departs(ONE_END_IN, true);
                self.killer = Some((killer, Some(decided)));
                decided
            }
            None => false,
        }
    }

    /// Somebody ends: what comes of that in the same call comes at once.
    pub(crate) const fn ends_now(&mut self) {
        self.killer = None;
    }

    /// What runs now touched this.
    pub(crate) fn touched(&mut self, what: &Footprint) {
        if let Some(trace) = &mut self.trace {
            trace.touched(what);
        }
    }

    /// Something happened that is no program's doing and has its place among the steps: time passed, or a call came from
    /// outside.
    pub(crate) fn barrier(&mut self) {
        if let Some(trace) = &mut self.trace {
            trace.barrier();
        }
    }

    /// A program goes on that nobody else could have been put before.
    pub(crate) fn goes_on(&mut self, running: ThreadKey) {
        if let Some(trace) = &mut self.trace {
            trace.step(running, &[running], None);
        }
    }

    /// An order in which the same is decided from the start, and then as by default.
    pub(crate) fn again(&self) -> Self {
        Self::new(Rule::Given(self.chosen()))
    }

    /// What was decided so far.
    pub(super) fn chosen(&self) -> Vec<u8> {
        self.made.iter().map(|made| made.chosen).collect()
    }

    /// Whether `running`, which is about to make a call, gives way to one of those that could go on; it is among the
    /// woken from then on.
    pub(crate) fn interrupts(&mut self, running: ThreadKey, others: &[ThreadKey]) -> bool {
        let mut all = vec![running];
        all.extend_from_slice(others);
        let chosen = self.choose(&all, true);
        self.next = Some(chosen).filter(|chosen| *chosen != running);
        self.next.is_some()
    }

    /// Who of those that could go on does so, now that nobody runs.
    pub(crate) fn next(&mut self, able: &[ThreadKey]) -> Option<ThreadKey> {
        if let Some(next) = self.next.take()
            && able.contains(&next)
        {
            return Some(next);
        }
        if able.is_empty() { None } else { Some(self.choose(able, false)) }
    }

    /// Whether something goes wrong that might.
    pub(crate) fn goes_wrong(&mut self) -> bool {
        self.departs(ONE_FAULT_IN, false)
    }

    /// Whether it is otherwise than by default; where chance decides, once in so many times. `can_interrupt` as in [`Made`].
    fn departs(&mut self, one_in: u64, can_interrupt: bool) -> bool {
        let departs = match &mut self.rule {
            Rule::Given(bytes) => bytes.get(self.made.len()).is_some_and(|byte| byte % 2 == 1),
            Rule::Random(generator) | Rule::Priorities { generator, .. } => {
                generator.below(one_in) == 0
            }
        };
        let made = Made { chosen: departs.into(), of: 2, can_interrupt };
        if let Some(trace) = &mut self.trace {
            trace.may_depart(self.made.len());
        }
        self.made.push(made);
        departs
    }

    /// One of several.
    fn choose(&mut self, all: &[ThreadKey], can_interrupt: bool) -> ThreadKey {
        let all = all.get(..MOST).unwrap_or(all);
        let [first, _, ..] = all else {
            let only = all.first().copied().expect("one of none");
            self.goes_on(only);
            return only;
        };
        let place = self.made.len();
        let chosen = match &mut self.rule {
            Rule::Given(bytes) => match (bytes.get(place), &mut self.trace) {
                (Some(byte), _) => usize::from(*byte) % all.len(),
                (None, Some(trace)) => trace.default_of(all),
                (None, None) => 0,
            },
            Rule::Random(generator) => {
                let below = u64::try_from(all.len()).unwrap_or(1);
                usize::try_from(generator.below(below)).unwrap_or(0)
            }
            Rule::Priorities { generator, of, changes } => {
                for thread in all {
                    of.entry(*thread).or_insert_with(|| FIRST_PRIORITY | generator.number() >> 1);
                }
                let highest = |of: &FxHashMap<ThreadKey, u64>| {
                    let by = |(_, thread): &(usize, &ThreadKey)| of.get(*thread).copied();
                    all.iter().enumerate().max_by_key(by).map_or(0, |(at, _)| at)
                };
                let mut at = highest(of);
                let left = changes.iter().filter(|change| **change >= place).count();
                if changes.contains(&place)
                    && let Some(thread) = all.get(at)
                {
                    of.insert(*thread, u64::try_from(left).unwrap_or(0));
                    at = highest(of);
                }
                at
            }
        };
        let byte = |number: usize| u8::try_from(number).unwrap_or(u8::MAX);
        self.made.push(Made { chosen: byte(chosen), of: byte(all.len()), can_interrupt });
        let thread = all.get(chosen).copied().unwrap_or(*first);
        if let Some(trace) = &mut self.trace {
            trace.step(thread, all, Some(place));
        }
        thread
    }
}
