//! Processor time: who uses the processors while virtual time passes, and when that changes.
//!
//! Calls take no time in this kernel; a thread uses a processor only when its program asks for that ([`use_time`]). It is
//! then runnable until its work is done, and the clock moves on from one event to the next: somebody has done its work, a
//! quota is used up, a period ends, a limit of processor time is reached. Between two events nothing changes, so everybody
//! gets a fixed share ([`share`]), by the weights of groups and the nice values of threads, as far as quotas let it
//! ([`throttle`]). So time is exact and needs no slices, and costs nothing while nobody asks for it.
//!
//! Those who run at once may use the same processors, be it all or those of one cpuset; else it is `NotModelled`.
//!
//! What it leaves out: slices, the cost of switching, and that a held group holds its threads' other calls too. Which
//! processor is used by whom follows from that: whoever began first has the one with the lowest number. Neighbours: `cgroup::processor` (what it asks of groups), `kernel` (which moves the clock).

mod scene;
mod share;
mod throttle;

pub(crate) use throttle::{Limit, Throttle};

use std::time::Duration;

use rustc_hash::FxHashMap;
use standin::backend::RlimitResource;
use standin::id::Moment;
use standin::{Failure, Signal};

use crate::cgroup::cpuset::{self, Mask};
use crate::kernel::Kernel;
use crate::step::{Step, Wait};
use crate::task::{ProcessKey, ThreadKey, limit, signal};
use crate::wait::Channel;
use scene::Scene;

/// Who uses the processors, and who has.
#[derive(Clone, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Processors {
    /// In the order in which they began.
    burners: Vec<Burner>,
    /// What live threads have used, in ns; those that are not there have used nothing.
    #[cfg_attr(feature = "serde", serde(with = "crate::written::map"))]
    used_ns: FxHashMap<ThreadKey, u64>,
}

/// A thread that uses a processor until its work is done.
#[derive(Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct Burner {
    thread: ThreadKey,
    /// What its process has still to use.
    left_ns: u64,
    /// Parts of a nanosecond that it has used, of [`share::WHOLE`].
    part: u64,
}

impl Processors {
    /// Whether a thread is in the middle of work.
    pub(crate) fn is_burning(&self, thread: ThreadKey) -> bool {
        self.burners.iter().any(|burner| burner.thread == thread && burner.left_ns > 0)
    }

    /// What a live thread has used, in ns.
    pub(crate) fn used_ns(&self, thread: ThreadKey) -> u64 {
        self.used_ns.get(&thread).copied().unwrap_or(0)
    }
}

/// Work of the caller: `time` of its process's processor time. Asked again until it is done; `begun` is false at first.
pub(crate) fn use_time(
    kernel: &mut Kernel,
    caller: ThreadKey,
    time: Duration,
    begun: &mut bool,
) -> Step<()> {
    let burners = &mut kernel.processors.burners;
    if !std::mem::replace(begun, true) {
        burners.retain(|burner| kernel.tasks.is_alive(burner.thread));
        let left_ns = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        burners.push(Burner { thread: caller, left_ns, part: 0 });
        if let Err(failure) = ground(kernel) {
            kernel.processors.burners.pop();
            return Err(failure.into());
        }
    }
    if kernel.processors.is_burning(caller) {
        return Err(Wait { uninterruptible: true, ..Wait::on(Channel::Processor) }.into());
    }
    kernel.processors.burners.retain(|burner| burner.thread != caller);
    Ok(())
}

/// Whether anybody wants to run: then time passes.
pub(crate) fn is_wanted(kernel: &Kernel) -> bool {
    kernel.processors.burners.iter().any(|burner| wants(kernel, burner))
}

fn wants(kernel: &Kernel, burner: &Burner) -> bool {
    let Some(thread) = kernel.tasks.threads.get(burner.thread) else { return false };
    let process = kernel.tasks.processes.at(thread.process);
    burner.left_ns > 0 && !thread.exited && !thread.stands_still() && !process.is_stopped()
}

/// The processors of those who run.
#[derive(Clone, Copy)]
struct Ground {
    /// The ones that they may use; none if it is all.
    mask: Option<Mask>,
    count: u32,
}

impl Ground {
    /// The number of one of them, by its place.
    fn processor(self, place: u32) -> u32 {
        let place = place.min(self.count.saturating_sub(1));
        self.mask.map_or(place, |mask| mask.iter().nth(place as usize).unwrap_or(place))
    }
}

/// The processors for those who want to run.
///
/// # Errors
/// `NotModelled`: not all may use the same ones.
fn ground(kernel: &Kernel) -> Result<Ground, Failure> {
    let wanting = kernel.processors.burners.iter().filter(|burner| wants(kernel, burner));
    let mut masks = wanting.map(|burner| cpuset::allowed(kernel, burner.thread));
    let mask = masks.next().flatten();
    if masks.any(|other| other != mask) {
        return Err(Failure::NotModelled("work of threads that may use different processors"));
    }
    let count = mask.map_or(kernel.profile.processors, Mask::count);
    Ok(Ground { mask, count })
}

/// Moves the clock until something happens to somebody's work, or to `until`. Whether it did not get there.
///
/// # Errors
/// `NotModelled`: not all who want to run may use the same processors.
pub(crate) fn advance(kernel: &mut Kernel, until: Moment) -> Result<bool, Failure> {
    if kernel.processors.burners.is_empty() {
        kernel.clock.advance(until);
        return Ok(false);
    }
    loop {
        let now = kernel.clock.monotonic();
        let ground = ground(kernel)?;
        let Some(scene) = (now < until).then(|| Scene::now(kernel, ground)).flatten() else {
            kernel.clock.advance(until);
            return Ok(false);
        };
        let next = scene.next_event(kernel).min(until);
        kernel.clock.advance(next);
        let processes = scene.account(kernel, next.ns.saturating_sub(now.ns));
        let mut changed = false;
        for process in processes {
            changed |= finish(kernel, process) | limit_process(kernel, process);
        }
        if changed {
            return Ok(true);
        }
    }
}

/// Wakes the threads of a process that have done their work; whether there are any.
fn finish(kernel: &mut Kernel, process: ProcessKey) -> bool {
    let mut changed = false;
    for burner in kernel.processors.burners.iter().filter(|burner| burner.left_ns == 0) {
        let done = kernel.tasks.threads.get(burner.thread);
        if done.is_some_and(|thread| thread.process == process && !thread.exited) {
            kernel.waits.wake_thread(burner.thread);
            changed = true;
        }
    }
    changed
}

/// `RLIMIT_CPU`: SIGXCPU at the soft limit, which is a second later from then on, and SIGKILL at the hard one
/// (getrlimit(2)). Whether there was one.
fn limit_process(kernel: &mut Kernel, process: ProcessKey) -> bool {
    let Some(record) = kernel.tasks.processes.get(process) else { return false };
    let used_s = record.used_ns() / 1_000_000_000;
    let mut bounds = kernel.limit(process, RlimitResource::Cpu);
    let Some(soft) = bounds.soft.filter(|soft| *soft <= used_s) else { return false };
    if bounds.hard.is_some_and(|hard| hard <= used_s) {
        signal::send_kernel(kernel, process, Signal::KILL);
        return true;
    }
    bounds.soft = Some(soft + 1);
    limit::set(kernel, process, RlimitResource::Cpu, bounds);
    signal::send_kernel(kernel, process, Signal::XCPU);
    true
}
