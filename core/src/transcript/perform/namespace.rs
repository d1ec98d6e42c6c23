//! Namespaces, and how the language's kinds are the backend's.

use super::file::write;
use super::process::in_proc;
use super::{Act, Performed, done, name, not_an_actors};
use crate::backend;
use crate::path::KPath;
use crate::transcript::op::{IdKind, NamespaceKind, NamespaceLink, NamespaceOp};
use crate::transcript::outcome::Outcome;

pub(super) fn run(act: &Act<'_>, op: &NamespaceOp) -> Performed {
    let kernel = act.kernel;
    match op {
        NamespaceOp::Unshare { kinds } => {
            done(kernel.unshare(kinds.0.iter().copied().map(bit).collect()))
        }
        NamespaceOp::Setns { kinds, .. } => {
            done(kernel.join(act.target()?, kinds.0.iter().copied().map(bit).collect()))
        }
        NamespaceOp::Nsid { .. } => not_an_actors(op.name()),
        NamespaceOp::Hostname { name: Some(to) } => done(kernel.set_hostname(name(&to.0)?)),
        NamespaceOp::Hostname { name: None } => {
            Ok(Outcome::value(kernel.uname()?.nodename.as_bytes()))
        }
        NamespaceOp::Domainname { name: Some(to) } => done(kernel.set_domainname(name(&to.0)?)),
        NamespaceOp::Domainname { name: None } => {
            Ok(Outcome::value(kernel.uname()?.domainname.as_bytes()))
        }
        NamespaceOp::Idmap { ids, text, .. } => {
            let file = match ids {
                IdKind::Uid => "uid_map",
                IdKind::Gid => "gid_map",
            };
            write_in_proc(act, file, &text.0)
        }
        NamespaceOp::Setgroups { to, .. } => write_in_proc(act, "setgroups", to.word().as_bytes()),
    }
}

fn write_in_proc(act: &Act<'_>, file: &str, bytes: &[u8]) -> Performed {
    let file = KPath::new(file).map_err(|nul| Outcome::Broken(nul.to_string()))?;
    in_proc(act, file, |place| write(act, place, bytes))
}

fn bit(kind: NamespaceKind) -> backend::NamespaceKinds {
    kind.into()
}

impl From<NamespaceKind> for backend::NamespaceKinds {
    fn from(kind: NamespaceKind) -> Self {
        match kind {
            NamespaceKind::User => Self::USER,
            NamespaceKind::Pid => Self::PID,
            NamespaceKind::Uts => Self::UTS,
            NamespaceKind::Mnt => Self::MOUNT,
            NamespaceKind::Net => Self::NET,
            NamespaceKind::Ipc => Self::IPC,
            NamespaceKind::Cgroup => Self::CGROUP,
            NamespaceKind::Time => Self::TIME,
        }
    }
}

impl From<NamespaceLink> for backend::NamespaceKind {
    fn from(link: NamespaceLink) -> Self {
        match link {
            NamespaceLink::User => Self::User,
            NamespaceLink::Pid => Self::Pid,
            NamespaceLink::Uts => Self::Uts,
            NamespaceLink::Mnt => Self::Mount,
            NamespaceLink::Net => Self::Net,
            NamespaceLink::Ipc => Self::Ipc,
            NamespaceLink::Cgroup => Self::Cgroup,
            NamespaceLink::Time => Self::Time,
            NamespaceLink::PidForChildren => Self::PidForChildren,
            NamespaceLink::TimeForChildren => Self::TimeForChildren,
        }
    }
}
