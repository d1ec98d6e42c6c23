//! The watcher: a process that outlives the runner, whatever becomes of it, and undoes the run.
//!
//! It is started before anything else, in a session of its own, and starts the first actor. To the actors it is process 1
//! of the machine: their mount namespace is its own, with an empty /mnt, so that mounts go when the last of them has gone;
//! and orphans are given to it, which it reaps at once (a host's own process 1 may take its time). When the runner's end
//! of the line closes, told so or killed, it undoes what the journal says (`undo`), reports to whoever still listens, and
//! ends.

#![expect(unsafe_code, reason = "signalfd(2) and descriptors that are taken over by number")]

use std::io::Write as _;
use std::os::fd::{AsFd as _, BorrowedFd, FromRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno as Refusal;
use rustix::mount::{MountFlags, MountPropagationFlags, mount, mount_change};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use standin::backend::{NamespaceKinds, Processes as _, WaitOptions};
use standin::failure::Result;
use standin::signal::{Signal, SignalSet};

use super::channel::{give, take_all};
use super::part::{Arguments, start_actor, tenancy_of};
use super::report::Report;
use super::{Tenancy, journal, undo};
use crate::namespaces::unshare;
use crate::processes::child::leave;
use crate::processes::signals::{dispose, set_mask};
use crate::processes::wait::{Whom, wait_for};
use crate::view::Linux;

/// The number of the watcher's end of the line to the runner.
pub(super) const SOCKET: i32 = 3;
/// The number of the run's turn, which is over when this process is.
pub(super) const TURN: i32 = 4;

/// Signals that people and terminals send to groups of processes; it has work to do first.
const UNHEARD: [Signal; 5] = [Signal::INT, Signal::TERM, Signal::HUP, Signal::QUIT, Signal::PIPE];

/// The whole life of a process that was started as a watcher: its arguments are the journal and the run's mark.
pub(super) fn run(arguments: &Arguments) -> ! {
    // SAFETY: the runner that started this process left it there for it; nothing else in this process has it.
    let socket = unsafe { OwnedFd::from_raw_fd(SOCKET) };
    let (path, mark, tenancy) = match arguments.as_slice() {
        [path, mark] => (path, mark, Some(Tenancy::Shared)),
        [path, mark, word] => (path, mark, tenancy_of(word)),
        _ => leave(127),
    };
    let Some(tenancy) = tenancy else { leave(127) };
    let path = Path::new(std::ffi::OsStr::from_bytes(path));
    let mark = String::from_utf8_lossy(mark);
    if let Err(error) = journal::begin(path) {
        say(socket.as_fd(), &Report::Failed(format!("a journal: {error}")));
        leave(1);
    }
    let home = std::fs::File::open("/proc/self/ns/mnt");
    match prepare(tenancy) {
        Ok(deaths) => {
            if say(socket.as_fd(), &Report::Ready) && begin(socket.as_fd(), &mark, tenancy) {
                watch(socket.as_fd(), deaths.as_fd());
            }
        }
        Err(what) => {
            say(socket.as_fd(), &Report::Failed(what));
        }
    }
    let go_home = || {
        // Where /proc is missing the run could not begin; what cannot be found then is reported by its name.
        if let Ok(home) = &home {
            let kind = Some(LinkNameSpaceType::Mount);
            let _ = move_into_link_name_space(home.as_fd(), kind);
        }
    };
    let left = clear(path, &mark, tenancy, &|| reap(socket.as_fd()), &go_home);
    reap(socket.as_fd());
    let is_clear = left.is_empty();
    let report = if is_clear { Report::Undone } else { Report::Failed(left.join("\n")) };
    if !say(socket.as_fd(), &report) && !is_clear {
        // The runner was killed: whoever killed it may read this.
        let _ = writeln!(std::io::stderr(), "standin: left behind:\n{}", left.join("\n"));
    }
    leave(i32::from(!is_clear))
}

/// Undoes a run, and ends its journal if nothing is left; else it stays for people to read. `reap` waits for those of the run
/// that are the caller's children by now, `go_home` goes where the runner's names are.
pub(super) fn clear(
    path: &Path,
    mark: &str,
    tenancy: Tenancy,
    reap: &dyn Fn(),
    go_home: &dyn Fn(),
) -> Vec<String> {
    let entries = match journal::read(path) {
        Ok(entries) => entries,
        Err(error) => return vec![format!("the journal {}: {error}", path.display())],
    };
    let mut left = undo::undo(&entries, mark, tenancy, reap, go_home);
    if left.is_empty() {
        let _ = std::fs::remove_file(path);
    } else {
        left.push(format!("see the journal {}", path.display()));
    }
    left
}

/// Becomes what the actors need; a descriptor that tells of ended children.
///
/// A script that has a machine for itself acts on that machine's own mounts: what it unmounts is mounted nowhere else.
fn prepare(tenancy: Tenancy) -> std::result::Result<OwnedFd, String> {
    for signal in UNHEARD {
        let _ = dispose(signal, libc::SIG_IGN);
    }
    Linux::own().set_subreaper(true).map_err(|failure| format!("reaping orphans: {failure}"))?;
    if tenancy != Tenancy::Fresh {
        hide_mounts()?;
    }
    hear_deaths().map_err(|failure| format!("hearing of deaths: {failure}"))
}

/// Goes into a mount namespace of its own, with an empty /mnt.
fn hide_mounts() -> std::result::Result<(), String> {
    unshare(NamespaceKinds::MOUNT).map_err(|failure| format!("a mount namespace: {failure}"))?;
    let private = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
    mount_change("/", private).map_err(|errno| format!("private mounts: {errno}"))?;
    mount("standin", "/mnt", "tmpfs", MountFlags::empty(), None)
        .map_err(|errno| format!("an empty /mnt: {errno}"))
}

fn hear_deaths() -> Result<OwnedFd> {
    let mut set = SignalSet::EMPTY;
    set.insert(Signal::CHLD);
    set_mask(set)?;
    // SAFETY: `sigset_t` is plain numbers, for which zero is a value.
    let mut kernel_set: libc::sigset_t = unsafe { std::mem::zeroed() };
    // SAFETY: a set of this function's own.
    unsafe { libc::sigaddset(&raw mut kernel_set, libc::SIGCHLD) };
    let flags = libc::SFD_CLOEXEC | libc::SFD_NONBLOCK;
    // SAFETY: the set outlives the call.
    let number = unsafe { libc::signalfd(-1, &raw const kernel_set, flags) };
    crate::raw::answer(number.into())?;
    // SAFETY: the kernel has just made it for us.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}

/// Takes the first actor's socket from the runner, starts the actor, and gives the runner a handle of it.
fn begin(socket: BorrowedFd<'_>, mark: &str, tenancy: Tenancy) -> bool {
    let Some(theirs) = take_all(socket).ok().and_then(|mut some| some.pop()) else { return false };
    match start_actor(mark, tenancy, &theirs) {
        Ok((_, pidfd)) => give(socket, &[pidfd.as_fd()]).is_ok(),
        Err(failure) => say(socket, &Report::Failed(format!("the first actor: {failure}"))),
    }
}

/// Reaps, until the runner is gone.
fn watch(socket: BorrowedFd<'_>, deaths: BorrowedFd<'_>) {
    loop {
        reap(socket);
        let mut either = [
            PollFd::from_borrowed_fd(socket, PollFlags::IN),
            PollFd::from_borrowed_fd(deaths, PollFlags::IN),
        ];
        match poll(&mut either, None) {
            Ok(_) | Err(Refusal::INTR) => {}
            Err(_) => return,
        }
        // The runner says nothing more: what can be read of its end is that it is closed.
        let [runner, _] = either;
        if !runner.revents().is_empty() {
            return;
        }
        let mut told = [0; 128];
        while rustix::io::read(deaths, &mut told).is_ok_and(|length| length > 0) {}
    }
}

/// Waits for every child that has ended, and tells the runner how it did.
fn reap(socket: BorrowedFd<'_>) {
    let options = WaitOptions { nonblocking: true, ..WaitOptions::default() };
    while let Ok(Some((pid, status))) = wait_for(&Whom::Any, options) {
        say(socket, &Report::Ended(pid, status));
    }
}

/// Whether somebody listens. A runner that does not read loses what was said of others' ends, not the watcher's time.
fn say(socket: BorrowedFd<'_>, report: &Report) -> bool {
    let flags = match report {
        Report::Ended(..) => rustix::net::SendFlags::NOSIGNAL | rustix::net::SendFlags::DONTWAIT,
        Report::Ready | Report::Undone | Report::Failed(_) => rustix::net::SendFlags::NOSIGNAL,
    };
    rustix::net::send(socket, &report.to_bytes(), flags).is_ok()
}
