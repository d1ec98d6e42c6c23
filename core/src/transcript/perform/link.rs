//! Links, locks, event counters, file handles.

use super::descriptor::names_processes;
use super::watch;
use super::{Act, Performed, done};
use crate::backend::{Lock, OpenFlags, OpenOptions, SocketFlags};
use crate::errno::Errno;
use crate::handle::{Descriptor, File};
use crate::id::Bytes;
use crate::path::{At, Place, Resolve};
use crate::transcript::actor::Facts;
use crate::transcript::choice::Nonblock;
use crate::transcript::op::{EventfdOptions, Flock, LinkOp, OpenAt, OpenAtFlag, OpenAtMode};
use crate::transcript::outcome::Outcome;
use crate::transcript::value::Label;

pub(super) fn run(act: &Act<'_>, op: &LinkOp) -> Performed {
    let kernel = act.kernel;
    match op {
        LinkOp::Readlink { path } => Ok(Outcome::value(kernel.readlink(path.into())?.as_bytes())),
        LinkOp::Truncate { path, size_bytes } => {
            // truncate(2) looks at the sign before it looks at the path.
            let size = u64::try_from(*size_bytes).map_err(|_| Errno::EINVAL)?;
            done(kernel.truncate(path.into(), Bytes(size)))
        }
        LinkOp::Openat2 { new, dir, path, mode, flags } => {
            act.actor.close(new);
            let start: Option<Descriptor> = match dir {
                OpenAt::WorkingDirectory => None,
                OpenAt::Descriptor(fd) => Some(act.handle(fd)),
            };
            let at = start.as_ref().map_or(At::Cwd, At::Handle);
            let place = Place { at, path, resolve: Resolve::Kernel };
            let flags = flags.iter().flat_map(|flags| &flags.0).copied().map(OpenFlags::from);
            if path.as_bytes().is_empty() {
                // The traits mean the handle itself by it; openat2 looks up a name, and there is none.
                return Err(Errno::ENOENT.into());
            }
            let file = kernel.open(place, &open_options(*mode).with(flags.collect()))?;
            let facts = Facts { listing: names_processes(path), ..Facts::default() };
            act.actor.keep(new, file, facts);
            Ok(Outcome::ok())
        }
        LinkOp::Flock { fd, to, nonblock } => {
            let nonblocking = nonblock.is_some();
            let lock = match to {
                Flock::Shared => Lock::Shared { nonblocking },
                Flock::Exclusive => Lock::Exclusive { nonblocking },
                Flock::Unlock => Lock::Unlock,
            };
            done(kernel.flock(&act.handle(fd), lock))
        }
        LinkOp::Inotify { fd, nonblock } => watch::make(act, fd, *nonblock),
        LinkOp::Watch { fd, name, path, events } => watch::add(act, fd, name, path, &events.0),
        LinkOp::Unwatch { fd, name } => watch::remove(act, fd, name),
        LinkOp::Events { fd } => watch::events(act, fd),
        LinkOp::Eventfd { fd, count, options } => count_events(act, fd, *count, *options),
        LinkOp::Evread { fd } => {
            let mut counter = [0; 8];
            kernel.read(&act.handle(fd), &mut counter)?;
            Ok(Outcome::status(u64::from_ne_bytes(counter).to_string()))
        }
        LinkOp::Evwrite { fd, count } => {
            kernel.write(&act.handle(fd), &count.to_ne_bytes())?;
            Ok(Outcome::ok())
        }
        LinkOp::Handle { name, path } => {
            let handle = kernel.file_handle(path.into())?;
            act.actor.note(name, handle);
            Ok(Outcome::ok())
        }
        LinkOp::Samehandle { name, path } => {
            let handle = kernel.file_handle(path.into())?;
            let same = act.actor.noted(name).is_some_and(|noted| noted == handle);
            Ok(Outcome::status(if same { "equal" } else { "different" }))
        }
    }
}

/// What `nonblock` means for a new descriptor.
pub(super) fn flags(nonblock: Option<Nonblock>) -> SocketFlags {
    nonblock.map_or(SocketFlags::empty(), |_| SocketFlags::NONBLOCKING)
}

fn count_events(act: &Act<'_>, fd: &Label, count: u32, options: EventfdOptions) -> Performed {
    act.actor.close(fd);
    let flags = flags(options.nonblock.then_some(Nonblock::Nonblock));
    let counter: File = act.kernel.event_counter(count, options.semaphore, flags)?;
    act.actor.keep(fd, counter, Facts::default());
    Ok(Outcome::ok())
}

fn open_options(mode: OpenAtMode) -> OpenOptions {
    match mode {
        OpenAtMode::Read => OpenOptions::read(),
        OpenAtMode::Write => OpenOptions::write(),
        OpenAtMode::ReadWrite => OpenOptions::read_write(),
        OpenAtMode::Path => OpenOptions::path(),
    }
}

impl From<OpenAtFlag> for OpenFlags {
    fn from(flag: OpenAtFlag) -> Self {
        match flag {
            OpenAtFlag::Creat => Self::CREATE,
            OpenAtFlag::Excl => Self::EXCLUSIVE,
            OpenAtFlag::Directory => Self::DIRECTORY,
            OpenAtFlag::Nofollow => Self::NO_FOLLOW,
            OpenAtFlag::Trunc => Self::TRUNCATE,
            OpenAtFlag::Append => Self::APPEND,
            OpenAtFlag::NoXdev => Self::NO_CROSSING,
            OpenAtFlag::NoMagiclinks => Self::NO_MAGIC_LINKS,
            OpenAtFlag::NoSymlinks => Self::NO_SYMLINKS,
            OpenAtFlag::Beneath => Self::BENEATH,
            OpenAtFlag::InRoot => Self::IN_ROOT,
            OpenAtFlag::Cached => Self::CACHED,
        }
    }
}
