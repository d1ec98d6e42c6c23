//! The commands, by whichever way the kernel has.

use super::emulated::Emulated;
use super::error::Cause;
use super::{
    Command, ContextId, End, Error, Exit, Flags, Membership, MigrateFlags, Refusal, Subject, Target,
};
use crate::backend::{self, Backend};
use crate::failure::Failure;
use crate::id::Pid;
use crate::path::KPath;
use crate::signal::Signal;

/// A process's way to contexts: the kernel's own commands where it has them, else [`emulated`](super::emulated).
pub struct Contexts<'a> {
    kernel: &'a dyn Backend,
    groups: &'a KPath,
}

type Result<T> = std::result::Result<T, Error>;

/// What the kernel's own command answered.
fn native<T>(answer: std::result::Result<T, Failure>) -> std::result::Result<T, Cause> {
    answer.map_err(|failure| match failure.errno().and_then(Refusal::from_errno) {
        Some(refusal) => refusal.into(),
        None => Cause::Failed("ask the kernel", failure),
    })
}

impl<'a> Contexts<'a> {
    /// The contexts of this kernel. Where it has no commands for them, they are kept below `groups`: a cgroup2 directory
    /// that exists, belongs to the host's root, and is used for nothing else.
    pub const fn new(kernel: &'a dyn Backend, groups: &'a KPath) -> Self {
        Self { kernel, groups }
    }

    /// Whether the kernel has commands for contexts.
    #[must_use]
    pub fn is_native(&self) -> bool {
        self.kernel.contexts().is_some()
    }

    /// Makes a context and moves the caller into it: the calling task, emulated its whole process. There is no way back
    /// to the host, so fork first. [`Flags::NEW`] is what most callers want.
    ///
    /// # Errors
    /// [`Refusal::UnderConstruction`] and [`Refusal::Exists`]: the id is taken. [`Refusal::Sealed`]: `INFO_PRIVATE`
    /// without `STATE_SETUP`. [`Refusal::NotPermitted`]. `Unsupported`: a flag that is not emulated; nothing was made.
    pub fn create(&self, id: ContextId, flags: Flags) -> Result<()> {
        self.run(
            Command::Create,
            Subject::Context(id),
            |commands| native(commands.create(id.xid(), flags)),
            |emulated| emulated.create(id, flags),
        )
    }

    /// Moves the caller into a context, for good: the calling task, emulated its whole process.
    ///
    /// # Errors
    /// [`Refusal::NotFound`]. [`Refusal::Sealed`]: it is private, or not the host's to administer any more.
    /// [`Refusal::NotPermitted`]: also for who is in a context.
    pub fn migrate(&self, id: ContextId, flags: MigrateFlags) -> Result<()> {
        self.run(
            Command::Migrate,
            Subject::Context(id),
            |commands| native(commands.migrate(id.xid(), flags)),
            |emulated| emulated.migrate(id, flags),
        )
    }

    /// Which context a task is in; `None` is the caller. Emulated, the number is that of a process, and who was moved
    /// below `groups` by other means counts as moved.
    ///
    /// # Errors
    /// [`Refusal::NotFound`]: nobody has the number. [`Refusal::NotPermitted`]: to ask for another inside a context.
    pub fn membership(&self, task: Option<Pid>) -> Result<Membership> {
        let told = |commands: &dyn backend::Contexts| {
            let xid = native(commands.task_xid(task))?;
            Membership::from_xid(xid).map_err(|_| {
                Cause::Failed(
                    "a context's id is at most 65535",
                    Failure::NotModelled("another numbering of contexts"),
                )
            })
        };
        self.run(Command::Membership, Subject::Task(task), told, |emulated| {
            emulated.membership(task)
        })
    }

    /// Signals processes of a context; `None` probes.
    ///
    /// # Errors
    /// [`Refusal::NotFound`]: no context, or nobody in it who is meant. [`Refusal::Sealed`]: it is not the host's to
    /// administer any more, and more is wanted than its first process. [`Refusal::NotPermitted`].
    pub fn kill(&self, id: ContextId, target: Target, signal: Option<Signal>) -> Result<()> {
        let ask = |commands: &dyn backend::Contexts| {
            let number = target.number().ok_or(Refusal::NotFound)?;
            native(commands.kill(id.xid(), number, signal))
        };
        self.run(Command::Kill, Subject::Context(id), ask, |emulated| {
            emulated.kill(id, target, signal)
        })
    }

    /// Waits until a context has ended. Who is inside waits for ever.
    ///
    /// # Errors
    /// [`Refusal::NotFound`]: also for one that has ended. [`Refusal::Interrupted`]. [`Refusal::NotPermitted`].
    pub fn wait(&self, id: ContextId) -> Result<End> {
        let ask = |commands: &dyn backend::Contexts| {
            let told = native(commands.wait_context(id.xid()))?;
            Ok(End {
                exit: Exit::from_packed(told.exit_status),
                reboot_command: Some(told.reboot_command).filter(|command| *command != 0),
            })
        };
        self.run(Command::Wait, Subject::Context(id), ask, |emulated| emulated.wait(id))
    }

    fn run<T>(
        &self,
        command: Command,
        subject: Subject,
        ask: impl FnOnce(&dyn backend::Contexts) -> std::result::Result<T, Cause>,
        emulate: impl FnOnce(&Emulated<'_>) -> std::result::Result<T, Cause>,
    ) -> Result<T> {
        let answer = match self.kernel.contexts() {
            Some(commands) => ask(commands),
            None => emulate(&Emulated::new(self.kernel, self.groups)),
        };
        answer.map_err(|cause| Error::new(command, subject, cause))
    }
}

impl std::fmt::Debug for Contexts<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let way = if self.is_native() { "native" } else { "emulated" };
        write!(out, "Contexts ({way}) at {}", self.groups)
    }
}
