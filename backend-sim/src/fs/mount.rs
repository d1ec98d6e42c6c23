//! Mounting and unmounting (mount(2), umount2(2)): tmpfs, proc, hierarchies of v1, and cgroup2 once more.

use standin::backend::{FileKind, FilesystemType, MountFlags};
use standin::id::Device;
use standin::path::Follow;
use standin::{Capability, Errno, Failure, KPath};

use super::mount_options::Tmpfs;
use super::proc::{self, Hiding, ProcNode};
use super::tmpfs::{Room, TmpNode};
use super::walk::spot;
use super::{Born, Home, Mount, MountKey, Node, Spot, Vfs, is_dead, keep, kind, propagation, tree};
use crate::cgroup::{self, HierarchyId, filesystem, v1};
use crate::kernel::Kernel;
use crate::namespace::user::UserNs;
use crate::namespace::{self, of, user};
use crate::notify;
use crate::ops::PlaceArg;
use crate::step::Step;
use crate::task::ThreadKey;

/// Flags that a mount keeps.
const KEPT: MountFlags = MountFlags::READ_ONLY
    .union(MountFlags::NO_SUID)
    .union(MountFlags::NO_DEV)
    .union(MountFlags::NO_EXEC);

/// Ways in which mounts of several namespaces follow each other.
const PROPAGATION: MountFlags =
    MountFlags::PRIVATE.union(MountFlags::SLAVE).union(MountFlags::SHARED);

/// Filesystems that the recorded kernels have and the machine has not.
const UNMODELLED: [&[u8]; 19] = [
    b"autofs",
    b"bdev",
    b"binfmt_misc",
    b"bpf",
    b"configfs",
    b"debugfs",
    b"devpts",
    b"devtmpfs",
    b"ext4",
    b"fuse",
    b"hugetlbfs",
    b"mqueue",
    b"overlay",
    b"pipefs",
    b"pstore",
    b"ramfs",
    b"securityfs",
    b"sysfs",
    b"tracefs",
];

/// The number of a filesystem without a device, as `st_dev` has it.
pub(super) fn device(minor: u32) -> u64 {
    u64::from(minor & 0xff) | u64::from(minor & !0xff) << 12
}

impl Vfs {
    /// Makes a mount and puts it over a spot, which was kept for it.
    pub(super) fn new_mount(
        &mut self,
        (kind, root, born): (FilesystemType, Node, Born),
        on: Spot,
        flags: MountFlags,
        (home, owner): (Home, UserNs),
    ) -> MountKey {
        // All mounts of a hierarchy show one filesystem, whatever group is their root; each tmpfs and each proc is one of its own.
        let is_same = |mount: &Mount| {
            mount.root == root
                || (kind == FilesystemType::CGROUP2 && mount.kind == kind)
                || (kind == FilesystemType::CGROUP && mount.born == born)
        };
        let same = match root {
            Node::Tmp(_) | Node::Proc(_) => None,
            Node::Cgroup(_) | Node::Control(..) => {
                self.mounts.iter().find(|(_, mount)| is_same(mount))
            }
        };
        let (device, read_only) = match same {
            Some((_, same)) => (same.device, same.read_only),
            None => {
                self.last_minor += 1;
                let own = kind != FilesystemType::CGROUP2;
                (Device(device(self.last_minor)), own && flags.contains(MountFlags::READ_ONLY))
            }
        };
        let room = self.rooms.insert(Room { mounts: 1, ..Room::default() });
        let number = self.next_number();
        self.mounts_made += 1;
        let mount = self.mounts.insert(Mount {
            kind,
            root,
            on: Some(on),
            flags: flags & KEPT,
            read_only,
            device,
            users: 0,
            room,
            home,
            owner,
            is_locked: false,
            locked_flags: MountFlags::empty(),
            ties: propagation::Ties::default(),
            number,
            order: self.mounts_made,
            name: kind.name().unwrap_or("none"),
            born,
        });
        self.cover(on, mount);
        mount
    }

    /// A mount hides what it is on.
    pub(super) fn cover(&mut self, on: Spot, mount: MountKey) {
        self.paths.forget();
        self.covers.insert(on, mount);
        match on.node {
            Node::Tmp(key) => self.tmp.at_mut(key).covered += 1,
            Node::Cgroup(_) | Node::Control(..) | Node::Proc(_) => self.unmarked_covers += 1,
        }
    }

    /// The lowest number that no mount has.
    pub(super) fn next_number(&self) -> u32 {
        // Of those that were made none has gone: the root is one more.
        if let Ok(made) = u32::try_from(self.mounts_made)
            && self.mounts.len() == made as usize + 1
        {
            return self.first_mount + made;
        }
        let mut taken: Vec<u32> = self.mounts.iter().map(|(_, mount)| mount.number).collect();
        taken.sort_unstable();
        taken.into_iter().fold(self.first_mount, |free, number| free + u32::from(free == number))
    }

    pub(super) fn uncover(&mut self, on: Spot) {
        self.paths.forget();
        self.covers.remove(&on);
        match on.node {
            Node::Tmp(key) => self.tmp.at_mut(key).covered -= 1,
            Node::Cgroup(_) | Node::Control(..) | Node::Proc(_) => self.unmarked_covers -= 1,
        }
    }
}

/// Whether a spot is what some mount shows.
fn is_root(kernel: &Kernel, spot: Spot) -> bool {
    kernel.vfs.mounts.at(spot.mount).root == spot.node
}

/// mount(2)
///
/// # Errors
/// What the walk says; EPERM without `CAP_SYS_ADMIN`; ENODEV (no such filesystem), EINVAL (options), EBUSY (the same
/// filesystem is there already), ENOTDIR.
pub(crate) fn mount(
    kernel: &mut Kernel,
    caller: ThreadKey,
    target: PlaceArg<'_>,
    filesystem: &KPath,
    flags: MountFlags,
    options: &KPath,
) -> Step<()> {
    let on = spot(kernel, caller, target, Follow::Link)?;
    check_may_mount(kernel, caller)?;
    if flags.contains(MountFlags::REMOUNT) {
        return remount(kernel, caller, on, flags, options.as_bytes());
    }
    if flags.contains(MountFlags::BIND) {
        return Err(Failure::NotModelled("bind mount").into());
    }
    if flags.intersects(PROPAGATION) {
        check_propagation(kernel, on, flags)?;
        propagation::change(kernel, on.mount, flags);
        return Ok(());
    }
    let (kind, root) = match filesystem.as_bytes() {
        b"tmpfs" => {
            let mut tmpfs = Tmpfs::new(kernel, caller);
            tmpfs.parse(kernel, caller, options.as_bytes())?;
            if !kernel.credentials(caller).capable_here(Capability::SYS_ADMIN) {
                return Err(Errno::EPERM.into());
            }
            check_target(kernel, caller, on)?;
            return mount_tmpfs(kernel, caller, on, flags, &tmpfs);
        }
        b"cgroup2" => {
            let options = cgroup::Options::parse(kernel.profile.release, options.as_bytes())?;
            check_admin(kernel, caller, namespace::owner_of_groups(kernel, caller))?;
            kernel.cgroups.show_v2();
            set_options(kernel, caller, options);
            let root = namespace::cgroup::root(kernel, caller, HierarchyId::V2);
            (FilesystemType::CGROUP2, Node::Cgroup(root))
        }
        b"cgroup" => {
            let id = v1::mount::to_use(kernel, caller, options.as_bytes())?;
            let root = namespace::cgroup::root(kernel, caller, id);
            let mounted =
                put(kernel, caller, (FilesystemType::CGROUP, Node::Cgroup(root)), on, flags);
            if mounted.is_err() {
                v1::mount::unmounted(kernel, id);
            }
            mounted?;
            return Ok(());
        }
        b"proc" => {
            let hiding = Hiding::NONE.with(kernel, caller, options.as_bytes())?;
            proc::mount::check(kernel, caller, flags)?;
            let mount =
                put(kernel, caller, (FilesystemType::PROC, Node::Proc(ProcNode::Root)), on, flags)?;
            kernel.vfs.room_mut(mount).hiding = hiding;
            return Ok(());
        }
        other if UNMODELLED.contains(&other) => {
            return Err(Failure::NotModelled("mount of this filesystem").into());
        }
        _ => return Err(Errno::ENODEV.into()),
    };
    put(kernel, caller, (kind, root), on, flags)?;
    Ok(())
}

/// Puts a filesystem over a directory.
fn put(
    kernel: &mut Kernel,
    caller: ThreadKey,
    (kind, root): (FilesystemType, Node),
    on: Spot,
    flags: MountFlags,
) -> Step<MountKey> {
    // Each mount of proc is a filesystem of its own.
    if is_root(kernel, on) && on.node == root && kind != FilesystemType::PROC {
        return Err(Errno::EBUSY.into());
    }
    check_target(kernel, caller, on)?;
    notify::vet_mount(kernel, root)?;
    keep(kernel, on);
    let mut born = Born::Plain;
    if let Node::Cgroup(group) = root {
        if kind == FilesystemType::CGROUP {
            born = Born::Hierarchy(kernel.cgroups.table.at(group).hierarchy);
        }
        if kernel.cgroups.table.at(group).parent.is_some() {
            filesystem::keep(kernel, root);
        }
    }
    if kind == FilesystemType::PROC {
        born = proc::mount::born(kernel, caller);
    }
    let home = tree::home(kernel, caller);
    let mount = kernel.vfs.new_mount((kind, root, born), on, flags, (home, None));
    tree::tell(kernel, home);
    propagation::spread(kernel, mount);
    Ok(mount)
}

/// Only a directory that is still there can be covered by a directory, in a mount of the caller's namespace.
fn check_target(kernel: &Kernel, caller: ThreadKey, on: Spot) -> Step<()> {
    if kernel.home_of(on.mount) != tree::home(kernel, caller) {
        Err(Errno::EINVAL.into())
    } else if kind(kernel, on.node) != FileKind::Dir {
        Err(Errno::ENOTDIR.into())
    } else if is_dead(kernel, on.node) {
        Err(Errno::ENOENT.into())
    } else {
        Ok(())
    }
}

/// Who follows whose mounts is said of one mount, in one way.
fn check_propagation(kernel: &Kernel, on: Spot, flags: MountFlags) -> Step<()> {
    let others = flags - PROPAGATION - MountFlags::RECURSIVE;
    let ways = (flags & PROPAGATION).bits().count_ones();
    if is_root(kernel, on) && others.is_empty() && ways == 1 {
        Ok(())
    } else {
        Err(Errno::EINVAL.into())
    }
}

fn mount_tmpfs(
    kernel: &mut Kernel,
    caller: ThreadKey,
    on: Spot,
    flags: MountFlags,
    tmpfs: &Tmpfs,
) -> Step<()> {
    let mut root = TmpNode::directory(tmpfs.mode, None, kernel.clock.realtime());
    root.owner = tmpfs.owner;
    root.group = tmpfs.group;
    let root = Node::Tmp(kernel.vfs.tmp.insert(root));
    keep(kernel, on);
    let born = Born::Tmpfs(tmpfs.mode, tmpfs.owner, tmpfs.group);
    let (home, owner) = (tree::home(kernel, caller), kernel.credentials(caller).namespace);
    user::keep(kernel, owner);
    let made = (FilesystemType::TMPFS, root, born);
    let mount = kernel.vfs.new_mount(made, on, flags, (home, owner));
    *kernel.vfs.room_mut(mount) = tmpfs.room;
    tree::tell(kernel, home);
    propagation::spread(kernel, mount);
    Ok(())
}

/// Other flags and bounds for a mount that is there.
fn remount(
    kernel: &mut Kernel,
    caller: ThreadKey,
    on: Spot,
    flags: MountFlags,
    options: &[u8],
) -> Step<()> {
    if !is_root(kernel, on) {
        return Err(Errno::EINVAL.into());
    }
    let mount = kernel.vfs.mounts.at(on.mount);
    if kernel.home_of(on.mount) != tree::home(kernel, caller) {
        return Err(Errno::EINVAL.into());
    }
    if !flags.contains(mount.locked_flags) {
        return Err(Errno::EPERM.into());
    }
    let (kind, owner) = (mount.kind, mount.owner);
    let whole = !flags.contains(MountFlags::BIND);
    // Options are read before it is asked who may change the filesystem.
    let mut tmpfs = Tmpfs::new(kernel, caller);
    if whole && kind == FilesystemType::TMPFS {
        tmpfs.room = *kernel.vfs.room(on.mount);
        tmpfs.parse(kernel, caller, options)?;
    }
    let hiding = if whole && kind == FilesystemType::PROC {
        Some(kernel.vfs.room(on.mount).hiding.with(kernel, caller, options)?)
    } else {
        None
    };
    if whole {
        check_admin(kernel, caller, owner)?;
    }
    let (mut bounds, mut words) = (None, None);
    if whole && kind == FilesystemType::TMPFS {
        let room = tmpfs.room;
        let too_small = |most, held| most != 0 && most < held;
        if too_small(room.most_pages, room.pages) || too_small(room.most_nodes, room.nodes) {
            return Err(Errno::EINVAL.into());
        }
        bounds = Some(room);
    } else if whole && kind == FilesystemType::CGROUP2 {
        words = Some(cgroup::Options::parse(kernel.profile.release, options)?);
    } else if let (true, FilesystemType::CGROUP, Node::Cgroup(root)) = (whole, kind, on.node) {
        v1::mount::remount(kernel, caller, root, options)?;
    } else if whole && hiding.is_none() && !options.is_empty() {
        return Err(Failure::NotModelled("remount with options").into());
    }
    let read_only = flags.contains(MountFlags::READ_ONLY);
    let device = kernel.vfs.mounts.at(on.mount).device;
    if whole && read_only && writes_somewhere(kernel, device) {
        return Err(Errno::EBUSY.into());
    }
    if whole {
        // Every mount of the filesystem follows.
        let mounts = &mut kernel.vfs.mounts;
        let same = mounts.iter().filter(|(_, mount)| mount.device == device);
        for key in same.map(|(key, _)| key).collect::<Vec<_>>() {
            mounts.at_mut(key).read_only = read_only;
        }
    }
    let mount = kernel.vfs.mounts.at_mut(on.mount);
    mount.flags = flags & KEPT;
    let home = mount.home;
    tree::tell(kernel, home);
    if let Some(room) = bounds {
        *kernel.vfs.room_mut(on.mount) = room;
    }
    if let Some(words) = words {
        set_options(kernel, caller, words);
    }
    if let Some(hiding) = hiding {
        kernel.vfs.room_mut(on.mount).hiding = hiding;
        kernel.vfs.paths.forget();
    }
    Ok(())
}

/// The options of the v2 hierarchy are others, if they are the caller's to set: not in a cgroup namespace of its own.
fn set_options(kernel: &mut Kernel, caller: ThreadKey, options: cgroup::Options) {
    if namespace::cgroup::is_first(kernel, caller) {
        kernel.cgroups.options = options;
    }
}

/// Whether a file of this filesystem is open for writing.
fn writes_somewhere(kernel: &Kernel, device: Device) -> bool {
    let is_of = |mount| kernel.vfs.mounts.at(mount).device == device;
    let mut files = kernel.vfs.files.iter().map(|(_, file)| file);
    files.any(|file| file.is_named() && file.writes() && is_of(file.spot.mount))
}

/// umount2(2) without flags.
///
/// # Errors
/// What the walk says; EPERM without `CAP_SYS_ADMIN`; EINVAL (nothing is mounted there); EBUSY (a file, working directory
/// or mount keeps it).
pub(crate) fn umount(kernel: &mut Kernel, caller: ThreadKey, target: PlaceArg<'_>) -> Step<()> {
    let spot = spot(kernel, caller, target, Follow::Link)?;
    check_may_mount(kernel, caller)?;
    let is_elsewhere = kernel.home_of(spot.mount) != tree::home(kernel, caller);
    if !is_root(kernel, spot) || is_elsewhere || kernel.vfs.mounts.at(spot.mount).is_locked {
        return Err(Errno::EINVAL.into());
    }
    let mount = kernel.vfs.mounts.at(spot.mount);
    if mount.on.is_none() {
        return Err(Failure::NotModelled("umount of the root").into());
    }
    propagation::check_leave(kernel, spot.mount)?;
    propagation::take_away(kernel, spot.mount);
    Ok(())
}

/// EPERM without `CAP_SYS_ADMIN` where the caller's mount namespace was made.
fn check_may_mount(kernel: &Kernel, caller: ThreadKey) -> Result<(), Errno> {
    check_admin(kernel, caller, namespace::owner_of_mounts(kernel, of(kernel, caller).mount))
}

pub(crate) fn check_admin(kernel: &Kernel, caller: ThreadKey, over: UserNs) -> Result<(), Errno> {
    let own = kernel.credentials(caller).holder();
    let able = user::capable(kernel, own, over, Capability::SYS_ADMIN);
    if able { Ok(()) } else { Err(Errno::EPERM) }
}
