//! The one door: every call of every view comes through [`carry`].
//!
//! A call is a small borrowed struct, an [`Operation`], whose handler runs under the machine's lock on plain data. The door
//! does what is the same for all: it holds back a caller that may not run (stopped, frozen, dead), counts, lets a handler
//! that cannot finish sleep and runs it again, and holds back the answer of a call that stopped, froze or killed its own
//! caller. Nothing waits under the lock.

use std::fmt;
use std::sync::Arc;

use parking_lot::MutexGuard;
use standin::{Errno, Failure};

use crate::kernel::Kernel;
use crate::machine::Shared;
use crate::notify;
use crate::outside;
use crate::run::{self, Resume};
use crate::schedule::Footprint;
use crate::step::{Step, Stop, Wait};
use crate::task::{Caught, Readiness, ThreadKey};
use crate::trace::{self, Parts};
use crate::wait::Channel;

/// One kind of call, with its arguments.
pub(crate) trait Operation {
    /// What the kernel answers.
    type Answer: fmt::Debug;

    /// The name of the backend's method, as traces and messages print it.
    const NAME: &'static str;

    /// Whether it is a call of a process: a trace tells of no others.
    const IS_TOLD: bool = true;

    /// Whether its answer means that there is one more process or thread.
    const MAKES_PROCESS: bool = false;

    /// What it is about, for a trace.
    fn show(&self, _parts: &mut Parts) {}

    /// Whether the signals that were caught during its wait end it, before it looks whether it can finish by now. Most calls
    /// look first.
    fn gives_up(&self, _kernel: &Kernel, _caller: ThreadKey, _caught: Caught) -> bool {
        false
    }

    /// Does it, on behalf of `caller`. Runs again after a wait, on the same value.
    fn handle(&mut self, kernel: &mut Kernel, caller: ThreadKey) -> Step<Self::Answer>;

    /// What it reads and writes, for searches that try calls that do not touch the same in one order only. It is asked before
    /// and after the handler ran, which gave this answer, if it had one; both hold.
    fn footprint(
        &self,
        _kernel: &Kernel,
        _caller: ThreadKey,
        _answer: Option<&Self::Answer>,
    ) -> Footprint {
        Footprint::everything()
    }

    /// What a call answers that has transferred part and waits for more when a handler runs: that part, not EINTR, and it
    /// is not restarted (signal(7)).
    fn partial(&mut self, _kernel: &mut Kernel, _caller: ThreadKey) -> Option<Self::Answer> {
        None
    }
}

/// Carries one operation through the kernel.
pub(crate) fn carry<O: Operation>(
    shared: &Arc<Shared>,
    caller: ThreadKey,
    mut operation: O,
) -> Result<O::Answer, Failure> {
    outside::enter(shared);
    let mut kernel = shared.lock();
    if kernel.order.is_some() && run::gives_way(shared, &mut kernel, caller) {
        kernel = resume(shared, kernel, caller)?;
    }
    let noted =
        if kernel.trace.is_some() { trace::begin(&mut kernel, caller, &operation) } else { None };
    let answer = carry_on(shared, kernel, caller, &mut operation);
    if let Some(place) = noted {
        trace::end(&mut shared.lock(), place, &operation, &answer);
    }
    answer
}

fn carry_on<'a, O: Operation>(
    shared: &'a Arc<Shared>,
    mut kernel: MutexGuard<'a, Kernel>,
    caller: ThreadKey,
    operation: &mut O,
) -> Result<O::Answer, Failure> {
    let mut has_waited = false;
    loop {
        let caught = match kernel.readiness(caller) {
            Readiness::Ready { caught } => caught,
            Readiness::Held => {
                kernel = suspend(shared, kernel, caller, O::NAME, held(caller))?;
                continue;
            }
            Readiness::Dead => return Err(leave(shared, kernel, caller)),
        };
        if has_waited && operation.gives_up(&kernel, caller, caught) {
            return Err(Failure::Errno(Errno::EINTR));
        }
        let is_followed = kernel.order.is_some() && announce(shared, &mut kernel, caller, O::NAME);
        let attempted = if is_followed {
            attempt_in_order(shared, &mut kernel, caller, operation)
        } else {
            attempt(&mut kernel, caller, operation)
        };
        notify::flush(&mut kernel);
        // It may have woken a thread that another one of the host's waits for.
        outside::notify(shared);
        let answer = match attempted {
            Ok(value) => Ok(value),
            Err(Stop::Failure(failure)) => {
                kernel.census.note(&failure);
                Err(failure)
            }
            // What it waited for counts before a signal that came too.
            Err(Stop::Wait(wait)) => {
                if has_waited
                    && caught != Caught::Nothing
                    && let Some(part) = operation.partial(&mut kernel, caller)
                {
                    return Ok(part);
                }
                if has_waited && caught.ends(&wait) {
                    return Err(Failure::Errno(Errno::EINTR));
                }
                has_waited = true;
                kernel = suspend(shared, kernel, caller, O::NAME, wait)?;
                continue;
            }
        };
        if !kernel.runs_on(caller) {
            hold_back(shared, kernel, caller, O::NAME)?;
        }
        return answer;
    }
}

/// What a thread that is stopped or frozen waits for.
#[cold]
fn held(caller: ThreadKey) -> Wait {
    Wait { uninterruptible: true, ..Wait::on(Channel::Thread(caller)) }
}

/// Keeps a caller that its own call stopped, froze or killed until it goes on; in the end it does not.
#[cold]
#[inline(never)]
fn hold_back<'a>(
    shared: &'a Arc<Shared>,
    mut kernel: MutexGuard<'a, Kernel>,
    caller: ThreadKey,
    call: &'static str,
) -> Result<(), Failure> {
    loop {
        match kernel.readiness(caller) {
            Readiness::Dead => return Err(leave(shared, kernel, caller)),
            Readiness::Ready { .. } => return Ok(()),
            Readiness::Held => kernel = suspend(shared, kernel, caller, call, held(caller))?,
        }
    }
}

/// The caller is dead: nothing comes back to it.
#[cold]
#[inline(never)]
fn leave(shared: &Arc<Shared>, kernel: MutexGuard<'_, Kernel>, caller: ThreadKey) -> Failure {
    drop(kernel);
    run::leave_for_good(shared.id, caller);
    Failure::CallerDied
}

/// Leaves the call until its thread was woken: back to the runner from within a program, else by waiting here.
#[cold]
#[inline(never)]
fn suspend<'a>(
    shared: &'a Arc<Shared>,
    mut kernel: MutexGuard<'a, Kernel>,
    caller: ThreadKey,
    call: &'static str,
    wait: Wait,
) -> Result<MutexGuard<'a, Kernel>, Failure> {
    if kernel.waits.wait_of(caller).is_some() {
        return Err(Failure::Unsupported(
            "two calls at once of one thread; make a process or thread for each",
        ));
    }
    kernel.waits.sleep(caller, call, wait);
    if !run::is_inside(shared.id) {
        outside::wait(shared, kernel, caller)?;
        return Ok(shared.lock());
    }
    resume(shared, kernel, caller)
}

/// Leaves the program until its runner takes it up again.
fn resume<'a>(
    shared: &'a Arc<Shared>,
    kernel: MutexGuard<'a, Kernel>,
    caller: ThreadKey,
) -> Result<MutexGuard<'a, Kernel>, Failure> {
    drop(kernel);
    let resumed = run::suspend_current(shared.id, caller);
    let mut kernel = shared.lock();
    match resumed {
        Some(Resume::Deadlock(picture)) => {
            kernel.waits.forget(caller);
            Err(Failure::Deadlock(picture))
        }
        Some(Resume::Woken) | None => Ok(kernel),
    }
}

#[inline]
fn attempt<O: Operation>(
    kernel: &mut Kernel,
    caller: ThreadKey,
    operation: &mut O,
) -> Step<O::Answer> {
    kernel.census.operations += 1;
    if !kernel.tasks.aftermath.is_empty() {
        kernel.tasks.aftermath.clear();
    }
    if kernel.census.operations > kernel.profile.limits.operations {
        check_bound(kernel, caller, O::NAME)?;
    }
    operation.handle(kernel, caller)
}

/// Calls that a program may make behind the bound, to see that it is there.
const MOST_BEHIND_BOUND: u64 = 10_000;

/// What becomes of a call behind the bound on calls: it fails. An exit does not, so that who gives up is waited for.
#[cold]
fn check_bound(kernel: &Kernel, caller: ThreadKey, call: &'static str) -> Step<()> {
    let (made, most) = (kernel.census.operations, kernel.profile.limits.operations);
    let number = kernel.tasks.threads.get(caller).map_or(0, |thread| thread.number);
    assert!(
        made - most <= MOST_BEHIND_BOUND,
        "thread {number} calls {call}, and all the machine's {most} calls were made long ago: it may do so for ever"
    );
    if call == "exit" { Ok(()) } else { Err(Failure::LimitReached("operations").into()) }
}

/// Tells the order that a call is made; whether it wants an account of what that touches.
fn announce(shared: &Shared, kernel: &mut Kernel, caller: ThreadKey, call: &'static str) -> bool {
    let program = run::is_inside(shared.id).then(|| kernel.tasks.process_of(caller));
    kernel.order.as_mut().is_some_and(|order| {
        order.calls(call, program);
        order.is_traced()
    })
}

/// The same, with an account of what it touches.
#[cold]
fn attempt_in_order<O: Operation>(
    shared: &Shared,
    kernel: &mut Kernel,
    caller: ThreadKey,
    operation: &mut O,
) -> Step<O::Answer> {
    let mut footprint = operation.footprint(kernel, caller, None);
    let attempted = attempt(kernel, caller, operation);
    footprint.add(&operation.footprint(kernel, caller, attempted.as_ref().ok()));
    if let Some(order) = &mut kernel.order {
        if run::is_inside(shared.id) {
            order.touched(&footprint);
        } else {
            order.barrier();
        }
    }
    attempted
}
