//! memory.stat and memory.numa_stat of v1: what the memory of a group is used for, of this very group and then (`total_`) with
//! all below it (cgroup-v1/memory.rst, 5.2 and 5.6).
//!
//! There is anonymous memory and what a tmpfs has (`memory_files`), so most lines are zero. Anonymous memory comes in huge
//! pages as long as it can, as it does where Debian's kernels find a place for them; each is one event. On the recorded 6.18
//! host it comes page by page.

use standin::Failure;

use super::memory_files;
use crate::cgroup::memory_limit::{self, Counter};
use crate::cgroup::memory_stat::anonymous;
use crate::cgroup::rows::Target;
use crate::cgroup::setting::PAGE;
use crate::cgroup::{CgroupKey, memory, value};
use crate::kernel::Kernel;
use crate::profile::Release;
use crate::step::Step;

/// The lines of one part, in order (recorded: 6.1, 6.18); the limits stand between the two parts.
const LINES: [&str; 20] = [
    "cache",
    "rss",
    "rss_huge",
    "shmem",
    "mapped_file",
    "dirty",
    "writeback",
    "workingset_refault_anon",
    "workingset_refault_file",
    "swap",
    "swapcached",
    "pgpgin",
    "pgpgout",
    "pgfault",
    "pgmajfault",
    "inactive_anon",
    "active_anon",
    "inactive_file",
    "active_file",
    "unevictable",
];

/// What later kernels alone have.
const LATER: &str = "swapcached";

/// A group's memory, in bytes: what it has, and what it ever had.
#[derive(Clone, Copy)]
struct Used {
    now: u64,
    ever: u64,
    /// Pages of a tmpfs.
    files: u64,
    /// In pages of this size, as far as it goes.
    largest: u64,
}

impl Used {
    fn new(kernel: &Kernel, (now, ever): (u64, u64), files: u64) -> Self {
        let largest = if kernel.profile.release < Release::V6_18 { HUGE } else { PAGE };
        Self { now: anonymous(now), ever: anonymous(ever), files: files * PAGE, largest }
    }

    /// Of a group alone, and with all below it.
    fn of_group(kernel: &Kernel, target: Target) -> Result<(Self, Self), Failure> {
        let (own_files, files) = memory_files::of(kernel, target.group)?;
        let state = memory::state(kernel, target);
        let now = memory::used(&kernel.cgroups, target.group);
        let own = if kernel.cgroups.table.at(target.group).parent.is_none() {
            let now = memory::charged_outside(&kernel.cgroups);
            (now, now)
        } else {
            (state.own, state.own_came)
        };
        let total = Self::new(kernel, (now, state.came.max(now)), files);
        Ok((Self::new(kernel, own, own_files), total))
    }

    /// The value of a line.
    fn of(self, line: &str) -> u64 {
        match line {
            "rss" => self.now,
            "inactive_anon" => self.now + self.files,
            "cache" | "shmem" => self.files,
            "rss_huge" if self.largest == HUGE => self.now / HUGE * HUGE,
            "pgpgin" | "pgfault" => self.events(self.ever) + self.files / PAGE,
            "pgpgout" => self.events(self.ever - self.now),
            _ => 0,
        }
    }

    /// How often so much memory came or went.
    const fn events(self, bytes: u64) -> u64 {
        bytes / self.largest + bytes % self.largest / PAGE
    }
}

/// A huge page.
const HUGE: u64 = 512 * PAGE;

pub(in crate::cgroup) fn show(kernel: &Kernel, target: Target, out: &mut Vec<u8>) -> Step<()> {
    let later = kernel.profile.release >= Release::V6_12;
    let lines = || LINES.iter().filter(move |line| later || **line != LATER);
    let (own, total) = Used::of_group(kernel, target)?;
    for line in lines() {
        value::print_keyed(line, own.of(line), out);
    }
    for (name, counter) in [
        ("hierarchical_memory_limit", Counter::Memory),
        ("hierarchical_memsw_limit", Counter::WithSwap),
    ] {
        value::print_keyed(name, least(kernel, target.group, counter), out);
    }
    for line in lines() {
        out.extend_from_slice(b"total_");
        value::print_keyed(line, total.of(line), out);
    }
    Ok(())
}

/// The least limit of a group and of those above it.
fn least(kernel: &Kernel, group: CgroupKey, counter: Counter) -> u64 {
    let own = memory_limit::of(kernel.cgroups.table.at(group), counter);
    let above = memory::upwards(&kernel.cgroups, Some(group));
    above.map(|(_, record)| memory_limit::of(record, counter)).fold(own, u64::min)
}

/// The machine has one memory node. Numbers are pages.
pub(in crate::cgroup) fn show_by_node(
    kernel: &Kernel,
    target: Target,
    out: &mut Vec<u8>,
) -> Step<()> {
    let (own, total) = Used::of_group(kernel, target)?;
    for (prefix, used) in [("", own), ("hierarchical_", total)] {
        let pages = (used.now + used.files) / PAGE;
        for (name, pages) in [("total", pages), ("file", 0), ("anon", pages), ("unevictable", 0)] {
            let line = format!("{prefix}{name}={pages} N0={pages}\n");
            out.extend_from_slice(line.as_bytes());
        }
    }
    Ok(())
}
