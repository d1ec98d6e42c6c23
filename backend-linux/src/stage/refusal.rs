//! Whether a script may run on this host, asked before anything is touched.
//!
//! Three questions: is this the kernel and layout that the script is for, and are its needs met (spec, Actors); has this
//! process the rights; does the script leave alone what is not its own (`survey`), where that is asked ([`Tenancy`]). The
//! answer is a [`Refusal`], which says why in words for people.

use std::path::Path;

use standin::backend::Processes as _;
use standin::capability::Capability;
use standin::transcript::{Layout, Release, Transcript};

use super::host::Host;
use super::survey::Survey;
use crate::view::Linux;

/// Why a script does not run here.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// It is for another kernel.
    Kernel {
        /// The script's.
        wanted: Release,
        /// This host's release.
        here: String,
    },
    /// It is for hierarchies that are mounted otherwise.
    Layout {
        /// The script's.
        wanted: Layout,
        /// This host's, if it is one of the three.
        here: Option<Layout>,
    },
    /// `# needs: vm`
    NeedsVm,
    /// `# needs: fresh`
    NeedsFresh,
    /// `# needs: v1 NAME`: this controller is not mounted as v1.
    NeedsV1(String),
    /// The process is not privileged, or is itself in namespaces.
    Rights(&'static str),
    /// It would make a group that is there.
    Exists(String),
    /// It would change something that is not its own.
    Foreign(String),
    /// It would move a process that is no actor.
    Process(u32),
    /// It would mount a hierarchy that the host does not have, or with other options.
    Hierarchy(String),
    /// The host cannot be looked at, or the stage not be set up.
    Host(String),
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Kernel { wanted, here } => {
                write!(out, "it is for kernel {}, this is {here}", wanted)
            }
            Self::Layout { wanted, here: Some(here) } => {
                write!(out, "it is for layout {}, this host is {}", wanted, here)
            }
            Self::Layout { wanted, here: None } => {
                write!(out, "it is for layout {}, this host has none of the three", wanted)
            }
            Self::NeedsVm => out.write_str("it needs a virtual machine"),
            Self::NeedsFresh => out.write_str("it needs a machine of its own"),
            Self::NeedsV1(name) => {
                write!(out, "it needs the controller {name} mounted as v1 at /sys/fs/cgroup/{name}")
            }
            Self::Rights(what) => write!(out, "running on a host needs {what}"),
            Self::Exists(path) => write!(out, "it makes the group {path}, which is there already"),
            Self::Foreign(path) => write!(out, "it would change {path}, which is not its own"),
            Self::Process(pid) => write!(out, "it would move the process {pid}, which is no actor"),
            Self::Hierarchy(what) => {
                write!(out, "it would mount the hierarchy {what}, which the host does not have so")
            }
            Self::Host(what) => write!(out, "this host cannot be a stage: {what}"),
        }
    }
}

impl std::error::Error for Refusal {}

/// Whose the machine is, which is for the runner to know: nothing here looks for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tenancy {
    /// Others live on it: a script changes nothing but its own, and what can be set back.
    #[default]
    Shared,
    /// The runner's alone, as a virtual machine is: a script may do anything
    /// ([`HostStage::is_spoiled`](super::HostStage::is_spoiled)).
    Own,
    /// The runner's alone, and no script has run on it.
    Fresh,
}

impl Tenancy {
    /// Whether nobody else lives there.
    pub(super) fn is_alone(self) -> bool {
        self != Self::Shared
    }
}

/// The inodes of the initial namespaces (include/linux/proc_ns.h).
const INITIAL: [(&str, u64); 3] =
    [("pid", 0xEFFF_FFFC), ("user", 0xEFFF_FFFD), ("cgroup", 0xEFFF_FFFB)];

/// Looks whether the script fits.
pub(super) fn fits(script: &Transcript, tenancy: Tenancy) -> Result<Host, Refusal> {
    let host = Host::look().map_err(|error| Refusal::Host(format!("/proc: {error}")))?;
    if let Some(wanted) = script.machine.kernel
        && host.kernel() != Some(wanted)
    {
        return Err(Refusal::Kernel { wanted, here: host.release });
    }
    if let Some(wanted) = script.machine.layout
        && host.layout() != Some(wanted)
    {
        return Err(Refusal::Layout { wanted, here: host.layout() });
    }
    let needs = script.needs();
    if needs.vm && tenancy == Tenancy::Shared {
        return Err(Refusal::NeedsVm);
    }
    if needs.fresh && tenancy != Tenancy::Fresh {
        return Err(Refusal::NeedsFresh);
    }
    if let Some(missing) = needs.v1.iter().find(|name| !host.has_v1(name)) {
        return Err(Refusal::NeedsV1(missing.clone()));
    }
    has_rights()?;
    if tenancy == Tenancy::Shared {
        Survey::of(script, &host)?.check()?;
    }
    Ok(host)
}

/// Looks whether the script makes no hierarchy that outlives it.
pub(super) fn keeps_hierarchies(script: &Transcript, host: &Host) -> Result<(), Refusal> {
    Survey::of(script, host)?.check_mounts()
}

fn has_rights() -> Result<(), Refusal> {
    let kernel = Linux::here();
    let is_root = kernel.credentials().is_ok_and(|who| who.user.effective == standin::Uid::ROOT);
    let may =
        kernel.capabilities().is_ok_and(|sets| sets.effective.contains(Capability::SYS_ADMIN));
    if !is_root || !may {
        return Err(Refusal::Rights("root"));
    }
    for (kind, inode) in INITIAL {
        let link = std::fs::metadata(format!("/proc/self/ns/{kind}"));
        if !link.is_ok_and(|link| std::os::unix::fs::MetadataExt::ino(&link) == inode) {
            return Err(Refusal::Rights("the machine's initial namespaces"));
        }
    }
    if !Path::new("/mnt").is_dir() {
        return Err(Refusal::Rights("a directory /mnt"));
    }
    Ok(())
}
