//! Strategies of proptest: for cases, and for their parts alone.
//!
//! A case is made of bytes that are drawn once, and shrinks as one: operations, decisions and faults together.

use proptest::collection::SizeRange;
use proptest::prelude::{RngExt as _, any};
use proptest::strategy::{NewTree, Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use standin::transcript::Theme;

use super::case::{Case, HEAD_BYTES, STEP_BYTES, step};
use super::shrink::Smaller;
use super::{fault_plan, generate, profile};
use crate::builder::Builder;
use crate::schedule::Fault;

/// Cases with so many operations.
///
/// ```
/// use proptest::prelude::*;
/// use standin::{Backend, ExitCode, fs};
/// use standin_sim::property::cases;
///
/// /// A manager that puts up with whatever it finds.
/// fn manager(kernel: &dyn Backend, _: &[Vec<u8>]) -> ExitCode {
///     let _ = fs::create_dir(kernel, "/sys/fs/cgroup/ours");
///     let _ = fs::write(kernel, "/sys/fs/cgroup/ours/cgroup.max.depth", "1");
///     ExitCode::SUCCESS
/// }
///
/// proptest!(|(case in cases(0..20))| {
///     case.check(|play| {
///         play.machine().program("/bin/manager", manager);
///         // Others may freeze it for ever, or end it.
///         let _ = play.beside(&["/bin/manager"]);
///         play.machine().check().unwrap();
///     })?;
/// });
/// ```
#[must_use]
pub fn cases(operations: impl Into<SizeRange>) -> Cases {
    Cases { operations: operations.into() }
}

/// What [`cases`] gives.
#[derive(Clone, Debug)]
pub struct Cases {
    operations: SizeRange,
}

impl Strategy for Cases {
    type Tree = CaseTree;
    type Value = Case;

    fn new_tree(&self, runner: &mut TestRunner) -> NewTree<Self> {
        let (fewest, most) = (self.operations.start(), self.operations.end_incl());
        let count = runner.rng().random_range(fewest..=most);
        let seed = runner.rng().random();
        Ok(CaseTree::new(Case::random(seed, count)))
    }
}

/// A case that becomes smaller.
#[derive(Clone, Debug)]
pub struct CaseTree {
    /// The smallest that failed.
    best: Case,
    current: Case,
    smaller: Smaller,
}

impl CaseTree {
    fn new(case: Case) -> Self {
        Self { best: case.clone(), current: case, smaller: Smaller::default() }
    }

    fn advance(&mut self, does_fail: bool) -> bool {
        let next = self.smaller.next(&self.best, does_fail);
        let is_there = next.is_some();
        self.current = next.unwrap_or_else(|| self.best.clone());
        is_there
    }
}

impl ValueTree for CaseTree {
    type Value = Case;

    fn current(&self) -> Case {
        self.current.clone()
    }

    /// The current one failed.
    fn simplify(&mut self) -> bool {
        let was_tried = self.best != self.current;
        self.best.clone_from(&self.current);
        self.advance(was_tried)
    }

    /// The current one did not.
    fn complicate(&mut self) -> bool {
        self.advance(false)
    }
}

/// An operation of a case before it is in one: its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Draft([u8; STEP_BYTES]);

/// Operations about one thing, to be mixed by `prop_oneof!` as a test wants them.
///
/// ```
/// use proptest::collection::vec;
/// use proptest::prelude::*;
/// use standin::transcript::Theme;
/// use standin_sim::property::{about, cases_of};
///
/// let groups_mostly = prop_oneof![5 => about(Theme::Files), 1 => about(Theme::Processes)];
/// proptest!(|(case in cases_of(vec(groups_mostly, 0..20)))| {
///     case.check(|play| play.alone())?;
/// });
/// ```
pub fn about(theme: Theme) -> impl Strategy<Value = Draft> + Clone {
    let rows = generate::rows_about(theme);
    any::<u64>().prop_map(move |number| {
        let mut bytes = step(number);
        let at = usize::from(bytes[0]).checked_rem(rows.len()).unwrap_or(0);
        bytes[0] = rows.get(at).copied().unwrap_or(1);
        Draft(bytes)
    })
}

/// Cases of these operations, on a plain machine, without faults.
pub fn cases_of(drafts: impl Strategy<Value = Vec<Draft>>) -> impl Strategy<Value = Case> {
    drafts.prop_map(|drafts| {
        let mut bytes = Vec::with_capacity(HEAD_BYTES + drafts.len() * STEP_BYTES);
        bytes.resize(HEAD_BYTES, 0);
        drafts.iter().for_each(|Draft(step)| bytes.extend_from_slice(step));
        Case::new(bytes)
    })
}

/// Machines: kernel, layout, processors, memory; towards what [`Machine::builder`](crate::Machine::builder) describes.
pub fn profiles() -> impl Strategy<Value = Builder> {
    any::<[u8; 4]>().prop_map(profile::builder)
}

/// Faults in calls of programs, three at most; towards none. They go into a [`Builder::fault`](crate::Builder::fault).
pub fn fault_plans() -> impl Strategy<Value = Vec<Fault>> {
    any::<[[u8; 4]; 3]>().prop_map(|all| all.into_iter().filter_map(fault_plan::fault).collect())
}
