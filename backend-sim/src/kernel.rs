//! The state of one simulated kernel: plain data, each part in the hands of its module.
//!
//! Handlers take `&mut Kernel` and pass on the narrowest part they need. What changes several parts at once is a free
//! function in the module whose rule it is (cgroup::migrate, task::fork, task::exit).

use standin::Failure;
use standin::id::Moment;

use crate::cgroup::{self, Cgroups};
use crate::clock::VirtualClock;
use crate::context::{self, Contexts};
use crate::counter::Counter;
use crate::fs::Vfs;
use crate::namespace::{self, Namespaces};
use crate::notify;
use crate::part::Part;
use crate::pipe::Pipe;
use crate::processor::{self, Processors};
use crate::profile::Profile;
use crate::schedule::{Faults, Order};
use crate::socket::{self, Sockets};
use crate::table::Table;
use crate::task::{self, Tasks, ThreadKey};
use crate::trace::Trace;
use crate::wait::Waits;

/// Everything that a snapshot would hold.
#[derive(Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Kernel {
    pub(crate) profile: Profile,
    pub(crate) clock: VirtualClock,
    pub(crate) processors: Processors,
    pub(crate) tasks: Tasks,
    pub(crate) contexts: Contexts,
    pub(crate) cgroups: Cgroups,
    pub(crate) vfs: Vfs,
    pub(crate) namespaces: Part<Namespaces>,
    pub(crate) sockets: Sockets,
    pub(crate) pipes: Table<Pipe>,
    pub(crate) counters: Table<Counter>,
    pub(crate) waits: Waits,
    pub(crate) census: Census,
    /// The order of programs, if it is not the default.
    pub(crate) order: Option<Box<Order>>,
    /// What goes wrong in calls of programs.
    pub(crate) faults: Faults,
    /// Its calls, if they are kept.
    pub(crate) trace: Option<Box<Trace>>,
}

/// A word of ours. (A name for the type, so that serde's derive does not take it for text that it may borrow.)
type Word = &'static str;

/// What was asked of a machine, in numbers.
#[derive(Clone, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Census {
    /// Calls carried out.
    pub(crate) operations: u64,
    /// Calls that met something that is not modelled, by what it was, in order of first appearance.
    #[cfg_attr(feature = "serde", serde(with = "crate::written::words"))]
    pub(crate) unmodelled: Vec<(Word, u64)>,
}

impl Census {
    /// Counts a failure, if it is of the kind that fails a test.
    pub(crate) fn note(&mut self, failure: &Failure) {
        if let Failure::NotModelled(what) = failure {
            match self.unmodelled.iter_mut().find(|(known, _)| known == what) {
                Some((_, count)) => *count += 1,
                None => self.unmodelled.push((what, 1)),
            }
        }
    }
}

impl Kernel {
    /// A kernel that has just booted: process 1, and the process that tests drive as root.
    pub(crate) fn boot(profile: Profile) -> Self {
        let cgroups = Cgroups::boot(&profile);
        let vfs = Vfs::boot(&profile, &cgroups);
        let clock = VirtualClock::new();
        let tasks = Tasks::boot(&cgroups, vfs.root, clock.monotonic());
        let namespaces = Part::new(Namespaces::boot(&profile, &cgroups, vfs.root));
        let contexts = Contexts::default();
        let (waits, census) = (Waits::default(), Census::default());
        let (sockets, pipes) = (Sockets::default(), Table::default());
        let mut kernel = Self {
            profile,
            clock,
            processors: Processors::default(),
            tasks,
            contexts,
            cgroups,
            vfs,
            namespaces,
            sockets,
            pipes,
            counters: Table::default(),
            waits,
            census,
            order: None,
            faults: Faults::default(),
            trace: None,
        };
        task::start_first(&mut kernel);
        kernel
    }

    /// The thread that `Machine::root` is a view of.
    pub(crate) const fn first_process(&self) -> ThreadKey {
        self.tasks.first
    }

    /// Moves the clock until a timer is due or somebody's work changes, or to `until` if that comes first; false if nothing
    /// ever happens, or not before that.
    pub(crate) fn pass_time(&mut self, until: Option<Moment>) -> Result<bool, Failure> {
        if let Some(order) = &mut self.order {
            order.barrier();
        }
        let wanted = processor::is_wanted(self);
        let timer =
            self.waits.next_timer().filter(|timer| until.is_none_or(|until| *timer <= until));
        if timer.is_none() && !wanted {
            if let Some(until) = until {
                self.clock.advance(until);
            }
            return Ok(false);
        }
        let last = Moment { ns: (self.profile.limits.seconds + 1).saturating_mul(1_000_000_000) };
        let goal = timer.or(until).unwrap_or(last).min(last);
        let changed =
            processor::advance(self, goal).inspect_err(|failure| self.census.note(failure))?;
        if goal == last && !changed {
            return Err(Failure::LimitReached("virtual time"));
        }
        notify::flush(self);
        self.waits.expire(self.clock.monotonic());
        Ok(changed || timer.is_some())
    }

    /// Every rule that holds between its parts at any time; the first that does not.
    pub(crate) fn check(&self) -> Result<(), String> {
        task::check(self)?;
        namespace::check(self)?;
        context::check(self)?;
        socket::check(self)?;
        cgroup::check(self)
    }
}
