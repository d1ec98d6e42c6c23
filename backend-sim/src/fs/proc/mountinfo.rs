//! /proc/PID/mountinfo and mounts (proc_pid_mountinfo(5), proc_pid_mounts(5)): the mounts of the process's namespace.
//!
//! The size of the root and of /dev is what the machine bounds them by, half of its memory. Linux says a little less,
//! because some memory is not counted yet when it mounts these two.

use standin::backend::{FilesystemType, MountFlags};
use standin::{Errno, Failure};

use super::row::Content;
use super::{ProcNode, text};
use crate::cgroup::{self, value};
use crate::fs::content::PAGE;
use crate::fs::tmpfs::Room;
use crate::fs::{Born, Home, Mount, MountKey, Node, Spot, tree};
use crate::kernel::Kernel;
use crate::namespace;
use crate::namespace::mount::MountNsKey;
use crate::profile::Release;
use crate::step::Step;
use crate::task::ThreadKey;

/// Bytes of a path that are written in octal.
const ESCAPED: &[u8] = b" \t\n\\";

/// EINVAL: a process that has exited has no mounts.
pub(super) fn open(kernel: &Kernel, thread: ThreadKey) -> Step<()> {
    if kernel.tasks.is_alive(thread) { Ok(()) } else { Err(Errno::EINVAL.into()) }
}

/// What one of these files says of a namespace.
pub(super) fn read(
    kernel: &Kernel,
    reader: ThreadKey,
    (of, node): (MountNsKey, ProcNode),
    out: &mut Vec<u8>,
) -> Step<()> {
    if node.content() == Content::MountTable {
        print_table(kernel, reader, of, out)
    } else if node.content() == Content::MountStatistics {
        print_statistics(kernel, of, out)
    } else {
        print(kernel, reader, of, out)
    }
}

/// A line for each mount, in the order in which they were made.
fn print(kernel: &Kernel, reader: ThreadKey, of: MountNsKey, out: &mut Vec<u8>) -> Step<()> {
    for (key, mount) in in_order(kernel, of) {
        let above = mount.on.map_or(mount.number, |on| kernel.vfs.mounts.at(on.mount).number);
        text::decimal(out, mount.number.into());
        out.push(b' ');
        text::decimal(out, above.into());
        let minor = mount.device.0 & 0xff | mount.device.0 >> 12 & !0xff;
        out.extend_from_slice(b" 0:");
        text::decimal(out, minor);
        out.push(b' ');
        match mount.root {
            Node::Cgroup(root) => {
                let mut path = Vec::new();
                let hierarchy = kernel.cgroups.table.at(root).hierarchy;
                let seen = namespace::cgroup::root(kernel, reader, hierarchy);
                cgroup::path_from(kernel, seen, root, &mut path);
                value::print_escaped(&path, ESCAPED, out);
            }
            Node::Tmp(_) | Node::Control(..) | Node::Proc(_) => out.push(b'/'),
        }
        out.push(b' ');
        print_place(kernel, key, out)?;
        out.push(b' ');
        add_flags(mount, mount.flags.contains(MountFlags::READ_ONLY), out);
        tree::print_ties(kernel, Home::Of(of), mount, out);
        out.extend_from_slice(b" - ");
        out.extend_from_slice(mount.name.as_bytes());
        out.push(b' ');
        out.extend_from_slice(mount.name.as_bytes());
        out.extend_from_slice(if mount.read_only { b" ro" } else { b" rw" });
        add_options(kernel, reader, mount, out);
        out.push(b'\n');
    }
    Ok(())
}

/// /proc/PID/mounts: the same, shorter, as fstab(5) has it. What is read-only, the mount or the filesystem, is not told apart.
fn print_table(kernel: &Kernel, reader: ThreadKey, of: MountNsKey, out: &mut Vec<u8>) -> Step<()> {
    for (key, mount) in in_order(kernel, of) {
        out.extend_from_slice(mount.name.as_bytes());
        out.push(b' ');
        print_place(kernel, key, out)?;
        out.push(b' ');
        out.extend_from_slice(mount.name.as_bytes());
        out.push(b' ');
        let read_only = mount.read_only || mount.flags.contains(MountFlags::READ_ONLY);
        add_flags(mount, read_only, out);
        add_options(kernel, reader, mount, out);
        out.extend_from_slice(b" 0 0\n");
    }
    Ok(())
}

/// /proc/PID/mountstats: what is mounted where, and what filesystems know of themselves, which none of these do.
fn print_statistics(kernel: &Kernel, of: MountNsKey, out: &mut Vec<u8>) -> Step<()> {
    for (key, mount) in in_order(kernel, of) {
        out.extend_from_slice(b"device ");
        out.extend_from_slice(mount.name.as_bytes());
        out.extend_from_slice(b" mounted on ");
        print_place(kernel, key, out)?;
        out.extend_from_slice(b" with fstype ");
        out.extend_from_slice(mount.name.as_bytes());
        out.push(b'\n');
    }
    Ok(())
}

fn in_order(kernel: &Kernel, of: MountNsKey) -> Vec<(MountKey, &Mount)> {
    let home = Home::Of(of);
    let mounts = kernel.vfs.mounts.iter().filter(|(key, _)| kernel.home_of(*key) == home);
    let mut mounts: Vec<(MountKey, &Mount)> = mounts.collect();
    mounts.sort_unstable_by_key(|(_, mount)| mount.order);
    mounts
}

fn print_place(kernel: &Kernel, mount: MountKey, out: &mut Vec<u8>) -> Step<()> {
    let mut path = Vec::new();
    add_path(kernel, mount, &mut path)?;
    value::print_escaped(if path.is_empty() { b"/" } else { &path }, ESCAPED, out);
    Ok(())
}

/// Where a mount is: nothing for the first.
pub(crate) fn add_path(kernel: &Kernel, mount: MountKey, path: &mut Vec<u8>) -> Step<()> {
    let Some(Spot { mount: below, node }) = kernel.vfs.mounts.at(mount).on else { return Ok(()) };
    add_path(kernel, below, path)?;
    match node {
        Node::Tmp(mut key) => {
            let mut names = Vec::new();
            let above = |key| kernel.vfs.tmp.at(key).names().and_then(|names| names.parent);
            while let Some(parent) = above(key) {
                let name = kernel.vfs.tmp.at(parent).names().and_then(|names| names.name_of(key));
                names.push(name.unwrap_or_default());
                key = parent;
            }
            for name in names.into_iter().rev() {
                path.push(b'/');
                path.extend_from_slice(name);
            }
        }
        Node::Cgroup(group) => {
            let Node::Cgroup(root) = kernel.vfs.mounts.at(below).root else { return Ok(()) };
            if group != root {
                cgroup::path_from(kernel, root, group, path);
            }
        }
        Node::Proc(ProcNode::Root) => {}
        Node::Proc(_) | Node::Control(..) => {
            return Err(Failure::NotModelled("mountinfo with a mount below /proc").into());
        }
    }
    Ok(())
}

/// Flags of the mount, in the kernel's order. Every mount but the first was made by mount(2), which says relatime.
fn add_flags(mount: &Mount, read_only: bool, out: &mut Vec<u8>) {
    let has = |flag| mount.flags.contains(flag);
    out.extend_from_slice(if read_only { b"ro" } else { b"rw" });
    let rows: [(bool, &[u8]); 4] = [
        (has(MountFlags::NO_SUID), b",nosuid"),
        (has(MountFlags::NO_DEV), b",nodev"),
        (has(MountFlags::NO_EXEC), b",noexec"),
        (mount.on.is_some(), b",relatime"),
    ];
    for (_, word) in rows.iter().filter(|(set, _)| *set) {
        out.extend_from_slice(word);
    }
}

/// Options of the filesystem: of a tmpfs those that are not the usual ones.
fn add_options(kernel: &Kernel, reader: ThreadKey, mount: &Mount, out: &mut Vec<u8>) {
    let (mode, owner, group) = match mount.born {
        Born::Plain if mount.kind == FilesystemType::CGROUP2 => {
            kernel.cgroups.options.print(out);
            return;
        }
        Born::Plain | Born::Proc(_) => {
            kernel.vfs.rooms.at(mount.room).hiding.print(kernel, reader, out);
            return;
        }
        Born::Hierarchy(id) => {
            kernel.cgroups.print_options(id, out);
            return;
        }
        Born::Tmpfs(mode, owner, group) => (mode, owner, group),
    };
    let mut add = |text: String| out.extend_from_slice(text.as_bytes());
    let room = kernel.vfs.rooms.at(mount.room);
    let usual = Room::half_of(kernel.profile.memory);
    // Mounted before the kernel knew how much memory there is: nothing is usual.
    let early = mount.name != "tmpfs";
    if early || room.most_pages != usual.most_pages {
        add(format!(",size={}k", room.most_pages * (PAGE / 1024)));
    }
    if early || room.most_nodes != usual.most_nodes {
        add(format!(",nr_inodes={}", room.most_nodes));
    }
    if mode.bits() != 0o1777 {
        add(format!(",mode={:03o}", mode.bits()));
    }
    if owner.0 != 0 {
        add(format!(",uid={owner}"));
    }
    if group.0 != 0 {
        add(format!(",gid={group}"));
    }
    // What the recorded kernels were built to say.
    if kernel.profile.release <= Release::V6_12 {
        add(",inode64".to_owned());
    }
}

#[cfg(test)]
mod tests {
    use standin::backend::{Files as _, MountFlags};
    use standin::fs;
    use standin::id::Bytes;
    use standin::path::{KPath, Place};

    use crate::{Layout, Machine, Release};

    const FILE: &str = "/proc/self/mountinfo";

    /// The list of a machine with as much memory as the recorded kernels counted.
    fn list(kernel: Release, layout: Layout, counted_kib: u64) -> String {
        let memory = Bytes(counted_kib * 2 * 1024);
        let machine = Machine::builder().kernel(kernel).layout(layout).memory(memory).build();
        fs::read_to_string(&machine.root(), FILE).unwrap()
    }

    #[test]
    fn the_mounts_of_a_machine_are_told_as_the_recorded_kernels_told_theirs() {
        let told = "1 1 0:2 / / rw - rootfs rootfs rw,size=489864k,nr_inodes=122466,inode64\n\
            24 1 0:22 / /proc rw,relatime - proc proc rw\n\
            25 1 0:23 / /sys rw,relatime - sysfs sysfs rw\n\
            26 1 0:6 / /dev rw,relatime - devtmpfs devtmpfs rw,size=489864k,nr_inodes=122466,mode=755,inode64\n\
            27 1 0:24 / /mnt rw,relatime - tmpfs tmpfs rw,inode64\n\
            28 25 0:25 / /sys/fs/cgroup rw,relatime - cgroup2 cgroup2 rw\n";
        // Those kernels had no /dev/shm and no /run.
        let more = "29 26 0:26 / /dev/shm rw,nosuid,nodev,relatime - tmpfs tmpfs rw,inode64\n\
            30 1 0:27 / /run rw,nosuid,nodev,relatime - tmpfs tmpfs rw,mode=755,inode64\n";
        assert_eq!(list(Release::V6_12, Layout::Unified, 489_864), format!("{told}{more}"));
    }

    #[test]
    fn each_hierarchy_of_a_hybrid_machine_is_told_with_its_controller() {
        let told = list(Release::V6_1, Layout::Hybrid, 491_932);
        let lines: Vec<&str> = told.lines().skip(5).collect();
        assert_eq!(lines[0], "26 23 0:23 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,inode64");
        assert_eq!(
            lines[4],
            "30 26 0:27 / /sys/fs/cgroup/blkio rw,relatime - cgroup cgroup rw,blkio"
        );
        assert_eq!(
            lines[15],
            "41 26 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw"
        );
        assert_eq!(lines.len(), 18);
    }

    #[test]
    fn a_mount_takes_the_lowest_free_number_and_its_place_is_escaped() {
        let machine = Machine::builder().build();
        let root = machine.root();
        let mount = |kind: &str, at: &str, options: &str| {
            let [kind, at, options] = [kind, at, options].map(|text| KPath::new(text).unwrap());
            root.mount(kind, Place::cwd(at), MountFlags::NO_DEV, options).unwrap();
        };
        fs::create_dir(&root, "/mnt/a b").unwrap();
        mount("tmpfs", "/mnt/a b", "size=8k,mode=700,uid=5");
        mount("cgroup2", "/tmp", "");
        root.umount(Place::cwd(KPath::new("/mnt/a b").unwrap())).unwrap();
        mount("tmpfs", "/mnt/a b", "size=8k,mode=700,uid=5");
        let told = fs::read_to_string(&root, FILE).unwrap();
        let last: Vec<&str> = told.lines().skip(8).collect();
        assert_eq!(
            last,
            [
                "32 1 0:25 / /tmp rw,nodev,relatime - cgroup2 cgroup2 rw",
                "31 27 0:29 / /mnt/a\\040b rw,nodev,relatime - tmpfs tmpfs rw,size=8k,mode=700,uid=5,inode64",
            ]
        );
    }

    #[test]
    fn a_shared_mount_is_told_with_the_number_of_its_peers() {
        let machine = Machine::builder().build();
        let root = machine.root();
        let [none, at] = ["", "/mnt"].map(|text| KPath::new(text).unwrap());
        root.mount(none, Place::cwd(at), MountFlags::SHARED, none).unwrap();
        let told = fs::read_to_string(&root, FILE).unwrap();
        let line = "27 1 0:24 / /mnt rw,relatime shared:1 - tmpfs tmpfs rw,inode64";
        assert!(told.lines().any(|told| told == line), "{told}");
    }
}
