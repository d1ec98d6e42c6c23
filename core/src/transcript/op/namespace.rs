//! Namespaces.

use super::operations;
use crate::transcript::choice::{List, choices};
use crate::transcript::value::{Data, Label};

operations! {
    /// Operations on namespaces.
    NamespaceOp of Namespaces {
        /// Makes new namespaces for the actor: unshare(2).
        Unshare is "unshare" "KINDS" { kinds: List<NamespaceKind> }
        /// Joins namespaces of an actor, by pidfd: setns(2).
        Setns is "setns" "TARGET KINDS" { target: Label, kinds: List<NamespaceKind> }
        /// Prints which namespace an actor is in, as the runner sees it.
        Nsid is "nsid" "TARGET KIND" { target: Label, kind: NamespaceLink }
        /// Sets the host name, or prints it.
        Hostname is "hostname" "[NAME]" { name: Option<Data> }
        /// Sets the domain name, or prints it.
        Domainname is "domainname" "[NAME]" { name: Option<Data> }
        /// Writes an actor's uid_map or gid_map, with one write(2).
        Idmap is "idmap" "TARGET uid|gid TEXT" { target: Label, ids: IdKind, text: Data }
        /// Writes an actor's /proc/PID/setgroups.
        Setgroups is "setgroups" "TARGET allow|deny" { target: Label, to: SetgroupsTo }
    }
}

choices! {
    /// A kind of namespace.
    pub NamespaceKind is "a kind of namespace" {
        User = "user", Pid = "pid", Uts = "uts", Mnt = "mnt", Net = "net", Ipc = "ipc", Cgroup = "cgroup",
        Time = "time",
    }

    /// A namespace of a process, as /proc/PID/ns names it.
    pub NamespaceLink is "a namespace of a process" {
        User = "user", Pid = "pid", Uts = "uts", Mnt = "mnt", Net = "net", Ipc = "ipc", Cgroup = "cgroup",
        Time = "time", PidForChildren = "pid_for_children", TimeForChildren = "time_for_children",
    }

    /// Which ids a map is of.
    pub IdKind is "a kind of ids" { Uid = "uid", Gid = "gid" }

    /// What `setgroups` writes.
    pub SetgroupsTo is "a value of setgroups" { Allow = "allow", Deny = "deny" }
}

impl NamespaceLink {
    /// The kind of the namespace that the link leads to.
    #[must_use]
    pub const fn kind(self) -> NamespaceKind {
        match self {
            Self::User => NamespaceKind::User,
            Self::Pid | Self::PidForChildren => NamespaceKind::Pid,
            Self::Uts => NamespaceKind::Uts,
            Self::Mnt => NamespaceKind::Mnt,
            Self::Net => NamespaceKind::Net,
            Self::Ipc => NamespaceKind::Ipc,
            Self::Cgroup => NamespaceKind::Cgroup,
            Self::Time | Self::TimeForChildren => NamespaceKind::Time,
        }
    }
}
