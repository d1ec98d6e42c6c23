//! Signals to what is in a context.

use std::collections::BTreeSet;
use std::time::Duration;

use super::group::Held;
use super::{Emulated, Result, member, to, unless};
use crate::backend::{ContextFlags, Deadline, Interest, OpenOptions, PollEvents};
use crate::context::error::Cause;
use crate::context::{ContextId, Membership, Refusal, Target};
use crate::errno::Errno;
use crate::failure::Failure;
use crate::fs;
use crate::handle::{Dir, PidHandle};
use crate::id::{CgroupId, Pid};
use crate::signal::Signal;

/// How often the members are gone through; in a frozen group the second time finds nobody new.
const PASSES: u32 = 64;
/// How long the group may take to freeze. A task that cannot be interrupted delays it; the signals are sent all the same.
const FREEZING: Duration = Duration::from_secs(1);

impl Emulated<'_> {
    /// Signals processes of a context.
    pub(in crate::context) fn kill(
        &self,
        id: ContextId,
        target: Target,
        signal: Option<Signal>,
    ) -> Result<()> {
        let root = self.enter_as_host()?;
        let held = self.hold(&root, id)?.ok_or(Refusal::NotFound)?;
        let init = self.init(&root, id, &held)?;
        let sealed = !held.record.has(ContextFlags::STATE_ADMIN);
        match target {
            Target::Process(_) if sealed => Err(Refusal::Sealed.into()),
            Target::All | Target::AllButInit if sealed && init.is_some() => {
                Err(Refusal::Sealed.into())
            }
            Target::All if signal == Some(Signal::KILL) => self.kill_all(&held),
            Target::All => self.sweep(&held, None, signal),
            Target::AllButInit => self.sweep(&held, init.map(|(pid, _)| pid), signal),
            Target::Init => {
                let (_, process) = init.ok_or(Refusal::NotFound)?;
                let claim = usize::from(held.record.has(ContextFlags::PERSISTENT));
                // A sealed guest can always be told to shut down.
                let others = sealed && held.group.tasks()? + claim > 1;
                let signal = signal.map(|signal| if others { Signal::INT } else { signal });
                self.send(&process, signal)
            }
            Target::Process(pid) => {
                if target.number().is_none() {
                    return Err(Refusal::NotFound.into());
                }
                let process = member::open(self.kernel, pid)?;
                self.expect_in(&root, id, pid)?;
                self.send(&process, signal)
            }
        }
    }

    /// The context's first process, if it lives.
    fn init(&self, root: &Dir, id: ContextId, held: &Held<'_>) -> Result<Option<(Pid, PidHandle)>> {
        let Some(init) = held.record.init else { return Ok(None) };
        let process = unless(Errno::ESRCH, self.kernel.open_pid(init.pid));
        let Some(process) = to("hold its first process", process)? else { return Ok(None) };
        let info = unless(Errno::ESRCH, self.kernel.inspect(&process));
        let same = to("inspect its first process", info)?
            .is_some_and(|info| info.started_ticks == init.started_ticks);
        let there = same
            && match self.expect_in(root, id, init.pid) {
                Ok(()) => true,
                Err(Cause::Refused(Refusal::NotFound)) => false,
                Err(cause) => return Err(cause),
            };
        Ok(there.then_some((init.pid, process)))
    }

    fn expect_in(&self, root: &Dir, id: ContextId, pid: Pid) -> Result<()> {
        if member::of(self.kernel, root, pid)? == Membership::Context(id) {
            Ok(())
        } else {
            Err(Refusal::NotFound.into())
        }
    }

    fn send(&self, process: &PidHandle, signal: Option<Signal>) -> Result<()> {
        let sent = unless(Errno::ESRCH, self.kernel.signal(process, signal));
        to("signal a process", sent)?.ok_or(Refusal::NotFound.into())
    }

    /// Kills all at once, whoever forks meanwhile.
    fn kill_all(&self, held: &Held<'_>) -> Result<()> {
        if held.group.is_empty()? {
            return Err(Refusal::NotFound.into());
        }
        to("kill its group", held.group.write("cgroup.kill", b"1"))
    }

    /// Signals all but one. The group stands still meanwhile, so that nobody who forks escapes.
    fn sweep(&self, held: &Held<'_>, but: Option<Pid>, signal: Option<Signal>) -> Result<()> {
        if signal.is_none() {
            return self.signal_each(held, but, None);
        }
        to("freeze its group", held.group.write("cgroup.freeze", b"1"))?;
        let swept = self.await_frozen(held).and_then(|()| self.signal_each(held, but, signal));
        let thawed = to("thaw its group", held.group.write("cgroup.freeze", b"0"));
        swept.and(thawed)
    }

    fn await_frozen(&self, held: &Held<'_>) -> Result<()> {
        let events = held.group.open_file("cgroup.events", &OpenOptions::read());
        let events = to("open its cgroup.events", events)?;
        let end = to("ask for the time", self.kernel.monotonic())?.after(FREEZING);
        let mut text = to("read its cgroup.events", fs::read_to_end(self.kernel, &events))?;
        while !text.split(|byte| *byte == b'\n').any(|line| line == b"frozen 1") {
            if to("ask for the time", self.kernel.monotonic())? >= end {
                return Ok(());
            }
            let news = Interest { handle: events.descriptor(), events: PollEvents::PRIORITY };
            to("wait for it to freeze", self.kernel.poll(&[news], Deadline::At(end)))?;
            text = to("read its cgroup.events", super::wait::read_again(self.kernel, &events))?;
        }
        Ok(())
    }

    /// Signals each process but one, until there is none that was not.
    fn signal_each(&self, held: &Held<'_>, but: Option<Pid>, signal: Option<Signal>) -> Result<()> {
        let mut reached = BTreeSet::new();
        for _ in 0..PASSES {
            let before = reached.len();
            let parts = held.group.parts()?;
            let groups: BTreeSet<CgroupId> = parts.iter().map(|part| part.cgroup).collect();
            for pid in parts.into_iter().flat_map(|part| part.processes) {
                if Some(pid) != but
                    && !reached.contains(&pid)
                    && self.signal_one(pid, &groups, signal)?
                {
                    reached.insert(pid);
                }
            }
            if reached.len() == before {
                return if reached.is_empty() { Err(Refusal::NotFound.into()) } else { Ok(()) };
            }
        }
        Err(unsupported("signalling a group that forks faster than it is gone through; kill it"))
    }

    /// Signals the process that a list named, unless it has ended or moved: its number may be another's by now.
    fn signal_one(
        &self,
        pid: Pid,
        groups: &BTreeSet<CgroupId>,
        signal: Option<Signal>,
    ) -> Result<bool> {
        if pid == Pid::ZERO {
            return Err(unsupported(
                "signalling whom the caller's pid namespace does not show; kill it",
            ));
        }
        let sent = member::open(self.kernel, pid).and_then(|process| {
            let there = groups.contains(&member::cgroup_of(self.kernel, &process)?);
            if there { self.send(&process, signal) } else { Err(Refusal::NotFound.into()) }
        });
        match sent {
            Ok(()) => Ok(true),
            Err(Cause::Refused(Refusal::NotFound)) => Ok(false),
            Err(cause) => Err(cause),
        }
    }
}

fn unsupported(what: &'static str) -> Cause {
    Cause::Failed("signal all of its processes", Failure::Unsupported(what))
}
