//! Waiting for descriptors until a deadline (ppoll(2)), and the clocks.

use standin::backend::{AccessMode, Deadline, PollEvents};
use standin::id::Moment;
use standin::{Errno, Failure};

use super::operation::operation;
use crate::cgroup::{filesystem, pressure};
use crate::door::Operation;
use crate::fs::{FileKey, Node, OpenKind, descriptors, proc};
use crate::kernel::Kernel;
use crate::namespace::time::{self, OffsetClock};
use crate::step::{Step, Wait};
use crate::task::{ThreadKey, handle};
use crate::trace::{Parts, Show as _};
use crate::wait::Channel;
use crate::{counter, notify, pipe, socket};

/// What is always told, asked for or not (poll(2)).
const ALWAYS: PollEvents = PollEvents::ERROR.union(PollEvents::HANG_UP).union(PollEvents::INVALID);

/// A descriptor and what to wait for; `None` is a handle of another process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct InterestArg {
    pub(crate) number: Option<u32>,
    pub(crate) events: PollEvents,
}

/// ppoll(2)
pub(crate) struct Poll {
    pub(crate) interests: Vec<InterestArg>,
    pub(crate) deadline: Deadline,
}

impl Operation for Poll {
    type Answer = Vec<PollEvents>;
    const NAME: &'static str = "poll";

    fn show(&self, parts: &mut Parts) {
        self.interests.add("interests", parts);
        self.deadline.add("deadline", parts);
    }

    fn handle(&mut self, kernel: &mut Kernel, caller: ThreadKey) -> Step<Vec<PollEvents>> {
        let mut on = Vec::new();
        let mut ready = false;
        let mut answer = Vec::with_capacity(self.interests.len());
        for interest in &self.interests {
            modelled(kernel, caller, interest.number)?;
            let (events, channels) = look(kernel, caller, interest.number);
            let events = events & (interest.events | ALWAYS);
            ready |= !events.is_empty();
            on.extend(channels.into_iter().flatten());
            answer.push(events);
        }
        let until = match self.deadline {
            _ if ready => {
                self.tell_news(kernel, caller);
                return Ok(answer);
            }
            Deadline::Now => return Ok(answer),
            Deadline::At(moment) => {
                let moment = time::meant(kernel, caller, moment);
                if moment <= kernel.clock.monotonic() {
                    return Ok(answer);
                }
                Some(moment)
            }
            Deadline::Never => None,
        };
        let numbers = self.interests.iter().filter_map(|interest| interest.number);
        let next = numbers.filter_map(|number| next_change(kernel, caller, number)).min();
        let until = [until, next].into_iter().flatten().min();
        Err(Wait { on, until, never_resumed: true, ..Wait::default() }.into())
    }
}

impl Poll {
    /// What was told is no news any more.
    fn tell_news(&self, kernel: &mut Kernel, caller: ThreadKey) {
        for number in self.interests.iter().filter_map(|interest| interest.number) {
            if let Ok(file) = descriptors::get(kernel, caller, number)
                && kernel.vfs.files.at(file).access != AccessMode::Path
            {
                proc::news::told(kernel, file);
            }
        }
    }
}

/// When the readiness of a descriptor changes by itself, if it does.
fn next_change(kernel: &Kernel, caller: ThreadKey, number: u32) -> Option<Moment> {
    let key = descriptors::get(kernel, caller, number).ok()?;
    match kernel.vfs.files.at(key).kind {
        OpenKind::Counter(counter) => counter::next(kernel, counter),
        OpenKind::Node(_)
        | OpenKind::Process(..)
        | OpenKind::Socket(_)
        | OpenKind::Pipe(..)
        | OpenKind::Watcher(_)
        | OpenKind::Namespace(_) => None,
    }
}

/// Whether it is modelled what a file would be ready for.
fn modelled(kernel: &Kernel, caller: ThreadKey, number: Option<u32>) -> Result<(), Failure> {
    let key = number.and_then(|number| descriptors::get(kernel, caller, number).ok());
    let Some(key) = key else { return Ok(()) };
    match kernel.vfs.files.at(key).spot.node {
        Node::Control(..) => filesystem::vet_poll(kernel, key),
        Node::Proc(_) | Node::Tmp(_) | Node::Cgroup(_) => Ok(()),
    }
}

/// What a descriptor is ready for, and what tells when that changes.
fn look(kernel: &Kernel, caller: ThreadKey, number: Option<u32>) -> (PollEvents, Channels) {
    let key =
        number.ok_or(Errno::EBADF).and_then(|number| descriptors::get(kernel, caller, number));
    match key {
        Ok(key) if kernel.vfs.files.at(key).access != AccessMode::Path => events(kernel, key),
        Ok(_) | Err(_) => (PollEvents::INVALID, NONE),
    }
}

/// What tells that the readiness of something changes.
type Channels = [Option<Channel>; 3];

const NONE: Channels = [None; 3];

fn events(kernel: &Kernel, key: FileKey) -> (PollEvents, Channels) {
    // What cannot wait for anything is always ready (poll(2), BUGS of select(2)).
    const FILE: PollEvents = PollEvents::INPUT.union(PollEvents::OUTPUT);
    const NEWS: PollEvents = FILE.union(PollEvents::PRIORITY).union(PollEvents::ERROR);
    let file = kernel.vfs.files.at(key);
    match &file.kind {
        OpenKind::Process(process, _) => {
            (handle::poll(kernel, *process), [Some(Channel::Process(*process)), None, None])
        }
        OpenKind::Socket(socket) => socket::poll(kernel, *socket),
        OpenKind::Pipe(pipe, end) => {
            let (ready, channel) = pipe::poll(kernel, *pipe, *end);
            (ready, [Some(channel), None, None])
        }
        OpenKind::Counter(counter) => {
            let (ready, channel) = counter::poll(kernel, *counter);
            (ready, [Some(channel), None, None])
        }
        OpenKind::Watcher(watcher) => {
            (notify::poll(kernel, *watcher), [Some(Channel::Watcher(*watcher)), None, None])
        }
        OpenKind::Namespace(_) => (FILE, NONE),
        OpenKind::Node(served) => match file.spot.node {
            Node::Control(group, _) => {
                let news = filesystem::has_news(kernel, key, served.seen);
                (if news { NEWS } else { FILE }, [Some(Channel::Cgroup(group)), None, None])
            }
            // Nothing happens that would fire a trigger; without one there is always news.
            Node::Proc(node) if proc::tells_pressure(node) && !pressure::is_armed(kernel, key) => {
                (NEWS, NONE)
            }
            Node::Proc(node) => match proc::news::poll(kernel, (key, node), served.seen) {
                Some((ready, channel)) => (ready, [Some(channel), None, None]),
                None => (proc::news::poll_ended(kernel, key).unwrap_or(FILE), NONE),
            },
            Node::Tmp(_) | Node::Cgroup(_) => (FILE, NONE),
        },
    }
}

operation! {
    /// `CLOCK_MONOTONIC`
    Monotonic { clock: OffsetClock } = "monotonic" -> Moment: |op, kernel, caller| {
        Ok(time::shown(kernel, caller, op.clock, kernel.clock.monotonic()))
    };

    /// `CLOCK_REALTIME`
    Realtime {} = "realtime" -> Moment: |_op, kernel, _caller| Ok(kernel.clock.realtime());
}
