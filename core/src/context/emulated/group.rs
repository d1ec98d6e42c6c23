//! A context's group: found by name once, held by its open directory from then on.

use std::time::Duration;

use super::record::{self, Record, State};
use super::{Emulated, Result, name_of, to, unless};
use crate::backend::{Backend, ContextFlags, Deadline, FileKind, Lock, OpenOptions, XattrMode};
use crate::context::error::Cause;
use crate::context::{ContextId, Refusal};
use crate::errno::Errno;
use crate::failure::Failure;
use crate::fs;
use crate::handle::{Dir, File};
use crate::id::{CgroupId, Pid};
use crate::path::{Follow, KPath, KPathBuf, Place};

/// How often a name is looked up again because it was given to another group meanwhile.
const TRIES: u32 = 64;
/// How long a lock is waited for, and the pause between two tries.
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(2);
/// How deep the groups below a context's are gone through.
const DEPTH: u32 = 64;

/// An open group, whatever becomes of its name.
pub(super) struct Group<'a> {
    kernel: &'a dyn Backend,
    root: &'a Dir,
    name: KPathBuf,
    pub(super) dir: Dir,
    pub(super) cgroup: CgroupId,
}

/// A live context, locked until this is dropped.
pub(super) struct Held<'a> {
    pub(super) group: Group<'a>,
    pub(super) record: Record,
}

/// A group in a context, and the processes in it; 0 is one that the caller's pid namespace does not show.
pub(super) struct Part {
    pub(super) cgroup: CgroupId,
    pub(super) processes: Vec<Pid>,
}

impl<'a> Emulated<'a> {
    /// The live context of this id, locked. What is left of one that has ended, or of one whose maker died, is removed.
    pub(super) fn hold(&self, root: &'a Dir, id: ContextId) -> Result<Option<Held<'a>>> {
        for _ in 0..TRIES {
            let Some(group) = self.open(root, id)? else { return Ok(None) };
            group.lock()?;
            if !group.is_named()? {
                continue;
            }
            match group.record()? {
                Some(record) if record.state == State::Live && !group.is_over(&record)? => {
                    return Ok(Some(Held { group, record }));
                }
                record => {
                    if group.collect(record)? {
                        return Ok(None);
                    }
                    // Its maker died inside after having children, or somebody was moved in by other means.
                    if let Some(record) = record {
                        return Ok(Some(Held {
                            group,
                            record: Record { state: State::Live, ..record },
                        }));
                    }
                    return Err(Refusal::Busy.into());
                }
            }
        }
        Err(Refusal::Busy.into())
    }

    /// Opens the group of an id, if there is one.
    pub(super) fn open(&self, root: &'a Dir, id: ContextId) -> Result<Option<Group<'a>>> {
        let name = name_of(id)?;
        let place = Place::beneath(root.descriptor(), &name);
        let dir = unless(Errno::ENOENT, self.kernel.open_dir(place));
        let Some(dir) = to("open its group", dir)? else { return Ok(None) };
        let stat = self.kernel.stat(Place::of(dir.descriptor()), Follow::Link);
        let cgroup = to("look at its group", stat)?.cgroup_id();
        Ok(Some(Group { kernel: self.kernel, root, name, dir, cgroup }))
    }
}

impl Group<'_> {
    /// Whether its name still leads to it.
    pub(super) fn is_named(&self) -> Result<bool> {
        let place = Place::beneath(self.root.descriptor(), &self.name);
        let stat = unless(Errno::ENOENT, self.kernel.stat(place, Follow::No));
        Ok(to("look its group up", stat)?.is_some_and(|stat| stat.cgroup_id() == self.cgroup))
    }

    /// Locks it, until its directory is closed.
    pub(super) fn lock(&self) -> Result<()> {
        let lock = Lock::Exclusive { nonblocking: true };
        let now = || to("ask for the time", self.kernel.monotonic());
        let end = now()?.after(PATIENCE);
        loop {
            let locked = unless(Errno::EAGAIN, self.kernel.flock(self.dir.descriptor(), lock));
            if to("lock its group", locked)?.is_some() {
                return Ok(());
            }
            let next = now()?.after(PAUSE);
            if next > end {
                return Err(Refusal::Busy.into());
            }
            to("wait for the lock", self.kernel.poll(&[], Deadline::At(next)))?;
        }
    }

    pub(super) fn unlock(&self) -> Result<()> {
        to("unlock its group", self.kernel.flock(self.dir.descriptor(), Lock::Unlock))
    }

    /// The record, unless none was written.
    pub(super) fn record(&self) -> Result<Option<Record>> {
        let stored = unless(
            Errno::ENODATA,
            self.kernel.get_xattr(Place::of(self.dir.descriptor()), Follow::Link, attribute()?),
        );
        match to("read its record", stored)? {
            None => Ok(None),
            Some(text) => match Record::parse(&text) {
                Some(record) => Ok(Some(record)),
                None => Err(Cause::Failed("understand its record", Errno::EBADMSG.into())),
            },
        }
    }

    pub(super) fn write_record(&self, record: &Record) -> Result<()> {
        let place = Place::of(self.dir.descriptor());
        let (text, mode) = (record.print(), XattrMode::Set);
        let set = self.kernel.set_xattr(place, Follow::Link, attribute()?, text.as_bytes(), mode);
        to("write its record", set)
    }

    /// Whether nobody lives in it or below.
    pub(super) fn is_empty(&self) -> Result<bool> {
        let events = self.open_file("cgroup.events", &OpenOptions::read());
        let events = to("open its cgroup.events", events)?;
        let text = to("read its cgroup.events", fs::read_to_end(self.kernel, &events))?;
        populated(&text).map(|populated| !populated)
    }

    fn is_over(&self, record: &Record) -> Result<bool> {
        Ok(!record.has(ContextFlags::PERSISTENT) && self.is_empty()?)
    }

    /// Removes it with what is below, its end written down for who holds it open. False if somebody lives there.
    pub(super) fn collect(&self, record: Option<Record>) -> Result<bool> {
        if let Some(record) = record.filter(|record| record.state == State::Live) {
            self.write_record(&Record { state: State::Over, ..record })?;
        }
        self.remove_below(&self.dir, DEPTH)?;
        self.remove(self.root, &self.name)
    }

    fn remove(&self, above: &Dir, name: &KPath) -> Result<bool> {
        let removed = self.kernel.rmdir(Place::beneath(above.descriptor(), name));
        match removed {
            Ok(()) => Ok(true),
            Err(failure) if failure.is(Errno::ENOENT) => Ok(true),
            Err(failure) if failure.is(Errno::EBUSY) => Ok(false),
            Err(failure) => Err(Cause::Failed("remove its group", failure)),
        }
    }

    fn remove_below(&self, dir: &Dir, depth: u32) -> Result<()> {
        let deeper = depth.checked_sub(1);
        for name in self.below(dir)? {
            if let (Some(child), Some(deeper)) = (self.child(dir, &name)?, deeper) {
                self.remove_below(&child, deeper)?;
            }
            self.remove(dir, &name)?;
        }
        Ok(())
    }

    /// The names of the groups right below one.
    fn below(&self, dir: &Dir) -> Result<Vec<KPathBuf>> {
        let listing = to("list its group", self.kernel.list(dir))?;
        let groups = listing.iter().filter(|entry| entry.kind == FileKind::Dir);
        Ok(groups.map(|entry| entry.name.to_owned()).collect())
    }

    fn child(&self, dir: &Dir, name: &KPath) -> Result<Option<Dir>> {
        let child = self.kernel.open_dir(Place::beneath(dir.descriptor(), name));
        to("open a group below", unless(Errno::ENOENT, child))
    }

    /// Opens a control file.
    pub(super) fn open_file(
        &self,
        name: &str,
        options: &OpenOptions,
    ) -> crate::failure::Result<File> {
        open_file(self.kernel, &self.dir, name, options)
    }

    /// Writes a control file.
    pub(super) fn write(&self, name: &str, value: &[u8]) -> crate::failure::Result<()> {
        let file = self.open_file(name, &OpenOptions::write())?;
        self.kernel.write(&file, value).map(drop)
    }

    /// The group and all below it, with their processes.
    pub(super) fn parts(&self) -> Result<Vec<Part>> {
        let mut parts = Vec::new();
        self.visit(&self.dir, DEPTH, &mut |dir| {
            let stat = self.kernel.stat(Place::of(dir.descriptor()), Follow::Link);
            let cgroup = to("look at a group", stat)?.cgroup_id();
            let processes = numbers(self.kernel, dir, "cgroup.procs");
            parts.push(Part { cgroup, processes: to("read its cgroup.procs", processes)? });
            Ok(())
        })?;
        Ok(parts)
    }

    /// How many tasks (threads) are in it and below.
    pub(super) fn tasks(&self) -> Result<usize> {
        let mut count = 0;
        self.visit(&self.dir, DEPTH, &mut |dir| {
            let threads = numbers(self.kernel, dir, "cgroup.threads");
            count += to("read its cgroup.threads", threads)?.len();
            Ok(())
        })?;
        Ok(count)
    }

    /// Goes through a group and all below it, parents first.
    fn visit(&self, dir: &Dir, depth: u32, see: &mut dyn FnMut(&Dir) -> Result<()>) -> Result<()> {
        see(dir)?;
        for name in self.below(dir)? {
            let deeper = depth.checked_sub(1).ok_or(Cause::Failed(
                "go through the groups below",
                Failure::Unsupported("a context with groups more than 64 deep"),
            ))?;
            if let Some(child) = self.child(dir, &name)? {
                self.visit(&child, deeper, see)?;
            }
        }
        Ok(())
    }
}

fn open_file(
    kernel: &dyn Backend,
    dir: &Dir,
    name: &str,
    options: &OpenOptions,
) -> crate::failure::Result<File> {
    let name = KPath::new(name).map_err(|_| Failure::Errno(Errno::EINVAL))?;
    kernel.open(Place::beneath(dir.descriptor(), name), options)
}

/// A file of numbers, one a line. One that was removed meanwhile has none, nor has cgroup.procs of a threaded group, whose
/// processes its domain lists.
fn numbers(kernel: &dyn Backend, dir: &Dir, name: &str) -> crate::failure::Result<Vec<Pid>> {
    let read = || {
        let file = open_file(kernel, dir, name, &OpenOptions::read())?;
        fs::read_to_end(kernel, &file)
    };
    let text = match read() {
        Ok(text) => text,
        Err(failure)
            if [Errno::ENODEV, Errno::ENOENT, Errno::EOPNOTSUPP]
                .iter()
                .any(|errno| failure.is(*errno)) =>
        {
            return Ok(Vec::new());
        }
        Err(failure) => return Err(failure),
    };
    let text = std::str::from_utf8(&text).map_err(|_| Failure::Errno(Errno::EBADMSG))?;
    let numbers = text.lines().map(|line| line.parse().map(Pid));
    let numbers: std::result::Result<Vec<Pid>, _> = numbers.collect();
    numbers.map_err(|_| Failure::Errno(Errno::EBADMSG))
}

/// What cgroup.events says of `populated`.
pub(super) fn populated(text: &[u8]) -> Result<bool> {
    let text = std::str::from_utf8(text).unwrap_or_default();
    match text.lines().find_map(|line| line.strip_prefix("populated ")) {
        Some("0") => Ok(false),
        Some("1") => Ok(true),
        Some(_) | None => Err(Cause::Failed("understand its cgroup.events", Errno::EBADMSG.into())),
    }
}

fn attribute() -> Result<&'static KPath> {
    KPath::new(record::NAME)
        .map_err(|_| Cause::Failed("name its record", Failure::Errno(Errno::EINVAL)))
}
