//! Who sleeps on what, whom an event wakes, and which timers are set.
//!
//! A thread whose call cannot finish sleeps on [`Channel`]s. Waking is cheap and may be spurious: the handler runs again
//! and looks for itself. This file knows no reason for sleeping.

use std::collections::VecDeque;

use rustc_hash::FxHashMap;
use standin::id::Moment;

use crate::beside::Beside;
use crate::cgroup::CgroupKey;
use crate::context::ContextKey;
use crate::counter::CounterKey;
use crate::fs::{Lockable, TmpKey};
use crate::namespace::mount::MountNsKey;
use crate::namespace::uts;
use crate::notify::WatcherKey;
use crate::pipe::PipeKey;
use crate::socket::SocketKey;
use crate::step::Wait;
use crate::stock::Stock;
use crate::task::{ProcessKey, Thread, ThreadKey};

/// Something that threads sleep on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Channel {
    /// The thread may run again: thawed, continued, or a signal for it.
    Thread(ThreadKey),
    /// A child of this process changed state.
    Children(ProcessKey),
    /// This process exited or was reaped (poll of its handle).
    Process(ProcessKey),
    /// A control file of this group changed: its cgroup.events, pids.events and the like.
    Cgroup(CgroupKey),
    /// Some group has, or may have, room for memory again.
    Memory,
    /// This context ended.
    Context(ContextKey),
    /// A lock of this file was let go.
    Lock(Lockable),
    /// The thread's work is done.
    Processor,
    /// Something came to a socket: bytes, a connection, or the end.
    SocketInput(SocketKey),
    /// A socket has room to send, or never will.
    SocketOutput(SocketKey),
    /// A listener's queue has room, or never will.
    SocketBacklog(SocketKey),
    /// Something came into a pipe, or nothing will.
    PipeInput(PipeKey),
    /// A pipe has room, or nobody reads it.
    PipeOutput(PipeKey),
    /// Events came to a set of watches.
    Watcher(WatcherKey),
    /// The mounts of this namespace are others.
    Mounts(MountNsKey),
    /// Somebody has set this name of the system.
    Name(uts::Which),
    /// An event counter has changed.
    Counter(CounterKey),
    /// Somebody was woken who waits for the word at this place of a file (futex(2)).
    Futex(TmpKey, u64),
}

/// The sleepers and timers of a machine.
#[derive(Clone, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Waits {
    #[cfg_attr(feature = "serde", serde(skip))]
    sleepers: FxHashMap<Channel, Vec<ThreadKey>>,
    #[cfg_attr(feature = "serde", serde(skip))]
    waits: Beside<Thread, (&'static str, Wait)>,
    /// In ascending order: most that are set are later than all others, and the first goes first.
    #[cfg_attr(feature = "serde", serde(skip))]
    timers: VecDeque<(Moment, ThreadKey)>,
    woken: VecDeque<ThreadKey>,
}

impl Waits {
    /// How much there is of each.
    pub(crate) fn take_stock(&self, all: &mut Stock) {
        all.map("channels that somebody waits on", self.sleepers.len());
        all.map("timers", self.timers.len());
        all.map("woken threads", self.woken.len());
    }

    /// Puts a thread that does not sleep to sleep, in a call of this name.
    pub(crate) fn sleep(&mut self, thread: ThreadKey, call: &'static str, wait: Wait) {
        for channel in &wait.on {
            self.sleepers.entry(*channel).or_default().push(thread);
        }
        if let Some(moment) = wait.until {
            let timer = (moment, thread);
            if self.timers.back().is_none_or(|last| *last < timer) {
                self.timers.push_back(timer);
            } else {
                let place = self.timers.partition_point(|other| *other < timer);
                self.timers.insert(place, timer);
            }
        }
        self.waits.insert(thread, (call, wait));
    }

    /// Wakes all that sleep on a channel, in the order in which they went to sleep.
    #[inline]
    pub(crate) fn wake(&mut self, channel: Channel) {
        // Most often nobody sleeps at all.
        if !self.waits.is_empty() {
            self.wake_sleepers(channel);
        }
    }

    fn wake_sleepers(&mut self, channel: Channel) {
        for thread in self.sleepers.remove(&channel).unwrap_or_default() {
            self.wake_thread(thread);
        }
    }

    /// Wakes the first of those that sleep on a channel, at most `most`; whom.
    pub(crate) fn wake_first(&mut self, channel: Channel, most: usize) -> Vec<ThreadKey> {
        let sleepers = self.sleepers.get(&channel);
        let chosen: Vec<ThreadKey> = sleepers.into_iter().flatten().copied().take(most).collect();
        for thread in &chosen {
            self.wake_thread(*thread);
        }
        chosen
    }

    /// A thread that begins to stand still waits for no word of shared memory meanwhile: it asks again when it goes on, and
    /// stands behind all others then.
    pub(crate) fn leave_futex(&mut self, thread: ThreadKey) {
        let wait = self.wait_of(thread).map(|(_, wait)| wait);
        if wait.is_some_and(|wait| matches!(wait.on.as_slice(), [Channel::Futex(..)])) {
            self.wake_thread(thread);
        }
    }

    /// Wakes one thread, whatever it sleeps on.
    pub(crate) fn wake_thread(&mut self, thread: ThreadKey) {
        if self.forget(thread) {
            self.woken.push_back(thread);
        }
    }

    /// Takes a thread off all channels and timers; whether it slept.
    #[inline]
    pub(crate) fn forget(&mut self, thread: ThreadKey) -> bool {
        !self.waits.is_empty() && self.take_off(thread)
    }

    fn take_off(&mut self, thread: ThreadKey) -> bool {
        let Some((_, wait)) = self.waits.remove(thread) else { return false };
        self.leave_channels(thread, &wait);
        if let Some(moment) = wait.until
            && let Ok(place) = self.timers.binary_search(&(moment, thread))
        {
            self.timers.remove(place);
        }
        true
    }

    fn leave_channels(&mut self, thread: ThreadKey, wait: &Wait) {
        for channel in &wait.on {
            if let Some(sleepers) = self.sleepers.get_mut(channel) {
                sleepers.retain(|sleeper| *sleeper != thread);
                if sleepers.is_empty() {
                    self.sleepers.remove(channel);
                }
            }
        }
    }

    /// In which call a thread sleeps, and on what.
    #[inline]
    pub(crate) fn wait_of(&self, thread: ThreadKey) -> Option<&(&'static str, Wait)> {
        if self.waits.is_empty() { None } else { self.waits.get(thread) }
    }

    /// Puts a thread that does not sleep among those that may go on: it is to begin a program.
    pub(crate) fn make_runnable(&mut self, thread: ThreadKey) {
        self.forget(thread);
        self.woken.push_back(thread);
    }

    /// Takes a thread that ended before it went on from among those that may.
    pub(crate) fn unmake_runnable(&mut self, thread: ThreadKey) {
        self.woken.retain(|woken| *woken != thread);
    }

    /// Whether a thread was woken and has not gone on yet.
    pub(crate) fn is_woken(&self, thread: ThreadKey) -> bool {
        self.woken.contains(&thread)
    }

    /// Whether any thread was woken and has not gone on yet.
    pub(crate) fn any_woken(&self) -> bool {
        !self.woken.is_empty()
    }

    /// The threads that were woken and have not gone on yet, in that order.
    pub(crate) fn woken(&self) -> impl Iterator<Item = ThreadKey> {
        self.woken.iter().copied()
    }

    /// Keeps those of the woken that may go on.
    pub(crate) fn keep_woken(&mut self, mut may: impl FnMut(ThreadKey) -> bool) {
        self.woken.retain(|thread| may(*thread));
    }

    /// The next woken thread that `wanted` says yes to.
    pub(crate) fn next_woken(
        &mut self,
        mut wanted: impl FnMut(ThreadKey) -> bool,
    ) -> Option<ThreadKey> {
        // Most often it is the first.
        if wanted(*self.woken.front()?) {
            return self.woken.pop_front();
        }
        let position = self.woken.iter().skip(1).position(|thread| wanted(*thread))?;
        self.woken.remove(position + 1)
    }

    /// When the next timer is due.
    pub(crate) fn next_timer(&self) -> Option<Moment> {
        self.timers.front().map(|(moment, _)| *moment)
    }

    /// Wakes every thread whose timer is due.
    pub(crate) fn expire(&mut self, now: Moment) {
        while let Some((moment, thread)) = self.timers.front().copied()
            && moment <= now
        {
            self.timers.pop_front();
            if let Some((_, wait)) = self.waits.remove(thread) {
                self.leave_channels(thread, &wait);
                self.woken.push_back(thread);
            }
        }
    }
}
