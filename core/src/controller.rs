//! The cgroup controllers, by the kernel's names and in the kernel's order.
//!
//! The order is that of `/proc/cgroups` and of `cgroup.controllers`, whatever order they were enabled in.

use std::fmt;

use crate::bit_set::bit_set;

macro_rules! controllers {
    ($($(#[$doc:meta])* $id:ident, $v2:literal, $v1:literal;)*) => {
        /// A controller: what a cgroup limits, counts or isolates (cgroup-v2.rst, Controllers).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
        pub enum Controller {
            $($(#[$doc])* $id,)*
        }

        impl Controller {
            /// Every controller, in the kernel's order.
            pub const ALL: &'static [Self] = &[$(Self::$id),*];

            /// Its name in the v2 hierarchy and in errors.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$id => $v2,)* }
            }

            /// Its name in v1: as a mount option and in `/proc/cgroups`.
            #[must_use]
            pub const fn v1_name(self) -> &'static str {
                match self { $(Self::$id => $v1,)* }
            }
        }
    };
}

controllers! {
    /// Processors and memory nodes.
    Cpuset, "cpuset", "cpuset";
    /// Processor time.
    Cpu, "cpu", "cpu";
    /// Accounting of processor time, v1 only.
    Cpuacct, "cpuacct", "cpuacct";
    /// Block devices; `blkio` in v1.
    Io, "io", "blkio";
    /// Memory.
    Memory, "memory", "memory";
    /// Which device files may be used, v1 only.
    Devices, "devices", "devices";
    /// Freezing, v1 only: v2 has it in every group.
    Freezer, "freezer", "freezer";
    /// Tags on network packets, v1 only.
    NetCls, "net_cls", "net_cls";
    /// Performance events by group.
    PerfEvent, "perf_event", "perf_event";
    /// Priorities of network packets, v1 only.
    NetPrio, "net_prio", "net_prio";
    /// Huge pages.
    Hugetlb, "hugetlb", "hugetlb";
    /// How many processes there may be.
    Pids, "pids", "pids";
    /// Remote memory access.
    Rdma, "rdma", "rdma";
    /// Countable resources of no other kind.
    Misc, "misc", "misc";
    /// Device memory, from 6.14 on.
    Dmem, "dmem", "dmem";
}

impl Controller {
    const fn bit(self) -> u32 {
        self as u32
    }

    fn from_bit(bit: u32) -> Option<Self> {
        Self::ALL.get(usize::try_from(bit).ok()?).copied()
    }

    /// The controller with this v2 name.
    ///
    /// ```
    /// use standin::Controller;
    /// assert_eq!(Controller::from_name("pids"), Some(Controller::Pids));
    /// assert_eq!(Controller::from_name("blkio"), None);
    /// ```
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|controller| controller.name() == name)
    }

    /// The controller with this v1 name.
    ///
    /// ```
    /// use standin::Controller;
    /// assert_eq!(Controller::from_v1_name("blkio"), Some(Controller::Io));
    /// ```
    #[must_use]
    pub fn from_v1_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|controller| controller.v1_name() == name)
    }
}

impl fmt::Display for Controller {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

bit_set! {
    /// A set of controllers; iterates in the kernel's order, and prints as `cgroup.controllers` does.
    ControllerSet of Controller, known (1 << Controller::ALL.len()) - 1,
    /// The members of a [`ControllerSet`], in the kernel's order.
    Controllers
}

impl fmt::Display for ControllerSet {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, controller) in self.iter().enumerate() {
            write!(out, "{}{controller}", if index == 0 { "" } else { " " })?;
        }
        Ok(())
    }
}
