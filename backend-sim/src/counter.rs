//! Event counters (eventfd(2)): a number that writes add to and a read takes away, and that somebody in the kernel may add to
//! (`cgroup::v1::memory_watch`). Neighbours: `fs::descriptors` (the open files that lead here), `fs::transfer` (read(2) and
//! write(2)).

use standin::Errno;
use standin::backend::{AccessMode, PollEvents, SocketFlags};
use standin::id::Moment;

use crate::cgroup::v1::memory_watch;
use crate::fs::{OpenKind, descriptors};
use crate::kernel::Kernel;
use crate::socket::open_flags;
use crate::step::{Step, Stop, Wait};
use crate::table::Key;
use crate::task::ThreadKey;
use crate::wait::Channel;

pub(crate) type CounterKey = Key<Counter>;

/// The greatest number that writes can make; the kernel's own additions stop one above it.
const MOST: u64 = u64::MAX - 1;

/// Bytes that a transfer takes.
const LENGTH: usize = size_of::<u64>();

/// How long what is done in the background takes: long enough to be seen by who asks at once (recorded: 6.18), and less than
/// anybody waits for it.
const SOON_NS: u64 = 20_000_000;

/// A counter.
#[derive(Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Counter {
    count: u64,
    /// A read takes 1, not all.
    is_semaphore: bool,
    /// When the kernel adds 1 each, in order: it does some things in the background.
    due: Vec<Moment>,
}

impl Counter {
    /// What it counts at a moment.
    fn count_at(&self, now: Moment) -> u64 {
        let due = self.due.iter().take_while(|moment| **moment <= now).count();
        self.count.saturating_add(due as u64)
    }

    /// Takes up what was due by now.
    fn settle(&mut self, now: Moment) {
        self.count = self.count_at(now);
        self.due.retain(|moment| *moment > now);
    }
}

/// eventfd2(2): the number of its descriptor.
///
/// # Errors
/// EMFILE.
pub(crate) fn open(
    kernel: &mut Kernel,
    caller: ThreadKey,
    (initial, is_semaphore): (u32, bool),
    flags: SocketFlags,
) -> Step<u32> {
    descriptors::check_room(kernel, caller, 1)?;
    let key =
        kernel.counters.insert(Counter { count: initial.into(), is_semaphore, due: Vec::new() });
    let kind = OpenKind::Counter(key);
    descriptors::install_opened(kernel, caller, kind, AccessMode::ReadWrite, open_flags(flags))
}

/// read(2): the number, in the machine's byte order.
///
/// # Errors
/// EINVAL: no room for it. EAGAIN.
pub(crate) fn read(
    kernel: &mut Kernel,
    key: CounterKey,
    nonblocking: bool,
    buffer: &mut [u8],
) -> Step<usize> {
    let Some(room) = buffer.get_mut(..LENGTH) else { return Err(Errno::EINVAL.into()) };
    let counter = settled(kernel, key);
    if counter.count == 0 {
        return Err(wait(counter, nonblocking, key));
    }
    let taken = if counter.is_semaphore { 1 } else { counter.count };
    counter.count -= taken;
    room.copy_from_slice(&taken.to_ne_bytes());
    kernel.waits.wake(Channel::Counter(key));
    Ok(LENGTH)
}

/// write(2): adds a number.
///
/// # Errors
/// EINVAL: not so many bytes, or the greatest number that there is. EAGAIN: it would be too great.
pub(crate) fn write(
    kernel: &mut Kernel,
    key: CounterKey,
    nonblocking: bool,
    bytes: &[u8],
) -> Step<usize> {
    let bytes = bytes.get(..LENGTH).and_then(|bytes| bytes.try_into().ok()).ok_or(Errno::EINVAL)?;
    let added = u64::from_ne_bytes(bytes);
    if added > MOST {
        return Err(Errno::EINVAL.into());
    }
    let counter = settled(kernel, key);
    if added > MOST - counter.count.min(MOST) {
        return Err(wait(counter, nonblocking, key));
    }
    counter.count += added;
    kernel.waits.wake(Channel::Counter(key));
    Ok(LENGTH)
}

fn settled(kernel: &mut Kernel, key: CounterKey) -> &mut Counter {
    let now = kernel.clock.monotonic();
    let counter = kernel.counters.at_mut(key);
    counter.settle(now);
    counter
}

fn wait(counter: &Counter, nonblocking: bool, key: CounterKey) -> Stop {
    if nonblocking {
        return Errno::EAGAIN.into();
    }
    let until = counter.due.first().copied();
    Wait { until, ..Wait::on(Channel::Counter(key)) }.into()
}

/// Something happened that the counter was told to count; nothing if it was closed.
pub(crate) fn signal(kernel: &mut Kernel, key: CounterKey) {
    if let Some(counter) = kernel.counters.get_mut(key) {
        counter.count = counter.count.saturating_add(1);
        kernel.waits.wake(Channel::Counter(key));
    }
}

/// The same, a little later: the kernel does it in the background.
pub(crate) fn signal_soon(kernel: &mut Kernel, key: CounterKey) {
    let Moment { ns } = kernel.clock.monotonic();
    if let Some(counter) = kernel.counters.get_mut(key) {
        counter.due.push(Moment { ns: ns.saturating_add(SOON_NS) });
        kernel.waits.wake(Channel::Counter(key));
    }
}

/// The last descriptor was closed.
pub(crate) fn close(kernel: &mut Kernel, key: CounterKey) {
    kernel.counters.remove(key);
    memory_watch::forget(&mut kernel.cgroups, key);
}

/// When it changes by itself, if it does.
pub(crate) fn next(kernel: &Kernel, key: CounterKey) -> Option<Moment> {
    let now = kernel.clock.monotonic();
    kernel.counters.at(key).due.iter().find(|moment| **moment > now).copied()
}

/// What it is ready for (poll(2)), and what tells when that changes.
pub(crate) fn poll(kernel: &Kernel, key: CounterKey) -> (PollEvents, Channel) {
    let count = kernel.counters.at(key).count_at(kernel.clock.monotonic());
    let mut ready = PollEvents::empty();
    ready.set(PollEvents::INPUT, count > 0);
    ready.set(PollEvents::OUTPUT, count < MOST);
    ready.set(PollEvents::ERROR, count > MOST);
    (ready, Channel::Counter(key))
}
