//! Where an actor puts the handle of the process that an operation is aimed at.
//!
//! A descriptor arrives under the lowest free number, and an actor may have none free, or may count them. So it arrives as
//! number 0, which is /dev/null and used by nobody, and is moved out of the way at once if the actor's limit allows that.

#![expect(unsafe_code, reason = "the standard streams are closed and made again by number")]

use std::os::fd::{AsRawFd as _, BorrowedFd};

use rustix::io::fcntl_dupfd_cloexec;
use standin::handle::PidHandle;

use super::channel::{self, Gone};
use crate::registry::FIRST_OWN;
use crate::view::Linux;

/// The number that is lent.
const LENT: i32 = 0;
/// Another descriptor of the same /dev/null.
const SPARE: i32 = 1;

/// A process, held for one operation.
#[derive(Debug)]
pub(super) struct Target {
    handle: Option<PidHandle>,
    /// It has the lent number, which is given back.
    is_lent: bool,
}

impl Target {
    pub(super) const fn handle(&self) -> Option<&PidHandle> {
        self.handle.as_ref()
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        drop(self.handle.take());
        if self.is_lent {
            give_back();
        }
    }
}

/// Takes the handle that a call brought. There is none if the actor may open nothing at all.
pub(super) fn take(view: &Linux, line: BorrowedFd<'_>) -> Result<Target, Gone> {
    // SAFETY: nothing in this process refers to it.
    unsafe { libc::close(LENT) };
    let taken = channel::take_handle(line);
    if let Ok(Some(handle)) = taken {
        if handle.as_raw_fd() != LENT {
            give_back();
            return Ok(Target { handle: Some(view.give(handle)), is_lent: false });
        }
        return Ok(match fcntl_dupfd_cloexec(&handle, FIRST_OWN) {
            Ok(moved) => {
                drop(handle);
                give_back();
                Target { handle: Some(view.give(moved)), is_lent: false }
            }
            Err(_) => Target { handle: Some(view.give(handle)), is_lent: true },
        });
    }
    give_back();
    taken.map(|_| Target { handle: None, is_lent: false })
}

fn give_back() {
    // SAFETY: numbers alone; if the limit forbids it, the number stays free.
    unsafe { libc::dup2(SPARE, LENT) };
}
