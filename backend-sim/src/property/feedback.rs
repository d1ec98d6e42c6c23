//! Which counter of a fuzzer stands for an operation that came to an errno.
//!
//! A fuzzer keeps an input that reaches new code. That an operation is refused for a new reason is often the same code, and
//! worth as much: so each pair of operation and errno has a counter of its own.

use standin::Errno;

use super::generate::operation_names;
use super::play::Tally;

/// How many counters there are.
pub const COUNTERS: usize = 128 << ERRNO_BITS;
const ERRNO_BITS: u32 = 8;

/// The counter of an operation, by its word, that came to this errno; none for what is no operation.
///
/// ```
/// use standin::Errno;
/// use standin_sim::property::{COUNTERS, counter};
///
/// let busy = counter("rmdir", Errno::EBUSY).unwrap();
/// assert!(busy < COUNTERS);
/// assert_ne!(Some(busy), counter("rmdir", Errno::ENOENT));
/// assert_ne!(Some(busy), counter("umount", Errno::EBUSY));
/// ```
#[must_use]
pub fn counter(operation: &str, errno: Errno) -> Option<usize> {
    let row = operation_names().position(|name| name == operation)?;
    let number = usize::try_from(errno.raw()).ok()?;
    Some(((row << ERRNO_BITS) | number).min(COUNTERS - 1))
}

impl Tally {
    /// The counters of all that was refused, each with how often.
    pub fn counters(&self) -> impl Iterator<Item = (usize, u64)> {
        let all = self.failed.iter();
        all.filter_map(|((name, errno), count)| Some((counter(name, *errno)?, *count)))
    }
}
