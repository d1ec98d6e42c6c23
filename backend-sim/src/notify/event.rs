//! What a file does becomes an event of each watch that asked for it.
//!
//! What is done with a file is told to its directory first, with its name, and then to itself. What is done with a name is
//! told to the directory alone. An event that is equal to the last one of a queue is not put behind it.

use standin::backend::{FileKind, WatchFlags};

use super::name::{self, Known};
use super::{Event, Notify, WatcherKey};
use crate::cgroup::{CgroupKey, events, filesystem};
use crate::fs::{Node, TmpKey, Vfs, kind, tmpfs};
use crate::kernel::Kernel;
use crate::wait::Channel;

/// The watch of an event that belongs to none.
const NO_WATCH: i32 = -1;

/// What cannot be masked away.
const ALWAYS: WatchFlags = WatchFlags::UNMOUNT;

/// A file was opened, read, written, closed, or its attributes changed.
#[inline]
pub(crate) fn happened(kernel: &mut Kernel, node: Node, what: WatchFlags) {
    // Nearly always nobody watches.
    if !kernel.vfs.notify.is_empty() {
        tell_of(kernel, node, what);
    }
}

#[cold]
#[inline(never)]
fn tell_of(kernel: &mut Kernel, node: Node, what: WatchFlags) {
    // The name of a file is looked for in every directory that is watched.
    if !what.intersects(kernel.vfs.notify.wanted) {
        return;
    }
    let file = kind(kernel, node);
    let flags = with_kind(what, file);
    // Reading and writing a device is no affair of the directory that it stands in.
    let is_special = matches!(file, FileKind::Character | FileKind::Block);
    let transfers = what.intersects(WatchFlags::ACCESS | WatchFlags::MODIFY);
    if !(is_special && transfers)
        && let Some(Known { directory, name }) = name::of(kernel, node)
    {
        send(&mut kernel.vfs.notify, directory, flags, (Some(&name), 0));
    }
    send(&mut kernel.vfs.notify, node, flags, (None, 0));
}

/// The same, of what is the file's own affair: how many names it has.
pub(crate) fn happened_inside(kernel: &mut Kernel, node: Node, what: WatchFlags) {
    if !kernel.vfs.notify.is_empty() {
        let flags = with_kind(what, kind(kernel, node));
        send(&mut kernel.vfs.notify, node, flags, (None, 0));
    }
}

/// A directory has a new name.
pub(crate) fn created(kernel: &mut Kernel, directory: Node, name: &[u8], file: FileKind) {
    let flags = with_kind(WatchFlags::CREATE, file);
    send(&mut kernel.vfs.notify, directory, flags, (Some(name), 0));
}

/// A directory has lost a name.
pub(crate) fn removed(kernel: &mut Kernel, directory: Node, name: &[u8], file: FileKind) {
    let flags = with_kind(WatchFlags::DELETE, file);
    send(&mut kernel.vfs.notify, directory, flags, (Some(name), 0));
}

/// A file has another name, where another one may have been replaced.
pub(crate) fn moved(
    kernel: &mut Kernel,
    (old, old_name): (Node, &[u8]),
    (new, new_name): (Node, &[u8]),
    (node, replaced): (Node, Option<Node>),
) {
    if kernel.vfs.notify.is_empty() {
        return;
    }
    let file = kind(kernel, node);
    let notify = &mut kernel.vfs.notify;
    notify.last_cookie = notify.last_cookie.wrapping_add(1).max(1);
    let cookie = notify.last_cookie;
    send(notify, old, with_kind(WatchFlags::MOVED_FROM, file), (Some(old_name), cookie));
    send(notify, new, with_kind(WatchFlags::MOVED_TO, file), (Some(new_name), cookie));
    if let Some(replaced) = replaced {
        happened_inside(kernel, replaced, WatchFlags::ATTRIB);
    }
    send(&mut kernel.vfs.notify, node, WatchFlags::MOVE_SELF, (None, 0));
}

/// A node of a tmpfs is gone, and so are its watches.
pub(crate) fn gone(vfs: &mut Vfs, key: TmpKey) {
    vfs.notify.lost.remove(&key);
    if !vfs.notify.is_empty() {
        send(&mut vfs.notify, Node::Tmp(key), WatchFlags::DELETE_SELF, (None, 0));
        end_all(&mut vfs.notify, Node::Tmp(key));
    }
}

/// A tmpfs is gone, and so are the watches of its nodes: of the newest first.
pub(crate) fn unmounted(vfs: &mut Vfs, root: TmpKey) {
    if vfs.notify.is_empty() {
        return;
    }
    let mut nodes = tmpfs::all_below(vfs, root);
    nodes.sort_unstable_by_key(|key| std::cmp::Reverse(vfs.tmp.at(*key).inode));
    for key in nodes {
        let flags = with_kind(WatchFlags::UNMOUNT, vfs.tmp.at(key).kind());
        send(&mut vfs.notify, Node::Tmp(key), flags, (None, 0));
        end_all(&mut vfs.notify, Node::Tmp(key));
    }
}

/// A control file changed by itself. It is told when the call that did it is done (the kernel does it in the background).
pub(crate) fn changed(kernel: &mut Kernel, group: CgroupKey, name: &'static str) {
    let notify = &mut kernel.vfs.notify;
    if notify.on_groups > 0 && !notify.changed.contains(&(group, name)) {
        notify.changed.push((group, name));
    }
}

/// A call is done, or time has passed: what is left to tell is told, the last change first, and who waits for events is woken.
#[inline]
pub(crate) fn flush(kernel: &mut Kernel) {
    if !kernel.vfs.notify.changed.is_empty() || !kernel.vfs.notify.news.is_empty() {
        tell(kernel);
    }
}

#[cold]
#[inline(never)]
fn tell(kernel: &mut Kernel) {
    while let Some((group, name)) = kernel.vfs.notify.changed.pop() {
        let Some(node) = filesystem::control_file(kernel, group, name.as_bytes()) else { continue };
        let notify = &mut kernel.vfs.notify;
        if events::was_looked_up(&kernel.cgroups, group, name) {
            let directory = Node::Cgroup(group);
            send(notify, directory, WatchFlags::MODIFY, (Some(name.as_bytes()), 0));
        }
        send(notify, node, WatchFlags::MODIFY, (None, 0));
    }
    while let Some(watcher) = kernel.vfs.notify.news.pop() {
        kernel.waits.wake(Channel::Watcher(watcher));
    }
}

fn with_kind(flags: WatchFlags, file: FileKind) -> WatchFlags {
    if file == FileKind::Dir { flags | WatchFlags::IS_DIR } else { flags }
}

/// Tells all who watch a node for this; about a name if one is given.
fn send(notify: &mut Notify, node: Node, flags: WatchFlags, about: (Option<&[u8]>, u32)) {
    let Some(all) = notify.by_node.get(&node).cloned() else { return };
    for (watcher, number) in all {
        let record = notify.table.at_mut(watcher);
        let Some(mask) = record.watches.get(&number).map(|watch| watch.mask) else { continue };
        if !flags.intersects(mask | ALWAYS) {
            continue;
        }
        let (name, cookie) = (about.0.map(Box::from), about.1);
        queue(notify, watcher, Event { watch: number, flags, cookie, name });
        if mask.contains(WatchFlags::ONESHOT) {
            end(notify, watcher, number);
        }
    }
}

/// Puts an event into a queue, or one that says that there is no room.
fn queue(notify: &mut Notify, watcher: WatcherKey, event: Event) {
    let record = notify.table.at_mut(watcher);
    if record.queue.len() >= record.most {
        let flags = WatchFlags::QUEUE_OVERFLOW;
        if !record.queue.iter().any(|event| event.flags == flags) {
            record.queue.push_back(Event { watch: NO_WATCH, flags, cookie: 0, name: None });
        }
    } else if !record.queue.back().is_some_and(|last| is_same(last, &event)) {
        record.queue.push_back(event);
    }
    notify.news.push(watcher);
}

/// Whether an event says nothing new: what joins renames is not compared.
fn is_same(last: &Event, event: &Event) -> bool {
    !last.flags.contains(WatchFlags::IGNORED)
        && (last.flags, last.watch, &last.name) == (event.flags, event.watch, &event.name)
}

/// Ends a watch and says so; whether it was there.
pub(super) fn end(notify: &mut Notify, watcher: WatcherKey, number: i32) -> bool {
    let was_there = notify.forget(watcher, number);
    if was_there {
        let flags = WatchFlags::IGNORED;
        queue(notify, watcher, Event { watch: number, flags, cookie: 0, name: None });
    }
    was_there
}

fn end_all(notify: &mut Notify, node: Node) {
    for (watcher, number) in notify.by_node.get(&node).cloned().unwrap_or_default() {
        end(notify, watcher, number);
    }
}
