//! The tree that a machine boots with: the mounts and directories of the kernels that were recorded, and the two filesystems
//! for what programs share while the machine is up, /dev/shm and /run, as every distribution mounts them.

use standin::backend::{FileKind, FilesystemType, MountFlags};
use standin::id::{Device, Gid, Mode, Moment, Uid};

use super::lock::Locks;
use super::memory::PathMemory;
use super::mount::device;
use super::proc::ProcNode;
use super::tmpfs::{self, Content, Room, TmpNode};
use super::{Born, Mount, MountKey, Node, Spot, TmpKey, Vfs};
use crate::cgroup::CgroupKey;
use crate::clock::VirtualClock;
use crate::profile::{Layout, Profile, Release};
use crate::table::Table;
use rustc_hash::FxHashMap;

/// The v1 hierarchies, in the order of /proc/cgroups (spec/transcript.md, Form), and whether 6.12 lacks them.
const V1: [(&str, bool); 14] = [
    ("cpuset", true),
    ("cpu", false),
    ("cpuacct", false),
    ("blkio", false),
    ("memory", true),
    ("devices", false),
    ("freezer", false),
    ("net_cls", false),
    ("perf_event", false),
    ("net_prio", false),
    ("hugetlb", false),
    ("pids", false),
    ("rdma", false),
    ("misc", false),
];

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

/// What a tmpfs that the kernel mounts itself is born with.
const ROOTS: Born = Born::Tmpfs(Mode::new(0o1777), Uid::ROOT, Gid::ROOT);
const DEVICES: Born = Born::Tmpfs(Mode::new(0o755), Uid::ROOT, Gid::ROOT);

impl Vfs {
    /// The mounts of a machine that has just booted.
    pub(crate) fn boot(profile: &Profile, cgroup_root: CgroupKey) -> Self {
        let now = VirtualClock::new().realtime();
        let numbers = numbers(profile.release);
        let room = Room::half_of(profile.memory);
        let mut tmp = Table::default();
        let mut mounts = Table::default();
        let root = tmp.insert(TmpNode::directory(Mode::new(0o755), None, now));
        let rootfs = mounts.insert(Mount {
            kind: FilesystemType::TMPFS,
            root: Node::Tmp(root),
            on: None,
            flags: MountFlags::empty(),
            read_only: false,
            device: Device(device(ROOT_MINOR)),
            users: 0,
            room,
            number: ROOT_MOUNT,
            order: 0,
            name: "rootfs",
            born: ROOTS,
        });
        let mut vfs = Self {
            mounts,
            root: Spot { mount: rootfs, node: Node::Tmp(root) },
            files: Table::default(),
            tmp,
            covers: FxHashMap::default(),
            unmarked_covers: 0,
            paths: PathMemory::default(),
            locks: Locks::default(),
            last_minor: numbers.first_minor - 1,
            mounts_made: 0,
            first_mount: numbers.first_mount,
            has_peers: false,
            scratch: Vec::new(),
        };
        let [dev, run] = vfs.rootfs_and_below(profile, cgroup_root, (rootfs, root), now);
        let shm = vfs.directory(dev, "shm", Mode::new(0o755), now);
        for (on, mode) in [((dev.0, shm), 0o1777), (run, 0o755)] {
            let top = vfs.tmp.insert(TmpNode::directory(Mode::new(mode), None, now));
            let mount = vfs.attach(on, FilesystemType::TMPFS, Node::Tmp(top), room);
            let record = vfs.mounts.at_mut(mount);
            record.flags = MountFlags::NO_SUID | MountFlags::NO_DEV;
            record.born = Born::Tmpfs(Mode::new(mode), Uid::ROOT, Gid::ROOT);
        }
        vfs
    }

    /// Says where /dev and /run are.
    fn rootfs_and_below(
        &mut self,
        profile: &Profile,
        cgroup_root: CgroupKey,
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

        self.attach(
            (rootfs, proc),
            FilesystemType::PROC,
            Node::Proc(ProcNode::Root),
            Room::default(),
        );

        let sys_root = self.tmp.insert(TmpNode::directory(Mode::new(0o555), None, now));
        let sysfs =
            self.attach((rootfs, sys), FilesystemType::SYSFS, Node::Tmp(sys_root), Room::default());
        let fs = self.directory((sysfs, sys_root), "fs", Mode::new(0o755), now);
        let cgroup = self.directory((sysfs, fs), "cgroup", Mode::new(0o555), now);

        let dev_root = self.tmp.insert(TmpNode::directory(Mode::new(0o755), None, now));
        let devtmpfs = self.attach((rootfs, dev), FilesystemType::TMPFS, Node::Tmp(dev_root), room);
        let record = self.mounts.at_mut(devtmpfs);
        record.device = Device(device(numbers(profile.release).dev_minor));
        record.name = "devtmpfs";
        record.born = DEVICES;
        self.last_minor -= 1;

        let mnt_root = self.tmp.insert(TmpNode::directory(Mode::new(0o1777), None, now));
        let mnt = self.attach((rootfs, mnt), FilesystemType::TMPFS, Node::Tmp(mnt_root), room);
        self.mounts.at_mut(mnt).born = ROOTS;

        let below = [(devtmpfs, dev_root), (rootfs, run)];
        if profile.layout == Layout::Unified {
            self.attach(
                (sysfs, cgroup),
                FilesystemType::CGROUP2,
                Node::Cgroup(cgroup_root),
                Room::default(),
            );
            return below;
        }
        let top = self.tmp.insert(TmpNode::directory(Mode::new(0o1777), None, now));
        let groups = self.attach((sysfs, cgroup), FilesystemType::TMPFS, Node::Tmp(top), room);
        self.mounts.at_mut(groups).born = ROOTS;
        for (name, missing_in_6_12) in V1 {
            if missing_in_6_12 && profile.release == Release::V6_12 {
                continue;
            }
            let on = self.directory((groups, top), name, Mode::new(0o755), now);
            // A root that no walk enters: see `walk`.
            let v1 = self.tmp.insert(TmpNode::directory(Mode::new(0o555), None, now));
            let v1 =
                self.attach((groups, on), FilesystemType::CGROUP, Node::Tmp(v1), Room::default());
            self.mounts.at_mut(v1).born = Born::Hierarchy(name);
        }
        if profile.layout == Layout::Hybrid {
            let on = self.directory((groups, top), "unified", Mode::new(0o755), now);
            self.attach(
                (groups, on),
                FilesystemType::CGROUP2,
                Node::Cgroup(cgroup_root),
                Room::default(),
            );
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
        room: Room,
    ) -> MountKey {
        let on = Spot { mount, node: Node::Tmp(directory) };
        self.tmp.at_mut(directory).users += 1;
        self.mounts.at_mut(mount).users += 1;
        let made = self.new_mount(kind, root, on, MountFlags::empty());
        self.mounts.at_mut(made).room = room;
        made
    }
}
