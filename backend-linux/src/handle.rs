//! Descriptors of this process as handles, and back.
//!
//! All direct views of a process share its descriptor table, so they share one [`Scope`]; an agent's
//! handles have another. Maps are no descriptors: their numbers have [`MAP_BIT`], which no descriptor
//! has, and stand in the table of `channels::map`.

#![expect(unsafe_code, reason = "a handle's number becomes a descriptor again")]

use std::os::fd::{BorrowedFd, FromRawFd as _, IntoRawFd as _, OwnedFd};
use std::sync::Arc;

use standin::Errno;
use standin::failure::Result;
use standin::handle::{Descriptor, Owner, Scope};

use crate::channels::map;
use crate::raw::refused;

/// The table of this process. The top bit keeps it apart from the scopes that other backends draw.
pub(crate) const HERE: Scope = Scope(1 << 63);

/// What tells a map's number from a descriptor.
pub(crate) const MAP_BIT: u32 = 1 << 31;

/// The lowest number that a handle may close: below are the standard streams.
pub(crate) const FIRST_CLOSED: u32 = 3;

/// Closes when a handle is dropped.
pub(crate) struct Closing;

impl Owner for Closing {
    fn release(&self, number: u32) {
        close(number);
    }
}

/// Leaves open when a handle is dropped: an agent's handles live as long as its client says, and
/// standard streams as long as the process.
pub(crate) struct Keeping;

impl Owner for Keeping {
    fn release(&self, _number: u32) {}
}

/// Ends what a handle of this process stands for.
pub(crate) fn close(number: u32) {
    if number & MAP_BIT != 0 {
        map::unmap(number);
    } else if let Ok(number) = i32::try_from(number) {
        // SAFETY: the handle owned the descriptor, and it is gone: nobody else closes or uses it.
        drop(unsafe { OwnedFd::from_raw_fd(number) });
    }
}

/// Makes a handle of an open descriptor.
pub(crate) fn give<H: From<Descriptor>>(owner: &Arc<dyn Owner>, fd: OwnedFd) -> H {
    Descriptor::new(Arc::clone(owner), HERE, fd.into_raw_fd().cast_unsigned()).into()
}

/// A handle on a descriptor that was there before: the standard streams, or one named by the parent.
pub(crate) fn inherited(owner: Arc<dyn Owner>, number: u32) -> Result<Descriptor> {
    let owner = if number < FIRST_CLOSED { Arc::new(Keeping) } else { owner };
    let handle = Descriptor::new(Arc::new(Keeping), HERE, number);
    rustix::io::fcntl_getfd(fd(&handle)?).map_err(refused)?;
    Ok(Descriptor::new(owner, HERE, number))
}

/// The descriptor of a handle that a view of this process gave out.
///
/// For event loops: the handle stays the owner, and must not be closed, nor its offset or flags be
/// changed, but through the backend.
///
/// # Errors
/// EBADF for the handle of another backend or of an agent, and for a map.
pub fn as_fd<H: AsRef<Descriptor> + ?Sized>(handle: &H) -> Result<BorrowedFd<'_>> {
    fd(handle.as_ref())
}

/// The descriptor under a handle.
pub(crate) fn fd(handle: &Descriptor) -> Result<BorrowedFd<'_>> {
    let number = handle.number_in(HERE)?;
    let number = i32::try_from(number).map_err(|_| Errno::EBADF)?;
    // SAFETY: the handle keeps the descriptor open for as long as it is borrowed; it is not -1.
    Ok(unsafe { BorrowedFd::borrow_raw(number) })
}
