//! The links of /proc: those of text, and the magic ones, which lead to an object and not to a path (proc(5)).

use standin::Errno;

use super::row::Content;
use super::{ProcNode, descriptor, namespace, not_modelled, path, text};
use crate::fs::{MountKey, Spot};
use crate::kernel::Kernel;
use crate::namespace::mount;
use crate::step::Step;
use crate::task::{self, ThreadKey, footing};

/// Where a link leads.
pub(crate) fn readlink(
    kernel: &Kernel,
    caller: ThreadKey,
    (mount, node): (MountKey, ProcNode),
) -> Step<Vec<u8>> {
    if let ProcNode::Namespace(thread, id) = node {
        return namespace::readlink(kernel, caller, thread, id);
    }
    if let ProcNode::Descriptor(thread, _, number) = node {
        return descriptor::readlink(kernel, caller, (thread, number));
    }
    let mut text = Vec::new();
    let thread = kernel.tasks.threads.at(caller);
    let process = kernel.tasks.processes.at(thread.process);
    // Who is not in the mount's PID namespace has no directory there.
    let shown = |number| {
        let to = kernel.pids_shown(mount);
        let number = kernel.number_in(to, number);
        if number == 0 { Err(Errno::ENOENT) } else { Ok(u64::from(number)) }
    };
    match node.content() {
        Content::LinkTo(target) => text.extend_from_slice(target),
        Content::OwnProcess => text::decimal(&mut text, shown(process.number)?),
        Content::OwnThread => {
            text::decimal(&mut text, shown(process.number)?);
            text.extend_from_slice(b"/task/");
            text::decimal(&mut text, shown(thread.number)?);
        }
        Content::RootDirectory => {
            may_jump(kernel, caller, node)?;
            text.push(b'/');
        }
        Content::Directory => {
            let thread = may_jump(kernel, caller, node)?;
            path::add(kernel, kernel.process(thread).directory, &mut text)?;
        }
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
        | Content::Environment
        | Content::Limits
        | Content::IdMap(_)
        | Content::Setgroups
        | Content::TimeOffsets
        | Content::OomAdjustment
        | Content::Mounts
        | Content::MountTable
        | Content::MountStatistics
        | Content::Below(_)
        | Content::Descriptors
        | Content::DescriptorInfo
        | Content::Small(_)
        | Content::System(_) => {
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
    if let ProcNode::Descriptor(thread, _, number) = node {
        return descriptor::jump(kernel, caller, (thread, number)).map(Some);
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
        | Content::Environment
        | Content::Limits
        | Content::IdMap(_)
        | Content::Setgroups
        | Content::TimeOffsets
        | Content::OomAdjustment
        | Content::Mounts
        | Content::MountTable
        | Content::MountStatistics
        | Content::Below(_)
        | Content::Descriptors
        | Content::DescriptorInfo
        | Content::Small(_)
        | Content::System(_)
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
