//! Whose turn it is: one run at a time on a host, since scripts use the same names.
//!
//! The turn is a lock on the directory of journals. The watcher holds it too, so that the next run begins when the last one,
//! even of a runner that was killed, has been undone.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, Mode, OFlags, flock, open};

use super::refusal::Refusal;

/// How long another run may take.
const PATIENCE: Duration = Duration::from_secs(120);
const STEP: Duration = Duration::from_millis(20);

/// Where journals are.
pub(super) fn directory() -> PathBuf {
    let run = Path::new("/run");
    if run.is_dir() { run.to_path_buf() } else { std::env::temp_dir() }
}

/// Waits for the turn. It is held for as long as the descriptor, or a copy of it, is open.
///
/// # Errors
/// [`Refusal::Host`] if it does not come.
pub(super) fn take() -> Result<OwnedFd, Refusal> {
    let directory = directory();
    let refused = |why: &str| Refusal::Host(format!("{}: {why}", directory.display()));
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let opened =
        open(&directory, flags, Mode::empty()).map_err(|errno| refused(&errno.to_string()))?;
    let until = Instant::now() + PATIENCE;
    loop {
        match flock(&opened, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(opened),
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => {}
            Err(errno) => return Err(refused(&errno.to_string())),
        }
        if Instant::now() > until {
            return Err(refused("another run does not end"));
        }
        std::thread::sleep(STEP);
    }
}
