//! Waiting until somebody says that a word of shared memory has changed (futex(2)).
//!
//! A futex is a place in a file, whoever mapped it where. Who waits stands in the machine's lists of sleepers, so one that
//! dies, is stopped or gets a signal is off the list at once, as on Linux. Who was woken is told so by a mark, because the
//! word may still be what it was.

use standin::Errno;
use standin::backend::Deadline;
use standin::id::Bytes;

use super::memory::{touch, word, word_at};
use crate::door::Operation;
use crate::fs::TmpKey;
use crate::kernel::Kernel;
use crate::namespace::time;
use crate::step::{Step, Wait};
use crate::task::{Caught, ThreadKey};
use crate::trace::{Parts, Show as _};
use crate::wait::Channel;

/// futex(2), `FUTEX_WAIT`, with a deadline on the monotonic clock.
///
/// # Errors
/// EBADF, EFAULT, EINVAL (not aligned), EAGAIN (the word is not what was expected), ETIMEDOUT, EINTR: with a deadline even
/// by a handler that was set with `SA_RESTART`.
pub(crate) struct FutexWait {
    pub(crate) map: u32,
    pub(crate) offset: Bytes,
    pub(crate) expected: u32,
    pub(crate) deadline: Deadline,
    /// It has slept: now the deadline counts before the word.
    pub(crate) slept: bool,
}

impl Operation for FutexWait {
    type Answer = ();
    const NAME: &'static str = "futex_wait";

    fn show(&self, parts: &mut Parts) {
        self.map.add("map", parts);
        self.offset.add("offset", parts);
        self.expected.add("expected", parts);
        self.deadline.add("deadline", parts);
    }

    /// Being woken and the deadline count before a signal, a signal before the word: it may have changed, and whoever
    /// changed it may have woken nobody.
    fn gives_up(&self, kernel: &Kernel, caller: ThreadKey, caught: Caught) -> bool {
        !kernel.tasks.threads.at(caller).futex_woken
            && !self.is_over(kernel, caller)
            && caught.ends(&Wait { never_resumed: self.is_timed(), ..Wait::default() })
    }

    fn handle(&mut self, kernel: &mut Kernel, caller: ThreadKey) -> Step<()> {
        if std::mem::take(&mut kernel.tasks.threads.at_mut(caller).futex_woken) {
            return Ok(());
        }
        if self.slept && self.is_over(kernel, caller) {
            return Err(Errno::ETIMEDOUT.into());
        }
        let (node, place) = futex(kernel, caller, self.map, self.offset)?;
        if word_at(kernel, node, place) != self.expected {
            return Err(Errno::EAGAIN.into());
        }
        if self.is_over(kernel, caller) {
            return Err(Errno::ETIMEDOUT.into());
        }
        let until = match self.deadline {
            Deadline::At(moment) => Some(time::meant(kernel, caller, moment)),
            Deadline::Now | Deadline::Never => None,
        };
        self.slept = true;
        let wait = Wait::on(Channel::Futex(node, place));
        Err(Wait { until, never_resumed: self.is_timed(), ..wait }.into())
    }
}

impl FutexWait {
    fn is_timed(&self) -> bool {
        self.deadline != Deadline::Never
    }

    fn is_over(&self, kernel: &Kernel, caller: ThreadKey) -> bool {
        match self.deadline {
            Deadline::Now => true,
            Deadline::At(moment) => time::meant(kernel, caller, moment) <= kernel.clock.monotonic(),
            Deadline::Never => false,
        }
    }
}

/// futex(2), `FUTEX_WAKE`: wakes those who have waited longest; how many. Asked for none, the kernel wakes one.
///
/// # Errors
/// EBADF, EFAULT, EINVAL (not aligned).
pub(crate) fn wake(
    kernel: &mut Kernel,
    caller: ThreadKey,
    map: u32,
    offset: Bytes,
    count: u32,
) -> Step<u32> {
    let (node, place) = futex(kernel, caller, map, offset)?;
    let most = usize::try_from(count.max(1)).unwrap_or(usize::MAX);
    let woken = kernel.waits.wake_first(Channel::Futex(node, place), most);
    for thread in &woken {
        kernel.tasks.threads.at_mut(*thread).futex_woken = true;
    }
    Ok(u32::try_from(woken.len()).unwrap_or(u32::MAX))
}

/// The file and the place in it that a word stands for. EFAULT if the file does not reach so far.
fn futex(
    kernel: &mut Kernel,
    caller: ThreadKey,
    map: u32,
    offset: Bytes,
) -> Result<(TmpKey, u64), Errno> {
    let (mapping, place) = word(kernel, caller, map, offset)?;
    touch(kernel, caller, mapping, place).map(|node| (node, place)).ok_or(Errno::EFAULT)
}
