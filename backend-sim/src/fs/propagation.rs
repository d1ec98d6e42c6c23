//! Mounts that follow each other: what is mounted on one of a group of peers is mounted on the others and on their slaves
//! (mount_namespaces(7), Shared subtrees).

use standin::Errno;
use standin::backend::MountFlags;

use super::tree::{copy_one, detach, from_the_top, tell};
use super::{MountKey, Spot, Vfs, keep, let_go};
use crate::kernel::Kernel;
use crate::namespace;
use crate::notify;
use crate::step::Step;

/// A group of peers: the lowest number that was free.
pub(super) type Group = u32;

/// Whom a mount follows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Ties {
    /// What happens to one of them happens to all.
    pub(super) peers: Option<Group>,
    /// What happens to one of these happens to it too.
    pub(super) master: Option<Group>,
}

impl Vfs {
    fn free_group(&self) -> Group {
        let is_free =
            |group: &Group| self.mounts.iter().all(|(_, mount)| mount.ties.peers != Some(*group));
        (1..).find(is_free).unwrap_or(Group::MAX)
    }

    /// The mounts of a group, in the order in which they were made.
    fn peers(&self, group: Group) -> Vec<MountKey> {
        self.tied(|ties| ties.peers == Some(group))
    }

    fn tied(&self, how: impl Fn(Ties) -> bool) -> Vec<MountKey> {
        let mounts = self.mounts.iter().filter(|(_, mount)| how(mount.ties));
        let mut mounts: Vec<(u64, MountKey)> =
            mounts.map(|(key, mount)| (mount.order, key)).collect();
        mounts.sort_unstable();
        mounts.into_iter().map(|(_, key)| key).collect()
    }

    /// The group that a group follows.
    pub(super) fn master_of(&self, group: Group) -> Option<Group> {
        self.peers(group).into_iter().find_map(|key| self.mounts.at(key).ties.master)
    }

    /// A mount is one of its group no more, but a slave of those that are left. With the last one its slaves follow whom it followed.
    fn become_slave(&mut self, key: MountKey) {
        let Ties { peers: Some(group), master } = self.mounts.at(key).ties else { return };
        self.mounts.at_mut(key).ties.peers = None;
        if !self.peers(group).is_empty() {
            self.mounts.at_mut(key).ties.master = Some(group);
            return;
        }
        for slave in self.tied(|ties| ties.master == Some(group)) {
            self.mounts.at_mut(slave).ties.master = master;
        }
    }

    /// A mount follows nobody, and nobody follows it.
    pub(super) fn become_private(&mut self, key: MountKey) {
        self.become_slave(key);
        self.mounts.at_mut(key).ties.master = None;
    }
}

/// Another way to follow for a mount, and with `RECURSIVE` for all below it.
pub(super) fn change(kernel: &mut Kernel, mount: MountKey, flags: MountFlags) {
    let vfs = &mut kernel.vfs;
    let all =
        if flags.contains(MountFlags::RECURSIVE) { from_the_top(vfs, mount) } else { vec![mount] };
    for key in all {
        if flags.contains(MountFlags::PRIVATE) {
            vfs.become_private(key);
        } else if flags.contains(MountFlags::SLAVE) {
            vfs.become_slave(key);
        } else if vfs.mounts.at(key).ties.peers.is_none() {
            let group = vfs.free_group();
            vfs.mounts.at_mut(key).ties.peers = Some(group);
        }
    }
}

/// The other mounts that what happens to one happens to: each with whether it is a peer in its group, or a slave of that group.
fn followers(vfs: &Vfs, mount: MountKey) -> Vec<(MountKey, Group)> {
    let mut found = Vec::new();
    let mut groups: Vec<Group> = vfs.mounts.at(mount).ties.peers.into_iter().collect();
    let mut next = 0;
    while let Some(group) = groups.get(next).copied() {
        next += 1;
        found.extend(vfs.peers(group).into_iter().map(|key| (key, group)));
        for key in vfs.tied(|ties| ties.master == Some(group)) {
            match vfs.mounts.at(key).ties.peers {
                Some(own) if !groups.contains(&own) => groups.push(own),
                Some(_) => {}
                None => found.push((key, group)),
            }
        }
    }
    found.retain(|(key, _)| *key != mount);
    found
}

/// The root of a mount, on which another one may be.
fn root(vfs: &Vfs, mount: MountKey) -> Spot {
    Spot { mount, node: vfs.mounts.at(mount).root }
}

/// Takes what is mounted on a spot from there, to put it down elsewhere.
fn lift(kernel: &mut Kernel, from: Spot) -> Option<MountKey> {
    let above = kernel.vfs.covers.get(&from).copied()?;
    kernel.vfs.uncover(from);
    kernel.vfs.mounts.at_mut(above).on = None;
    let_go(kernel, from);
    Some(above)
}

fn put_down(kernel: &mut Kernel, above: MountKey, on: Spot) {
    keep(kernel, on);
    kernel.vfs.cover(on, above);
    kernel.vfs.mounts.at_mut(above).on = Some(on);
}

/// Mounts on every follower what was just mounted: below what is mounted there already.
pub(super) fn spread(kernel: &mut Kernel, new: MountKey) {
    let record = kernel.vfs.mounts.at(new);
    let Some(on) = record.on else { return };
    let Some(first) = kernel.vfs.mounts.at(on.mount).ties.peers else { return };
    // Each group of followers has one of copies.
    let mut groups = vec![(first, kernel.vfs.free_group())];
    kernel.vfs.mounts.at_mut(new).ties.peers = groups.first().map(|(_, own)| *own);
    let own_users = owner(kernel, new);
    for (mount, group) in followers(&kernel.vfs, on.mount) {
        let target = Spot { mount, node: on.node };
        let home = kernel.vfs.mounts.at(mount).home;
        let above = lift(kernel, target);
        let copy = copy_one(kernel, new, Some(target), home, false);
        if let Some(above) = above {
            let root = root(&kernel.vfs, copy);
            put_down(kernel, above, root);
        }
        let of = |groups: &[(Group, Group)], group| {
            groups.iter().find(|(there, _)| *there == group).map(|(_, own)| *own)
        };
        let ties = if kernel.vfs.mounts.at(mount).ties.peers == Some(group) {
            let own = of(&groups, group).unwrap_or_else(|| kernel.vfs.free_group());
            if of(&groups, group).is_none() {
                groups.push((group, own));
            }
            let master = kernel.vfs.mounts.at(mount).ties.master.filter(|_| group != first);
            Ties { peers: Some(own), master: master.and_then(|master| of(&groups, master)) }
        } else {
            Ties { peers: None, master: of(&groups, group) }
        };
        tell(kernel, home);
        let locks = owner(kernel, mount) != own_users;
        let record = kernel.vfs.mounts.at_mut(copy);
        record.ties = ties;
        if locks {
            record.locked_flags |= record.flags;
        }
    }
}

/// The user namespace of the mount namespace that a mount is in.
fn owner(kernel: &Kernel, mount: MountKey) -> namespace::user::UserNs {
    match kernel.home_of(mount) {
        super::Home::Of(mounts) => namespace::owner_of_mounts(kernel, mounts),
        super::Home::First | super::Home::Nowhere => None,
    }
}

/// What is mounted on the followers where a mount is: what goes with it. Those on which more is mounted stay, unless that covers
/// all of it.
fn with(kernel: &Kernel, mount: MountKey) -> Vec<MountKey> {
    let vfs = &kernel.vfs;
    let Some(on) = vfs.mounts.at(mount).on else { return Vec::new() };
    let there = |follower| vfs.covers.get(&Spot { mount: follower, node: on.node }).copied();
    let is_bare = |key: &MountKey| {
        let root = root(vfs, *key);
        vfs.mounts.iter().all(|(_, other)| other.on.is_none_or(|on| on.mount != *key || on == root))
    };
    let followers = followers(vfs, on.mount);
    followers.into_iter().filter_map(|(key, _)| there(key)).filter(is_bare).collect()
}

/// Whether a mount can be taken away: EBUSY if it or one that goes with it is in use.
pub(super) fn check_leave(kernel: &Kernel, mount: MountKey) -> Step<()> {
    let vfs = &kernel.vfs;
    let mut leaving = with(kernel, mount);
    // What covers all of one is put down where that was.
    let is_used = |key: &MountKey| {
        let covered = vfs.covers.contains_key(&root(vfs, *key));
        vfs.mounts.at(*key).users > u32::from(covered)
    };
    if leaving.iter().any(is_used) || vfs.mounts.at(mount).users > 0 {
        return Err(Errno::EBUSY.into());
    }
    leaving.push(mount);
    Ok(notify::vet_umount(kernel, mount, &leaving)?)
}

/// Takes a mount away, and those that go with it.
pub(super) fn take_away(kernel: &mut Kernel, mount: MountKey) {
    for key in with(kernel, mount) {
        if kernel.vfs.mounts.at(key).is_locked {
            continue;
        }
        let on = kernel.vfs.mounts.at(key).on;
        let root = root(&kernel.vfs, key);
        let above = lift(kernel, root);
        detach(kernel, key);
        if let (Some(above), Some(on)) = (above, on) {
            put_down(kernel, above, on);
        }
    }
    detach(kernel, mount);
}
