//! An actor at work, in its own process or thread: it takes a request, carries it out, answers, and takes the next.
//!
//! Nothing here chooses or prints. When the line ends the runner is gone, and so is every actor that is not held
//! somewhere; those the watcher ends.

#![expect(unsafe_code, reason = "lines stand at known numbers; clone(2)")]

use std::os::fd::{BorrowedFd, FromRawFd as _, OwnedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};

use standin::backend::{Files as _, Processes as _};
use standin::handle::{Dir, PidHandle};
use standin::path::Place;
use standin::signal::Signal;
use standin::transcript::{
    Actor, ActorId, ForkOptions, Op, Outcome, ProcessOp, Request, Task, perform,
};
use standin::{Errno, Failure};

use super::channel::{self, Answer, Gone};
use super::debut::line_of;
use super::{slot, thread};
use crate::handle::fd;
use crate::processes::child::leave;
use crate::processes::clone::{Birth, Copy, clone};
use crate::processes::identity;
use crate::view::Linux;

/// An actor, as its own process knows it.
#[derive(Debug)]
pub(super) struct Player {
    id: ActorId,
    view: Linux,
    kept: Actor,
    /// It is not the first thread of its process, so that it may end alone.
    is_thread: bool,
}

/// What a request came to.
enum Done {
    Answer(Answer),
    /// This is the child that was made: it has nobody to answer.
    Reborn,
    /// This thread ends.
    End,
}

impl Player {
    pub(super) const fn new(id: ActorId, view: Linux, kept: Actor) -> Self {
        Self { id, view, kept, is_thread: false }
    }

    /// A thread of the same process.
    pub(super) fn beside(&self, id: ActorId) -> Self {
        Self { id, view: self.view.clone(), kept: self.kept.clone(), is_thread: true }
    }

    /// Works until the runner is gone, which ends the process, or until the thread is told to end.
    pub(super) fn play(mut self) {
        loop {
            let done = match self.next() {
                Ok(done) => done,
                Err(Gone) => leave(0),
            };
            // A change of ids hides a process's own files from itself; actors stay visible (spec, Processes).
            let _ = identity::stay_visible();
            match done {
                Done::Answer(answer) => {
                    if channel::answer(self.line(), &answer).is_err() {
                        leave(0);
                    }
                }
                Done::Reborn => {}
                Done::End => return,
            }
        }
    }

    const fn line(&self) -> BorrowedFd<'static> {
        let number = line_of(self.id);
        // SAFETY: all lines were put in their places before there was an actor, and nothing closes them.
        unsafe { BorrowedFd::borrow_raw(number) }
    }

    fn next(&mut self) -> Result<Done, Gone> {
        let call = channel::receive(self.line())?;
        let target = call.brings_handle.then(|| slot::take(&self.view, self.line())).transpose()?;
        let outcome = match call.request {
            Request::Perform(task) if self.is_thread && is_exit(&task) => return Ok(Done::End),
            Request::Perform(task) => match target.as_ref().map(slot::Target::handle) {
                Some(None) => Errno::EMFILE.into(),
                handle => self.perform(&task, handle.flatten()),
            },
            Request::Fork { child, options } => match self.fork(child, &options) {
                Ok(done) => return Ok(done),
                Err(failure) => failure.into(),
            },
            Request::Thread { thread } => match thread::start(self.beside(thread)) {
                Ok(tid) => return Ok(Done::Answer(Answer::Thread(tid))),
                Err(errno) => errno.into(),
            },
        };
        Ok(Done::Answer(Answer::Outcome(outcome)))
    }

    fn perform(&self, task: &Task, target: Option<&PidHandle>) -> Outcome {
        let done = catch_unwind(AssertUnwindSafe(|| perform(&self.view, &self.kept, task, target)));
        done.unwrap_or_else(|_| Outcome::Broken(format!("an actor panicked in `{}`", task.op)))
    }

    /// Makes a child of this process, which goes on here as the next actor.
    fn fork(&mut self, child: ActorId, options: &ForkOptions) -> Result<Done, Failure> {
        has_two_numbers()?;
        let into: Option<Dir> =
            options.into.as_ref().map(|path| self.view.open_dir(Place::cwd(path))).transpose()?;
        let cgroup = into.as_ref().map(|into| fd(into.descriptor())).transpose()?;
        let kinds = options.new.iter().flat_map(|kinds| &kinds.0);
        let birth = Birth {
            namespaces: kinds
                .fold(0, |all, kind| all | standin::backend::NamespaceKinds::from(*kind).bits()),
            cgroup: cgroup.map(|cgroup| std::os::fd::AsRawFd::as_raw_fd(&cgroup)),
            sibling: false,
            clear_handlers: false,
        };
        // SAFETY: the other threads of this process, if it has any, are actors that wait for requests or in the kernel:
        // they hold no lock. The child has a copy of all memory, and goes on as its one thread.
        match unsafe { clone(birth, true)? } {
            Copy::Child => {
                self.id = child;
                self.is_thread = false;
                self.forget_deliveries();
                Ok(Done::Reborn)
            }
            Copy::Caller { pidfd, .. } => {
                let pidfd = pidfd.ok_or(Failure::Errno(Errno::EBADF))?;
                // SAFETY: the kernel has just made it for us.
                Ok(Done::Answer(Answer::Child(unsafe { OwnedFd::from_raw_fd(pidfd) })))
            }
        }
    }

    /// A child has counted no signal yet.
    fn forget_deliveries(&self) {
        for signal in (1..=64).filter_map(Signal::new) {
            let _ = self.view.take_deliveries(signal);
        }
    }
}

const fn is_exit(task: &Task) -> bool {
    matches!(task.op, Op::Processes(ProcessOp::Exit { .. }))
}

/// fork asks for two free numbers (spec, Descriptors).
fn has_two_numbers() -> Result<(), Failure> {
    rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).map(drop).map_err(crate::raw::refused)
}
