//! How the actor `init` comes on stage: from a process of the runner's to what the spec says it is.
//!
//! It is born in the watcher's mount namespace. It takes host names of its own (so that the host keeps its), goes to the root of
//! every hierarchy, and takes the lines of all actors that will be: they stand at high numbers in every actor, so that
//! a child finds its own there, however few descriptors it may open.

#![expect(unsafe_code, reason = "descriptors by number, and a setting of the allocator")]

use std::os::fd::{AsFd as _, BorrowedFd, FromRawFd as _, IntoRawFd as _, OwnedFd};
use std::path::Path;

use rustix::fs::{Mode, OFlags};
use standin::backend::{NamespaceKinds, Processes as _, Rlimit, RlimitResource};
use standin::handle::Dir;
use standin::id::Mode as Bits;
use standin::path::KPath;
use standin::signal::{Signal, SignalSet};
use standin::transcript::{Actor, ActorId, Outcome};

use super::channel::{self, Answer};
use super::host;
use super::player::Player;
use crate::namespaces::unshare;
use crate::processes::child::leave;
use crate::processes::{identity, limits, signals};
use crate::registry::out_of_the_way;
use crate::view::Linux;

/// The number of the socket through which `init` gets what it needs.
pub(super) const SOCKET: i32 = 3;

/// The number of the line of actor 0; the others follow.
const FIRST_LINE: i32 = 910;

/// What a host is called on which scripts run.
const NO_NAME: &[u8] = b"(none)";

/// `M_ARENA_MAX` (mallopt(3)): threads share one heap, so that one costs no more than another.
const ARENAS: libc::c_int = -8;

/// The number of an actor's line, in every actor.
pub(super) const fn line_of(actor: ActorId) -> i32 {
    FIRST_LINE.saturating_add_unsigned(actor.0)
}

/// The whole life of a process that was started as the first actor, by the watcher.
pub(super) fn run() -> ! {
    // SAFETY: the runner that started this process left it there for it; nothing else has it.
    let socket = out_of_the_way(unsafe { OwnedFd::from_raw_fd(SOCKET) });
    let view = Linux::own();
    let Ok(()) = take_lines(&view, &socket) else { leave(127) };
    drop(socket);
    // SAFETY: the line of actor 0 was put there just now, and stays.
    let line = unsafe { BorrowedFd::borrow_raw(line_of(ActorId::INIT)) };
    let said = match dress(&view) {
        Ok(kept) => {
            let ready = channel::answer(line, &Answer::Outcome(Outcome::ok()));
            ready.map(|()| Player::new(ActorId::INIT, view, kept))
        }
        Err(what) => {
            let _ = channel::answer(line, &Answer::Outcome(Outcome::Broken(what)));
            leave(127)
        }
    };
    if let Ok(player) = said {
        player.play();
    }
    leave(0)
}

/// Takes the lines of all actors and puts them in their places. A low limit of descriptors is lifted for it.
fn take_lines(view: &Linux, socket: &OwnedFd) -> Result<(), channel::Gone> {
    let old = view.rlimit(None, RlimitResource::OpenFiles).map_err(|_| channel::Gone)?;
    let lifted = Rlimit { soft: old.hard, hard: old.hard };
    let _ = limits::set_rlimit(None, RlimitResource::OpenFiles, lifted);
    let mut next = 0_u32;
    loop {
        let lines = channel::take_all(socket.as_fd())?;
        if lines.is_empty() {
            break;
        }
        for line in lines {
            // SAFETY: nothing of this process stands at the numbers of lines.
            let mut place = unsafe { OwnedFd::from_raw_fd(line_of(ActorId(next))) };
            let put = rustix::io::dup3(line, &mut place, rustix::io::DupFlags::CLOEXEC);
            let _ = place.into_raw_fd();
            put.map_err(|_| channel::Gone)?;
            next += 1;
        }
    }
    limits::set_rlimit(None, RlimitResource::OpenFiles, old).map_err(|_| channel::Gone)
}

/// Becomes `init`; why not, if it cannot.
fn dress(view: &Linux) -> Result<Actor, String> {
    take_host_names()?;
    go_to_roots()?;
    let failed = |what: &str| format!("init: {what}");
    let zero = Rlimit { soft: Some(0), hard: Some(0) };
    limits::set_rlimit(None, RlimitResource::Core, zero).map_err(|_| failed("its core limit"))?;
    limits::set_umask(Bits::new(0));
    std::env::set_current_dir("/").map_err(|_| failed("its working directory"))?;
    // A score below 0 needs a right to be lowered again; the run has none to give.
    let _ = std::fs::write("/proc/self/oom_score_adj", "0");
    for number in 1..=SIGNALS {
        // Two of them have no action, and two belong to the C library while it has threads.
        if let Some(signal) = Signal::new(number).filter(|_| !(32..34).contains(&number)) {
            let _ = signals::dispose(signal, libc::SIG_DFL);
        }
    }
    signals::set_mask(SignalSet::EMPTY).map_err(|_| failed("its signal mask"))?;
    let name = KPath::new("init").map_err(|_| failed("its name"))?;
    view.set_name(name).map_err(|_| failed("its name"))?;
    identity::stay_visible().map_err(|_| failed("its files in /proc"))?;
    // SAFETY: a number alone; there is one thread.
    unsafe { libc::mallopt(ARENAS, 1) };
    let kept = Actor::new();
    kept.hold_proc(open_proc(view).map_err(|_| failed("/proc"))?);
    Ok(kept)
}

const SIGNALS: i32 = 64;

fn open_proc(view: &Linux) -> rustix::io::Result<Dir> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let proc = rustix::fs::open("/proc", flags, Mode::empty())?;
    Ok(view.give(out_of_the_way(proc)))
}

/// Host names of the actors' own.
fn take_host_names() -> Result<(), String> {
    unshare(NamespaceKinds::UTS).map_err(|failure| format!("a host name of its own: {failure}"))?;
    rustix::system::sethostname(NO_NAME)
        .and_then(|()| rustix::system::setdomainname(NO_NAME))
        .map_err(|errno| format!("its host name: {errno}"))
}

/// The root group of every hierarchy.
fn go_to_roots() -> Result<(), String> {
    let groups = std::fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    if !groups.is_empty() && groups.lines().all(|line| line.ends_with(":/")) {
        return Ok(());
    }
    let mounts = host::mounts().map_err(|error| format!("/proc/self/mountinfo: {error}"))?;
    for mount in mounts.iter().filter(|mount| mount.is_cgroup() && mount.root == b"/") {
        let point: &std::ffi::OsStr = std::os::unix::ffi::OsStrExt::from_bytes(&mount.point);
        let file = Path::new(point).join("cgroup.procs");
        std::fs::write(&file, "0").map_err(|error| format!("{}: {error}", file.display()))?;
    }
    Ok(())
}
