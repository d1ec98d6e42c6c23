//! Starts, resumes and unwinds the programs of one machine on one OS thread.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

use corosensei::stack::DefaultStack;
use standin::layer::Layered;
use standin::{Backend, ExitCode, KPath};

use super::fiber::{Fiber, Left, Resume, is_inside, returns_soon, stack};
use crate::beside::Beside;
use crate::cgroup;
use crate::kernel::Kernel;
use crate::machine::Shared;
use crate::schedule::{Faulty, Footprint};
use crate::task::{Start, Tasks, Thread, ThreadKey, exit};
use crate::view::View;
use crate::wait::Waits;

/// Stacks that are kept for later.
const SPARE_STACKS: usize = 64;

/// Fibers that may be in the middle of something at once, on one OS thread.
const MOST_FIBERS: usize = 8_192;

/// The fibers of one machine on this OS thread.
#[derive(Default)]
struct Runner {
    /// By the thread each waits as.
    fibers: Beside<Thread, Fiber>,
}

impl Runner {
    /// Those of the woken that this OS thread can take up.
    fn able(&self, waits: &Waits, tasks: &Tasks) -> Vec<ThreadKey> {
        let can = |thread: &ThreadKey| {
            let is_known = self.fibers.get(*thread).is_some() || tasks.starts.contains_key(thread);
            is_known || tasks.is_doomed(*thread)
        };
        waits.woken().filter(can).collect()
    }
}

thread_local! {
    /// By machine, the last one first: nearly always it is the next one too.
    static RUNNERS: RefCell<Vec<(u64, Runner)>> = const { RefCell::new(Vec::new()) };
    static SPARE: RefCell<Vec<DefaultStack>> = const { RefCell::new(Vec::new()) };
}

fn with<T>(shared: &Shared, run: impl FnOnce(&mut Runner) -> T) -> T {
    RUNNERS.with_borrow_mut(|runners| {
        if runners.first().is_none_or(|(id, _)| *id != shared.id) {
            let place = runners.iter().position(|(id, _)| *id == shared.id).unwrap_or_else(|| {
                runners.push((shared.id, Runner::default()));
                runners.len() - 1
            });
            runners.swap(0, place);
        }
        let (_, runner) = runners.first_mut().expect("it was put there");
        run(runner)
    })
}

fn give_back(stack: DefaultStack) {
    SPARE.with_borrow_mut(|spare| {
        if spare.len() < SPARE_STACKS {
            spare.push(stack);
        }
    });
}

/// What is to be done next on this OS thread.
pub(crate) enum Next {
    Start(ThreadKey, Start),
    Resume(ThreadKey, Fiber),
    Unwind(Fiber),
    /// It was done without a stack: a process without a program has ended.
    Done,
}

/// Lets one program run until it blocks or ends, if one of this thread's can. Whether one could.
pub(crate) fn step(shared: &Arc<Shared>) -> bool {
    let next = next(shared, &mut shared.lock());
    let found = next.is_some();
    if let Some(next) = next {
        next.carry_out(shared);
    }
    found
}

impl Next {
    /// Does it; not under the machine's lock.
    pub(crate) fn carry_out(self, shared: &Arc<Shared>) {
        match self {
            Self::Start(thread, start) => start_program(shared, thread, start),
            Self::Resume(thread, fiber) => run(shared, thread, fiber, Resume::Woken),
            Self::Unwind(fiber) => give_back(fiber.unwind()),
            Self::Done => {}
        }
    }
}

/// Takes what this OS thread can do next, if anything.
pub(crate) fn next(shared: &Shared, kernel: &mut Kernel) -> Option<Next> {
    cgroup::run_agents(kernel);
    if !kernel.waits.any_woken() {
        return None;
    }
    with(shared, |runner| {
        let Kernel { waits, tasks, order, .. } = &mut *kernel;
        let chosen = match order {
            Some(order) => Some(order.next(&runner.able(waits, tasks))?),
            None => None,
        };
        let mut fiber = None;
        let thread = waits.next_woken(|thread| {
            if chosen.is_some_and(|chosen| chosen != thread) {
                return false;
            }
            fiber = runner.fibers.remove(thread);
            fiber.is_some() || tasks.starts.contains_key(&thread) || tasks.is_doomed(thread)
        })?;
        let Some(fiber) = fiber else {
            if tasks.is_doomed(thread) {
                if let Some(order) = order {
                    order.touched(&Footprint::everything());
                }
                exit::meet_doom(kernel, thread);
                return Some(Next::Done);
            }
            return tasks.starts.remove(&thread).map(|start| Next::Start(thread, start));
        };
        // A program that exec replaced leaves its old stack behind.
        let replaced = tasks.starts.contains_key(&thread);
        if replaced {
            waits.make_runnable(thread);
        }
        Some(if replaced || !tasks.is_alive(thread) {
            Next::Unwind(fiber)
        } else {
            Next::Resume(thread, fiber)
        })
    })
}

/// Whether the program that runs on this OS thread, and is about to make a call as `caller`, is to be left for another one
/// by the machine's order; then it is one of those that may go on.
#[cold]
pub(crate) fn gives_way(shared: &Shared, kernel: &mut Kernel, caller: ThreadKey) -> bool {
    if !is_inside(shared.id) {
        return false;
    }
    if !kernel.waits.any_woken() {
        if let Some(order) = &mut kernel.order {
            order.goes_on(caller);
        }
        return false;
    }
    let Kernel { waits, tasks, order, .. } = kernel;
    let able = with(shared, |runner| runner.able(waits, tasks));
    let gives_way = order.as_mut().is_some_and(|order| order.interrupts(caller, &able));
    if gives_way {
        waits.make_runnable(caller);
    }
    gives_way
}

fn start_program(shared: &Arc<Shared>, thread: ThreadKey, start: Start) {
    let program = KPath::new(&start.path).ok().and_then(|path| shared.programs.lock().get(path));
    let view = View::inside(shared, thread);
    #[cfg(feature = "watchdog")]
    if let Some(running) = shared.running.get() {
        running.begins(thread, &start.path);
    }
    let name = String::from_utf8_lossy(&start.path).into_owned();
    let faulty = Faulty::of(shared, thread, &start.path);
    let body = Box::new(move || {
        // A path without a program was refused by spawn; one that was taken away since then fails like a bad image.
        let run = |kernel: &dyn Backend| {
            let code = program.map_or(ExitCode(127), |program| program(kernel, &start.arguments));
            returns_soon();
            let _ = kernel.exit(code);
        };
        match faulty {
            None => run(&view),
            Some(faulty) => run(&Layered::new(&view, faulty)),
        }
    });
    let result = catch_unwind(AssertUnwindSafe(|| begin(shared, thread, body)));
    if let Err(panic) = result {
        let text = panic.downcast_ref::<&str>().map(ToString::to_string);
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
        match text {
            Some(text) => panic!("the program {name} panicked: {text}"),
            None => resume_unwind(panic),
        }
    }
}

/// Runs `body` as what `thread` does, until it blocks or ends.
///
/// # Panics
/// With the body's panic; and if 8,192 fibers of the machine wait on this OS thread already.
pub(crate) fn begin(shared: &Arc<Shared>, thread: ThreadKey, body: Box<dyn FnOnce()>) {
    let waiting = with(shared, |runner| runner.fibers.len());
    assert!(
        waiting < MOST_FIBERS,
        "{waiting} programs of one machine are in the middle of a call; that is the most"
    );
    let stack = SPARE.with_borrow_mut(stack);
    let fiber = Fiber::new((shared.id, &shared.fibers), thread, stack, body);
    run(shared, thread, fiber, Resume::Woken);
}

#[cfg_attr(
    not(feature = "watchdog"),
    expect(unused_variables, reason = "a watchdog asks whose it is")
)]
fn run(shared: &Arc<Shared>, thread: ThreadKey, mut fiber: Fiber, why: Resume) {
    #[cfg(feature = "watchdog")]
    let _entered = shared.running.get().map(|running| running.enter(thread));
    match fiber.resume(why) {
        Left::Ended => give_back(fiber.into_stack()),
        Left::Forsaken => give_back(fiber.unwind()),
        Left::Waits(waiting_as) => {
            with(shared, |runner| runner.fibers.insert(waiting_as, fiber));
        }
    }
}

/// Tells every call that waits in a program of this OS thread that it can never end; whether there was one.
pub(crate) fn deadlock(shared: &Arc<Shared>, picture: &str) -> bool {
    if let Some(order) = &mut shared.lock().order {
        order.barrier();
    }
    let mut waiting: Vec<ThreadKey> = with(shared, |runner| runner.fibers.keys().collect());
    waiting.sort_unstable();
    for thread in &waiting {
        if let Some(fiber) = with(shared, |runner| runner.fibers.remove(*thread)) {
            run(shared, *thread, fiber, Resume::Deadlock(picture.into()));
        }
    }
    !waiting.is_empty()
}

/// Unwinds every fiber of this machine on this OS thread: its processes are killed first, so that nothing they do on
/// their way out is seen.
pub(crate) fn clear(shared: &Arc<Shared>) {
    let runner = RUNNERS.with_borrow_mut(|runners| {
        let place = runners.iter().position(|(id, _)| *id == shared.id)?;
        Some(runners.swap_remove(place))
    });
    let Some((_, runner)) = runner else { return };
    shared.lock().kill_everything();
    let mut fibers = runner.fibers.into_values();
    fibers.sort_by_key(|(thread, _)| *thread);
    for (_, fiber) in fibers {
        give_back(fiber.unwind());
    }
}
