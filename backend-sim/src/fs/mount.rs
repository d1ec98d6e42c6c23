//! Mounting and unmounting (mount(2), umount2(2)): tmpfs, proc, and cgroup2 once more.

use standin::backend::{FileKind, FilesystemType, MountFlags};
use standin::id::{Bytes, Device, Gid, Mode, Uid};
use standin::path::Follow;
use standin::{Capability, Errno, Failure, KPath};

use super::content::PAGE;
use super::proc::ProcNode;
use super::tmpfs::{self, Room, TmpNode};
use super::walk::spot;
use super::{Born, Mount, MountKey, Node, Spot, Vfs, is_dead, keep, kind, let_go};
use crate::kernel::Kernel;
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

/// Options of cgroup2 that a kernel may know (cgroup-v2.rst, Mounting).
const CGROUP2_OPTIONS: [&[u8]; 6] = [
    b"nsdelegate",
    b"favordynmods",
    b"memory_localevents",
    b"memory_recursiveprot",
    b"memory_hugetlb_accounting",
    b"pids_localevents",
];

/// The number of a filesystem without a device, as `st_dev` has it.
pub(super) fn device(minor: u32) -> u64 {
    u64::from(minor & 0xff) | u64::from(minor & !0xff) << 12
}

impl Vfs {
    /// Makes a mount and puts it over a spot, which was kept for it.
    pub(super) fn new_mount(
        &mut self,
        kind: FilesystemType,
        root: Node,
        on: Spot,
        flags: MountFlags,
    ) -> MountKey {
        // All mounts of cgroup2 show one filesystem, and so do those of /proc; each tmpfs is one of its own.
        let same = match root {
            Node::Tmp(_) => None,
            Node::Cgroup(_) | Node::Control(..) | Node::Proc(_) => {
                self.mounts.iter().find(|(_, mount)| mount.root == root)
            }
        };
        let same = same.map(|(_, mount)| mount.device);
        let device = same.unwrap_or_else(|| {
            self.last_minor += 1;
            Device(device(self.last_minor))
        });
        let read_only = kind == FilesystemType::TMPFS && flags.contains(MountFlags::READ_ONLY);
        self.mounts_made += 1;
        let mount = self.mounts.insert(Mount {
            kind,
            root,
            on: Some(on),
            flags: flags & KEPT,
            read_only,
            device,
            users: 0,
            room: Room::default(),
            number: self.free_number(),
            order: self.mounts_made,
            name: kind.name().unwrap_or("none"),
            born: Born::Plain,
        });
        self.paths.forget();
        self.covers.insert(on, mount);
        match on.node {
            Node::Tmp(key) => self.tmp.at_mut(key).covered += 1,
            Node::Cgroup(_) | Node::Control(..) | Node::Proc(_) => self.unmarked_covers += 1,
        }
        mount
    }

    /// The lowest number that no mount has.
    fn free_number(&self) -> u32 {
        // Of those that were made, the one that is being made among them, none has gone: the root stands for that one.
        if let Ok(made) = u32::try_from(self.mounts_made)
            && self.mounts.len() == made as usize
        {
            return self.first_mount + made - 1;
        }
        let mut taken: Vec<u32> = self.mounts.iter().map(|(_, mount)| mount.number).collect();
        taken.sort_unstable();
        taken.into_iter().fold(self.first_mount, |free, number| free + u32::from(free == number))
    }

    fn uncover(&mut self, on: Spot) {
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
    if !kernel.credentials(caller).capable(Capability::SYS_ADMIN) {
        return Err(Errno::EPERM.into());
    }
    if flags.contains(MountFlags::REMOUNT) {
        return remount(kernel, on, flags, options.as_bytes());
    }
    if flags.contains(MountFlags::BIND) {
        return Err(Failure::NotModelled("bind mount").into());
    }
    if flags.intersects(PROPAGATION) {
        set_propagation(kernel, on, flags)?;
        kernel.vfs.has_peers |= flags.contains(MountFlags::SHARED);
        return Ok(());
    }
    let (kind, root) = match filesystem.as_bytes() {
        b"tmpfs" => {
            let mut tmpfs = Tmpfs::new(kernel);
            tmpfs.parse(options.as_bytes())?;
            check_target(kernel, on)?;
            return mount_tmpfs(kernel, on, flags, &tmpfs);
        }
        b"cgroup2" => {
            check_cgroup2_options(options.as_bytes())?;
            (FilesystemType::CGROUP2, Node::Cgroup(kernel.cgroups.root))
        }
        b"proc" if options.as_bytes().is_empty() => {
            (FilesystemType::PROC, Node::Proc(ProcNode::Root))
        }
        b"proc" => return Err(Failure::NotModelled("options of proc").into()),
        b"cgroup" => return Err(Failure::NotModelled("mount cgroup").into()),
        other if UNMODELLED.contains(&other) => {
            return Err(Failure::NotModelled("mount of this filesystem").into());
        }
        _ => return Err(Errno::ENODEV.into()),
    };
    if is_root(kernel, on) && on.node == root {
        return Err(Errno::EBUSY.into());
    }
    check_target(kernel, on)?;
    keep(kernel, on);
    kernel.vfs.new_mount(kind, root, on, flags);
    Ok(())
}

/// Only a directory that is still there can be covered by a directory.
fn check_target(kernel: &Kernel, on: Spot) -> Result<(), Errno> {
    if kind(kernel, on.node) != FileKind::Dir {
        Err(Errno::ENOTDIR)
    } else if is_dead(kernel, on.node) {
        Err(Errno::ENOENT)
    } else {
        Ok(())
    }
}

/// The words between commas, without the empty ones.
fn words(options: &[u8]) -> impl Iterator<Item = &[u8]> {
    options.split(|byte| *byte == b',').filter(|word| !word.is_empty())
}

fn check_cgroup2_options(options: &[u8]) -> Step<()> {
    if words(options).any(|word| !CGROUP2_OPTIONS.contains(&word)) {
        return Err(Errno::EINVAL.into());
    }
    match words(options).next() {
        Some(_) => Err(Failure::NotModelled("options of cgroup2").into()),
        None => Ok(()),
    }
}

/// Who follows whose mounts: without other mount namespaces nobody can tell.
fn set_propagation(kernel: &Kernel, on: Spot, flags: MountFlags) -> Step<()> {
    let others = flags - PROPAGATION - MountFlags::RECURSIVE;
    let ways = (flags & PROPAGATION).bits().count_ones();
    if is_root(kernel, on) && others.is_empty() && ways == 1 {
        Ok(())
    } else {
        Err(Errno::EINVAL.into())
    }
}

/// What a tmpfs is to be.
struct Tmpfs {
    mode: Mode,
    owner: Uid,
    group: Gid,
    room: Room,
    memory: Bytes,
}

impl Tmpfs {
    fn new(kernel: &Kernel) -> Self {
        let memory = kernel.profile.memory;
        let room = Room::half_of(memory);
        Self { mode: Mode::new(0o1777), owner: Uid::ROOT, group: Gid::ROOT, room, memory }
    }

    /// Reads the options (tmpfs(5)); EINVAL for what is none.
    fn parse(&mut self, options: &[u8]) -> Step<()> {
        for word in words(options) {
            let (key, value) = match word.iter().position(|byte| *byte == b'=') {
                Some(at) => (word.get(..at).unwrap_or_default(), word.get(at + 1..)),
                None => (word, None),
            };
            let text = value.and_then(|value| std::str::from_utf8(value).ok());
            let number = || text.and_then(|text| text.parse().ok()).ok_or(Errno::EINVAL);
            match key {
                b"size" => self.room.most_pages = pages(text, self.memory)?.div_ceil(PAGE),
                b"nr_blocks" => self.room.most_pages = amount(text)?,
                b"nr_inodes" => self.room.most_nodes = amount(text)?,
                b"mode" => {
                    let bits = text.and_then(|text| u16::from_str_radix(text, 8).ok());
                    self.mode = Mode::new(bits.ok_or(Errno::EINVAL)?);
                }
                b"uid" => self.owner = Uid(number()?),
                b"gid" => self.group = Gid(number()?),
                b"inode64" | b"inode32" if value.is_none() => {}
                b"huge" | b"mpol" | b"noswap" | b"quota" | b"usrquota" | b"grpquota" => {
                    return Err(Failure::NotModelled("this option of tmpfs").into());
                }
                _ => return Err(Errno::EINVAL.into()),
            }
        }
        Ok(())
    }
}

/// A number of bytes, or a part of the memory in percent.
fn pages(text: Option<&str>, memory: Bytes) -> Result<u64, Errno> {
    match text.and_then(|text| text.strip_suffix('%')) {
        Some(percent) => Ok(amount(Some(percent))?.saturating_mul(memory.0) / 100),
        None => amount(text),
    }
}

/// A number with one of the suffixes k, m, g, t, p, e.
fn amount(text: Option<&str>) -> Result<u64, Errno> {
    const SUFFIXES: &str = "kmgtpe";
    let text = text.ok_or(Errno::EINVAL)?;
    let (digits, shift) = match text.chars().last().map(|last| last.to_ascii_lowercase()) {
        Some(last) if !last.is_ascii_digit() => {
            let at =
                SUFFIXES.find(last).and_then(|at| u32::try_from(at).ok()).ok_or(Errno::EINVAL)?;
            (text.get(..text.len() - last.len_utf8()).unwrap_or_default(), 10 * (at + 1))
        }
        Some(_) | None => (text, 0),
    };
    let number: u64 = digits.parse().map_err(|_| Errno::EINVAL)?;
    number.checked_mul(1 << shift).ok_or(Errno::EINVAL)
}

fn mount_tmpfs(kernel: &mut Kernel, on: Spot, flags: MountFlags, tmpfs: &Tmpfs) -> Step<()> {
    let mut root = TmpNode::directory(tmpfs.mode, None, kernel.clock.realtime());
    root.owner = tmpfs.owner;
    root.group = tmpfs.group;
    let root = Node::Tmp(kernel.vfs.tmp.insert(root));
    keep(kernel, on);
    let mount = kernel.vfs.new_mount(FilesystemType::TMPFS, root, on, flags);
    let record = kernel.vfs.mounts.at_mut(mount);
    record.room = tmpfs.room;
    record.born = Born::Tmpfs(tmpfs.mode, tmpfs.owner, tmpfs.group);
    Ok(())
}

/// Other flags and bounds for a mount that is there.
fn remount(kernel: &mut Kernel, on: Spot, flags: MountFlags, options: &[u8]) -> Step<()> {
    if !is_root(kernel, on) {
        return Err(Errno::EINVAL.into());
    }
    let kind = kernel.vfs.mounts.at(on.mount).kind;
    let whole = !flags.contains(MountFlags::BIND);
    let mut bounds = None;
    if whole && kind == FilesystemType::TMPFS {
        let mut tmpfs = Tmpfs::new(kernel);
        tmpfs.room = kernel.vfs.mounts.at(on.mount).room;
        tmpfs.parse(options)?;
        let room = tmpfs.room;
        let too_small = |most, held| most != 0 && most < held;
        if too_small(room.most_pages, room.pages) || too_small(room.most_nodes, room.nodes) {
            return Err(Errno::EINVAL.into());
        }
        bounds = Some(room);
    } else if whole && kind == FilesystemType::CGROUP2 {
        // The options of the hierarchy are set anew by each: none is what there is.
        check_cgroup2_options(options)?;
    } else if whole && !options.is_empty() {
        return Err(Failure::NotModelled("remount with options").into());
    }
    let read_only = flags.contains(MountFlags::READ_ONLY);
    if whole && read_only && writes_somewhere(kernel, on.mount) {
        return Err(Errno::EBUSY.into());
    }
    let mount = kernel.vfs.mounts.at_mut(on.mount);
    mount.flags = flags & KEPT;
    if whole {
        mount.read_only = read_only;
    }
    if let Some(room) = bounds {
        mount.room = room;
    }
    Ok(())
}

/// Whether a file of this mount is open for writing.
fn writes_somewhere(kernel: &Kernel, mount: MountKey) -> bool {
    kernel
        .vfs
        .files
        .iter()
        .any(|(_, file)| file.is_named() && file.spot.mount == mount && file.writes())
}

/// umount2(2) without flags.
///
/// # Errors
/// What the walk says; EPERM without `CAP_SYS_ADMIN`; EINVAL (nothing is mounted there); EBUSY (a file, working directory
/// or mount keeps it).
pub(crate) fn umount(kernel: &mut Kernel, caller: ThreadKey, target: PlaceArg<'_>) -> Step<()> {
    let spot = spot(kernel, caller, target, Follow::Link)?;
    if !kernel.credentials(caller).capable(Capability::SYS_ADMIN) {
        return Err(Errno::EPERM.into());
    }
    if !is_root(kernel, spot) {
        return Err(Errno::EINVAL.into());
    }
    let mount = kernel.vfs.mounts.at(spot.mount);
    let Some(on) = mount.on else { return Err(Failure::NotModelled("umount of the root").into()) };
    if mount.users > 0 {
        return Err(Errno::EBUSY.into());
    }
    kernel.vfs.uncover(on);
    kernel.vfs.mounts.remove(spot.mount);
    if let Node::Tmp(root) = spot.node {
        tmpfs::free_all(&mut kernel.vfs, root);
    }
    let_go(kernel, on);
    Ok(())
}
