//! What a call reads and writes ([`Footprint`]), so that two calls that do not touch the same need not be tried in both orders.
//!
//! A footprint may say too much and never too little: whatever has no footprint of its own touches everything. Those that
//! have one are the calls that change nothing but what they name here, and those that look at nothing else that such a
//! call can change.

use standin::backend::{OpenFlags, OpenOptions};
use standin::id::Bytes;

use crate::counter::CounterKey;
use crate::fs::{FileKey, Node, OpenFile, OpenKind, TmpKey, descriptors};
use crate::kernel::Kernel;
use crate::pipe::PipeKey;
use crate::profile::Layout;
use crate::task::{ProcessKey, ThreadKey};

/// Something that calls with a footprint change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Object {
    /// Names in filesystems, and what stands behind each.
    Names,
    /// Bytes, length and times of a file.
    Content(TmpKey),
    /// What files take of their filesystem and of the memory of groups, and how much groups say that this is.
    Charges,
    /// The offset of an open file, and what was read of it.
    File(FileKey),
    /// A process's descriptors.
    Table(ProcessKey),
    /// What is in a pipe.
    Pipe(PipeKey),
    /// An event counter.
    Counter(CounterKey),
}

/// What a call touches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Footprint {
    everything: bool,
    reads: Vec<Object>,
    writes: Vec<Object>,
}

impl Footprint {
    /// Nothing that any call changes.
    pub(crate) fn nothing() -> Self {
        Self::default()
    }

    /// What is not known.
    pub(crate) fn everything() -> Self {
        Self { everything: true, ..Self::default() }
    }

    pub(crate) fn of(reads: &[Object], writes: &[Object]) -> Self {
        Self { everything: false, reads: reads.to_vec(), writes: writes.to_vec() }
    }

    /// What either touches.
    pub(crate) fn add(&mut self, other: &Self) {
        self.everything |= other.everything;
        self.reads.extend_from_slice(&other.reads);
        self.writes.extend_from_slice(&other.writes);
    }

    fn is_nothing(&self) -> bool {
        !self.everything && self.reads.is_empty() && self.writes.is_empty()
    }

    /// Whether the order of the two may matter.
    pub(crate) fn conflicts(&self, other: &Self) -> bool {
        if self.everything || other.everything {
            return !self.is_nothing() && !other.is_nothing();
        }
        let meets = |writes: &[Object], touched: &[Object]| {
            writes.iter().any(|object| touched.contains(object))
        };
        meets(&self.writes, &other.writes)
            || meets(&self.writes, &other.reads)
            || meets(&self.reads, &other.writes)
    }
}

/// Whether files tell of nothing but what this module knows: nobody watches any, none is locked, and no group of v1 sets off
/// a program of its own.
fn is_quiet(kernel: &Kernel) -> bool {
    kernel.vfs.notify.is_empty()
        && kernel.vfs.locks.is_empty()
        && kernel.profile.layout == Layout::Unified
}

/// The caller's descriptors; none if it is no more.
fn table(kernel: &Kernel, caller: ThreadKey) -> Option<Object> {
    kernel.tasks.threads.get(caller).map(|thread| Object::Table(thread.process))
}

/// The open file behind a descriptor.
fn opened(kernel: &Kernel, caller: ThreadKey, number: u32) -> Option<(FileKey, &OpenFile)> {
    kernel.tasks.threads.get(caller)?;
    descriptors::look(kernel, caller, number).ok()
}

/// Of open(2). Where it leads to a file of a tmpfs that it may have made or emptied, it changed that; where it leads through
/// /proc, it may have looked at anything.
pub(crate) fn of_open(
    kernel: &Kernel,
    caller: ThreadKey,
    (path, number): (&[u8], Option<u32>),
    options: &OpenOptions,
) -> Footprint {
    let Some(table) = table(kernel, caller) else { return Footprint::everything() };
    if !is_plain(kernel, path) || !is_quiet(kernel) {
        return Footprint::everything();
    }
    let changes = options.flags.intersects(OpenFlags::CREATE | OpenFlags::TRUNCATE);
    match number.and_then(|number| opened(kernel, caller, number)).map(|(_, file)| file.spot.node) {
        // It found nothing, or was not let.
        None => Footprint::of(&[Object::Names], &[table]),
        Some(Node::Tmp(node)) if changes => {
            Footprint::of(&[], &[table, Object::Names, Object::Charges, Object::Content(node)])
        }
        Some(Node::Tmp(_) | Node::Cgroup(_) | Node::Control(..)) => {
            Footprint::of(&[Object::Names], &[table])
        }
        Some(Node::Proc(_)) => Footprint::everything(),
    }
}

/// Of stat(2) and access(2): what a group and its files are told to be stands with their names.
pub(crate) fn of_look(kernel: &Kernel, path: &[u8]) -> Footprint {
    if path.starts_with(b"/sys/fs/cgroup/") && is_plain(kernel, path) && is_quiet(kernel) {
        Footprint::of(&[Object::Names], &[])
    } else {
        Footprint::everything()
    }
}

/// Of getdents64(2).
pub(crate) fn of_list(kernel: &Kernel, caller: ThreadKey, number: u32) -> Footprint {
    let Some((table, (key, file))) = table(kernel, caller).zip(opened(kernel, caller, number))
    else {
        return Footprint::everything();
    };
    match file.spot.node {
        Node::Cgroup(_) if is_quiet(kernel) => {
            Footprint::of(&[table, Object::Names], &[Object::File(key)])
        }
        Node::Cgroup(_) | Node::Tmp(_) | Node::Control(..) | Node::Proc(_) => {
            Footprint::everything()
        }
    }
}

/// Whether a path says itself where it leads.
fn is_plain(kernel: &Kernel, path: &[u8]) -> bool {
    PLAIN.iter().any(|start| path.starts_with(start))
        && !path.split(|byte| *byte == b'/').any(|part| part == b"..")
        && kernel.order.as_ref().is_some_and(|order| !order.meets_links())
}

/// Where paths lead to files of cgroup2 and of tmpfs, as long as nobody has made links or mounts.
const PLAIN: [&[u8]; 4] = [b"/sys/fs/cgroup/", b"/mnt/", b"/run/", b"/tmp/"];

/// Of read(2).
pub(crate) fn of_read(kernel: &Kernel, caller: ThreadKey, number: u32) -> Footprint {
    let Some((table, (key, file))) = table(kernel, caller).zip(opened(kernel, caller, number))
    else {
        return Footprint::everything();
    };
    match (&file.kind, file.spot.node) {
        (OpenKind::Node(_), Node::Tmp(node)) if is_quiet(kernel) => {
            Footprint::of(&[table, Object::Content(node)], &[Object::File(key)])
        }
        (OpenKind::Node(_), Node::Control(..)) if is_quiet(kernel) => {
            Footprint::of(&[table, Object::Charges], &[Object::File(key)])
        }
        (OpenKind::Pipe(pipe, _), _) => Footprint::of(&[table], &[Object::Pipe(*pipe)]),
        (OpenKind::Counter(counter), _) => Footprint::of(&[table], &[Object::Counter(*counter)]),
        _ => Footprint::everything(),
    }
}

/// Of write(2), before it is done. What a control file sets off is not known, nor what it sets off that a file needs more
/// memory.
pub(crate) fn of_write(
    kernel: &Kernel,
    caller: ThreadKey,
    number: u32,
    (length, offset): (usize, Option<Bytes>),
) -> Footprint {
    let Some((table, (key, file))) = table(kernel, caller).zip(opened(kernel, caller, number))
    else {
        return Footprint::everything();
    };
    match (&file.kind, file.spot.node) {
        (OpenKind::Node(_), Node::Tmp(node)) if is_quiet(kernel) => {
            let at = offset.map_or(file.offset, |offset| offset.0);
            let pages = kernel.vfs.tmp.at(node).pages();
            let grows = pages.is_none_or(|pages| pages.pages_needed(at, length) > 0);
            if grows || file.flags.contains(OpenFlags::APPEND) {
                return Footprint::everything();
            }
            Footprint::of(&[table], &[Object::File(key), Object::Content(node)])
        }
        (OpenKind::Pipe(pipe, _), _) => Footprint::of(&[table], &[Object::Pipe(*pipe)]),
        (OpenKind::Counter(counter), _) => Footprint::of(&[table], &[Object::Counter(*counter)]),
        _ => Footprint::everything(),
    }
}

/// Of close(2), before it is done. A file whose last name is gone goes with its last descriptor.
pub(crate) fn of_close(kernel: &Kernel, caller: ThreadKey, number: u32) -> Footprint {
    let Some((table, (key, file))) = table(kernel, caller).zip(opened(kernel, caller, number))
    else {
        return Footprint::everything();
    };
    let stays = match (&file.kind, file.spot.node) {
        (OpenKind::Node(_), Node::Tmp(node)) => kernel.vfs.tmp.at(node).links > 0,
        (OpenKind::Node(_), node @ (Node::Cgroup(_) | Node::Control(..))) => {
            !crate::fs::is_dead(kernel, node)
        }
        _ => false,
    };
    if stays && is_quiet(kernel) {
        Footprint::of(&[], &[table, Object::File(key)])
    } else {
        Footprint::everything()
    }
}

#[cfg(test)]
mod tests {
    use super::{Footprint, Object};

    #[test]
    fn what_two_calls_only_read_is_no_conflict_and_what_is_not_known_is_one_with_all_but_nothing() {
        let reads = Footprint::of(&[Object::Names], &[]);
        let writes = Footprint::of(&[], &[Object::Names]);
        let other = Footprint::of(&[], &[Object::Charges]);
        for (one, another, expected) in [
            (&reads, &reads, false),
            (&reads, &writes, true),
            (&writes, &writes, true),
            (&writes, &other, false),
            (&Footprint::everything(), &other, true),
            (&Footprint::everything(), &Footprint::everything(), true),
            (&Footprint::everything(), &Footprint::nothing(), false),
        ] {
            assert_eq!(one.conflicts(another), expected, "{one:?} {another:?}");
            assert_eq!(another.conflicts(one), expected, "{another:?} {one:?}");
        }
    }
}
