//! The real kernel beside the machine: this host, if it lets us, in groups of our own that are removed again.

#![expect(unsafe_code, reason = "fork(2) is unsafe, and no call of a backend")]

use std::process::{Child, Command};

use standin::{Backend, Pid, fs};
use standin_linux::Linux;

use crate::lives::Fate;

/// A host on which the rows can be measured.
pub(crate) struct Host {
    pub(crate) kernel: Linux,
    /// A group of our own.
    pub(crate) group: String,
    /// A process of our own that does nothing, to be moved about.
    idle: Child,
}

impl Host {
    /// Makes the group; `None` if this host has no cgroup2 hierarchy or we may not.
    pub(crate) fn new() -> Option<Self> {
        let kernel = Linux::here();
        let root = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"]
            .into_iter()
            .find(|root| fs::exists(&kernel, format!("{root}/cgroup.controllers")))?;
        let group = format!("{root}/standin-bench-{}", std::process::id());
        fs::create_dir(&kernel, &group).ok()?;
        let idle = Command::new("sleep").arg("3600").spawn().ok()?;
        Some(Self { kernel, group, idle })
    }

    pub(crate) fn idle(&self) -> u32 {
        self.idle.id()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = self.idle.kill();
        let _ = self.idle.wait();
        remove(&self.kernel, &self.group);
    }
}

/// fork(2): a child that does nothing but meet its fate. One that stays ends with this program at the latest.
pub(crate) fn fork(fate: Fate) -> Pid {
    // SAFETY: this program has a single thread, so the child finds nothing half done; it makes system calls alone and never
    // returns.
    let child = unsafe { libc::fork() };
    if child == 0 {
        if matches!(fate, Fate::Stays) {
            // SAFETY: as above; the call has no pointers.
            unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
            // SAFETY: as above.
            unsafe { libc::pause() };
        }
        // SAFETY: as above.
        unsafe { libc::_exit(0) }
    }
    Pid(u32::try_from(child).unwrap())
}

/// Removes a group and all below it; what cannot be removed is named.
fn remove(kernel: &dyn Backend, group: &str) {
    for entry in fs::read_dir(kernel, group).unwrap_or_default() {
        if entry.file_type() == standin::backend::FileKind::Dir {
            remove(kernel, &entry.path().to_string());
        }
    }
    if let Err(error) = fs::remove_dir(kernel, group) {
        println!("left behind: {error}");
    }
}
