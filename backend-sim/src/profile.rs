//! Which kernel a machine is: its release, its hierarchies, its size and its bounds.

use standin::Controller;
use standin::ControllerSet;
use standin::id::Bytes;

use crate::namespace::pid::setting::HIGHEST_END;

/// A kernel release that the machine can be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Release {
    /// 6.1, as Debian 12 builds it.
    V6_1,
    /// 6.12, as Debian 13 builds it.
    #[default]
    V6_12,
    /// 6.18.
    V6_18,
}

impl Release {
    /// Every release, oldest first.
    pub const ALL: [Self; 3] = [Self::V6_1, Self::V6_12, Self::V6_18];

    /// As a transcript's machine line names it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::V6_1 => "6.1",
            Self::V6_12 => "6.12",
            Self::V6_18 => "6.18",
        }
    }

    /// As uname(2) tells it.
    pub(crate) const fn full_name(self) -> &'static str {
        match self {
            Self::V6_1 => "6.1.0-56-cloud-amd64",
            Self::V6_12 => "6.12.117+deb12-cloud-amd64",
            Self::V6_18 => "6.18.0",
        }
    }

    /// Which build of it, as uname(2) tells it.
    pub(crate) const fn build(self) -> &'static str {
        match self {
            Self::V6_1 => "#1 SMP PREEMPT_DYNAMIC Debian 6.1.192-2 (2026-11-16)",
            Self::V6_12 => "#1 SMP PREEMPT_DYNAMIC Debian 6.12.117-1~deb12u1 (2026-11-14)",
            Self::V6_18 => "#1 SMP PREEMPT_DYNAMIC",
        }
    }

    /// The release with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|release| release.name() == name)
    }
}

/// Where the cgroup hierarchies are mounted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Layout {
    /// cgroup2 alone, at /sys/fs/cgroup.
    #[default]
    Unified,
    /// v1, a hierarchy a controller, at /sys/fs/cgroup/NAME.
    Legacy,
    /// v1 as in `Legacy`, and cgroup2 at /sys/fs/cgroup/unified.
    Hybrid,
}

impl Layout {
    /// Every layout.
    pub const ALL: [Self; 3] = [Self::Unified, Self::Legacy, Self::Hybrid];

    /// As a transcript's machine line names it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unified => "unified",
            Self::Legacy => "legacy",
            Self::Hybrid => "hybrid",
        }
    }

    /// Whether cgroup2 is mounted.
    pub(crate) const fn has_v2(self) -> bool {
        !matches!(self, Self::Legacy)
    }

    /// The layout with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|layout| layout.name() == name)
    }
}

/// A block device, by the numbers that control files name it by. It is a solid-state drive without partitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct BlockDevice {
    /// Which driver it belongs to: 8 of SCSI disks, 259 of NVMe drives.
    pub major: u32,
    /// Which of the driver's it is.
    pub minor: u32,
}

/// What a machine is.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Profile {
    pub(crate) release: Release,
    pub(crate) layout: Layout,
    pub(crate) processors: u32,
    pub(crate) memory: Bytes,
    pub(crate) swap: Bytes,
    pub(crate) disks: Vec<BlockDevice>,
    pub(crate) limits: Limits,
    /// Whether it has the context commands.
    pub(crate) contexts: bool,
    /// Controllers that share a v1 hierarchy at first.
    pub(crate) joined: Vec<ControllerSet>,
    /// One more than the highest number of a process.
    pub(crate) pid_max: u32,
    /// The number that was given out last when the first process was there.
    pub(crate) last_pid: u32,
}

impl Default for Profile {
    fn default() -> Self {
        Self {
            release: Release::default(),
            layout: Layout::default(),
            processors: 2,
            memory: Bytes(1 << 30),
            swap: Bytes(0),
            disks: Vec::new(),
            limits: Limits::default(),
            contexts: false,
            joined: Vec::new(),
            pid_max: HIGHEST_END,
            last_pid: 0,
        }
    }
}

impl Profile {
    /// The controllers that the kernel has, as /proc/cgroups tells them.
    pub(crate) fn controllers(&self) -> ControllerSet {
        let mut all = ControllerSet::ALL;
        if self.is_hosts() {
            all = all.difference([Controller::Rdma, Controller::Misc].into_iter().collect());
        }
        if self.release != Release::V6_18 || self.is_hosts() {
            all.remove(Controller::Dmem);
        }
        all
    }

    /// The controllers that can be in a v1 hierarchy.
    pub(crate) fn v1_controllers(&self) -> ControllerSet {
        let mut all = self.controllers();
        all.remove(Controller::Dmem);
        if self.release == Release::V6_12 {
            // Debian builds it without them.
            all = all.difference([Controller::Cpuset, Controller::Memory].into_iter().collect());
        }
        all
    }

    /// The v1 hierarchies that are mounted at first, by their controllers, in the order in which they were made.
    pub(crate) fn v1_hierarchies(&self) -> Vec<ControllerSet> {
        let all: Vec<Controller> = match self.layout {
            Layout::Unified => Vec::new(),
            Layout::Legacy | Layout::Hybrid if self.is_hosts() => HOSTS.to_vec(),
            Layout::Legacy | Layout::Hybrid => self.v1_controllers().iter().collect(),
        };
        let known: ControllerSet = all.iter().copied().collect();
        let mut sets: Vec<ControllerSet> = Vec::new();
        for controller in all {
            let own = ControllerSet::EMPTY.with(controller);
            let joined = self.joined.iter().rev().find(|set| set.contains(controller));
            let set = joined.map_or(own, |set| set.intersection(known));
            if !sets.contains(&set) {
                sets.push(set);
            }
        }
        sets
    }

    /// The v1 hierarchies without controllers, by name, that are made after the others.
    pub(crate) const fn named_hierarchies(&self) -> &'static [&'static str] {
        if self.is_hosts() { &["systemd"] } else { &[] }
    }

    /// Whether it is the recorded 6.18 host, a vendor's kernel: the only one of this release with v1.
    const fn is_hosts(&self) -> bool {
        matches!((self.release, self.layout), (Release::V6_18, Layout::Legacy | Layout::Hybrid))
    }
}

/// The controllers that the recorded 6.18 host has in v1 hierarchies.
const HOSTS: [Controller; 8] = [
    Controller::Cpu,
    Controller::Cpuacct,
    Controller::Cpuset,
    Controller::Memory,
    Controller::Devices,
    Controller::Freezer,
    Controller::Io,
    Controller::Pids,
];

/// Bounds of a run. Reaching one is [`LimitReached`](standin::Failure::LimitReached), never an errno: the kernel that is
/// simulated has no such bound, or a far higher one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Limits {
    /// Groups in all hierarchies.
    pub cgroups: usize,
    /// Processes and threads, zombies included.
    pub threads: usize,
    /// Open files.
    pub open_files: usize,
    /// Calls. Those behind the last one fail, but for exits; the 10,000th of these panics and names who makes it, because a
    /// program that goes on so may do it for ever.
    pub operations: u64,
    /// Virtual time since boot, in seconds.
    pub seconds: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            cgroups: 1_000_000,
            threads: 2_000_000,
            open_files: 2_000_000,
            operations: u64::MAX,
            seconds: 100 * 365 * 24 * 3600,
        }
    }
}
