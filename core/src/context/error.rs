//! What a command was refused, and why.

use std::fmt;
use std::io;

use super::ContextId;
use crate::errno::Errno;
use crate::failure::Failure;
use crate::id::Pid;

/// A context command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Command {
    /// [`Contexts::create`](super::Contexts::create)
    Create,
    /// [`Contexts::migrate`](super::Contexts::migrate)
    Migrate,
    /// [`Contexts::membership`](super::Contexts::membership)
    Membership,
    /// [`Contexts::kill`](super::Contexts::kill)
    Kill,
    /// [`Contexts::wait`](super::Contexts::wait)
    Wait,
}

/// What a command was about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// A context.
    Context(ContextId),
    /// A task by its number; `None` is the caller.
    Task(Option<Pid>),
}

/// Why a command was refused: the same on every kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Refusal {
    /// There is no such context, or nobody in it who is meant, or no such task.
    NotFound,
    /// The id is a context's already.
    Exists,
    /// The id is that of a context under construction.
    UnderConstruction,
    /// The caller lacks a privilege, or is itself inside a context.
    NotPermitted,
    /// The context may not be entered, or not be administered any more.
    Sealed,
    /// A signal interrupted the wait.
    Interrupted,
    /// Somebody holds the context's lock, and does not let it go.
    Busy,
}

/// Each refusal with its errno, and what it says.
const REFUSALS: [(Refusal, Errno, &str); 7] = [
    (Refusal::NotFound, Errno::ESRCH, "no such context, or nobody in it that is meant"),
    (Refusal::Exists, Errno::EEXIST, "the id is in use"),
    (Refusal::UnderConstruction, Errno::EBUSY, "the id is that of a context under construction"),
    (
        Refusal::NotPermitted,
        Errno::EPERM,
        "it takes the host's root: CAP_CONTEXT or the right to write the contexts' directory, CAP_SYS_ADMIN, and to be \
         in no context",
    ),
    (
        Refusal::Sealed,
        Errno::EACCES,
        "the context is private, or not the host's to administer any more",
    ),
    (Refusal::Interrupted, Errno::EINTR, "a signal interrupted the wait"),
    (Refusal::Busy, Errno::EAGAIN, "another process holds the context's lock"),
];

impl Refusal {
    /// The errno of the patched kernel's command.
    #[must_use]
    pub fn errno(self) -> Errno {
        self.row().1
    }

    /// What an errno of the patched kernel's commands stands for. ENOSYS is what it tells those who lack `CAP_CONTEXT`.
    pub(super) fn from_errno(errno: Errno) -> Option<Self> {
        if errno == Errno::ENOSYS {
            return Some(Self::NotPermitted);
        }
        REFUSALS.iter().find(|row| row.1 == errno).map(|row| row.0)
    }

    fn row(self) -> &'static (Self, Errno, &'static str) {
        REFUSALS.iter().find(|row| row.0 == self).expect("each refusal has a row")
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.row().2)
    }
}

/// Why a command did not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    command: Command,
    subject: Subject,
    cause: Cause,
}

/// What stopped a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// A rule of contexts.
    Refused(Refusal),
    /// A call of the backend, and what it was for.
    Failed(&'static str, Failure),
}

impl From<Refusal> for Cause {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl Error {
    pub(super) const fn new(command: Command, subject: Subject, cause: Cause) -> Self {
        Self { command, subject, cause }
    }

    /// Which command.
    #[must_use]
    pub const fn command(&self) -> Command {
        self.command
    }

    /// What it was about.
    #[must_use]
    pub const fn subject(&self) -> Subject {
        self.subject
    }

    /// The rule of contexts that refused it, if it was one.
    #[must_use]
    pub const fn refusal(&self) -> Option<Refusal> {
        match self.cause {
            Cause::Refused(refusal) => Some(refusal),
            Cause::Failed(..) => None,
        }
    }

    /// The backend's failure, if it was no rule of contexts.
    #[must_use]
    pub const fn failure(&self) -> Option<&Failure> {
        match &self.cause {
            Cause::Refused(_) => None,
            Cause::Failed(_, failure) => Some(failure),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let command = match self.command {
            Command::Create => "create",
            Command::Migrate => "migrate to",
            Command::Membership => "find the context of",
            Command::Kill => "kill in",
            Command::Wait => "wait for",
        };
        write!(out, "{command} {}: ", self.subject)?;
        match &self.cause {
            Cause::Refused(refusal) => write!(out, "{} ({refusal})", refusal.errno()),
            Cause::Failed(doing, failure) => write!(out, "{doing}: {failure}"),
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Context(id) => write!(out, "context {id}"),
            Self::Task(Some(pid)) => write!(out, "task {pid}"),
            Self::Task(None) => out.write_str("the caller"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.failure().map(|failure| failure as _)
    }
}

impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        let failure = match &error.cause {
            Cause::Refused(refusal) => refusal.errno().into(),
            Cause::Failed(_, failure) => failure.clone(),
        };
        Self::new(Self::from(failure).kind(), error)
    }
}

#[cfg(test)]
mod tests {
    use super::{Cause, Command, Error, REFUSALS, Refusal, Subject};
    use crate::context::ContextId;
    use crate::errno::Errno;
    use crate::failure::Failure;

    #[test]
    fn every_refusal_and_its_errno_lead_to_each_other() {
        for (refusal, errno, _) in REFUSALS {
            assert_eq!((refusal.errno(), Refusal::from_errno(errno)), (errno, Some(refusal)));
        }
        assert_eq!(Refusal::from_errno(Errno::ENOSYS), Some(Refusal::NotPermitted));
        assert_eq!(Refusal::from_errno(Errno::ENOSPC), None);
    }

    #[test]
    fn an_error_says_what_was_tried_on_what_and_why_not() {
        let subject = Subject::Context(ContextId::MIN);
        let refused = Error::new(Command::Create, subject, Refusal::Exists.into());
        assert_eq!(refused.to_string(), "create context 2: EEXIST (the id is in use)");
        let failure = Failure::Errno(Errno::ENOSPC);
        let failed = Error::new(Command::Create, subject, Cause::Failed("make its group", failure));
        assert_eq!(failed.to_string(), "create context 2: make its group: ENOSPC");
        assert_eq!(failed.refusal(), None);
    }
}
