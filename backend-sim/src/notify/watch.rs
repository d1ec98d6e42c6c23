//! Making and ending watches (inotify_add_watch(2), inotify_rm_watch(2)).

use standin::backend::{Access, FileKind, WatchFlags};
use standin::id::WatchId;
use standin::path::Follow;
use standin::{Errno, Failure};

use super::check::vet_watch;
use super::{LEAST_WATCHES, Watch, WatcherKey, event};
use crate::fs::{Node, OpenKind, attributes, descriptors, kind, permission};
use crate::kernel::Kernel;
use crate::ops::PlaceArg;
use crate::step::Step;
use crate::task::ThreadKey;

/// What can be watched for.
const EVENTS: WatchFlags = WatchFlags::from_bits_truncate(0xfff);

/// Which flags count as something to watch for, so that a mask is one.
const KNOWN: WatchFlags = EVENTS
    .union(WatchFlags::UNMOUNT)
    .union(WatchFlags::QUEUE_OVERFLOW)
    .union(WatchFlags::IGNORED)
    .union(WatchFlags::ONLY_DIR)
    .union(WatchFlags::DONT_FOLLOW)
    .union(WatchFlags::MASK_ADD)
    .union(WatchFlags::MASK_CREATE)
    .union(WatchFlags::IS_DIR)
    .union(WatchFlags::ONESHOT);

/// Watches a file: the watch's number. A file that is watched already keeps its watch, with another mask or with more in it.
///
/// # Errors
/// EINVAL: nothing to watch for, flags that do not go together, no watcher. EBADF. ENOTDIR. EACCES: the file may not be read.
/// EEXIST: it is watched, and the watch was to be new. ENOSPC: the user has too many. What the path refuses.
pub(crate) fn add(
    kernel: &mut Kernel,
    caller: ThreadKey,
    number: u32,
    place: PlaceArg<'_>,
    flags: WatchFlags,
) -> Step<WatchId> {
    if !flags.intersects(KNOWN) {
        return Err(Errno::EINVAL.into());
    }
    let file = descriptors::get_opened(kernel, caller, number)?;
    if flags.contains(WatchFlags::MASK_ADD | WatchFlags::MASK_CREATE) {
        return Err(Errno::EINVAL.into());
    }
    let OpenKind::Watcher(watcher) = kernel.vfs.files.at(file).kind else {
        return Err(Errno::EINVAL.into());
    };
    let follow = if flags.contains(WatchFlags::DONT_FOLLOW) { Follow::No } else { Follow::Link };
    let spot = attributes::spot_of(kernel, caller, place, follow)?;
    if flags.contains(WatchFlags::ONLY_DIR) && kind(kernel, spot.node) != FileKind::Dir {
        return Err(Errno::ENOTDIR.into());
    }
    permission::check(kernel, caller, spot, Access::READ)?;
    let mask = flags & (EVENTS | WatchFlags::ONESHOT);
    if let Some(number) = find(kernel, watcher, spot.node) {
        if flags.contains(WatchFlags::MASK_CREATE) {
            return Err(Errno::EEXIST.into());
        }
        kernel.vfs.notify.wanted |= mask;
        if let Some(watch) = kernel.vfs.notify.table.at_mut(watcher).watches.get_mut(&number) {
            let kept =
                if flags.contains(WatchFlags::MASK_ADD) { watch.mask } else { WatchFlags::empty() };
            watch.mask = kept | mask;
        }
        return Ok(WatchId(number));
    }
    vet_watch(kernel, spot)?;
    check_number(kernel, watcher)?;
    Ok(WatchId(insert(kernel, watcher, Watch { node: spot.node, mask })))
}

/// The number of a watcher's watch of a file.
fn find(kernel: &Kernel, watcher: WatcherKey, node: Node) -> Option<i32> {
    let all = kernel.vfs.notify.by_node.get(&node)?;
    all.iter().find(|(of, _)| *of == watcher).map(|(_, number)| *number)
}

/// Whether the watcher's user may have another watch: ENOSPC.
fn check_number(kernel: &mut Kernel, watcher: WatcherKey) -> Step<()> {
    let notify = &mut kernel.vfs.notify;
    let owner = notify.table.at(watcher).owner;
    let watches = notify.owned(owner).watches;
    match notify.limits.watches {
        Some(most) if watches >= most => Err(Errno::ENOSPC.into()),
        None if watches >= LEAST_WATCHES => {
            Err(Failure::NotModelled("as many watches as the memory allows").into())
        }
        Some(_) | None => Ok(()),
    }
}

fn insert(kernel: &mut Kernel, watcher: WatcherKey, watch: Watch) -> i32 {
    let node = watch.node;
    let is_group = matches!(node, Node::Cgroup(_) | Node::Control(..));
    let is_dir = kind(kernel, node) == FileKind::Dir;
    let notify = &mut kernel.vfs.notify;
    notify.wanted |= watch.mask;
    let record = notify.table.at_mut(watcher);
    record.last += 1;
    let number = record.last;
    record.watches.insert(number, watch);
    let owner = record.owner;
    notify.owned(owner).watches += 1;
    notify.by_node.entry(node).or_default().push((watcher, number));
    notify.on_groups += u32::from(is_group);
    if let Node::Tmp(key) = node
        && is_dir
    {
        notify.directories.insert(key);
    }
    number
}

/// Ends a watch, which is told as its last event.
///
/// # Errors
/// EBADF. EINVAL: no watcher, or it has no such watch.
pub(crate) fn remove(
    kernel: &mut Kernel,
    caller: ThreadKey,
    number: u32,
    watch: WatchId,
) -> Step<()> {
    let file = descriptors::get_opened(kernel, caller, number)?;
    let OpenKind::Watcher(watcher) = kernel.vfs.files.at(file).kind else {
        return Err(Errno::EINVAL.into());
    };
    if event::end(&mut kernel.vfs.notify, watcher, watch.0) {
        Ok(())
    } else {
        Err(Errno::EINVAL.into())
    }
}
