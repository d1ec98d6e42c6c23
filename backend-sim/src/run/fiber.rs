//! A stack of its own for what a process does, which can be left in the middle of a call and taken up again.

#![expect(
    unsafe_code,
    reason = "a call finds the way out of its coroutine through a pointer kept for the thread"
)]

use std::cell::Cell;
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use corosensei::stack::DefaultStack;
use corosensei::{Coroutine, CoroutineResult, Yielder};

use crate::task::ThreadKey;

/// Bytes of stack a fiber has.
const STACK_BYTES: usize = 256 * 1024;

/// Why a fiber goes on.
#[derive(Clone, Debug)]
pub(crate) enum Resume {
    /// What it waited for may have happened.
    Woken,
    /// It can never happen; the picture.
    Deadlock(Box<str>),
}

/// Why a fiber stopped.
pub(super) enum Left {
    /// It waits, as this thread: if that one dies meanwhile, it is woken to be unwound.
    Waits(ThreadKey),
    /// Its own thread is dead, and what is on its stack is of no use any more.
    Forsaken,
    /// It has returned.
    Ended,
}

type Way = Yielder<Resume, Left>;

/// How many fibers of a machine there are, on all OS threads.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fibers(Arc<AtomicUsize>);

impl Fibers {
    /// How many.
    pub(crate) fn live(&self) -> usize {
        self.0.load(Ordering::Acquire)
    }

    fn one_more(&self) -> Counted {
        self.0.fetch_add(1, Ordering::AcqRel);
        Counted(self.clone())
    }
}

/// A fiber's place in the count.
struct Counted(Fibers);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// A fiber.
pub(crate) struct Fiber {
    coroutine: Coroutine<Resume, Left, (), DefaultStack>,
    _counted: Counted,
}

/// The fiber that runs on this OS thread.
#[derive(Clone, Copy)]
struct Current {
    machine: u64,
    /// Whose fiber it is.
    own: Option<ThreadKey>,
    /// The way out; none while the stack is unwound.
    way: Option<NonNull<Way>>,
}

impl Current {
    const NOBODY: Self = Self { machine: 0, own: None, way: None };
}

thread_local! {
    static CURRENT: Cell<Current> = const { Cell::new(Current::NOBODY) };
}

/// A stack, from those that are left over if there is one.
pub(super) fn stack(pool: &mut Vec<DefaultStack>) -> DefaultStack {
    pool.pop().unwrap_or_else(|| match DefaultStack::new(STACK_BYTES) {
        Ok(stack) => stack,
        Err(error) => panic!("no memory for the stack of a program: {error}"),
    })
}

impl Fiber {
    /// A fiber that will run `body`.
    pub(super) fn new(
        (machine, fibers): (u64, &Fibers),
        own: ThreadKey,
        stack: DefaultStack,
        body: Box<dyn FnOnce()>,
    ) -> Self {
        let coroutine = Coroutine::with_stack(stack, move |way: &Way, _: Resume| {
            CURRENT.set(Current { machine, own: Some(own), way: Some(NonNull::from(way)) });
            body();
        });
        Self { coroutine, _counted: fibers.one_more() }
    }

    /// Lets it run until it waits or ends. A panic of the body comes out here.
    pub(super) fn resume(&mut self, why: Resume) -> Left {
        let outer = CURRENT.get();
        let restore = Restore(outer);
        let left = match self.coroutine.resume(why) {
            CoroutineResult::Yield(left) => left,
            CoroutineResult::Return(()) => Left::Ended,
        };
        drop(restore);
        left
    }

    /// Unwinds its stack, whatever it is in the middle of; gives the stack back.
    pub(super) fn unwind(mut self) -> DefaultStack {
        let restore = Restore(CURRENT.get());
        // Calls made while unwinding must not try to leave the stack again.
        CURRENT.set(Current::NOBODY);
        if self.coroutine.started() && !self.coroutine.done() {
            self.coroutine.force_unwind();
        }
        drop(restore);
        self.coroutine.into_stack()
    }

    /// The stack of a fiber that has ended.
    pub(super) fn into_stack(self) -> DefaultStack {
        self.unwind()
    }
}

/// Puts back who ran before, also after a panic.
struct Restore(Current);

impl Drop for Restore {
    fn drop(&mut self) {
        CURRENT.set(self.0);
    }
}

/// Whether a fiber of this machine runs on this OS thread.
pub(crate) fn is_inside(machine: u64) -> bool {
    let current = CURRENT.get();
    current.machine == machine && current.way.is_some()
}

/// Whose fiber runs on this OS thread.
#[cfg(feature = "property")]
pub(crate) fn current() -> Option<ThreadKey> {
    CURRENT.get().own
}

/// Leaves the running fiber, if it is one of this machine's, until its runner takes it up again. `None` if no fiber of the
/// machine runs here: then it is a call from outside.
pub(crate) fn suspend_current(machine: u64, waiting_as: ThreadKey) -> Option<Resume> {
    leave(machine, Left::Waits(waiting_as))
}

fn leave(machine: u64, left: Left) -> Option<Resume> {
    let current = CURRENT.get();
    if current.machine != machine {
        return None;
    }
    let way = current.way?;
    // SAFETY: `way` points to the yielder on the stack of the fiber that runs on this OS thread at this moment: it was set
    // when that fiber started, and `Restore` took it out of `CURRENT` whenever the fiber was left.
    let resume = unsafe { way.as_ref() }.suspend(left);
    CURRENT.set(current);
    Some(resume)
}

/// What the running fiber was made for is done: it returns by itself when its thread is dead, which costs less than unwinding.
pub(super) fn returns_soon() {
    CURRENT.set(Current { own: None, ..CURRENT.get() });
}

/// Leaves the running fiber for ever, if it is this dead thread's own: its runner unwinds it. Returns if it is not, or is
/// being unwound already.
pub(crate) fn leave_for_good(machine: u64, dead: ThreadKey) {
    if CURRENT.get().own == Some(dead) {
        leave(machine, Left::Forsaken);
    }
}
