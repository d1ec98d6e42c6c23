//! Who gets how much of the processors: proportional shares in a tree (generalised processor sharing).
//!
//! What a node gets is shared among its children in proportion to their weights, but no child gets more than it can use: a
//! thread at most one processor, a group what its threads can use together, a held group nothing. What one cannot use is
//! shared among the others. This is what a fair scheduler comes to over times that are long beside its slices (sched(7);
//! sched-design-CFS.rst). The file knows numbers alone: no group, no thread, no time.

/// One processor, in the units of demands and rates.
pub(super) const WHOLE: u64 = 1 << 32;

/// A node of the tree, by its place in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place(usize);

/// A tree as it grows; each node stands behind its parent.
#[derive(Debug)]
pub(super) struct Tree {
    nodes: Vec<Node>,
}

#[derive(Debug)]
struct Node {
    weight: u64,
    children: Vec<usize>,
    parent: usize,
    /// Nobody below it runs.
    held: bool,
    /// The most that it can use.
    demand: u64,
    /// What it gets.
    rate: u64,
}

impl Tree {
    /// The root alone, which has all processors.
    pub(super) const ROOT: Place = Place(0);

    pub(super) fn new() -> Self {
        let mut tree = Self { nodes: Vec::new() };
        tree.add(Self::ROOT, 1, false, 0);
        tree
    }

    fn add(&mut self, parent: Place, weight: u64, held: bool, demand: u64) -> Place {
        let place = self.nodes.len();
        let children = Vec::new();
        self.nodes.push(Node { weight, children, parent: parent.0, held, demand, rate: 0 });
        if let Some(parent) = self.nodes.get_mut(parent.0).filter(|_| place > 0) {
            parent.children.push(place);
        }
        Place(place)
    }

    /// A group, whose threads do not run while it is held.
    pub(super) fn group(&mut self, parent: Place, weight: u64, held: bool) -> Place {
        self.add(parent, weight, held, 0)
    }

    /// A thread that wants to run.
    pub(super) fn thread(&mut self, parent: Place, weight: u64) -> Place {
        self.add(parent, weight, false, WHOLE)
    }

    /// Shares so many processors out.
    pub(super) fn fill(mut self, processors: u32) -> Shares {
        for place in (0..self.nodes.len()).rev() {
            let Some(node) = self.nodes.get_mut(place) else { continue };
            if node.held {
                node.demand = 0;
            }
            let (parent, demand) = (node.parent, node.demand);
            if let Some(parent) = self.nodes.get_mut(parent).filter(|_| place > 0) {
                parent.demand += demand;
            }
        }
        if let Some(root) = self.nodes.first_mut() {
            root.rate = root.demand.min(u64::from(processors) * WHOLE);
        }
        for place in 0..self.nodes.len() {
            self.share(place);
        }
        Shares(self)
    }

    /// Shares what a node gets among its children.
    fn share(&mut self, place: usize) {
        let Some(node) = self.nodes.get_mut(place) else { return };
        let mut left = node.rate;
        let mut hungry = std::mem::take(&mut node.children);
        let wants = |nodes: &[Node], child: usize| {
            nodes.get(child).map_or((0, 0), |node| (node.weight.max(1), node.demand))
        };
        // Who can use no more than its share has all that it can use, and what is left of its share goes to the others.
        loop {
            let weights: u64 = hungry.iter().map(|child| wants(&self.nodes, *child).0).sum();
            let sated = |child: &usize| {
                let (weight, demand) = wants(&self.nodes, *child);
                u128::from(demand) * u128::from(weights) <= u128::from(left) * u128::from(weight)
            };
            let (full, rest): (Vec<usize>, Vec<usize>) = hungry.into_iter().partition(sated);
            hungry = rest;
            if full.is_empty() {
                break;
            }
            for child in full {
                let Some(node) = self.nodes.get_mut(child) else { continue };
                node.rate = node.demand;
                left -= node.rate;
            }
        }
        // Each takes its part of what those before it left, so that nothing is lost by rounding.
        let mut weights: u64 = hungry.iter().map(|child| wants(&self.nodes, *child).0).sum();
        for child in hungry {
            let (weight, _) = wants(&self.nodes, child);
            let part = u128::from(left) * u128::from(weight) / u128::from(weights);
            let part = u64::try_from(part).unwrap_or(left);
            if let Some(node) = self.nodes.get_mut(child) {
                node.rate = part;
            }
            left -= part;
            weights -= weight;
        }
    }
}

/// What each node of a tree gets.
#[derive(Debug)]
pub(super) struct Shares(Tree);

impl Shares {
    /// What a node gets; [`WHOLE`] is one processor.
    pub(super) fn rate(&self, place: Place) -> u64 {
        self.0.nodes.get(place.0).map_or(0, |node| node.rate)
    }
}

#[cfg(test)]
mod tests {
    use super::{Place, Shares, Tree, WHOLE};

    /// Per mille of a processor.
    fn rates<const N: usize>(tree: &Shares, places: [Place; N]) -> [u64; N] {
        places.map(|place| (tree.rate(place) * 1000 + WHOLE / 2) / WHOLE)
    }

    #[test]
    fn one_processor_is_shared_in_the_ratio_of_weights() {
        let mut tree = Tree::new();
        let threads = [1, 2, 7].map(|weight| {
            let group = tree.group(Tree::ROOT, weight * 1024, false);
            tree.thread(group, 1024)
        });
        let tree = tree.fill(1);
        assert_eq!(rates(&tree, threads), [100, 200, 700]);
        assert_eq!(threads.map(|thread| tree.rate(thread)).iter().sum::<u64>(), WHOLE);
    }

    #[test]
    fn no_thread_has_more_than_one_processor_and_nothing_is_left_idle_that_somebody_can_use() {
        for (processors, expected) in [(1, [980, 10, 10]), (2, [1000, 500, 500]), (4, [1000; 3])] {
            let mut tree = Tree::new();
            let threads = [100_000, 1024, 1024].map(|weight| tree.thread(Tree::ROOT, weight));
            assert_eq!(rates(&tree.fill(processors), threads), expected);
        }
    }

    #[test]
    fn weights_count_among_siblings_alone() {
        let mut tree = Tree::new();
        let group = tree.group(Tree::ROOT, 1024, false);
        let beside = tree.thread(Tree::ROOT, 3072);
        let inner = [10_240, 30_720].map(|weight| {
            let inner = tree.group(group, weight, false);
            tree.thread(inner, 15)
        });
        let tree = tree.fill(1);
        let [less, more] = inner;
        assert_eq!(rates(&tree, [beside, less, more]), [750, 63, 188]);
    }

    #[test]
    fn a_held_group_gets_nothing_and_its_share_goes_to_the_others() {
        let mut tree = Tree::new();
        let held = tree.group(Tree::ROOT, 100_000, true);
        let below = tree.group(held, 1024, false);
        let waits = tree.thread(below, 1024);
        let runs = tree.thread(Tree::ROOT, 1024);
        let tree = tree.fill(1);
        assert_eq!(rates(&tree, [waits, runs]), [0, 1000]);
    }

    /// Trees of all kinds: all is used that can be, no child has more than it wants, and who has less than it wants has as
    /// much for its weight as any sibling, but for rounding.
    #[test]
    fn shares_are_exact_in_any_tree() {
        let mut seed = 7_u64;
        let mut next = |below: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed >> 33) % below
        };
        for _ in 0..300 {
            let mut tree = Tree::new();
            let mut groups = vec![Tree::ROOT];
            for _ in 0..next(12) {
                let parent = groups[usize::try_from(next(groups.len() as u64)).unwrap()];
                let weight = 1 + next(100_000);
                groups.push(tree.group(parent, weight, next(8) == 0));
            }
            for _ in 0..next(20) {
                let parent = groups[usize::try_from(next(groups.len() as u64)).unwrap()];
                tree.thread(parent, 15 + next(88_000));
            }
            let processors = 1 + u32::try_from(next(8)).unwrap();
            let Shares(tree) = tree.fill(processors);
            let root = &tree.nodes[0];
            assert_eq!(root.rate, root.demand.min(u64::from(processors) * WHOLE));
            for (place, node) in tree.nodes.iter().enumerate() {
                assert!(node.rate <= node.demand);
                let children =
                    || tree.nodes.iter().skip(1).filter(move |child| child.parent == place);
                if node.demand < WHOLE || children().next().is_some() {
                    assert_eq!(children().map(|child| child.rate).sum::<u64>(), node.rate);
                }
                for child in children().filter(|child| child.rate < child.demand) {
                    for other in children() {
                        let per_weight = |one: &super::Node, by: &super::Node| {
                            u128::from(one.rate) * u128::from(by.weight)
                        };
                        let slack = u128::from(child.weight + other.weight) * 64;
                        assert!(per_weight(other, child) <= per_weight(child, other) + slack);
                    }
                }
            }
        }
    }
}
