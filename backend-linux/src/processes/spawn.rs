//! Spawning: the plan is made here, `clone` makes the child, `child` carries the plan out.
//!
//! The child is a process of its own from the start (nothing is shared with the caller's threads).
//! The answer waits until it has become the program: the report pipe closes at exec, or brings
//! the refusal. A child born into a frozen cgroup gets there when the group is thawed, and so does
//! the answer.

#![expect(unsafe_code, reason = "clone, and descriptors that it makes")]

use std::ffi::CString;
use std::os::fd::{AsFd as _, AsRawFd as _, FromRawFd as _, OwnedFd, RawFd};

use rustix::pipe::{PipeFlags, pipe_with};
use standin::Errno;
use standin::backend::{Spawn, SpawnCredentials, WaitOptions};
use standin::failure::{Failure, Result};
use standin::id::Pid;
use standin::path::KPath;
use standin::signal::{Signal, SignalSet};

use super::child::{self, Identity, Image, Kept, Plan, Report, Strings};
use super::clone::{Birth, Copy, clone};
use super::wait::{Whom, wait_for};
use super::{identity, signals};
use crate::handle::fd;
use crate::raw::refused;
use crate::registry;

/// A text for the kernel: no NUL.
fn text(bytes: &[u8]) -> Result<CString> {
    CString::new(bytes).map_err(|_| Errno::EINVAL.into())
}

pub(crate) fn texts(list: &[&[u8]]) -> Result<Strings> {
    Ok(Strings::new(list.iter().map(|bytes| text(bytes)).collect::<Result<_>>()?))
}

/// What to run for a path: this program itself, for one that is registered.
fn image(
    path: &KPath,
    arguments: &[&[u8]],
    environment: &[&[u8]],
) -> Result<(Image, Strings, Strings)> {
    match registry::image_of(path, arguments, environment) {
        Some(image) => {
            let (arguments, environment) = image?;
            Ok((Image::Open(registry::executable()?.as_raw_fd()), arguments, environment))
        }
        None => Ok((Image::Path(text(path.as_bytes())?), texts(arguments)?, texts(environment)?)),
    }
}

pub(super) fn exec(path: &KPath, arguments: &[&[u8]], environment: &[&[u8]]) -> Result<()> {
    let (image, arguments, environment) = image(path, arguments, environment)?;
    let Err(errno) = child::run(&image, &arguments, &environment);
    Err(Errno::from_raw(errno).into())
}

pub(super) fn spawn(spawn: &Spawn<'_>) -> Result<OwnedFd> {
    let (image, arguments, environment) = image(spawn.path, spawn.arguments, spawn.environment)?;
    let mut kept = Vec::with_capacity(spawn.descriptors.len());
    for descriptor in spawn.descriptors {
        let to = i32::try_from(descriptor.to).map_err(|_| Errno::EBADF)?;
        kept.push(Kept { from: fd(descriptor.from)?.as_raw_fd(), between: -1, to });
    }
    let number = |dir: &standin::handle::Dir| fd(dir.descriptor()).map(|fd| fd.as_raw_fd());
    let plan = Plan {
        session: spawn.session,
        kept,
        directory: spawn.directory.map(number).transpose()?,
        limits: spawn
            .limits
            .iter()
            .map(|(which, limit)| (*which as u32, (*limit).into()))
            .collect(),
        identity: spawn.credentials.map(identity_of),
        parent_death: spawn.parent_death.map_or(0, Signal::number),
        mask: 0,
        image,
        arguments,
        environment,
    };
    let birth = Birth {
        namespaces: spawn.namespaces.bits(),
        cgroup: spawn.cgroup.map(number).transpose()?,
        sibling: false,
        clear_handlers: true,
    };
    let join = match spawn.join {
        Some((process, kinds)) => {
            let kinds = i32::try_from(kinds.bits()).map_err(|_| Errno::EINVAL)?;
            Some((fd(process.descriptor())?.as_raw_fd(), kinds))
        }
        None => None,
    };
    start(plan, birth, join).map(|(_, pidfd)| pidfd)
}

pub(crate) fn identity_of(credentials: &SpawnCredentials<'_>) -> Identity {
    Identity {
        uid: credentials.uid.0,
        gid: credentials.gid.0,
        groups: credentials.groups.iter().map(|gid| gid.0).collect(),
        bounding: credentials.bounding.bits(),
        no_new_privileges: credentials.no_new_privileges,
    }
}

/// Starts a child and answers when it is the program.
pub(crate) fn start(
    mut plan: Plan,
    birth: Birth,
    join: Option<(RawFd, i32)>,
) -> Result<(Pid, OwnedFd)> {
    let (reader, writer) = pipe_with(PipeFlags::CLOEXEC).map_err(refused)?;
    let mask = signals::mask()?;
    plan.mask = mask.bits();
    // Handlers of the program's must not run in the child, where its other threads are missing.
    signals::set_mask(SignalSet::ALL)?;
    let born = match join {
        None => bear(&mut plan, birth, &writer),
        Some(join) => bear_in(&mut plan, birth, join, &writer),
    };
    signals::set_mask(mask)?;
    drop(writer);
    settle(born?, &reader)
}

/// A process that was made, and what there is to hold it by.
enum Born {
    Child {
        pid: u32,
        pidfd: OwnedFd,
    },
    /// It will say the child's number, and end.
    Between {
        pid: u32,
    },
}

fn bear(plan: &mut Plan, birth: Birth, writer: &OwnedFd) -> Result<Born> {
    // SAFETY: the child does what `child` does, which is system calls alone.
    match unsafe { clone(birth, true)? } {
        Copy::Child => child::become_program(plan, writer.as_raw_fd()),
        Copy::Caller { pid, pidfd } => {
            let pidfd = pidfd.ok_or(Failure::Errno(Errno::EBADF))?;
            // SAFETY: the kernel has just made it for us.
            Ok(Born::Child { pid, pidfd: unsafe { OwnedFd::from_raw_fd(pidfd) } })
        }
    }
}

/// A process between joins the namespaces (a pid namespace is joined by later children alone), then
/// makes the child as its own sibling: a child of the caller.
fn bear_in(
    plan: &mut Plan,
    birth: Birth,
    (process, kinds): (RawFd, i32),
    writer: &OwnedFd,
) -> Result<Born> {
    let between = Birth { clear_handlers: true, ..Birth::default() };
    let pipe = writer.as_raw_fd();
    // SAFETY: the child makes system calls alone.
    match unsafe { clone(between, false)? } {
        Copy::Caller { pid, .. } => Ok(Born::Between { pid }),
        Copy::Child => {
            if let Err(errno) = child::join(process, kinds) {
                child::report(pipe, 0, errno);
                child::leave(127);
            }
            // SAFETY: as above, for the child's child.
            match unsafe { clone(Birth { sibling: true, ..birth }, false) } {
                Ok(Copy::Child) => child::become_program(plan, pipe),
                Ok(Copy::Caller { pid, .. }) => child::report(pipe, 1, pid.cast_signed()),
                Err(failure) => {
                    child::report(pipe, 0, failure.errno().map_or(libc::EIO, Errno::raw));
                }
            }
            child::leave(0)
        }
    }
}

/// Hears the reports, and leaves no child behind if one of them is a refusal.
fn settle(born: Born, reader: &OwnedFd) -> Result<(Pid, OwnedFd)> {
    let (mut child, mut refusal) = (None, None);
    while let Some(report) = next_report(reader)? {
        match report.kind {
            1 => child = Some(report.value.cast_unsigned()),
            _ => refusal = Some(Errno::from_raw(report.value)),
        }
    }
    let pidfd = match born {
        Born::Child { pid, pidfd } => {
            child = Some(pid);
            Some(pidfd)
        }
        Born::Between { pid } => {
            reap(pid)?;
            // Nobody has waited for the child yet: the number is still its own.
            child.map(|pid| identity::open_pid(Pid(pid))).transpose()?
        }
    };
    match (refusal, child, pidfd) {
        (None, Some(pid), Some(pidfd)) => Ok((Pid(pid), pidfd)),
        (refusal, child, _) => {
            if let Some(pid) = child {
                reap(pid)?;
            }
            // A process between that was killed has said nothing.
            Err(refusal.unwrap_or(Errno::ECHILD).into())
        }
    }
}

/// The next report; `None` when every writer has become a program or ended.
fn next_report(reader: &OwnedFd) -> Result<Option<Report>> {
    let mut bytes = [0_u8; size_of::<Report>()];
    loop {
        match rustix::io::read(reader.as_fd(), &mut bytes) {
            Err(rustix::io::Errno::INTR) => {}
            Err(errno) => return Err(refused(errno)),
            Ok(0) => return Ok(None),
            Ok(_) => {
                let [a, b, c, d, e, f, g, h] = bytes;
                let kind = u32::from_ne_bytes([a, b, c, d]);
                return Ok(Some(Report { kind, value: i32::from_ne_bytes([e, f, g, h]) }));
            }
        }
    }
}

/// Waits for a child that ends by itself.
fn reap(pid: u32) -> Result<()> {
    loop {
        match wait_for(&Whom::Number(pid), WaitOptions::default()) {
            Err(failure) if failure.is(Errno::EINTR) => {}
            // Reaped already: the program ignores SIGCHLD, or waits for every child.
            Err(failure) if failure.is(Errno::ECHILD) => return Ok(()),
            other => return other.map(drop),
        }
    }
}
