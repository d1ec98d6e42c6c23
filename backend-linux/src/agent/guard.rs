//! The guard: the program again, as the process that makes an agent and sees to its end.
//!
//! It is the only place where a process with Rust code in it is copied and goes on: it has one
//! thread from its first instruction on.

#![expect(unsafe_code, reason = "the descriptors that the client left are taken over by number")]

use std::os::fd::{AsFd as _, BorrowedFd, FromRawFd as _, OwnedFd};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Signal as Sent, pidfd_send_signal};
use standin::Errno;
use standin::capability::CapabilitySet;
use standin::failure::{Failure, Result};
use standin::id::Pid;
use standin::signal::{Signal, SignalSet};

use super::codec::{OwnedCredentials, Setup};
use super::frame::{Gone, Line};
use super::serve;
use super::wire::{Reader, Wire, Writer};
use crate::handle::{HERE, Keeping};
use crate::processes::child::{change_identity, leave};
use crate::processes::clone::{Birth, Copy, clone};
use crate::processes::{identity, limits, prctl, signals, spawn};
use crate::registry::out_of_the_way;

/// The number of the guard's end of the connection.
pub(super) const SOCKET: i32 = 3;
/// A pipe that ends with the program.
const LIFELINE: i32 = 4;
/// The agent's group, if there is one.
const CGROUP: i32 = 5;

/// What is said before there are calls: who says it.
pub(super) mod speaker {
    pub(in crate::agent) const GUARD: u8 = 0;
    pub(in crate::agent) const AGENT: u8 = 1;
}

/// The whole life of a process that was started as a guard.
pub(crate) fn run() -> ! {
    // SAFETY: the client that started this process left these two for it; nothing else has them.
    let (socket, lifeline) =
        unsafe { (OwnedFd::from_raw_fd(SOCKET), OwnedFd::from_raw_fd(LIFELINE)) };
    // A handle on the agent, if this process is its guard: the agent itself never comes back.
    if let Some(agent) = make(socket) {
        watch(lifeline.as_fd(), &agent);
    }
    leave(0)
}

/// Makes the agent.
fn make(socket: OwnedFd) -> Option<OwnedFd> {
    let mut line = Line::new(out_of_the_way(socket));
    let setup = read_setup(&mut line).ok()?;
    let birth = Birth {
        namespaces: setup.namespaces.bits(),
        cgroup: setup.has_cgroup.then_some(CGROUP),
        sibling: true,
        clear_handlers: false,
    };
    // SAFETY: this process has one thread.
    match unsafe { clone(birth, true) } {
        Ok(Copy::Child) => be_agent(line, &setup),
        Ok(Copy::Caller { pid, pidfd }) => {
            say(&mut line, speaker::GUARD, &Ok(Pid(pid))).ok()?;
            // SAFETY: the kernel has just made it for us.
            pidfd.map(|pidfd| unsafe { OwnedFd::from_raw_fd(pidfd) })
        }
        Err(failure) => {
            let _ = say(&mut line, speaker::GUARD, &Result::<Pid>::Err(failure));
            None
        }
    }
}

fn read_setup(line: &mut Line) -> std::result::Result<Setup, Gone> {
    let message = line.receive()?;
    let owner: std::sync::Arc<dyn standin::handle::Owner> = std::sync::Arc::new(Keeping);
    Setup::get(&mut Reader::new(&message, &owner, HERE)).map_err(|_| Gone)
}

fn say<T: Wire>(line: &mut Line, who: u8, what: &T) -> std::result::Result<(), Gone> {
    let mut message = Writer::new(Line::blank(), HERE);
    who.put(&mut message);
    what.put(&mut message);
    line.send(message.bytes)
}

/// Waits until the program or the agent is gone. An agent that is left alone is ended.
fn watch(lifeline: BorrowedFd<'_>, agent: &OwnedFd) {
    let mut either = [
        PollFd::from_borrowed_fd(lifeline, PollFlags::empty()),
        PollFd::from_borrowed_fd(agent.as_fd(), PollFlags::IN),
    ];
    while poll(&mut either, None) == Err(rustix::io::Errno::INTR) {}
    let _ = pidfd_send_signal(agent, Sent::KILL);
}

/// The whole life of an agent.
fn be_agent(mut line: Line, setup: &Setup) -> ! {
    for number in [LIFELINE, CGROUP] {
        // SAFETY: the guard's, which the agent has copies of and nothing refers to.
        drop(unsafe {
            (number == LIFELINE || setup.has_cgroup).then(|| OwnedFd::from_raw_fd(number))
        });
    }
    let ready = settle_in(setup);
    let is_ready = ready.is_ok();
    if say(&mut line, speaker::AGENT, &ready).is_ok() && is_ready {
        let Gone = serve::serve(&mut line);
    }
    leave(0)
}

/// Becomes what the options say.
fn settle_in(setup: &Setup) -> Result<()> {
    identity::set_session()?;
    // The Rust runtime ignores this signal; a process that is a view has all defaults.
    signals::dispose(Signal::PIPE, libc::SIG_DFL)?;
    signals::set_mask(SignalSet::EMPTY)?;
    for (resource, limit) in &setup.limits {
        limits::set_rlimit(None, *resource, *limit)?;
    }
    if let Some(credentials) = &setup.credentials {
        become_them(credentials)?;
    }
    identity::stay_visible()
}

/// As a spawned process, and then what running a program would leave of its capabilities.
fn become_them(credentials: &OwnedCredentials) -> Result<()> {
    let lent = credentials.lend();
    change_identity(&spawn::identity_of(&lent))
        .map_err(|errno| Failure::Errno(Errno::from_raw(errno)))?;
    let held = prctl::capabilities()?;
    let is_root = lent.uid == standin::Uid::ROOT;
    let left = |set: CapabilitySet| {
        if is_root { set.intersection(held.bounding) } else { CapabilitySet::EMPTY }
    };
    prctl::set_capabilities(left(held.permitted), left(held.permitted), left(held.inheritable))
}
