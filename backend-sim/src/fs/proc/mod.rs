//! /proc: a directory for each process and thread, and what their files say (proc(5)).
//!
//! Nodes are not stored: a [`ProcNode`] names a thread and a row of the table in `row`. A node of a process that was reaped
//! is dead, and says so. Neighbours: `task` (what is told), `fs` (which resolves names and asks here).

mod attributes;
mod content;
mod descriptor;
mod directory;
mod guard;
mod hide;
mod link;
mod memory;
mod memory_info;
pub(crate) mod mount;
mod mountinfo;
mod namespace;
pub(crate) mod news;
mod oom;
mod path;
mod processors;
mod row;
mod small;
mod stat;
mod status;
pub(crate) mod sysctl;
mod system;
mod text;

use standin::backend::{AccessMode, FileKind};
use standin::{Errno, Failure};

use attributes::inode;
pub(crate) use attributes::{attributes, change, mode_of_setting, setting};
pub(crate) use directory::{list, lookup, parent};
pub(crate) use guard::check_search;
pub(crate) use hide::{Hiding, check_entered, check_seen};
pub(crate) use link::{jump, readlink};
pub(crate) use mountinfo::add_path;
pub(crate) use row::RowId;
use row::{Content, Guard};
pub(crate) use small::Marks;

use super::opened::Beginning;
use super::{FileKey, Node, opened};
use crate::kernel::Kernel;
use crate::namespace::{Held, of, time, user};
use crate::step::Step;
use crate::task::{self, ThreadKey};

/// The names of all rows of /proc, in their order.
#[cfg(feature = "serde")]
pub(crate) fn row_names() -> impl Iterator<Item = &'static [u8]> {
    row::names().chain(sysctl::names())
}

/// A file or directory of /proc. A process is named by the thread whose number it has: its leader, though a number of
/// another thread leads to a directory too, which is not listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
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
    /// A link of /proc/PID/ns or /proc/PID/task/TID/ns.
    Namespace(ThreadKey, namespace::LinkId),
    /// A link of /proc/PID/fd or a file of /proc/PID/fdinfo, which the row tells apart, with the descriptor's number.
    Descriptor(ThreadKey, RowId, u32),
    /// A file or directory below /proc/sys.
    Setting(sysctl::SettingId),
}

impl ProcNode {
    /// The thread it is about.
    const fn thread(self) -> Option<ThreadKey> {
        match self {
            Self::Process(thread)
            | Self::Tasks(thread)
            | Self::Thread(thread)
            | Self::OfProcess(thread, _)
            | Self::OfThread(thread, _)
            | Self::Namespace(thread, _)
            | Self::Descriptor(thread, ..) => Some(thread),
            Self::Root | Self::Top(_) | Self::Setting(_) => None,
        }
    }

    fn row(self) -> Option<&'static row::Row> {
        match self {
            Self::Top(id) | Self::OfProcess(_, id) | Self::OfThread(_, id) => Some(id.row()),
            Self::Root
            | Self::Process(_)
            | Self::Tasks(_)
            | Self::Thread(_)
            | Self::Namespace(..)
            | Self::Descriptor(..)
            | Self::Setting(_) => None,
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
        ProcNode::Namespace(..) => FileKind::Link,
        ProcNode::Descriptor(_, id, _) => descriptor::kind(id),
        ProcNode::Setting(id) => id.kind(),
        ProcNode::Top(_) | ProcNode::OfProcess(..) | ProcNode::OfThread(..) => {
            node.row().map_or(FileKind::File, |row| row.kind)
        }
    }
}

/// Whether it is still there: its process was not reaped.
pub(crate) fn alive(kernel: &Kernel, node: ProcNode) -> bool {
    node.thread().is_none_or(|thread| kernel.tasks.threads.get(thread).is_some())
        && descriptor::is_open(kernel, node)
}

/// Whether the way down to it leads nowhere else as long as it is there.
pub(crate) fn has_one_name(node: ProcNode) -> bool {
    match node {
        ProcNode::Descriptor(..) => false,
        ProcNode::Setting(id) => !id.depends_on_reader(),
        ProcNode::Root
        | ProcNode::Top(_)
        | ProcNode::Process(_)
        | ProcNode::Tasks(_)
        | ProcNode::Thread(_)
        | ProcNode::OfProcess(..)
        | ProcNode::OfThread(..)
        | ProcNode::Namespace(..) => kind(node) != FileKind::Link,
    }
}

/// Whether nobody may change it, root included: the directory of a process or thread.
pub(crate) const fn is_immutable(node: ProcNode) -> bool {
    matches!(node, ProcNode::Process(_) | ProcNode::Thread(_))
}

/// Whether it is the directory of the caller's own descriptors, which is its to use whatever the mode says.
pub(crate) fn is_own(kernel: &Kernel, caller: ThreadKey, node: ProcNode) -> bool {
    let process = |thread| kernel.tasks.threads.get(thread).map(|record| record.process);
    node.content() == Content::Descriptors
        && node.thread().and_then(process) == Some(kernel.tasks.process_of(caller))
}

/// Whether pwrite(2) finds a place in it: not in the files whose text is made as a whole when they are read, which are
/// nearly all.
pub(crate) fn takes_offset(node: ProcNode) -> bool {
    if let Content::Small(small) = node.content() {
        return small.takes_offset();
    }
    matches!(node.content(), Content::Command | Content::OomAdjustment)
        || matches!(node, ProcNode::Setting(_))
}

/// Whether it tells of the pressure on the machine.
pub(crate) fn tells_pressure(node: ProcNode) -> bool {
    matches!(node.content(), Content::System(system::System::Pressure(_)))
}

/// The text of a file that tells of a namespace, of no other once it is open.
fn read_of_namespace(
    kernel: &Kernel,
    caller: ThreadKey,
    (file, node): (FileKey, ProcNode),
    text: &mut Vec<u8>,
) -> Step<()> {
    match (opened::namespace_of(kernel, file), node.content()) {
        (Some(Held::Mount(of)), _) => mountinfo::read(kernel, caller, (of, node), text)?,
        (Some(Held::User(of)), Content::IdMap(which)) => {
            let reader = kernel.vfs.files.at(file).opener.namespace;
            user::read_map(kernel, reader, of, which, text);
        }
        (Some(Held::User(of)), _) => {
            text.extend_from_slice(user::read_setgroups(kernel, of));
        }
        (Some(_) | None, _) => return Err(Errno::ESRCH.into()),
    }
    Ok(())
}

/// What opening checks besides permission bits: whether there is anything to tell. And what the open file begins with.
pub(super) fn open(
    kernel: &mut Kernel,
    caller: ThreadKey,
    node: ProcNode,
    access: AccessMode,
) -> Step<Beginning> {
    if access == AccessMode::Path {
        return Ok(Beginning::default());
    }
    let Some(row) = node.row() else {
        if matches!(node, ProcNode::Root | ProcNode::Process(_) | ProcNode::Thread(_)) {
            kernel.only_without_contexts("a list of /proc")?;
        }
        let namespace = setting(node).and_then(|id| sysctl::namespace(kernel, caller, id));
        return Ok(news::beginning(kernel, node, namespace));
    };
    let is_unmodelled = matches!(row.content, Content::Unmodelled);
    let Some(thread) = node.thread() else {
        return if is_unmodelled { Err(not_modelled(node)) } else { Ok(Beginning::default()) };
    };
    if matches!(row.content, Content::Status | Content::Stat) {
        kernel.only_without_contexts("what /proc tells of a task on a kernel with contexts")?;
    }
    if !matches!(row.guard, Guard::None) {
        guard::check(kernel, caller, thread, row.guard)?;
    }
    // What has exited has no memory to tell of.
    let is_empty = row.guard.is_of_memory() && !kernel.tasks.is_alive(thread);
    if is_unmodelled && !is_empty {
        return Err(not_modelled(node));
    }
    if row.content.lists_mounts() {
        mountinfo::open(kernel, thread)?;
    }
    if matches!(row.content, Content::Setgroups)
        && access != AccessMode::Read
        && let Some(record) = kernel.tasks.threads.get(thread)
    {
        user::may_open_setgroups(kernel, caller, record.credentials.namespace)?;
    }
    if !row.content.is_of_namespace() {
        return Ok(Beginning::default());
    }
    let namespace = if row.content.lists_mounts() {
        Held::Mount(of(kernel, thread).mount)
    } else {
        Held::User(kernel.tasks.threads.get(thread).ok_or(Errno::ESRCH)?.credentials.namespace)
    };
    Ok(news::beginning(kernel, node, Some(namespace)))
}

fn not_modelled(node: ProcNode) -> crate::step::Stop {
    let name = node.row().and_then(|row| std::str::from_utf8(row.name).ok());
    Failure::NotModelled(name.unwrap_or("a file below a directory of /proc")).into()
}

/// The whole text of a file, added to `text`.
pub(crate) fn read(
    kernel: &Kernel,
    caller: ThreadKey,
    (file, node): (FileKey, ProcNode),
    text: &mut Vec<u8>,
) -> Step<()> {
    let content = node.content();
    let (thread, whole) = match node {
        ProcNode::OfProcess(thread, _) => (thread, true),
        ProcNode::OfThread(thread, _) => (thread, false),
        ProcNode::Top(_) if content == Content::Controllers => {
            content::controllers(kernel, text);
            return Ok(());
        }
        ProcNode::Top(_) if let Content::System(system) = content => {
            return system::print(kernel, caller, system, text);
        }
        ProcNode::Descriptor(thread, _, number) => {
            return descriptor::info(kernel, caller, (thread, number), text);
        }
        ProcNode::Root
        | ProcNode::Top(_)
        | ProcNode::Process(_)
        | ProcNode::Tasks(_)
        | ProcNode::Thread(_)
        | ProcNode::Namespace(..)
        | ProcNode::Setting(_) => return Err(not_modelled(node)),
    };
    if content.is_of_namespace() {
        return read_of_namespace(kernel, caller, (file, node), text);
    }
    let Some(record) = kernel.tasks.threads.get(thread) else { return Err(Errno::ESRCH.into()) };
    let shown = || kernel.pids_shown(kernel.vfs.files.at(file).spot.mount);
    match content {
        Content::Status => status::print(kernel, (caller, shown()), thread, text),
        Content::Stat => stat::print(kernel, (caller, shown()), thread, whole, text),
        Content::Statm => content::statm(kernel, record, text),
        Content::Cgroup => content::cgroup(kernel, caller, record, text),
        Content::Cpuset => content::cpuset(kernel, caller, thread, text),
        Content::Comm => content::comm(record, text),
        Content::Command => content::command(kernel, record, text),
        Content::Environment => content::environment(kernel, record, text)?,
        Content::Limits => content::limits(kernel, record, text),
        Content::OomAdjustment => oom::print(kernel, record.process, text),
        Content::TimeOffsets if record.exited => {}
        Content::TimeOffsets => time::print(kernel, thread, text),
        Content::Small(small) => {
            return small::print(kernel, (caller, shown()), thread, small, text);
        }
        Content::Unmodelled
            if record.exited
                && let Some(row) = node.row()
                && row.guard.is_of_memory() =>
        {
            if row.guard == Guard::SumOfMemory {
                return Err(Errno::ESRCH.into());
            }
        }
        Content::Unmodelled
        | Content::IdMap(_)
        | Content::Setgroups
        | Content::Mounts
        | Content::MountTable
        | Content::MountStatistics
        | Content::Below(_)
        | Content::Descriptors
        | Content::DescriptorInfo
        | Content::System(_)
        | Content::Controllers
        | Content::Tasks
        | Content::Namespaces
        | Content::Settings
        | Content::Directory
        | Content::RootDirectory
        | Content::LinkTo(_)
        | Content::OwnProcess
        | Content::OwnThread => return Err(not_modelled(node)),
    }
    Ok(())
}

/// One write. A thread's name can be written by its own process, and a write of nothing empties it.
pub(crate) fn write(
    kernel: &mut Kernel,
    caller: ThreadKey,
    file: FileKey,
    offset: u64,
    bytes: &[u8],
) -> Step<usize> {
    let Node::Proc(node) = kernel.vfs.files.at(file).spot.node else {
        return Err(Errno::EINVAL.into());
    };
    if matches!(node, ProcNode::Descriptor(..)) {
        return Err(Errno::EINVAL.into());
    }
    if node.content() == Content::Controllers {
        return Err(Errno::EIO.into());
    }
    if let Content::System(system) = node.content() {
        return system::write(kernel, file, system, bytes);
    }
    let Some(thread) = node.thread() else { return Err(not_modelled(node)) };
    if let Some(Held::User(of)) = opened::namespace_of(kernel, file) {
        if let Content::IdMap(which) = node.content() {
            user::write_map(kernel, caller, file, (of, which), offset, bytes)?;
        } else {
            user::write_setgroups(kernel, of, offset, bytes)?;
        }
        return Ok(bytes.len());
    }
    match node.content() {
        Content::Small(small) => small::write(kernel, caller, (thread, small, file), offset, bytes),
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
        Content::TimeOffsets => {
            if kernel.tasks.threads.get(thread).is_none_or(|record| record.exited) {
                return Err(Errno::ESRCH.into());
            }
            Ok(time::write(kernel, file, thread, offset, bytes)?)
        }
        Content::Unmodelled => Err(not_modelled(node)),
        Content::Status
        | Content::Stat
        | Content::Statm
        | Content::Cgroup
        | Content::Cpuset
        | Content::Controllers
        | Content::Command
        | Content::Environment
        | Content::Limits
        | Content::IdMap(_)
        | Content::Setgroups
        | Content::Mounts
        | Content::MountTable
        | Content::MountStatistics
        | Content::Below(_)
        | Content::Descriptors
        | Content::DescriptorInfo
        | Content::System(_)
        | Content::Tasks
        | Content::Namespaces
        | Content::Settings
        | Content::Directory
        | Content::RootDirectory
        | Content::LinkTo(_)
        | Content::OwnProcess
        | Content::OwnThread => Err(Errno::EINVAL.into()),
    }
}
