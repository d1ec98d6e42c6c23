//! The links of /proc: those of text, and the magic ones, which lead to an object and not to a path (proc(5)).

use standin::Errno;

use super::row::Content;
use super::{ProcNode, namespace, not_modelled, text};
use crate::fs::Spot;
use crate::kernel::Kernel;
use crate::namespace::mount;
use crate::step::Step;
use crate::task::{self, ThreadKey, footing};

/// Where a link leads.
pub(crate) fn readlink(kernel: &Kernel, caller: ThreadKey, node: ProcNode) -> Step<Vec<u8>> {
    if let ProcNode::Namespace(thread, id) = node {
        return namespace::readlink(kernel, caller, thread, id);
    }
    let mut text = Vec::new();
    let thread = kernel.tasks.threads.at(caller);
    let process = kernel.tasks.processes.at(thread.process);
    match node.content() {
        Content::LinkTo(target) => text.extend_from_slice(target),
        Content::OwnProcess => text::decimal(&mut text, process.number.into()),
        Content::OwnThread => {
            text::decimal(&mut text, process.number.into());
            text.extend_from_slice(b"/task/");
            text::decimal(&mut text, thread.number.into());
        }
        Content::RootDirectory => {
            may_jump(kernel, caller, node)?;
            text.push(b'/');
        }
        Content::Directory
        | Content::Unmodelled
        | Content::Tasks
        | Content::Namespaces
        | Content::Settings
        | Content::Status
        | Content::Stat
        | Content::Statm
        | Content::Cgroup
        | Content::Cpuset
        | Content::Controllers
        | Content::Comm
        | Content::Command
        | Content::Limits
        | Content::IdMap(_)
        | Content::Setgroups
        | Content::TimeOffsets
        | Content::OomAdjustment
        | Content::Mounts
        | Content::MountTable => {
            may_jump(kernel, caller, node)?;
            return Err(not_modelled(node));
        }
    }
    Ok(text)
}

/// The object that a magic link leads to; `None` for a link of text.
pub(crate) fn jump(kernel: &Kernel, caller: ThreadKey, node: ProcNode) -> Step<Option<Spot>> {
    let content = node.content();
    if node.thread().is_none() {
        return Ok(None);
    }
    let thread = may_jump(kernel, caller, node)?;
    match content {
        Content::Directory => Ok(Some(footing::directory(kernel, thread))),
        Content::RootDirectory => Ok(Some(mount::root(kernel, thread))),
        Content::Unmodelled
        | Content::Tasks
        | Content::Namespaces
        | Content::Settings
        | Content::Status
        | Content::Stat
        | Content::Statm
        | Content::Cgroup
        | Content::Cpuset
        | Content::Controllers
        | Content::Comm
        | Content::Command
        | Content::Limits
        | Content::IdMap(_)
        | Content::Setgroups
        | Content::TimeOffsets
        | Content::OomAdjustment
        | Content::Mounts
        | Content::MountTable
        | Content::LinkTo(_)
        | Content::OwnProcess
        | Content::OwnThread => Err(not_modelled(node)),
    }
}

/// Whether the caller may see what a process's link leads to: EACCES if it may not look into it, ENOENT if it has exited.
fn may_jump(kernel: &Kernel, caller: ThreadKey, node: ProcNode) -> Step<ThreadKey> {
    let thread = node.thread().filter(|thread| kernel.tasks.threads.get(*thread).is_some());
    let thread = thread.ok_or(Errno::ENOENT)?;
    if !task::may_look_into(kernel, caller, thread) {
        return Err(Errno::EACCES.into());
    }
    if kernel.tasks.is_alive(thread) { Ok(thread) } else { Err(Errno::ENOENT.into()) }
}
