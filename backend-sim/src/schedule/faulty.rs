//! Where faults happen: between a program, or an actor, and its machine ([`Faulty`]); and the count of those that did ([`Faults`]).

use std::sync::Arc;

use standin::backend::{Clock as _, Deadline};
use standin::layer::{Call, Layer};
use standin::{Failure, Pid};

use super::fault::{Fault, What};
use super::footprint::Footprint;
use super::generator::Generator;
use crate::machine::Shared;
use crate::run;
use crate::task::{ThreadKey, signal};
use crate::view::View;

/// A machine's faults.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Faults {
    /// Each with how often it fitted and happened.
    all: Vec<(Fault, u64, u64)>,
    /// What happened, in words.
    told: Vec<String>,
    /// Programs that were killed.
    deaths: u64,
    /// How much the calls that are under way transfer at most.
    #[cfg_attr(feature = "serde", serde(skip))]
    short: Vec<(ThreadKey, usize)>,
}

impl Faults {
    pub(crate) fn new(faults: &[Fault]) -> Self {
        let all = faults.iter().map(|fault| (fault.clone(), 0, 0)).collect();
        Self { all, ..Self::default() }
    }

    /// What may happen.
    #[cfg(feature = "watchdog")]
    pub(super) fn plan(&self) -> Vec<Fault> {
        self.all.iter().map(|(fault, ..)| fault.clone()).collect()
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// How much a call that a thread makes may transfer.
    pub(crate) fn most_transferred(&self, thread: ThreadKey) -> Option<usize> {
        self.short.iter().find(|(short, _)| *short == thread).map(|(_, most)| *most)
    }

    /// How many programs were killed by them.
    pub(super) const fn deaths(&self) -> u64 {
        self.deaths
    }

    /// The same, which is told no more.
    pub(crate) fn take_told(&mut self) -> Vec<String> {
        std::mem::take(&mut self.told)
    }

    /// Each with how often it happened.
    pub(crate) fn happened(&self) -> impl Iterator<Item = (&Fault, u64)> {
        self.all.iter().map(|(fault, _, happened)| (fault, *happened))
    }

    /// What happened, a sentence for each fault.
    pub(crate) fn told(&self) -> &[String] {
        &self.told
    }

    fn tell(&mut self, what: What, program: &[u8], call: &Call) {
        let program = String::from_utf8_lossy(program);
        self.told.push(match what {
            What::Fails(errno) => format!("{program}: {call} fails with {errno}"),
            What::Dies => format!("{program} dies before {call}"),
            What::Waits(time) => format!("{program} is held for {time:?} before {call}"),
            What::Shortens(bytes) => format!("{program}: {call} transfers {bytes} bytes at most"),
        });
        self.deaths += u64::from(what == What::Dies);
    }
}

/// What stands between a program and its machine.
pub(crate) struct Faulty {
    shared: Arc<Shared>,
    thread: ThreadKey,
    process: Pid,
    /// Its path, or the actor's label.
    program: Vec<u8>,
    view: View,
}

impl Faulty {
    /// Before a thread of this machine, which goes by this name; none if nothing goes wrong there.
    pub(crate) fn of(shared: &Arc<Shared>, thread: ThreadKey, program: &[u8]) -> Option<Self> {
        let kernel = shared.lock();
        if kernel.faults.is_empty() {
            return None;
        }
        let process = Pid(kernel.tasks.processes.at(kernel.tasks.process_of(thread)).number);
        drop(kernel);
        let (view, program) = (View::inside(shared, thread), program.to_vec());
        Some(Self { shared: Arc::clone(shared), thread, process, program, view })
    }

    /// The first fault that happens to a call.
    fn what(&self, call: &Call) -> Option<What> {
        let kernel = &mut *self.shared.lock();
        let (faults, order) = (&mut kernel.faults, &mut kernel.order);
        let what = faults.all.iter_mut().find_map(|(fault, fitted, happened)| {
            if *happened >= fault.most || !fault.fits(&self.program, self.process, call) {
                return None;
            }
            // Which of the calls that fit it is depends on all the others.
            if let Some(order) = order {
                order.touched(&Footprint::everything());
            }
            *fitted += 1;
            if fault.nth.is_some_and(|nth| nth != *fitted) {
                return None;
            }
            if let Some((calls, seed)) = fault.chance
                && Generator::new(seed.wrapping_add(*fitted)).below(calls) != 0
            {
                return None;
            }
            if fault.is_decided && !order.as_mut().is_some_and(|order| order.goes_wrong()) {
                return None;
            }
            *happened += 1;
            Some(fault.what)
        })?;
        faults.tell(what, &self.program, call);
        Some(what)
    }
}

impl Layer for Faulty {
    fn before(&self, call: &Call) -> Result<(), Failure> {
        match self.what(call) {
            None => Ok(()),
            Some(What::Fails(errno)) => Err(errno.into()),
            Some(What::Waits(time)) => {
                let until = self.view.monotonic()?.after(time);
                self.view.poll(&[], Deadline::At(until)).map(drop)
            }
            Some(What::Shortens(bytes)) => {
                self.shared.lock().faults.short.push((self.thread, bytes));
                Ok(())
            }
            Some(What::Dies) => {
                let mut kernel = self.shared.lock();
                let process = kernel.tasks.process_of(self.thread);
                signal::kill(&mut kernel, process, signal::Force::Yes);
                drop(kernel);
                run::leave_for_good(self.shared.id, self.thread);
                Err(Failure::CallerDied)
            }
        }
    }

    fn after(&self, _: &Call, _: Option<&Failure>) {
        let faults = &mut self.shared.lock().faults;
        faults.short.retain(|(thread, _)| *thread != self.thread);
    }
}
