//! What a frame says of the request that it answers.

use std::fmt;

use crate::errno::Errno;

/// The third word of a frame: 0, or a negative number of PCP's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Status(pub i32);

/// The greatest errno (include/linux/err.h).
const MOST_ERRNO: i32 = 4095;

impl Status {
    /// All is well.
    pub const OK: Self = Self(0);
    /// `PM_ERR_NOCONTAINER`: no container has the name.
    pub const NO_CONTAINER: Self = Self(-12399);
    /// The container has no processes.
    pub const NOT_RUNNING: Self = Self::of(Errno::ENOENT);
    /// Several containers may be meant.
    pub const AMBIGUOUS: Self = Self::of(Errno::ENOTUNIQ);

    /// An error of the kernel's.
    #[must_use]
    pub const fn of(errno: Errno) -> Self {
        Self(-errno.raw())
    }

    /// The kernel's error, if it is one: PCP's own numbers lie beyond them.
    ///
    /// ```
    /// use standin::Errno;
    /// use standin::service::wire::Status;
    /// assert_eq!(Status(-13).errno(), Some(Errno::EACCES));
    /// assert_eq!(Status::NO_CONTAINER.errno(), None);
    /// ```
    #[must_use]
    pub fn errno(self) -> Option<Errno> {
        let number = self.0.checked_neg()?;
        (1..=MOST_ERRNO).contains(&number).then(|| Errno::from_raw(number))
    }
}

impl fmt::Display for Status {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (*self, self.errno()) {
            (Self::NO_CONTAINER, _) => out.write_str("PM_ERR_NOCONTAINER"),
            (_, Some(errno)) => write!(out, "{errno}"),
            (Self(number), None) => write!(out, "{number}"),
        }
    }
}
