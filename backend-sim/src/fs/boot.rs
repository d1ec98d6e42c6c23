//! The tree that a machine boots with: the mounts and directories of the kernels that were recorded, and the two filesystems
//! for what programs share while the machine is up, /dev/shm and /run, as every distribution mounts them.

use standin::backend::{FileKind, FilesystemType, MountFlags};
use standin::id::{Device, Gid, Mode, Moment, Uid};

use super::device;
use super::lock::Locks;
use super::memory::PathMemory;
use super::mount::device as device_number;
use super::proc::ProcNode;
use super::propagation::Ties;
use super::tmpfs::{self, Content, Room, TmpNode};
use super::{Born, Home, Mount, MountKey, Node, Spot, TmpKey, Vfs};
use crate::cgroup::Cgroups;
use crate::clock::VirtualClock;
use crate::notify::Notify;
use crate::profile::{Layout, Profile, Release};
use crate::table::Table;
use rustc_hash::FxHashMap;

/// The programs that every machine has.
const PROGRAMS: [&str; 5] = ["cat", "echo", "false", "sleep", "true"];

/// Numbers that the recorded kernels gave (mountinfo).
struct Numbers {
    /// The minor numbers of /dev, and of the first filesystem that was mounted on the root.
    dev_minor: u32,
    first_minor: u32,
    /// The number of the first mount on the root.
    first_mount: u32,
}

/// The root's.
const ROOT_MINOR: u32 = 2;
const ROOT_MOUNT: u32 = 1;

const fn numbers(release: Release) -> Numbers {
    match release {
        Release::V6_1 => Numbers { dev_minor: 5, first_minor: 20, first_mount: 22 },
        Release::V6_12 | Release::V6_18 => {
            Numbers { dev_minor: 6, first_minor: 22, first_mount: 24 }
        }
    }
}

/// Permission bits of every symbolic link.
const LINK: Mode = Mode::new(0o777);

/// What a tmpfs that the kernel mounts itself is born with.
const ROOTS: Born = Born::Tmpfs(Mode::new(0o1777), Uid::ROOT, Gid::ROOT);
const DEVICES: Born = Born::Tmpfs(Mode::new(0o755), Uid::ROOT, Gid::ROOT);

impl Vfs {
    /// The mounts of a machine that has just booted.
    pub(crate) fn boot(profile: &Profile, cgroups: &Cgroups) -> Self {
        let now = VirtualClock::new().realtime();
        let numbers = numbers(profile.release);
        let room = Room::half_of(profile.memory);
        let mut tmp = Table::default();
        let (mut mounts, mut rooms) = (Table::default(), Table::default());
        let root = tmp.insert(TmpNode::directory(Mode::new(0o755), None, now));
        let rootfs = mounts.insert(Mount {
            kind: FilesystemType::TMPFS,
            root: Node::Tmp(root),
            on: None,
            flags: MountFlags::empty(),
            read_only: false,
            device: Device(device_number(ROOT_MINOR)),
            users: 0,
            room: rooms.insert(room),
            home: Home::First,
            owner: None,
            is_locked: false,
            locked_flags: MountFlags::empty(),
            ties: Ties::default(),
            number: ROOT_MOUNT,
            order: 0,
            name: "rootfs",
            born: ROOTS,
        });
        let mut vfs = Self {
            mounts,
            rooms,
            root: Spot { mount: rootfs, node: Node::Tmp(root) },
            files: Table::default(),
            tmp,
            covers: FxHashMap::default(),
            unmarked_covers: 0,
            paths: PathMemory::default(),
            locks: Locks::default(),
            notify: Notify::default(),
            settings: super::proc::sysctl::Settings::default(),
            last_minor: numbers.first_minor - 1,
            mounts_made: 0,
            first_mount: numbers.first_mount,
            scratch: Vec::new(),
        };
        let [dev, run] = vfs.rootfs_and_below(profile, cgroups, (rootfs, root), now);
        let shm = vfs.directory(dev, "shm", Mode::new(0o755), now);
        for (name, device, bits) in device::all(profile) {
            let node = TmpNode::new(Content::Device(device), Mode::new(bits), now);
            tmpfs::add(&mut vfs, dev.0, dev.1, name.as_bytes(), node);
        }
        for (on, mode) in [((dev.0, shm), 0o1777), (run, 0o755)] {
            let top = vfs.tmp.insert(TmpNode::directory(Mode::new(mode), None, now));
            let born = Born::Tmpfs(Mode::new(mode), Uid::ROOT, Gid::ROOT);
            let mount = vfs.attach(on, FilesystemType::TMPFS, Node::Tmp(top), born);
            vfs.mounts.at_mut(mount).flags = MountFlags::NO_SUID | MountFlags::NO_DEV;
            *vfs.room_mut(mount) = room;
        }
        vfs
    }

    /// Says where /dev and /run are.
    fn rootfs_and_below(
        &mut self,
        profile: &Profile,
        cgroups: &Cgroups,
        (rootfs, root): (MountKey, TmpKey),
        now: Moment,
    ) -> [(MountKey, TmpKey); 2] {
        let room = Room::half_of(profile.memory);
        let mut make =
            |name: &str, mode| self.directory((rootfs, root), name, Mode::new(mode), now);
        let bin = make("bin", 0o755);
        let [dev, mnt, proc, run, sys] =
            ["dev", "mnt", "proc", "run", "sys"].map(|name| make(name, 0o755));
        make("tmp", 0o1777);
        for program in PROGRAMS {
            let file = TmpNode::new(Content::file(), Mode::new(0o755), now);
            tmpfs::add(self, rootfs, bin, program.as_bytes(), file);
        }

        let proc_root = Node::Proc(ProcNode::Root);
        self.attach((rootfs, proc), FilesystemType::PROC, proc_root, Born::Plain);

        let sys_root = self.tmp.insert(TmpNode::directory(Mode::new(0o555), None, now));
        let sysfs =
            self.attach((rootfs, sys), FilesystemType::SYSFS, Node::Tmp(sys_root), Born::Plain);
        let fs = self.directory((sysfs, sys_root), "fs", Mode::new(0o755), now);
        let cgroup = self.directory((sysfs, fs), "cgroup", Mode::new(0o555), now);

        let dev_root = self.tmp.insert(TmpNode::directory(Mode::new(0o755), None, now));
        let devtmpfs =
            self.attach((rootfs, dev), FilesystemType::TMPFS, Node::Tmp(dev_root), DEVICES);
        let record = self.mounts.at_mut(devtmpfs);
        record.device = Device(device_number(numbers(profile.release).dev_minor));
        record.name = "devtmpfs";
        *self.room_mut(devtmpfs) = room;
        self.last_minor -= 1;

        let mnt_root = self.tmp.insert(TmpNode::directory(Mode::new(0o1777), None, now));
        let mnt = self.attach((rootfs, mnt), FilesystemType::TMPFS, Node::Tmp(mnt_root), ROOTS);
        *self.room_mut(mnt) = room;

        let below = [(devtmpfs, dev_root), (rootfs, run)];
        if profile.layout == Layout::Unified {
            let v2 = Node::Cgroup(cgroups.root);
            self.attach((sysfs, cgroup), FilesystemType::CGROUP2, v2, Born::Plain);
            return below;
        }
        let top = self.tmp.insert(TmpNode::directory(Mode::new(0o1777), None, now));
        let groups = self.attach((sysfs, cgroup), FilesystemType::TMPFS, Node::Tmp(top), ROOTS);
        *self.room_mut(groups) = room;
        let hierarchies: Vec<_> = cgroups.v1_hierarchies().collect();
        for (id, hierarchy) in hierarchies.into_iter().rev() {
            let name = hierarchy.text();
            let name = name.strip_prefix("name=").unwrap_or(&name);
            let on = self.directory((groups, top), name, Mode::new(0o755), now);
            let root = Node::Cgroup(hierarchy.root);
            self.attach((groups, on), FilesystemType::CGROUP, root, Born::Hierarchy(id));
            if hierarchy.controllers.iter().count() > 1 {
                for controller in hierarchy.controllers.iter() {
                    let link = TmpNode::new(Content::Link(name.as_bytes().into()), LINK, now);
                    tmpfs::add(self, groups, top, controller.v1_name().as_bytes(), link);
                }
            }
        }
        if profile.layout == Layout::Hybrid {
            let on = self.directory((groups, top), "unified", Mode::new(0o755), now);
            let v2 = Node::Cgroup(cgroups.root);
            self.attach((groups, on), FilesystemType::CGROUP2, v2, Born::Plain);
        }
        below
    }

    fn directory(
        &mut self,
        (mount, parent): (MountKey, TmpKey),
        name: &str,
        mode: Mode,
        now: Moment,
    ) -> TmpKey {
        let node = TmpNode::directory(mode, Some(parent), now);
        debug_assert_eq!(node.kind(), FileKind::Dir, "a directory is one");
        tmpfs::add(self, mount, parent, name.as_bytes(), node)
    }

    /// Mounts a filesystem on a directory of a tmpfs or sysfs.
    fn attach(
        &mut self,
        (mount, directory): (MountKey, TmpKey),
        kind: FilesystemType,
        root: Node,
        born: Born,
    ) -> MountKey {
        let on = Spot { mount, node: Node::Tmp(directory) };
        self.tmp.at_mut(directory).users += 1;
        self.mounts.at_mut(mount).users += 1;
        self.new_mount((kind, root, born), on, MountFlags::empty(), (Home::First, None))
    }
}
