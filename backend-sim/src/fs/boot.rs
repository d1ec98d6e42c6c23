//! The tree that a machine boots with: the mounts and directories of the kernels that were recorded.

use standin::backend::{FileKind, FilesystemType, MountFlags};
use standin::id::{Device, Mode, Moment};

use super::lock::Locks;
use super::memory::PathMemory;
use super::mount::device;
use super::proc::ProcNode;
use super::tmpfs::{self, Content, Room, TmpNode};
use super::{Mount, MountKey, Node, Spot, TmpKey, Vfs};
use crate::cgroup::CgroupKey;
use crate::clock::VirtualClock;
use crate::profile::{Layout, Profile};
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

/// Minor numbers that the recorded kernels gave (mountinfo).
const ROOT_MINOR: u32 = 2;
const DEV_MINOR: u32 = 6;
const FIRST_MINOR: u32 = 22;

impl Vfs {
    /// The mounts of a machine that has just booted.
    pub(crate) fn boot(profile: &Profile, cgroup_root: CgroupKey) -> Self {
        let now = VirtualClock::new().realtime();
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
            last_minor: FIRST_MINOR - 1,
            scratch: Vec::new(),
        };
        vfs.rootfs_and_below(profile, cgroup_root, (rootfs, root), now);
        vfs
    }

    fn rootfs_and_below(
        &mut self,
        profile: &Profile,
        cgroup_root: CgroupKey,
        (rootfs, root): (MountKey, TmpKey),
        now: Moment,
    ) {
        let room = Room::half_of(profile.memory);
        let mut make =
            |name: &str, mode| self.directory((rootfs, root), name, Mode::new(mode), now);
        let bin = make("bin", 0o755);
        let [dev, mnt, proc, sys] = ["dev", "mnt", "proc", "sys"].map(|name| make(name, 0o755));
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
        self.mounts.at_mut(devtmpfs).device = Device(device(DEV_MINOR));
        self.last_minor -= 1;

        let mnt_root = self.tmp.insert(TmpNode::directory(Mode::new(0o1777), None, now));
        self.attach((rootfs, mnt), FilesystemType::TMPFS, Node::Tmp(mnt_root), room);

        if profile.layout == Layout::Unified {
            self.attach(
                (sysfs, cgroup),
                FilesystemType::CGROUP2,
                Node::Cgroup(cgroup_root),
                Room::default(),
            );
            return;
        }
        let top = self.tmp.insert(TmpNode::directory(Mode::new(0o1777), None, now));
        let groups = self.attach((sysfs, cgroup), FilesystemType::TMPFS, Node::Tmp(top), room);
        for (name, missing_in_6_12) in V1 {
            if missing_in_6_12 && profile.release == crate::profile::Release::V6_12 {
                continue;
            }
            let on = self.directory((groups, top), name, Mode::new(0o755), now);
            // A root that no walk enters: see `walk`.
            let v1 = self.tmp.insert(TmpNode::directory(Mode::new(0o555), None, now));
            self.attach((groups, on), FilesystemType::CGROUP, Node::Tmp(v1), Room::default());
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
