//! Calls from outside: threads of the host that call a view themselves, not from within a program.
//!
//! Such a call that cannot finish lets programs and timers run, if their stacks are this thread's, or waits for another
//! thread to do something. It is a deadlock only if nobody is left who could: so the threads that have called a machine
//! are counted, and a thread that ends is taken off. A thread that has not called yet cannot be counted: so before the
//! first deadlock is told, a thread that is alone gives others a moment of the host's time to come. And a thread that has
//! called may never do so again, because it waits for this one, say: so after such a moment without any call virtual time
//! passes, though a deadlock is told only when nobody else is left.

use std::cell::{Cell, RefCell};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::{Condvar, MutexGuard};
use standin::Failure;

use crate::kernel::Kernel;
use crate::look;
use crate::machine::Shared;
use crate::run;
use crate::task::ThreadKey;

/// How long a thread waits for another's call before it takes itself for the only one with something to do.
const GRACE: Duration = Duration::from_secs(1);

/// The threads outside of a machine.
#[derive(Default)]
pub(crate) struct Outside {
    changed: Condvar,
    /// Threads that have called this machine and have not ended.
    present: AtomicUsize,
    /// Of them, those that wait in a call.
    waiting: AtomicUsize,
}

thread_local! {
    /// The machine that this thread called last: nearly always the one it calls next.
    static LAST: Cell<u64> = const { Cell::new(0) };
    static MACHINES: RefCell<Vec<Presence>> = const { RefCell::new(Vec::new()) };
}

/// This thread's place in a machine's count.
struct Presence {
    shared: Weak<Shared>,
    id: u64,
}

impl Drop for Presence {
    fn drop(&mut self) {
        if let Some(shared) = self.shared.upgrade() {
            shared.outside.present.fetch_sub(1, Ordering::AcqRel);
            let _kernel = shared.lock();
            shared.outside.changed.notify_all();
        }
    }
}

/// Notes that this thread calls a machine.
#[inline]
pub(crate) fn enter(shared: &Arc<Shared>) {
    if LAST.get() != shared.id {
        arrive(shared);
    }
}

/// This thread called another machine before, if any.
#[cold]
fn arrive(shared: &Arc<Shared>) {
    LAST.set(shared.id);
    MACHINES.with_borrow_mut(|machines| {
        if machines.iter().any(|presence| presence.id == shared.id) {
            return;
        }
        machines.retain(|presence| presence.shared.strong_count() > 0);
        shared.outside.present.fetch_add(1, Ordering::AcqRel);
        machines.push(Presence { shared: Arc::downgrade(shared), id: shared.id });
    });
}

/// Tells waiting threads to look again.
pub(crate) fn notify(shared: &Shared) {
    if shared.outside.waiting.load(Ordering::Acquire) > 0 {
        shared.outside.changed.notify_all();
    }
}

/// Waits until `caller`, whose call sleeps, was woken.
pub(crate) fn wait(
    shared: &Arc<Shared>,
    mut kernel: MutexGuard<'_, Kernel>,
    caller: ThreadKey,
) -> Result<(), Failure> {
    let (mut told, mut alone) = (false, false);
    loop {
        if kernel.waits.next_woken(|thread| thread == caller).is_some() {
            return Ok(());
        }
        while let Some(next) = run::next(shared, &mut kernel) {
            MutexGuard::unlocked(&mut kernel, || next.carry_out(shared));
        }
        if kernel.waits.is_woken(caller) {
            continue;
        }
        // Another thread may have something to do at this very moment; time passes only when nobody has.
        let others = shared.outside.present.load(Ordering::Acquire);
        let waiting = shared.outside.waiting.load(Ordering::Acquire) + 1;
        if waiting >= others {
            if kernel.pass_time(None)? {
                notify(shared);
                continue;
            }
            // Whose order is searched has one thread outside.
            if others == 1 && kernel.order.is_none() && !std::mem::replace(&mut alone, true) {
                shared.outside.waiting.fetch_add(1, Ordering::AcqRel);
                shared.outside.changed.wait_for(&mut kernel, GRACE);
                shared.outside.waiting.fetch_sub(1, Ordering::AcqRel);
                continue;
            }
            let picture = look::waiting(&kernel);
            // Programs hear of it first, once, and may do something about it.
            if !told && MutexGuard::unlocked(&mut kernel, || run::deadlock(shared, &picture)) {
                told = true;
                continue;
            }
            kernel.waits.forget(caller);
            return Err(Failure::Deadlock(picture.into()));
        }
        shared.outside.waiting.fetch_add(1, Ordering::AcqRel);
        let quiet = shared.outside.changed.wait_for(&mut kernel, GRACE).timed_out();
        shared.outside.waiting.fetch_sub(1, Ordering::AcqRel);
        if quiet && !kernel.waits.any_woken() && kernel.pass_time(None)? {
            notify(shared);
        }
    }
}
