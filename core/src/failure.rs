//! Why a call did not do what was asked.
//!
//! Only [`Failure::Errno`] is an answer of a kernel. The others say that no kernel was reached, or that there is nobody
//! left to answer to; a library must hand them on as they are, so that fall-back code never takes them for a refusal.

use std::fmt;
use std::io;

use crate::errno::Errno;

/// What every call of a backend returns.
pub type Result<T, E = Failure> = std::result::Result<T, E>;

/// Why a call failed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure {
    /// The kernel refused.
    Errno(Errno),
    /// The simulated kernel does not know how Linux would answer. The machine counts it, and its test fails.
    NotModelled(&'static str),
    /// This view cannot do it, whatever the kernel would say: what, and what can.
    Unsupported(&'static str),
    /// The caller waits for something that can never happen: the picture says who waits for what.
    Deadlock(Box<str>),
    /// The calling process is dead. Nothing was changed.
    CallerDied,
    /// A bound that the machine was built with was reached: the run ends here, the kernel was not asked.
    LimitReached(&'static str),
}

impl Failure {
    /// The kernel's error number, if a kernel answered.
    ///
    /// ```
    /// use standin::{Errno, Failure};
    /// assert_eq!(Failure::from(Errno::EBUSY).errno(), Some(Errno::EBUSY));
    /// assert_eq!(Failure::CallerDied.errno(), None);
    /// ```
    #[must_use]
    pub const fn errno(&self) -> Option<Errno> {
        match self {
            Self::Errno(errno) => Some(*errno),
            Self::NotModelled(_)
            | Self::Unsupported(_)
            | Self::Deadlock(_)
            | Self::CallerDied
            | Self::LimitReached(_) => None,
        }
    }

    /// Whether the kernel refused with this number.
    #[must_use]
    pub fn is(&self, errno: Errno) -> bool {
        self.errno() == Some(errno)
    }
}

impl From<Errno> for Failure {
    fn from(errno: Errno) -> Self {
        Self::Errno(errno)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Errno(errno) => write!(out, "{errno}"),
            Self::NotModelled(what) => write!(out, "not modelled: {what}"),
            Self::Unsupported(what) => write!(out, "unsupported here: {what}"),
            Self::Deadlock(picture) => {
                write!(out, "deadlock: nothing can ever end this wait\n{picture}")
            }
            Self::CallerDied => out.write_str("the calling process is dead"),
            Self::LimitReached(what) => write!(out, "limit of the machine reached: {what}"),
        }
    }
}

impl std::error::Error for Failure {}

impl From<Failure> for io::Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Errno(errno) => errno.into(),
            Failure::NotModelled(_) | Failure::Unsupported(_) => {
                Self::new(io::ErrorKind::Unsupported, failure)
            }
            Failure::Deadlock(_) | Failure::CallerDied | Failure::LimitReached(_) => {
                Self::other(failure)
            }
        }
    }
}
