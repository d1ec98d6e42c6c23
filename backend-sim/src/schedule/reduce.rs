//! Which order is tried next where those that come to the same are tried once ([`Reduction`]).
//!
//! Two steps of different programs that do not touch the same can change places without anybody's noticing. So it is enough
//! to change the places of those that do touch the same and could: each run is looked through for such pairs, and where one
//! is found, the later program is tried in the place of the earlier (dynamic partial-order reduction; Flanagan and
//! Godefroid, Dynamic Partial-Order Reduction for Model Checking Software, 2005), with sleep sets against doing it twice.

use super::order::Made;
use super::trace::{Sleeper, Step, Trace};
use crate::task::ThreadKey;

/// A step of the last run, and what else is to be tried in its place.
#[derive(Debug)]
struct Node {
    step: Step,
    /// Who was tried here, and what each touched.
    done: Vec<Sleeper>,
    /// Who is to be.
    wanted: Vec<ThreadKey>,
    /// Decisions about faults that can be made the other way.
    faults: Vec<usize>,
}

/// The state of the search.
#[derive(Debug, Default)]
pub(super) struct Reduction {
    nodes: Vec<Node>,
    /// The node that the run in progress does otherwise.
    from: usize,
}

/// The next run: its decisions, and who sleeps from which step on.
pub(super) struct Next {
    pub(super) bytes: Vec<u8>,
    pub(super) from: usize,
    pub(super) sleeping: Vec<Sleeper>,
}

impl Reduction {
    /// Takes in what a run did.
    pub(super) fn ran(&mut self, made: &[Made], trace: &Trace) {
        let most = trace.redundant.unwrap_or(trace.steps.len());
        let kept = self.from.min(self.nodes.len());
        let again = self.nodes.drain(kept..).next();
        for (at, step) in trace.steps.iter().enumerate().skip(kept).take(most.saturating_sub(kept))
        {
            let faults = step.faults.iter().copied();
            let is_open = |place: &usize| made.get(*place).is_some_and(|made| made.chosen == 0);
            let mut node = Node {
                step: step.clone(),
                done: Vec::new(),
                wanted: Vec::new(),
                faults: faults.filter(is_open).collect(),
            };
            if at == kept
                && let Some(before) = &again
            {
                (node.done, node.wanted) = (before.done.clone(), before.wanted.clone());
                // What slept besides those that were tried here.
                node.step.sleeping.clone_from(&before.step.sleeping);
            }
            if let Some(thread) = step.thread {
                match node.done.iter_mut().find(|(done, _)| *done == thread) {
                    Some((_, footprint)) => footprint.add(&step.footprint),
                    None => node.done.push((thread, step.footprint.clone())),
                }
            }
            self.nodes.push(node);
        }
        self.find_races();
    }

    /// Wants each step that touches what an earlier one of another program touched, and could have come before it, to do so.
    fn find_races(&mut self) {
        let mut before: Vec<Vec<bool>> = Vec::new();
        let mut races: Vec<(usize, ThreadKey)> = Vec::new();
        for (later, node) in self.nodes.iter().enumerate() {
            let mut known = vec![false; later];
            for (earlier, other) in self.nodes.iter().enumerate().take(later).rev() {
                if known.get(earlier).copied().unwrap_or(true) {
                    continue;
                }
                let (one, another) = (&other.step, &node.step);
                let (is_ordered, races_here) = match (one.thread, another.thread) {
                    (Some(one_thread), Some(thread)) => {
                        let is_own = one_thread == thread;
                        let enables = !is_own && self.enables(earlier, later, thread);
                        let conflicts = one.footprint.conflicts(&another.footprint);
                        (is_own || enables || conflicts, conflicts && !is_own && !enables)
                    }
                    // No program's doing: nothing changes places with it.
                    (None, _) | (_, None) => (true, false),
                };
                if races_here && let Some(thread) = another.thread {
                    races.push((earlier, thread));
                }
                if is_ordered {
                    if let Some(known) = known.get_mut(earlier) {
                        *known = true;
                    }
                    let all = before.get(earlier).into_iter().flatten().enumerate();
                    for (at, _) in all.filter(|(_, is_before)| **is_before) {
                        if let Some(known) = known.get_mut(at) {
                            *known = true;
                        }
                    }
                }
            }
            before.push(known);
        }
        for (at, thread) in races {
            let Some(node) = self.nodes.get_mut(at) else { continue };
            if node.step.able.contains(&thread) {
                node.want(thread);
            } else {
                for other in node.step.able.clone() {
                    node.want(other);
                }
            }
        }
    }

    /// Whether a step made a program able to go on that did so later, and was not in between.
    fn enables(&self, earlier: usize, later: usize, thread: ThreadKey) -> bool {
        let is_able =
            |at: usize| self.nodes.get(at).is_some_and(|node| node.step.able.contains(&thread));
        !is_able(earlier) && (earlier + 1..later).all(|at| is_able(at) || self.is_barrier(at))
    }

    fn is_barrier(&self, at: usize) -> bool {
        self.nodes.get(at).is_some_and(|node| node.step.thread.is_none())
    }

    /// The run that is tried next: the deepest node at which something is left.
    pub(super) fn next(&mut self, made: &[Made]) -> Option<Next> {
        while let Some(mut node) = self.nodes.pop() {
            let from = self.nodes.len();
            let prefix = |place: usize, last: u8| {
                let mut bytes: Vec<u8> = made.iter().take(place).map(|made| made.chosen).collect();
                bytes.push(last);
                bytes
            };
            if let Some(place) = node.faults.pop() {
                let sleeping = node.step.sleeping.clone();
                let bytes = prefix(place, 1);
                self.keep(from, node);
                return Some(Next { bytes, from, sleeping });
            }
            let is_left = |thread: &ThreadKey| {
                let is_same = |(other, _): &Sleeper| other == thread;
                !node.done.iter().any(is_same) && !node.step.sleeping.iter().any(is_same)
            };
            let next = node.wanted.iter().copied().find(|thread| is_left(thread));
            let place = next.and_then(|next| {
                let chosen = node.step.able.iter().position(|thread| *thread == next)?;
                Some((node.step.place?, u8::try_from(chosen).ok()?))
            });
            if let Some((place, chosen)) = place {
                let mut sleeping = node.step.sleeping.clone();
                sleeping.extend(node.done.iter().cloned());
                self.keep(from, node);
                return Some(Next { bytes: prefix(place, chosen), from, sleeping });
            }
        }
        None
    }

    fn keep(&mut self, from: usize, node: Node) {
        self.nodes.push(node);
        self.from = from;
    }
}

impl Node {
    fn want(&mut self, thread: ThreadKey) {
        if !self.wanted.contains(&thread) {
            self.wanted.push(thread);
        }
    }
}
