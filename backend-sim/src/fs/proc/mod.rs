//! /proc: a directory for each process and thread, and what their files say (proc(5)).
//!
//! Nodes are not stored: a [`ProcNode`] names a thread and a row of the table in `row`. A node of a process that was reaped
//! is dead, and says so. Neighbours: `task` (what is told), `fs` (which resolves names and asks here).

mod content;
mod link;
mod memory;
mod oom;
mod row;
mod stat;
mod status;
mod text;

use standin::backend::{AccessMode, FileKind, Listing};
use standin::id::{Bytes, Gid, Inode, Mode, Uid};
use standin::{Errno, Failure};

pub(crate) use link::{jump, readlink};
pub(crate) use row::RowId;
use row::{Content, Place};

use super::{AttributeChange, Attributes, FileKey, Node};
use crate::kernel::Kernel;
use crate::list::iterate;
use crate::step::Step;
use crate::task::{self, ThreadKey};

/// A file or directory of /proc. A process is named by the thread whose number it has: its leader, though a number of
/// another thread leads to a directory too, which is not listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum ProcNode {
    /// /proc itself.
    Root,
    /// A file of /proc itself.
    Top(RowId),
    /// /proc/PID
    Process(ThreadKey),
    /// /proc/PID/task
    Tasks(ThreadKey),
    /// /proc/PID/task/TID
    Thread(ThreadKey),
    /// A file of /proc/PID.
    OfProcess(ThreadKey, RowId),
    /// A file of /proc/PID/task/TID.
    OfThread(ThreadKey, RowId),
    /// Something in a directory that is not modelled.
    Unmodelled,
}

/// /proc's own directories, links counted: 2, and one for each directory in it (recorded).
const PROCESS_LINKS: u32 = 9;
const THREAD_LINKS: u32 = 7;

impl ProcNode {
    /// The thread it is about.
    const fn thread(self) -> Option<ThreadKey> {
        match self {
            Self::Process(thread)
            | Self::Tasks(thread)
            | Self::Thread(thread)
            | Self::OfProcess(thread, _)
            | Self::OfThread(thread, _) => Some(thread),
            Self::Root | Self::Top(_) | Self::Unmodelled => None,
        }
    }

    fn row(self) -> Option<&'static row::Row> {
        match self {
            Self::Top(id) | Self::OfProcess(_, id) | Self::OfThread(_, id) => Some(id.row()),
            Self::Root | Self::Process(_) | Self::Tasks(_) | Self::Thread(_) | Self::Unmodelled => {
                None
            }
        }
    }

    fn content(self) -> Content {
        self.row().map_or(Content::Unmodelled, |row| row.content)
    }
}

/// What a node is.
pub(crate) fn kind(node: ProcNode) -> FileKind {
    match node {
        ProcNode::Root | ProcNode::Process(_) | ProcNode::Tasks(_) | ProcNode::Thread(_) => {
            FileKind::Dir
        }
        ProcNode::Unmodelled => FileKind::File,
        ProcNode::Top(_) | ProcNode::OfProcess(..) | ProcNode::OfThread(..) => {
            node.row().map_or(FileKind::File, |row| row.kind)
        }
    }
}

/// What stands behind a name in a directory, as this caller sees it. `self` and `thread-self` are links.
pub(crate) fn lookup(
    kernel: &Kernel,
    caller: ThreadKey,
    node: ProcNode,
    name: &[u8],
) -> Option<Node> {
    let _ = caller;
    let release = kernel.profile.release;
    let found = match node {
        ProcNode::Root => match number(name) {
            Some(number) => ProcNode::Process(kernel.tasks.by_number(number)?),
            None => ProcNode::Top(row::find(Place::Top, name, release)?),
        },
        ProcNode::Process(thread) => {
            kernel.tasks.threads.get(thread)?;
            let id = row::find(Place::Process, name, release)?;
            if id.row().content == Content::Tasks {
                ProcNode::Tasks(thread)
            } else {
                ProcNode::OfProcess(thread, id)
            }
        }
        ProcNode::Tasks(thread) => {
            let process = kernel.tasks.threads.get(thread)?.process;
            let found = kernel.tasks.by_number(number(name)?)?;
            ProcNode::Thread((kernel.tasks.process_of(found) == process).then_some(found)?)
        }
        ProcNode::Thread(thread) => {
            kernel.tasks.threads.get(thread)?;
            ProcNode::OfThread(thread, row::find(Place::Thread, name, release)?)
        }
        ProcNode::Top(_)
        | ProcNode::OfProcess(..)
        | ProcNode::OfThread(..)
        | ProcNode::Unmodelled => ProcNode::Unmodelled,
    };
    Some(Node::Proc(found))
}

/// A process number as a name: decimal, without a leading zero.
fn number(name: &[u8]) -> Option<u32> {
    if !matches!(name.first(), Some(b'1'..=b'9')) {
        return None;
    }
    name.iter().try_fold(0_u32, |number, byte| match byte {
        b'0'..=b'9' => number.checked_mul(10)?.checked_add(u32::from(byte - b'0')),
        _ => None,
    })
}

/// The directory above.
pub(crate) fn parent(kernel: &Kernel, node: ProcNode) -> ProcNode {
    match node {
        ProcNode::Tasks(thread) | ProcNode::OfProcess(thread, _) => ProcNode::Process(thread),
        ProcNode::OfThread(thread, _) => ProcNode::Thread(thread),
        ProcNode::Thread(thread) => match kernel.tasks.threads.get(thread) {
            Some(record) => ProcNode::Tasks(kernel.tasks.processes.at(record.process).leader),
            None => ProcNode::Root,
        },
        ProcNode::Root | ProcNode::Top(_) | ProcNode::Process(_) | ProcNode::Unmodelled => {
            ProcNode::Root
        }
    }
}

/// Whether it is still there: its process was not reaped.
pub(crate) fn alive(kernel: &Kernel, node: ProcNode) -> bool {
    node.thread().is_none_or(|thread| kernel.tasks.threads.get(thread).is_some())
}

/// Whether the way down to it leads nowhere else as long as it is there.
pub(crate) fn has_one_name(node: ProcNode) -> bool {
    node != ProcNode::Unmodelled && kind(node) != FileKind::Link
}

/// Whether nobody may change it, root included: the directory of a process or thread.
pub(crate) const fn is_immutable(node: ProcNode) -> bool {
    matches!(node, ProcNode::Process(_) | ProcNode::Thread(_))
}

/// All names in a directory.
pub(crate) fn list(kernel: &Kernel, caller: ThreadKey, node: ProcNode, listing: &mut Listing) {
    let _ = caller;
    let release = kernel.profile.release;
    let (place, make): (_, Box<dyn Fn(RowId) -> ProcNode>) = match node {
        ProcNode::Root => (Place::Top, Box::new(ProcNode::Top)),
        ProcNode::Process(thread) if alive(kernel, node) => {
            (Place::Process, Box::new(move |id| ProcNode::OfProcess(thread, id)))
        }
        ProcNode::Thread(thread) if alive(kernel, node) => {
            (Place::Thread, Box::new(move |id| ProcNode::OfThread(thread, id)))
        }
        ProcNode::Tasks(thread) => return list_threads(kernel, thread, listing),
        ProcNode::Process(_)
        | ProcNode::Thread(_)
        | ProcNode::Top(_)
        | ProcNode::OfProcess(..)
        | ProcNode::OfThread(..)
        | ProcNode::Unmodelled => return,
    };
    for (id, row) in row::all(place, release) {
        listing.push(row.name, row.kind, inode(make(id)));
    }
    if node == ProcNode::Root {
        let processes =
            kernel.tasks.processes.iter().map(|(_, process)| (process.number, process.leader));
        let mut processes: Vec<(u32, ThreadKey)> = processes.collect();
        processes.sort_unstable();
        for (number, leader) in processes {
            list_number(listing, number, ProcNode::Process(leader));
        }
    }
}

fn list_threads(kernel: &Kernel, thread: ThreadKey, listing: &mut Listing) {
    let Some(record) = kernel.tasks.threads.get(thread) else { return };
    let threads = kernel.tasks.processes.at(record.process).threads;
    for (key, thread) in iterate(&kernel.tasks.threads, threads, |thread| &thread.siblings) {
        list_number(listing, thread.number, ProcNode::Thread(key));
    }
}

fn list_number(listing: &mut Listing, number: u32, node: ProcNode) {
    let mut name = Vec::with_capacity(8);
    text::decimal(&mut name, number.into());
    listing.push(&name, FileKind::Dir, inode(node));
}

/// A number for each node, the same as long as it is there.
fn inode(node: ProcNode) -> Inode {
    let (thread, below) = match node {
        ProcNode::Root => return Inode(1),
        ProcNode::Unmodelled => return Inode(2),
        ProcNode::Top(id) => return Inode(0x1_0000 + u64::from(id.number())),
        ProcNode::Process(thread) => (thread, 0),
        ProcNode::Tasks(thread) => (thread, 1),
        ProcNode::Thread(thread) => (thread, 2),
        ProcNode::OfProcess(thread, id) => (thread, 0x100 + u64::from(id.number())),
        ProcNode::OfThread(thread, id) => (thread, 0x200 + u64::from(id.number())),
    };
    Inode((thread.number() + 1) << 20 | below)
}

/// Attributes as this caller sees them.
pub(crate) fn attributes(kernel: &Kernel, caller: ThreadKey, node: ProcNode) -> Attributes {
    let _ = caller;
    let mode = match node {
        ProcNode::Root | ProcNode::Process(_) | ProcNode::Tasks(_) | ProcNode::Thread(_) => {
            Mode::new(0o555)
        }
        ProcNode::Top(_)
        | ProcNode::OfProcess(..)
        | ProcNode::OfThread(..)
        | ProcNode::Unmodelled => node.row().map_or(Mode::new(0o444), |row| row.mode),
    };
    let kind = kind(node);
    let (owner, group) = owner(kernel, node, kind == FileKind::Dir && mode == Mode::new(0o555));
    let threads = |thread| kernel.tasks.processes.at(kernel.tasks.process_of(thread)).threads.len();
    let links = match node {
        ProcNode::Root => u32::try_from(kernel.tasks.processes.len()).unwrap_or(u32::MAX),
        ProcNode::Process(_) => PROCESS_LINKS,
        ProcNode::Thread(_) => THREAD_LINKS,
        ProcNode::Tasks(thread) if alive(kernel, node) => 2 + threads(thread),
        ProcNode::Tasks(_)
        | ProcNode::OfProcess(..)
        | ProcNode::OfThread(..)
        | ProcNode::Top(_)
        | ProcNode::Unmodelled => {
            if kind == FileKind::Dir {
                2
            } else {
                1
            }
        }
    };
    Attributes {
        kind,
        mode,
        owner,
        group,
        size: Bytes(0),
        links,
        modified: kernel.clock.realtime(),
        inode: inode(node),
    }
}

/// Whose a node is: a thread's effective user's; its files are root's if it is not dumpable, or has exited.
fn owner(kernel: &Kernel, node: ProcNode, open_directory: bool) -> (Uid, Gid) {
    let thread = node.thread().and_then(|thread| kernel.tasks.threads.get(thread));
    let Some(thread) = thread else { return (Uid::ROOT, Gid::ROOT) };
    let dumpable = kernel.tasks.processes.at(thread.process).dumpable && !thread.exited;
    if open_directory || dumpable {
        (thread.credentials.user.effective, thread.credentials.group.effective)
    } else {
        (Uid::ROOT, Gid::ROOT)
    }
}

/// chmod and chown: the caller may do so as far as owner and capabilities go; EPERM where /proc refuses. What is done to a
/// process's file is forgotten at the next look.
pub(crate) fn change(
    kernel: &mut Kernel,
    caller: ThreadKey,
    node: ProcNode,
    change: AttributeChange,
) -> Step<()> {
    let now = attributes(kernel, caller, node);
    let sys = node.row().is_some_and(|row| row.name == b"sys");
    if change.mode.is_some() && (node.thread().is_some() || sys) {
        return Err(Errno::EPERM.into());
    }
    let differs = change.mode.is_some_and(|mode| mode != now.mode)
        || change.owner.is_some_and(|owner| owner != now.owner)
        || change.group.is_some_and(|group| group != now.group);
    if differs && node.thread().is_none() {
        return Err(Failure::NotModelled("other attributes of a file of /proc").into());
    }
    Ok(())
}

/// Whether pwrite(2) finds a place in it: not in the files whose text is made as a whole when they are read, which are
/// nearly all.
pub(crate) fn takes_offset(node: ProcNode) -> bool {
    matches!(node.content(), Content::Command | Content::OomAdjustment)
}

/// What opening checks besides permission bits: whether there is anything to tell.
pub(crate) fn open(
    kernel: &mut Kernel,
    caller: ThreadKey,
    node: ProcNode,
    access: AccessMode,
) -> Step<()> {
    let _ = (kernel, caller);
    let unmodelled = match node {
        ProcNode::Root | ProcNode::Process(_) | ProcNode::Tasks(_) | ProcNode::Thread(_) => false,
        ProcNode::Top(_)
        | ProcNode::OfProcess(..)
        | ProcNode::OfThread(..)
        | ProcNode::Unmodelled => node.content() == Content::Unmodelled,
    };
    if unmodelled && access != AccessMode::Path { Err(not_modelled(node)) } else { Ok(()) }
}

fn not_modelled(node: ProcNode) -> crate::step::Stop {
    let name = node.row().and_then(|row| std::str::from_utf8(row.name).ok());
    Failure::NotModelled(name.unwrap_or("a file below a directory of /proc")).into()
}

/// The whole text of a file, added to `text`.
pub(crate) fn read(
    kernel: &Kernel,
    caller: ThreadKey,
    node: ProcNode,
    text: &mut Vec<u8>,
) -> Step<()> {
    let (thread, whole) = match node {
        ProcNode::OfProcess(thread, _) => (thread, true),
        ProcNode::OfThread(thread, _) => (thread, false),
        ProcNode::Root
        | ProcNode::Top(_)
        | ProcNode::Process(_)
        | ProcNode::Tasks(_)
        | ProcNode::Thread(_)
        | ProcNode::Unmodelled => return Err(not_modelled(node)),
    };
    let Some(record) = kernel.tasks.threads.get(thread) else { return Err(Errno::ESRCH.into()) };
    match node.content() {
        Content::Status => status::print(kernel, caller, thread, text),
        Content::Stat => stat::print(kernel, caller, thread, whole, text),
        Content::Statm => content::statm(kernel, record, text),
        Content::Cgroup => return content::cgroup(kernel, record, text),
        Content::Comm => content::comm(record, text),
        Content::Command => content::command(kernel, record, text),
        Content::Limits => content::limits(kernel, record, text),
        Content::IdMap => content::id_map(text),
        Content::OomAdjustment => oom::print(kernel, record.process, text),
        Content::Setgroups => text.extend_from_slice(b"allow\n"),
        Content::Unmodelled
        | Content::Tasks
        | Content::Directory
        | Content::RootDirectory
        | Content::LinkTo(_)
        | Content::OwnProcess
        | Content::OwnThread => return Err(not_modelled(node)),
    }
    Ok(())
}

/// One write. Only a thread's name can be written, by its own process, and a write of nothing empties it.
pub(crate) fn write(
    kernel: &mut Kernel,
    caller: ThreadKey,
    file: FileKey,
    bytes: &[u8],
) -> Step<usize> {
    let Node::Proc(node) = kernel.vfs.files.at(file).spot.node else {
        return Err(Errno::EINVAL.into());
    };
    let Some(thread) = node.thread() else { return Err(not_modelled(node)) };
    match node.content() {
        Content::Comm => {
            let Some(record) = kernel.tasks.threads.get(thread) else {
                return Err(Errno::ESRCH.into());
            };
            if record.process != kernel.tasks.process_of(caller) {
                return Err(Errno::EINVAL.into());
            }
            kernel.tasks.threads.at_mut(thread).name = task::Name::new(bytes);
            Ok(bytes.len())
        }
        Content::OomAdjustment => {
            let process = kernel.tasks.threads.get(thread).ok_or(Errno::ESRCH)?.process;
            Ok(oom::write(kernel, caller, process, bytes)?)
        }
        Content::IdMap | Content::Setgroups | Content::Unmodelled => Err(not_modelled(node)),
        Content::Status
        | Content::Stat
        | Content::Statm
        | Content::Cgroup
        | Content::Command
        | Content::Limits
        | Content::Tasks
        | Content::Directory
        | Content::RootDirectory
        | Content::LinkTo(_)
        | Content::OwnProcess
        | Content::OwnThread => Err(Errno::EINVAL.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn a_number_is_decimal_without_a_leading_zero() {
        assert_eq!(number(b"1"), Some(1));
        assert_eq!(number(b"4194303"), Some(4_194_303));
        for name in [b"".as_slice(), b"0", b"01", b"-1", b"+1", b"1a", b"99999999999"] {
            assert_eq!(number(name), None);
        }
    }
}
