//! What stat(2) tells of the files and directories of /proc, and what chmod(2) and chown(2) do to them.

use standin::backend::FileKind;
use standin::id::{Bytes, Gid, Inode, Mode, Uid};
use standin::{Errno, Failure};

use super::row::Content;
use super::sysctl::{self, SettingId};
use super::{ProcNode, alive, descriptor, kind};
use crate::fs::{AttributeChange, Attributes};
use crate::kernel::Kernel;
use crate::step::Step;
use crate::task::ThreadKey;

/// /proc's own directories, links counted: 2, and one for each directory in it (recorded).
const PROCESS_LINKS: u32 = 9;
const THREAD_LINKS: u32 = 7;

/// A number for each node, the same as long as it is there.
pub(super) fn inode(node: ProcNode) -> Inode {
    let (thread, below) = match node {
        ProcNode::Root => return Inode(1),
        ProcNode::Top(id) => return Inode(0x1_0000 + u64::from(id.number())),
        ProcNode::Setting(id) => return Inode(0x2_0000 + u64::from(id.number())),
        ProcNode::Process(thread) => (thread, 0),
        ProcNode::Tasks(thread) => (thread, 1),
        ProcNode::Thread(thread) => (thread, 2),
        ProcNode::OfProcess(thread, id) => (thread, 0x100 + u64::from(id.number())),
        ProcNode::OfThread(thread, id) => (thread, 0x200 + u64::from(id.number())),
        ProcNode::Namespace(thread, id) => (thread, 0x300 + u64::from(id.number())),
        ProcNode::Descriptor(thread, id, number) => {
            let number = u64::from(number) << 1 | u64::from(descriptor::kind(id) == FileKind::Link);
            (thread, 0x1000 + number % 0xf_0000)
        }
    };
    Inode((thread.number() + 1) << 20 | below)
}

/// Attributes as this caller sees them.
pub(crate) fn attributes(kernel: &Kernel, caller: ThreadKey, node: ProcNode) -> Attributes {
    let mode = match node {
        ProcNode::Root | ProcNode::Process(_) | ProcNode::Tasks(_) | ProcNode::Thread(_) => {
            Mode::new(0o555)
        }
        ProcNode::Namespace(..) => Mode::new(0o777),
        ProcNode::Setting(id) => id.mode(),
        ProcNode::Descriptor(thread, id, number) => descriptor::mode(kernel, thread, id, number),
        ProcNode::Top(_) | ProcNode::OfProcess(..) | ProcNode::OfThread(..) => {
            node.row().map_or(Mode::new(0o444), |row| row.mode)
        }
    };
    let kind = kind(node);
    let (owner, group) = if let ProcNode::Setting(id) = node {
        sysctl::owner(kernel, &sysctl::Meant::of(kernel, caller), id)
    } else {
        owner(kernel, node, kind == FileKind::Dir && mode == Mode::new(0o555))
    };
    let threads = |thread| kernel.tasks.processes.at(kernel.tasks.process_of(thread)).threads.len();
    let links = match node {
        ProcNode::Root => u32::try_from(kernel.tasks.processes.len()).unwrap_or(u32::MAX),
        ProcNode::Process(_) => PROCESS_LINKS,
        ProcNode::Thread(_) => THREAD_LINKS,
        ProcNode::Tasks(thread) if alive(kernel, node) => 2 + threads(thread),
        ProcNode::Namespace(..) | ProcNode::Descriptor(..) | ProcNode::Setting(_) => 1,
        ProcNode::Tasks(_)
        | ProcNode::OfProcess(..)
        | ProcNode::OfThread(..)
        | ProcNode::Top(_) => {
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

/// The permission bits of a file or directory of /proc/sys, itself among them, which count for themselves; `None` elsewhere.
pub(crate) fn mode_of_setting(node: ProcNode) -> Option<Mode> {
    match node {
        ProcNode::Setting(id) => Some(id.mode()),
        ProcNode::Top(id) if id.row().content == Content::Settings => Some(id.row().mode),
        ProcNode::Root
        | ProcNode::Top(_)
        | ProcNode::Process(_)
        | ProcNode::Tasks(_)
        | ProcNode::Thread(_)
        | ProcNode::OfProcess(..)
        | ProcNode::OfThread(..)
        | ProcNode::Descriptor(..)
        | ProcNode::Namespace(..) => None,
    }
}

/// Which file or directory below /proc/sys it is.
pub(crate) const fn setting(node: ProcNode) -> Option<SettingId> {
    match node {
        ProcNode::Setting(id) => Some(id),
        ProcNode::Root
        | ProcNode::Top(_)
        | ProcNode::Process(_)
        | ProcNode::Tasks(_)
        | ProcNode::Thread(_)
        | ProcNode::OfProcess(..)
        | ProcNode::OfThread(..)
        | ProcNode::Descriptor(..)
        | ProcNode::Namespace(..) => None,
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
    let is_setting = node.content() == Content::Settings || matches!(node, ProcNode::Setting(_));
    if is_setting || (change.mode.is_some() && node.thread().is_some()) {
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
