//! Who runs from one event to the next, at which rate, and what that comes to.
//!
//! A [`Scene`] is made when the clock is to move, used for one step of it, and forgotten: whatever changes at one moment
//! (weights, quotas, freezing, moves, deaths) is seen by the next one.

use rustc_hash::FxHashMap;
use standin::backend::RlimitResource;
use standin::id::Moment;

use super::share::{Place, Tree, WHOLE};
use super::{Ground, Processors, wants};
use crate::cgroup::{CgroupKey, processor as groups};
use crate::kernel::Kernel;
use crate::task::{JobKey, ProcessKey, ThreadKey};

/// Those who want to run at a moment, and what each gets.
pub(super) struct Scene {
    /// By the place of their burner.
    runners: Vec<Runner>,
    /// The groups that they are in, and all above: with the cpu controller's weights and quotas, where it is.
    spans: Vec<Span>,
    ground: Ground,
}

struct Runner {
    burner: usize,
    thread: ThreadKey,
    process: ProcessKey,
    /// The places of its groups among the spans: it shares in the first.
    spans: [Option<usize>; 3],
    place: Place,
    rate: u64,
    is_nice: bool,
}

/// A group with who wants to run in it and below.
struct Span {
    group: CgroupKey,
    /// The place of the group above.
    parent: Option<usize>,
    /// The node that its threads are in: its own, or that of the nearest group above with the cpu controller.
    place: Place,
    /// It has a node of its own.
    shares: bool,
    /// What it uses is counted by processor.
    has_account: bool,
    /// Its own quota, or that and those above, let nobody run.
    throttled: bool,
    held: bool,
    threads: u32,
    rate: u64,
}

/// What a step of the clock came to for a group.
#[derive(Clone, Copy, Default)]
struct Amount {
    used_ns: u64,
    nice_ns: u64,
}

impl Scene {
    /// Who runs now on these processors; none if nobody wants to.
    pub(super) fn now(kernel: &mut Kernel, ground: Ground) -> Option<Self> {
        let mut making = Making::default();
        let burners = kernel.processors.burners.iter().enumerate();
        let wanting = burners.filter(|(_, burner)| wants(kernel, burner));
        let wanting: Vec<(usize, ThreadKey)> =
            wanting.map(|(index, burner)| (index, burner.thread)).collect();
        for (burner, thread) in wanting {
            making.add(kernel, burner, thread);
        }
        let Making { tree, spans, runners, .. } = making;
        if runners.is_empty() {
            return None;
        }
        let shares = tree.fill(ground.count);
        let mut scene = Self { runners, spans, ground };
        for runner in &mut scene.runners {
            runner.rate = shares.rate(runner.place);
            for mut next in runner.spans {
                while let Some(span) = next.and_then(|span| scene.spans.get_mut(span)) {
                    span.threads += 1;
                    span.rate += runner.rate;
                    next = span.parent;
                }
            }
        }
        Some(scene)
    }

    /// The processes that run: each once, with its runners' rates and parts of nanoseconds together.
    fn processes(&self, processors: &Processors) -> Vec<(ProcessKey, u64, u64)> {
        let mut processes: Vec<(ProcessKey, u64, u64)> = Vec::new();
        for runner in &self.runners {
            let part = processors.burners.get(runner.burner).map_or(0, |burner| burner.part);
            match processes.iter_mut().find(|(process, ..)| *process == runner.process) {
                Some((_, rate, parts)) => {
                    *rate += runner.rate;
                    *parts += part;
                }
                None => processes.push((runner.process, runner.rate, part)),
            }
        }
        processes
    }

    /// When the first of these happens: work is done, a quota is used up, a period ends, a limit of processor time is
    /// reached.
    pub(super) fn next_event(&self, kernel: &Kernel) -> Moment {
        let mut wait_ns = u64::MAX;
        for (process, rate, parts) in self.processes(&kernel.processors) {
            let of_process = self.runners.iter().filter(|runner| runner.process == process);
            let burners =
                of_process.filter_map(|runner| kernel.processors.burners.get(runner.burner));
            let used_ns = kernel.tasks.processes.at(process).used_ns();
            let limit = kernel.soft_limit(process, RlimitResource::Cpu);
            let to_limit = limit.map(|s| s.saturating_mul(1_000_000_000).saturating_sub(used_ns));
            for left_ns in burners.map(|burner| burner.left_ns).chain(to_limit) {
                wait_ns = wait_ns.min(time_to_use(left_ns, parts, rate));
            }
        }
        let now = kernel.clock.monotonic();
        for span in self.spans.iter().filter(|span| span.shares) {
            let Some(throttle) = groups::throttle(&kernel.cgroups, span.group) else { continue };
            if let Some(left_ns) = throttle.left_ns() {
                wait_ns = wait_ns.min(time_to_use(left_ns, 0, span.rate));
            }
            if let Some(edge) = throttle.edge() {
                wait_ns = wait_ns.min(edge.ns.saturating_sub(now.ns));
            }
        }
        Moment { ns: now.ns.saturating_add(wait_ns.max(1)) }
    }

    /// So much time has passed: everybody has used their share of it. The processes that used any.
    pub(super) fn account(&self, kernel: &mut Kernel, passed_ns: u64) -> Vec<ProcessKey> {
        let mut amounts = vec![Amount::default(); self.spans.len()];
        let mut used = Vec::new();
        let mut floor = Floor { ground: self.ground, passed_ns, laid_ns: 0 };
        for runner in &self.runners {
            let Some(burner) = kernel.processors.burners.get_mut(runner.burner) else { continue };
            let parts = u128::from(runner.rate) * u128::from(passed_ns) + u128::from(burner.part);
            let whole = u128::from(WHOLE);
            burner.part = u64::try_from(parts % whole).unwrap_or(0);
            let used_ns = u64::try_from(parts / whole).unwrap_or(u64::MAX);
            *kernel.processors.used_ns.entry(runner.thread).or_default() += used_ns;
            used.push((runner.process, used_ns));
            for mut next in runner.spans {
                while let Some((span, amount)) =
                    next.and_then(|span| self.spans.get(span).zip(amounts.get_mut(span)))
                {
                    amount.used_ns += used_ns;
                    amount.nice_ns += if runner.is_nice { used_ns } else { 0 };
                    next = span.parent;
                }
            }
            floor.lay(used_ns, |processor, ns| self.count(kernel, runner, processor, ns));
        }
        for (process, used_ns) in &used {
            kernel.tasks.processes.at_mut(*process).use_ns(*used_ns);
            for runner in self.runners.iter().filter(|runner| runner.process == *process) {
                if let Some(burner) = kernel.processors.burners.get_mut(runner.burner) {
                    burner.left_ns = burner.left_ns.saturating_sub(*used_ns);
                }
            }
        }
        for (span, amount) in self.spans.iter().zip(amounts) {
            self.account_group(kernel, span, amount, passed_ns);
        }
        let mut processes: Vec<ProcessKey> = used.into_iter().map(|(process, _)| process).collect();
        processes.dedup();
        processes
    }

    /// A runner has used a processor for so long: counts it for the groups that say so of each processor.
    fn count(&self, kernel: &mut Kernel, runner: &Runner, processor: u32, ns: u64) {
        for mut next in runner.spans {
            while let Some(span) = next.and_then(|span| self.spans.get(span)) {
                if span.has_account {
                    groups::account_mut(&mut kernel.cgroups, span.group).add(processor, ns);
                }
                next = span.parent;
            }
        }
    }

    fn account_group(&self, kernel: &mut Kernel, span: &Span, amount: Amount, passed_ns: u64) {
        let usage = groups::usage_mut(&mut kernel.cgroups, span.group);
        usage.used_ns += amount.used_ns;
        usage.nice_ns += amount.nice_ns;
        // While fewer run than want to, somebody waits; while none does, all wait.
        let wanted = u64::from(span.threads) * WHOLE;
        let of = |rate: u64| scaled(passed_ns, rate.min(WHOLE));
        usage.some_ns += of(wanted - span.rate);
        usage.full_ns += of(WHOLE.saturating_sub(span.rate));
        if !span.shares || span.parent.is_none() {
            return;
        }
        let held_ns = passed_ns * u64::from(span.threads.min(self.ground.count));
        if span.held || groups::throttle(&kernel.cgroups, span.group).is_some() {
            let throttle = groups::throttle_mut(&mut kernel.cgroups, span.group);
            throttle.run(amount.used_ns);
            if span.throttled {
                throttle.hold(held_ns);
            }
            if span.held {
                throttle.held_ns += held_ns;
            }
        }
    }
}

/// The processors during a step of the clock, which runners take one after the other: each as long as it runs, and what a
/// processor has no room for goes to the next one. (Nobody is on two at once: no one's part is longer than the step.)
struct Floor {
    ground: Ground,
    passed_ns: u64,
    laid_ns: u64,
}

impl Floor {
    fn lay(&mut self, used_ns: u64, mut on: impl FnMut(u32, u64)) {
        let mut left_ns = used_ns;
        while left_ns > 0 && self.passed_ns > 0 {
            let place = u32::try_from(self.laid_ns / self.passed_ns).unwrap_or(u32::MAX);
            let part_ns = left_ns.min(self.passed_ns - self.laid_ns % self.passed_ns);
            on(self.ground.processor(place), part_ns);
            self.laid_ns += part_ns;
            left_ns -= part_ns;
        }
    }
}

/// How long it takes to use so much at a rate, of which `part` of a nanosecond is used already.
fn time_to_use(left_ns: u64, part: u64, rate: u64) -> u64 {
    if rate == 0 {
        return u64::MAX;
    }
    let left = (u128::from(left_ns) * u128::from(WHOLE)).saturating_sub(u128::from(part));
    u64::try_from(left.div_ceil(u128::from(rate))).unwrap_or(u64::MAX)
}

fn scaled(ns: u64, rate: u64) -> u64 {
    u64::try_from(u128::from(ns) * u128::from(rate) / u128::from(WHOLE)).unwrap_or(u64::MAX)
}

/// A scene that grows thread by thread.
struct Making {
    tree: Tree,
    spans: Vec<Span>,
    by_group: FxHashMap<CgroupKey, usize>,
    /// Sessions whose threads share as a group (sched(7), The autogroup feature).
    sessions: FxHashMap<u32, Place>,
    runners: Vec<Runner>,
}

impl Default for Making {
    fn default() -> Self {
        Self {
            tree: Tree::new(),
            spans: Vec::new(),
            by_group: FxHashMap::default(),
            sessions: FxHashMap::default(),
            runners: Vec::new(),
        }
    }
}

impl Making {
    fn add(&mut self, kernel: &mut Kernel, burner: usize, thread: ThreadKey) {
        let record = kernel.tasks.threads.at(thread);
        let (process, nice) = (record.process, record.nice);
        let job = kernel.tasks.processes.at(process).job;
        let spans = groups::counted_in(&kernel.cgroups, record)
            .map(|group| group.map(|group| self.span(kernel, group)));
        let [first, ..] = spans;
        let own = first.and_then(|span| self.spans.get(span));
        let mut place = own.map_or(Tree::ROOT, |span| span.place);
        if place == Tree::ROOT {
            place = self.session(kernel, job);
        }
        let place = self.tree.thread(place, groups::weight_of_nice(nice));
        let is_nice = nice > 0;
        self.runners.push(Runner { burner, thread, process, spans, place, rate: 0, is_nice });
    }

    /// Threads that no group with the controller holds share by session.
    fn session(&mut self, kernel: &Kernel, job: JobKey) -> Place {
        let session = kernel.tasks.jobs.get(job).session;
        let tree = &mut self.tree;
        *self
            .sessions
            .entry(session)
            .or_insert_with(|| tree.group(Tree::ROOT, groups::weight_of_nice(0), false))
    }

    /// The place of a group among the spans, which it and those above it get if they have none.
    fn span(&mut self, kernel: &mut Kernel, group: CgroupKey) -> usize {
        let mut missing = Vec::new();
        let mut next = Some(group);
        let mut parent = None;
        while let Some(key) = next {
            parent = self.by_group.get(&key).copied();
            if parent.is_some() {
                break;
            }
            missing.push(key);
            next = kernel.cgroups.table.at(key).parent;
        }
        for key in missing.into_iter().rev() {
            let above = parent.and_then(|parent| self.spans.get(parent));
            let (mut place, mut held) =
                above.map_or((Tree::ROOT, false), |above| (above.place, above.held));
            let shares = groups::shares(&kernel.cgroups, key);
            let mut throttled = false;
            if shares {
                throttled = !groups::begin(kernel, key, held);
                held |= throttled;
                let weight = groups::weight(&kernel.cgroups, key);
                place = self.tree.group(place, weight, throttled);
            }
            let has_account = groups::has_account(&kernel.cgroups, key);
            let span = Span {
                group: key,
                parent,
                place,
                shares,
                has_account,
                throttled,
                held,
                threads: 0,
                rate: 0,
            };
            parent = Some(self.spans.len());
            self.by_group.insert(key, self.spans.len());
            self.spans.push(span);
        }
        parent.unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::{Floor, Ground};

    #[test]
    fn runners_take_the_processors_one_after_the_other() {
        let ground = Ground { mask: None, count: 2 };
        let mut floor = Floor { ground, passed_ns: 100, laid_ns: 0 };
        let mut used = Vec::new();
        for ns in [60, 70, 0, 70] {
            floor.lay(ns, |processor, ns| used.push((processor, ns)));
        }
        assert_eq!(used, [(0, 60), (0, 40), (1, 30), (1, 70)]);
    }
}
