//! Which numbers processes and threads get: one after the other, and from 300 again after the last (pid_namespaces(7)).

use crate::task::{Tasks, ThreadKey};

/// One more than the highest number at most: what 64-bit distributions set /proc/sys/kernel/pid_max to.
pub(crate) const NUMBER_END: u32 = 4_194_304;

/// What /proc/sys/kernel/pid_max cannot be set below.
pub(crate) const LEAST_NUMBER_END: u32 = RESERVED + 1;

/// Numbers below this are given out once: those of the daemons that start with the system.
const RESERVED: u32 = 300;

/// The thread that makes the kernel's own threads. The machine has none of these; nobody else has the number.
pub(crate) const MAKER_OF_KERNEL_THREADS: u32 = 2;

impl Tasks {
    /// The next free number; `None` if all are in use. What becomes of the call, the next one begins behind it.
    pub(crate) fn next_number(&mut self) -> Option<u32> {
        let next = self.last_number + 1;
        // Until the first turn is over, nothing above the last number was ever given out.
        if next < self.number_end && !self.numbers_wrapped {
            self.last_number = next;
            return Some(next);
        }
        self.numbers_wrapped = true;
        let lowest = if next > RESERVED { RESERVED } else { 1 };
        let number = (next..self.number_end)
            .chain(lowest..next.min(self.number_end))
            .find(|number| !self.in_use(*number))?;
        self.last_number = number;
        Some(number)
    }

    /// A number stays in use while a group or session is called by it, though its process is gone.
    fn in_use(&self, number: u32) -> bool {
        self.numbers.contains_key(&number) || self.jobs.is_named(number)
    }

    /// The thread with this number, also a zombie leader.
    pub(crate) fn by_number(&self, number: u32) -> Option<ThreadKey> {
        self.numbers.get(&number).copied()
    }
}
