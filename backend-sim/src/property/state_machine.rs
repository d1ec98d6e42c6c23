//! State machines: an abstract model beside a machine, over `proptest-state-machine`.
//!
//! The user says what a state is, which steps can be taken from it and what they lead to, how a step is carried out on a
//! machine, and what must hold of both at any time. [`Harness`] makes of it what that crate wants.

use std::fmt::Debug;
use std::marker::PhantomData;

use proptest::collection::SizeRange;
use proptest::strategy::BoxedStrategy;
use proptest::test_runner::{Config, TestError, TestRunner};
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest};

use super::case::Case;
use crate::machine::Machine;

/// An abstract model of what is tested.
///
/// ```
/// use std::collections::BTreeSet;
/// use proptest::prelude::*;
/// use standin::fs;
/// use standin_sim::Machine;
/// use standin_sim::property::{Model, check_model};
///
/// /// Services that are confined to a group each.
/// #[derive(Clone, Debug)]
/// struct Services(BTreeSet<u8>);
///
/// #[derive(Clone, Debug)]
/// enum Step { Start(u8), Stop(u8) }
///
/// impl Model for Services {
///     type Step = Step;
///
///     fn start() -> BoxedStrategy<Self> {
///         Just(Self(BTreeSet::new())).boxed()
///     }
///     fn steps(&self) -> BoxedStrategy<Step> {
///         (any::<bool>(), 0..4_u8).prop_map(|(stops, it)| if stops { Step::Stop(it) } else { Step::Start(it) }).boxed()
///     }
///     fn allows(&self, step: &Step) -> bool {
///         match step { Step::Start(it) => !self.0.contains(it), Step::Stop(it) => self.0.contains(it) }
///     }
///     fn take(&mut self, step: &Step) {
///         match step { Step::Start(it) => self.0.insert(*it), Step::Stop(it) => self.0.remove(it) };
///     }
///     fn carry_out(&self, machine: &Machine, step: &Step) {
///         let group = |it: &u8| format!("/sys/fs/cgroup/service{it}");
///         match step {
///             Step::Start(it) => fs::create_dir(&machine.root(), group(it)).unwrap(),
///             Step::Stop(it) => fs::remove_dir(&machine.root(), group(it)).unwrap(),
///         }
///     }
///     fn holds(&self, machine: &Machine) {
///         assert_eq!(machine.look().cgroups().len(), self.0.len());
///     }
/// }
///
/// check_model::<Services>(&ProptestConfig::with_cases(100), 1..20).unwrap();
/// ```
pub trait Model: Clone + Debug + 'static {
    /// Something that can be done.
    type Step: Clone + Debug + 'static;

    /// States to begin in.
    fn start() -> BoxedStrategy<Self>;

    /// Steps to be taken from this state; those that it does not allow are left out.
    fn steps(&self) -> BoxedStrategy<Self::Step>;

    /// Whether a step can be taken from this state: it is asked again when a failure shrinks.
    fn allows(&self, step: &Self::Step) -> bool {
        let _ = step;
        true
    }

    /// Takes it.
    fn take(&mut self, step: &Self::Step);

    /// The machine on which the test is run, with the programs that it needs: a plain one unless it is said.
    fn machine(&self) -> Machine {
        Case::default().machine()
    }

    /// Does on the machine what led to this state.
    fn carry_out(&self, machine: &Machine, step: &Self::Step);

    /// Panics if something does not hold in this state of both.
    fn holds(&self, machine: &Machine);
}

/// A model as `proptest-state-machine` takes it: as reference, and as test.
#[derive(Clone, Copy, Debug, Default)]
pub struct Harness<M>(PhantomData<M>);

impl<M: Model> ReferenceStateMachine for Harness<M> {
    type State = M;
    type Transition = M::Step;

    fn init_state() -> BoxedStrategy<M> {
        M::start()
    }

    fn transitions(state: &M) -> BoxedStrategy<M::Step> {
        state.steps()
    }

    fn apply(mut state: M, step: &M::Step) -> M {
        state.take(step);
        state
    }

    fn preconditions(state: &M, step: &M::Step) -> bool {
        state.allows(step)
    }
}

impl<M: Model> StateMachineTest for Harness<M> {
    type SystemUnderTest = Machine;
    type Reference = Self;

    fn init_test(state: &M) -> Machine {
        state.machine()
    }

    fn apply(machine: Machine, state: &M, step: M::Step) -> Machine {
        state.carry_out(&machine, &step);
        machine
    }

    fn check_invariants(machine: &Machine, state: &M) {
        state.holds(machine);
    }

    fn teardown(machine: Machine, _: M) {
        if let Err(unmodelled) = machine.finish() {
            panic!("{unmodelled}");
        }
    }
}

/// The smallest failure of a model: the state that it begins in, and the steps.
pub type ModelError<M> = TestError<(M, Vec<<M as Model>::Step>)>;

/// Tries a model with as many cases as the configuration says, of so many steps each.
///
/// # Errors
/// The smallest failure: the state that it begins in, and the steps.
pub fn check_model<M: Model>(
    config: &Config,
    steps: impl Into<SizeRange>,
) -> Result<(), Box<ModelError<M>>> {
    let strategy = Harness::<M>::sequential_strategy(steps);
    let mut runner = TestRunner::new(config.clone());
    let checked = runner.run(&strategy, |(state, steps, seen)| {
        Harness::<M>::test_sequential(config.clone(), state, steps, seen);
        Ok(())
    });
    checked.map_err(|error| {
        Box::new(match error {
            TestError::Abort(reason) => TestError::Abort(reason),
            TestError::Fail(reason, (state, steps, _)) => TestError::Fail(reason, (state, steps)),
        })
    })
}
