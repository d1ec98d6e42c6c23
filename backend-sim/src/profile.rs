//! Which kernel a machine is: its release, its hierarchies, its size and its bounds.

use standin::Controller;
use standin::ControllerSet;
use standin::id::Bytes;

/// A kernel release that the machine can be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
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

    /// The layout with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|layout| layout.name() == name)
    }
}

/// A block device, by the numbers that control files name it by. It is a solid-state drive without partitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BlockDevice {
    /// Which driver it belongs to: 8 of SCSI disks, 259 of NVMe drives.
    pub major: u32,
    /// Which of the driver's it is.
    pub minor: u32,
}

/// What a machine is.
#[derive(Clone, Debug)]
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
        }
    }
}

impl Profile {
    /// The controllers that the v2 root offers, in this layout on this kernel.
    pub(crate) fn v2_controllers(&self) -> ControllerSet {
        let mut all: ControllerSet = [
            Controller::Cpuset,
            Controller::Cpu,
            Controller::Io,
            Controller::Memory,
            Controller::Hugetlb,
            Controller::Pids,
            Controller::Rdma,
            Controller::Misc,
        ]
        .into_iter()
        .collect();
        if self.release == Release::V6_18 {
            all.insert(Controller::Dmem);
        }
        all
    }
}

/// Bounds of a run. Reaching one is [`LimitReached`](standin::Failure::LimitReached), never an errno: the kernel that is
/// simulated has no such bound, or a far higher one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Groups in all hierarchies.
    pub cgroups: usize,
    /// Processes and threads, zombies included.
    pub threads: usize,
    /// Open files.
    pub open_files: usize,
    /// Calls.
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
