//! Where something is, as links of /proc print it (proc(5)): from the root of the reader's mount namespace.

use standin::Failure;

use super::{ProcNode, mountinfo, text};
use crate::cgroup;
use crate::fs::{Node, Spot, TmpKey};
use crate::kernel::Kernel;
use crate::notify;
use crate::step::Step;

/// Adds the path of a spot.
///
/// # Errors
/// `NotModelled`: what was removed with the directory that it was in, and what has several names.
pub(super) fn add(kernel: &Kernel, spot: Spot, out: &mut Vec<u8>) -> Step<()> {
    let start = out.len();
    mountinfo::add_path(kernel, spot.mount, out)?;
    if kernel.vfs.mounts.at(spot.mount).root != spot.node {
        inside(kernel, spot, out)?;
    }
    if out.len() == start {
        out.push(b'/');
    }
    Ok(())
}

/// The part of it below the mount's root.
fn inside(kernel: &Kernel, spot: Spot, out: &mut Vec<u8>) -> Step<()> {
    let is_dead = crate::fs::is_dead(kernel, spot.node);
    match spot.node {
        Node::Tmp(mut key) => {
            let mut names = Vec::new();
            let root = kernel.vfs.mounts.at(spot.mount).root;
            while Node::Tmp(key) != root {
                let (above, name) = name_above(kernel, key)?;
                names.push(name);
                key = above;
            }
            for name in names.into_iter().rev() {
                out.push(b'/');
                out.extend_from_slice(name);
            }
        }
        Node::Cgroup(group) | Node::Control(group, _) => {
            let Node::Cgroup(root) = kernel.vfs.mounts.at(spot.mount).root else {
                return Err(unmodelled());
            };
            if group != root {
                cgroup::path_from(kernel, root, group, out);
            }
            if let Some(name) = cgroup::filesystem::name_of(spot.node) {
                out.push(b'/');
                out.extend_from_slice(name.as_bytes());
            }
        }
        Node::Proc(_) if is_dead => return Err(unmodelled()),
        Node::Proc(node) => in_proc(kernel, node, out)?,
    }
    // The files of a group that was removed are told as if they were there (recorded).
    if is_dead && !matches!(spot.node, Node::Control(..)) {
        out.extend_from_slice(b" (deleted)");
    }
    Ok(())
}

/// The directory of a node and its name there; of one that was removed the last.
fn name_above(kernel: &Kernel, key: TmpKey) -> Step<(TmpKey, &[u8])> {
    let vfs = &kernel.vfs;
    if vfs.tmp.at(key).links == 0 {
        return notify::last(vfs, key).ok_or_else(unmodelled);
    }
    let Some(names) = vfs.tmp.at(key).names() else { return only_name(kernel, key) };
    let above = names.parent.ok_or_else(unmodelled)?;
    let names_above = vfs.tmp.at(above).names();
    let name = names_above.and_then(|names| names.name_of(key));
    Ok((above, name.ok_or_else(unmodelled)?))
}

/// The directory and name of a file that has one name.
fn only_name(kernel: &Kernel, key: TmpKey) -> Step<(TmpKey, &[u8])> {
    let mut found = kernel.vfs.tmp.iter().filter_map(|(above, node)| {
        let name = node.names()?.name_of(key)?;
        Some((above, name))
    });
    match (found.next(), kernel.vfs.tmp.at(key).links) {
        (Some(only), 1) => Ok(only),
        _ => Err(unmodelled()),
    }
}

fn in_proc(kernel: &Kernel, node: ProcNode, out: &mut Vec<u8>) -> Step<()> {
    let above = super::parent(kernel, node);
    if above != ProcNode::Root {
        in_proc(kernel, above, out)?;
    }
    out.push(b'/');
    let number =
        |key| kernel.tasks.threads.get(key).map(|thread: &crate::task::Thread| thread.number);
    match node {
        ProcNode::Root => {
            out.pop();
        }
        ProcNode::Top(id) | ProcNode::OfProcess(_, id) | ProcNode::OfThread(_, id) => {
            out.extend_from_slice(id.row().name);
        }
        ProcNode::Setting(id) => out.extend_from_slice(id.name().as_bytes()),
        ProcNode::Process(key) | ProcNode::Thread(key) => {
            text::decimal(out, number(key).ok_or_else(unmodelled)?.into());
        }
        ProcNode::Tasks(_) => out.extend_from_slice(b"task"),
        ProcNode::Namespace(..) | ProcNode::Descriptor(..) => return Err(unmodelled()),
    }
    Ok(())
}

fn unmodelled() -> crate::step::Stop {
    Failure::NotModelled("the path of what has no name, or several").into()
}
