//! Namespaces: which part of the kernel a process sees.
//!
//! Id maps are files (/proc/PID/uid_map, gid_map, setgroups) and so have no method here.

use bitflags::bitflags;

use crate::handle::{NsHandle, PidHandle};
use crate::id::NsId;
use crate::path::{KPath, KPathBuf};

super::operations! {
    /// Operations on namespaces.
    pub trait Namespaces {
        /// unshare(2): the calling thread gets new namespaces of these kinds; of pid and time, its later children do.
        ///
        /// Errno: EPERM, EINVAL (a user namespace in a process with several threads), ENOSPC (nesting, limits), ENOMEM.
        fn unshare(&self, kinds: NamespaceKinds) -> ();

        /// setns(2) by process handle: joins that process's namespaces of these kinds, all or none.
        fn join(&self, process: &PidHandle, kinds: NamespaceKinds) -> ();

        /// setns(2) by namespace handle.
        fn join_handle(&self, namespace: &NsHandle) -> ();

        /// open(2) of /proc/PID/ns/KIND: holds a namespace, which lives while it is held.
        fn open_namespace(&self, process: &PidHandle, kind: NamespaceKind) -> NsHandle;

        /// Which namespace a process is in: the inode of /proc/PID/ns/KIND. `None` is the caller.
        fn namespace_of(&self, process: Option<&PidHandle>, kind: NamespaceKind) -> NsId;

        /// uname(2)
        fn uname(&self) -> Uname;

        /// sethostname(2), at most 64 bytes.
        fn set_hostname(&self, name: &KPath) -> ();

        /// setdomainname(2), at most 64 bytes.
        fn set_domainname(&self, name: &KPath) -> ();

        /// reboot(2). In a pid namespace other than the initial one it ends that namespace's first process.
        fn reboot(&self, command: RebootCommand) -> ();
    }
}

/// A kind of namespace (namespaces(7)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum NamespaceKind {
    /// What is called cgroup `/`.
    Cgroup,
    /// System V IPC and POSIX queues.
    Ipc,
    /// Mounts.
    Mount,
    /// Network, and names of abstract sockets.
    Net,
    /// Process ids of the process itself.
    Pid,
    /// Process ids of its later children.
    PidForChildren,
    /// Offsets of the monotonic and boot-time clocks.
    Time,
    /// The same of its later children.
    TimeForChildren,
    /// User ids, group ids and capabilities.
    User,
    /// Host and domain name.
    Uts,
}

bitflags! {
    /// Kinds of namespaces, with the numbers of clone(2).
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub struct NamespaceKinds: u64 {
        /// `CLONE_NEWTIME`
        const TIME = 0x80;
        /// `CLONE_NEWNS`
        const MOUNT = 0x0002_0000;
        /// `CLONE_NEWCGROUP`
        const CGROUP = 0x0200_0000;
        /// `CLONE_NEWUTS`
        const UTS = 0x0400_0000;
        /// `CLONE_NEWIPC`
        const IPC = 0x0800_0000;
        /// `CLONE_NEWUSER`
        const USER = 0x1000_0000;
        /// `CLONE_NEWPID`
        const PID = 0x2000_0000;
        /// `CLONE_NEWNET`
        const NET = 0x4000_0000;
    }
}

/// What uname(2) tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uname {
    /// `Linux`
    pub sysname: KPathBuf,
    /// Host name.
    pub nodename: KPathBuf,
    /// Kernel release.
    pub release: KPathBuf,
    /// Build.
    pub version: KPathBuf,
    /// Hardware.
    pub machine: KPathBuf,
    /// NIS domain name.
    pub domainname: KPathBuf,
}

/// What reboot(2) is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RebootCommand {
    /// `LINUX_REBOOT_CMD_RESTART`
    Restart,
    /// `LINUX_REBOOT_CMD_HALT`
    Halt,
    /// `LINUX_REBOOT_CMD_POWER_OFF`
    PowerOff,
}
