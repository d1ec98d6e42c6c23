//! What an operation came to, before it is printed: plain data that travels from the actor to the runner.
//!
//! An actor knows what its kernel answered; it does not know which process is whose actor. So a process stands in an
//! [`Outcome`] as a number with the [`PidRule`] by which it is printed, and the runner (`run`) makes an
//! [`Answer`](super::Answer) of it. `perform` makes outcomes, `wire` carries them between processes; this module knows
//! no actor and no label.

use crate::errno::Errno;
use crate::failure::Failure;
use crate::id::Pid;

/// What an operation came to.
///
/// ```
/// use standin::transcript::Outcome;
/// use standin::{Errno, Failure};
/// assert_eq!(Outcome::from(Failure::from(Errno::EBUSY)), Outcome::failed(Errno::EBUSY));
/// assert_eq!(Outcome::from(Failure::NotModelled("mount")), Outcome::NotModelled);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was done, and there is nothing to tell: the status `ok`.
    Done,
    /// Something is printed.
    Printed {
        /// As what.
        form: Form,
        /// The bytes, in which processes are not yet named.
        parts: Vec<Part>,
    },
    /// The kernel refused.
    Failed {
        /// Why.
        errno: Errno,
        /// Whether it was the opening that failed, of an operation in which the transfer can fail too.
        opening: bool,
    },
    /// The simulated kernel does not know how Linux would answer.
    NotModelled,
    /// No kernel was reached, so nothing can be printed: what happened instead. The run ends.
    Broken(String),
}

/// What is printed, as which kind of answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A status line.
    Status,
    /// Text, each line behind `| `.
    Text,
    /// One value, behind `| ` as a whole.
    Value,
    /// Text whose lines are the numbers of processes or threads: cgroup.procs, cgroup.threads, tasks.
    Listing,
}

/// A piece of what is printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Bytes as they are.
    Bytes(Vec<u8>),
    /// A process, by the number that the actor sees; 0 is printed as `0`.
    Process(Pid, PidRule),
}

/// How the number of a process is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PidRule {
    /// As `pid` prints: the label in the initial pid namespace, the number in any other.
    Number,
    /// As `ppid` prints: the label in every pid namespace, else `<other>`.
    Label,
}

impl Outcome {
    /// The status `ok`.
    #[must_use]
    pub const fn ok() -> Self {
        Self::Done
    }

    /// A status line.
    #[must_use]
    pub fn status(status: impl Into<String>) -> Self {
        let status = status.into();
        if status == "ok" { Self::Done } else { Self::printed(Form::Status, status) }
    }

    /// Text.
    #[must_use]
    pub fn text(text: impl Into<Vec<u8>>) -> Self {
        Self::printed(Form::Text, text)
    }

    /// One value.
    #[must_use]
    pub fn value(value: impl Into<Vec<u8>>) -> Self {
        Self::printed(Form::Value, value)
    }

    /// The numbers of processes, one a line.
    #[must_use]
    pub fn listing(text: impl Into<Vec<u8>>) -> Self {
        Self::printed(Form::Listing, text)
    }

    /// A status line that is a process.
    #[must_use]
    pub fn process(pid: Pid, rule: PidRule) -> Self {
        Self::Printed { form: Form::Status, parts: vec![Part::Process(pid, rule)] }
    }

    /// The kernel refused.
    #[must_use]
    pub const fn failed(errno: Errno) -> Self {
        Self::Failed { errno, opening: false }
    }

    /// The same failure as one of the opening.
    #[must_use]
    pub fn while_opening(self) -> Self {
        match self {
            Self::Failed { errno, .. } => Self::Failed { errno, opening: true },
            Self::Done | Self::Printed { .. } | Self::NotModelled | Self::Broken(_) => self,
        }
    }

    /// Whether it is the status `ok`.
    #[must_use]
    pub const fn is_ok(&self) -> bool {
        matches!(self, Self::Done)
    }

    fn printed(form: Form, bytes: impl Into<Vec<u8>>) -> Self {
        Self::Printed { form, parts: vec![Part::Bytes(bytes.into())] }
    }
}

impl From<Failure> for Outcome {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Errno(errno) => Self::failed(errno),
            Failure::NotModelled(_) => Self::NotModelled,
            Failure::Unsupported(_)
            | Failure::Deadlock(_)
            | Failure::CallerDied
            | Failure::LimitReached(_) => Self::Broken(failure.to_string()),
        }
    }
}

impl From<Errno> for Outcome {
    fn from(errno: Errno) -> Self {
        Self::failed(errno)
    }
}
