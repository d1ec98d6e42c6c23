//! Waiting for the end of a context.

use std::collections::BTreeSet;
use std::time::Duration;

use super::group::{self, Group};
use super::record::{Record, State};
use super::{Emulated, Result, to, unless};
use crate::backend::{
    Backend, ContextFlags, Deadline, Interest, OpenOptions, PollEvents, WaitOptions, WaitStatus,
};
use crate::context::{ContextId, End, Exit, Refusal};
use crate::errno::Errno;
use crate::handle::{File, PidHandle};
use crate::id::{Bytes, Pid};

/// The longest pause before a context that may end without anybody in it is looked at again. The kernel tells of members
/// that go, and of no group that is removed.
const LONGEST_PAUSE: Duration = Duration::from_secs(3600);

/// What a waiter is told of a member.
#[derive(PartialEq, Eq)]
enum Told {
    /// It lives.
    Lives,
    /// It has ended.
    Ended(Exit),
    /// Nothing: it is no child of the waiter's.
    Nothing,
}

/// Those in a context whose end the waiter is told: its own children.
#[derive(Default)]
struct Children {
    known: BTreeSet<Pid>,
    live: Vec<PidHandle>,
    last: Option<Exit>,
}

impl Emulated<'_> {
    /// Waits until a context has ended. From the moment that it was found, it is that very one that is waited for.
    pub(in crate::context) fn wait(&self, id: ContextId) -> Result<End> {
        let root = self.enter()?;
        let group = self.hold(&root, id)?.ok_or(Refusal::NotFound)?.group;
        group.unlock()?;
        let events = group.open_file("cgroup.events", &OpenOptions::read());
        let events = to("open its cgroup.events", events)?;
        let mut children = Children::default();
        let mut pause = Duration::from_secs(1);
        loop {
            children.meet(self.kernel, &group)?;
            let text = unless(Errno::ENODEV, read_again(self.kernel, &events));
            let Some(text) = to("read its cgroup.events", text)? else { break };
            let populated = group::populated(&text)?;
            if !populated && self.collect(&group, &mut children)? {
                break;
            }
            let deadline = if populated {
                Deadline::Never
            } else {
                let now = to("ask for the time", self.kernel.monotonic())?;
                let until = now.after(pause);
                pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
                Deadline::At(until)
            };
            children.wait(self.kernel, &events, deadline)?;
        }
        let written = group.record()?.and_then(|record| record.exit);
        let written = written.and_then(|exit| Exit::from_packed(exit.cast_signed()));
        Ok(End { exit: children.last.or(written), reboot_command: None })
    }

    /// Removes a group that nobody lives in, unless its context is to stay; whether it is gone.
    fn collect(&self, group: &Group<'_>, children: &mut Children) -> Result<bool> {
        group.lock()?;
        if !group.is_named()? {
            return Ok(true);
        }
        let record = group.record()?;
        let stays = record.is_none_or(|record| record.has(ContextFlags::PERSISTENT));
        if stays || !group.is_empty()? {
            group.unlock()?;
            return Ok(false);
        }
        children.ask(self.kernel)?;
        let exit = children.last.map(|exit| exit.packed().cast_unsigned());
        let gone =
            group.collect(record.map(|record| Record { state: State::Live, exit, ..record }))?;
        group.unlock()?;
        Ok(gone)
    }
}

impl Children {
    /// Holds those of the caller's children in the group that it does not hold yet.
    fn meet(&mut self, kernel: &dyn Backend, group: &Group<'_>) -> Result<()> {
        for pid in group.parts()?.into_iter().flat_map(|part| part.processes) {
            if !self.known.insert(pid) {
                continue;
            }
            // Nor is one that is not shown a child.
            if pid == Pid::ZERO {
                continue;
            }
            let process = unless(Errno::ESRCH, kernel.open_pid(pid));
            let Some(process) = to("hold a member", process)? else { continue };
            self.note(kernel, process)?;
        }
        Ok(())
    }

    /// Waits for news of the group or of a child, and notes children that have ended.
    fn wait(&mut self, kernel: &dyn Backend, events: &File, deadline: Deadline) -> Result<()> {
        let group = Interest { handle: events.descriptor(), events: PollEvents::PRIORITY };
        let children = self
            .live
            .iter()
            .map(|child| Interest { handle: child.descriptor(), events: PollEvents::INPUT });
        let interests: Vec<Interest<'_>> = [group].into_iter().chain(children).collect();
        to("wait for its end", kernel.poll(&interests, deadline))?;
        self.ask(kernel)
    }

    /// Notes which of the children have ended.
    fn ask(&mut self, kernel: &dyn Backend) -> Result<()> {
        for child in std::mem::take(&mut self.live) {
            self.note(kernel, child)?;
        }
        Ok(())
    }

    fn note(&mut self, kernel: &dyn Backend, process: PidHandle) -> Result<()> {
        match ask(kernel, &process)? {
            Told::Lives => self.live.push(process),
            Told::Ended(exit) => self.last = Some(exit),
            Told::Nothing => {}
        }
        Ok(())
    }
}

/// What the caller is told of a process. A child that has ended is left to be waited for.
fn ask(kernel: &dyn Backend, process: &PidHandle) -> Result<Told> {
    let options = WaitOptions { nonblocking: true, keep: true, ..WaitOptions::default() };
    let status = unless(Errno::ECHILD, kernel.wait(process, options));
    match to("ask for a member's end", status)? {
        None => Ok(Told::Nothing),
        Some(None | Some(WaitStatus::Stopped(_) | WaitStatus::Continued)) => Ok(Told::Lives),
        Some(Some(WaitStatus::Exited(code))) => Ok(Told::Ended(Exit::Code(code))),
        Some(Some(WaitStatus::Killed(signal))) => Ok(Told::Ended(Exit::Signal(signal))),
    }
}

/// Reads a file again from its start, so that the next change of it is news.
pub(super) fn read_again(kernel: &dyn Backend, file: &File) -> crate::failure::Result<Vec<u8>> {
    let mut text = vec![0; 4096];
    let length = kernel.pread(file, &mut text, Bytes(0))?;
    text.truncate(length);
    Ok(text)
}
