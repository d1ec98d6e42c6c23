//! The control files of v1 hierarchies: one row a file, by controller (cgroup-v1/, and the directories of recorded kernels).
//! Controllers whose files are those of v2 have no table of their own.

mod blkio;
mod core;
mod cpu;
mod cpuacct;
mod cpuset;
mod devices;
mod freezer;
mod hugetlb;
mod memory;
mod net;

use super::{Row, device, pids};

/// The tables by controller, in the order of the files' rows.
pub(super) const TABLES: [&[Row]; 12] = [
    core::ROWS,
    cpuset::ROWS,
    cpu::ROWS,
    cpuacct::ROWS,
    blkio::ROWS,
    memory::ROWS,
    devices::ROWS,
    freezer::ROWS,
    net::ROWS,
    hugetlb::ROWS,
    pids::ROWS,
    device::ROWS,
];
