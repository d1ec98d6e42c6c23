//! The mounts of namespaces: copies of them, and their end with the namespace (mount_namespaces(7)).
//!
//! A mount that nobody can reach any more stays as long as an open file or working directory uses it.

use super::propagation::Ties;
use super::{Born, Home, Mount, MountKey, Node, Spot, Vfs, keep, let_go, tmpfs};
use crate::cgroup::{filesystem, v1};
use crate::kernel::Kernel;
use crate::namespace::mount::{self, MountNsKey};
use crate::namespace::{self, Held, Maker, user};
use crate::notify;
use crate::task::{ThreadKey, footing};

/// The mounts that a thread can reach by paths.
pub(in crate::fs) fn home(kernel: &Kernel, thread: ThreadKey) -> Home {
    Home::Of(namespace::of(kernel, thread).mount)
}

impl Kernel {
    /// Whose a mount is.
    pub(in crate::fs) fn home_of(&self, mount: MountKey) -> Home {
        match self.vfs.mounts.at(mount).home {
            Home::First => Home::Of(self.namespaces.first.mount),
            home @ (Home::Of(_) | Home::Nowhere) => home,
        }
    }
}

/// The mounts that some can reach have changed, which their lists tell.
pub(super) fn tell(kernel: &mut Kernel, home: Home) {
    match home {
        Home::First => mount::tell(kernel, kernel.namespaces.first.mount),
        Home::Of(namespace) => mount::tell(kernel, namespace),
        Home::Nowhere => {}
    }
}

/// Whether the first namespace shows the filesystem of a mount, also without some mounts.
pub(crate) fn is_shown_at_first(kernel: &Kernel, mount: MountKey, without: &[MountKey]) -> bool {
    let device = kernel.vfs.mounts.at(mount).device;
    let first = Home::Of(kernel.namespaces.first.mount);
    let mut mounts = kernel.vfs.mounts.iter();
    mounts.any(|(key, mount)| {
        mount.device == device && kernel.home_of(key) == first && !without.contains(&key)
    })
}

/// A new namespace with copies of all mounts of another; a thread's working directory goes along. In another user namespace they stay
/// as they are: neither unmounted nor with fewer restrictions.
pub(crate) fn copy(
    kernel: &mut Kernel,
    thread: ThreadKey,
    maker: Maker,
    from: MountNsKey,
) -> MountNsKey {
    let locks = namespace::owner_of_mounts(kernel, from) != maker.within;
    let namespace = mount::new(kernel, maker);
    let root = mount::root_of(kernel, from);
    let mut copies: Vec<(MountKey, MountKey)> = Vec::new();
    for key in from_the_top(&kernel.vfs, root.mount) {
        let copied = |key| copies.iter().find(|(old, _)| *old == key).map(|(_, new)| *new);
        let on = kernel.vfs.mounts.at(key).on;
        let on = on.and_then(|on| Some(Spot { mount: copied(on.mount)?, node: on.node }));
        let new = copy_one(kernel, key, on, Home::Of(namespace), locks);
        let mount = kernel.vfs.mounts.at_mut(new);
        mount.is_locked |= locks && on.is_some();
        if locks && mount.ties.peers.is_some() {
            mount.ties = Ties { peers: None, master: mount.ties.peers };
        }
        copies.push((key, new));
    }
    let moved = |spot: Spot| {
        let found = copies.iter().find(|(old, _)| *old == spot.mount);
        found.map(|(_, new)| Spot { mount: *new, node: spot.node })
    };
    if let Some(root) = moved(root) {
        mount::set_root(kernel, namespace, root);
    }
    if let Some(after) = moved(footing::directory(kernel, thread)) {
        footing::stand_in(kernel, thread, after);
    }
    namespace
}

/// A mount and all below it, each before those on it, in the order in which they were made.
pub(super) fn from_the_top(vfs: &Vfs, top: MountKey) -> Vec<MountKey> {
    let mut below: Vec<(u64, MountKey)> = vfs
        .mounts
        .iter()
        .filter(|(_, mount)| mount.on.is_some_and(|on| on.mount == top))
        .map(|(key, mount)| (mount.order, key))
        .collect();
    below.sort_unstable();
    let mut all = vec![top];
    for (_, key) in below {
        all.extend(from_the_top(vfs, key));
    }
    all
}

/// One more mount of the same filesystem; with `locks` it keeps its flags.
pub(super) fn copy_one(
    kernel: &mut Kernel,
    key: MountKey,
    on: Option<Spot>,
    home: Home,
    locks: bool,
) -> MountKey {
    let of = *kernel.vfs.mounts.at(key);
    if let Some(on) = on {
        keep(kernel, on);
    }
    user::keep(kernel, of.owner);
    if let Born::Proc(shown) = of.born {
        kernel.namespaces.keep(Held::Pid(shown));
    }
    if let Node::Cgroup(group) = of.root
        && kernel.cgroups.table.at(group).parent.is_some()
    {
        filesystem::keep(kernel, of.root);
    }
    let kept = if locks { of.flags | of.locked_flags } else { of.locked_flags };
    let vfs = &mut kernel.vfs;
    vfs.rooms.at_mut(of.room).mounts += 1;
    let number = vfs.next_number();
    vfs.mounts_made += 1;
    let new = vfs.mounts.insert(Mount {
        on,
        users: 0,
        number,
        order: vfs.mounts_made,
        home,
        locked_flags: kept,
        ..of
    });
    if let Some(on) = on {
        vfs.cover(on, new);
    }
    new
}

/// A thread that comes to a namespace stands at its root.
pub(crate) fn go_to_root(kernel: &mut Kernel, thread: ThreadKey, namespace: MountNsKey) {
    let root = super::lookup::uncovered(kernel, mount::root_of(kernel, namespace));
    footing::stand_in(kernel, thread, root);
}

/// A namespace is gone, and with it its mounts.
pub(crate) fn forget(kernel: &mut Kernel, namespace: MountNsKey) {
    let mounts = kernel.vfs.mounts.iter();
    let of = mounts.filter(|(_, mount)| mount.home == Home::Of(namespace));
    let mut of: Vec<(u64, MountKey)> = of.map(|(key, mount)| (mount.order, key)).collect();
    of.sort_unstable();
    for (_, key) in of.into_iter().rev() {
        detach(kernel, key);
    }
}

/// What is mounted on a node anywhere is so no more: the node is gone.
pub(super) fn detach_from(kernel: &mut Kernel, node: Node) {
    let Node::Tmp(key) = node else { return };
    if kernel.vfs.tmp.get(key).is_none_or(|node| node.covered == 0) {
        return;
    }
    let covers = kernel.vfs.covers.iter().filter(|(on, _)| on.node == node);
    let mut covers: Vec<MountKey> = covers.map(|(_, key)| *key).collect();
    covers.sort_unstable();
    for top in covers {
        for key in from_the_top(&kernel.vfs, top).into_iter().rev() {
            detach(kernel, key);
        }
    }
}

/// Takes a mount from where it is; it ends when nobody uses it.
pub(super) fn detach(kernel: &mut Kernel, key: MountKey) {
    kernel.vfs.become_private(key);
    let record = kernel.vfs.mounts.at_mut(key);
    let home = std::mem::replace(&mut record.home, Home::Nowhere);
    let on = record.on.take();
    tell(kernel, home);
    if let Some(on) = on {
        kernel.vfs.uncover(on);
    }
    end_if_unused(kernel, key);
    if let Some(on) = on {
        let_go(kernel, on);
    }
}

/// A mount that is nowhere ends with its last user.
pub(super) fn end_if_unused(kernel: &mut Kernel, key: MountKey) {
    let Some(Mount { home: Home::Nowhere, users: 0, .. }) = kernel.vfs.mounts.get(key) else {
        return;
    };
    let Some(gone) = kernel.vfs.mounts.remove(key) else { return };
    let room = kernel.vfs.rooms.at_mut(gone.room);
    room.mounts -= 1;
    let is_last = room.mounts == 0;
    if is_last {
        kernel.vfs.rooms.discard(gone.room);
    }
    match gone.root {
        Node::Tmp(root) if is_last => {
            notify::unmounted(&mut kernel.vfs, root);
            tmpfs::free_all(&mut kernel.vfs, root);
        }
        Node::Cgroup(root) => {
            let record = kernel.cgroups.table.at(root);
            let (id, is_kept) = (record.hierarchy, record.parent.is_some());
            if is_kept {
                filesystem::let_go(kernel, gone.root);
            }
            v1::mount::unmounted(kernel, id);
        }
        Node::Tmp(_) | Node::Control(..) | Node::Proc(_) => {}
    }
    if let Born::Proc(shown) = gone.born {
        namespace::release(kernel, Held::Pid(shown));
    }
    user::let_go(kernel, gone.owner);
}

/// What mountinfo says of whom a mount follows: its peers, its masters, and the nearest of these that the reader can reach.
pub(in crate::fs) fn print_ties(kernel: &Kernel, home: Home, mount: &Mount, out: &mut Vec<u8>) {
    let Ties { peers, master } = mount.ties;
    let is_near = |group: &u32| {
        let mut mounts = kernel.vfs.mounts.iter();
        mounts.any(|(key, of)| of.ties.peers == Some(*group) && kernel.home_of(key) == home)
    };
    let mut masters = std::iter::successors(master, |group| kernel.vfs.master_of(*group));
    let near = masters.find(is_near).filter(|near| Some(*near) != master);
    for (word, group) in [("shared", peers), ("master", master), ("propagate_from", near)] {
        if let Some(group) = group {
            out.extend_from_slice(format!(" {word}:{group}").as_bytes());
        }
    }
}
