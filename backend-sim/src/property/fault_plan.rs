//! What goes wrong in a case, from four bytes a fault: what, in which call, how, and in the how-manieth.

use std::time::Duration;

use standin::Errno;

use super::case::FAULT_BYTES;
use crate::schedule::Fault;

/// Calls that managers make, and what a kernel may answer to each that is no fault of the caller's.
const CALLS: [(&str, [Errno; 3]); 8] = [
    ("mkdir", [Errno::ENOMEM, Errno::ENOSPC, Errno::EAGAIN]),
    ("open", [Errno::ENOMEM, Errno::EMFILE, Errno::ENFILE]),
    ("write", [Errno::ENOMEM, Errno::EBUSY, Errno::EINTR]),
    ("read", [Errno::ENOMEM, Errno::EINTR, Errno::EIO]),
    ("rmdir", [Errno::EBUSY, Errno::ENOMEM, Errno::EBUSY]),
    ("list", [Errno::ENOMEM, Errno::ENOMEM, Errno::EIO]),
    ("spawn", [Errno::EAGAIN, Errno::ENOMEM, Errno::EAGAIN]),
    ("signal", [Errno::ESRCH, Errno::EPERM, Errno::ESRCH]),
];

/// Faults are in the first so many calls.
const AMONG: u8 = 16;

/// The fault that bytes mean: none for a first byte of 0.
pub(super) fn fault([what, call, how, nth]: [u8; FAULT_BYTES]) -> Option<Fault> {
    let (name, errnos) = CALLS.get(usize::from(call) % CALLS.len())?;
    let fault = match what.checked_sub(1)? % 3 {
        0 => Fault::fails(name, *errnos.get(usize::from(how) % errnos.len())?),
        1 => Fault::waits(name, Duration::from_millis(u64::from(how) + 1)),
        _ => Fault::dies(),
    };
    Some(fault.nth(u64::from(nth % AMONG) + 1))
}

/// By chance: three in four are none.
pub(super) fn random(number: u64) -> [u8; FAULT_BYTES] {
    if !(number >> 62).is_multiple_of(4) {
        return [0; FAULT_BYTES];
    }
    super::case::padded(&number.to_le_bytes())
}
